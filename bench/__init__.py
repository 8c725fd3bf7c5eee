"""Benchmarks: what Sluice costs and how exactly it keeps its limits, each beside its target.

`python -m bench` runs all, `python -m bench capacity tick` some. Each benchmark is one module with
`run() -> list[Row]`, in a process of its own.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

# In Lambda the package lies in the common layer; here it is used where it is written.
if str(ROOT / "shared") not in sys.path:
    sys.path.insert(0, str(ROOT / "shared"))
