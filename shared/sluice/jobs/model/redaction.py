"""What of a stored job may be shown to one tenant, and under which names. Pure.

A shared job may run through another tenant's account. Who that is, and how that account fares, is nobody else's
business, so text that names somebody's account is redacted.
"""

import re
from collections.abc import Mapping
from typing import Any

from sluice.platform.config.services import LIMITS

# The id of an account, or of its budget, and not the middle of a job id.
_ID = rf"(?<![\w:.])({'|'.join(LIMITS)}):([a-z0-9-]{{1,64}})(?![\w-])"
# The same with how it fares, which may be told, and why, which may not: it quotes the answer to a call of its owner's.
_REASON = rf"{_ID}( is [^:]*): .*"
_ACCOUNT = rf"{_ID}()"

# A name that says so of its value, and what is shown in its place.
_HIDDEN_NAMES = r"token|secret|passw|credential|api_?key|authorization|cookie"
HIDDEN = "(hidden)"
# Names that are not shown at all: of a tenant, which may be another than the one who looks.
_UNSHOWN = {"forced_by"}


def redact(text: str, tenant: str) -> str:
    """`text` without the accounts of anybody but `tenant`, and without why one of those does not work."""

    def shown(found: re.Match[str]) -> str:
        return found[0] if found[2] == tenant else f"{found[1]}:(another seller){found[3]}"

    return re.sub(_ACCOUNT, shown, re.sub(_REASON, shown, text, flags=re.DOTALL))


def fields(named: Mapping[str, Any]) -> dict[str, Any]:
    """The names of `named` as the API writes names; what the values hold is their own, but for what its name calls a
    secret: no job needs one, and none that got there by mistake is shown.
    """
    shown = {name: value for name, value in _masked(named).items() if name not in _UNSHOWN}
    return {re.sub(r"_(\w)", lambda letter: letter[1].upper(), name): value for name, value in shown.items()}


def _masked(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            name: HIDDEN if re.search(_HIDDEN_NAMES, str(name), re.IGNORECASE) and inner else _masked(inner)
            for name, inner in value.items()
        }
    return [_masked(one) for one in value] if isinstance(value, list) else value
