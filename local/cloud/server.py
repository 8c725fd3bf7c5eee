"""Runs ministack as a child process that never outlives its parent: `python -m local.cloud.server FOLDER`.

The parent holds the other end of standard input. However the parent ends, the read below returns, and the whole
process group goes with it: ministack and the function processes that it started, and the folder that they wrote to.
"""

import gc
import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

from ministack.app import main

from local.cloud import ends, fair, iam, priority, probe, quick_dynamodb, starts, streams, unpacked
from local.cloud.calls import RECORD

# So many collections of younger objects lie between two of old ones. One of old objects stops all calls for a tenth of
# a second, and frees nothing: what ministack keeps it keeps for good.
RARELY = 10_000
# For writing down what is kept, when the parent has gone without a word.
SAVE_SECONDS = 20


def end_with_parent(folder: str) -> None:
    """Wait until the parent is gone, then remove `folder` and end this process group."""
    sys.stdin.buffer.read()
    if os.environ.get("PERSIST_STATE") == "1":
        os.kill(os.getpid(), signal.SIGTERM)  # it writes down what it has, and ends
        time.sleep(SAVE_SECONDS)
    shutil.rmtree(folder, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    own_folder = sys.argv.pop()
    threading.Thread(target=end_with_parent, args=(own_folder,), daemon=True).start()
    gc.set_threshold(*gc.get_threshold()[:2], RARELY)
    iam.install(Path(own_folder) / RECORD)
    ends.install()
    priority.install()
    quick_dynamodb.install()
    starts.install()
    streams.install(windows=os.environ.get("BATCHING_WINDOWS") == "1")
    fair.install()
    if record := os.environ.get("PROBE_RECORD"):
        probe.install(Path(record))
    unpacked.install(Path(own_folder) / "layers")
    main()
