"""The whole bot from its composition root, against the sandbox of both platforms."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.sandbox import Sandbox
from tests.journeys.desk import staff
from tests.journeys.outlet import Outlet


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as running:
        yield running


@pytest.fixture
def outlet(tmp_path: Path, sandbox: Sandbox, sqlite_url: str) -> Outlet:
    """An outlet with one Telegram channel and one Facebook Page, on SQLite."""
    return Outlet(tmp_path, sandbox, sqlite_url)


@pytest.fixture
def either_outlet(tmp_path: Path, sandbox: Sandbox, database_url: str) -> Outlet:
    """The same, once on SQLite and once on PostgreSQL."""
    return Outlet(tmp_path, sandbox, database_url)


@pytest.fixture
def desk(outlet: Outlet) -> Outlet:
    """An outlet with editors, none of whom has said anything yet; on SQLite."""
    staff(outlet, started=False)
    return outlet


@pytest.fixture
def either_desk(either_outlet: Outlet) -> Outlet:
    """The same, once on SQLite and once on PostgreSQL."""
    staff(either_outlet, started=False)
    return either_outlet
