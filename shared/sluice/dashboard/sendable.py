"""What every page is sent with, and what is said in place of one that is too large to be sent."""

from typing import Any, Final

from sluice.dashboard import layout, parts
from sluice.dashboard.html import element
from sluice.platform.http import answers
from sluice.platform.http.errors import AnswerTooLarge
from sluice.platform.observe import logger

HTML: Final = "text/html; charset=utf-8"
# Nothing is loaded from elsewhere, nobody frames the pages, forms go nowhere else.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Strict-Transport-Security": "max-age=31536000",
}
TOO_LARGE: Final = element(
    "p", "This has more than the 6 MB that can be sent. Show less of it by a filter, or ask the API for it."
)


def sendable(answer: dict[str, Any]) -> dict[str, Any]:
    """`answer`, as it goes to Lambda, or a page that says that Lambda cannot send it."""
    if answers.fits(answer["body"]):
        return answer
    logger.error("the page is too large to be sent", extra={"bytes": answers.size(answer["body"])})
    return {
        **answer,
        "statusCode": AnswerTooLarge.status,
        "headers": {"Content-Type": HTML, **HEADERS},
        "body": layout.bare("Not possible", TOO_LARGE, element("p", parts.link("To the overview", "/dashboard"))),
        "isBase64Encoded": False,
    }
