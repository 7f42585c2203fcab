"""Keep what channels show beside the ledger, what each look at them showed, and what the desk was told.

Only adds: a process of the release before works on beside this one.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("attempts", sa.Column("neighbours", JSON, nullable=True))
    op.add_column("attempts", sa.Column("looks", JSON, nullable=True))
    op.add_column("attempts", sa.Column("handle", sa.Text(), nullable=True))
    op.add_column("ledger", sa.Column("adopted", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    unfinished = sa.text("state IN ('proposed', 'planned', 'claimed', 'sending', 'unknown', 'held')")
    op.create_index(
        "ix_deliveries_unfinished",
        "deliveries",
        ["channel_id", "state"],
        unique=False,
        sqlite_where=unfinished,
        postgresql_where=unfinished,
    )
    op.create_table(
        "found",
        sa.Column("channel_id", KEY, nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("plain", sa.Text(), nullable=False),
        sa.Column("permalink", sa.Text(), nullable=True),
        sa.Column("more_ids", JSON, nullable=True),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.Column("found_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name="fk_found_channel_id"),
        sa.PrimaryKeyConstraint("channel_id", "remote_id", "link", name="pk_found"),
    )
    op.create_index("ix_found_channel_id_link", "found", ["channel_id", "link"], unique=False)
    op.create_table(
        "notices",
        sa.Column("id", KEY, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("channel_id", KEY, nullable=True),
        sa.Column("delivery_id", KEY, nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("messages", JSON, nullable=True),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.Column("alerted_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
        sa.UniqueConstraint("key", name="uq_notices_key"),
    )
    op.create_index(
        "ix_notices_open",
        "notices",
        ["at"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "inboxes",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("next_update", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", name="pk_inboxes"),
    )


def downgrade() -> None:
    op.drop_table("inboxes")
    op.drop_table("notices")
    op.drop_table("found")
    op.drop_index("ix_deliveries_unfinished", "deliveries")
    op.drop_column("ledger", "adopted")
    op.drop_column("attempts", "handle")
    op.drop_column("attempts", "looks")
    op.drop_column("attempts", "neighbours")
