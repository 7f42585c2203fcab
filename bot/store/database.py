"""The engine room: opens the database, holds its traps shut, knows its schema. Knows no table.

Two engines on SQLite: one writer whose every transaction begins with BEGIN IMMEDIATE (else two of them read, both
write, and one update is lost), and read-only readers. On PostgreSQL both are one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Self

from sqlalchemy import event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from bot.clock import Clock
from bot.errors import DatabaseError, SettingsError
from bot.store.embedded import connect

SCHEMA = "0004"  # the newest revision under alembic/versions; a test compares
BELL = "vistnyk"  # the channel of LISTEN and NOTIFY

_QUEUES = 120.0  # seconds; a thousand channels that want a connection at once get one after the other
STEP = timedelta(seconds=1)  # a clock that is off by more was set
_PASSING = ("40001", "40P01", "57P01", "57P02", "57P03", "08000", "08003", "08006")  # SQLSTATE
_DRIVERS = ("asyncpg", "sqlite3")
_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # a mark that a power cut undoes would be a double
    "PRAGMA busy_timeout=20000",
    "PRAGMA foreign_keys=ON",
)


class Database:
    """One database, opened once a process.

    Args:
        url: `sqlite+aiosqlite:///path` or `postgresql+asyncpg://…`.
        clock: whose time counts on SQLite; PostgreSQL's own counts there, so that replicas agree.

    `heard` is called on SQLite after a transaction that rang the bell (`store.bell` sets it).
    `follow` is called on SQLite in a transaction of its own: before the first one, and when that clock was set.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        try:
            self._url = make_url(url)
        except ArgumentError as error:
            raise SettingsError("VISTNYK_DATABASE_URL: it is no database address") from error
        if self._url.drivername not in ("sqlite+aiosqlite", "postgresql+asyncpg"):
            raise SettingsError(
                f"VISTNYK_DATABASE_URL: {self._url.drivername!r} is not allowed;"
                " use sqlite+aiosqlite:///… or postgresql+asyncpg://…"
            )
        self._clock = clock
        self._lock: int | None = None
        self.heard: Callable[[], None] = lambda: None
        self._anchor: tuple[datetime, float] | None = None  # the wall clock and the running one at the last write
        self.follow: Callable[[AsyncConnection, Clock], Awaitable[None]] | None = None
        self._writer: AsyncEngine
        self._reader: AsyncEngine

    @property
    def is_embedded(self) -> bool:
        """Whether this is SQLite: one process, one file."""
        return self._url.drivername.startswith("sqlite")

    @property
    def path(self) -> Path | None:
        """The file of an embedded database."""
        return Path(self._url.database) if self.is_embedded and self._url.database else None

    @property
    def driver_arguments(self) -> dict[str, Any]:
        """How the driver itself connects, password included: never to be shown."""
        _, arguments = self._writer.dialect.create_connect_args(self._url)
        return {name: arguments[name] for name in arguments if not name.startswith("prepared_statement")}

    @property
    def shown(self) -> str:
        """The address without its password."""
        return self._url.render_as_string(hide_password=True)

    async def __aenter__(self) -> Self:
        if self.is_embedded:
            if self.path is not None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = _sqlite(self._url, begin="BEGIN IMMEDIATE", connections=1)
            self._reader = _sqlite(self._url, begin="BEGIN", connections=4, read_only=True)
        else:
            self._writer = self._reader = create_async_engine(
                self._url,
                pool_size=20,
                max_overflow=10,
                pool_timeout=_QUEUES,
                pool_pre_ping=True,
                pool_recycle=1800,
                connect_args={"timeout": 10, "command_timeout": 30},
            )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._reader.dispose()
        await self._writer.dispose()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that commits at the end of the block.

        Raises:
            DatabaseError: the database cannot be reached; whether a commit passed is then unknown.
        """
        rang = False
        async with _reached(self.shown):
            while True:
                async with self._writer.begin() as tx:
                    if not await self._was_set(tx):
                        tx.info.pop(BELL, None)
                        yield tx
                        rang = BELL in tx.info
                        break
        if rang:
            self.heard()

    async def _was_set(self, tx: AsyncConnection) -> bool:
        """Notice that the wall clock was set, as it and the running clock no longer agree, and have that followed.

        Asked with the one writing connection in hand, so that nothing is written by the new time before.
        """
        if not self.is_embedded or self.follow is None:
            return False
        before, self._anchor = self._anchor, (self._clock.now(), self._clock.running())
        if before is not None:
            (wall, running), (now, is_running) = before, self._anchor
            if abs(now - wall - timedelta(seconds=is_running - running)) < STEP:
                return False
        await self.follow(tx, self._clock)
        return True

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that only reads."""
        async with _reached(self.shown), self._reader.connect() as tx:
            yield tx

    async def now(self, tx: AsyncConnection) -> datetime:
        """Return the time all replicas agree on."""
        if self.is_embedded:
            return self._clock.now()
        moment: datetime = (await tx.execute(text("SELECT clock_timestamp()"))).scalar_one()
        return moment.astimezone(UTC)

    def own(self) -> None:
        """Take an embedded database for this process alone, until it is closed or dies.

        Raises:
            DatabaseError: another process holds it.
        """
        if self.path is None:
            return
        self._lock = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._lock)
            self._lock = None
            raise DatabaseError(
                f"{self.path} is in use by another `vistnyk run`; several need PostgreSQL (VISTNYK_DATABASE_URL)"
            ) from error

    async def schema(self) -> str | None:
        """Return the schema's revision, None where there is none."""
        try:
            async with self.read() as tx:
                return (await tx.execute(text("SELECT version_num FROM alembic_version"))).scalar_one_or_none()
        except DBAPIError:
            return None

    async def upgrade(self) -> None:
        """Bring the schema to this release's; does nothing where it is that or newer."""
        current = await self.schema()
        if current is not None and current >= SCHEMA:
            return
        from bot.store.migrate import (
            upgrade,
        )  # alembic weighs; most starts do not need it

        async with self._writer.connect() as connection:
            await connection.run_sync(upgrade)
            await connection.commit()

    async def require_schema(self) -> None:
        """Refuse a database that is not migrated.

        Raises:
            DatabaseError: it is unreachable or older than this release.
        """
        current = await self.schema()
        if current is None or current < SCHEMA:
            raise DatabaseError(
                f"{self.shown} is not migrated (schema {current or 'none'}, this release needs {SCHEMA});"
                " run `vistnyk db upgrade`"
            )


