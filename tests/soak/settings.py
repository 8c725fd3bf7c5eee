"""Operators change the configuration, go back to what it was, and some write past the API what is no configuration."""

import json
from collections.abc import Iterator
from typing import Any, Final

from tests.soak.town import BASE, TENANTS, Trade

PATH: Final = "/v1/operator/configuration"
# What may be set besides what always is. No limit is above the marketplace's own.
CHANGES: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"engine": {"batch": 3}},
    {"engine": {"batch": 10, "horizon_ms": 20_000, "reserve_percent": 50}},
    {"engine": {"hand_over_ms": 60_000, "age_limit_ms": 300_000, "poll_batch": 4}},
    {"limits": {"stockx": {"interval_ms": 1_700}}},
    {"limits": {"alias": {"interval_ms": 2_500, "windows": [{"calls": 60, "per": "hour"}]}}},
    {"ebay": {"coalesce_seconds": 5}},
)
# What somebody has written by hand, with `aws ssm`.
NONE: Final = ("{", '{"engine": {"batch": 0}}', "[]", '{"nothing": 1}')


class Settings(Trade):
    """One document for all; who changes it says of which version."""

    def act(self) -> None:
        match self._chance.randint(0, 5):
            case 0:
                self._town.parameter.at = self._town.clock.time
                self._town.parameter.put(self._chance.choice(NONE))
            case 1:
                known = self._version()
                self._send(f"{PATH}/revert", {"version": known, "to": self._chance.randint(1, known)})
            case _:
                self._change(self._chance.choice(CHANGES))

    def _change(self, more: dict[str, Any]) -> int:
        return self._send(PATH, {"version": self._version(), "document": {**BASE, **more}}, method="PUT")

    def _version(self) -> int:
        return int(self._town.ask("GET", PATH, tenant=TENANTS[0], roles="platform").json["version"])

    def _send(self, path: str, body: dict[str, Any], method: str = "POST") -> int:
        """Of two that change the same version one is refused, and so is who goes back to what is no configuration."""
        answer = self._town.ask(method, path, body, tenant=TENANTS[0], roles="platform")
        assert answer.status in (200, 400, 409, 422), answer.text
        return answer.status

    def mend(self) -> None:
        for _ in range(20):
            if self._change({}) == 200:
                return
        raise AssertionError("the configuration could not be put back in twenty tries")

    def wrong(self) -> Iterator[str]:
        shown = self._town.ask("GET", PATH, tenant=TENANTS[0], roles="platform").json
        newest = self._town.parameter.versions[-1]
        number, text = newest["Version"], newest["Value"]
        if (shown["version"], shown["document"], shown["refused"]) != (number, json.loads(text), None):
            yield f"the configuration is {text}, version {number}, and is told as {shown}"
        if json.loads(text) != BASE:
            yield f"the configuration was put back, and is {text}"
