"""An embedded database follows a clock that was set: spans that run go on, whatever the wall clock says."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from bot.domain.pace import Rate
from bot.store import channels, house, pace, steps
from bot.store.database import Database
from tests.factories import NOON, a_channel

HOUR = timedelta(hours=1)
RATE = Rate(1, timedelta(minutes=1))


class SetClock:
    """A wall clock that may be set, beside one that only runs."""

    def __init__(self) -> None:
        self.wall, self.passed, self.started = NOON, 0.0, "first"

    def now(self) -> datetime:
        return self.wall

    def running(self) -> float:
        return self.passed

    def boot(self) -> str:
        return self.started

    def tick(self, span: timedelta) -> None:
        self.wall += span
        self.passed += span.total_seconds()


@pytest.mark.parametrize("step", [3 * HOUR, -3 * HOUR], ids=["forward", "back"])
async def test_gaps_bans_and_duties_last_as_long_after_the_clock_was_set(sqlite_url: str, step: timedelta):
    clock = SetClock()
    async with Database(sqlite_url, clock) as database:
        await database.upgrade()
        database.follow = steps.follow
        async with database.write() as tx:
            channel_id = (await channels.open_channels(tx, [a_channel()], clock.now()))["main"]
            await channels.change(tx, channel_id, last_at=NOON, rests_until=NOON + timedelta(minutes=2))
            await pace.reserve(tx, [("chat", RATE)], NOON)
            assert await house.take_lease(tx, "duty", "one", NOON, timedelta(minutes=1))
        clock.tick(timedelta(seconds=10))
        clock.wall += step
        async with database.write() as tx:
            now = await database.now(tx)
            row = await channels.get(tx, channel_id)
            assert row is not None
            assert row.last_at is not None
            assert row.rests_until is not None
            assert now - row.last_at == timedelta(seconds=10)
            assert row.rests_until - now == timedelta(seconds=110)
            assert row.wake_at == now
            assert await pace.earliest(tx, [("chat", RATE)], now) - now == timedelta(seconds=50)
            assert not await house.take_lease(tx, "duty", "other", now, HOUR)
        clock.tick(timedelta(seconds=51))
        async with database.write() as tx:
            assert await house.take_lease(tx, "duty", "other", await database.now(tx), HOUR)


async def test_a_clock_that_merely_runs_shifts_nothing(sqlite_url: str):
    clock = SetClock()
    async with Database(sqlite_url, clock) as database:
        await database.upgrade()
        database.follow = steps.follow
        async with database.write() as tx:
            channel_id = (await channels.open_channels(tx, [a_channel()], clock.now()))["main"]
            await channels.change(tx, channel_id, last_at=NOON)
        for _ in range(5):
            clock.tick(HOUR)
            clock.wall += timedelta(milliseconds=300)  # slewed, not set
            async with database.write() as tx:
                row = await channels.get(tx, channel_id)
        assert row is not None
        assert row.last_at == NOON


@pytest.mark.parametrize("step", [HOUR, -HOUR], ids=["forward", "back"])
async def test_a_clock_that_is_set_while_nobody_runs_is_followed_at_the_next_start(sqlite_url: str, step: timedelta):
    clock = SetClock()
    async with Database(sqlite_url, clock) as database:
        await database.upgrade()
        database.follow = steps.follow
        async with database.write() as tx:
            await pace.ban(tx, [("chat", RATE)], NOON + timedelta(seconds=50))
    clock.tick(timedelta(seconds=10))
    clock.wall += step
    for _ in range(2):  # the second start finds nothing left to follow
        async with Database(sqlite_url, clock) as database:
            database.follow = steps.follow
            async with database.write() as tx:
                now = await database.now(tx)
                assert await pace.earliest(tx, [("chat", RATE)], now) - now == timedelta(seconds=40)


async def test_two_processes_follow_one_step_once(sqlite_url: str):
    clock = SetClock()
    async with Database(sqlite_url, clock) as one, Database(sqlite_url, clock) as other:
        await one.upgrade()
        one.follow = other.follow = steps.follow
        for database in (one, other):
            async with database.write() as tx:
                await pace.ban(tx, [("chat", RATE)], NOON + timedelta(seconds=50))
        clock.wall += HOUR
        for database in (one, other):
            async with database.write() as tx:
                now = await database.now(tx)
                assert await pace.earliest(tx, [("chat", RATE)], now) - now == timedelta(seconds=50)


async def test_after_a_start_of_the_machine_no_step_is_made_up(sqlite_url: str):
    clock = SetClock()
    async with Database(sqlite_url, clock) as database:
        await database.upgrade()
        database.follow = steps.follow
        async with database.write() as tx:
            await pace.ban(tx, [("chat", RATE)], NOON + timedelta(seconds=50))
    clock.wall += timedelta(seconds=30)
    clock.started, clock.passed = "second", 0.0
    async with Database(sqlite_url, clock) as database:
        database.follow = steps.follow
        async with database.write() as tx:
            now = await database.now(tx)
            assert await pace.earliest(tx, [("chat", RATE)], now) - now == timedelta(seconds=20)


async def test_what_lies_too_far_ahead_at_a_start_is_brought_back(sqlite_url: str):
    clock = SetClock()
    async with Database(sqlite_url, clock) as database:
        await database.upgrade()
        async with database.write() as tx:
            channel_id = (await channels.open_channels(tx, [a_channel()], clock.now()))["main"]
            later = NOON + timedelta(days=400)
            await channels.change(tx, channel_id, last_at=later, rests_until=later)
            await pace.ban(tx, [("chat", RATE)], later)
            await house.take_lease(tx, "duty", "dead", later, HOUR)
            await house.keep_fact(tx, "beat", later)
            await steps.bound(tx, NOON)
            row = await channels.get(tx, channel_id)
            assert row is not None
            assert (row.last_at, row.rests_until) == (NOON, None)
            assert await pace.earliest(tx, [("chat", RATE)], NOON) == NOON
            assert await house.take_lease(tx, "duty", "next", NOON + timedelta(seconds=1), HOUR)
            assert await house.fact(tx, "beat") == NOON
            assert (await tx.execute(text("SELECT count(*) FROM pace"))).scalar_one() == 1
