"""Requests of every kind that the document describes, and of many kinds that it does not: schemathesis makes them.

Whatever comes, the answer is one that the document knows, and never a fault of ours. The requests are the same in each
run of the suite: a failure there is found again by running the same test.
"""

import os
import sys
from functools import cache
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import openapi
from schemathesis.generation import GenerationMode
from schemathesis.generation.case import Case
from schemathesis.specs.openapi.schemas import OpenApiSchema

from sluice.platform import aws
from tests.conftest import RANDOM
from tests.support.http import Answer, route_functions
from tests.support.wsgi import NOWHERE, Gateway
from tests.unit.api.conftest import Cloud
from tests.unit.api.document import conforms, document
from tests.unit.api.test_tenants import ATTEMPTS, IDS, PUBLIC, own

# Of each route and kind. Drawing them takes longer than answering, so that the suite tries some, and `make explore`
# more, and others each time.
EXAMPLES = int(os.environ.get("SLUICE_EXAMPLES", "25")) // 5
KINDS = {"as described": GenerationMode.POSITIVE, "not as described": GenerationMode.NEGATIVE}
# A public route takes nothing but ids, and there is no id that the document does not allow.
TRIED = [
    (key, kind) for key in sorted(route_functions()) for kind in KINDS if kind == "as described" or key not in PUBLIC
]


def test_every_route_is_tried(capsys: pytest.CaptureFixture[str]) -> None:
    routes = {key for key, _ in TRIED}
    with capsys.disabled():
        sys.stdout.write(f"\n{len(routes)} routes, {len(TRIED) * EXAMPLES} requests that schemathesis makes\n")
    assert routes == set(route_functions())


@cache
def schema() -> OpenApiSchema:
    return openapi.from_dict(document())


@pytest.fixture
def shop(acme: Cloud, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """`acme` has one of everything, so that ids of things that there are can be tried too."""
    monkeypatch.setattr(aws, "decrypt", lambda secret, context: secret.decode())
    own(acme)
    acme.healthy()
    acme.price("ACME-ONLY")
    return acme


def ask(case: Case[Any]) -> Answer:
    """What the API answers to `case`."""
    response = case.call(app=Gateway())
    headers = {name.title(): values[0] for name, values in response.headers.items()}
    return Answer(response.status_code, headers, response.text)


@pytest.mark.hypothesis
@pytest.mark.parametrize(("key", "kind"), TRIED)
def test_no_request_is_a_fault_and_each_answer_is_one_that_the_document_knows(shop: Cloud, key: str, kind: str) -> None:
    method, _, path = key.partition(" ")
    ids = {name: quote(value, safe="") for name, value in (IDS | {"name": "sneakers.svg"}).items()}
    good = ATTEMPTS.get(key, ({}, 200))[0].get("body")

    @settings(
        max_examples=EXAMPLES,
        derandomize=not RANDOM,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    @given(schema()[path][method].as_strategy(KINDS[kind]), st.booleans(), st.booleans())
    def run(case: Case[Any], known: bool, plain: bool) -> None:
        if known:
            case.path_parameters.update({name: ids[name] for name in case.path_parameters if name in ids})
        if plain and good is not None and kind == "not as described":
            case.body = good
        answer = ask(case)
        if answer.text == NOWHERE:
            return  # an id that is no part of a path: the gateway answers by itself
        assert answer.status < 500
        conforms(key, answer)
        if answer.status >= 400:
            assert answer.json["error"]["message"]
            assert answer.json["requestId"]

    run()
