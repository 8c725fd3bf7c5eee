"""The engine: the only code that changes a job or a budget. It knows no marketplace.

Read in this order: `states` (what a job can be), `job` (the item), `enqueue`, `scheduler`, `claim`, `runner`, `finish`.
Budgets: `budget_rules` (pure), `budgets` (the table), `grant` (what a worker holds while it calls).
"""
