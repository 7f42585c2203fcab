"""A migrated database of each kind, and channels in it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.domain.channel import ChannelId
from bot.store import channels
from bot.store.database import Database
from tests.factories import NOON, a_channel
from tests.fakes import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


@pytest.fixture
async def database(database_url: str, clock: FakeClock) -> AsyncIterator[Database]:
    async with Database(database_url, clock) as opened:
        await opened.upgrade()
        yield opened


@pytest.fixture
async def channel_id(database: Database) -> ChannelId:
    async with database.write() as tx:
        return (await channels.open_channels(tx, [a_channel()], NOON))["main"]
