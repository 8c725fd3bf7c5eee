"""A job, and everything written about it: states, keys, history, requests, dead letters, events."""
