"""What the stage says, in the words of this command: where it names a route, the command that sends it. Pure."""

import re

# The stage speaks to programs. A person in a terminal is told the command instead.
_SAID = (
    (r"PUT /v1/accounts/([a-z]+)", r"`sluice connect \1`"),
    (r"POST /v1/market/refresh for (\S+)", r"`sluice price \1 SIZE`"),
    (r"PUT /v1/notifications", "`sluice notifications set ADDRESS TYPE`"),
    (r"/v1/operator/pauses", "`sluice pause` and `sluice resume`"),
    (r"GET /v1/dead-letters", "`sluice dead`"),
)


def as_commands(text: str) -> str:
    """`text` with commands in place of the routes that it names, where there is one."""
    for route, command in _SAID:
        text = re.sub(route, command, text)
    return text
