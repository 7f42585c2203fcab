"""Connections to an embedded SQLite on which a statement takes one trip to the connection's thread, not four.

The driver sends the making of a cursor, the statement, the fetching and the closing to its thread one by one; at three
short transactions a post these trips were most of what a post cost. It knows no schema and begins no transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

import aiosqlite

_BUSY = 20.0  # seconds to wait for another process's write
_CHUNK = 64


async def connect(path: str) -> aiosqlite.Connection:
    """Open a connection; transactions are begun by whoever uses it."""

    def opened() -> sqlite3.Connection:
        # Cursors are made on the loop's thread; statements run on the connection's, one at a time.
        return sqlite3.connect(path, timeout=_BUSY, isolation_level=None, check_same_thread=False)

    connection = _Connection(opened, _CHUNK)
    connection._thread.daemon = True  # as SQLAlchemy asks for: a stuck disk must not keep a stopped process alive
    return await connection


class _Connection(aiosqlite.Connection):
    async def cursor(self) -> aiosqlite.Cursor:  # type: ignore[override]
        return _Cursor(self, self._conn.cursor())


class _Cursor(aiosqlite.Cursor):
    """Fetches with the statement; what is asked of it later is in memory already."""

    _rows: list[Any]

    async def execute(self, sql: str, parameters: Iterable[Any] | None = None) -> aiosqlite.Cursor:
        self._rows = await self._execute(self._run, sql, parameters or ())  # type: ignore[no-untyped-call]
        return self

    def _run(self, sql: str, parameters: Any) -> list[Any]:
        self._cursor.execute(sql, parameters)
        return self._cursor.fetchall() if self._cursor.description else []

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        wanted = 1 if size is None else size
        given, self._rows = self._rows[:wanted], self._rows[wanted:]
        return given

    async def fetchall(self) -> list[Any]:
        given, self._rows = self._rows, []
        return given

    async def fetchone(self) -> Any:
        return next(iter(await self.fetchmany(1)), None)

    async def close(self) -> None:
        self._cursor.close()
