"""What whoever runs a stack does with AWS itself, and not through its API: commands with credentials of the account.

Each is `.venv/bin/python -m operate.NAME`, and docs/operate says when to use it.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "shared"))
