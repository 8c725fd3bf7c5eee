"""SNS, as far as mail goes: topics, who has said yes to which, and what was sent to whom."""

from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

REGION = "arn:aws:sns:us-east-1:123456789012"


@dataclass
class Mailbox:
    """Every address there is.

    topics: by ARN, the addresses that were asked, each with whether it has said yes. sent: (address, subject, text).
    fails: errors that the next publishes end with. refuses: addresses that SNS takes for none.
    """

    topics: dict[str, dict[str, bool]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    sent: list[tuple[str, str, str]] = field(default_factory=list)
    fails: list[str] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)

    def confirm(self, address: str) -> None:
        """Whoever reads `address` opens the link, in every mail that asks."""
        for known in self.topics.values():
            known |= {address: True} if address in known else {}

    def leave(self, address: str) -> None:
        """Whoever reads `address` opens the link that ends it."""
        for known in self.topics.values():
            known.pop(address, None)

    def answer(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """What SNS answers."""
        done: dict[str, Any] = getattr(self, f"_{operation}")(**parameters)
        return done

    def _CreateTopic(self, Name: str) -> dict[str, Any]:  # noqa: N802, N803 - as AWS writes them
        arn = f"{REGION}:{Name}"
        self.topics.setdefault(arn, {})
        return {"TopicArn": arn}

    def _Subscribe(self, TopicArn: str, Protocol: str, Endpoint: str) -> dict[str, Any]:  # noqa: N802, N803
        assert Protocol == "email"
        if Endpoint in self.refuses:
            raise error("InvalidParameter", "Subscribe")
        known = self._known(TopicArn, "Subscribe")
        if not known.get(Endpoint):
            self.asked.append((TopicArn, Endpoint))
        return {"SubscriptionArn": f"{TopicArn}:1" if known.setdefault(Endpoint, False) else "pending confirmation"}

    def _ListSubscriptionsByTopic(self, TopicArn: str) -> dict[str, Any]:  # noqa: N802, N803
        known = self._known(TopicArn, "ListSubscriptionsByTopic")
        return {
            "Subscriptions": [
                {"Endpoint": one, "SubscriptionArn": f"{TopicArn}:1" if yes else "PendingConfirmation"}
                for one, yes in known.items()
            ]
        }

    def _Publish(self, TopicArn: str, Subject: str, Message: str) -> dict[str, Any]:  # noqa: N802, N803
        assert Subject.isascii()
        assert Subject.isprintable()
        assert 0 < len(Subject) <= 100
        assert 0 < len(Message.encode()) <= 256 * 1024
        if self.fails:
            raise error(self.fails.pop(0), "Publish")
        known = self._known(TopicArn, "Publish")
        self.sent += [(address, Subject, Message) for address, yes in known.items() if yes]
        return {"MessageId": str(len(self.sent))}

    def _DeleteTopic(self, TopicArn: str) -> dict[str, Any]:  # noqa: N802, N803
        self.topics.pop(TopicArn, None)
        return {}

    def _known(self, topic: str, operation: str) -> dict[str, bool]:
        if topic not in self.topics:
            raise error("NotFound", operation)
        return self.topics[topic]


def error(code: str, operation: str) -> ClientError:
    """An error as botocore raises it."""
    return ClientError({"Error": {"Code": code, "Message": f"{code} of {operation}"}}, operation)
