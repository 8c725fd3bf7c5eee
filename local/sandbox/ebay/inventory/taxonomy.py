"""What eBay's categories ask for: Taxonomy API, and the conditions of the Metadata API."""

from dataclasses import dataclass

from local.sandbox.accounts import Accounts
from local.sandbox.call import Answer, Call, Routes
from local.sandbox.ebay.errors import Json
from local.sandbox.ebay.inventory.errors import RefusedError
from local.sandbox.ebay.seller_api import SellerApi
from local.sandbox.limits import Limits

TREES = {"EBAY_US": "0", "EBAY_GB": "3", "EBAY_DE": "77", "EBAY_AU": "15", "EBAY_CA": "2"}


@dataclass(frozen=True)
class Aspect:
    """What a category asks of its items. usage says RECOMMENDED also of what is required, as eBay does."""

    name: str
    required: bool = False
    varies: bool = False
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Leaf:
    """A category that takes items."""

    name: str
    aspects: tuple[Aspect, ...]
    conditions: tuple[str, ...] = ("1000", "1500", "1750", "2990", "3000", "3010")


_SHOES = (
    Aspect("Brand", required=True),
    Aspect("US Shoe Size", required=True, varies=True, values=tuple(f"{n / 2:g}" for n in range(8, 31))),
    Aspect("Color", varies=True),
    Aspect("Style Code"),
    Aspect("Department", required=True, values=("Men", "Women", "Unisex Adults")),
)
LEAVES = {
    "15709": Leaf("Athletic Shoes (men)", _SHOES),
    "95672": Leaf("Athletic Shoes (women)", _SHOES),
    "183454": Leaf("CCG Individual Cards", (Aspect("Game", required=True),), ("2750", "4000")),
    "220": Leaf("Toys", (Aspect("Brand"),), ("1000", "3000")),
}


class Taxonomy(SellerApi):
    """Categories, for applications: their own token is enough."""

    name = "ebay-taxonomy"
    prefixes: tuple[str, ...] = ("/commerce/taxonomy/", "/sell/metadata/")
    refused = RefusedError
    limits = Limits(per_day=5_000, zone="America/Los_Angeles", retry_after=False)
    audience = "ebay"

    def __init__(self, accounts: Accounts) -> None:
        super().__init__(accounts)
        tree = "/commerce/taxonomy/v1/category_tree/{tree}"
        self._routes = Routes(
            ("GET", "/commerce/taxonomy/v1/get_default_category_tree_id", self._tree),
            ("GET", f"{tree}/get_item_aspects_for_category", self._aspects),
            ("GET", "/sell/metadata/v1/marketplace/{site}/get_item_condition_policies", self._conditions),
        )

    def _tree(self, call: Call) -> Answer:
        site = call.query.get("marketplace_id", "")
        if site not in TREES:
            raise RefusedError(62003, 400, text1=site)
        return Answer(200, {"categoryTreeId": TREES[site], "categoryTreeVersion": "134"})

    def _aspects(self, call: Call, tree: str) -> Answer:
        if tree not in TREES.values():
            raise RefusedError(62004, 404, text1=tree)
        leaf = LEAVES.get(call.query.get("category_id", ""))
        if leaf is None:
            raise RefusedError(62009)
        return Answer(200, {"aspects": [_aspect(one) for one in leaf.aspects]})

    def _conditions(self, call: Call, site: str) -> Answer:
        del site
        wanted = call.query.get("filter", "").removeprefix("categoryIds:{").removesuffix("}").split("|")
        rows = [
            {
                "categoryTreeId": "0",
                "categoryId": category,
                "itemConditionRequired": True,
                "itemConditions": [{"conditionId": one, "usage": "RESTRICTED"} for one in LEAVES[category].conditions],
            }
            for category in wanted
            if category in LEAVES
        ]
        return Answer(200, {"itemConditionPolicies": rows})


def _aspect(aspect: Aspect) -> Json:
    return {
        "localizedAspectName": aspect.name,
        "aspectConstraint": {
            "aspectDataType": "STRING",
            "itemToAspectCardinality": "SINGLE",
            "aspectMode": "SELECTION_ONLY" if aspect.name == "Department" else "FREE_TEXT",
            "aspectRequired": aspect.required,
            "aspectUsage": "RECOMMENDED",
            "aspectEnabledForVariations": aspect.varies,
        },
        "aspectValues": [{"localizedValue": value} for value in aspect.values],
    }
