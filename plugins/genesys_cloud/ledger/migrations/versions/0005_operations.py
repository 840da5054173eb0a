"""What the pages of operations people show: counts, previews, approvals, and which run planned.

Triggers on `messages` keep the counts. On SQLite `batch_alter_table("messages")` writes the table
anew and drops them with the old one: a later migration that does so makes them again afterwards.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

from genesys_cloud.ledger.column_types import Identity, UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("occurrences") as table:
        table.add_column(sa.Column("dag_id", sa.String(length=250), nullable=True))
        table.add_column(sa.Column("run_id", sa.String(length=250), nullable=True))
        # A plain word, and it stays: for an expression, or to take it away, SQLite would drop the
        # table, which messages refer to.
        table.add_column(sa.Column("is_test", sa.Boolean(), nullable=False, server_default="0"))
        table.add_column(sa.Column("not_before", UtcDateTime(), nullable=True))
        table.add_column(sa.Column("messages_per_minute", sa.Integer(), nullable=True))
        table.add_column(sa.Column("audience_digest", sa.String(length=64), nullable=True))
        table.add_column(sa.Column("plan_digest", sa.String(length=64), nullable=True))
        table.add_column(sa.Column("approved_digest", sa.String(length=64), nullable=True))
        table.add_column(sa.Column("approved_by", sa.String(length=200), nullable=True))
        table.add_column(sa.Column("approved_at", UtcDateTime(), nullable=True))
    _previews()
    _counts()
    _notices()
    _indexes()


def _previews() -> None:
    op.create_table(
        "previews",
        sa.Column("id", Identity, autoincrement=True, nullable=False),
        sa.Column("dag_id", sa.String(length=250), nullable=False),
        sa.Column("run_id", sa.String(length=250), nullable=False),
        sa.Column("campaign_id", sa.String(length=64), nullable=False),
        sa.Column("occurrence", sa.String(length=64), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("dag_id", "run_id", name="uq_previews_run"),
    )
    op.create_index("ix_previews_campaign", "previews", ["campaign_id", "id"])
    op.create_table(
        "preview_samples",
        sa.Column("id", Identity, autoincrement=True, nullable=False),
        sa.Column("preview_id", Identity, nullable=False),
        sa.Column("language", sa.String(length=35), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("row_number", sa.Integer(), nullable=False),
        sa.Column("address_key", sa.String(length=64), nullable=True),
        sa.Column("masked_address", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("segments", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["preview_id"], ["previews.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_preview_samples_preview", "preview_samples", ["preview_id"])
    op.create_index("ix_preview_samples_address", "preview_samples", ["address_key"])


def _counts() -> None:
    op.create_table(
        "message_counts",
        sa.Column("occurrence_id", Identity, nullable=False, autoincrement=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason_code", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("messages", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("occurrence_id", "state", "reason_code", "status", "slot"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sends_per_minute",
        sa.Column("occurrence_id", Identity, nullable=False, autoincrement=False),
        sa.Column("minute", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("messages", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("occurrence_id", "minute", "state", "slot"),
        sqlite_with_rowid=False,
    )
    connection = op.get_bind()
    script = Path(__file__).with_name(f"0005_counts.{connection.dialect.name}.sql")
    for statement in script.read_text(encoding="utf-8").split("\n\n"):
        connection.exec_driver_sql(statement)


def _indexes() -> None:
    """Serve what a page asks of single messages, and of the trail, without reading all of it."""
    # Most messages have no reason, so that most sends don't touch it.
    op.create_index(
        "ix_messages_reason",
        "messages",
        ["occurrence_id", "reason_code", "id"],
        postgresql_where=sa.text("reason_code IS NOT NULL"),
        sqlite_where=sa.text("reason_code IS NOT NULL"),
    )
    for name, columns, where in _TRAIL:
        condition = None if where is None else sa.text(where)
        op.create_index(
            name, "audit_entries", columns, postgresql_where=condition, sqlite_where=condition
        )


_TRAIL = (
    ("ix_audit_entries_at", ["at"], None),
    ("ix_audit_entries_whole", ["campaign_id", "seq"], "substr(action, 1, 9) = 'campaign.'"),
    (
        "ix_audit_entries_message",
        ["message_key"],
        "message_key IS NOT NULL AND event_id IS NULL "
        "AND action <> 'send.accepted' AND action <> 'send.rejected'",
    ),
)


def _notices() -> None:
    parked = sa.text("outcome = 'parked'")
    op.create_index(
        "ix_status_events_parked",
        "status_events",
        ["id"],
        postgresql_where=parked,
        sqlite_where=parked,
    )
    op.create_table(
        "notices",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("told_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
