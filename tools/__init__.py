"""Commands for people who run Sluice. They work against any stage, on a laptop or deployed: they know only its API."""
