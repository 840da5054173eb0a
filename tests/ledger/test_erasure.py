"""One person is erased: from rows, files and what databases remember, and from nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from genesys_cloud.errors import CampaignDefinitionError, StillSendingError
from genesys_cloud.ledger import (
    audit,
    blocking,
    campaigns,
    compaction,
    erasure,
    plans,
    previews,
    recovery,
    sends,
    suppressions,
    unknowns,
)
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.erasure import Erased
from genesys_cloud.ledger.planned_rows import PlannedMessage
from genesys_cloud.ledger.plans import Plan, address_key
from genesys_cloud.ledger.suppressions import Suppression
from genesys_cloud.ledger.tables import consents, messages, people, status_events
from genesys_cloud.ledger.tables import suppressions as suppressed
from genesys_cloud.outbound.identity import identify
from genesys_cloud.outbound.messages import State, mask_address
from genesys_cloud.outbound.pacing import Limit
from genesys_cloud.outbound.preview_tally import Sample
from tests.ledger.planted import CAMPAIGN, NOW, only_shard, planned, plant, sealed
from tests.ledger.raw_files import gather_statistics, raw_bytes
from tests.outbound.previewed import PREVIEW

NUMBER = "+12025550003"
DIGITS = b"2025550003"
NEIGHBOUR = b"2025550004"
WHATSAPP = replace(CAMPAIGN, campaign_id="camp_wa", channel="messaging:whatsapp")
LEASE = timedelta(seconds=90)


def rows(ledger: Ledger) -> list[Any]:
    with ledger.read() as connection:
        return list(connection.execute(select(messages).order_by(messages.c.id)).all())


def count(ledger: Ledger, table: Any) -> int:
    with ledger.read() as connection:
        return len(connection.execute(select(table)).all())


def put(ledger: Ledger, table: Any, **values: Any) -> None:
    with ledger.write() as connection:
        connection.execute(insert(table).values(**values))


def change(ledger: Ledger, condition: Any, **values: Any) -> None:
    with ledger.write() as connection:
        assert connection.execute(update(messages).where(condition).values(**values)).rowcount


def erase(ledger: Ledger, address: str = NUMBER, **options: Any) -> Erased:
    given = {"certificate_id": "c-1", "reason": "", "actor": "tester", "now": NOW, **options}
    channel = given.pop("channel", None)
    return erasure.erase(ledger, identify(address, channel), **given)


def planned_again(ledger: Ledger, *rows: PlannedMessage) -> Plan:
    plan = plans.begin(
        ledger, CAMPAIGN, occurrence="once", sender=CAMPAIGN.sender, template_version="v1",
        now=NOW,
    )  # fmt: skip
    plans.add(ledger, plan, rows)
    plans.finish(ledger, plan)
    return sealed(ledger, plan)


def on_whatsapp(number: int) -> PlannedMessage:
    plain = planned(number)
    wire = f"whatsapp:{plain.address}"
    return plain._replace(
        address=wire, recipient_id=wire, message_key=f"wa-{number}",
        address_key=address_key(WHATSAPP.channel, wire),
    )  # fmt: skip


def unusable(number: int, address: str, *, recipient_id: str, reason: str = "x") -> PlannedMessage:
    """A blocked row whose address cell could not be used, so that nothing but the cell is known."""
    return planned(number, blocked="row_malformed")._replace(
        address=address, address_key=None,
        recipient_id=recipient_id, reason=reason, message_key=f"unusable-{number}", text="",
    )  # fmt: skip


def consent(ledger: Ledger, state: str, address: str = NUMBER) -> None:
    put(
        ledger, consents, address_key=address_key(CAMPAIGN.channel, address),
        channel=CAMPAIGN.channel, masked_address="…03", state=state, source=f"call from {address}",
        purpose="", wording="v3", reason="", evidence=f"record of {address}", decided_at=NOW,
        recorded_at=NOW,
    )  # fmt: skip


def suppress(ledger: Ledger, *, expires_at: datetime | None = None) -> None:
    entry = Suppression(
        channel=CAMPAIGN.channel, address=NUMBER, reason="opted_out", source="inbound",
        expires_at=expires_at,
    )  # fmt: skip
    suppressions.add(ledger, [entry], actor="tester", now=NOW - timedelta(days=2))


def event(ledger: Ledger, event_id: str, message_id: str) -> None:
    put(
        ledger, status_events, event_id=event_id, api_message_id=message_id, status="sent",
        occurred_at=NOW, received_at=NOW, outcome="applied",
    )  # fmt: skip


def preview(ledger: Ledger) -> None:
    """Save a preview that shows the person's texts on two channels, and two of others."""
    shown = [
        sample(CAMPAIGN.channel, NUMBER, "Hello Alex"),
        sample(WHATSAPP.channel, f"whatsapp:{NUMBER}", "Hello Alex"),
        sample(CAMPAIGN.channel, "+12025550005", "Hello Kim, call 202-555-0003, +1 (202) 555-0003"),
        sample(CAMPAIGN.channel, "+12025550006", "Hello Sam"),
    ]
    previews.save(ledger, PREVIEW, shown, dag_id="send_campaign", run_id="r1")


