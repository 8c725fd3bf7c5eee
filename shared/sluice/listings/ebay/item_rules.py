"""What eBay takes of an item: texts, condition, product, aspects and pictures. Pure. See `rules`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from sluice.listings.ebay import description
from sluice.platform.http.errors import FieldError
from sluice.platform.unicode_text import composed, is_blank

MOST_TITLE: Final = 80
MOST_SUBTITLE: Final = 55
MOST_DESCRIPTION: Final = 500_000
MOST_CONDITION_DESCRIPTION: Final = 1_000
MOST_ASPECT_NAME: Final = 40
MOST_ASPECT_VALUE: Final = 50
MOST_BRAND: Final = 65
MOST_PRODUCT_ID: Final = 65
MOST_IMAGES: Final = 24
MOST_IMAGES_OF_VARIATION: Final = 12
MOST_IMAGE_URL: Final = 500
MOST_VARYING: Final = 5

# Conditions of which eBay drops a description, and says so only in a warning.
UNDESCRIBED: Final = ("NEW", "LIKE_NEW", "NEW_OTHER", "NEW_WITH_DEFECTS")
# eBay Inventory API, `ConditionEnum`.
CONDITIONS: Final = (
    *UNDESCRIBED,
    "CERTIFIED_REFURBISHED",
    "EXCELLENT_REFURBISHED",
    "VERY_GOOD_REFURBISHED",
    "GOOD_REFURBISHED",
    "SELLER_REFURBISHED",
    "USED_EXCELLENT",
    "USED_VERY_GOOD",
    "USED_GOOD",
    "USED_ACCEPTABLE",
    "PRE_OWNED_EXCELLENT",
    "PRE_OWNED_FAIR",
    "FOR_PARTS_OR_NOT_WORKING",
)
PRODUCT_IDS: Final = ("upc", "ean", "isbn")
# eBay keeps its own copies of pictures there.
EBAY_IMAGES: Final = "ebayimg.com"

DIGITS: Final = r"[1-9][0-9]{0,18}"
# Besides the control characters that one thinks of: those that part lines, turn the direction in which all that follows
# is shown, or are no characters at all (Unicode 15, 23.2 and 23.7).
_NO_TEXT: Final = r"\u2028\u2029\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufffe\uffff"
_CONTROL: Final = rf"[\x00-\x1f\x7f-\x9f{_NO_TEXT}]"
# What a description may not hold of them: lines and tabs are usual there.
_CONTROL_IN_HTML: Final = rf"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f{_NO_TEXT}]"

Problems = Iterator[FieldError]
Doc = Mapping[str, Any]


def texts(doc: Doc) -> Problems:
    """Title, subtitle and description."""
    yield from one_line("title", doc["title"], MOST_TITLE)
    if doc.get("subtitle") is not None:
        yield from one_line("subtitle", doc["subtitle"], MOST_SUBTITLE)
    html = doc.get("description")
    if html is None:
        if doc.get("group") is None:
            yield FieldError("description", "is required, but for a member of a group, which shows the group's")
        return
    if is_blank(html):
        yield FieldError("description", "must not be empty")
    elif len(html) > MOST_DESCRIPTION:
        yield FieldError("description", f"must have at most {MOST_DESCRIPTION} characters; it has {len(html)}")
    elif re.search(_CONTROL_IN_HTML, html):
        yield FieldError("description", "must not hold control characters")
    else:
        yield from (FieldError("description", problem) for problem in description.problems(html))


def cleaned(doc: Doc) -> Problems:
    """The description as it is sent: cleaning writes `&` as `&amp;`, and may leave nothing that is seen."""
    html = doc.get("description")
    if html is None:
        return
    if len(html) > MOST_DESCRIPTION:
        yield FieldError(
            "description", f"must have at most {MOST_DESCRIPTION} characters as HTML; as it is sent it has {len(html)}"
        )
    elif not description.shows_something(html):
        yield FieldError("description", "must not be empty: it has neither words nor a picture")


def condition(doc: Doc) -> Problems:
    """The condition, and what is said of it."""
    if doc["condition"] not in CONDITIONS:
        yield FieldError("condition", f"must be one of {', '.join(CONDITIONS)}")
    said = doc.get("conditionDescription")
    if said is None:
        return
    if doc["condition"] in UNDESCRIBED:
        yield FieldError("conditionDescription", f"must be left out for {doc['condition']}: eBay drops it")
    yield from one_line("conditionDescription", said, MOST_CONDITION_DESCRIPTION)


def product(doc: Doc) -> Problems:
    """What the thing is known as."""
    product = doc.get("product") or {}
    for name in ("brand", "mpn"):
        if product.get(name) is not None:
            yield from one_line(f"product.{name}", product[name], MOST_BRAND)
    for name in PRODUCT_IDS:
        for place, value in enumerate(product.get(name) or ()):
            yield from one_line(f"product.{name}[{place}]", value, MOST_PRODUCT_ID)
    if product.get("epid") is not None and not re.fullmatch(DIGITS, product["epid"]):
        yield FieldError("product.epid", "must be eBay's id of a product, in digits")


def aspects(doc: Doc) -> Problems:
    """Names and values of aspects."""
    sent = set[str]()
    for name, values in (doc.get("aspects") or {}).items():
        field = f"aspects.{name[:MOST_ASPECT_NAME]}"
        yield from one_line(field, name, MOST_ASPECT_NAME, "its name ")
        if (as_sent := composed(name)) in sent:
            yield FieldError(field, "is given twice: Unicode can write its name in two ways, and eBay sees one")
        sent.add(as_sent)
        if not values:
            yield FieldError(field, "must have a value, or be left out")
        for place, value in enumerate(values):
            yield from one_line(f"{field}[{place}]", value, MOST_ASPECT_VALUE)


def images(doc: Doc) -> Problems:
    """The pictures."""
    images: Sequence[str] = doc["images"]
    most = MOST_IMAGES_OF_VARIATION if doc.get("group") is not None else MOST_IMAGES
    if not 1 <= len(images) <= most:
        of_variation = " of a member of a group" if most == MOST_IMAGES_OF_VARIATION else ""
        yield FieldError("images", f"must be 1 to {most} pictures{of_variation}; there are {len(images)}")
    seen = dict[str, int]()
    for place, url in enumerate(images[: MOST_IMAGES + 1]):
        if why := _image(url):
            yield FieldError(f"images[{place}]", why)
        if (first := seen.setdefault(url, place)) != place:
            yield FieldError(f"images[{place}]", f"is the picture of images[{first}] too")
    hosted = {f".{_host(url)}".endswith(f".{EBAY_IMAGES}") for url in images}
    if len(hosted) > 1:
        yield FieldError("images", "must all be eBay's copies, or all be your own: eBay takes no mixture")


def _image(url: str) -> str | None:
    if len(url) > MOST_IMAGE_URL:
        return f"must have at most {MOST_IMAGE_URL} characters"
    if not url.startswith("https://") or not _host(url):
        return "must be an https address"
    if re.search(rf"[\s;]|{_CONTROL}", url):
        return "must hold neither blanks (write %20) nor semicolons"
    return None


def _host(url: str) -> str:
    """The host of an address; empty where it is none that eBay can fetch a picture from."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        return "" if parts.port == 0 or parts.username is not None or "" in host.split(".") else host
    except ValueError:
        return ""