async def ring(tx: AsyncConnection) -> None:
    """Ring the bell of all workers when this transaction commits; `store.bell` hears it."""
    if tx.dialect.name == "postgresql":
        await tx.execute(text(f"NOTIFY {BELL}"))
    else:
        tx.info[BELL] = True


@contextlib.asynccontextmanager
async def _reached(shown: str) -> AsyncIterator[None]:
    try:
        yield
    except PoolTimeoutError as error:
        raise DatabaseError(f"{shown}: no connection was free for {_QUEUES:g} s") from error
    except (OperationalError, InterfaceError) as error:
        if "no such table" in str(error):
            raise
        raise DatabaseError(f"{shown}: {error.orig}") from error
    except DBAPIError as error:
        # A connection cut in mid-statement, a deadlock, a serialisation failure: the same transaction may pass later.
        if error.connection_invalidated or getattr(error.orig, "sqlstate", None) in _PASSING:
            raise DatabaseError(f"{shown}: {error.orig}") from error
        raise
    except OSError as error:
        raise DatabaseError(f"{shown}: cannot be reached ({error})") from error
    except Exception as error:
        if type(error).__module__.partition(".")[0] in _DRIVERS:  # what a driver says before SQLAlchemy hears of it
            raise DatabaseError(f"{shown}: {error}") from error
        raise


def _sqlite(url: Any, *, begin: str, connections: int, read_only: bool = False) -> AsyncEngine:
    engine = create_async_engine(
        url,
        # The driver's own transactions begin too late (at the first write): ours are begun by the event below.
        async_creator=partial(connect, url.database),
        poolclass=AsyncAdaptedQueuePool,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=_QUEUES,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        for pragma in _SQLITE_PRAGMAS:
            cursor.execute(pragma)
        if read_only:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def start(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine
