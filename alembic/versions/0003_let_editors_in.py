"""Let editors into the calendar: passes for its sessions, one-time links and signed data that was used.

Only adds: a process of the release before works on beside this one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _add_passes()


def downgrade() -> None:
    op.drop_table("passes")


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
