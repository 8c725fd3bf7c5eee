"""The event feed: what has happened to a tenant, kept for some days for whoever asks.

```
 bus ─ rule ─► SQS webhooks ─► webhook_sender ─┬─► feed.table.keep   one item for each tenant that may know of it
                                               └─► webhooks          the endpoints that want it
 GET /v1/events ─► api ─► feed.table.page
```
`bus_events` is what an event on the bus is, and what a tenant may know of it; webhooks and mail use it too.
"""
