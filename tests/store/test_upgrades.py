"""A rolling upgrade: a release works on while the database is already the next one's, so a migration only adds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from typing import Any, TypeVar

import pytest
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    SmallInteger,
    Table,
    Text,
    inspect,
    select,
    text,
)

from bot.store import channels, migrate, tables
from bot.store.database import SCHEMA, Database
from tests.factories import NOON, a_channel
from tests.fakes import FakeClock

EARLIER = migrate.revisions()[:-1]
# What a CHECK of a schema lets pass; every other column takes any value of its type.
ALLOWED = {
    "platform": "telegram",
    "kind": "publish",
    "state": "planned",
    "held_reason": "editor",
    "passes.kind": "link",
}
VALUES: list[tuple[type[Any], Any]] = [
    (Boolean, True),
    (SmallInteger, 4),
    (Integer, 1),
    (BigInteger, 1),
    (Text, "x"),
    (LargeBinary, b"x"),
]
Answer = TypeVar("Answer")


@pytest.fixture
async def fresh(database_url: str) -> AsyncIterator[Database]:
    """A database without any schema."""
    async with Database(database_url, FakeClock(NOON)) as opened:
        yield opened


async def upgraded(database: Database, to: str) -> None:
    async with database._writer.connect() as connection:
        await connection.run_sync(migrate.upgrade, to)
        await connection.commit()


async def within(database: Database, work: Callable[[Connection], Answer]) -> Answer:
    async with database.write() as tx:
        return await tx.run_sync(work)


def facts(connection: Connection) -> dict[tuple[str, str, str], Any]:
    """Return what a process relies on: of every table its columns, its indexes and its constraints."""
    schema = inspect(connection)
    known: dict[tuple[str, str, str], Any] = {}
    for name in set(schema.get_table_names()) - {"alembic_version"}:
        known[name, "table", ""] = None
        known[name, "primary key", ""] = tuple(schema.get_pk_constraint(name)["constrained_columns"])
        for column in schema.get_columns(name):
            known[name, "column", column["name"]] = (str(column["type"]), column["nullable"], column["default"])
        for check in schema.get_check_constraints(name):
            known[name, "check", str(check["name"])] = check["sqltext"]
        for key in schema.get_foreign_keys(name):
            known[name, "foreign key", str(key["constrained_columns"])] = key["referred_table"]
        for unique in schema.get_unique_constraints(name):
            known[name, "unique", str(unique["name"])] = tuple(unique["column_names"])
        for index in schema.get_indexes(name):
            where = [str(value) for value in index.get("dialect_options", {}).values()]
            kind = "unique" if index["unique"] else "index"
            known[name, kind, str(index["name"])] = (*index["column_names"], *where)
    return known


def broken(before: dict[tuple[str, str, str], Any], after: dict[tuple[str, str, str], Any]) -> list[str]:
    """Name what a migration did that a process of the release before could stumble over."""
    faults = [
        f"{table} {kind} {name}: {was} became {after.get((table, kind, name), 'nothing')}"
        for (table, kind, name), was in before.items()
        if (table, kind, name) not in after or after[table, kind, name] != was
    ]
    added = {fact: value for fact, value in after.items() if fact not in before and (fact[0], "table", "") in before}
    for (table, kind, name), value in added.items():
        match kind:
            case "column":
                _, nullable, default = value
                harmless = nullable or default is not None
            case "unique":  # a column that the older process leaves empty collides with nothing
                harmless = any((table, "column", column) in added for column in value)
            case "check" | "foreign key":
                harmless = any(fact[:2] == (table, "column") and fact[2] in f"{name} {value}" for fact in added)
            case _:
                harmless = True
        if not harmless:
            faults.append(f"{table} {kind} {name}: {value} is asked of a process that does not know it")
    return faults


def a_value(column: Column[Any]) -> Any:
    allowed = ALLOWED.get(f"{column.table.name}.{column.name}") or ALLOWED.get(column.name)
    if allowed is not None:
        return allowed
    if column.foreign_keys:
        return 1
    return next((value for kind, value in VALUES if isinstance(column.type, kind)), {})


def a_row(table: Table) -> dict[str, Any]:
    """Return a row with every column filled; the first of its table, so that what refers to it refers to number 1."""
    return {column.name: a_value(column) for column in table.columns}


def reflected(connection: Connection) -> list[Table]:
    """Return the tables as a process of this schema knows them, those first that others refer to."""
    metadata = MetaData()
    metadata.reflect(connection)
    return [table for table in metadata.sorted_tables if table.name != "alembic_version"]


def work_with(old: list[Table]) -> Callable[[Connection], None]:
    """Insert a row into every table, read it and change it, the way a process of that schema does."""

    def work(connection: Connection) -> None:
        for table in old:
            connection.execute(table.insert(), a_row(table))
        look_again(old)(connection)

    return work


def look_again(old: list[Table]) -> Callable[[Connection], None]:
    def work(connection: Connection) -> None:
        for table in old:
            row: Row[Any] = connection.execute(select(table)).one()
            assert dict(row._mapping) == a_row(table), table.name
            assert connection.execute(table.update(), a_row(table)).rowcount == 1, table.name

    return work


@pytest.mark.parametrize(("before", "after"), list(pairwise(migrate.revisions())))
async def test_a_migration_only_adds(fresh: Database, before: str, after: str) -> None:
    await upgraded(fresh, before)
    old = await within(fresh, facts)
    await upgraded(fresh, after)
    assert broken(old, await within(fresh, facts)) == []


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("ALTER TABLE pace RENAME TO rates", "pace table "),
        ("ALTER TABLE leases DROP COLUMN term", "leases column term"),
        ("ALTER TABLE house RENAME COLUMN note TO words", "house column note"),
        ("DROP INDEX uq_deliveries_in_flight", "deliveries unique uq_deliveries_in_flight"),
        ("CREATE UNIQUE INDEX uq_audit_who ON audit (who)", "audit unique uq_audit_who"),
        ("ALTER TABLE inboxes ADD COLUMN wanted INTEGER NOT NULL DEFAULT 0", None),
        ("CREATE INDEX ix_audit_who ON audit (who)", None),
    ],
)
async def test_the_test_above_sees_what_would_break_an_older_process(database, statement, fault):
    old = await within(database, facts)
    async with database.write() as tx:
        await tx.execute(text(statement))
    faults = broken(old, await within(database, facts))
    if fault is None:
        assert faults == []
    else:
        assert any(one.startswith(fault) for one in faults), faults


@pytest.mark.parametrize("before", EARLIER)
async def test_a_process_of_an_earlier_schema_works_on_while_the_database_becomes_this_releases(
    fresh: Database, database_url: str, before: str
) -> None:
    await upgraded(fresh, before)
    old = await within(fresh, reflected)
    await within(fresh, work_with(old))  # its statements are prepared now, as in a process that has run for days
    async with Database(database_url, FakeClock(NOON)) as next_release:
        await next_release.upgrade()
        await next_release.require_schema()
        await within(fresh, look_again(old))
        async with next_release.read() as tx:  # and this release reads what the earlier one wrote
            for table in tables.metadata.sorted_tables:
                rows = (await tx.execute(select(table))).all()
                assert len(rows) == (table.name in {one.name for one in old}), table.name
        # A place that the earlier process makes now, beside this release.
        async with next_release.write() as tx:
            for table in reversed(tables.metadata.sorted_tables):
                await tx.execute(table.delete())
        await within(fresh, work_with(old))


async def test_a_database_that_is_newer_than_this_release_is_taken_as_it_is(
    database: Database, clock: FakeClock
) -> None:
    newer = f"{int(SCHEMA) + 1:04}"
    async with database.write() as tx:
        await tx.execute(text("ALTER TABLE channels ADD COLUMN of_the_next_release TEXT NOT NULL DEFAULT ''"))
        await tx.execute(text("CREATE TABLE of_the_next_release (id INTEGER PRIMARY KEY)"))
        await tx.execute(text("UPDATE alembic_version SET version_num = :newer"), {"newer": newer})
    await database.require_schema()
    await database.upgrade()
    assert await database.schema() == newer
    async with database.write() as tx:
        ids = await channels.open_channels(tx, [a_channel()], clock.now())
        taken = await channels.alone(database, tx, ids["main"])
    assert taken is not None
    assert taken[0].name == "main"
