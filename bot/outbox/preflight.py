"""Looks at posts before their time: when they are queued, and a quarter of an hour before their slot.

What is found wrong is kept (`store.warnings`) as long as it is; the desk tells of it while it can still be mended.
Sends nothing and holds nothing: at its turn a post is looked at anew by whoever sends it. One replica looks, and only
at what is about to go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import takewhile

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channels.base import NOT_NEEDED
from bot.clock import Clock
from bot.domain.channel import ChannelId
from bot.domain.delivery import Delivery, DeliveryId, State
from bot.domain.plan import plan
from bot.errors import BotError, DatabaseError
from bot.logs import logger
from bot.outbox.lane import Lane
from bot.outbox.prepare import Preparer
from bot.outbox.record import about
from bot.store import channels, deliveries, house, warnings
from bot.store.channels import ChannelRow
from bot.store.database import Database
from bot.store.decisions import decide
from bot.store.tables import deliveries as rows

AHEAD = timedelta(minutes=15)
ACCESS, LINK = "access", "link"
_TERM = timedelta(minutes=2)  # of the duty
_FIRST = 5  # of each turn of a channel
_MOST_NEW = 200  # queued ones remembered; what is beyond is looked at before its slot
_AT_A_LOOK = 20
_AT_ONCE = 4
_AGAIN = timedelta(minutes=1)  # between looks at what was found wrong
_POST_AGAIN, _CHANNEL_AGAIN = timedelta(minutes=5), timedelta(minutes=10)  # and at what was not
_WAITS = frozenset({State.PROPOSED, State.PLANNED})
_log = logger("preflight")


class Preflight:
    """Looks on a bell.

    Args:
        holder: this replica's name, under which it holds the duty.
        again: how long until what was found wrong is looked at again.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        preparer: Preparer,
        lanes: Mapping[ChannelId, Lane],
        *,
        holder: str,
        again: timedelta = _AGAIN,
    ) -> None:
        self._database = database
        self._clock = clock
        self._preparer = preparer
        self._lanes = lanes
        self._holder = holder
        self._again = again.total_seconds()
        self._new: list[DeliveryId] = []
        self._looked: dict[DeliveryId, float] = {}
        self._checked: dict[ChannelId, float] = {}
        self._doubted: set[ChannelId] = set()

    def note(self, queued: Iterable[DeliveryId]) -> None:
        """Remember what was queued just now."""
        self._new = [*self._new, *queued][:_MOST_NEW]

    async def look(self) -> None:
        """Look at what is about to go, at what is new, and again at what was wrong."""
        async with self._database.write() as tx:
            now = await self._database.now(tx)
            if not await house.take_lease(tx, "preflight", self._holder, now, _TERM):
                return
        async with self._database.read() as tx:
            wrong = await warnings.standing(tx)
            # A channel that nobody wakes by then sends nothing by then.
            awake = [
                row for row in await channels.everyone(tx) if row.wake_at is not None and row.wake_at <= now + AHEAD
            ]
            due = dict([pair for row in awake if row.id in self._lanes for pair in await self._due(tx, row, now)])
        warned = {one.delivery_id for one in wrong if one.delivery_id is not None}
        new, self._new = self._new[:_AT_A_LOOK], self._new[_AT_A_LOOK:]
        self._looked = {one: at for one, at in self._looked.items() if one in due or one in warned}
        wanted = [one for one in dict.fromkeys((*due, *warned)) if self._is_time(one, one in warned)]
        chosen = list(dict.fromkeys((*wanted[:_AT_A_LOOK], *new)))
        async with self._database.read() as tx:
            found = await deliveries.find(tx, rows.c.id.in_(chosen)) if chosen else []
        hands = asyncio.Semaphore(_AT_ONCE)
        async with asyncio.TaskGroup() as looking:
            for delivery in (one for one in found if one.state in _WAITS or one.id in warned):
                looking.create_task(self._see_to(delivery, due.get(delivery.id), hands))
        lost = {one.channel_id for one in wrong if one.channel_id is not None}
        busy = (
            {one.channel_id for one in found if one.state in _WAITS and (one.id in due or one.id in new)}
            | lost
            | self._doubted
        )
        for lane in [lane for lane in self._lanes.values() if lane.id in busy]:
            await self._check(lane, lane.id in lost)

    def _is_time(self, delivery_id: DeliveryId, warned: bool) -> bool:
        """Say whether to look at a delivery (again)."""
        at = self._looked.get(delivery_id)
        apart = self._again if warned else _POST_AGAIN.total_seconds()
        return at is None or self._clock.running() - at >= apart

    async def _due(self, tx: AsyncConnection, row: ChannelRow, now: datetime) -> list[tuple[DeliveryId, datetime]]:
        """Return what goes out in a channel within the next quarter of an hour, and when."""
        if row.access_lost_at is not None:
            return []
        timetable = self._lanes[row.id].channel.timetable
        status = await channels.status(tx, row, timetable, now)
        heads = await deliveries.first(tx, row.id, _FIRST)
        slots = takewhile(lambda slot: slot.at <= now + AHEAD, plan(timetable, status, heads, now))
        return [(slot.head.delivery, slot.at) for slot in slots if slot.at > now and not slot.expires]

    async def _see_to(self, delivery: Delivery, at: datetime | None, hands: asyncio.Semaphore) -> None:
        """Look at one delivery and keep what is wrong with it; of one that no longer waits nothing is."""
        lane, subject = self._lanes.get(delivery.channel_id), f"delivery {delivery.id}"
        causes: dict[str, str] = {}
        try:
            if lane is not None and delivery.state in _WAITS:
                async with hands:
                    causes = await self._preparer.examine(
                        delivery, lane, at or max(self._clock.now(), delivery.turn_at)
                    )
            async with self._database.write() as tx:
                now = await self._database.now(tx)
                told = await warnings.keep(tx, subject, causes, now)
                await decide(tx, [about(delivery, f"warned: {cause}", causes[cause]) for cause in told], now)
        except DatabaseError as error:
            _log.warning("a post could not be looked at before its time", delivery=delivery.id, why=str(error))
        except Exception:
            _log.exception("a post could not be looked at before its time", delivery=delivery.id)
        if delivery.state in _WAITS:
            self._looked[delivery.id] = self._clock.running()

    async def _check(self, lane: Lane, lost: bool) -> None:
        """Look whether a channel lets us in; once the outbox has found that it does not, that is told by itself."""
        apart = self._again if lost or lane.id in self._doubted else _CHANNEL_AGAIN.total_seconds()
        at = self._checked.get(lane.id)
        if at is not None and self._clock.running() - at < apart:
            return
        async with self._database.read() as tx:
            row = await channels.get(tx, lane.id)
            is_banned = await lane.is_banned(tx, await self._database.now(tx))
        if is_banned:
            return
        self._checked[lane.id] = self._clock.running()
        causes: dict[str, str] = {}
        if row is not None and row.access_lost_at is None:
            try:
                wrong = [one for one in await lane.publisher.check() if not one.ok and one.name not in NOT_NEEDED]
            except BotError as error:
                _log.info("a channel could not be looked at", channel=lane.channel.name, why=str(error))
                return
            if wrong and not lost and lane.id not in self._doubted:
                self._doubted.add(lane.id)  # a line that is down for a moment looks the same: look again first
                return
            causes = {ACCESS: f"{wrong[0].name}: {wrong[0].detail}"} if wrong else {}
        self._doubted.discard(lane.id)
        async with self._database.write() as tx:
            await warnings.keep(tx, f"channel {lane.id}", causes, await self._database.now(tx))
