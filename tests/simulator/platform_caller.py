"""A client of the agentless profile that hides nothing, and the bodies that it posts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from requests import Response, post

from tests.simulator.caller import Caller
from tests.simulator.server import SimulatorProcess

MESSAGES = "/api/v2/conversations/messages"
SEND = f"{MESSAGES}/agentless"
QUERY = "/api/v2/analytics/conversations/details/query"
JOBS = "/api/v2/analytics/conversations/details/jobs"
DNC = "/api/v2/outbound/dnclists"
OPEN = "/api/v2/conversations/messaging/integrations/open"
INTEGRATIONS = "/api/v2/integrations"
TRIGGERS = "/api/v2/processautomation/triggers"
RESPONSE_ID = "5e6f2f0a-3c1d-4b6a-9d52-0c7a1f4e8b21"
JULY = "2026-07-01T00:00:00.000Z/2026-08-01T00:00:00.000Z"
TOPIC = "v2.analytics.conversation.{id}.metrics"

OPEN_SECRET = "a-secret-of-some-length"
EVENT_BRIDGE_CONFIG: dict[str, Any] = {
    "name": "status events",
    "version": 1,
    "properties": {
        "eventSourceSuffix": "campaigns",
        "awsAccountId": "123456789012",
        "awsAccountRegion": "eu-central-1",
        "eventFilter": [TOPIC],
    },
    "advanced": {},
    "notes": "",
    "credentials": {},
}


def an_sms(**changes: Any) -> dict[str, Any]:
    """Return the body of an SMS."""
    return {
        "fromAddress": "+13175550100",
        "toAddress": "+13175550101",
        "toAddressMessengerType": "sms",
        "textBody": "Hi Alex",
    } | changes


def an_sms_to(number: int) -> dict[str, Any]:
    """Return the body of an SMS to one of many recipients."""
    return an_sms(toAddress=f"+1317555{number:04d}")


def a_whatsapp(*values: str, **changes: Any) -> dict[str, Any]:
    """Return the body of a WhatsApp message with these values in its template."""
    parameters = [
        {"id": str(number), "value": value} for number, value in enumerate(values, start=1)
    ]
    return {
        "fromAddress": "whatsapp-integration",
        "toAddress": "15559998765",
        "toAddressMessengerType": "whatsapp",
        "messagingTemplate": {"responseId": RESPONSE_ID, "bodyParameters": parameters},
    } | changes


def an_open_message(sender: str = "open-integration") -> dict[str, Any]:
    """Return the body of an open message."""
    return an_sms(
        fromAddress=sender, toAddress="alex@social.example", toAddressMessengerType="open"
    )


def a_web_message(**changes: Any) -> dict[str, Any]:
    """Return the body of a web message."""
    return {
        "fromAddress": "web-deployment",
        "externalContactId": "7d0c5fd0-contact",
        "toAddressMessengerType": "webmessaging",
        "textBody": "Hi Alex",
    } | changes


def matching(**dimensions: str) -> list[dict[str, Any]]:
    """Return filters that want all these values."""
    return [{"type": "and", "predicates": [predicate(*each) for each in dimensions.items()]}]


def predicate(dimension: str, value: str | None = None, **more: str) -> dict[str, Any]:
    """Return one predicate of a filter."""
    found = {"type": "dimension", "dimension": dimension} | more
    return found | ({"value": value} if value is not None else {})


def around_now() -> str:
    """Return the interval of yesterday, today and tomorrow."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    ends = (today - timedelta(days=1), today + timedelta(days=2))
    return "/".join(end.isoformat().replace("+00:00", ".000Z") for end in ends)


def past(number: int, start: str, **more: Any) -> dict[str, Any]:
    """Return a message of the past, for the simulator's own API."""
    return {
        "from": "+13175550100",
        "to": f"+1317555{number:04d}",
        "start": start,
        "conversationId": f"c{number}",
    } | more


def on_a_day(count: int) -> list[dict[str, Any]]:
    """Return so many messages of one day in the past, a minute apart."""
    return [past(number, f"2026-07-10T10:{number % 60:02d}:00Z") for number in range(count)]


def ids(answer: dict[str, Any]) -> list[str]:
    """Return the ids of the conversations in an answer."""
    return [each["conversationId"] for each in answer.get("conversations", [])]


class Platform(Caller):
    """Calls the agentless profile's endpoints."""

    def __init__(self, simulator: SimulatorProcess) -> None:
        super().__init__(simulator)
        self.simulator = simulator

    def post(self, path: str, body: Any) -> Response:
        """Post a body."""
        return self.call("POST", path, json=body)

    def accepted(self, body: dict[str, Any]) -> dict[str, Any]:
        """Send a message that has to be accepted, and return the answer."""
        answer = self.post(SEND, body)
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    def query(self, **body: Any) -> Response:
        """Ask for conversation details of these days."""
        return self.post(QUERY, {"interval": around_now()} | body)

    def found(self, **body: Any) -> list[str]:
        """Return the ids of the conversations on the first hundred of a query."""
        answer = self.query(paging={"pageSize": 100, "pageNumber": 1}, **body).json()
        return [each["conversationId"] for each in answer.get("conversations", [])]

    def admin(self, what: str, body: Any) -> Any:
        """Post to the simulator's own API."""
        answer = post(f"{self.simulator.url}/_sim/{what}", json=body, timeout=30)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None
