"""Processes die for real while work is going on: `make chaos`, and in short `tests/integration/test_chaos.py`.

```
 load       sellers ask for prices, listings, changes of them, ads and eBay records, until each request is answered
 trouble    SIGKILL of function processes, by chance or just when a marketplace was asked · messages twice and in
            another order · the emulator is stopped and started again with what it kept
 calm       nothing dies any more; all that was asked for comes to an end
 record     what the marketplaces say happened is compared with what was asked for
```
"""
