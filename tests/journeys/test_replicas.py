"""Several replicas on one PostgreSQL: what one takes in another sends at once, single duties are one replica's."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.app import Service
from bot.clock import SystemClock
from bot.sandbox import Sandbox
from tests.factories import an_article
from tests.journeys.outlet import PAGE, Outlet, until

pytestmark = pytest.mark.postgres
NOW = SystemClock().now()


@pytest.fixture
def shared(tmp_path: Path, sandbox: Sandbox, postgres_url: str) -> Outlet:
    """An outlet whose replicas share a PostgreSQL."""
    return Outlet(tmp_path, sandbox, postgres_url)


@asynccontextmanager
async def at_work(service: Service) -> AsyncIterator[None]:
    working = asyncio.create_task(service.worker.run())
    try:
        yield
    finally:
        await service.worker.stop()
        await working


def shown(outlet: Outlet, count: int) -> bool:
    return len(outlet.telegram) == count


async def until_quick(condition: Callable[[], bool]) -> float:
    began = time.perf_counter()
    await until(condition, seconds=10)
    return time.perf_counter() - began


async def test_what_one_replica_takes_in_another_one_sends_within_a_second(shared: Outlet):
    async with shared.open() as one, shared.open() as other, at_work(other):
        await asyncio.sleep(1)  # both look once and find nothing to do for seconds
        waits = []
        for number in range(5):
            article = an_article(published_at=NOW - timedelta(minutes=1))
            await one.house.intake.accept([article], "push")
            waits.append(await until_quick(partial(shown, shared, number + 1)))
    assert sorted(waits)[2] < 1


async def test_a_bell_that_was_cut_is_made_anew(shared: Outlet):
    async with shared.open() as one, shared.open() as other, at_work(other):
        async with one.house.database.write() as tx:
            cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
            assert len((await tx.execute(text(cut))).all()) == 2
        await asyncio.sleep(3)
        article = an_article(published_at=NOW - timedelta(minutes=1))
        await one.house.intake.accept([article], "push")
        assert await until_quick(partial(shown, shared, 1)) < 1.5


async def test_one_replica_reads_back_and_another_takes_over_when_it_is_gone(shared: Outlet):
    shared.variables |= {"VISTNYK_DELIVERY__LEASE": "2s", "VISTNYK_DELIVERY__TIMEOUT": "500ms"}
    async with shared.open() as one, shared.open() as other:
        assert await one.reconciler._has_duty()
        assert not await other.reconciler._has_duty()
        assert await one.reconciler._has_duty()
        await one.give_back()
        assert await other.reconciler._has_duty()
        assert not await one.reconciler._has_duty()
        await asyncio.sleep(2.1)  # as if it were dead
        assert await one.reconciler._has_duty()


@pytest.mark.timeout(180)
async def test_of_four_replicas_three_are_killed_and_the_fourth_carries_on_within_a_lease(shared: Outlet):
    lease, gap, count = 6.0, 0.25, 32
    shared.variables |= {
        "VISTNYK_DELIVERY__LEASE": f"{lease:.0f}s",
        "VISTNYK_DELIVERY__TIMEOUT": "1500ms",
        "VISTNYK_DELIVERY__SETTLE": "1s",
        "VISTNYK_DELIVERY__FACEBOOK_SETTLE": "1s",
    }
    shared.write(min_gap=f"{gap * 1000:.0f}ms")
    shared.sandbox.telegram.latency = shared.sandbox.facebook.latency = 0.05

    def telegram() -> list[tuple[float, str]]:
        return [(post.date, post.text) for post in shared.sandbox.telegram.history("@outlet_main")]

    def facebook() -> list[tuple[float, str]]:
        return [(post.public_at or 0.0, post.message) for post in shared.sandbox.facebook.history(PAGE)]

    await shared.migrate()
    replicas = await asyncio.gather(*(shared.start("run") for _ in range(4)))
    try:
        async with shared.open() as gate:
            began_at = NOW - timedelta(hours=1)
            stories = [
                an_article(title=f"Новина {number}", published_at=began_at + timedelta(seconds=number))
                for number in range(count)
            ]
            await gate.house.intake.accept(stories, "push")
        await until(lambda: min(len(telegram()), len(facebook())) >= 8, seconds=60)
        for replica in replicas[:3]:
            replica.kill()
        killed_at = time.time()
        await until(lambda: len(telegram()) == len(facebook()) == count, seconds=90)
        assert replicas[3].returncode is None
    finally:
        for replica in replicas:
            if replica.returncode is None:
                replica.kill()
        await asyncio.gather(*(replica.communicate() for replica in replicas))
    for posts in (telegram(), facebook()):
        assert [said.splitlines()[0] for _, said in posts] == [f"Новина {number}" for number in range(count)]
        times = [at for at, _ in posts]
        assert min(later - earlier for earlier, later in pairwise(times)) >= gap
        # One lease, the bell that rings every five seconds and ends it, and three looks where a post had not left.
        assert max(later - earlier for earlier, later in pairwise(times) if later > killed_at) < lease + 20
