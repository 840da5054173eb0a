"""Our requests are the official SDK's own, and where it posts again, ours is still one."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from genesys_cloud.api.client import GenesysClient
from genesys_cloud.errors import OutcomeUnknownError
from genesys_cloud.outbound.filled_template import FilledTemplate
from genesys_cloud.outbound.messages import OutboundMessage
from tests.api.conftest import MakeClient
from tests.api.wire import Behaviour, Seen, WireServer, closes, http, says
from tests.oracle.conftest import Oracle

AGENTLESS = "/api/v2/conversations/messages/agentless"
INTEGRATION = "0b1a7a5e-7d0e-4f5c-9d3f-1f7e0c0b2a11"
CONTACT = "5f3c1a2b-9d8e-4c7b-8a6f-0e1d2c3b4a59"

FILLED = FilledTemplate(
    response_id="9c8b7a6d-5e4f-4a3b-8c2d-1e0f9a8b7c6d",
    body={"1": "Álex", "2": "A-1001"},
    header={"1": "Reminder"},
    button_url={"1": "a1001"},
)

MESSAGES = {
    "sms": (
        {"channel": "messaging:sms", "sender": "+13175550100", "recipient": "+13175550101"},
        {"from_address": "+13175550100", "to_address": "+13175550101"},
    ),
    "open": (
        {
            "channel": "messaging:open",
            "sender": INTEGRATION,
            "recipient": "open:messaging-user@externalservice.com",
        },
        {"from_address": INTEGRATION, "to_address": "messaging-user@externalservice.com"},
    ),
    "apple": (
        {"channel": "messaging:apple", "sender": INTEGRATION, "recipient": "apple:+13175550101"},
        {"from_address": INTEGRATION, "to_address": "+13175550101"},
    ),
    "webmessaging": (
        {"channel": "messaging:web", "sender": INTEGRATION, "recipient": f"web:{CONTACT}"},
        {"from_address": INTEGRATION, "external_contact_id": CONTACT},
    ),
}


def message(text: str, **fields: Any) -> OutboundMessage:
    given: dict[str, Any] = {"message_key": "k1", "campaign_id": "c1", "consent_verified": True}
    return OutboundMessage(**given | fields, text=text)


def accepted() -> Behaviour:
    body = b'{"id":"m1","conversationId":"c1","message":{"id":"m1","status":"queued"}}'
    return says(http(202, body, Content_Type="application/json"))


@pytest.fixture
def recorder() -> Iterator[WireServer]:
    with WireServer(accepted()) as server:
        yield server


def sent(server: WireServer, client: GenesysClient, one: OutboundMessage) -> Seen:
    client.send(one)
    return server.requests[-1]


def agentless(make_client: MakeClient, url: str, **account: Any) -> GenesysClient:
    return make_client(url, account={"profile": "agentless", **account})


def test_the_token_is_asked_for_as_the_sdk_asks(
    oracle: Oracle, recorder: WireServer, make_client: MakeClient
) -> None:
    assert oracle.ask("log_in", host=recorder.url, client_id="i d", client_secret="s:+/")
    agentless(make_client, recorder.url, client_id="i d", client_secret="s:+/").authenticate()
    theirs, ours = recorder.logins
    for name in ("authorization", "content-type"):
        assert ours.headers[name] == theirs.headers[name]
    assert (ours.method, ours.target, ours.body) == (theirs.method, theirs.target, theirs.body)


@pytest.mark.parametrize("kind", MESSAGES)
@pytest.mark.parametrize("text", ["Hi Alex", 'Größe "2"\n\\ 🙂 ñ /'])
@pytest.mark.parametrize("active", [False, True])
def test_a_send_has_the_bytes_of_the_sdks(  # noqa: PLR0917 - fixtures and parameters
    oracle: Oracle, recorder: WireServer, make_client: MakeClient, kind: str, text: str,
    active: bool,
) -> None:  # fmt: skip
    ours_of, theirs_of = MESSAGES[kind]
    fields = {**theirs_of, "to_address_messenger_type": kind, "text_body": text}
    if active:
        fields["use_existing_active_conversation"] = True
    answer = oracle.ask("send", host=recorder.url, token="t", fields=fields)
    assert answer == {"id": "m1", "conversation_id": "c1"}
    theirs = recorder.requests[-1]
    one = message(text, **ours_of, use_active_conversation=active)
    ours = sent(recorder, agentless(make_client, recorder.url), one)
    assert (ours.method, ours.target, ours.body) == ("POST", AGENTLESS, theirs.body)
    assert theirs.target == AGENTLESS
    assert ours.headers["content-type"] == theirs.headers["content-type"] == "application/json"


def test_a_whatsapp_template_has_the_bytes_of_the_sdks(
    oracle: Oracle, recorder: WireServer, make_client: MakeClient
) -> None:
    def parameters(values: Any) -> list[dict[str, str]]:
        return [{"id": name, "value": value} for name, value in values.items()]

    template = {
        "response_id": FILLED.response_id,
        "body_parameters": parameters(FILLED.body),
        "header_parameters": parameters(FILLED.header),
        "button_url_parameters": parameters(FILLED.button_url),
    }
    fields = {
        "from_address": INTEGRATION,
        "to_address": "13175550101",
        "to_address_messenger_type": "whatsapp",
        "messaging_template": template,
    }
    oracle.ask("send", host=recorder.url, token="t", fields=fields)
    one = message(
        FILLED.as_text(),
        channel="messaging:whatsapp",
        sender=INTEGRATION,
        recipient="whatsapp:+13175550101",
    )
    ours = sent(recorder, agentless(make_client, recorder.url), one)
    assert ours.body == recorder.requests[-2].body


def test_where_the_server_hangs_up_the_sdk_posts_again_and_we_do_not(
    oracle: Oracle, make_client: MakeClient
) -> None:
    fields = {**MESSAGES["sms"][1], "to_address_messenger_type": "sms", "text_body": "Hi"}
    with WireServer(closes) as server:
        assert "error" in oracle.ask("send", host=server.url, token="t", fields=fields)
        # urllib3's own default, ten retries, which the SDK allows for POST as well.
        assert len(server.requests) == 11
    with WireServer(closes) as server:
        client = agentless(make_client, server.url)
        with pytest.raises(OutcomeUnknownError):
            client.send(message("Hi", **MESSAGES["sms"][0]))
        assert [seen.method for seen in server.requests] == ["POST"]


def test_basic_credentials_are_those_of_the_connection(
    recorder: WireServer, make_client: MakeClient
) -> None:
    agentless(make_client, recorder.url, client_id="id", client_secret="secret").authenticate()
    (login,) = recorder.logins
    kind, _, pair = login.headers["authorization"].partition(" ")
    assert (kind, base64.b64decode(pair)) == ("Basic", b"id:secret")
