"""eBay's error and warning ids about listings: the HTTP status and the words that each has."""

from collections.abc import Mapping

from local.sandbox.ebay.errors import ApiError, Json

ERRORS: Mapping[int, tuple[int, str]] = {
    1001: (401, "Invalid access token"),
    1100: (403, "Insufficient permissions to fulfill the request."),
    2001: (429, "The request limit has been reached for the resource."),
    2002: (404, "Resource not found"),
    20401: (400, "Missing field {{fieldName}}"),
    20404: (404, "{{fieldName}} not found"),
    25001: (500, "Core Inventory Service internal error"),
    25002: (400, "A user error has occurred. {{text1}}"),
    25003: (400, "Invalid price. {{text1}}"),
    25004: (400, "Invalid quantity. {{text1}}"),
    25005: (400, "Invalid category. {{text1}}"),
    25007: (400, "Invalid fulfillment policy. {{text1}}"),
    25008: (400, "Invalid payment policy. {{text1}}"),
    25009: (400, "Invalid return policy. {{text1}}"),
    25012: (400, "Invalid location. {{text1}}"),
    25014: (400, "Invalid pictures. {{text1}}"),
    25015: (400, "Invalid picture URL. {{text1}}"),
    25016: (400, "The value of field {{text1}} is invalid."),
    25017: (400, "The field {{text1}} is missing."),
    25019: (400, "Cannot revise listing. {{text1}}"),
    25025: (500, "Concurrent access of the same Inventory or Inventory Item Group object is not allowed."),
    25026: (400, "Your selling limit is exceeded. {{text1}}"),
    25604: (400, "Input error. {{text1}}"),
    25701: (400, "The provided SKUs are not found. {{text1}}"),
    25702: (404, "{{text1}} could not be found or is not available in the system."),
    25704: (400, "SKU {{text1}} is published alone and cannot join a group."),
    25705: (404, "Inventory item group {{text1}} is not found."),
    25707: (400, "This is an invalid value for a SKU."),
    25709: (400, "Invalid value for {{text1}}."),
    25710: (404, "We didn't find the entity you are requesting."),
    25713: (404, "This Offer is not available."),
    25727: (400, "The number of requests is above the maximum allowed."),
    25732: (400, "This operation is not allowed for inventory items in an inventory item group."),
    25096: (200, "The listing is on hold: revise it."),
    25097: (400, "The listing is on hold and cannot be revised."),
    25098: (400, "The parent listing is on hold."),
    25124: (200, "The return policy of the listing was changed."),
    25127: (200, "A custom aspect value was mapped to a standard one."),
    25402: (200, "The offer is published already."),
    62009: (400, "The specified category ID is not a leaf category."),
    195000: (500, "There was a problem with an eBay internal system or process."),
}


class RefusedError(ApiError):
    """The call, or one row of a bulk call, is answered with this error. One that is not in the table is a 400."""

    def __init__(self, error_id: int, status: int | None = None, /, **parameters: str) -> None:
        self.error_id = error_id
        usual, self.words = ERRORS.get(error_id, (400, f"Error {error_id}, which no document has."))
        self.status = status or (usual if usual >= 400 else 400)
        self.parameters = parameters
        super().__init__(error_id)

    def body(self) -> Json:
        """The error as an answer shows it."""
        return said(self.error_id, self.parameters)


def said(error_id: int, parameters: Mapping[str, str] | None = None) -> Json:
    """An error or a warning as an answer shows it."""
    status, words = ERRORS.get(error_id, (400, f"Error {error_id}, which no document has."))
    for name, value in (parameters or {}).items():
        words = words.replace("{{" + name + "}}", value)
    domain = "ACCESS" if error_id < 20_000 else "API_ACCOUNT" if error_id < 25_000 else "API_INVENTORY"
    row: Json = {
        "errorId": error_id,
        "domain": domain,
        "category": "APPLICATION" if status >= 500 else "REQUEST",
        "message": words,
        "longMessage": words,
    }
    if parameters:
        row["parameters"] = [{"name": name, "value": value} for name, value in parameters.items()]
    return row
