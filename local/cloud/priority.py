"""Functions for which nobody waits give way to the others: in AWS each has a core of its own, here all share a few.

They are slower only while other functions want the cores. They are those that count, which AWS runs once in ten
seconds at the most, those that send mail, which is gathered first, and those that a schedule starts.
It runs inside the ministack process, and hangs on one name of the ministack release that the lock pins.
"""

from ministack.core import lambda_runtime

NOBODY_WAITS = (
    "inventory-worker",
    "job-counts",
    "notifier",
    "operator-worker",
    "page-scheduler",
    "page-worker",
    "reconciler",
)
# A third of what the others have of a core that all want.
GIVES_WAY = 5
# Put before the script that runs each function.
_IN_FUNCTION = f"""
import os

if os.environ["AWS_LAMBDA_FUNCTION_NAME"].endswith({NOBODY_WAITS!r}):
    os.nice({GIVES_WAY})
"""


def install() -> None:
    """Have the processes of these functions give way, from their beginning on."""
    lambda_runtime._PYTHON_WORKER_SCRIPT = _IN_FUNCTION + lambda_runtime._PYTHON_WORKER_SCRIPT
