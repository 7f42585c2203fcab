"""The database setups: made, copied, put back, lost, cut off. And what the harness reads of them to wait and to tell.

What became public is never asked here: that is the sandbox's to say.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import sqlite3
import sys
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import asyncpg

from tests.chaos.nursery import ROOT

Rows = list[Sequence[Any]]


class Store(Protocol):
    """One database of one cell."""

    url: str
    copied_alive: bool  # whether a copy is taken while workers run
    before: list[str]  # addresses of the databases that were replaced, oldest first: they are kept to be looked at

    async def create(self) -> None: ...
    async def keep(self, variables: dict[str, str]) -> None:
        """Take a copy; a later one replaces it."""
        ...

    async def restore(self) -> None:
        """Put the copy back; nobody may be using the database."""
        ...

    async def wipe(self) -> None:
        """Lose everything; nobody may be using the database."""
        ...

    async def cut(self, chance: random.Random) -> int:
        """Cut some connections; return how many."""
        ...

    async def ask(self, query: str) -> Rows: ...


class SqliteStore:
    """A SQLite file."""

    copied_alive = True

    def __init__(self, folder: Path) -> None:
        self._file = folder / "vistnyk.db"
        self._copy = folder / "copy.db"
        self.before: list[str] = []
        self.url = f"sqlite+aiosqlite:///{self._file}"

    async def create(self) -> None:
        """Leave it to the first worker."""

    async def keep(self, variables: dict[str, str]) -> None:
        taken = self._copy.with_suffix(".new")
        taken.unlink(missing_ok=True)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "backup", str(taken)),
            cwd=ROOT,
            env=variables,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"vistnyk backup: {said.decode()}")
        taken.rename(self._copy)

    async def restore(self) -> None:
        await asyncio.to_thread(self._remake, self._copy)

    async def wipe(self) -> None:
        await asyncio.to_thread(self._remake, None)

    def _remake(self, copy: Path | None) -> None:
        aside = self._file.with_name(f"before-{len(self.before) + 1}.db")
        for ending in ("", "-wal", "-shm"):
            file = Path(f"{self._file}{ending}")
            if file.exists():
                file.rename(f"{aside}{ending}")
        self.before.append(f"sqlite+aiosqlite:///{aside}")
        if copy is not None:
            shutil.copy(copy, self._file)

    async def cut(self, chance: random.Random) -> int:
        return 0  # there is nothing to cut

    async def ask(self, query: str) -> Rows:
        def read() -> Rows:
            with closing(sqlite3.connect(self._file, timeout=20)) as connection:
                return list(connection.execute(query))

        return await asyncio.to_thread(read)


class PostgresStore:
    """A database on the suite's own PostgreSQL."""

    copied_alive = False  # a template must have no other users

    def __init__(self, socket: str, name: str, template: str) -> None:
        self._socket, self._name, self._template = socket, name, template
        self.before: list[str] = []
        self.url = self._address(name)

    async def create(self) -> None:
        await self._do([f"CREATE DATABASE {self._name} TEMPLATE {self._template}"])

    async def keep(self, variables: dict[str, str]) -> None:
        copy = f"{self._name}_copy"
        await self._do([f"DROP DATABASE IF EXISTS {copy}", f"CREATE DATABASE {copy} TEMPLATE {self._name}"])

    async def restore(self) -> None:
        await self._remake(f"{self._name}_copy")

    async def wipe(self) -> None:
        await self._remake(self._template)

    async def cut(self, chance: random.Random) -> int:
        connection = await self._connect("postgres")
        try:
            users = await connection.fetch(
                "SELECT pid FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'", self._name
            )
            cut = [user["pid"] for user in users if chance.random() < 0.3]
            for pid in cut:
                await connection.execute("SELECT pg_terminate_backend($1)", pid)
            return len(cut)
        finally:
            await connection.close()

    async def ask(self, query: str) -> Rows:
        connection = await self._connect(self._name)
        try:
            return [tuple(row) for row in await connection.fetch(query)]
        finally:
            await connection.close()

    async def _remake(self, template: str) -> None:
        aside = f"{self._name}_before_{len(self.before) + 1}"
        await self._do(
            [f"ALTER DATABASE {self._name} RENAME TO {aside}", f"CREATE DATABASE {self._name} TEMPLATE {template}"]
        )
        self.before.append(self._address(aside))

    def _address(self, name: str) -> str:
        return f"postgresql+asyncpg://postgres@/{name}?host={self._socket}"

    async def _connect(self, name: str) -> Any:
        return await asyncpg.connect(user="postgres", database=name, host=self._socket)

    async def _do(self, commands: Iterable[str]) -> None:
        connection = await self._connect("postgres")
        try:
            for command in commands:
                await self._insist(connection, command)
        finally:
            await connection.close()

    @staticmethod
    async def _insist(connection: Any, command: str) -> None:
        """Repeat a command until the server has noticed that killed clients are gone."""
        for _ in range(100):
            try:
                await connection.execute(command)
                return
            except asyncpg.ObjectInUseError:
                await asyncio.sleep(0.1)
        raise RuntimeError(f"{command}: the database is still in use")


def variables_of(store: Store, others: dict[str, str]) -> dict[str, str]:
    """Return the environment of a whole process of the bot."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("VISTNYK_")}
    return kept | others | {"VISTNYK_DATABASE_URL": store.url}
