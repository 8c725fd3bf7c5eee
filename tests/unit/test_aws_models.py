"""Our own part of botocore's descriptions says what botocore's own says, of less."""

import json
import re
from itertools import product
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.endpoint_provider import EndpointProvider
from botocore.regions import EndpointResolver
from botocore.useragent import UserAgentComponent

from local.cloud.cloud import ROOT
from sluice.platform import aws

FOLDER = Path(aws.__file__).parent / "aws_models"
MODELS = sorted(FOLDER.glob("*/*/service-2.json"))
# Every service that a function makes a client of.
SERVICES = sorted(
    {
        service
        for path in (ROOT / "shared").rglob("*.py")
        for service in re.findall(r"\bclient\(\"([a-z-]+)\"", path.read_text(encoding="utf-8"))
    }
)
# botocore takes no dual stack there from a description of endpoints.
NO_DUALSTACK = ("us-iso-", "us-isob-")


def same(ours: dict[str, Any], whole: dict[str, Any], name: str, other: str) -> None:
    """The shape `name` of ours is the shape `other` of theirs, as far as it goes."""
    mine, theirs = ours["shapes"][name], whole["shapes"][other]
    assert mine["type"] == theirs["type"]
    for member, shape in mine.get("members", {}).items():
        same(ours, whole, shape["shape"], theirs["members"][member]["shape"])
    if "member" in mine:
        same(ours, whole, mine["member"]["shape"], theirs["member"]["shape"])


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.parts[-3])
def test_a_part_agrees_with_the_whole(path: Path) -> None:
    version, service = path.parts[-2], path.parts[-3]
    ours = json.loads(path.read_text(encoding="utf-8"))
    loader = botocore.session.get_session().get_component("data_loader")
    assert str(FOLDER) not in loader.search_paths
    whole = loader.load_service_model(service, "service-2", version)
    assert ours["metadata"].items() <= whole["metadata"].items()
    assert ours["operations"]
    for name, operation in ours["operations"].items():
        theirs = whole["operations"][name]
        assert operation["http"] == theirs["http"]
        for direction in ("input", "output"):
            same(ours, whole, operation[direction]["shape"], theirs[direction]["shape"])


@pytest.mark.parametrize("service", SERVICES)
def test_every_region_has_the_endpoint_that_botocore_knows(service: str) -> None:
    """Ours has the rule of each partition, and the exceptions of our services alone."""
    loader = botocore.session.get_session().get_component("data_loader")
    ours = EndpointResolver(json.loads((FOLDER / "endpoints.json").read_text(encoding="utf-8")))
    theirs = EndpointProvider(loader.load_service_model(service, "endpoint-rule-set-1"), loader.load_data("partitions"))
    partitions = loader.load_data("endpoints")["partitions"]
    assert set(ours.get_available_partitions()) == {one["partition"] for one in partitions}
    for region, fips, dual in product(
        (name for one in partitions for name in one["regions"]), (False, True), (False, True)
    ):
        if dual and region.startswith(NO_DUALSTACK):
            continue
        expected = theirs.resolve_endpoint(Region=region, UseFIPS=fips, UseDualStack=dual)
        found = ours.construct_endpoint(service, region, use_dualstack_endpoint=dual, use_fips_endpoint=fips)
        assert f"https://{found['hostname']}" == expected.url
        # Who signs for which region follows from the service and the region that it was asked for.
        assert "credentialScope" not in found
        assert found["signatureVersions"] == ["v4"]
        assert "authSchemes" not in expected.properties


def test_our_session_reads_our_endpoints() -> None:
    assert len(SERVICES) > 4
    resolver = aws._session()._get_internal_component("endpoint_resolver")
    assert not resolver.uses_builtin_data


def test_a_request_says_who_we_are_without_parts_put_together_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore's own user agent is made of a dozen parts, twice for each request: a sixth of what a request costs."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    sent: list[Any] = []

    def answer(request: Any, **_: Any) -> AWSResponse:
        sent.append(request)
        return AWSResponse(request.url, 200, {}, Raw())

    class Raw:
        def stream(self) -> list[bytes]:
            return [b"{}"]

    monkeypatch.setattr(UserAgentComponent, "to_string", lambda _: pytest.fail("a part was put together"))
    for once in (False, True):
        client = aws._client.__wrapped__("sqs", once)
        client.meta.events.register("before-send.sqs.SendMessage", answer)
        client.send_message(QueueUrl="https://sqs.us-east-1.amazonaws.com/1/work", MessageBody="x")
    # Powertools, where it is loaded, adds its own.
    assert {request.headers["User-Agent"].decode().split()[0] for request in sent} == {"sluice"}
    assert len(sent) == 2
