"""Erasure as a whole: nobody is written to twice, the receiver's spool, and the certificate."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from genesys_cloud.errors import ConnectionSettingsError
from genesys_cloud.ledger import campaigns, erasure, events
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.plans import Plan
from genesys_cloud.ledger.tables import messages
from genesys_cloud.outbound.audience import read_csv
from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.outbound.identity import identify
from genesys_cloud.outbound.status import StatusEvent
from genesys_cloud.outbound.templates import TemplateLibrary
from genesys_cloud.settings import PROJECT_ROOT
from genesys_cloud.webhook.spool import Spool
from genesys_cloud.workflows.erasing import Certificate, erase_person
from genesys_cloud.workflows.planning import plan_occurrence
from genesys_cloud.workflows.spool_erasure import erase_spooled
from tests.ledger.planted import CAMPAIGN as PLANTED
from tests.ledger.planted import only_shard, plant
from tests.ledger.raw_files import raw_bytes
from tests.simulator.server import SimulatorProcess
from tests.unprivileged import unprivileged
from tests.workflows.sender import Sender

NUMBER = "+12025550102"
CAMPAIGN = Campaign(
    campaign_id=PLANTED.campaign_id,
    audience="people.csv",
    template="order_update",
    channel="messaging:sms",
    sender="+12025550100",
)
LIST = [
    "recipient_id,address,consent,language,name,orderId",
    "r1,+12025550101,true,en,Alex,A-1",
    f"r2,{NUMBER},true,en,Kim,A-2",
    f"r2,{NUMBER},true,en,Kim,A-3",
    "r4,+12025550104,true,en,Sam,A-4",
]


def plan(ledger: Ledger, lines: Sequence[str] = LIST) -> Plan:
    template = TemplateLibrary(root=PROJECT_ROOT / "include" / "templates").load(
        CAMPAIGN.template, CAMPAIGN.channel
    )
    stream = io.BytesIO("\n".join(lines).encode())
    made, _ = plan_occurrence(
        ledger, CAMPAIGN, template, read_csv(stream), occurrence="once", now=datetime.now(UTC)
    )
    return made


def erase(ledger: Ledger, spool: Path, address: str = NUMBER) -> Certificate:
    return erase_person(
        ledger, identify(address), spool=spool, reason="", actor="tester", now=datetime.now(UTC)
    )


def sent(simulator: SimulatorProcess) -> list[str]:
    return [message["to"] for message in simulator.messages()]


def test_the_same_list_in_the_same_occurrence_sends_to_nobody_erased(
    simulator: SimulatorProcess, sender: Sender, tmp_path: Path
) -> None:
    sender.send(only_shard(sender.ledger, plan(sender.ledger)))
    assert sorted(sent(simulator)) == ["+12025550101", NUMBER, "+12025550104"]
    before = campaigns.progress(sender.ledger, CAMPAIGN.campaign_id)
    assert erase(sender.ledger, tmp_path / "spool").removed["messages"] == 2

    # The owner forgot to take the person out of the list, and has added somebody.
    planned = plan(sender.ledger, [*LIST, "r5,+12025550105,true,en,Lou,A-5"])
    sender.send(only_shard(sender.ledger, planned))
    assert sorted(sent(simulator)) == [
        "+12025550101", NUMBER, "+12025550104", "+12025550105"
    ]  # fmt: skip
    after = campaigns.progress(sender.ledger, CAMPAIGN.campaign_id)
    assert after.recipients == before.recipients + 1
    assert after.blocked_reasons == before.blocked_reasons
    assert NUMBER[1:].encode() not in raw_bytes(sender.ledger)


def test_who_is_erased_before_the_send_gets_nothing_however_often_it_is_planned(
    simulator: SimulatorProcess, sender: Sender, tmp_path: Path
) -> None:
    plan(sender.ledger)
    erase(sender.ledger, tmp_path / "spool")
    sender.send(only_shard(sender.ledger, plan(sender.ledger)))
    assert sorted(sent(simulator)) == ["+12025550101", "+12025550104"]
    assert sender.states() == {"accepted": 2, "blocked": 1, "cancelled": 1}


def test_late_events_of_an_erased_persons_message_still_count(
    simulator: SimulatorProcess, sender: Sender, tmp_path: Path
) -> None:
    sender.send(only_shard(sender.ledger, plan(sender.ledger)))
    with sender.ledger.read() as connection:
        mine = select(messages.c.api_message_id).where(messages.c.address == NUMBER)
        message_id = connection.execute(mine.where(messages.c.text != "")).scalar_one()
    erase(sender.ledger, tmp_path / "spool")
    events.apply(sender.ledger, [event(message_id, "delivered")], datetime.now(UTC))
    assert campaigns.progress(sender.ledger, CAMPAIGN.campaign_id).statuses["delivered"] == 1


def event(message_id: str, status: str, event_id: str | None = None) -> StatusEvent:
    return StatusEvent(
        event_id=event_id or f"{message_id}-{status}", message_id=message_id, status=status,
        occurred_at=datetime(2026, 11, 23, 12, tzinfo=UTC),
    )  # fmt: skip


@pytest.fixture
def known(sqlite_ledger: Ledger) -> Ledger:
    """A ledger in which message m-2 went to the number."""
    plant(sqlite_ledger, 3)
    with sqlite_ledger.write() as connection:
        mine = messages.update().where(messages.c.recipient_id == "r2")
        connection.execute(mine.values(state="accepted", api_message_id="m-2", address=NUMBER))
    return sqlite_ledger


def replayed(spool: Spool) -> list[str]:
    counted: list[str] = []

    def count(some: Sequence[StatusEvent]) -> Sequence[object]:
        counted.extend(one.event_id for one in some)
        return ["applied"] * len(some)

    spool.adopt()
    spool.replay(count)
    return counted


def test_the_spool_of_a_receiver_that_runs_loses_the_persons_lines(
    known: Ledger, tmp_path: Path
) -> None:
    spool = Spool(tmp_path / "spool", most_bytes=100_000)
    spool.append([event("m-1", "sent"), event("m-2", "sent"), event("m-3", "sent", NUMBER)])
    certificate = erase(known, tmp_path / "spool")
    assert certificate.removed["spooled_events"] == 2
    spool.append([event("m-1", "delivered")])  # the receiver writes on where it was
    (file,) = (tmp_path / "spool").glob("events-*")
    assert b"m-2" not in file.read_bytes()
    assert NUMBER[1:].encode() not in file.read_bytes()
    assert replayed(spool) == ["m-1-sent", "m-1-delivered"]


def test_what_a_receiver_left_or_set_aside_is_searched_too(known: Ledger, tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    folder.mkdir()
    left = folder / "events-00000000000000000001-7.jsonl"
    left.write_text('{"event_id":"e","message_id":"m-2","status":"sent","occurred_at":"x"}\n{"to')
    aside = folder / "set-aside.jsonl"
    aside.write_text(f'no event, but "+1 202 555 0102" and {NUMBER}\nanother\n')
    assert erase(known, folder).removed["spooled_events"] == 1
    assert aside.read_text().split("\n")[1] == "another"
    assert "0102" not in aside.read_text()
    assert left.read_text().endswith('{"to')


def test_a_spool_that_may_not_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # From inside, for the folders above are closed to others.
    monkeypatch.chdir(tmp_path)
    tmp_path.chmod(0o755)
    file = tmp_path / "events-1-1.jsonl"
    file.write_text("x")
    file.chmod(0o444)
    with (
        unprivileged(),
        pytest.raises(ConnectionSettingsError, match="user that runs the receiver"),
    ):
        erase_spooled(Path(), identify(NUMBER), [])
    assert file.read_text() == "x"


def test_a_certificate_says_what_was_done_and_names_nobody(known: Ledger, tmp_path: Path) -> None:
    certificate = erase(known, tmp_path)
    text = certificate.as_text()
    assert certificate.certificate_id in text
    assert "  - 1 × messages without address, recipient id, text and reason" in text
    assert f"Audit entry {certificate.audit_seq}" in text
    assert "are their owner's" in text
    assert "backups" in text.lower()
    printed: Any = certificate.as_json()
    assert printed["removed"]["messages"] == 1
    assert {one["what"]: one["count"] for one in printed["kept"]} == {"message_keys": 1}
    assert printed["audit_seq"] == certificate.audit_seq
    assert "5550102" not in text + str(printed)
    assert max(len(line) for line in text.splitlines()) <= 100


def test_an_erasure_that_was_cut_short_is_finished_by_the_next(
    known: Ledger, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    who = identify(NUMBER)
    erasure.erase(known, who, certificate_id="c", reason="", actor="killed", now=now)
    assert NUMBER[1:].encode() in raw_bytes(known)  # old bytes, of no row
    assert not erase(known, tmp_path).found
    assert NUMBER[1:].encode() not in raw_bytes(known)


def test_a_second_certificate_says_that_there_was_nothing(known: Ledger, tmp_path: Path) -> None:
    erase(known, tmp_path)
    text = erase(known, tmp_path).as_text()
    assert "Nothing was found, so nothing was removed." in text
    assert "No audit entry was written." in text
