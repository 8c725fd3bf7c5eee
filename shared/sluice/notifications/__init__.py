"""What a tenant is told without asking: mail about what needs a person, when it happens.

```
 cause ─► event on the bus ─┬─► webhooks, for the endpoints that want it
 time ─► routine ─┘         └─► receive: a line waits for the tenant's next mail ─► mailer, each minute: one mail
```
`routine` makes the events that time alone brings: daily summaries (`figures`), and a rate of failures that is too high
(`rates`). `table` is what is stored, and what a tenant wants; `texts` is how it is said, `topics` is the mail itself
(SNS), `api` has the routes.
"""
