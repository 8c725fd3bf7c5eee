"""SKUs and sizes in one spelling, so that one price has one name. Pure."""

import re
from collections.abc import Iterable, Mapping

MOST_SKU_CHARACTERS = 64
MOST_SIZE_CHARACTERS = 16
# What a product without sizes is asked for by.
ONE_SIZE = "ONE SIZE"

# Style ids of sneakers, cards and collectibles are letters, digits and few marks.
_SKU = r"[A-Z0-9][A-Z0-9.+/&'#:()-]*"
_LABELLED = r"\d+(\.\d+)?[CKWY]"
_SIZE = r"[A-Z0-9][A-Z0-9 ./+-]*"


def normal_sku(text: str) -> str:
    """`text` as Sluice writes a SKU: upper case, blanks and underscores as one hyphen (`dd1391 100` → `DD1391-100`).

    Raises:
        ValueError: it cannot be a SKU; says why.
    """
    sku = re.sub(r"[ _-]+", "-", text.strip(" ").upper())
    if not sku:
        raise ValueError("must not be empty")
    if len(sku) > MOST_SKU_CHARACTERS:
        raise ValueError(f"must have at most {MOST_SKU_CHARACTERS} characters, not {len(sku)}")
    if not re.fullmatch(_SKU, sku):
        raise ValueError(
            "may hold letters, digits, blanks and . + / & ' # : ( ) - only, and begins with a letter or digit"
        )
    return sku


def styles(field: str) -> set[str]:
    """The styles that a marketplace's field names, in one spelling.

    A shoe that was released twice has several in one field, `315115-112/DD8959-100`: each of them is its style.
    """
    return {normal_style(style) for style in (field, *field.split("/"))}


def normal_style(text: str) -> str:
    """A style in one spelling: `dd1391 100` and `DD1391_100` are `DD1391-100`."""
    return re.sub(r"[\s_-]+", "-", text.strip()).upper()


def normal_size(text: str) -> str:
    """`text` as Sluice writes a size: upper case, no trailing `.0` (`10.0` → `10`, `5y` → `5Y`).

    Raises:
        ValueError: it cannot be a size; says why.
    """
    size = re.sub(r" +", " ", text.strip(" ").upper())
    size = re.sub(r"^(\d+)\.0+(?=\D|$)", r"\1", size)
    if not size:
        raise ValueError("must not be empty")
    if len(size) > MOST_SIZE_CHARACTERS:
        raise ValueError(f"must have at most {MOST_SIZE_CHARACTERS} characters, not {len(size)}")
    if not re.fullmatch(_SIZE, size):
        raise ValueError("may hold letters, digits, blanks and . / + - only, and begins with a letter or digit")
    return size


def listed(sizes: Iterable[str], most: int = 12) -> str:
    """A short list of sizes for a message."""
    names = list(sizes)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def same_size(sizes: Mapping[str, str], size: str, size_system: str) -> bool:
    """Whether a variant with these `sizes` (by size system) is the one called `size` in `size_system`.

    The letter behind a youth's, women's or child's size (`5Y`, `8W`, `9C`) is a label: a product comes in one of them,
    and marketplaces write it or leave it out.
    """
    own = sizes.get(size_system)
    return own is not None and _plain(own) == _plain(size)


def _plain(size: str) -> str:
    return size[:-1] if re.fullmatch(_LABELLED, size) else size
