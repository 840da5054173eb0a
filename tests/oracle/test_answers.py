"""Every answer of the simulator fits the official SDK's models: no unknown key, no unknown enum."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from tests.oracle.conftest import Oracle
from tests.simulator.server import SimulatorProcess, wait_for

MESSAGES = "/api/v2/conversations/messages"
DETAILS = "/api/v2/analytics/conversations/details"
OPEN = "/api/v2/conversations/messaging/integrations/open"
SENDER, TO = "+13175550100", "+13175550101"
SMS = {
    "fromAddress": SENDER,
    "toAddress": TO,
    "toAddressMessengerType": "sms",
    "textBody": "Hi Alex",
}
QUERY = {
    "order": "asc",
    "orderBy": "conversationStart",
    "segmentFilters": [
        {
            "type": "and",
            "predicates": [
                {"type": "dimension", "dimension": "mediaType", "value": "message"},
                {"type": "dimension", "dimension": "direction", "value": "outbound"},
                {"type": "dimension", "dimension": "purpose", "value": "api"},
            ],
        }
    ],
}


class Platform:
    """The simulator as its callers see it."""

    def __init__(self, simulator: SimulatorProcess) -> None:
        self.simulator = simulator
        self._headers = {"Authorization": f"Bearer {simulator.token()}"}

    def ask(self, method: str, path: str, body: Any = None) -> requests.Response:
        """Return an answer, whatever its status."""
        url = path if path.startswith("http") else self.simulator.url + path
        return requests.request(method, url, json=body, headers=self._headers, timeout=30)

    def json(self, method: str, path: str, body: Any = None) -> Any:
        """Return the JSON of an answer that is a success."""
        answer = self.ask(method, path, body)
        assert answer.ok, answer.text
        return answer.json()


OPTIONS = {"profiles": "agentless", "speed": 10_000, "requests_per_minute": 1_000_000}


@pytest.fixture(scope="module")
def process() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(**OPTIONS, job_seconds=0.1, failure_share=0.3) as simulator:
        yield simulator


@pytest.fixture
def platform(process: SimulatorProcess) -> Platform:
    process.reset()
    return Platform(process)


def bodies() -> dict[str, dict[str, Any]]:
    """A message of each messenger type that has a text."""
    integration = "0b1a7a5e-7d0e-4f5c-9d3f-1f7e0c0b2a11"
    contact = "5f3c1a2b-9d8e-4c7b-8a6f-0e1d2c3b4a59"
    text = {"fromAddress": integration, "textBody": "Hi Alex"}
    return {
        "sms": SMS,
        "open": {**text, "toAddress": "user@service.com", "toAddressMessengerType": "open"},
        "apple": {**text, "toAddress": TO, "toAddressMessengerType": "apple"},
        "webmessaging": {
            **text, "externalContactId": contact, "toAddressMessengerType": "webmessaging"
        },
    }  # fmt: skip


def settled(platform: Platform, sent: dict[str, Any]) -> dict[str, Any]:
    """Return a message once its life is over."""
    platform.simulator.wait_until_quiet()
    found: dict[str, Any] = platform.json("GET", f"{MESSAGES}/{sent['id']}/details")
    return found


@pytest.mark.parametrize("kind", ["sms", "open", "apple", "webmessaging"])
def test_a_send_and_what_becomes_of_it(oracle: Oracle, platform: Platform, kind: str) -> None:
    sent = [platform.json("POST", f"{MESSAGES}/agentless", bodies()[kind]) for _ in range(8)]
    assert [oracle.misfits("SendAgentlessOutboundMessageResponse", one) for one in sent] == [[]] * 8
    ended = [settled(platform, one) for one in sent]
    assert [oracle.misfits("MessageData", one) for one in ended] == [[]] * 8
    conversation, message = sent[0]["conversationId"], sent[0]["id"]
    inside = f"{MESSAGES}/{conversation}/messages"
    assert oracle.misfits("MessageData", platform.json("GET", f"{inside}/{message}")) == []
    bulk = platform.json("POST", f"{inside}/bulk", [message])
    assert len(bulk["entities"]) == 1
    assert oracle.misfits("TextMessageListing", bulk) == []
    whole = platform.json("GET", f"{MESSAGES}/{conversation}")
    assert whole["participants"]
    assert oracle.misfits("MessageConversation", whole) == []


def test_the_older_answers_hold_the_two_fields_that_were_taken_out_since(oracle: Oracle) -> None:
    with SimulatorProcess(**OPTIONS, deprecated_fields=True) as simulator:
        sent = Platform(simulator).json("POST", f"{MESSAGES}/agentless", SMS)
    found = oracle.misfits("SendAgentlessOutboundMessageResponse", sent)
    names = {misfit.rpartition(".")[2] for misfit in found}
    assert names == {"textBody: unknown key"}
    assert sent["textBody"] == SMS["textBody"]


def test_a_whatsapp_template(oracle: Oracle, platform: Platform) -> None:
    definition = {
        "name": "Reminder",
        "responseType": "MessagingTemplate",
        "substitutions": [{"id": "1", "description": "name"}],
        "messagingTemplate": {"whatsApp": {"name": "reminder", "language": "en_US"}},
    }
    made = requests.post(f"{platform.simulator.url}/_sim/responses", json=definition, timeout=30)
    response = platform.json("GET", f"/api/v2/responsemanagement/responses/{made.json()['id']}")
    assert oracle.misfits("Response", response) == []
    body = {
        "fromAddress": "0b1a7a5e-7d0e-4f5c-9d3f-1f7e0c0b2a11",
        "toAddress": "13175550101",
        "toAddressMessengerType": "whatsapp",
        "messagingTemplate": {
            "responseId": response["id"],
            "bodyParameters": [{"id": "1", "value": "Alex"}],
        },
    }
    sent = platform.json("POST", f"{MESSAGES}/agentless", body)
    assert oracle.misfits("SendAgentlessOutboundMessageResponse", sent) == []
    assert oracle.misfits("MessageData", settled(platform, sent)) == []


def test_analytics_by_query_and_by_job(oracle: Oracle, platform: Platform) -> None:
    for kind in bodies():
        platform.json("POST", f"{MESSAGES}/agentless", bodies()[kind])
    platform.simulator.wait_until_quiet()
    now = datetime.now(UTC)
    interval = f"{(now - timedelta(hours=1)).isoformat()}/{(now + timedelta(hours=1)).isoformat()}"
    query = {"interval": interval, **QUERY}
    paging = {"paging": {"pageSize": 100, "pageNumber": 1}}
    page = platform.json("POST", f"{DETAILS}/query", query | paging)
    assert len(page["conversations"]) == len(bodies())
    assert oracle.misfits("AnalyticsConversationQueryResponse", page) == []
    first = page["conversations"][0]["conversationId"]
    one = platform.json("GET", f"/api/v2/analytics/conversations/{first}/details")
    assert oracle.misfits("AnalyticsConversationWithoutAttributes", one) == []

    available = platform.json("GET", f"{DETAILS}/jobs/availability")
    assert oracle.misfits("DataAvailabilityResponse", available) == []
    job = platform.json("POST", f"{DETAILS}/jobs", query)
    assert oracle.misfits("AsyncQueryResponse", job) == []
    path = f"{DETAILS}/jobs/{job['jobId']}"
    state = wait_for(
        lambda: platform.json("GET", path), lambda state: state["state"] == "FULFILLED"
    )
    assert oracle.misfits("AsyncQueryStatus", state) == []
    results = platform.json("GET", f"{path}/results")
    assert len(results["conversations"]) == len(bodies())
    assert oracle.misfits("AnalyticsConversationAsyncQueryResponse", results) == []


def test_the_limits_of_the_organisation(oracle: Oracle, platform: Platform) -> None:
    found = platform.json("GET", "/api/v2/organizations/limits/namespaces/platform.api")
    assert found["entities"]
    assert oracle.misfits("LimitsEntityListing", found) == []


def test_dnc_lists(oracle: Oracle, platform: Platform) -> None:
    made = requests.post(
        f"{platform.simulator.url}/_sim/dnclists",
        json={"name": "stop", "phoneNumbers": [TO]},
        timeout=30,
    ).json()
    listing = platform.json("GET", "/api/v2/outbound/dnclists")
    assert oracle.misfits("DncListEntityListing", listing) == []
    path = f"/api/v2/outbound/dnclists/{made['id']}"
    assert oracle.misfits("DncList", platform.json("GET", path)) == []
    assert oracle.misfits("DomainEntityRef", platform.json("POST", f"{path}/export")) == []
    export = wait_for(lambda: platform.ask("GET", f"{path}/export"), lambda answer: answer.ok)
    assert oracle.misfits("ExportUri", export.json()) == []
    assert TO in platform.ask("GET", export.json()["uri"]).text


def test_open_integrations(oracle: Oracle, platform: Platform) -> None:
    body = {
        "name": "receiver",
        "outboundNotificationWebhookUrl": "http://127.0.0.1:9/webhooks/genesys-messaging",
        "outboundNotificationWebhookSignatureSecretToken": "at-least-16-characters-long",
    }
    made = platform.json("POST", OPEN, body)
    assert oracle.misfits("OpenIntegration", made) == []
    assert "at-least-16-characters-long" not in str(made)
    assert oracle.misfits("OpenIntegration", platform.json("GET", f"{OPEN}/{made['id']}")) == []
    assert oracle.misfits("OpenIntegrationEntityListing", platform.json("GET", OPEN)) == []


def test_an_eventbridge_integration(oracle: Oracle, platform: Platform) -> None:
    body = {"integrationType": {"id": "amazon-eventbridge-source"}}
    made = platform.json("POST", "/api/v2/integrations", body)
    assert oracle.misfits("Integration", made) == []
    path = f"/api/v2/integrations/{made['id']}"
    config = platform.json("GET", f"{path}/config/current")
    assert oracle.misfits("IntegrationConfiguration", config) == []
    properties = {
        "eventSourceSuffix": "campaigns",
        "awsAccountId": "123456789012",
        "awsAccountRegion": "us-east-1",
        "eventFilter": ["v2.analytics.conversation.{id}.metrics"],
    }
    put = {"name": "campaigns", "version": config["version"], "properties": properties}
    put |= {"advanced": {}, "notes": "", "credentials": {}}
    changed = platform.json("PUT", f"{path}/config/current", put)
    assert oracle.misfits("IntegrationConfiguration", changed) == []
    enabled = platform.json("PATCH", path, {"intendedState": "ENABLED"})
    assert oracle.misfits("Integration", enabled) == []
    listing = platform.json("GET", "/api/v2/integrations")
    assert oracle.misfits("IntegrationEntityListing", listing) == []


def test_triggers(oracle: Oracle, platform: Platform) -> None:
    path = "/api/v2/processautomation/triggers"
    body = {
        "name": "post-contact",
        "topicName": "v2.outbound.messaging.campaigns.contact.postContact",
        "enabled": True,
        "target": {"type": "Workflow", "id": "0b1a7a5e-7d0e-4f5c-9d3f-1f7e0c0b2a11"},
        "matchCriteria": [],
        "eventTTLSeconds": 60,
    }
    made = platform.json("POST", path, body)
    assert oracle.misfits("Trigger", made) == []
    assert oracle.misfits("Trigger", platform.json("GET", f"{path}/{made['id']}")) == []
    assert oracle.misfits("TriggerEntityListing", platform.json("GET", path)) == []
    assert oracle.misfits("TopicCursorEntityListing", platform.json("GET", f"{path}/topics")) == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", f"{MESSAGES}/agentless", {"toAddressMessengerType": "facebook"}, 400),
        ("POST", f"{MESSAGES}/agentless", {**SMS, "textBody": "a" * 766}, 400),
        ("GET", f"{MESSAGES}/0b1a7a5e-7d0e-4f5c-9d3f-1f7e0c0b2a11/details", None, 404),
        ("GET", "/api/v2/messaging/messages", None, 404),
        ("POST", f"{DETAILS}/query", {}, 400),
    ],
)
def test_errors_are_error_bodies(  # noqa: PLR0917 - fixtures and parameters
    oracle: Oracle, platform: Platform, method: str, path: str, body: Any, status: int
) -> None:
    answer = platform.ask(method, path, body)
    assert answer.status_code == status
    assert oracle.misfits("ErrorBody", answer.json()) == []
    assert answer.json()["status"] == status
    assert answer.json()["contextId"]


def test_the_token_endpoints_errors_are_oauths_own(platform: Platform) -> None:
    answer = requests.post(
        f"{platform.simulator.url}/oauth/token",
        data={"grant_type": "client_credentials"},
        auth=("nobody", "x"),
        timeout=30,
    )
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")
