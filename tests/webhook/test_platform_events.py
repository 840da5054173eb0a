"""The platform's own pushes, and people's opt-out words, through the receiver to the ledger."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from genesys_cloud import webhook
from genesys_cloud.ledger import audit, events, suppressions
from genesys_cloud.ledger.database import open_ledger
from genesys_cloud.ledger.tables import messages
from genesys_cloud.outbound.identity import identify
from genesys_cloud.outbound.opt_outs import Choice, Verdict
from genesys_cloud.outbound.scope import Scope
from genesys_cloud.outbound.status import StatusEvent
from genesys_cloud.webhook.receiver import Receiver
from genesys_cloud.webhook.spool import Spool
from genesys_cloud.webhook.spool_file import decode, encode
from genesys_cloud.workflows.spool_erasure import erase_spooled
from tests.api.test_api_agentless_events import AT, INBOUND, OPEN_TEXT, envelope, metric
from tests.ledger.planted import plant
from tests.webhook.asgi import Answered, call, config
from tests.webhook.receiver import event_body

EVENT = json.loads(event_body("e1", "m1", "sent", "2024-01-15T10:30:45.000Z"))
BRIDGE = envelope(**metric())
NOTHING = envelope("v2.users.u.presence")


@pytest.fixture
def app(ledger_url: str, tmp_path: Path) -> Iterator[Receiver]:
    given = replace(config(tmp_path), ledger_url=ledger_url)
    receiver = Receiver(lambda: given)
    yield receiver
    receiver.close()


def ask(app: Receiver, payload: object) -> Answered:
    answer = asyncio.run(call(app, body=json.dumps(payload).encode()))
    assert answer is not None
    return answer


def listed(ledger_url: str) -> list[str]:
    ledger = open_ledger(ledger_url)
    try:
        return [f"{one['source']} {one['masked_address']}" for one in suppressions.listing(ledger)]
    finally:
        ledger.close()


@pytest.mark.parametrize(
    ("payload", "results"),
    [
        (BRIDGE, ["parked", "duplicate"]),
        (OPEN_TEXT, ["parked", "duplicate"]),
        (NOTHING, ["ignored", "ignored"]),
        (envelope(**metric(deliveryStatus=None)), ["ignored", "ignored"]),
        (INBOUND, ["applied", "duplicate"]),
        (INBOUND | {"text": "see you"}, ["ignored", "ignored"]),
        (INBOUND | {"text": None}, ["ignored", "ignored"]),
        (INBOUND | {"text": "START"}, ["ignored", "duplicate"]),
    ],
)
def test_each_form_is_answered_with_a_word(
    app: Receiver, payload: dict[str, Any], results: list[str]
) -> None:
    for result in results:
        answer = ask(app, payload)
        assert (answer.status, answer.json) == (200, {"result": result})


def test_a_batch_may_hold_every_form(app: Receiver) -> None:
    hello = INBOUND | {"id": "in-2", "text": "hello"}
    answer = ask(app, [EVENT, BRIDGE, NOTHING, INBOUND, hello, 7, BRIDGE])
    assert answer.json["results"] == {"applied": 1, "duplicate": 1, "ignored": 2, "parked": 2}
    assert [reason["index"] for reason in answer.json["reasons"]] == [5]
    assert ask(app, [NOTHING, NOTHING]).json == {"results": {"ignored": 2}}


def test_a_push_about_several_messages_is_answered_as_a_batch(app: Receiver) -> None:
    body = {
        "conversationId": "c-1", "deploymentId": "d-1", "eventTimeMs": 1795385830123,
        "messages": [{"id": "m-1"}, {"id": "m-2"}],
    }  # fmt: skip
    assert ask(app, body).json == {"results": {"parked": 2}}


def test_what_is_missing_in_a_known_form_is_400_and_named(app: Receiver) -> None:
    answer = ask(app, INBOUND | {"from": "somebody"})
    assert answer.status == 400
    assert "of a person" in answer.json["error"]
    assert "tutorial" not in ask(app, {"type": "Text"}).json["error"]


def test_who_writes_stop_is_suppressed_and_neither_text_nor_address_is_kept(
    app: Receiver, ledger_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert ask(app, INBOUND | {"text": "  stop it!! "}).json == {"result": "applied"}
    assert listed(ledger_url) == ["inbound message …23"]
    ledger = open_ledger(ledger_url)
    entries = str([dict(entry) for entry in audit.read(ledger)])
    ledger.close()
    assert "2025550123" not in entries + caplog.text
    assert "stop it" not in entries + caplog.text
    start = INBOUND | {"id": "in-2", "text": "Start", "timestamp": "2026-11-22T22:18:00Z"}
    assert ask(app, start).json == {"result": "applied"}
    assert listed(ledger_url) == []


def test_words_are_the_projects_own_and_read_once(ledger_url: str, tmp_path: Path) -> None:
    words = tmp_path / "policies" / "opt_out_words.toml"
    words.parent.mkdir()
    words.write_text("no policy")
    given = replace(config(tmp_path), ledger_url=ledger_url, include_dir=tmp_path)
    app = Receiver(lambda: given)
    # Not a policy yet: the sender shall come back, for nothing may be lost.
    assert ask(app, INBOUND).status == 503
    assert ask(app, EVENT).status == 200
    words.write_text(
        'dated = 2026-11-23\n[opt_out.xx]\nwords = ["nope"]\nsource = "us"\n'
        '[opt_in.xx]\nwords = ["yep"]\nsource = "us"\n'
    )
    assert ask(app, INBOUND).json == {"result": "ignored"}
    words.unlink()
    assert ask(app, INBOUND | {"text": "NOPE"}).json == {"result": "applied"}
    app.close()


WORDS = """dated = 2026-11-23
[holds]
scope = "everywhere"
source = "us"
[opt_out.en]
words = ["stop"]
source = "us"
[opt_in.en]
words = ["start"]
source = "us"
"""


def test_a_stop_may_hold_everywhere_and_a_failure_suppresses_as_the_project_says(
    ledger_url: str, tmp_path: Path
) -> None:
    policies = tmp_path / "policies"
    policies.mkdir()
    (policies / "opt_out_words.toml").write_text(WORDS)
    (policies / "failures.toml").write_text(
        'dated = 2026-11-23\n[Gone]\nreason = "gone"\nsource = "us"\nfor_ever = true\n'
    )
    ledger = open_ledger(ledger_url)
    plant(ledger, 2)
    with ledger.write() as connection:
        connection.execute(
            update(messages).where(messages.c.row_number == 2).values(
                state="accepted", api_message_id="m-2", conversation_id="c-2", status="sent"
            )
        )  # fmt: skip
    app = Receiver(lambda: replace(config(tmp_path), ledger_url=ledger_url, include_dir=tmp_path))
    assert ask(app, INBOUND | {"text": "Stop"}).json == {"result": "applied"}
    gone = metric() | {
        "conversationId": "c-2", "deliveryStatus": "DeliveryFailed", "errorCode": "Gone",
    }  # fmt: skip
    assert ask(app, envelope(**gone)).json == {"result": "applied"}
    app.close()
    rows = suppressions.listing(ledger)
    ledger.close()
    assert {(one["masked_address"], one["scope"], one["reason"]) for one in rows} == {
        ("…23", "everywhere", "opted_out"), ("…02", "channel", "gone"),
    }  # fmt: skip


def test_the_receiver_has_nothing_to_send_a_confirmation_with() -> None:
    """Genesys or the carrier confirms an opt-out, once; a second message would be one too many."""
    folder = Path(webhook.__file__).parent
    imported = {
        name
        for file in folder.glob("*.py")
        for line in file.read_text(encoding="utf-8").splitlines()
        for name in re.findall(r"^\s*(?:from|import) (genesys_cloud\S*)", line)
    }
    ways_out = ("genesys_cloud.api.client", "genesys_cloud.api.session", "genesys_cloud.hooks",
                "genesys_cloud.workflows", "genesys_cloud.ledger.plans")  # fmt: skip
    assert imported
    assert not [name for name in imported if name.startswith(ways_out)]


CHOICE = Choice(
    event_id="in-1", message_id="conversation:c-1", channel="messaging:sms",
    address="+12025550123", verdict=Verdict.OPT_OUT, occurred_at=AT,
)  # fmt: skip
FAILED = StatusEvent(
    event_id="e", message_id="m", status="failed", occurred_at=AT, reason_code="ServerError"
)


@pytest.mark.parametrize(
    "event",
    [CHOICE, replace(CHOICE, scope=Scope.EVERYWHERE), FAILED, replace(FAILED, reason_code=None)],
)
def test_the_spool_gives_back_what_it_took(event: Choice | StatusEvent) -> None:
    assert decode(encode([event]).strip()) == event


def test_a_choice_that_an_older_receiver_spooled_is_its_channels() -> None:
    line = encode([CHOICE]).strip().replace(b',"scope":"channel"', b"")
    assert b"scope" not in line
    assert decode(line) == CHOICE


@pytest.mark.parametrize(
    "change",
    [
        ("opt_out", "sent"),
        ('"scope":"channel"', '"scope":[]'),
        ("messaging:sms", "\\u0000"),
        ('"channel"', '"chanel"'),
    ],
)
def test_a_line_that_is_no_choice_is_refused(change: tuple[str, str]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whichever part it is of
        decode(encode([CHOICE]).strip().decode().replace(*change).encode())


def test_an_erasure_reaches_a_choice_in_the_spool(tmp_path: Path) -> None:
    other = replace(CHOICE, event_id="in-2", address="+12025550124")
    file = tmp_path / "events-1.jsonl"
    file.write_bytes(encode([CHOICE, FAILED, other]))
    assert erase_spooled(tmp_path, identify("+1 202 555 0123"), ()) == 1
    lines = file.read_bytes().splitlines()
    assert [bool(line.strip()) for line in lines] == [False, True, True]
    assert b"5550123" not in file.read_bytes()


def test_a_choice_waits_in_the_spool_for_the_ledger(tmp_path: Path, ledger_url: str) -> None:
    spool = Spool(tmp_path / "spool", 1_000_000)
    spool.append([CHOICE, FAILED])
    ledger = open_ledger(ledger_url)
    spool.replay(lambda batch: events.apply(ledger, batch, AT))
    ledger.close()
    assert not spool.waiting
    assert listed(ledger_url) == ["inbound message …23"]
