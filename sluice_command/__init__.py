"""The command `sluice`, for people who run Sluice or sell through it.

It works against any stage, on a laptop or deployed, and knows only its HTTP API: nothing here imports the engine.

```
 main.py ──► commands/<noun>.py ──► api.py ──► the stage's HTTP API
               │  reads options      │  one client; answers.py turns what is no success into one sentence
               └─► screen.py         tables in a terminal, tabs in a pipe, JSON for machines
 session.py: what all commands share, and watching something until it is over
 stages.py: which stage, and the token for it
```
"""

__version__ = "0.1.0"
