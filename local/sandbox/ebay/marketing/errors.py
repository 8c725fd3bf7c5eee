"""eBay's error ids about ads: the HTTP status and the words that each has."""

from collections.abc import Mapping

from local.sandbox.ebay.errors import ApiError, Json

ERRORS: Mapping[int, tuple[int, str]] = {
    1001: (401, "Invalid access token"),
    1100: (403, "Insufficient permissions to fulfill the request."),
    2001: (429, "The request limit has been reached for the resource."),
    2003: (404, "We didn't find the resource/entity you are requesting."),
    35001: (500, "There was a problem with an eBay internal system or process."),
    35002: (500, "Internal error. Please wait a few minutes and try the call again."),
    35007: (400, "The 'bidPercentage' is not valid. Minimum value: 2.0 , Maximum value:100.0"),
    35013: (400, "The listing ID is not valid."),
    35014: (400, "The listing Id is required for this call."),
    35018: (400, "There are duplicate listing IDs in this request. You must remove the duplicate."),
    35019: (400, "Campaign name is required for this call."),
    35021: (400, "A campaign with this name already exists. Please provide a different name."),
    35026: (400, "A campaign start or end date cannot be in the past."),
    35029: (400, "The 'limit' has to be greater than zero and less than 500."),
    35030: (400, "The 'offset' cannot be less than zero."),
    35031: (400, "A 'listing_id' or an 'inventory_reference_id' is required for this call."),
    35033: (400, "At least one request is required for bulk requests."),
    35035: (400, "The campaign has ended."),
    35036: (400, "An ad for this listing ID already exists."),
    35038: (400, "The funding model is required."),
    35041: (400, "The 'marketplaceId' is required."),
    35043: (400, "The campaign status is either invalid or not supported for this operation."),
    35044: (400, "No Ad found for this 'ad_id'. Please correct the 'ad_id' and try again."),
    35045: (400, "No campaign found for this campaign id."),
    35048: (400, "The listing ID is invalid or has ended."),
    35052: (409, "The category is not supported by the Promoted Listing service for multi-quantity listings."),
    35054: (409, "The listing ID was created on a different marketplace than the campaign."),
    35057: (409, "The listing ID does not belong to the seller making this call."),
    35058: (409, "The listing ID is not a fixed price item. This is a requirement for a promoted listing."),
    35061: (409, "The campaign is being synced. Please wait a few minutes and try the call again."),
    35063: (409, "The campaign is ending soon. No update operations are allowed on it until it ends."),
    35064: (409, "This operation is only supported for key based campaigns."),
    35067: (409, "The seller must accept the Promoted Listing terms and conditions."),
    35071: (409, "You have exceeded the maximum number of listing IDs. Only 500 IDs are supported per call."),
    35077: (409, "To use Promoted Listings, you need to improve your seller level."),
    35078: (409, "To gain access to Promoted Listings, you must be in good standing with recent sales activity."),
    35080: (400, "The 'bidPercentage' is not supported for CPC funding model."),
    35010: (400, "The 'bidPercentage' is not allowed when the 'adRateStrategy' is 'DYNAMIC'."),
    35103: (409, "The campaign has reached the maximum number of ads. Please create a new campaign."),
    35106: (409, "'BidPercentage' should be provided when selected 'adRateStrategy' is 'FIXED'."),
}


class RefusedError(ApiError):
    """The call, or one row of a bulk call, is answered with this error. One that is not in the table is a 409."""

    def __init__(self, error_id: int) -> None:
        self.error_id = error_id
        self.status, self.words = ERRORS.get(error_id, (409, f"Error {error_id}, which no document has."))
        super().__init__(error_id)

    def body(self) -> Json:
        """The error as an answer shows it."""
        domain = "API_MARKETING" if self.error_id >= 35000 else "ACCESS"
        category = "APPLICATION" if self.status >= 500 else "BUSINESS" if self.status == 409 else "REQUEST"
        said = {"message": self.words, "longMessage": self.words}
        return {"errorId": self.error_id, "domain": domain, "category": category, **said}
