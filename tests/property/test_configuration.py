"""Configuration: any document is either valid as a whole, or refused in words."""

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.platform.config.allowances import Allowances
from sluice.platform.config.document import Config, ConfigError, parse
from sluice.platform.config.limits import Limits

names = st.sampled_from(
    [*(field.name for field in fields(Config)), *(field.name for field in fields(Limits)), "stockx"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            names | st.sampled_from(["self", "changes", "limits"]) | st.text(max_size=6), inner, max_size=4
        )
    ),
    max_leaves=12,
)
numbers = [field.name for field in fields(Config) if field.type is int or field.type == "int"]
documents = st.fixed_dictionaries(
    {},
    optional={
        "marketplaces": st.dictionaries(
            st.sampled_from(["stockx"]),
            st.dictionaries(st.sampled_from([*(field.name for field in fields(Limits)), "self"]), values, max_size=4),
            max_size=1,
        ),
        "paused": values,
        "timetables": values | st.dictionaries(st.sampled_from(["promotion.create"]), values, max_size=1),
        **{name: st.integers(-10, 10_000_000) | values for name in numbers},
    },
)


def accepted(text: str) -> Config | None:
    """The configuration, or None when it was refused with a message."""
    try:
        return parse(text)
    except ConfigError as error:
        message = str(error)
    assert len(message) > 10
    return None


@given(values.map(json.dumps) | documents.map(json.dumps))
def test_any_document_is_valid_or_refused_with_a_message(text: str) -> None:
    config = accepted(text)
    if config is not None:
        assert config.batch >= 1
        assert config.lease_ms >= 30_000
        assert all(isinstance(getattr(config, name), int) for name in numbers)
        assert all(limits.pace >= 0 for limits in config.marketplaces.values())


