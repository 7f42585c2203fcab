"""Keep what the platforms tell of each post, when to ask again, and what lets editors into the calendar.

Only adds: a process of the release before works on beside this one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    # Reactions and insights.
    op.create_table(
        "figures",
        sa.Column("delivery_id", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name="fk_figures_delivery_id"),
        sa.PrimaryKeyConstraint("delivery_id", "name", "at", name="pk_figures"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "inquiries",
        sa.Column("delivery_id", KEY, autoincrement=False, nullable=False),
        sa.Column("channel_id", KEY, nullable=False),
        sa.Column("heard_at", sa.BigInteger(), nullable=True),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("misses", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("ended", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name="fk_inquiries_delivery_id"),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name="fk_inquiries_channel_id"),
        sa.PrimaryKeyConstraint("delivery_id", name="pk_inquiries"),
    )
    op.create_index(
        "ix_inquiries_next_at",
        "inquiries",
        ["channel_id", "next_at"],
        unique=False,
        sqlite_where=sa.text("next_at IS NOT NULL"),
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )

    _add_passes()


def downgrade() -> None:
    op.drop_table("passes")
    op.drop_table("inquiries")
    op.drop_table("figures")


def _add_passes() -> None:
    op.create_table(
        "passes",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("telegram_id", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('session', 'link', 'spent')", name="ck_passes_kind"),
        sa.PrimaryKeyConstraint("key", name="pk_passes"),
    )
    op.create_index("ix_passes_telegram_id_kind", "passes", ["telegram_id", "kind"], unique=False)
    op.create_index("ix_passes_ends_at", "passes", ["ends_at"], unique=False)
