"""What every part stands on: time, settings, limits, tables, logs, metrics, events. Knows no other part."""
