"""Configuration: any document is either valid as a whole, or refused in words."""

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.platform.config.document import MOVED, Config, ConfigError, parse
from sluice.platform.config.document import SECTIONS as NAMES
from sluice.platform.config.ebay import Ebay
from sluice.platform.config.engine import Engine
from sluice.platform.config.limits import CallWindow, Limits
from sluice.platform.config.listings import Listings
from sluice.platform.config.pages import Pages
from sluice.platform.config.prices import Prices
from sluice.platform.config.promotions import Promotions
from sluice.platform.config.tenants import Allowances

SECTIONS = {
    "engine": Engine,
    "prices": Prices,
    "listings": Listings,
    "promotions": Promotions,
    "pages": Pages,
    "ebay": Ebay,
}
names = st.sampled_from(
    [*(one.name for kind in (Config, Limits, *SECTIONS.values()) for one in fields(kind)), *MOVED, "stockx"]
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
numbers = [(name, one.name) for name, kind in SECTIONS.items() for one in fields(kind) if one.type in (int, "int")]
documents = st.fixed_dictionaries(
    {},
    optional={
        "limits": st.dictionaries(
            st.sampled_from(["stockx"]),
            st.dictionaries(st.sampled_from([*(field.name for field in fields(Limits)), "self"]), values, max_size=4),
            max_size=1,
        ),
        "engine": st.fixed_dictionaries(
            {},
            optional={
                "timetables": values | st.dictionaries(st.sampled_from(["promotion.create"]), values, max_size=1),
                **{one: st.integers(-10, 10_000_000) | values for name, one in numbers if name == "engine"},
            },
        ),
        **{
            section: st.dictionaries(
                st.sampled_from([one for name, one in numbers if name == section]),
                st.integers(-10, 10_000_000) | values,
                max_size=3,
            )
            for section in SECTIONS
            if section != "engine"
        },
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
        assert config.engine.batch >= 1
        assert config.engine.lease_ms >= 30_000
        assert all(isinstance(getattr(getattr(config, name), one), int) for name, one in numbers)
        assert all(limits.pace >= 0 for limits in config.limits.values())


@given(st.text(max_size=40) | st.sampled_from(["[" * 50_000, '{"a":' * 50_000, "9" * 5_000, "NaN", "\ufeff{}", "null"]))
def test_any_text_is_valid_or_refused_with_a_message(text: str) -> None:
    accepted(text)


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_what_is_overridden_is_used_and_the_rest_stays(per_hour: int, freshness: int) -> None:
    config = parse(
        json.dumps(
            {
                "limits": {"stockx": {"windows": [{"calls": per_hour, "per": "hour"}]}},
                "prices": {"freshness_ms": freshness},
            }
        )
    )
    assert (config.limits["stockx"].per_hour, config.prices.freshness_ms) == (per_hour, freshness)
    assert config.limits["stockx"].interval_ms == Config().limits["stockx"].interval_ms
    assert config.engine.lease_ms == Config().engine.lease_ms


STOCKX_DAY = {"calls": 25_000, "per": "day", "zone": "UTC"}


@pytest.mark.parametrize(
    ("old", "written"),
    [
        ({"per_hour": 200}, [STOCKX_DAY, {"calls": 200, "per": "hour", "zone": "UTC"}]),
        ({"per_hour": 0}, [STOCKX_DAY]),
        ({"per_hour": 7, "per_day": 90}, [{"calls": 7, "per": "hour"}, {"calls": 90, "per": "day"}]),
        (
            {"rolling_hour": 60, "interval_ms": 0},
            [{"calls": 100, "per": "hour"}, STOCKX_DAY, {"calls": 60, "seconds": 3_600}],
        ),
    ],
)
def test_the_names_of_before_are_refused_with_what_to_write_and_read_where_they_are_stored(
    old: dict[str, int], written: list[dict[str, object]]
) -> None:
    text = json.dumps({"limits": {"stockx": old}})
    with pytest.raises(ConfigError, match="are windows now") as refused:
        parse(text)
    assert all(name in str(refused.value) for name in old if name != "interval_ms")
    told = json.loads(str(refused.value).partition('"windows": ')[2])
    rest = {name: value for name, value in old.items() if name == "interval_ms"}
    wanted = parse(json.dumps({"limits": {"stockx": {"windows": written, **rest}}}))
    assert parse(json.dumps({"limits": {"stockx": {"windows": told, **rest}}})) == wanted
    # A deployment that was configured before goes on as it was.
    assert parse(text, stored=True) == wanted


def test_windows_may_roll_or_follow_the_marketplaces_clock() -> None:
    windows = [{"calls": 200, "seconds": 10}, {"calls": 9, "per": "hour"}, {"calls": 50, "per": "day"}]
    found = parse(json.dumps({"limits": {"ebay": {"windows": windows}}})).limits["ebay"]
    pacific = "America/Los_Angeles"
    assert found.windows == (
        CallWindow(200, seconds=10),
        CallWindow(9, per="hour", zone=pacific),
        CallWindow(50, per="day", zone=pacific),
    )
    assert (found.per_hour, found.per_day, found.rolling) == (9, 50, found.windows[:1])
    assert parse('{"limits": {"ebay": {"windows": []}}}').limits["ebay"].windows == ()


@pytest.mark.parametrize(
    ("windows", "named"),
    [
        ({}, "windows must be a list"),
        ([7], "windows[0] must have calls"),
        ([{"calls": 1, "seconds": 10}, {"seconds": 10}], "windows[1] must have calls"),
        ([{"calls": 1, "seconds": 10, "per": "hour"}], "windows[0]: a window has either"),
        ([{"calls": 1}], "windows[0]: a window has either"),
        ([{"calls": 0, "seconds": 10}], "windows[0]: calls"),
        ([{"calls": 1.5, "seconds": 10}], "windows[0]: calls"),
        ([{"calls": 1, "seconds": 0.5}], "windows[0]: seconds"),
        ([{"calls": 1, "seconds": 40 * 86_400}], "windows[0]: seconds"),
        ([{"calls": 1, "per": "week"}], "windows[0]: per"),
        ([{"calls": 1, "per": ["day"]}], "windows[0]: per"),
        ([{"calls": 1, "per": "day", "zone": "Europe/Berlin"}], "windows[0]: zone"),
        ([{"calls": 1, "per": "day", "zone": "America/Los_Angeles"}], 'write "zone": "UTC"'),
        ([{"calls": 1, "seconds": 10, "zone": "UTC"}], 'rolls, and has no "zone"'),
        ([{"calls": 1, "seconds": one} for one in range(1, 10)], "8 are the most"),
        ([{"calls": 1, "secs": 10}], "windows[0] must have calls"),
    ],
)
def test_a_window_that_cannot_be_is_refused_with_its_place(windows: object, named: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(named)) as refused:
        parse(json.dumps({"limits": {"stockx": {"windows": windows}}}))
    assert str(refused.value).startswith("limits.stockx")


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ({"limits": {"ebuy": {}}}, "ebuy"),
        ({"limits": {"stockx": {"per_minute": 5}}}, "per_minute"),
        ({"limits": {"stockx": {"self": 5}}}, "self"),
        ({"limits": {"stockx": {"rolling_hour": 1}}}, "rolling_hour"),
        ({"engine": {"lease_ms": 1}}, "lease_ms"),
        ({"limits": {"stockx": {"at_once": 5}}}, "at_once"),
        ({"limits": {"ebay-marketing": {"at_once": 0}}}, "at_once"),
        ({"limits": {"ebay-marketing": {"at_once": 51}}}, "at_once"),
        ({"engine": {"timetables": []}}, "timetables"),
        ({"engine": {"timetables": {"market.refresh": [1]}}}, "market.refresh"),
        ({"engine": {"timetables": {"promotion.create": []}}}, "promotion.create"),
        ({"engine": {"timetables": {"promotion.create": [1] * 21}}}, "promotion.create"),
        ({"engine": {"timetables": {"promotion.create": [True]}}}, "promotion.create"),
        ({"engine": {"timetables": {"promotion.create": [-1]}}}, "promotion.create"),
        ({"engine": {"batch": 0}}, "batch"),
        ({"engine": {"paused": ["stockx"]}}, "v1/operator/pauses"),
        ({"paused": ["stockx"]}, "v1/operator/pauses"),
        ({"pauses": {}}, "v1/operator/pauses"),
        ({"engine": {"reserve_percent": 101}}, "reserve_percent"),
        ({"engine": {"batch": 51}}, "batch"),
        ({"engine": {"lease_ms": 10**40}}, "lease_ms"),
        ({"engine": {"retention_ms": 10**20}}, "retention_ms"),
        ({"engine": {"timetables": {"promotion.create": [10**15]}}}, "promotion.create"),
        ({"limits": {"stockx": {"interval_ms": 10**40}}}, "interval_ms"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_refusal_names_the_place(document: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        parse(json.dumps(document))


def test_a_name_that_comes_twice_is_refused_at_any_depth() -> None:
    for text, named in (
        ('{"engine": {"batch": 5, "batch": 6}}', "batch"),
        ('{"limits": {"ebay": {"burst": 1, "burst": 2}}}', "burst"),
    ):
        with pytest.raises(ConfigError, match=f"'{named}' is given twice"):
            parse(text)


def test_a_timetable_is_used_as_it_is_given() -> None:
    config = parse(json.dumps({"engine": {"timetables": {"promotion.create": [1_000, 0]}}}))
    assert config.engine.timetables == {"promotion.create": (1_000, 0)}
    assert [wait // 60_000 for wait in Config().engine.timetables["promotion.create"]] == [1, 2, 4, 8, 10]


@pytest.mark.parametrize(("tolerance", "valid"), [(0, False), (4, False), (5, True)])
def test_a_tolerance_that_no_thread_can_keep_is_refused(tolerance: int, valid: bool) -> None:
    document = json.dumps({"limits": {"stockx": {"tolerance_ms": tolerance}}})
    if valid:
        assert parse(document).limits["stockx"].tolerance_ms == tolerance
    else:
        with pytest.raises(ConfigError, match=r"limits\.stockx: tolerance_ms must be at least 5"):
            parse(document)


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({"tenants": {"allowances": 7}}, "allowances"),
        ({"tenants": {"allowances": {"webhoks": 7}}}, "webhoks"),
        ({"tenants": {"allowances": {"webhooks": -1}}}, "webhooks"),
        ({"tenants": {"allowances": {"webhooks": True}}}, "webhooks"),
        ({"tenants": {"allowances": {"requests_per_minute": 0}}}, "requests_per_minute"),
        ({"tenants": []}, "tenants"),
        ({"tenants": {"overrides": {"Acme Inc": {}}}}, "Acme Inc"),
        ({"tenants": {"overrides": {"acme": {"pages": "many"}}}}, r"tenants\.overrides\.acme\.pages"),
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
    config = parse(
        json.dumps({"tenants": {"overrides": {"acme": {"webhooks": webhooks}}, "allowances": {"pages": pages}}})
    )
    assert config.tenants.allowed("globex").pages == config.tenants.allowed("acme").pages == pages
    assert config.tenants.allowed("acme").webhooks == webhooks
    assert config.tenants.allowed("globex") == Allowances(pages=pages)


@pytest.mark.parametrize("name", MOVED)
def test_a_name_from_before_the_sections_is_refused_with_the_name_that_it_has_now(name: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse(json.dumps({name: 1}))
    there = str(refused.value).split(" is called ")[1].split("'")[1]
    section, _, inner = there.partition(".")
    known = {one.name for one in fields(SECTIONS[section])} if section in SECTIONS else {"", "allowances"}
    assert inner in known
    assert section in NAMES


def test_the_allowances_of_one_tenant_in_their_old_place_are_refused_with_the_new_one() -> None:
    with pytest.raises(ConfigError, match=r"stand in tenants\.overrides\.acme"):
        parse(json.dumps({"tenants": {"acme": {"pages": 1}}}))


@pytest.mark.parametrize(("section", "name"), numbers)
def test_every_number_has_bounds_that_its_default_keeps_and_that_hold(section: str, name: str) -> None:
    default = getattr(getattr(Config(), section), name)
    assert getattr(getattr(parse(json.dumps({section: {name: default}})), section), name) == default
    for beyond in (-1, 10**12, True, 1.0, "1", None):
        with pytest.raises(ConfigError, match=f"{section}\\.{name} must be a whole number from "):
            parse(json.dumps({section: {name: beyond}}))


def test_the_page_about_the_configuration_names_every_section_and_number() -> None:
    told = re.split(r"^### ", (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(), flags=re.MULTILINE)
    sections = {part.split("`")[1]: part for part in told[1:]}
    assert sections.keys() == set(NAMES)
    for section in ("engine", "prices", "listings", "promotions", "ebay"):
        named = {f"`{one.name}`" for one in fields(SECTIONS[section])}
        assert not {name for name in named if name not in sections[section]}, section
    assert not {one.name for one in fields(Allowances) if f"`{one.name}`" not in sections["tenants"]}


def test_every_example_in_the_pages_is_a_valid_configuration() -> None:
    docs, found = Path(__file__).parents[2] / "docs", list[str]()
    for page in ("configuration.md", "deploy.md"):
        found += re.findall(r"[`'](\{\".*\})[`']", (docs / page).read_text())
    assert len(found) >= 4
    for example in found:
        assert parse(example) != Config()