def sample(channel: str, address: str, text: str) -> Sample:
    return Sample(
        language="en", kind="longest", row_number=1, address_key=address_key(channel, address),
        masked_address=mask_address(address), text=text, segments=1,
    )  # fmt: skip


@pytest.fixture
def peopled(ledger: Ledger) -> Ledger:
    """A ledger that knows the person in every way that it can know one."""
    plan = plant(ledger, 6)
    wa = plans.begin(
        ledger, WHATSAPP, occurrence="once", sender="whatsapp:+12025550100",
        template_version="v1", now=NOW,
    )  # fmt: skip
    plans.add(ledger, wa, [on_whatsapp(3), on_whatsapp(4)])
    plans.add(ledger, plan, [
        unusable(11, "+1 (202) 555-0003", recipient_id="r11"),
        unusable(12, "0012025550003", recipient_id="r12"),
        unusable(13, "202.555.0003", recipient_id="r13"),
        unusable(14, "junk", recipient_id="12025550003"),
        unusable(15, "+112025550003", recipient_id="r15"),
        unusable(16, "junk", recipient_id="r16", reason=f"The API says: {NUMBER} is a landline."),
    ])  # fmt: skip
    change(ledger, messages.c.recipient_id == "r3", state="accepted", api_message_id="m-3",
           correlation_id="c-3", text="Hello Alex")  # fmt: skip
    change(ledger, messages.c.recipient_id == "r5", state="accepted", api_message_id="m-5",
           text=f"Hello Kim, call Alex on {NUMBER}.")  # fmt: skip
    for name in ("m-3", "m-5"):
        event(ledger, f"{name}-sent", name)
    event(ledger, f"{NUMBER}-sent", "m-99")
    with ledger.write() as connection:
        keys = [address_key(one.channel, w) for one, w in
                ((CAMPAIGN, NUMBER), (WHATSAPP, f"whatsapp:{NUMBER}"))]  # fmt: skip
        for key in [*keys, "somebody-else"]:
            connection.execute(insert(people).values(address_key=key, digest_key="ab" * 32))
    consent(ledger, "given")
    suppress(ledger)
    preview(ledger)
    return ledger


def test_after_it_no_byte_of_the_files_holds_the_number(peopled: Ledger) -> None:
    gather_statistics(peopled)
    before = raw_bytes(peopled)
    assert DIGITS in before
    assert b"Hello Alex" in before
    erase(peopled, reason=f"letter of {NUMBER}")
    assert compaction.rewrite(peopled) == []
    after = raw_bytes(peopled)
    for spelling in (DIGITS, b"555-0003", b"202.555.0003", b"Hello Alex"):
        assert spelling not in after.replace(b"+1" + b"1" + DIGITS, b"")  # row 15 is another's
    # Whoever has the key could try all numbers; only the opt-out, which must last, keeps its own.
    assert address_key(WHATSAPP.channel, f"whatsapp:{NUMBER}").encode() not in after
    assert NEIGHBOUR in after
    assert audit.verify(peopled).ok


def test_it_counts_what_it_removed_and_what_it_kept(peopled: Ledger) -> None:
    erased = erase(peopled)
    assert erased.removed == {
        # On both channels, and four rows of which only a spelling was known.
        "messages": 6,
        "texts": 2,
        "cancelled": 1,  # on WhatsApp it was still planned
        "status_events": 2,
        # Another's text, another's reason, and what a consent said of its source and evidence.
        "quotations": 4,
        "preview_samples": 3,  # two of their own, and one that quotes the number
        "digest_keys": 2,
        "consents": 1,
        "consents_reduced": 0,
        "suppressions": 0,
        "suppressions_reduced": 1,
    }
    kept = {name: number for name, number in erased.kept.items() if number}
    assert kept == {"suppressions": 1, "message_keys": 6}
    assert erased.message_ids == ["m-3"]
    assert (count(peopled, people), count(peopled, status_events)) == (1, 1)


def test_a_preview_stays_as_numbers_with_the_texts_of_others(peopled: Ledger) -> None:
    erase(peopled)
    found = previews.find(peopled, "send_campaign", "r1")
    assert found is not None
    assert found.preview == PREVIEW
    assert [one.text for one in found.samples] == ["Hello Sam"]


