"""Runs one cell: builds the outlet, lets trouble begin and end, and brings what was seen before the judge."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from tests.chaos import evidence, platforms, stores
from tests.chaos.crew import Crew, Tally
from tests.chaos.judge import Verdict, Violation, judge, judge_bans
from tests.chaos.newsroom import PUSH_TOKEN, Newsroom
from tests.chaos.nursery import Event, Nursery
from tests.chaos.plan import Cell
from tests.chaos.platforms import Control, Place
from tests.chaos.shared import Met, StrayClock
from tests.chaos.stores import Store
from tests.chaos.weather import Weather, plan_of

_TOML = """
timezone = "Europe/Kyiv"

[[sources]]
name = "push"
kind = "push"
"""
_CHANNEL = """
[[channels]]
name = "{name}"
platform = "{platform}"
address = "{address}"
token_env = "{token_env}"
call_to_action = {{ text = "Підписуйтесь на наш канал", url = "https://chaos.example/{name}" }}
check_link = false
silent = []
[channels.schedule]
windows = []
blackouts = []
min_gap = "{min_gap:.0f}ms"
fresh_for = "365d"
catch_up = "all"
"""
_LEFT = (
    "SELECT count(*) FROM deliveries WHERE state IN ('planned', 'claimed', 'sending', 'unknown')"
    " OR state = 'held' AND held_reason = 'no-evidence'"
)
_LISTED = 400  # articles that are told again after a lost database: the bot looks back 500 posts


@dataclass(slots=True, kw_only=True)
class Result:
    """All there is to tell of a cell."""

    cell: Cell
    folder: Path
    seconds: float = 0.0
    tally: Tally = field(default_factory=Tally)
    met: dict[str, int] = field(default_factory=dict)
    failpoints: dict[str, int] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    stories: int = 0
    corrections: int = 0
    retractions: int = 0
    repeated_pushes: int = 0
    held_in_trouble: int = 0
    verdict: Verdict = field(default_factory=Verdict)
    told: dict[int, str] = field(default_factory=dict)  # by article of a violation: `why` and the calls

    @property
    def passed(self) -> bool:
        return not self.verdict.violations


class Run:
    """One cell in progress."""

    def __init__(
        self,
        cell: Cell,
        seed: int,
        folder: Path,
        store: Store,
        nursery: Nursery,
        session: aiohttp.ClientSession,
        tell: Callable[[str], None],
    ) -> None:
        self.cell, self.folder, self.store, self.nursery, self.tell = cell, folder, store, nursery, tell
        self._session = session
        self._chance = random.Random(f"{seed} {cell.name}")
        self.channels = platforms.places(cell.telegram, cell.facebook, cell.min_gap)
        self.result = Result(cell=cell, folder=folder)
        self.clock = StrayClock(folder / "clock")
        self._calm = False
        self._peaceful = True
        self._began = time.monotonic()
        self._shown = 0
        self._restored_at: list[float] = []
        self._copied = False
        self._ever_held: set[evidence.Key] = set()
        self._kept_of_seen: set[evidence.Key] = set()

    async def run(self) -> Result:
        """Run it from the empty channels to the verdict."""
        try:
            await self._open()
            await self._peace()
            await self._trouble()
            await self._calm_down()
            if self.cell.loses_database:
                await self._lose_database()
            await self.crew.end_all()
            await self._judge()
        finally:
            self._calm = True
            if hasattr(self, "crew"):
                await self.crew.kill_all()
            self.result.seconds = time.monotonic() - self._began
        return self.result

    # --- the way of a cell --------------------------------------------------------------------------------------

    async def _open(self) -> None:
        cell = self.cell
        await self.store.create()
        port = self.folder / "port"
        self.nursery.fork(
            f"{cell.name} sandbox",
            platforms.serve,
            self.channels,
            port,
            log=self.folder / "sandbox.log",
            heard=self._sandbox_heard,
        )
        await self._until(port.exists, 20, "the sandbox did not open")
        self.control = Control(f"http://127.0.0.1:{port.read_text()}", self._session)
        self._write_configuration()
        self.variables = stores.variables_of(self.store, self._variables())
        self.crew = Crew(
            self.nursery,
            self.folder,
            cell.name,
            cell.workers,
            self.variables,
            self._fork_of_chance("crew"),
            self._failpoints,
            whole_share=0.0,
            times=cell.times,
        )
        self.result.tally = self.crew.tally
        photos = [f"{self.control.url}/site/photo-{number}.jpg" for number in range(platforms.PHOTOS)]
        self.newsroom = Newsroom(self._fork_of_chance("newsroom"), self._session, self.crew.doors, photos)
        self.weather = Weather(
            cell.climate,
            self._fork_of_chance("weather"),
            self.crew,
            self.control,
            self.store,
            self.clock,
            cell.times,
        )
        self._armed = self._fork_of_chance("failpoints")

    async def _peace(self) -> None:
        """Publish a few posts in peace, so that each channel has a neighbour to be read back by."""
        self.crew.start()
        await self.newsroom.push(self.newsroom.write(3, plain=True))
        await self._until_shown(3 * len(self.channels), 30 * self.cell.times.slow)
        self._progress("peace")

    async def _trouble(self) -> None:
        self._peaceful = False
        self.crew.whole_share = self.cell.whole_share
        await self.crew.kill_all()  # the first workers have no failpoints
        self.crew.start()
        await self.weather.begin()
        telling = asyncio.create_task(self._tell_progress())
        try:
            await asyncio.wait_for(self._work(), self.cell.within)
        except TimeoutError:
            words = f"the targets were not met within {self.cell.within:.0f} s"
            self._violation("too slow", words)
        finally:
            telling.cancel()
            await self.weather.end()

    async def _calm_down(self) -> None:
        """End all trouble, and wait for the bot to settle what it left behind."""
        self._calm = True
        self.crew.whole_share = 0.0
        await self.crew.end_all()
        self.crew.tally.stopped_badly = 0  # failpoints were met in stopping, too
        self.crew.start()
        self._progress("trouble is over")
        await self._look_for_held()
        self.result.held_in_trouble = len(self._ever_held)
        await self._until_quiet()

    async def _lose_database(self) -> None:
        """Forget everything and be told everything: nothing may become public a second time."""
        await self._look_for_held()
        self._kept_of_seen = await self._ended()
        await self.crew.kill_all()
        self._restored_at.append(time.time())
        await self.store.wipe()
        self.crew.start()
        await self.newsroom.tell_again(_LISTED)
        self._progress("the database is lost, everything was told again")
        await self._until_quiet()

    # --- work ---------------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        """Write, correct and retract until the targets are met; put older databases back on the way."""
        cell, chance = self.cell, self._fork_of_chance("work")
        copies = [(number + 0.35) / cell.restores for number in range(cell.restores)]
        restores = [(number + 0.75) / cell.restores for number in range(cell.restores)]
        while True:
            await self._count_shown()
            wanted = len(self.newsroom.stories) * len(self.channels)
            done = min(self.crew.tally.kills / max(cell.kills, 1), wanted / max(cell.deliveries, 1))
            if copies and done >= copies[0]:
                copies.pop(0)
                await self._copy()
            elif restores and done >= restores[0]:
                restores.pop(0)
                await self._restore()
            elif done >= 1:
                return
            elif wanted - self._shown < 5 * len(self.channels):
                await self._write(chance)
            await asyncio.sleep(0.1)

    async def _write(self, chance: random.Random) -> None:
        await self.newsroom.push(self.newsroom.write(chance.randint(1, 6)))
        public = [story for story in self.newsroom.stories[3:] if story.accepted_at and story.retracted_at is None]
        if public and chance.random() < 0.15:
            self.result.corrections += 1
            await self.newsroom.correct(chance.choice(public[-40:]))
        if public and chance.random() < 0.08:
            self.result.retractions += 1
            await self.newsroom.retract(chance.choice(public[-40:]))

    async def _copy(self) -> None:
        if self.store.copied_alive:
            await self.store.keep(self.variables)
        else:
            await self._standing_still(lambda: self.store.keep(self.variables))
        self._copied = True
        self._progress("a copy of the database was taken")

    async def _restore(self) -> None:
        if not self._copied:
            return
        await self._look_for_held()
        self._restored_at.append(time.time())
        await self._standing_still(self.store.restore)
        self._progress("the copy was put back")
        await self.newsroom.tell_again()
        self._progress("everything was told again")

    async def _standing_still(self, act: Callable[[], Awaitable[None]]) -> None:
        """Do something to the database while no worker lives."""
        async with self.weather.lull:
            await self.crew.kill_all()
            await act()
            self.crew.start()

    # --- waiting and telling ------------------------------------------------------------------------------------

    async def _until_quiet(self) -> None:
        """Wait until nothing is left to be done, and a little longer; or until nothing moves any more."""
        moved_at, before = time.monotonic(), (-1, -1)
        while True:
            left = (await self.store.ask(_LEFT))[0][0]
            now = left, await self._count_shown()
            if now != before:
                moved_at, before = time.monotonic(), now
            still_for = time.monotonic() - moved_at
            if still_for > (self.cell.times.moves_within if left else self.cell.times.linger):
                break
            await asyncio.sleep(0.3)
        self._progress(f"{left} deliveries do not move" if left else "quiet")

    async def _until_shown(self, count: int, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while await self._count_shown() < count:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.cell.name}: {self._shown} of {count} posts after {seconds:.0f} s of peace")
            await asyncio.sleep(0.1)

    async def _until(self, condition: Callable[[], bool], seconds: float, else_: str) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.cell.name}: {else_}; see {self.folder}")
            await asyncio.sleep(0.02)

    async def _count_shown(self) -> int:
        self._shown = sum((await self.control.shown()).values())
        return self._shown

    async def _tell_progress(self) -> None:
        while True:
            await asyncio.sleep(5)
            self._progress("")

    def _progress(self, what: str) -> None:
        tally, wanted = self.crew.tally, len(self.newsroom.stories) * len(self.channels)
        self.tell(
            f"{self.cell.name:<11} {time.monotonic() - self._began:5.0f} s  kills {tally.kills}"
            f" ({tally.by_failpoint} at failpoints, {tally.whole} whole), freezes {tally.freezes},"
            f" posts {self._shown} of {wanted}  {what}"
        )

    # --- the end ------------------------------------------------------------------------------------------------

    async def _judge(self) -> None:
        result = self.result
        stories = self.newsroom.stories
        calls = await self.control.calls()
        shown = [post for place in self.channels for post in evidence.posts(place, await self.control.history(place))]
        await self._look_for_held()
        refused = evidence.refused(calls, self.channels, shown)
        ended = {key: why for key in await self._ended() | self._kept_of_seen if (why := refused.get(key)) is not None}
        verdict = judge(
            [evidence.wanted(story) for story in stories],
            shown,
            {place.name: place.min_gap for place in self.channels},
            ever_held=self._ever_held | refused.keys(),  # refused, forgotten, told again: sent later
            still_held=await evidence.held_now(self.store),
            ended=ended,
            restored_at=self._restored_at,
        )
        for channel, number in sorted(await evidence.held_now(self.store)):
            verdict.violations.append(
                Violation(kind="held", channel=channel, article=number, words="still not settled")
            )
        judge_bans(verdict, evidence.called(calls), self._interruptions(), hearing=self.cell.times.hearing)
        if self.crew.tally.stopped_badly:
            words = f"{self.crew.tally.stopped_badly} workers told to stop did not end well in time"
            verdict.violations.append(Violation(kind="stopped badly", channel="-", article=None, words=words))
        verdict.violations += result.verdict.violations
        result.verdict = verdict
        result.stories, result.repeated_pushes = len(stories), self.newsroom.repeated
        result.met = dict(self.weather.met)
        result.failpoints = dict(Met(self.folder / "met").counted())
        result.faults = evidence.faults(calls)
        for number in sorted({one.article for one in verdict.violations if one.article is not None})[:20]:
            result.told[number] = await evidence.told_of(number, self.store, self.variables, calls, shown)

    def _interruptions(self) -> dict[str, list[float]]:
        for at, _, worker in Met(self.folder / "met").read():
            self.crew.tally.interrupt(f"Vistnyk/{worker}", at)
        return {worker: sorted(moments) for worker, moments in self.crew.tally.interrupted.items()}

    async def _look_for_held(self) -> None:
        self._ever_held |= await evidence.ever_held(self.store)

    async def _ended(self) -> set[evidence.Key]:
        return await evidence.failed(self.store)

    def _violation(self, kind: str, words: str) -> None:
        self.result.verdict.violations.append(Violation(kind=kind, channel="-", article=None, words=words))

    # --- the outlet ---------------------------------------------------------------------------------------------

    def _failpoints(self) -> str:
        return "" if self._calm or self._peaceful else plan_of(self._armed, self.cell.climate)

    def _fork_of_chance(self, name: str) -> random.Random:
        return random.Random(f"{self._chance.random()} {name}")

    def _sandbox_heard(self, event: Event) -> None:
        if event.what == "died" and not self._calm:
            self._violation("harness", f"the sandbox died, see {self.folder / 'sandbox.log'}")

    def _write_configuration(self) -> None:
        channels = [
            _CHANNEL.format(
                name=place.name,
                platform=place.platform,
                address=place.address,
                token_env="" if place.platform == "telegram" else _token_name(place),
                min_gap=1000 * place.min_gap,
            )
            for place in self.channels
        ]
        (self.folder / "vistnyk.toml").write_text(_TOML + "".join(channels), "utf-8")

    def _variables(self) -> dict[str, str]:
        tokens = {_token_name(place): place.token for place in self.channels if place.platform == "facebook"}
        return {
            "VISTNYK_CONFIG": str(self.folder / "vistnyk.toml"),
            "VISTNYK_TELEGRAM__TOKEN": platforms.BOT_TOKEN,
            "VISTNYK_TELEGRAM__API_URL": self.control.url,
            "VISTNYK_TELEGRAM__WEB_URL": self.control.url,
            "VISTNYK_FACEBOOK__API_URL": f"{self.control.url}/graph",
            "VISTNYK_NETWORK__ALLOW_PRIVATE": "127.0.0.0/8",
            "VISTNYK_PUSH__TOKEN": PUSH_TOKEN,
            "VISTNYK_LOG__FORMAT": "json",
            "PTB_TIMEDELTA": "1",
            **platforms.PACE,
            **self.cell.times.variables(),
            **tokens,
        }


def _token_name(place: Place) -> str:
    return f"PAGE_{place.address}"
