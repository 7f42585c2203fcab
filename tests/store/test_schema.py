"""The migrations lead to exactly the tables that the code names, on both databases."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from bot.errors import DatabaseError
from bot.store import migrate
from bot.store.database import SCHEMA, Database
from bot.store.tables import metadata
from tests.factories import NOON
from tests.fakes import FakeClock


def _indexes(connection: Connection) -> set[str]:
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text("SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"))
    else:
        rows = connection.execute(text("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'"))
    return {row[0] for row in rows}


async def test_the_migrated_schema_is_the_one_that_the_tables_describe(database):
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))

    async with database.write() as tx:
        assert await tx.run_sync(differences) == []


async def test_the_partial_indexes_keep_their_conditions_in_the_database(database):
    async with database.write() as tx:
        indexes = "\n".join(await tx.run_sync(_indexes))
    for name, column in (
        ("uq_deliveries_once", "publish"),
        ("uq_deliveries_in_flight", "claimed"),
        ("ix_deliveries_turn", "planned"),
        ("ix_deliveries_pinned", "planned"),
    ):
        line = next(one for one in indexes.splitlines() if name in one)
        assert column in line
        assert "WHERE" in line


def test_the_release_names_the_newest_migration():
    assert migrate.newest() == SCHEMA


async def test_an_upgrade_may_be_repeated(database):
    await database.upgrade()
    assert await database.schema() == SCHEMA


async def test_a_database_that_is_not_migrated_is_refused_with_what_to_do(database_url):
    async with Database(database_url, FakeClock(NOON)) as fresh:
        with pytest.raises(DatabaseError, match=r"is not migrated.*vistnyk db upgrade"):
            await fresh.require_schema()


async def test_an_unknown_state_is_refused_by_the_database_itself(database, channel_id):
    with pytest.raises(IntegrityError):
        async with database.write() as tx:
            await tx.execute(
                text(
                    "INSERT INTO deliveries (kind, channel_id, revision, state, turn, turn_at, queued_at)"
                    " VALUES ('publish', :channel, 1, 'lost', 4, 0, 0)"
                ),
                {"channel": channel_id},
            )
