"""Each safety is real: with it a post stands once, in its time; without it the sandbox shows a double or a broken gap.

Nothing in the bot can be switched off. Each test takes its safety away by the smallest seam there is, named in its
docstring, together with the twin that would cover for it; the same events with and without it are told apart only by
what the platform's own record shows.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import failpoints
from bot.app import Service
from bot.clock import SystemClock
from bot.domain.article import Article
from bot.domain.channel import ChannelId
from bot.domain.delivery import FINAL, Delivery, State
from bot.domain.plan import Head
from bot.intake.one_pass import Intake
from bot.outbox import deliver
from bot.outbox.deliver import Deliverer
from bot.outbox.lane import Lane
from bot.outbox.prepare import Ready
from bot.outbox.proving import Prover
from bot.outbox.record import Marked
from bot.sandbox import mishaps
from bot.store import deliveries, pace
from bot.store.tables import deliveries as rows
from tests.factories import an_article
from tests.journeys.outlet import Outlet, publish, until
from tests.journeys.test_mishaps import settle as settled

NOW = SystemClock().now()
UNHURRIED = {"VISTNYK_DELIVERY__TIMEOUT": "8s", "VISTNYK_DELIVERY__LEASE": "30s"}
BRISK = {
    "VISTNYK_DELIVERY__TIMEOUT": "1s",
    "VISTNYK_DELIVERY__LEASE": "3s",
    "VISTNYK_DELIVERY__SETTLE": "400ms",
    "VISTNYK_DELIVERY__HOLD_AFTER": "60s",
}
ON_AND_OFF = pytest.mark.parametrize("on", [True, False], ids=["on", "off"])


@pytest.fixture(autouse=True)
def quick(outlet: Outlet) -> None:
    """Short leases, and one channel alone."""
    outlet.variables |= BRISK
    outlet.write(facebook='rubrics = ["ніколи"]')


@pytest.fixture
def dying() -> Iterator[None]:
    """Let workers die once the platform has answered, before they can write that down."""
    failpoints.arm("call.after=raise")
    yield
    failpoints.arm("")


def a_story(number: int = 0) -> Article:
    at = NOW - timedelta(minutes=10) + timedelta(seconds=number)
    return an_article(title=f"Новина {number}", published_at=at, updated_at=NOW)


def shown(outlet: Outlet) -> list[str]:
    """The first lines of everything that the channel ever showed, in order of appearance."""
    return [post.text.splitlines()[0] for post in outlet.sandbox.telegram.history("@outlet_main")]


def gaps(outlet: Outlet) -> list[float]:
    times = [post.date for post in outlet.sandbox.telegram.history("@outlet_main")]
    return [later - earlier for earlier, later in pairwise(times)]


def the_lane(service: Service) -> Lane:
    return next(lane for lane in service.lanes.values() if lane.channel.name == "telegram-main")


async def settle(service: Service) -> None:
    await settled(service, seconds=40)


class StillWorker:
    """A worker that stands still between the steps of a delivery, as a frozen process does."""

    def __init__(self, service: Service) -> None:
        self.deliverer = service.worker._deliverer
        self.lane = the_lane(service)
        self.claimed: Delivery
        self.ready: Ready
        self.marked: Marked

    async def claim(self) -> None:
        claimed = await self.deliverer._claim(self.lane)
        assert isinstance(claimed, Delivery)
        ready = await self.deliverer._prepare(claimed, self.lane)
        assert isinstance(ready, Ready)
        self.claimed, self.ready = claimed, ready

    async def mark(self) -> None:
        marked = await self.deliverer._mark(self.lane, self.claimed, self.ready)
        assert marked is not None
        self.marked = marked

    async def sleep_past_the_guard(self) -> None:
        timing, clock = self.deliverer._timing, self.deliverer._clock
        await until(lambda: clock.running() > self.marked.asked_at + timing.guard.total_seconds())

    async def call(self) -> None:
        await self.deliverer._call(self.lane, self.marked, self.ready)


@ON_AND_OFF
async def test_the_mark(outlet: Outlet, monkeypatch: pytest.MonkeyPatch, dying: None, on: bool):
    """Off: `Deliverer._mark` commits nothing. A worker dies between the platform's answer and its record."""

    async def unmarked(self: Deliverer, lane: Lane, delivery: Delivery, ready: Ready) -> Marked:
        return Marked(delivery=replace(delivery, state=State.SENDING), attempt_id=0, asked_at=self._clock.running())  # type: ignore[arg-type]

    async with outlet.open() as service:
        with monkeypatch.context() as patch:
            if not on:
                patch.setattr(Deliverer, "_mark", unmarked)
            await publish(service, a_story())
        failpoints.arm("")
        await settle(service)
    assert shown(outlet) == ["Новина 0"] * (1 if on else 2)


