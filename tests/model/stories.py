"""Small stories: what may happen in each. The explorer finds every order of it."""

from sluice.jobs.model import keys
from tests.model.state import Plan

ACME, ACME_HOT, ACME_MANUAL = (("acme", priority) for priority in (keys.BACKGROUND, keys.HOT, keys.MANUAL))
ZETA, ZETA_MANUAL, YURI = ("zeta", keys.BACKGROUND), ("zeta", keys.MANUAL), ("yuri", keys.BACKGROUND)
ENDS = ("retry", "snooze", "wait", "fatal", "begin", "undone")
FAULTS = ("kill", "lost", "repeated", "unsent")

STORIES = {
    "a lease ends while somebody is at work": Plan(asks=(ACME,), stalls=2),
    "a message comes twice": Plan(asks=(ACME,), again=2),
    "requests fail and processes die": Plan(asks=(ACME,), faults=2, kinds=FAULTS),
    "a process dies, and another is late": Plan(asks=(ACME,), faults=1, kinds=FAULTS, stalls=1),
    "every end of a run": Plan(asks=(ACME,), ends=ENDS, fails=2),
    "every end of a run that is late": Plan(asks=(ACME,), ends=ENDS, fails=1, stalls=1),
    "two ask": Plan(asks=(ACME, ZETA_MANUAL), ends=ENDS, fails=1),
    "one asks more urgently": Plan(asks=(ACME, ACME_MANUAL)),
    "one of two cancels": Plan(asks=(ACME, ZETA), cancels=("acme",)),
    "cancelled, and asked for more urgently": Plan(asks=(ACME, ZETA, ACME_HOT), cancels=("acme",), people_first=True),
    "cancelled after it has begun": Plan(asks=(ACME,), cancels=("acme",), ends=("retry", "begin", "undone"), fails=1),
    "a letter is replayed twice": Plan(asks=(ACME,), ends=("fatal",), fails=2, replays=2),
    "replayed and asked for": Plan(asks=(ACME, ZETA), ends=("fatal",), fails=1, replays=1),
}

# Too long for every day: in the ordinary tests, each serves to show that a fence is needed, which is soon found.
LONG = {
    "three ask": Plan(asks=(ACME, ZETA, YURI)),
    "one asks more and more urgently": Plan(asks=(ACME, ACME_HOT, ACME_MANUAL)),
    "another cancels, and it is asked for more urgently": Plan(asks=(ACME, ZETA, ACME_HOT), cancels=("zeta",)),
    "cancelled, and asked for once more": Plan(asks=(ZETA, ACME, ZETA), cancels=("acme",)),
}
