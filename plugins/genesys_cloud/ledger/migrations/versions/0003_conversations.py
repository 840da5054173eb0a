"""Conversations of the profile agentless, and the profile that an occurrence was planned for."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("occurrences") as table:
        # Until now there was no other profile, and no other way.
        table.add_column(
            sa.Column("profile", sa.String(length=16), nullable=False, server_default="messaging")
        )
        table.add_column(
            sa.Column(
                "use_active_conversation", sa.Boolean(), nullable=False, server_default=sa.false()
            )
        )
    with op.batch_alter_table("occurrences") as table:
        table.alter_column("profile", server_default=None)
        table.alter_column("use_active_conversation", server_default=None)
    with op.batch_alter_table("messages") as table:
        table.add_column(sa.Column("conversation_id", sa.String(length=200), nullable=True))
    in_conversation = sa.text("conversation_id IS NOT NULL")
    op.create_index(
        "ix_messages_conversation_id",
        "messages",
        ["conversation_id"],
        postgresql_where=in_conversation,
        sqlite_where=in_conversation,
    )
