"""People's digest keys, consent that was withdrawn or given, and statuses that were asked for."""

import sqlalchemy as sa
from alembic import op

from genesys_cloud.ledger.tables import UtcDateTime

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
        table.add_column(sa.Column("asked_at", UtcDateTime(), nullable=True))
