"""Pages for whoever would rather look than read, and buttons to act. See docs/dashboard.md.

```
 browser ─► function dashboard ─► session (table sessions) ─► ask: the function of the API's route ─► JSON ─► page
```
The pages are a client of the API: what they show is what its routes answer, and what they do, its routes do. So this
function reads one table, its own, and may call the functions of the API's operator part, and nothing else (ADR 090).
"""
