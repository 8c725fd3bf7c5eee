"""The marketplace sandbox: a server on loopback that plays the marketplaces for the demo, the tests and the benchmarks.

| file | holds |
|---|---|
| `server.py`, `__main__.py` | `with Sandbox(seed=7) as sandbox:` and `python -m local.sandbox` |
| `world.py`, `app.py` | the parts around one clock, and the parts as a web application |
| `front.py`, `call.py` | what every marketplace call passes through, and the call and its answer as values |
| `stockx/`, `alias/`, `ebay/` | StockX API v2, Alias API v1, eBay's Browse and Marketing; one folder a marketplace |
| `catalog/`, `ids.py` | what is sold, in which sizes, for how much; ids that can be read back |
| `accounts.py`, `oauth.py` | OAuth applications and their tokens, and the token call |
| `switch.py`, `faults.py`, `outcomes.py` | the switches and when they strike: on calls, and on operations |
| `corrupt.py`, `connection.py` | what a fault does to a body, and how it hangs up |
| `limits.py`, `log.py`, `report.py` | the quota as the marketplace counts it, what was called, and the counts of both |
| `control.py` | `/_sandbox/`: the switches and the log over HTTP |

Everything that looks random comes from `chance.py`, so the same seed and the same calls give the same story.
"""
