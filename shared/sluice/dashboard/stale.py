"""A form of an old version: what it shows was changed meanwhile, so nothing is done, and what changed is told.

```
 page ─► form, with what stands (`seen`) ─► sent ─► what stands now
                                                    ├─ as it was seen ─► it is done
                                                    ├─ as the form wants it: it was sent twice ─► done already
                                                    └─ otherwise ─► refused; the form stays, now of the new version
```
"""

import json
from collections.abc import Mapping
from typing import Final

from markupsafe import Markup

from sluice.dashboard import forms, parts, sent
from sluice.dashboard.html import Child, element
from sluice.dashboard.visit import Visit

# What stands, in words, by what people call it.
Stands = Mapping[str, str]

CONFLICT: Final = 409
MEANWHILE: Final = "Somebody else has changed this meanwhile, so nothing was done. What they changed:"
GO_ON: Final = "Below is what you wrote. Send it again to have it hold all the same."


def changes(visit: Visit, stands: Stands) -> dict[str, tuple[str, str]]:
    """What stands otherwise now than the form that was sent has shown it: what it showed, and what stands."""
    before = _before(visit)
    return {name: (before[name], now) for name, now in stands.items() if name in before and before[name] != now}


def is_done(visit: Visit, stands: Stands, wanted: Stands) -> bool:
    """Whether all that changed meanwhile is what the form wants: the same form was sent twice."""
    changed = changes(visit, stands)
    return bool(changed) and all(stands[name] == wanted.get(name) for name in changed)


def section(
    visit: Visit,
    stands: Stands,
    title: str,
    path: str,
    fields: Mapping[str, Markup],
    sends: Markup,
    wrong: Mapping[str, str],
    *,
    told: Child = None,
    hidden: Mapping[str, str] | None = None,
) -> Markup:
    """A part of a page with a form that changes what stands; all else is as in `forms.section`.

    The form carries along what stood when its page was made, and what was changed meanwhile is told above it.
    """
    seen = {**(hidden or {}), "seen": json.dumps(dict(stands), ensure_ascii=False)}
    return forms.section(visit, title, path, fields, sends, wrong, told=[_told(visit, stands), told], hidden=seen)


def _told(visit: Visit, stands: Stands) -> Markup | None:
    """What was changed meanwhile, for whoever sent the form; None if nothing was."""
    changed = changes(visit, stands)
    if not changed:
        return None
    rows = [
        element(
            "li",
            f"{name}: ",
            element("del", before or parts.NONE),
            " \N{RIGHTWARDS ARROW} ",
            element("ins", now or parts.NONE),
        )
        for name, (before, now) in changed.items()
    ]
    body = [element("p", MEANWHILE), element("ul", rows), element("p", GO_ON)]
    return element("div", body, class_="refused", role="alert")


def _before(visit: Visit) -> dict[str, str]:
    """What the form has shown; nothing of one that does not say it."""
    try:
        found = sent.document(visit.form.get("seen", "{}"))
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}