def test_who_is_in_the_preview_of_a_dry_run_alone_is_erased_too(ledger: Ledger) -> None:
    preview(ledger)
    erased = erase(ledger)
    assert erased.found
    assert erased.removed["preview_samples"] == 3


def test_everybody_else_is_left_alone(peopled: Ledger) -> None:
    others = [row for row in rows(peopled) if row.row_number in {1, 2, 4, 6, 15}]
    erase(peopled)
    after = {row.id: row for row in rows(peopled)}
    assert [after[row.id] for row in others] == others


def test_campaigns_add_up_as_before(peopled: Ledger) -> None:
    before = campaigns.progress(peopled, CAMPAIGN.campaign_id)
    erase(peopled)
    assert campaigns.progress(peopled, CAMPAIGN.campaign_id) == before
    on_the_other = campaigns.progress(peopled, WHATSAPP.campaign_id)
    assert (on_the_other.recipients, on_the_other.states["cancelled"]) == (2, 1)


def test_a_second_time_finds_nothing(peopled: Ledger) -> None:
    assert erase(peopled).found
    entries = audit.verify(peopled).entries
    again = erase(peopled)
    assert not again.found
    assert again.audit_seq is None
    assert audit.verify(peopled).entries == entries


def test_it_is_audited_without_the_person(peopled: Ledger) -> None:
    erased = erase(peopled, reason=f"letter from {NUMBER}, (202) 555-0003 at work")
    entries = list(audit.read(peopled))
    last = entries[-1]
    assert (last["seq"], last["action"], last["actor"]) == (
        erased.audit_seq, "person.erased", "tester"
    )  # fmt: skip
    assert last["details"]["certificate"] == "c-1"
    assert last["details"]["messages"] == 6
    assert last["details"]["reason"].startswith("letter from …,")
    assert DIGITS.decode() not in str(entries)
    cancelled = [one for one in entries if one["action"] == "send.cancelled"]
    assert [one["message_key"] for one in cancelled] == ["wa-3"]


def test_one_channel_alone_leaves_the_others(peopled: Ledger) -> None:
    erase(peopled, channel="messaging:whatsapp")
    left = {row.recipient_id for row in rows(peopled)}
    assert f"whatsapp:{NUMBER}" not in left
    assert "r3" in left
    assert count(peopled, suppressed) == 1


@pytest.mark.parametrize(
    "spelling", ["+1 (202) 555-0003", "whatsapp:+12025550003", " sms:" + NUMBER]
)
def test_any_spelling_names_the_same_person(peopled: Ledger, spelling: str) -> None:
    assert erase(peopled, spelling).removed["messages"] == 6


@pytest.mark.parametrize("states", [["planned"], ["held"], ["blocked"], ["accepted"], ["rejected"]])
def test_nobody_erased_is_planned_again_by_the_same_list(
    ledger: Ledger, states: Sequence[str]
) -> None:
    plan = plant(ledger, 3)
    change(ledger, messages.c.recipient_id == "r3", state=states[0])
    erase(ledger)
    for _ in range(2):
        again = planned_again(ledger, *(planned(number) for number in (1, 2, 3)))
        assert again.occurrence_id == plan.occurrence_id
    assert campaigns.progress(ledger, CAMPAIGN.campaign_id).recipients == 3
    todo = only_shard(ledger, plan)
    claimed = sends.claim(
        ledger, todo, [Limit(name="account", most=60_000)], most=10, now=NOW, lease=LEASE
    ).claims
    assert [one.message.recipient for one in claimed] == ["+12025550001", "+12025550002"]
    assert DIGITS.decode() not in str(rows(ledger))


def test_sending_the_failed_again_does_not_mean_the_erased(ledger: Ledger) -> None:
    plan = plant(ledger, 3)
    change(ledger, messages.c.row_number.in_([2, 3]), state="rejected")
    erase(ledger)
    failed = campaigns.failed(ledger, CAMPAIGN.campaign_id, plan.occurrence)
    assert failed == {address_key(CAMPAIGN.channel, "+12025550002")}


@pytest.mark.parametrize("state", [State.CLAIMED, State.ATTEMPTING])
def test_nothing_is_erased_while_a_message_is_on_its_way(ledger: Ledger, state: State) -> None:
    plant(ledger, 3)
    change(ledger, messages.c.recipient_id == "r3", state=state, lease_until=NOW + LEASE)
    before = rows(ledger)
    with pytest.raises(StillSendingError, match=r"known by 2026-11-23 12:01:30 UTC .* erase again"):
        erase(ledger)
    assert rows(ledger) == before
    # The worker has died meanwhile: nobody sends it any more.
    later = NOW + 2 * LEASE
    erased = erase(ledger, now=later)
    gone = next(row for row in rows(ledger) if row.erased_at)
    claimed = state is State.CLAIMED
    assert gone.state == ("cancelled" if claimed else "unknown")
    assert (erased.removed["cancelled"], erased.kept["unknown"]) == (claimed, not claimed)


