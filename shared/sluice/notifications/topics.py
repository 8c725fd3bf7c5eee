"""Mail by SNS: each tenant's address has a topic of its own, and has agreed to it (ADR 103).

SNS asks whoever reads the address whether they want the mail, and sends none before they have said so. They can leave
by the link in each mail; then nobody is subscribed any more.
"""

from enum import StrEnum
from hashlib import sha256
from typing import Any

from botocore.exceptions import ClientError

from sluice.platform import aws
from sluice.platform.settings import settings

# What SNS says in place of a subscription's ARN.
_PENDING = "PendingConfirmation"
# Error codes of SNS, as its two protocols write them.
_GONE = {"NotFound", "NotFoundException"}
_THROTTLED = {"Throttled", "Throttling", "ThrottledException", "ThrottlingException"}
_BAD_ADDRESS = {"InvalidParameter", "InvalidParameterException"}


class AddressRefused(ValueError):  # noqa: N818 - what it is
    """SNS takes no such address."""


class Throttled(Exception):  # noqa: N818 - what it is
    """SNS answers no more questions of this AWS account for a moment: all tenants share its limit."""


class Standing(StrEnum):
    """Whether mail reaches an address."""

    PENDING = "PENDING"  # SNS has asked; nobody has said yes yet
    CONFIRMED = "CONFIRMED"
    GONE = "GONE"  # nobody has said yes within two days, or they have left


def subscribe(tenant: str, address: str) -> str:
    """Have SNS ask the address whether it wants this tenant's mail; the ARN of its topic.

    An address that has said yes is not asked again.

    Raises:
        AddressRefused: it is none to SNS.
    """
    sns = aws.client("sns")
    topic: str = sns.create_topic(Name=_name(tenant, address))["TopicArn"]
    try:
        sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=address)
    except ClientError as error:
        if _code(error) not in _BAD_ADDRESS:
            raise
        remove(topic)
        raise AddressRefused("is no address that AWS sends mail to") from error
    return topic


def standing(topic: str) -> Standing:
    """Whether mail reaches the topic's address.

    Raises:
        Throttled: SNS does not say.
    """
    try:
        answer: dict[str, Any] = aws.client("sns").list_subscriptions_by_topic(TopicArn=topic)
    except ClientError as error:
        if _code(error) in _THROTTLED:
            raise Throttled("AWS does not say just now whether mail reaches the address; ask again soon") from error
        if _code(error) not in _GONE:
            raise
        return Standing.GONE
    known = {one["SubscriptionArn"] for one in answer["Subscriptions"]}
    if any(arn.startswith("arn:") for arn in known):
        return Standing.CONFIRMED
    return Standing.PENDING if _PENDING in known else Standing.GONE


def publish(topic: str, subject: str, text: str) -> None:
    """Send a mail. subject: at most 100 characters of ASCII, in one line."""
    aws.client("sns").publish(TopicArn=topic, Subject=subject, Message=text)


def remove(topic: str) -> None:
    """Send nothing there any more. One that is not there is as good as removed."""
    aws.client("sns").delete_topic(TopicArn=topic)


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _name(tenant: str, address: str) -> str:
    """An address that is given up takes its topic with it, so that one given later starts with nobody's yes."""
    return f"{settings().stack}-mail-{tenant}-{sha256(address.encode()).hexdigest()[:8]}"
