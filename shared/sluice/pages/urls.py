"""Addresses of product pages in one normal form, so that one page is one product however its link was copied. Pure."""

import re
from hashlib import sha256
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

from sluice.platform import addresses

MOST_CHARACTERS = 2_000
MOST_HOST = 253
PORTS = {"http": 80, "https": 443}

# Parameters that tell where a visitor came from, and change nothing of what is shown.
_TRACKING = (
    r"utm_\w+|gclid|gclsrc|dclid|gbraid|wbraid|fbclid|msclkid|yclid|ttclid|twclid|li_fat_id|igshid|srsltid|epik"
    r"|mc_[ce]id|_ga|_gl|_hs(enc|mi)|_pos|_sid|_ss|_psq|_fid|pr_(prod_strat|rec_id|rec_pid|ref_pid|seq)"
)
_UNRESERVED = r"%(2[dDeE]|3[0-9]|[46][1-9a-fA-F]|[57][0-9aA]|5[fF]|7[eE])"


class BadUrl(ValueError):  # noqa: N818 - an answer to the caller
    """The address cannot be a product page's; `str()` says why."""


def normal(url: str, *, local: bool) -> str:
    """`url` in its normal form. local: this is a laptop, where the shop may be on it too, at any port.

    Raises:
        BadUrl: it is none that Sluice fetches.
    """
    parts = urlsplit(checked(url, local=local))
    kept = [part for part in parts.query.split("&") if part and not re.fullmatch(_TRACKING, part.partition("=")[0])]
    return urlunsplit(parts._replace(query="&".join(kept)))


def checked(url: str, *, local: bool) -> str:
    """`url` as it is fetched: in its normal form, with every parameter.

    Raises:
        BadUrl: it is none that Sluice fetches.
    """
    if len(url) > MOST_CHARACTERS:
        raise BadUrl(f"must not be longer than {MOST_CHARACTERS} characters; this one has {len(url)}")
    if not url.isprintable() or re.search(r"[\s\\<>\"]", url):
        raise BadUrl("must be one URL, without blanks, quotes, backslashes and control characters")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise BadUrl("is not a URL") from None
    scheme = parts.scheme.lower()
    if scheme not in PORTS:
        raise BadUrl("must begin with https:// or http://")
    if "@" in parts.netloc:
        raise BadUrl("must not hold a user or a password")
    if not host:
        raise BadUrl("must have a host")
    host = _host(host)
    own = local and addresses.is_this_machine(host)
    if not own and port not in (None, *PORTS.values()):
        raise BadUrl(f"must not name port {port}; product pages are at the ports 80 and 443")
    if not own and not (len(host) <= MOST_HOST and addresses.may_be_public(host)):
        raise BadUrl("must have a public host")
    shown = f"[{host}]" if ":" in host else host
    netloc = shown if port in (None, PORTS[scheme]) else f"{shown}:{port}"
    result = urlunsplit((scheme, netloc, _path(parts.path), _encoded(parts.query), ""))
    if len(result) > MOST_CHARACTERS:
        raise BadUrl(f"must not be longer than {MOST_CHARACTERS} characters when percent-encoded")
    return result


# What the key of a product looks like.
PRODUCT_ID = r"[0-9a-f]{32}"


def product_id(normal_url: str) -> str:
    """The key of the product at a URL in normal form: the same for all who track it."""
    return sha256(normal_url.encode()).hexdigest()[:32]


def host(normal_url: str) -> str:
    """The host of a URL, which its requests are paced by."""
    return urlsplit(normal_url).hostname or ""


def origin(normal_url: str) -> str:
    """Scheme, host and port."""
    parts = urlsplit(normal_url)
    return f"{parts.scheme}://{parts.netloc}"


def redirected(before: str, location: str, *, local: bool) -> str:
    """Where an answer of `before` sends to. Its parameters stay: a shop that adds one would send there again and again.

    Raises:
        BadUrl: it sends to where Sluice does not go; from https to http for one.
    """
    try:
        target = urljoin(before, location.strip())
    except ValueError:
        raise BadUrl("is not a URL") from None
    result = checked(target, local=local)
    if urlsplit(before).scheme == "https" and urlsplit(result).scheme == "http":
        raise BadUrl("leads from https to http")
    return result


def canonical(page_url: str, link: str, *, local: bool) -> str | None:
    """The canonical link of a page in normal form; None where it is none, or on another host."""
    try:
        found = normal(urljoin(page_url, link.strip()), local=local)
    except ValueError:
        return None
    return found if _bare(host(found)) == _bare(host(page_url)) else None


def handle(normal_url: str) -> SplitResult:
    """The parts of a URL in normal form."""
    return urlsplit(normal_url)


def _bare(name: str) -> str:
    return name.removeprefix("www.")


def _host(name: str) -> str:
    """The host in lower case, ASCII."""
    if name.endswith("."):
        raise BadUrl("must have a host without a dot at its end")
    if name.isascii():
        return name.lower()
    try:
        return name.encode("idna").decode()
    except UnicodeError:
        raise BadUrl("must have a host that is a name") from None


def _path(path: str) -> str:
    clean = _encoded(path) or "/"
    segments = list[str]()
    for segment in clean.split("/")[1:]:
        if segment == "..":
            segments = segments[:-1]
        elif segment != ".":
            segments.append(segment)
    if clean.endswith(("/.", "/..")):
        segments.append("")
    return "/" + "/".join(segments)


def _encoded(text: str) -> str:
    """Percent-encoded as RFC 3986 has it: what needs no escape has none, hexadecimal digits are upper case."""
    text = re.sub(r"[^\x21-\x7e]", lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), text)
    text = re.sub(r"%(?![0-9a-fA-F]{2})", "%25", text)
    text = re.sub(_UNRESERVED, lambda found: chr(int(found[1], 16)), text)
    return re.sub(r"%[0-9a-fA-F]{2}", lambda found: found[0].upper(), text)
