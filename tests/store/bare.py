"""Listens to what the rooms say to their database, and says it again by a bare driver, timed and explained."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from statistics import median
from typing import Any

import asyncpg
from sqlalchemy import event
from sqlalchemy.engine import make_url

from bot.store.database import Database

Said = tuple[str, tuple[Any, ...]]  # a statement and what it was given
_GROWING = "deliveries|ledger|attempts|articles|decisions"
# Reading a partial index from end to end is no scan of the history: it holds no more than the queue. Finding deliveries
# by their channel alone is one: it reads all that the channel ever had.
_OF_THE_QUEUE = "ix_deliveries_(?:turn|pinned|backlog|waiting|unfinished)|uq_deliveries_in_flight"
_WHOLE_CHANNEL = "ix_deliveries_channel_id_finished_at"
# Who lists all that waits, with its headlines, may read the articles in one go where those are a large share of them.
_ALL_THAT_WAITS = r"WHERE state IN \('proposed', 'planned', [^)]*\) ORDER BY deliveries.id\s*$"
_SQLITE_SCAN = re.compile(rf"SCAN (?:{_GROWING})\b(?! USING (?:COVERING )?INDEX (?:{_OF_THE_QUEUE}))")
_POSTGRES_SCAN = re.compile(rf"Seq Scan on (?:{_GROWING})\b")


@contextmanager
def listening(database: Database) -> Iterator[list[Said]]:
    """Give the list into which all goes that is said within the block."""
    said: list[Said] = []

    def listen(_: Any, __: Any, statement: str, parameters: Any, ___: Any, many: bool) -> None:
        if re.match(r"SELECT|WITH|INSERT|UPDATE|DELETE", statement):
            said.append((statement, tuple(parameters[0] if many else parameters)))

    engines = {database._writer.sync_engine, database._reader.sync_engine}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", listen)
    yield said
    for engine in engines:
        event.remove(engine, "before_cursor_execute", listen)


class Bare:
    """The same database under a bare driver; nothing that is said here stays."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._embedded = self._url.drivername.startswith("sqlite")

    async def costs(self, said: list[Said], times: int = 5) -> float:
        """Return the milliseconds that statements, said in this order in one transaction, cost the database.

        The first time on a connection is not counted: it reads the schema.
        """
        spent = self._sqlite_spent if self._embedded else self._postgres_spent
        return median([one async for one in spent(said, times + 1)][1:])

    async def scans(self, said: Said) -> bool:
        """Say whether a statement reads what grows with every post: a whole table, or all of a channel."""
        plan = await self.explain(said)
        if re.search(_ALL_THAT_WAITS, said[0]):
            plan = plan.replace("Seq Scan on articles", "")
        if (_SQLITE_SCAN if self._embedded else _POSTGRES_SCAN).search(plan):
            return True
        return _WHOLE_CHANNEL in plan and not re.search(_OF_THE_QUEUE, plan)

    async def explain(self, said: Said) -> str:
        """Return how the database carries out a statement: PostgreSQL for these parameters and for any at all."""
        statement, parameters = said
        if self._embedded:
            with self._sqlite() as connection:
                return "\n".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters))
        async with self._postgres() as connection:
            rows = await connection.fetch(f"EXPLAIN {statement}", *parameters)
            rows += await connection.fetch(f"EXPLAIN (GENERIC_PLAN) {statement}", *parameters)
            return "\n".join(row[0] for row in rows)

    @contextmanager
    def _sqlite(self) -> Iterator[sqlite3.Connection]:
        assert self._url.database is not None
        with closing(sqlite3.connect(self._url.database, isolation_level=None)) as connection:
            yield connection

    @asynccontextmanager
    async def _postgres(self) -> AsyncIterator[Any]:
        host, database = str(self._url.query["host"]), self._url.database
        connection = await asyncpg.connect(user="postgres", database=database, host=host)
        try:
            await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=str, decoder=str)
            yield connection
        finally:
            await connection.close()

    async def _sqlite_spent(self, said: list[Said], times: int) -> AsyncIterator[float]:
        with self._sqlite() as connection:
            for _ in range(times):
                began = time.perf_counter()
                connection.execute("BEGIN IMMEDIATE")
                for statement, parameters in said:
                    connection.execute(statement, parameters).fetchall()
                yield (time.perf_counter() - began) * 1000
                connection.execute("ROLLBACK")

    async def _postgres_spent(self, said: list[Said], times: int) -> AsyncIterator[float]:
        """Add up what the server itself says of planning and carrying out; a round trip is not its affair."""
        async with self._postgres() as connection:
            for _ in range(times):
                spent = 0.0
                await connection.execute("BEGIN")
                for statement, parameters in said:
                    rows = await connection.fetch(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", *parameters)
                    (figures,) = json.loads(rows[0][0])
                    spent += figures["Planning Time"] + figures["Execution Time"]
                await connection.execute("ROLLBACK")
                yield spent
