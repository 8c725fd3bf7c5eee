"""A job's timeline: what happened to it, short enough to live on the item. Pure."""

from typing import Any

# Enough for every attempt of the most persistent kind. Snoozes never push these out.
MOST_ENTRIES = 24

Entry = dict[str, Any]


def add(history: list[Entry], entry: Entry) -> list[Entry]:
    """`history` with `entry` = `{"at": ms, "event": str, "attempt": int, "code"?: str, "message"?: str}` at its end.

    A snooze for the same reason as the one before it is counted there (`times`, `last`) instead of added: a job may be
    snoozed any number of times. Where the timeline is full, the oldest snooze makes room, else the oldest entry.
    """
    if history:
        last = history[-1]
        if entry["event"] == last["event"] == "snooze" and entry.get("code") == last.get("code"):
            merged = {**last, "times": last.get("times", 1) + 1, "last": entry["at"]}
            return [*history[:-1], merged]
    longer = [*history, entry]
    while len(longer) > MOST_ENTRIES:
        del longer[next((at for at, old in enumerate(longer[:-1]) if old["event"] == "snooze"), 0)]
    return longer
