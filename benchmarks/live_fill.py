"""A ledger of many messages, made by the database itself: planning and sending them takes hours.

The rows go in through the real schema and its triggers; indexes that are no constraints are made
afterwards, as a restore does. Every message stands in an entry of its plan and of its attempt;
every fifth one has entries and status events of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from genesys_cloud.ledger import audit, database, plans
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.database import Ledger
from tests.ledger.planted import CAMPAIGN

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
BIG = "campaign_000"
OCCURRENCES = 5
A_SECOND = 50
"""Messages that were sent in a second, in one batch."""

_AT_ONCE = 500_000
_OPEN = 0.05
"""The share of the big campaign that is still to be sent."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One occurrence: its id, the ids of its messages, and when its first one was sent.

    Messages from `left` on are still to be sent.
    """

    occurrence_id: int
    campaign_id: str
    first: int
    last: int
    left: int
    begun: datetime


def fill(ledger: Ledger, count: int, campaigns: int) -> list[Part]:
    """Fill an empty ledger: half of the messages are one campaign's, the rest is spread."""
    parts = _parts(ledger, count, campaigns)
    dialect = ledger.engine.dialect.name
    with _quickly(ledger) as driver:
        for part in parts:
            for first in range(part.first, part.last + 1, _AT_ONCE):
                last = min(first + _AT_ONCE - 1, part.last)
                driver.execute(_messages(dialect, part, first, last, count))
        for part in parts:
            (seq,) = driver.execute("SELECT max(seq) FROM audit_entries").fetchone()
            for statement in _trail(dialect, part, seq):
                driver.execute(statement)
        versions = Path(database.__file__).parent / "migrations" / "versions"
        script = (versions / f"0005_counts.{dialect}.sql").read_text(encoding="utf-8")
        # What the migration fills: on PostgreSQL a trigger has counted the rows already.
        for statement in script.split("\n\n")[0 if dialect == "sqlite" else 1 : 2]:
            driver.execute(statement)
        driver.execute(
            "UPDATE audit_head SET seq = (SELECT max(seq) FROM audit_entries)",
        )
        driver.execute(
            "UPDATE occurrences SET last_attempt_at = (SELECT max(minute) FROM sends_per_minute "
            "WHERE occurrence_id = occurrences.id)",
        )
    return parts


def address(person: int) -> str:
    """Return a person's number."""
    return f"+{12_000_000_000 + person}"


def person_of(part: Part, message_id: int, count: int) -> int:
    """Return who got a message."""
    return (message_id * 7919 + part.occurrence_id * 104_729) % _people(count)


def _people(count: int) -> int:
    """Return how many people there are: more than the largest occurrence has messages."""
    people = count * 6 // 10 + 1
    return people + 1 if people % 7919 == 0 else people


