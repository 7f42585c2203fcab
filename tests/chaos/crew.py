"""The workers of one cell: starts them, starts them again, kills and freezes them, and counts what became of them."""

from __future__ import annotations

import asyncio
import random
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from tests.chaos import worker
from tests.chaos.nursery import Event, Nursery
from tests.chaos.times import Times

_STOPS_WITHIN = 12.0  # as the contract promises


@dataclass(slots=True)
class Place:
    """Where a worker is, or will be again."""

    name: str
    port: int
    pid: int = 0
    whole: bool = False
    born_at: float = 0.0
    stopped_at: float = 0.0
    told: str = ""  # what the harness did to it last: "kill", "freeze", "end"
    freeze_for: float = 0.0
    spared_for: float = 0.0  # seconds of its life, so that some get far enough to have something in hand

    @property
    def agent(self) -> str:
        """How the platforms know it; a whole process tells them no more than its release."""
        return f"Vistnyk/{version('vistnyk') if self.whole else self.name}"

    @property
    def door(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@dataclass(slots=True, kw_only=True)
class Tally:
    """What happened to the workers."""

    kills: int = 0
    whole: int = 0  # of the kills: of processes `vistnyk run`
    by_failpoint: int = 0  # of the kills: at a failpoint
    freezes: int = 0
    longest_freeze: float = 0.0
    thawed_dead: int = 0  # frozen too long for the promise to hold: killed instead of woken
    fell: int = 0  # ended by an error of their own, a failpoint's mostly
    stopped_badly: int = 0  # told to stop, and did not end well in time
    interrupted: dict[str, list[float]] = field(default_factory=dict)  # by name: when what it heard may be lost

    def interrupt(self, worker: str, at: float) -> None:
        """Note that a worker may have lost what it was just told."""
        self.interrupted.setdefault(worker, []).append(at)


class Crew:
    """All workers of a cell.

    Args:
        plan: gives each new worker its failpoints.
    """

    def __init__(
        self,
        nursery: Nursery,
        folder: Path,
        name: str,
        count: int,
        variables: dict[str, str],
        chance: random.Random,
        plan: Callable[[], str],
        *,
        whole_share: float,
        times: Times,
    ) -> None:
        self._nursery, self._folder, self._variables, self._chance, self._plan = (
            nursery,
            folder,
            variables,
            chance,
            plan,
        )
        self.whole_share, self._times = whole_share, times
        self.places = [Place(f"{name}.{number}", _free_port()) for number in range(count)]
        self.tally = Tally()
        self._wanted = False
        self._changed = asyncio.Event()

    def doors(self) -> list[str]:
        """Return where living workers listen, or soon will."""
        return [place.door for place in self.places if place.pid and not place.stopped_at]

    def start(self) -> None:
        """Have every worker run, and run again whenever it ends."""
        self._wanted = True
        for place in self.places:
            if not place.pid:
                self._start(place)

    async def kill_all(self) -> None:
        """Kill every worker and leave them dead."""
        self._wanted = False
        for place in self.places:
            self._kill(place)
        await self._until(lambda: not any(place.pid for place in self.places), 10)

    async def end_all(self) -> None:
        """Tell every worker to stop, as an operator does, and leave them so."""
        self._wanted = False
        for place in self.places:
            if place.pid:
                place.told = "end"
                self._thaw(place, place.pid)
                self._nursery.send(place.pid, signal.SIGTERM)
        if not await self._until(lambda: not any(place.pid for place in self.places), _STOPS_WITHIN):
            self.tally.stopped_badly += sum(bool(place.pid) for place in self.places)
            await self.kill_all()

    def kill_one(self) -> bool:
        """Kill some worker, at whatever moment it is in."""
        alive = [place for place in self.places if self._ready(place)]
        if alive:
            self._kill(self._chance.choice(alive))
        return bool(alive)

    def freeze_one(self, seconds: float) -> bool:
        """Freeze some worker for a while."""
        awake = [place for place in self.places if self._ready(place) and not place.stopped_at and not place.freeze_for]
        if not awake:
            return False
        place = self._chance.choice(awake)
        place.told, place.freeze_for = "freeze", seconds
        self._nursery.send(place.pid, signal.SIGSTOP)
        return True

    def _ready(self, place: Place) -> bool:
        """Whether a worker has been there long enough to have begun something."""
        return bool(place.pid) and time.time() - place.born_at > place.spared_for

    def _kill(self, place: Place) -> None:
        if place.pid:
            place.told = "kill"
            self._nursery.send(place.pid, signal.SIGKILL)

    def _start(self, place: Place) -> None:
        if place.pid or not self._wanted:
            return
        plan = self._plan()
        place.pid, place.stopped_at, place.freeze_for, place.told = -1, 0.0, 0.0, ""
        place.whole = self._chance.random() < self.whole_share
        place.spared_for = (3.0 if place.whole else self._chance.choice([0.1, 1.0, 1.5])) * self._times.slow
        variables = self._variables | {"VISTNYK_WEB__PORT": str(place.port), "VISTNYK_FAILPOINTS": plan}
        log = self._folder / f"{place.name}.log"
        if place.whole:
            self._nursery.start(place.name, ["run"], variables, log=log, heard=self._heard)
        else:
            self._nursery.fork(
                place.name,
                worker.work,
                place.name,
                variables,
                self._folder,
                self._times.bells,
                log=log,
                heard=self._heard,
            )

    def _heard(self, event: Event) -> None:
        place = next(one for one in self.places if one.name == event.name)
        match event.what:
            case "born":
                place.pid, place.born_at = event.pid, event.at
                if not self._wanted:
                    self._kill(place)
            case "stopped":
                self._froze(place, event)
            case "died":
                self._died(place, event)
        self._changed.set()

    def _froze(self, place: Place, event: Event) -> None:
        place.stopped_at = event.at
        self.tally.freezes += 1
        self.tally.interrupt(place.agent, event.at)
        # At a failpoint it stopped itself, at a place where the length of the pause must not matter.
        seconds = place.freeze_for or self._chance.uniform(0.3, 2 * self._times.most_frozen)
        asyncio.get_running_loop().call_later(seconds, self._thaw, place, event.pid)

    def _thaw(self, place: Place, pid: int) -> None:
        if place.pid != pid or not place.stopped_at:
            return
        lasted = time.time() - place.stopped_at
        if place.freeze_for and lasted > self._times.most_frozen:
            self.tally.thawed_dead += 1
            self._kill(place)
            return
        self.tally.longest_freeze = max(lasted, self.tally.longest_freeze)
        place.stopped_at = place.freeze_for = 0.0
        self._nursery.send(pid, signal.SIGCONT)

    def _died(self, place: Place, event: Event) -> None:
        tally = self.tally
        if event.signal == signal.SIGKILL:
            tally.kills += 1
            tally.whole += place.whole
            tally.by_failpoint += place.told != "kill"
        elif place.told != "end":
            tally.fell += 1
        elif event.code != 0:
            tally.stopped_badly += 1
        tally.interrupt(place.agent, event.at)
        place.pid, place.stopped_at, place.freeze_for = 0, 0.0, 0.0
        if self._wanted:
            asyncio.get_running_loop().call_later(self._chance.uniform(0, 0.3), self._start, place)

    def cut_off(self, at: float) -> None:
        """Note that all lost their database: what they were just told may not be written down."""
        for place in self.places:
            self.tally.interrupt(place.agent, at)

    async def _until(self, condition: Callable[[], bool], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not condition():
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), deadline - time.monotonic())
            except TimeoutError:
                return condition()
        return True


def _free_port() -> int:
    with socket.socket() as plug:
        plug.bind(("127.0.0.1", 0))
        return int(plug.getsockname()[1])
