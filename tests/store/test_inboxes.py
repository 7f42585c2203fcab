"""Updates are counted once, on both databases."""

from __future__ import annotations

import asyncio

from bot.store import inboxes
from bot.store.database import Database


async def counted(database: Database, number: int, account: str = "telegram:1") -> bool:
    async with database.write() as tx:
        return await inboxes.advance(tx, account, number)


async def test_an_update_is_counted_once_and_those_before_it_with_it(database):
    assert await counted(database, 700)
    assert not await counted(database, 700)
    assert not await counted(database, 650)
    assert await counted(database, 701)
    assert await counted(database, 1, account="telegram:2"), "each bot has its own"


async def test_of_two_that_count_one_update_at_once_one_does(database):
    assert sorted(await asyncio.gather(*(counted(database, 700) for _ in range(2)))) == [False, True]


async def test_an_update_whose_handling_is_undone_is_not_counted(database):
    class UndoneError(Exception):
        pass

    try:
        async with database.write() as tx:
            assert await inboxes.advance(tx, "telegram:1", 700)
            raise UndoneError
    except UndoneError:
        pass
    assert await counted(database, 700)


async def test_numbers_that_begin_anew_after_a_week_of_silence_are_counted(database):
    assert await counted(database, 900_000_000)
    assert await counted(database, 123_456), "Telegram chose a lower number"
    assert not await counted(database, 123_456)
    assert await counted(database, 123_457)
