"""Keep the conversations of editors, the pictures they send, and what is theirs in a post.

Only adds: a process of the release before works on beside this one.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "conversations",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("gathered", JSON, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "chat_id", "person_id", name="pk_conversations"),
    )
    op.create_table(
        "pictures",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_pictures"),
    )
    op.add_column("deliveries", sa.Column("own", JSON, nullable=True))
    op.add_column("ledger", sa.Column("hand_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("ledger", "hand_at")
    op.drop_column("deliveries", "own")
    op.drop_table("pictures")
    op.drop_table("conversations")
