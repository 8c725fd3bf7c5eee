"""The routes that need no token: /health and the pictures."""

import xml.etree.ElementTree as ET

import pytest

from sluice.catalog import images
from sluice.platform.clock import MINUTE
from tests.support.http import call
from tests.unit.api.conftest import Cloud
from tests.unit.api.document import conforms

HEALTH = "GET /health"


def test_health_tells_how_the_scheduler_fares_and_nothing_of_any_tenant(acme: Cloud) -> None:
    acme.enqueue("acme", "DD1391-100")
    acme.healthy(ago=MINUTE)
    answer = call("GET", "/health", tenant=None)
    conforms(HEALTH, answer)
    assert (answer.status, answer.json["status"]) == (200, "ok")
    assert answer.json["ageSeconds"] >= 60
    assert "acme" not in answer.text


def test_health_is_degraded_when_due_work_waits_too_long(cloud: Cloud) -> None:
    cloud.healthy(oldest_due_age=1_801)
    answer = call("GET", "/health", tenant=None)
    assert (answer.status, answer.json["status"]) == (200, "degraded")


@pytest.mark.parametrize("ever", [True, False])
def test_health_is_bad_when_the_scheduler_is_silent(cloud: Cloud, ever: bool) -> None:
    if ever:
        cloud.healthy(ago=6 * MINUTE)
    answer = call("GET", "/health", tenant=None)
    conforms(HEALTH, answer)
    assert (answer.status, answer.json["error"]["code"]) == (503, "scheduler_silent")


def test_health_is_one_read(cloud: Cloud, requests: list[str]) -> None:
    cloud.healthy()
    requests.clear()
    call("GET", "/health", tenant=None)
    assert requests == ["GetItem"]


@pytest.mark.parametrize("name", images.NAMES)
def test_each_picture_is_drawn_and_may_be_kept(cloud: Cloud, name: str) -> None:
    answer = call("GET", f"/v1/images/{name}.svg", tenant=None)
    conforms("GET /v1/images/{name}", answer)
    assert answer.status == 200
    assert answer.headers["Cache-Control"].startswith("public, max-age=")
    assert ET.fromstring(answer.text).attrib["viewBox"] == "0 0 400 300"


@pytest.mark.parametrize("category", ["sneakers", "Trading Cards", "collectibles", "watches", None])
def test_every_category_leads_to_a_picture(cloud: Cloud, category: str | None) -> None:
    assert call("GET", images.fallback(category), tenant=None).status == 200
