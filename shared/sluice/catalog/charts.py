"""Size charts: which variant of a product a size is. Pure.

A youth's size is the small end of men's (`5Y` is 5 in `us`), so its canonical name is in `us`, and `us-y` is another
name that only youths' sizes have.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sluice.marketplaces import sizes
from sluice.marketplaces.sizes import AMERICAN, OWN, OWN_US, UNNAMED, Size, listed, order


class ChartVariant(NamedTuple):
    """One size of a product. `size`, `size_system`: its canonical name; `sizes`: its name in each size system."""

    variant_id: str
    size: str
    size_system: str
    sizes: dict[str, str]


# What a size of these systems is not called, whatever a marketplace's conversions say: women's `5W` is no youth's shoe,
# and a child's 9 is no man's.
_NOT_NAMED = {"us-y": ("us-w",), "us-c": ("us", "us-w")}


_LARGEST_OF_YOUTHS, _FEWEST_OF_YOUTHS = "7", 3


class NoVariant(Exception):  # noqa: N818 - an answer to the caller
    """The size cannot be priced, now or ever.

    field: what is wrong with the request (`sku`, `size`, `sizeSystem`). code: a word for machines: `product_unknown`,
    `product_ambiguous`, `size_unknown`, `size_ambiguous`, `size_system_unknown`.
    """

    def __init__(self, field: str, code: str, message: str) -> None:
        super().__init__(message)
        self.field, self.code, self.message = field, code, message


def uncharted(size: str, size_system: str) -> ChartVariant:
    """A size of a marketplace without size charts (its `lookup_calls` is 0): it is its own name, `us:10`."""
    return in_normal_form(f"{size_system}:{size}", size_system, {size_system: size})


def in_normal_form(variant_id: str, size_system: str, labels: Mapping[str, str]) -> ChartVariant:
    """A variant from labels of an older spelling: `{"us": "5Y"}` in `us` is 5 in `us-y`."""
    names = sizes.names(labels.items())
    try:
        own = sizes.read(labels.get(size_system, ""), size_system)
    except ValueError:
        own = Size("", size_system)
    for named in _NOT_NAMED.keys() & names.keys():
        for system in _NOT_NAMED[named]:
            names.pop(system, None)
    if own.system == "us-y":
        own, names = Size(own.name, "us"), {**names, "us": own.name}
    return ChartVariant(variant_id, own.name, own.system, names)


def of_older_spelling(rows: Iterable[tuple[str, str, dict[str, str]]]) -> list[ChartVariant]:
    """A chart that was stored before letters were read: a youths' chart is one of men's sizes that ends at 7."""
    chart = [in_normal_form(*row) for row in rows]
    men = [order(one.size) for one in chart if one.size_system == "us"]
    if len(men) < _FEWEST_OF_YOUTHS or len(men) < len(chart) or max(men) > order(_LARGEST_OF_YOUTHS):
        return chart
    return [in_normal_form(one.variant_id, "us", {**one.sizes, "us-y": one.size}) for one in chart]


def find(chart: Sequence[ChartVariant], size: Size) -> ChartVariant | None:
    """The variant that is called `size`; None if there is none.

    Raises:
        NoVariant: several are.
    """
    found = {one.variant_id: one for one in chart if is_called(one, size)}
    if len(found) > 1:
        names = listed(f"{one.size} in {one.size_system}" for one in found.values())
        raise NoVariant("size", "size_ambiguous", f"size {size.shown} may be {names}; name one of them")
    return next(iter(found.values()), None)


def offered(chart: Sequence[ChartVariant], size: Size) -> str:
    """What sizes there are, for whoever has asked for `size` in vain: in its system, else in the product's own."""
    asked = [one.sizes[size.system] for one in chart if size.system in one.sizes]
    if asked:
        return f"it has {listed(asked)}"
    there = "; ".join(f"{listed(names)} in {system}" for system, names in _by_system(chart).items()) or "none"
    return f"it has {there}" if size.system in UNNAMED else f"it has no sizes in {size.system}; there are {there}"


def is_called(variant: ChartVariant, size: Size) -> bool:
    """Whether the variant is the one called `size`."""
    if size.system == OWN_US and variant.size_system not in AMERICAN:
        return variant.sizes.get("us") == size.name
    if size.system in (OWN, OWN_US):
        return variant.size == size.name
    return variant.sizes.get(size.system) == size.name


def _by_system(chart: Iterable[ChartVariant]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in chart:
        if one.size:
            found.setdefault(one.size_system, []).append(one.size)
    return found
