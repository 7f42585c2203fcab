"""The worker: looks which channels want something and serves each of them, several at a time.

Decides nothing about a single delivery; that is `deliver`'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial

from bot.clock import Clock
from bot.domain.channel import ChannelId
from bot.errors import DatabaseError, LostClaimError
from bot.logs import logger
from bot.metrics import Metrics
from bot.outbox.deliver import Deliverer
from bot.outbox.lane import Lane
from bot.store import channels
from bot.store.database import Database

_IDLE = 5.0  # seconds between looks when nothing rings
_AT_ONCE = 24  # deliveries in hand; more would only wait for the database
_AFTER_FAULT = timedelta(seconds=5)
_log = logger("outbox")


class Worker:
    """Serves all channels of this process."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        metrics: Metrics,
        lanes: Mapping[ChannelId, Lane],
        deliverer: Deliverer,
    ) -> None:
        self._database = database
        self._clock = clock
        self._metrics = metrics
        self._lanes = lanes
        self._deliverer = deliverer
        self._bell = asyncio.Event()
        self._stopping = False
        self._busy: dict[ChannelId, asyncio.Task[None]] = {}
        self._hands = asyncio.Semaphore(_AT_ONCE)
        self.beat_at = clock.running()

    def ring(self) -> None:
        """Ask for a look at the queue."""
        self._bell.set()

    async def run(self) -> None:
        """Serve until `stop`; an unreachable database is waited for."""
        while not self._stopping:
            self.beat_at = self._clock.running()
            self._metrics.heartbeat.set(self._clock.now().timestamp())
            self._bell.clear()
            wait = _IDLE
            try:
                wait = await self._look()
            except DatabaseError as error:
                _log.error("the database does not answer", why=str(error))
            except Exception:
                _log.exception("a look at the queue failed")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._bell.wait(), timeout=wait)

    async def stop(self) -> None:
        """Claim nothing new and finish the calls in hand."""
        self._stopping = True
        self._deliverer.stop()
        self._bell.set()
        if self._busy:
            await asyncio.wait(list(self._busy.values()))

    async def drain(self) -> None:
        """Serve what is due now, and return when nothing is (`demo --once`, tests)."""
        while True:
            await self._look()
            if not self._busy:
                return
            await asyncio.wait(list(self._busy.values()))

    async def _look(self) -> float:
        """Start serving the channels that want a look; return the seconds until the next one does."""
        async with self._database.read() as tx:
            now = await self._database.now(tx)
            due = await channels.due(tx, now, most=len(self._lanes) + len(self._busy))
            wake_at = await channels.next_wake(tx, now)
        for channel_id in due:
            lane = self._lanes.get(channel_id)
            if lane is not None and channel_id not in self._busy and not self._deliverer.leaves(lane):
                task = asyncio.create_task(self._serve(lane), name=f"serve {lane.channel.name}")
                self._busy[channel_id] = task
                task.add_done_callback(partial(self._done, channel_id))
        if wake_at is None:
            return _IDLE
        return min(_IDLE, (wake_at - now).total_seconds())

    def _done(self, channel_id: ChannelId, _: asyncio.Task[None]) -> None:
        self._busy.pop(channel_id, None)
        self._bell.set()

    async def _serve(self, lane: Lane) -> None:
        """Bring out one delivery of a channel after the other until none is due."""
        try:
            more = True
            while more and not self._stopping:
                async with self._hands:
                    more = await self._deliverer.deliver_next(lane)
        except (DatabaseError, LostClaimError) as error:
            _log.warning("a delivery was interrupted", channel=lane.channel.name, why=str(error))
            await asyncio.sleep(1)
        except Exception:
            _log.exception("serving a channel failed", channel=lane.channel.name)
            with suppress(DatabaseError):
                async with self._database.write() as tx:
                    now = await self._database.now(tx)
                    await channels.change(tx, lane.id, wake_at=now + _AFTER_FAULT)
