"""What the routes of groups take: names and types. What eBay allows in them is in `rules`."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from sluice.listings.ebay.bodies import SITES, STATES, STATUSES
from sluice.listings.ebay.item_rules import MOST_SUBTITLE, MOST_TITLE, MOST_VARYING
from sluice.platform.http.models import Body, Example, OneOf, PageQuery

_STATUS = "of the one listing: `paused` shows no stock of any member, `ended` takes it down"


class GroupBody(Body):
    """How a group is to be: all of it. What is left out is not kept from before. Its members are records of their own,
    which name it."""

    example: ClassVar[Example] = {
        "marketplace": "EBAY_US",
        "language": "en-US",
        "title": "Nike Dunk Low Panda",
        "description": "<p>New, with box.</p>",
        "images": ["https://img.example.com/1.jpg"],
        "variesBy": ["US Shoe Size"],
    }

    key: str | None = Field(None, description="as the path has it")
    marketplace: str
    language: str
    title: str = Field(description=f"at most {MOST_TITLE} characters")
    description: str = Field(description="HTML of a plain kind; that of all members")
    images: list[str]
    varies_by: list[str] = Field(
        description=f"up to {MOST_VARYING} names of aspects in which the members differ, as their records spell them"
    )
    images_vary_by: list[str] | None = Field(None, description="those of `variesBy` by which the picture changes")
    subtitle: str | None = Field(None, description=f"at most {MOST_SUBTITLE} characters")
    aspects: dict[str, list[str]] | None = Field(None, description="what all members have in common")
    status: Annotated[str, OneOf(STATUSES)] | None = Field(None, description=_STATUS)

    def document(self, key: str) -> dict[str, Any]:
        """The same as a document, of the group called `key`."""
        return {**self.model_dump(by_alias=True, exclude_none=True), "key": key}


class GroupEdit(Body):
    """What is to change (JSON Merge Patch): null takes a field away, an object changes what it names."""

    example: ClassVar[Example] = {"title": "Nike Dunk Low Panda, all sizes"}

    marketplace: str | None = None
    language: str | None = None
    title: str | None = None
    description: str | None = None
    images: list[str] | None = None
    varies_by: list[str] | None = None
    images_vary_by: list[str] | None = None
    subtitle: str | None = None
    aspects: dict[str, list[str] | None] | None = None
    status: Annotated[str, OneOf(STATUSES)] | None = Field(None, description=_STATUS)

    def changes(self) -> dict[str, Any]:
        """What was said, nulls too."""
        return self.model_dump(by_alias=True, exclude_unset=True)


class GroupsQuery(PageQuery):
    """Which groups to list. All filters must match."""

    state: Annotated[str, OneOf(STATES)] | None = None
    status: Annotated[str, OneOf(STATUSES)] | None = None
    marketplace: Annotated[str, OneOf(SITES)] | None = None


class GroupDryRunBody(Body):
    """The group that would be put; left out, the one that is stored."""

    example: ClassVar[Example] = {}

    record: GroupBody | None = None