@ON_AND_OFF
async def test_the_fence(outlet: Outlet, monkeypatch: pytest.MonkeyPatch, on: bool):
    """Off: the UPDATE of `deliveries.move` names neither the fence nor its twin, the state that it starts from.

    A worker freezes after its claim; when it wakes, another one has sent its post.
    """

    async def unfenced(tx: AsyncConnection, delivery: Delivery, to: State, now: datetime, **columns: Any) -> None:
        values = {"held_reason": None, "finished_at": now if to in FINAL else None} | columns
        await tx.execute(rows.update().where(rows.c.id == delivery.id).values(state=to, **values))

    async with outlet.open() as service:
        if not on:
            monkeypatch.setattr(deliveries, "move", unfenced)
        await service.house.intake.accept([a_story()], "push")
        sleeper = StillWorker(service)
        await sleeper.claim()
        await settle(service)
        with contextlib.suppress(Exception):  # of whatever kind: what counts is what the channel shows
            await sleeper.mark()
            await sleeper.call()
    assert shown(outlet) == ["Новина 0"] * (1 if on else 2)


@ON_AND_OFF
async def test_the_guard(outlet: Outlet, monkeypatch: pytest.MonkeyPatch, on: bool):
    """Off: `leave_by` sets no deadline, which both the call and the socket look at.

    A worker freezes between its mark and its call; when it wakes, its post was proved absent and sent by another one.
    """
    async with outlet.open() as service:
        await publish(service, a_story(0))  # the neighbour, without which nothing can be proved absent
        await service.house.intake.accept([a_story(1)], "push")
        sleeper = StillWorker(service)
        await sleeper.claim()
        await sleeper.mark()
        await settle(service)
        assert shown(outlet) == ["Новина 0", "Новина 1"]
        await sleeper.sleep_past_the_guard()
        if not on:
            monkeypatch.setattr(deliver, "leave_by", lambda _: contextlib.nullcontext())
        with contextlib.suppress(Exception):
            await sleeper.call()
    assert shown(outlet) == ["Новина 0", "Новина 1"] + ([] if on else ["Новина 1"])


@ON_AND_OFF
async def test_the_settle_time(outlet: Outlet, on: bool):
    """Off: a settle time of nothing. A call whose worker gave up waits in the platform's hands before it is public."""
    outlet.variables["VISTNYK_DELIVERY__SETTLE"] = "8s" if on else "1ms"
    async with outlet.open() as service:
        await publish(service, a_story(0))
        outlet.sandbox.telegram.next("sendMessage", mishaps.slow(7))
        await publish(service, a_story(1))
        await settle(service)
        await until(lambda: len(shown(outlet)) == (2 if on else 3))  # until the slow one has arrived
    assert sorted(shown(outlet)) == ["Новина 0", "Новина 1"] + ([] if on else ["Новина 1"])


@ON_AND_OFF
async def test_the_unique_index_of_posts(outlet: Outlet, monkeypatch: pytest.MonkeyPatch, on: bool):
    """Off: without `uq_deliveries_once`, and without its twin, `Intake._planned`, that looks before it queues."""

    async def nothing(*_: object) -> set[Any]:
        return set()

    async with outlet.open() as service:
        if not on:
            monkeypatch.setattr(Intake, "_planned", nothing)
            async with service.house.database.write() as tx:
                await tx.execute(text("DROP INDEX uq_deliveries_once"))
        story = a_story()
        await publish(service, story)
        await publish(service, story, source="ingest")  # told once more, by somebody else
    assert shown(outlet) == ["Новина 0"] * (1 if on else 2)


