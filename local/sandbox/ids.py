"""Ids that look like any UUID, never change, and can be read back without an index, however large the catalog is."""

from uuid import NAMESPACE_URL, UUID, uuid5


def make(kind: str, number: int, index: int = 0) -> str:
    """The id of thing `index` of product `number`: a UUIDv5 whose last 12 digits are the two numbers."""
    name = uuid5(NAMESPACE_URL, f"sluice-sandbox:{kind}:{number}:{index}").hex
    return str(UUID(f"{name[:20]}{number:08x}{index:04x}"))


def read(kind: str, text: str) -> tuple[int, int] | None:
    """The two numbers in an id of `kind`; None when `make` never gave this one out."""
    try:
        digits = UUID(text).hex
    except ValueError:
        return None
    number, index = int(digits[20:28], 16), int(digits[28:], 16)
    return (number, index) if make(kind, number, index) == text.lower() else None
