"""Webhooks: a tenant's own events, signed, at addresses of its own.

```
 bus ─ rule ─► SQS webhooks ─► sender: fan_out   a delivery for each endpoint that wants the event ─┐
                    ▲                                                                               │ a message
                    └────────── sender: serve    the tenant's turn: what is due is sent ◄───────────┘ a tenant
```
"""