@ON_AND_OFF
async def test_the_unique_index_of_what_is_in_flight(outlet: Outlet, monkeypatch: pytest.MonkeyPatch, on: bool):
    """Off: without `uq_deliveries_in_flight`, and without its twin, the claim's own look at what is in flight.

    A worker is on its way with one post when another worker wants the next one: the channel's gap would be broken.
    """

    async def careless(tx: AsyncConnection, channel_id: ChannelId) -> list[Head]:
        rows = (await tx.execute(deliveries._QUERY, {"channel": channel_id})).all()
        return [deliveries._head(row) for row in rows if row.turn != deliveries._FLYING]

    outlet.variables |= UNHURRIED
    outlet.write(facebook='rubrics = ["ніколи"]', schedule='min_gap = "1s"')
    outlet.toml.write_text(outlet.toml.read_text("utf-8").replace('min_gap = "0s"\n', ""), "utf-8")
    async with outlet.open() as service:
        if not on:
            monkeypatch.setattr(deliveries, "heads", careless)
            async with service.house.database.write() as tx:
                await tx.execute(text("DROP INDEX uq_deliveries_in_flight"))
        await service.house.intake.accept([a_story(0), a_story(1)], "push")
        first = StillWorker(service)
        await first.claim()
        await first.mark()
        await service.worker.drain()
        await first.call()
        await settle(service)
    assert sorted(shown(outlet)) == ["Новина 0", "Новина 1"]
    (gap,) = gaps(outlet)
    assert (gap >= 1) is on
    assert (shown(outlet) == ["Новина 0", "Новина 1"]) is on


@ON_AND_OFF
async def test_adoption(outlet: Outlet, monkeypatch: pytest.MonkeyPatch, on: bool):
    """Off: `Prover.prove` believes every channel unseen. An old backup was put back, and the feed tells all again."""

    async def unseen(self: Prover, lane: Lane) -> bool:
        self._seen[lane.id] = ()
        return True

    stories = [a_story(number) for number in range(4)]
    file = Path(str(make_url(outlet.variables["VISTNYK_DATABASE_URL"]).database))
    async with outlet.open() as service:
        await publish(service, *stories[:2])
    shutil.copy(file, outlet.place / "backup.db")
    async with outlet.open() as service:
        await publish(service, *stories[2:])
    for leftover in outlet.place.glob("vistnyk.db*"):
        leftover.unlink()
    shutil.copy(outlet.place / "backup.db", file)
    if not on:
        monkeypatch.setattr(Prover, "prove", unseen)
    async with outlet.open() as service:
        await publish(service, *stories)
        await settle(service)
    once = [f"Новина {number}" for number in range(4)]
    assert shown(outlet) == once + ([] if on else ["Новина 2", "Новина 3"])


@ON_AND_OFF
async def test_pace(outlet: Outlet, monkeypatch: pytest.MonkeyPatch, on: bool):
    """Off: `pace.earliest` and `pace.reserve` let every call leave at once; the chat takes one a second."""

    async def now_at_once(_: AsyncConnection, __: object, now: datetime, **___: object) -> datetime:
        return now

    outlet.variables |= UNHURRIED | {"VISTNYK_PACE__CHAT": "1/s"}
    async with outlet.open() as service:
        if not on:
            monkeypatch.setattr(pace, "earliest", now_at_once)
            monkeypatch.setattr(pace, "reserve", now_at_once)
        await publish(service, *(a_story(number) for number in range(6)))
        await settle(service)
    assert shown(outlet) == [f"Новина {number}" for number in range(6)]
    assert (sum(gaps(outlet)) > 4.5) is on  # five gaps, the first call's connection counted in