@given(st.text(max_size=40) | st.sampled_from(["[" * 50_000, '{"a":' * 50_000, "9" * 5_000, "NaN", "\ufeff{}", "null"]))
def test_any_text_is_valid_or_refused_with_a_message(text: str) -> None:
    accepted(text)


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_what_is_overridden_is_used_and_the_rest_stays(per_hour: int, freshness: int) -> None:
    config = parse(json.dumps({"marketplaces": {"stockx": {"per_hour": per_hour}}, "freshness_ms": freshness}))
    assert (config.limits("stockx").per_hour, config.freshness_ms) == (per_hour, freshness)
    assert config.limits("stockx").interval_ms == Config().limits("stockx").interval_ms
    assert config.lease_ms == Config().lease_ms


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ({"marketplaces": {"ebuy": {}}}, "ebuy"),
        ({"marketplaces": {"stockx": {"per_minute": 5}}}, "per_minute"),
        ({"marketplaces": {"stockx": {"self": 5}}}, "self"),
        ({"marketplaces": {"stockx": {"rolling_hour": 1}}}, "rolling_hour"),
        ({"lease_ms": 1}, "lease_ms"),
        ({"marketplaces": {"stockx": {"at_once": 5}}}, "at_once"),
        ({"marketplaces": {"ebay-marketing": {"at_once": 0}}}, "at_once"),
        ({"marketplaces": {"ebay-marketing": {"at_once": 51}}}, "at_once"),
        ({"timetables": []}, "timetables"),
        ({"timetables": {"market.refresh": [1]}}, "market.refresh"),
        ({"timetables": {"promotion.create": []}}, "promotion.create"),
        ({"timetables": {"promotion.create": [1] * 21}}, "promotion.create"),
        ({"timetables": {"promotion.create": [True]}}, "promotion.create"),
        ({"timetables": {"promotion.create": [-1]}}, "promotion.create"),
        ({"batch": 0}, "batch"),
        ({"paused": "stockx"}, "paused"),
        ({"reserve_percent": 101}, "reserve_percent"),
        ({"batch": 51}, "batch"),
        ({"lease_ms": 10**40}, "lease_ms"),
        ({"retention_ms": 10**20}, "retention_ms"),
        ({"timetables": {"promotion.create": [10**15]}}, "promotion.create"),
        ({"marketplaces": {"stockx": {"interval_ms": 10**40}}}, "interval_ms"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_refusal_names_the_place(document: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        parse(json.dumps(document))


def test_a_name_that_comes_twice_is_refused_at_any_depth() -> None:
    for text, named in (
        ('{"paused": ["ebay"], "paused": []}', "paused"),
        ('{"marketplaces": {"ebay": {"per_day": 1, "per_day": 2}}}', "per_day"),
    ):
        with pytest.raises(ConfigError, match=f"'{named}' is there twice"):
            parse(text)


def test_a_timetable_is_used_as_it_is_given() -> None:
    config = parse(json.dumps({"timetables": {"promotion.create": [1_000, 0]}}))
    assert config.timetables == {"promotion.create": (1_000, 0)}
    assert [wait // 60_000 for wait in Config().timetables["promotion.create"]] == [1, 2, 4, 8, 10]


@pytest.mark.parametrize(("tolerance", "valid"), [(0, False), (4, False), (5, True)])
def test_a_tolerance_that_no_thread_can_keep_is_refused(tolerance: int, valid: bool) -> None:
    document = json.dumps({"marketplaces": {"stockx": {"tolerance_ms": tolerance}}})
    if valid:
        assert parse(document).limits("stockx").tolerance_ms == tolerance
    else:
        with pytest.raises(ConfigError, match=r"marketplaces\.stockx: tolerance_ms must be at least 5"):
            parse(document)


@pytest.mark.parametrize("name", ["ebay", "ebay-marketing", "stockx:acme", "market.refresh", "market.refresh:ebay"])
def test_marketplaces_services_accounts_and_kinds_can_be_paused(name: str) -> None:
    config = parse(json.dumps({"paused": [name]}))
    assert config.paused == {name}
    assert config.paused_kinds("ebay") == ({"market.refresh"} if "." in name else set())
    assert config.paused_kinds("stockx") == ({"market.refresh"} if name == "market.refresh" else set())


@pytest.mark.parametrize(
    "name", ["stokx", "stockx:", "amazon:acme", "market.refresh:amazon", "refresh", "", 5, None, {}]
)
def test_what_can_not_be_paused_is_refused_with_its_place(name: object) -> None:
    with pytest.raises(ConfigError, match=r"paused\[1\] must be one of stockx, .*market\.refresh"):
        parse(json.dumps({"paused": ["ebay", name]}))


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({"allowances": 7}, "allowances"),
        ({"allowances": {"webhoks": 7}}, "webhoks"),
        ({"allowances": {"webhooks": -1}}, "webhooks"),
        ({"allowances": {"webhooks": True}}, "webhooks"),
        ({"allowances": {"requests_per_minute": 0}}, "requests_per_minute"),
        ({"tenants": []}, "tenants"),
        ({"tenants": {"Acme Inc": {}}}, "Acme Inc"),
        ({"tenants": {"acme": {"pages": "many"}}}, "tenants.acme: pages"),
    ],
)
def test_allowances_that_cannot_be_are_refused_by_name(document: dict[str, Any], place: str) -> None:
    with pytest.raises(ConfigError, match=place):
        parse(json.dumps(document))


@pytest.mark.parametrize(
    ("section", "place"),
    [
        (7, "ebay must be an object"),
        ({"coalesce": 7}, r"ebay\.coalesce"),
        ({"coalesce_seconds": -1}, r"ebay\.coalesce_seconds"),
        ({"coalesce_seconds": True}, r"ebay\.coalesce_seconds"),
        ({"snapshots_kept": 0}, r"ebay\.snapshots_kept"),
    ],
)
def test_what_ebay_listings_cannot_have_is_refused_by_name(section: object, place: str) -> None:
    with pytest.raises(ConfigError, match=place):
        parse(json.dumps({"ebay": section}))


def test_ebay_listings_have_a_section_of_their_own() -> None:
    config = parse(json.dumps({"ebay": {"coalesce_seconds": 60}}))
    assert (config.ebay.coalesce_seconds, config.ebay.price_coalesce_seconds) == (60, 5)


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_tenants_allowances_are_those_of_all_but_where_they_differ(pages: int, webhooks: int) -> None:
    config = parse(json.dumps({"tenants": {"acme": {"webhooks": webhooks}}, "allowances": {"pages": pages}}))
    assert config.allowed("globex").pages == config.allowed("acme").pages == pages
    assert config.allowed("acme").webhooks == webhooks
    assert config.allowed("globex") == Allowances(pages=pages)
