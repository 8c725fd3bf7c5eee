"""The engine: the only code that changes a job or a budget. It knows no marketplace.

Read in this order: `model.states` (what a job can be), `model.job` (the item), `queue.enqueue`, `dispatch.scheduler`,
`queue.claim`, `run.runner`, `queue.finish`. Budgets: `budgets.windows` (pure), `budgets.ledger` (the table),
`budgets.grant` (what a worker holds while it calls).
"""
