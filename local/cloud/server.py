"""Runs ministack as a child process that never outlives its parent: `python -m local.cloud.server`.

The parent holds the other end of standard input. However the parent ends, the read below returns, and the whole
process group goes with it: ministack and the function processes that it started.
"""

import os
import signal
import sys
import threading

from ministack.app import main


def end_with_parent() -> None:
    """Wait until the parent is gone, then end this process group."""
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=end_with_parent, daemon=True).start()
    main()