def varying(doc: Doc) -> Problems:
    """The aspects in which the members of a group differ."""
    names = [composed(name) for name in doc["variesBy"]]
    in_common = {composed(name) for name in doc.get("aspects") or {}}
    if not 1 <= len(names) <= MOST_VARYING or len(set(names)) != len(names):
        yield FieldError("variesBy", f"must be 1 to {MOST_VARYING} names of aspects, all different")
    for place, name in enumerate(names):
        yield from one_line(f"variesBy[{place}]", name, MOST_ASPECT_NAME)
        if name in in_common:
            yield FieldError(f"aspects.{name}", "must be left out: the members differ in it, each says its own")
    for place, name in enumerate(doc.get("imagesVaryBy") or ()):
        if composed(name) not in names:
            yield FieldError(f"imagesVaryBy[{place}]", "must be one of variesBy")


def one_line(field: str, text: str, most: int, what: str = "") -> Problems:
    """A text of one line, with 1 to `most` characters as they are sent."""
    text = composed(text)
    if is_blank(text):
        yield FieldError(field, f"{what}must not be empty")
    elif len(text) > most:
        yield FieldError(field, f"{what}must have at most {most} characters; it has {len(text)}")
    elif re.search(_CONTROL, text):
        yield FieldError(field, f"{what}must not hold control characters")