def _parts(ledger: Ledger, count: int, campaigns: int) -> list[Part]:
    names = [(BIG, "once")] + [
        (f"campaign_{number:03}", f"part-{part}")
        for number in range(1, campaigns)
        for part in range(OCCURRENCES)
    ]
    small = max(count // 2 // (len(names) - 1), 1)
    first, parts = 1, list[Part]()
    for place, (campaign_id, occurrence) in enumerate(names):
        size = small if place else count - small * (len(names) - 1)
        done = size if place else int(size * (1 - _OPEN))
        begun = NOW - timedelta(seconds=done // A_SECOND, hours=place)
        campaign = replace(CAMPAIGN, campaign_id=campaign_id)
        plan = plans.begin(
            ledger, campaign, occurrence=occurrence, sender=CAMPAIGN.sender, template_version="v1",
            now=begun,
        )  # fmt: skip
        actions = ["planned", "approved", *(["paused", "active"] * (20 if not place else 0))]
        entry = AuditEntry(at=begun, actor="airflow:ops", action="", campaign_id=campaign_id)
        audit.note(ledger, *(replace(entry, action=f"campaign.{word}") for word in actions))
        parts.append(
            Part(
                occurrence_id=plan.occurrence_id,
                campaign_id=campaign_id,
                first=first,
                last=first + size - 1,
                left=first + done,
                begun=begun,
            )
        )
        first += size
    return parts


def _messages(dialect: str, part: Part, first: int, last: int, count: int) -> str:
    went = f"i < {part.left} AND i % 100 >= 4"
    state = (
        f"CASE WHEN i % 100 < 4 THEN 'blocked' WHEN i >= {part.left} THEN 'planned' "
        "WHEN i % 100 < 6 THEN 'rejected' WHEN i % 1000 = 6 THEN 'unknown' ELSE 'accepted' END"
    )
    status = (
        f"CASE WHEN NOT ({went}) OR i % 100 < 6 OR i % 1000 = 6 THEN NULL "
        "WHEN i % 100 BETWEEN 10 AND 12 OR i % 10000 = 13 THEN 'failed' "
        "WHEN i % 100 < 20 THEN 'sent' WHEN i % 100 < 40 THEN 'read' ELSE 'delivered' END"
    )
    reason = (
        "CASE WHEN i % 100 = 0 THEN 'consent_missing' WHEN i % 100 = 1 THEN 'suppressed' "
        "WHEN i % 100 = 2 THEN 'address_invalid' WHEN i % 50000 = 3 THEN 'too_many_segments' "
        "WHEN i % 100 = 3 THEN 'duplicate_address' "
        f"WHEN i >= {part.left} THEN NULL WHEN i % 100 < 6 THEN 'not_allowed' "
        "WHEN i % 1000 = 6 THEN 'timeout' "
        "WHEN i % 100 BETWEEN 10 AND 12 THEN 'carrier_rejected' END"
    )
    number = f"(12000000000 + (i * 7919 + {part.occurrence_id * 104_729}) % {_people(count)})"
    channel = f"{CAMPAIGN.channel}\x1f+"
    sent = _moment(dialect, part, "(i - {first}) / {a_second}")
    done = _moment(dialect, part, "(i - {first}) / {a_second} + 1")
    return f"""
        INSERT INTO messages (id, message_key, occurrence_id, row_number, recipient_id, address,
          address_key, language, text, text_digest, segments, plan_no, state, reason_code, reason,
          fence, attempts, attempted_at, settled_at, api_message_id, status, status_at)
        SELECT i, sha('key' || i), {part.occurrence_id}, i, 'r' || i, '+' || {number},
          CASE WHEN i % 100 <> 3 THEN sha('{channel}' || {number}) END, 'en',
          'Hello, your order ' || i || ' is on its way and arrives tomorrow before noon.',
          sha('text' || i), 1, 1, {state}, {reason},
          CASE WHEN i % 100 < 6 THEN 'What was wrong with row ' || i || '.' END, 1,
          CASE WHEN {went} THEN 1 ELSE 0 END,
          CASE WHEN {went} THEN {sent} END, CASE WHEN {went} THEN {done} END,
          CASE WHEN {went} AND i % 100 >= 6 AND i % 1000 <> 6 THEN 'msg-' || i END, {status},
          CASE WHEN ({status}) IS NOT NULL THEN {done} END
        FROM (WITH RECURSIVE c(i) AS (SELECT {_number(dialect, first)}
          UNION ALL SELECT i + 1 FROM c WHERE i < {last}) SELECT i FROM c) AS numbers
    """  # noqa: S608 - no input


def _trail(dialect: str, part: Part, seq: int) -> Iterator[str]:
    """Yield what writes the entries and events of an occurrence."""
    place = f"(id - {part.first})"
    own = f"FROM messages WHERE id BETWEEN {part.first} AND {part.last}"
    fifth = "id % 5 = 0 AND state = 'accepted'"
    planned = audit.instant(part.begun)
    for action, each, at, some in (
        ("plan.consented", 1_000, f"'{planned}'", "state <> 'blocked'"),
        ("plan.blocked", 20_000, f"'{planned}'", "state = 'blocked'"),
        ("send.attempting", A_SECOND, _at(dialect, "min(attempted_at)"), "attempts = 1"),
    ):
        keys = {
            "sqlite": "json_object('message_keys', json_group_array(message_key), 'reason', 'x')",
            "postgresql": "json_build_object('message_keys', json_agg(message_key ORDER BY id), "
            "'reason', 'x')",
        }[dialect]
        number = f"{seq} + 1 + {place} / {each}"
        told = (f"'{action}'", f"'{part.campaign_id}'", "NULL", "NULL", keys)
        yield _entries(number, at, told, f"{own} AND {some} GROUP BY {place} / {each}")
        seq += (part.last - part.first) // each + 1
    steps = (("send.accepted", 0), ("status.changed", 5), ("status.changed", 20))
    for step, (action, later) in enumerate(steps):
        event = f"'event-{step}-' || id" if later else "NULL"
        number = f"{seq} + 1 + {step} + 3 * ({place} / 5)"
        told = (f"'{action}'", f"'{part.campaign_id}'", "message_key", event, "'{}'")
        yield _entries(number, _at(dialect, "settled_at", later), told, f"{own} AND {fifth}")
        if later:
            moment = _plus(dialect, "settled_at", later)
            yield (
                "INSERT INTO status_events (event_id, api_message_id, status, occurred_at, "
                f"received_at, outcome) SELECT {event}, api_message_id, "
                f"'{'sent' if step == 1 else 'delivered'}', {moment}, {moment}, 'applied' "
                f"{own} AND {fifth}"
            )


def _entries(number: str, at: str, told: Sequence[str], source: str) -> str:
    """Return what writes entries: action, campaign, key, event and details are `told`."""
    return (
        "INSERT INTO audit_entries (seq, audit_id, at, actor, action, campaign_id, message_key, "
        "event_id, details, previous_digest, digest) "
        f"SELECT {number}, substr(sha('audit' || ({number})), 1, 36), {at}, 'send task', "
        f"{', '.join(told)}, sha('p' || ({number})), sha('d' || ({number})) {source}"
    )


def _number(dialect: str, value: int) -> str:
    return f"CAST({value} AS BIGINT)" if dialect == "postgresql" else str(value)


def _moment(dialect: str, part: Part, seconds: str) -> str:
    """Return the time so many seconds after a part began, as the dialect's tables keep it."""
    later = seconds.format(first=part.first, a_second=A_SECOND)
    if dialect == "postgresql":
        return f"to_timestamp({part.begun.timestamp():.0f} + {later})"
    return f"datetime({part.begun.timestamp():.0f} + {later}, 'unixepoch') || '.000000'"


def _plus(dialect: str, column: str, seconds: int) -> str:
    if dialect == "postgresql":
        return f"{column} + interval '{seconds} seconds'"
    return f"datetime(substr({column}, 1, 19), '+{seconds} seconds') || '.000000'"


def _at(dialect: str, column: str, seconds: int = 0) -> str:
    """Return a time as the audit trail writes it."""
    if dialect == "postgresql":
        later = f"{column} + interval '{seconds} seconds'"
        return f"""to_char(({later}) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS".000Z"')"""
    return f"replace(datetime(substr({column}, 1, 19), '+{seconds} seconds'), ' ', 'T') || '.000Z'"


@contextmanager
def _quickly(ledger: Ledger) -> Iterator[Any]:
    """Give a connection of the driver's own for a bulk, and make the indexes when it is done."""
    pooled = ledger.engine.raw_connection()
    driver: Any = pooled.driver_connection
    sqlite = ledger.engine.dialect.name == "sqlite"
    if sqlite:
        driver.create_function("sha", 1, _sha, deterministic=True)
    else:
        driver.autocommit = True
    for statement in _QUICK_SQLITE if sqlite else _QUICK_POSTGRESQL:
        driver.execute(statement)
    indexes = driver.execute(_INDEXES[ledger.engine.dialect.name]).fetchall()
    for name, _ in indexes:
        driver.execute(f"DROP INDEX {name}")
    yield driver
    for _, statement in indexes:
        driver.execute(statement)
    if not sqlite:
        driver.execute("VACUUM ANALYZE")  # as its autovacuum would by and by
    pooled.invalidate()
    pooled.close()
    ledger.engine.dispose()


_QUICK_SQLITE = ("PRAGMA synchronous = OFF", "PRAGMA cache_size = -8000000")
_QUICK_POSTGRESQL = (
    "CREATE FUNCTION sha(given text) RETURNS text IMMUTABLE LANGUAGE sql AS "
    "$$SELECT encode(sha256(convert_to(given, 'UTF8')), 'hex')$$",
    "SET synchronous_commit = off",
    "SET maintenance_work_mem = '1GB'",
    "ALTER SYSTEM SET max_wal_size = '8GB'",
    "ALTER SYSTEM SET checkpoint_timeout = '30min'",
    "SELECT pg_reload_conf()",
)
_INDEXES = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
    "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE indexname LIKE 'ix%' "
    "AND schemaname = 'public'",
}


def _sha(given: object) -> str:
    return hashlib.sha256(str(given).encode()).hexdigest()
