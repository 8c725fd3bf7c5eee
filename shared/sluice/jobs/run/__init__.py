"""Running what was claimed: the batch, its message, the worker, and the record of each run."""
