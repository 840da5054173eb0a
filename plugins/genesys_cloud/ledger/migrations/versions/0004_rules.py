"""Consent with its proof and history, caps, quiet hours, and what each message is asked again."""

import sqlalchemy as sa
from alembic import op

from genesys_cloud.ledger.column_types import Identity, UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _consents()
    _suppressions()
    with op.batch_alter_table("occurrences") as table:
        # Until now consent was the audience's, for whatever purpose.
        table.add_column(
            sa.Column("purpose", sa.String(length=64), nullable=False, server_default="")
        )
        table.add_column(
            sa.Column(
                "consent_from", sa.String(length=16), nullable=False, server_default="audience"
            )
        )
        table.add_column(sa.Column("recipient_cap", sa.Integer(), nullable=True))
        table.add_column(sa.Column("recipient_cap_days", sa.Integer(), nullable=True))
        table.add_column(sa.Column("capped_plan_no", sa.Integer(), nullable=True))
        table.add_column(sa.Column("last_attempt_at", UtcDateTime(), nullable=True))
    with op.batch_alter_table("occurrences") as table:
        table.alter_column("purpose", server_default=None)
        table.alter_column("consent_from", server_default=None)
    with op.batch_alter_table("messages") as table:
        table.add_column(sa.Column("consent_proof", sa.Text(), nullable=True))
        table.add_column(sa.Column("consent_expires_at", UtcDateTime(), nullable=True))
        table.add_column(sa.Column("place", sa.Text(), nullable=True))
        table.add_column(sa.Column("held_until", UtcDateTime(), nullable=True))
    with op.batch_alter_table("status_events") as table:
        table.add_column(sa.Column("reason_code", sa.String(length=64), nullable=True))
    op.execute(
        "UPDATE occurrences SET last_attempt_at = (SELECT max(attempted_at) FROM messages "
        "WHERE messages.occurrence_id = occurrences.id)"
    )


def _consents() -> None:
    """Make the table of the latest decisions one of all decisions."""
    op.execute("CREATE TEMPORARY TABLE consents_before AS SELECT * FROM consents")
    op.drop_table("consents")
    op.create_table(
        "consents",
        sa.Column("id", Identity, autoincrement=True, nullable=False),
        sa.Column("address_key", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("masked_address", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("purpose", sa.String(length=64), nullable=False),
        sa.Column("wording", sa.String(length=200), nullable=False),
        sa.Column("wording_digest", sa.String(length=64), nullable=True),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("manner", sa.String(length=16), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("honour_by", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute(
        "INSERT INTO consents (address_key, channel, masked_address, state, purpose, wording, "
        "source, reason, evidence, decided_at, recorded_at) "
        "SELECT address_key, channel, masked_address, state, '', '', source, reason, '', "
        "decided_at, decided_at FROM consents_before ORDER BY decided_at, address_key"
    )
    op.drop_table("consents_before")
    op.create_index("ix_consents_address", "consents", ["address_key", "decided_at"])


def _suppressions() -> None:
    """Let an address have two suppressions: its own, and its person's."""
    op.execute("CREATE TEMPORARY TABLE suppressions_before AS SELECT * FROM suppressions")
    op.drop_table("suppressions")
    op.create_table(
        "suppressions",
        sa.Column("address_key", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("entry_key", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("masked_address", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("address_key", "scope"),
    )
    op.execute(
        "INSERT INTO suppressions (address_key, scope, entry_key, channel, masked_address, reason, "
        "source, created_at, expires_at) SELECT address_key, 'channel', address_key, channel, "
        "masked_address, reason, source, created_at, expires_at FROM suppressions_before"
    )
    op.drop_table("suppressions_before")