def test_an_unknown_message_stays_so_and_is_never_sent_again(ledger: Ledger) -> None:
    plant(ledger, 3)
    change(ledger, messages.c.recipient_id == "r3", state="unknown", attempted_at=NOW)
    erase(ledger)
    (left,) = unknowns.find(ledger)
    with pytest.raises(CampaignDefinitionError, match=r"its recipient was erased"):
        unknowns.settle(ledger, left.message_key, "resend", reason="", actor="a", now=NOW)
    unknowns.settle(ledger, left.message_key, "sent", reason="", actor="a", now=NOW)
    assert campaigns.progress(ledger, CAMPAIGN.campaign_id).states["accepted"] == 1
    assert recovery.recover(ledger, NOW) == 0


def test_a_no_outlives_the_person_as_a_digest_alone(ledger: Ledger) -> None:
    suppress(ledger)
    consent(ledger, "withdrawn")
    erased = erase(ledger)
    assert (erased.kept["suppressions"], erased.kept["withdrawals"]) == (1, 1)
    with ledger.read() as connection:
        for table in (suppressed, consents):
            (row,) = connection.execute(select(table)).all()
            assert row.address_key == address_key(CAMPAIGN.channel, NUMBER)
            assert (row.masked_address, row.reason, row.source) == (
                "…", "kept_after_erasure", "kept_after_erasure"
            )  # fmt: skip
    assert not erase(ledger).found
    plan = plant(ledger, 3)
    assert blocking.block_planned(ledger, plan, NOW).total() == 1


def test_a_no_goes_too_where_that_is_asked_for_or_it_had_ended(ledger: Ledger) -> None:
    suppress(ledger)
    consent(ledger, "withdrawn")
    erased = erase(ledger, forget_suppression=True)
    assert (erased.removed["suppressions"], erased.removed["consents"]) == (1, 1)
    suppress(ledger, expires_at=NOW - timedelta(days=1))
    assert erase(ledger).removed["suppressions"] == 1
    assert (count(ledger, suppressed), count(ledger, consents)) == (0, 0)


def test_a_text_of_another_that_is_still_to_go_out_is_kept_and_named(ledger: Ledger) -> None:
    plant(ledger, 2)
    change(ledger, messages.c.recipient_id == "r2", text=f"Ask for Alex: {NUMBER}")
    erased = erase(ledger)
    assert (erased.removed["quotations"], erased.kept["texts_not_gone_out"]) == (0, 1)
    assert [row.text for row in rows(ledger)] == ["Hello", f"Ask for Alex: {NUMBER}"]


def test_an_audit_entry_in_which_somebody_typed_the_number_is_named(ledger: Ledger) -> None:
    plant(ledger, 3)
    campaigns.change_state(
        ledger,
        CAMPAIGN.campaign_id,
        "paused",
        reason=f"{NUMBER} complained",
        actor=f"cli:{NUMBER}",
        now=NOW,
    )
    erased = erase(ledger)
    assert erased.removed["quotations"] == 1  # the campaign's own reason
    assert erased.kept["audit_entries_quoting"] == 1  # the actor's; a reason is masked in the trail
    assert campaigns.progress(ledger, CAMPAIGN.campaign_id).reason == "… complained"
    assert audit.verify(ledger).ok


@pytest.fixture
def impatient(ledger: Ledger, ledger_url: str) -> Iterator[Ledger]:
    """The same ledger for a rewrite that finds a reader: on SQLite it would wait for a minute."""
    if ledger.engine.dialect.name == "postgresql":  # there nobody waits for readers
        yield ledger
        return
    opened = open_ledger(ledger_url, patience_s=1)
    yield opened
    opened.close()


def test_a_reader_that_stays_keeps_old_bytes_and_that_is_said(
    ledger: Ledger, impatient: Ledger
) -> None:
    plant(ledger, 3)
    with ledger.read() as reading:
        if ledger.engine.dialect.name == "postgresql":
            reading.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            reading.exec_driver_sql("SELECT txid_current()")
        reading.exec_driver_sql("SELECT count(*) FROM audit_head")
        erase(ledger)
        (left,) = compaction.rewrite(impatient)
    assert left.startswith(
        ("A transaction that was open before the erasure", "Somebody was reading the ledger")
    )
    assert "same command again" in left
    assert compaction.rewrite(ledger) == []
    assert DIGITS not in raw_bytes(ledger)
