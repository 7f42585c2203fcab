"""What a look at the queue costs once a million posts lie behind it: a few milliseconds, and never a scan of them.

The real rooms are watched at their work: the deliverer's claim, the worker's look, the reconciler's pass, a post that
goes its whole way. What they said to the database is then said again by a bare driver, timed and explained, so that the
figures are the database's own and hold on a busy machine too.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from bot.agenda import backlog
from bot.app import templates
from bot.clock import SystemClock
from bot.compose.post import Composer
from bot.domain.channel import ChannelId
from bot.domain.delivery import Delivery, DeliveryId, State
from bot.domain.pace import Rate
from bot.domain.timetable import CatchUp, Daily
from bot.intake.one_pass import Intake
from bot.metrics import Metrics
from bot.outbox.deliver import Deliverer
from bot.outbox.lane import Lane, Timing
from bot.outbox.prepare import Preparer
from bot.outbox.proving import Prover
from bot.outbox.reconcile import Reconciler
from bot.outbox.record import Recorder
from bot.store import channels, deliveries, listing
from bot.store.database import Database
from tests.factories import a_channel, a_timetable, an_article
from tests.fakes import FakePlatform, NoPhotos, Pages
from tests.store.a_million import IN_FLIGHT, OPEN, QUEUE, SHUT, WAITING, fill_postgres, fill_sqlite
from tests.store.bare import Bare, listening

pytestmark = pytest.mark.timeout(600)  # on a busy machine a million rows take their time

MOST_A_CLAIM = 5.0  # milliseconds
CLAIMS = 60
PARTIAL = (
    "ix_deliveries_turn",
    "ix_deliveries_pinned",
    "ix_deliveries_waiting",
    "ix_deliveries_backlog",
    "ix_deliveries_unfinished",
    "uq_deliveries_in_flight",
    "ix_channels_wake_at",
)


@dataclass(slots=True)
class Outlet:
    """The rooms of an outlet that has been at work for years."""

    url: str
    database: Database
    deliverer: Deliverer
    reconciler: Reconciler
    lanes: dict[ChannelId, Lane]

    @property
    def kind(self) -> str:
        return "SQLite" if self.database.is_embedded else "PostgreSQL"

    @property
    def open_lanes(self) -> list[Lane]:
        return [lane for lane in self.lanes.values() if lane.id <= OPEN - IN_FLIGHT]

    @property
    def busy_lanes(self) -> list[Lane]:
        return [lane for lane in self.lanes.values() if OPEN - IN_FLIGHT < lane.id <= OPEN]

    @property
    def shut_lanes(self) -> list[Lane]:
        return [lane for lane in self.lanes.values() if lane.id > OPEN]


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def filled_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a filled database of each kind."""

    async def migrate(url: str) -> None:
        async with Database(url, SystemClock()) as database:
            await database.upgrade()

    now = SystemClock().now()
    if request.param == "sqlite":
        path: Path = tmp_path_factory.mktemp("million") / "vistnyk.db"
        url = f"sqlite+aiosqlite:///{path}"
        asyncio.run(migrate(url))
        fill_sqlite(path, now)
        yield url
        path.unlink()
        return
    server = request.getfixturevalue("postgres_server")
    server.psql("CREATE DATABASE a_million")
    url = f"postgresql+asyncpg://postgres@/a_million?host={server.get_postmaster_info().socket_dir}"
    asyncio.run(migrate(url))
    fill_postgres(server, "a_million", now)
    yield url
    server.psql("DROP DATABASE a_million WITH (FORCE)")


@pytest.fixture
async def outlet(filled_url: str) -> AsyncIterator[Outlet]:
    clock, metrics, timing = SystemClock(), Metrics(), Timing()
    opens = clock.now() + timedelta(hours=12)
    shut = Daily.parse(f"{opens:%H}:00-{opens + timedelta(hours=1):%H}:00")
    lanes = {
        ChannelId(number): a_lane(number, windows=() if number <= OPEN else (shut,))
        for number in range(1, OPEN + SHUT + 1)
    }
    async with Database(filled_url, clock) as database:
        recorder = Recorder(database, clock, metrics, lanes, timing)
        composer = Composer(templates())
        preparer = Preparer(database, composer, NoPhotos(), Pages(), budget=timing.lease / 4)
        prover = Prover(database, clock, composer, timing)
        opened = Outlet(
            url=filled_url,
            database=database,
            deliverer=Deliverer(database, clock, metrics, preparer, recorder, prover, timing),
            reconciler=Reconciler(database, clock, metrics, lanes, recorder, prover, timing, holder="this one"),
            lanes=lanes,
        )
        await prover.prove_all(opened.open_lanes)
        yield opened


def a_lane(number: int, **timetable: Any) -> Lane:
    channel = a_channel(f"channel {number}", timetable=a_timetable(max_per_day=100_000, **timetable))
    publisher = FakePlatform(account=f"bot:{number}")
    publisher._number = 10_000_000  # after all that is public
    limits = ((f"chat {number} 1/s", Rate.parse("1000/s")), ("bot 30/s", Rate.parse("1000/s")))
    return Lane(id=ChannelId(number), channel=channel, publisher=publisher, limits=limits)


