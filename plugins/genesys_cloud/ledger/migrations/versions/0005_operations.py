"""What the pages of operations people show: counts, previews, approvals, and which run planned."""

import sqlalchemy as sa
from alembic import op

from genesys_cloud.ledger.tables import Identity, UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("occurrences") as table:
        table.add_column(sa.Column("dag_id", sa.String(length=250), nullable=True))
        table.add_column(sa.Column("run_id", sa.String(length=250), nullable=True))
        table.add_column(
            sa.Column("is_test", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        table.add_column(sa.Column("not_before", UtcDateTime(), nullable=True))
        table.add_column(sa.Column("messages_per_minute", sa.Integer(), nullable=True))
        table.add_column(sa.Column("audience_digest", sa.String(length=64), nullable=True))
        table.add_column(sa.Column("plan_digest", sa.String(length=64), nullable=True))
        table.add_column(sa.Column("approved_digest", sa.String(length=64), nullable=True))
        table.add_column(sa.Column("approved_by", sa.String(length=200), nullable=True))
        table.add_column(sa.Column("approved_at", UtcDateTime(), nullable=True))
    with op.batch_alter_table("occurrences") as table:
        table.alter_column("is_test", server_default=None)
    _previews()
    _counts()


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
    )
    op.create_table(
        "sends_per_minute",
        sa.Column("occurrence_id", Identity, nullable=False, autoincrement=False),
        sa.Column("minute", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("messages", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("occurrence_id", "minute", "state", "slot"),
    )
