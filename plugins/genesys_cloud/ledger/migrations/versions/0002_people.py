"""People's digest keys, consent that was withdrawn or given, and statuses that were asked for."""

import sqlalchemy as sa
from alembic import op

from genesys_cloud.ledger.column_types import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "people",
        sa.Column("address_key", sa.String(length=64), nullable=False),
        sa.Column("digest_key", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("address_key"),
    )
    op.create_table(
        "consents",
        sa.Column("address_key", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("masked_address", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("address_key"),
    )
    with op.batch_alter_table("messages") as table:
        table.add_column(sa.Column("ask_at", UtcDateTime(), nullable=True))
        table.add_column(sa.Column("erased_at", UtcDateTime(), nullable=True))
    went_out = sa.text("state IN ('accepted', 'unknown')")
    op.create_index(
        "ix_messages_attempted",
        "messages",
        ["state", "attempted_at"],
        postgresql_where=went_out,
        sqlite_where=went_out,
    )