async def test_a_claim_costs_a_few_milliseconds_with_a_million_posts_behind_it(outlet: Outlet, capsys):
    bare = Bare(outlet.url)
    inside: dict[str, list[float]] = {}
    outside: dict[str, list[float]] = {}

    async def measure(name: str, work: Callable[[], Awaitable[Any]]) -> Any:
        with listening(outlet.database) as said:
            began = time.perf_counter()
            answer = await work()
            outside.setdefault(name, []).append((time.perf_counter() - began) * 1000)
        if isinstance(answer, Delivery):
            await put_back(outlet, answer)
        inside.setdefault(name, []).append(await bare.costs(said))
        return answer

    for turn in range(CLAIMS):
        free, shut = outlet.open_lanes[turn % len(outlet.open_lanes)], outlet.shut_lanes[turn * SHUT // CLAIMS]
        busy = outlet.busy_lanes[turn % IN_FLIGHT]
        assert isinstance(await measure("a claim", partial(outlet.deliverer._claim, free)), Delivery)
        assert await measure("a shut channel, 20 waiting", partial(outlet.deliverer._claim, shut)) is False
        assert await measure("a channel with one in flight", partial(outlet.deliverer._claim, busy)) is False
        await measure("the worker's look", partial(look, outlet))
    lines = [
        f"  {name:<30} {median(spent):6.3f} in the database, {median(outside[name]):6.2f} as the bot sees it"
        for name, spent in inside.items()
    ]
    told(capsys, f"{outlet.kind}: a million posts behind, 22,000 waiting, 1,000 channels shut; medians in ms", *lines)
    for name, spent in inside.items():
        assert median(spent) < MOST_A_CLAIM, name


async def test_nothing_that_is_said_while_posts_go_out_reads_what_lies_behind(outlet: Outlet, capsys):
    with listening(outlet.database) as said:
        await come_and_go(outlet)
        for lane in outlet.open_lanes[:3]:
            assert await outlet.deliverer.deliver_next(lane)  # its whole way, to a platform that takes it
        for lane in (outlet.busy_lanes[0], outlet.shut_lanes[0]):
            assert not await outlet.deliverer.deliver_next(lane)
        assert len(await look(outlet)) <= OPEN + 1
        async with outlet.database.write() as tx:
            now = await outlet.database.now(tx)
            assert len(await deliveries.waiting(tx, outlet.open_lanes[0].id)) > QUEUE // 2
            assert len(await listing.queue_lines(tx)) > WAITING
            await backlog.settle(tx, a_channel(timetable=a_timetable(catch_up=CatchUp.LATEST)), ChannelId(1), now)
        began = time.perf_counter()
        await outlet.reconciler.reconcile()
        passed = time.perf_counter() - began
    kinds = {statement: (statement, parameters) for statement, parameters in said}
    told(
        capsys,
        f"{outlet.kind}: a pass of the reconciler over {len(outlet.lanes):,} channels took {passed:.2f} s;"
        f" {len(said):,} statements of {len(kinds)} kinds in all",
    )
    bare = Bare(outlet.url)
    scanning = [f"{one[0]}\n{await bare.explain(one)}" for one in kinds.values() if await bare.scans(one)]
    assert not scanning, "\n\n".join(scanning)
    plans = "\n".join([await bare.explain(one) for one in kinds.values()])
    for index in PARTIAL:
        assert index in plans, index


async def come_and_go(outlet: Outlet) -> None:
    """Let an article come, change, be taken back and return."""
    served = {lane.id: lane.channel for lane in outlet.open_lanes[:3]}
    queued: list[DeliveryId] = []
    intake = Intake(
        outlet.database,
        SystemClock(),
        Metrics(),
        served,
        authority=["site"],
        gather=timedelta(0),
        composer=Composer(templates()),
        on_queued=queued.extend,
    )
    article = an_article(url="https://news.example/new", published_at=None)
    for told_now in (article, replace(article, title="Міст відкрили раніше")):
        await intake.accept([told_now], "site")
    assert len(queued) == len(served)
    assert await intake.retract(article.url, "помилка")


async def look(outlet: Outlet) -> list[ChannelId]:
    async with outlet.database.read() as tx:
        now = await outlet.database.now(tx)
        due = await channels.due(tx, now, OPEN + SHUT)
        await channels.next_wake(tx, now)
    return due


async def put_back(outlet: Outlet, delivery: Delivery) -> None:
    async with channels.turn(outlet.database, [delivery.channel_id]) as (tx, now):
        await deliveries.move(tx, delivery, State.PLANNED, now)


def told(capsys: pytest.CaptureFixture[str], *lines: str) -> None:
    """Print figures so that they can be quoted."""
    with capsys.disabled():
        print("", *lines, sep="\n")  # noqa: T201
