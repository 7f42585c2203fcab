"""Runs the migrations under alembic/ on an open connection."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from bot.resources import resource


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(resource("alembic")).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def upgrade(connection: Connection, to: str = "head") -> None:
    """Bring the schema to the newest revision, or to an earlier one (tests of what a release finds)."""
    command.upgrade(_config(connection), to)


def revisions() -> list[str]:
    """Return every revision, oldest first."""
    from alembic.script import ScriptDirectory

    return [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()][::-1]


def newest() -> str:
    """Return the newest revision that the migrations lead to."""
    return revisions()[-1]
