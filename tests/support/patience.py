"""How long tests wait for an event at the most: so long that only what never comes takes as long.

`SLUICE_TEST_PATIENCE=3` makes all of it three times as long, for a machine that is slow or busy.
"""

import os

PATIENCE = float(os.environ.get("SLUICE_TEST_PATIENCE", "1"))
# The longest wait for one event, and for a program that does several things, in seconds.
SECONDS = 240 * PATIENCE
PROGRAM_SECONDS = 400 * PATIENCE
