"""The ledger's tables. A change here needs a migration beside it; a test compares the two."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TextClause,
    UniqueConstraint,
    text,
)

from genesys_cloud.ledger.column_types import Identity, UtcDateTime

# Spelled the same in index and query, or SQLite does not see that the one serves the other.
WENT_OUT = text("state IN ('accepted', 'unknown')")
IN_CONVERSATION = text("conversation_id IS NOT NULL")
WITH_REASON = text("reason_code IS NOT NULL")
ABOUT_A_CAMPAIGN = text("substr(action, 1, 9) = 'campaign.'")
# Of the others the instant is known, and how often they come makes them dear to index.
ABOUT_A_MESSAGE = text(
    "message_key IS NOT NULL AND event_id IS NULL "
    "AND action <> 'send.accepted' AND action <> 'send.rejected'"
)
PARKED = text("outcome = 'parked'")

metadata = MetaData()


def _partial(name: str, *columns: str, where: TextClause) -> Index:
    """Return an index of some rows alone."""
    return Index(name, *columns, postgresql_where=where, sqlite_where=where)


campaigns = Table(
    "campaigns",
    metadata,
    Column("campaign_id", String(64), primary_key=True),
    Column("state", String(16), nullable=False),  # active | paused | cancelled
    Column("reason", Text),
    Column("changed_at", UtcDateTime, nullable=False),
)

occurrences = Table(
    "occurrences",
    metadata,
    Column("id", Identity, primary_key=True, autoincrement=True),
    Column("campaign_id", ForeignKey("campaigns.campaign_id"), nullable=False),
    Column("occurrence", String(64), nullable=False),
    Column("channel", String(64), nullable=False),
    Column("sender", String(320), nullable=False),
    # Planned for one contract of the API, and not sent by another.
    Column("profile", String(16), nullable=False),
    Column("use_active_conversation", Boolean, nullable=False),
    Column("template", String(200), nullable=False),
    Column("template_version", String(64), nullable=False),
    Column("audience", Text, nullable=False),
    # Grows with each planning, so that rows of an older plan can be told from this one's.
    Column("plan_no", Integer, nullable=False),
    Column("planned_at", UtcDateTime, nullable=False),
    Column("deadline", UtcDateTime),
    # Both must be reached before the campaign is paused: so many errors, and that share of all.
    Column("error_budget_count", Integer, nullable=False),
    Column("error_budget_share", Float, nullable=False),
    # What is asked again of each message when it is about to go out.
    Column("purpose", String(64), nullable=False),
    Column("consent_from", String(16), nullable=False),
    Column("recipient_cap", Integer),
    Column("recipient_cap_days", Integer),
    # The last planning whose excess over the campaign's cap is blocked; NULL where it has none.
    Column("capped_plan_no", Integer),
    # When a message was last attempted, so that caps look only where one may be.
    Column("last_attempt_at", UtcDateTime),
    # The Airflow run that planned it; NULL where none did. Who may see the DAG may see this.
    Column("dag_id", String(250)),
    Column("run_id", String(250)),
    # Sent to one's own numbers before the campaign: outside caps, budgets and statistics.
    Column("is_test", Boolean, nullable=False),
    Column("not_before", UtcDateTime),
    Column("messages_per_minute", Integer),
    # SHA-256 of the contact list, and of all that decides what goes out.
    Column("audience_digest", String(64)),
    Column("plan_digest", String(64)),
    # The plan that a person approved, who, and when; it counts while plan_digest is the same.
    Column("approved_digest", String(64)),
    Column("approved_by", String(200)),
    Column("approved_at", UtcDateTime),
    UniqueConstraint("campaign_id", "occurrence", name="uq_occurrences_campaign"),
)

messages = Table(
    "messages",
    metadata,
    Column("id", Identity, primary_key=True, autoincrement=True),
    Column("message_key", String(64), nullable=False, unique=True),
    Column("occurrence_id", ForeignKey("occurrences.id"), nullable=False),
    Column("row_number", Integer, nullable=False),
    Column("recipient_id", String(320), nullable=False),
    Column("address", String(320), nullable=False),
    # One person, one message of an occurrence, whatever the recipient id; NULL where a row has no
    # usable address or repeats another row's.
    Column("address_key", String(64)),
    Column("language", String(35), nullable=False),
    Column("text", Text, nullable=False),
    Column("text_digest", String(64), nullable=False),
    Column("segments", Integer),
    Column("plan_no", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason_code", String(64)),
    Column("reason", Text),
    Column("fence", Integer, nullable=False, default=0),
    Column("lease_until", UtcDateTime),
    Column("attempts", Integer, nullable=False, default=0),
    Column("attempted_at", UtcDateTime),
    Column("settled_at", UtcDateTime),
    # Not unique: a server that hands out one id twice must not undo a batch of outcomes.
    Column("api_message_id", String(200), index=True),
    # Only the profile agentless has conversations.
    Column("conversation_id", String(200)),
    Column("correlation_id", String(200)),
    Column("status", String(16)),
    Column("status_at", UtcDateTime),
    # When to ask Genesys again for a status that never arrived; NULL where nobody asked yet.
    Column("ask_at", UtcDateTime),
    # When everything personal in the row was destroyed; its key stays, so that nobody is sent to
    # a second time, and its state, so that counts do.
    Column("erased_at", UtcDateTime),
    # What the audience said of the consent besides the yes, as JSON, and when that ends.
    Column("consent_proof", Text),
    Column("consent_expires_at", UtcDateTime),
    # Where the recipient is, as outbound/zones.py writes it; NULL where no quiet hours hold.
    Column("place", Text),
    # When the window opens that a held message waits for.
    Column("held_until", UtcDateTime),
    UniqueConstraint("occurrence_id", "address_key", name="uq_messages_address"),
    Index("ix_messages_work", "occurrence_id", "state", "id"),
    # The status stays out of it: PostgreSQL moves a status twice as fast where no index names it.
    _partial("ix_messages_attempted", "state", "attempted_at", where=WENT_OUT),
    _partial("ix_messages_conversation_id", "conversation_id", where=IN_CONVERSATION),
    # Most messages have no reason, so that most sends don't touch it.
    _partial("ix_messages_reason", "occurrence_id", "reason_code", "id", where=WITH_REASON),
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("address_key", String(64), primary_key=True),
    Column("scope", String(16), primary_key=True),  # channel | everywhere
    # The same in all rows of one entry: one everywhere has a row for each channel of the person.
    Column("entry_key", String(64), nullable=False),
    Column("channel", String(64), nullable=False),
    Column("masked_address", String(16), nullable=False),
    Column("reason", String(200), nullable=False),
    Column("source", String(200), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
)

# What people decided, one row a decision and channel; nothing is ever changed but by an erasure, so
# that what held at a time can be shown later.
consents = Table(
    "consents",
    metadata,
    Column("id", Identity, primary_key=True, autoincrement=True),
    Column("address_key", String(64), nullable=False),
    Column("channel", String(64), nullable=False),
    Column("masked_address", String(16), nullable=False),
    Column("state", String(16), nullable=False),  # given | withdrawn
    Column("purpose", String(64), nullable=False),  # '' is any
    # The version of the text that the person agreed to, and the SHA-256 of that text.
    Column("wording", String(200), nullable=False),
    Column("wording_digest", String(64)),
    Column("source", String(200), nullable=False),
    Column("manner", String(16)),  # how a withdrawal came
    Column("reason", String(200), nullable=False),
    Column("evidence", Text, nullable=False),
    # When the person said so, and when the ledger learnt of it.
    Column("decided_at", UtcDateTime, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    # Until when the law wants a withdrawal honoured; it is in force once it is recorded.
    Column("honour_by", UtcDateTime),
    Index("ix_consents_address", "address_key", "decided_at"),
)

# The key that turns a person's address into the digest which the audit trail shows. It is random,
# so that the digest says nothing once the key is destroyed.
people = Table(
    "people",
    metadata,
    Column("address_key", String(64), primary_key=True),
    Column("digest_key", String(64), nullable=False),
)

status_events = Table(
    "status_events",
    metadata,
    Column("id", Identity, primary_key=True, autoincrement=True),
    Column("event_id", String(512), nullable=False, unique=True),
    Column("api_message_id", String(200), nullable=False),
    Column("status", String(64), nullable=False),
    Column("occurred_at", UtcDateTime, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("outcome", String(16), nullable=False),  # applied | stale | parked | unknown_status
    # Why a message failed, where the event says so: a parked one is still to tell it.
    Column("reason_code", String(64)),
    Index("ix_status_events_message", "api_message_id", "outcome"),
    Index("ix_status_events_parked", "id", postgresql_where=PARKED, sqlite_where=PARKED),
)

audit_entries = Table(
    "audit_entries",
    metadata,
    Column("seq", Identity, primary_key=True, autoincrement=False),
    Column("audit_id", String(36), nullable=False, unique=True),
    Column("at", String(32), nullable=False),  # text, for the digest is over these very characters
    Column("actor", String(200), nullable=False),
    Column("action", String(64), nullable=False),
    Column("campaign_id", String(64)),
    Column("message_key", String(64)),
    Column("api_message_id", String(200)),
    Column("previous_status", String(64)),
    Column("new_status", String(64)),
    Column("event_id", String(512)),
    Column("details", JSON, nullable=False),
    Column("previous_digest", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Index("ix_audit_entries_campaign", "campaign_id", "seq"),
    # Entries come nearly in this order, so that it costs little.
    Index("ix_audit_entries_at", "at"),
    _partial("ix_audit_entries_whole", "campaign_id", "seq", where=ABOUT_A_CAMPAIGN),
    _partial("ix_audit_entries_message", "message_key", where=ABOUT_A_MESSAGE),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),
)

rate_gates = Table(
    "rate_gates",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("next_free_us", BigInteger, nullable=False),  # microseconds since the epoch
)
