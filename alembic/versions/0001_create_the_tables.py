"""Create the tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "articles",
        sa.Column("id", KEY, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=True),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("baseline", sa.Boolean(), nullable=False),
        sa.Column("retracted_at", sa.BigInteger(), nullable=True),
        sa.Column("retraction_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("returns", sa.Integer(), server_default="0", nullable=False),
        sa.Column("story_of", KEY, nullable=True),
        sa.ForeignKeyConstraint(["story_of"], ["articles.id"], name=("fk_articles_story_of")),
        sa.PrimaryKeyConstraint("id", name=("pk_articles")),
        sa.UniqueConstraint("url", name=("uq_articles_url")),
    )
    op.create_index("ix_articles_first_seen_at", "articles", ["first_seen_at"], unique=False)
    op.create_table(
        "audit",
        sa.Column("id", KEY, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("before", JSON, nullable=True),
        sa.Column("after", JSON, nullable=True),
        sa.PrimaryKeyConstraint("id", name=("pk_audit")),
    )
    op.create_index(("ix_audit_at"), "audit", ["at"], unique=False)
    op.create_table(
        "channels",
        sa.Column("id", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("wake_at", sa.BigInteger(), nullable=True),
        sa.Column("last_at", sa.BigInteger(), nullable=True),
        sa.Column("paused_until", sa.BigInteger(), nullable=True),
        sa.Column("rests_until", sa.BigInteger(), nullable=True),
        sa.Column("access_lost_at", sa.BigInteger(), nullable=True),
        sa.Column("access_detail", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("platform IN ('telegram', 'facebook')", name=("ck_channels_platform")),
        sa.PrimaryKeyConstraint("id", name=("pk_channels")),
        sa.UniqueConstraint("name", "platform", "address", name=("uq_channels_name_platform_address")),
    )
    op.create_index(
        "ix_channels_wake_at",
        "channels",
        ["wake_at"],
        unique=False,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "uq_channels_open_name",
        "channels",
        ["name"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "editors",
        sa.Column("telegram_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.SmallInteger(), nullable=False),
        sa.Column("channels", JSON, nullable=False),
        sa.Column("from_config", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("telegram_id", name=("pk_editors")),
    )
    op.create_table(
        "house",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("name", name=("pk_house")),
    )
    op.create_table(
        "leases",
        sa.Column("duty", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("term", sa.Integer(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("duty", name=("pk_leases")),
    )
    op.create_table(
        "pace",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("arrival_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=("pk_pace")),
    )
    op.create_table(
        "sources",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cursor", JSON, nullable=False),
        sa.Column("first_pass_at", sa.BigInteger(), nullable=True),
        sa.Column("last_success_at", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("name", name=("pk_sources")),
    )
    op.create_table(
        "uploads",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("photo", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "photo", name=("pk_uploads")),
    )
    op.create_table(
        "decisions",
        sa.Column("id", KEY, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("article_id", KEY, nullable=True),
        sa.Column("channel_id", KEY, nullable=True),
        sa.Column("delivery_id", KEY, nullable=True),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=("fk_decisions_article_id")),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=("fk_decisions_channel_id")),
        sa.PrimaryKeyConstraint("id", name=("pk_decisions")),
    )
    op.create_index("ix_decisions_article_id_id", "decisions", ["article_id", "id"], unique=False)
    op.create_table(
        "deliveries",
        sa.Column("id", KEY, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("channel_id", KEY, nullable=False),
        sa.Column("article_id", KEY, nullable=True),
        sa.Column("repost", sa.Integer(), server_default="0", nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("target_id", KEY, nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("held_reason", sa.Text(), nullable=True),
        sa.Column("turn", sa.SmallInteger(), nullable=False),
        sa.Column("turn_at", sa.BigInteger(), nullable=False),
        sa.Column("pinned_at", sa.BigInteger(), nullable=True),
        sa.Column("backlog", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("queued_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("fence", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rung", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("listed", JSON, nullable=True),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "held_reason IN ('no-evidence', 'stale-words', 'editor', 'link-dead', 'access', 'template')",
            name=("ck_deliveries_held_reason"),
        ),
        sa.CheckConstraint(
            "kind IN ('publish', 'edit', 'withdraw', 'digest')",
            name=("ck_deliveries_kind"),
        ),
        sa.CheckConstraint(
            "state IN ('proposed', 'planned', 'claimed', 'sending', 'published', 'unknown', 'held', 'failed', 'cancelled', 'expired')",
            name=("ck_deliveries_state"),
        ),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=("fk_deliveries_article_id")),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=("fk_deliveries_channel_id")),
        sa.ForeignKeyConstraint(["target_id"], ["deliveries.id"], name=("fk_deliveries_target_id")),
        sa.PrimaryKeyConstraint("id", name=("pk_deliveries")),
    )
    op.create_index("ix_deliveries_article_id", "deliveries", ["article_id"], unique=False)
    op.create_index(
        "ix_deliveries_backlog",
        "deliveries",
        ["channel_id", "turn_at"],
        unique=False,
        sqlite_where=sa.text("state = 'planned' AND backlog"),
        postgresql_where=sa.text("state = 'planned' AND backlog"),
    )
    op.create_index(
        "ix_deliveries_channel_id_finished_at",
        "deliveries",
        ["channel_id", "finished_at"],
        unique=False,
    )
    op.create_index(
        "ix_deliveries_pinned",
        "deliveries",
        ["channel_id", "pinned_at", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'planned' AND pinned_at IS NOT NULL"),
        postgresql_where=sa.text("state = 'planned' AND pinned_at IS NOT NULL"),
    )
    op.create_index(
        "ix_deliveries_turn",
        "deliveries",
        ["channel_id", "turn", "turn_at", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'planned' AND pinned_at IS NULL"),
        postgresql_where=sa.text("state = 'planned' AND pinned_at IS NULL"),
    )
    op.create_index(
        "ix_deliveries_waiting",
        "deliveries",
        ["state", "turn_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('proposed', 'held')"),
        postgresql_where=sa.text("state IN ('proposed', 'held')"),
    )
    op.create_index(
        "uq_deliveries_change",
        "deliveries",
        ["target_id", "kind"],
        unique=True,
        sqlite_where=sa.text(
            "state IN ('proposed', 'planned', 'claimed', 'sending', 'unknown', 'held') AND target_id IS NOT NULL"
        ),
        postgresql_where=sa.text(
            "state IN ('proposed', 'planned', 'claimed', 'sending', 'unknown', 'held') AND target_id IS NOT NULL"
        ),
    )
    op.create_index(
        "uq_deliveries_in_flight",
        "deliveries",
        ["channel_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('claimed', 'sending', 'unknown')"),
        postgresql_where=sa.text("state IN ('claimed', 'sending', 'unknown')"),
    )
    op.create_index(
        "uq_deliveries_once",
        "deliveries",
        ["channel_id", "article_id", "repost"],
        unique=True,
        sqlite_where=sa.text("kind = 'publish'"),
        postgresql_where=sa.text("kind = 'publish'"),
    )
    op.create_table(
        "payloads",
        sa.Column("article_id", KEY, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=("fk_payloads_article_id")),
        sa.PrimaryKeyConstraint("article_id", "source", name=("pk_payloads")),
    )
    op.create_table(
        "revisions",
        sa.Column("article_id", KEY, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("content", JSON, nullable=True),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=("fk_revisions_article_id")),
        sa.PrimaryKeyConstraint("article_id", "revision", name=("pk_revisions")),
    )
    op.create_table(
        "traces",
        sa.Column("trace", sa.BigInteger(), nullable=False),
        sa.Column("article_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=("fk_traces_article_id")),
        sa.PrimaryKeyConstraint("trace", "article_id", name=("pk_traces")),
    )
    op.create_index("ix_traces_article_id", "traces", ["article_id"], unique=False)
    op.create_table(
        "attempts",
        sa.Column("id", KEY, nullable=False),
        sa.Column("delivery_id", KEY, nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("payload_hash", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("plain", sa.Text(), nullable=True),
        sa.Column("link", sa.Text(), nullable=True),
        sa.Column("watermark", sa.Text(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=True),
        sa.Column("permalink", sa.Text(), nullable=True),
        sa.Column("more_ids", JSON, nullable=True),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=("fk_attempts_delivery_id")),
        sa.PrimaryKeyConstraint("id", name=("pk_attempts")),
    )
    op.create_index(("ix_attempts_delivery_id"), "attempts", ["delivery_id"], unique=False)
    op.create_table(
        "ledger",
        sa.Column("delivery_id", KEY, autoincrement=False, nullable=False),
        sa.Column("channel_id", KEY, nullable=False),
        sa.Column("article_id", KEY, nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=False),
        sa.Column("permalink", sa.Text(), nullable=True),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.Column("edited_at", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.Column("more_ids", JSON, nullable=True),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=("fk_ledger_article_id")),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=("fk_ledger_channel_id")),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=("fk_ledger_delivery_id")),
        sa.PrimaryKeyConstraint("delivery_id", name=("pk_ledger")),
        sa.UniqueConstraint("channel_id", "remote_id", name=("uq_ledger_channel_id_remote_id")),
    )
    op.create_index("ix_ledger_article_id", "ledger", ["article_id"], unique=False)
    op.create_index(
        "ix_ledger_channel_id_published_at",
        "ledger",
        ["channel_id", "published_at"],
        unique=False,
    )


def downgrade() -> None:
    raise NotImplementedError("the first schema has nothing before it: restore a backup instead")
