"""The tables behind the pages of operations people: previews, and counts that need no counting."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from genesys_cloud.ledger.column_types import Identity, UtcDateTime
from genesys_cloud.ledger.tables import metadata

# What a person is shown before a run sends anything: counts here, texts in the samples.
previews = Table(
    "previews",
    metadata,
    Column("id", Identity, primary_key=True, autoincrement=True),
    Column("dag_id", String(250), nullable=False),
    Column("run_id", String(250), nullable=False),
    Column("campaign_id", String(64), nullable=False),
    Column("occurrence", String(64), nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("document", JSON, nullable=False),
    UniqueConstraint("dag_id", "run_id", name="uq_previews_run"),
    Index("ix_previews_campaign", "campaign_id", "id"),
)

preview_samples = Table(
    "preview_samples",
    metadata,
    Column("id", Identity, primary_key=True, autoincrement=True),
    Column("preview_id", ForeignKey("previews.id"), nullable=False),
    Column("language", String(35), nullable=False),
    Column("kind", String(16), nullable=False),  # shortest | longest | most_segments
    Column("row_number", Integer, nullable=False),
    Column("address_key", String(64)),
    Column("masked_address", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("segments", Integer),
    Index("ix_preview_samples_preview", "preview_id"),
    Index("ix_preview_samples_address", "address_key"),
)

# How many messages of an occurrence are where, kept by triggers on `messages`, so that no page
# counts ten million rows. Several rows may say the same thing; their sum counts.
message_counts = Table(
    "message_counts",
    metadata,
    Column("occurrence_id", Identity, primary_key=True, autoincrement=False),
    # Claimed and attempting are counted as planned: there are few, and an index finds them.
    Column("state", String(16), primary_key=True),
    Column("reason_code", String(64), primary_key=True),  # '' is none
    Column("status", String(16), primary_key=True),  # '' is none
    # 0, or the number of a transaction that has not been added up yet: nobody waits for another.
    Column("slot", BigInteger, primary_key=True, autoincrement=False),
    Column("messages", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# How many attempts were settled in which minute, kept the same way.
sends_per_minute = Table(
    "sends_per_minute",
    metadata,
    Column("occurrence_id", Identity, primary_key=True, autoincrement=False),
    Column("minute", UtcDateTime, primary_key=True),
    Column("state", String(16), primary_key=True),  # accepted | rejected | unknown
    Column("slot", BigInteger, primary_key=True, autoincrement=False),
    Column("messages", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# What people were told of, each thing once, however many tasks come to know it.
notices = Table(
    "notices",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("told_at", UtcDateTime, nullable=False),
)
