"""Webhooks: a tenant's own events, signed, at addresses of its own.

```
 bus ─ rule ─► SQS webhooks ─► sender: fan_out    one delivery for each endpoint that wants the event ─┐
                    ▲                                                                                 │ a message each
                    └── a message, later ── sender: attempt  POST; what failed is due again later ◄───┘
```
"""
