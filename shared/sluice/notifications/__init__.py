"""What a tenant is told without asking: mail about what needs a person, when it happens.

```
 cause ─► event on the bus ─┬─► webhooks, for the endpoints that want it
                            └─► receive: a line waits for the tenant's next mail ─► mailer, each minute: one mail
```
`preferences` is what a tenant wants, `table` is what is stored, `texts` is how it is said, `topics` is the mail itself
(SNS), `api` has the routes.
"""
