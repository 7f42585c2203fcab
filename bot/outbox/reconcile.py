"""Settles what was interrupted or stopped: dead claims, unanswered calls, lost access, dead links, stale proposals.

Runs on a bell, every few seconds. Each step is one short transaction; calls are made between them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.agenda import backlog
from bot.channels.base import NOT_NEEDED
from bot.channels.evidence import SKEW, among
from bot.clock import Clock
from bot.domain.channel import ChannelId
from bot.domain.delivery import Delivery, DeliveryId, HeldReason, Kind, State
from bot.domain.ledger import Presence
from bot.domain.looks import Looks, after_look
from bot.domain.plan import plan
from bot.errors import DatabaseError, LostClaimError
from bot.failpoints import reach
from bot.logs import logger
from bot.metrics import Metrics
from bot.outbox.lane import Lane, Timing
from bot.outbox.proving import Prover
from bot.outbox.record import Recorder, about
from bot.store import channels, deliveries, found, house, ledger, steps
from bot.store.database import Database
from bot.store.decisions import decide
from bot.store.tables import deliveries as rows

_RETRY = timedelta(minutes=5)  # between looks at a lost access or a dead link
_OFTEN = 8  # looks for a post that is held, before it is looked for only now and then
_AT_ONCE = 8  # posts looked for at one time
_MARKED = f"{deliveries.IN_FLIGHT} AND state <> 'unknown'"
_log = logger("reconcile")


class Reconciler:
    """Keeps the queue honest."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        metrics: Metrics,
        lanes: Mapping[ChannelId, Lane],
        recorder: Recorder,
        prover: Prover,
        timing: Timing,
        *,
        holder: str,
        retry: timedelta = _RETRY,
    ) -> None:
        self._database = database
        self._clock = clock
        self._metrics = metrics
        self._lanes = lanes
        self._recorder = recorder
        self._prover = prover
        self._timing = timing
        self._holder = holder
        self._retry = retry
        self._retried_at: float | None = None
        self._away: dict[ChannelId, datetime] = {}
        self._settled = False  # whether what was under way at the start was looked for
        prover.before_serving = self._meet_backlog
        self._looked: dict[DeliveryId, tuple[int, float]] = {}

    async def take_over(self) -> None:
        """At a start: end a dead predecessor's claims where there can be no other process."""
        if self._database.is_embedded:
            async with channels.turn(self._database, self._lanes) as (tx, now):
                await deliveries.end_all_leases(tx, now)
                await steps.bound(tx, now)
        await self._end_leases()

    async def recover(self) -> None:
        """Take over, see what the channels show and meet the backlog, before anything is sent (commands, tests)."""
        await self.take_over()
        await self._settle_unknown()
        self._settled = True
        await self.prove()
        await self._beat()

    async def prove(self) -> None:
        """Compare the channels that are not compared yet; where something was under way, once it was looked for."""
        waits: set[ChannelId] = set()
        if not self._settled:
            async with self._database.read() as tx:
                flying = await deliveries.find(tx, text(deliveries.IN_FLIGHT), rows.c.state != State.CLAIMED)
            waits = {delivery.channel_id for delivery in flying}
        await self._prover.prove_all([lane for lane in self._lanes.values() if lane.id not in waits])

    async def reconcile(self) -> None:
        """Look once at all that does not move by itself; what fails in one place does not stop the others.

        Of several replicas one reads back, expires and resumes; each ends the leases that are over.
        """
        work = [self._end_leases, self._beat, self._measure]
        if await self._has_duty():
            work += [self._settle_unknown, self._sweep]
            now = self._clock.running()
            if self._retried_at is None or now - self._retried_at >= self._retry.total_seconds():
                self._retried_at = now
                work += [self._retry_access, self._retry_links]
        for step in work:
            try:
                await step()
            except DatabaseError:
                raise
            except Exception:
                _log.exception("a step of reconciling failed", step=step.__name__)
        self._settled = True

    async def _has_duty(self) -> bool:
        async with self._database.write() as tx:
            now = await self._database.now(tx)
            return await house.take_lease(tx, "reconcile", self._holder, now, self._timing.lease)

    async def _beat(self) -> None:
        """Say that somebody is here; after a long silence, meet what was missed, once a channel was proven."""
        async with self._database.write() as tx:
            now = await self._database.now(tx)
            beat = await house.fact(tx, "beat")
            await house.keep_fact(tx, "beat", now)
        if beat is not None and now - beat > backlog.MISSED_BY:
            self._away = dict.fromkeys(self._lanes, beat)
        for channel_id in [one for one in self._away if self._prover.is_proven(one)]:
            await self._meet_backlog(self._lanes[channel_id])

    async def _meet_backlog(self, lane: Lane) -> None:
        beat = self._away.pop(lane.id, None)
        if beat is not None:
            async with channels.turn(self._database, [lane.id]) as (tx, now):
                await self._find_backlog(tx, lane, beat, now)

    async def _find_backlog(self, tx: AsyncConnection, lane: Lane, beat: datetime, now: datetime) -> None:
        """Mark what would have gone out while nobody was there to send it."""
        row = await channels.get(tx, lane.id)
        if row is None:
            return
        timetable = lane.channel.timetable
        status = await channels.status(tx, row, timetable, beat)
        missed = []
        for slot in plan(timetable, status, await deliveries.waiting(tx, lane.id), beat):
            if slot.at > now - backlog.MISSED_BY:
                break
            if slot.head.kind.makes_public and slot.head.pinned_at is None:
                missed.append(slot.head.delivery)
        for delivery_id in missed:
            await deliveries.change(tx, delivery_id, backlog=True)
        if missed:
            _log.warning("posts missed their turn", channel=lane.channel.name, count=len(missed))
            await backlog.settle(tx, lane.channel, lane.id, now)

    async def _end_leases(self) -> None:
        async with self._database.read() as tx:
            now = await self._database.now(tx)
            over = await deliveries.find(tx, text(_MARKED), rows.c.lease_until < now)
        for delivery in over:
            async with channels.turn(self._database, [delivery.channel_id]) as (tx, now):
                to = State.PLANNED if delivery.state is State.CLAIMED else State.UNKNOWN
                if await deliveries.lease_of(tx, delivery.id) != delivery.lease_until:
                    continue  # renewed meanwhile
                with suppress(LostClaimError):
                    await deliveries.move(tx, delivery, to, now, error="the lease ran out")
                    await decide(tx, [about(delivery, "lease over", f"{delivery.state} became {to}")], now)
                    await channels.wake(tx, [delivery.channel_id], now)

    async def _settle_unknown(self) -> None:
        """Read back what was not answered; what is held without evidence, too, as long as it can still be found."""
        async with self._database.read() as tx:
            sought = await deliveries.find(tx, text(deliveries.IN_FLIGHT), rows.c.state == State.UNKNOWN)
            held = await deliveries.find(
                tx, text(deliveries.STANDING), rows.c.held_reason == HeldReason.NO_EVIDENCE, rows.c.attempts > 0
            )
        self._looked = {one.id: self._looked[one.id] for one in (*sought, *held) if one.id in self._looked}
        now = self._clock.running()
        due = [one for one in (*sought, *held) if one.channel_id in self._lanes and self._is_due(one, now)]
        eyes = asyncio.Semaphore(_AT_ONCE)
        async with asyncio.TaskGroup() as looking:  # one slow channel must not keep the others waiting
            for delivery in due:
                looking.create_task(self._settle(self._lanes[delivery.channel_id], delivery, eyes))

    def _is_due(self, delivery: Delivery, now: float) -> bool:
        """Say whether to look for a post again: at once, then more and more rarely."""
        count, at = self._looked.get(delivery.id, (0, 0.0))
        if now < at:
            return False
        apart = self._apart(self._lanes[delivery.channel_id]).total_seconds()
        longest = self._retry.total_seconds() if delivery.state is State.HELD and count > _OFTEN else apart
        self._looked[delivery.id] = (count + 1, now + min(longest, 0.2 * 2 ** min(count, 20)))
        return True

    async def _settle(self, lane: Lane, delivery: Delivery, eyes: asyncio.Semaphore) -> None:
        try:
            async with eyes:
                await self._settle_one(lane, delivery)
        except LostClaimError:
            return
        except IntegrityError:
            why = "what was found in the channel is in the ledger already, as another post"
            if delivery.state is not State.HELD:
                await self._move(delivery, State.HELD, why, HeldReason.NO_EVIDENCE)
        except DatabaseError as error:
            _log.warning("an unanswered post could not be settled", delivery=delivery.id, why=str(error))
        except Exception:
            _log.exception("an unanswered post could not be settled", delivery=delivery.id)

    async def _settle_one(self, lane: Lane, delivery: Delivery) -> None:
        async with self._database.read() as tx:
            if await lane.is_banned(tx, await self._database.now(tx)):
                return  # a look is a call, too
            last = await ledger.last_attempt(tx, delivery.id)
            late = await ledger.late_answer(tx, delivery.id) if delivery.kind.makes_public else None
            seen = await found.since(tx, lane.id, last[1].started_at - SKEW) if last is not None else []
        if not delivery.kind.makes_public or last is None:
            await self._move(delivery, State.PLANNED, "it can be repeated")
            return
        if late is not None:
            await self._recorder.record_found(lane, delivery, *late, "a late answer said so")
            return
        attempt_id, attempt = last
        receipt = among(attempt, seen)
        if receipt is None:
            evidence = await lane.publisher.read_back(attempt)
            await lane.heed(self._database)
            receipt = evidence.receipt if evidence.presence is Presence.PRESENT else None
        if receipt is not None:
            await self._recorder.record_found(lane, delivery, attempt, receipt, "found by reading back")
            return
        ended = delivery.lease_until or attempt.started_at + self._timing.lease
        async with channels.turn(self._database, [lane.id]) as (tx, now):
            looks = Looks()
            if evidence.presence is Presence.ABSENT:
                looks = after_look(
                    await ledger.looks(tx, attempt_id),
                    evidence.shown,
                    now,
                    settled_at=ended + self._timing.settle_of(lane.channel.platform),
                    apart=self._apart(lane),
                )
            await ledger.keep_looks(tx, attempt_id, looks)
        if looks.enough:
            await self._move(delivery, State.PLANNED, f"read back {looks.count} times and not there: it is sent again")
        elif delivery.state is State.UNKNOWN and (evidence.for_good or now >= ended + self._timing.hold_after):
            why = f"no evidence either way: {evidence.detail or 'the channel cannot be read back'}"
            await self._move(delivery, State.HELD, why, HeldReason.NO_EVIDENCE)

    def _apart(self, lane: Lane) -> timedelta:
        """Return how far apart two looks are that count: together they span half of the settle time."""
        return self._timing.settle_of(lane.channel.platform) / 4

    async def _move(self, delivery: Delivery, to: State, why: str, held_reason: HeldReason | None = None) -> None:
        async with channels.turn(self._database, [delivery.channel_id]) as (tx, now):
            await deliveries.move(tx, delivery, to, now, error=why, held_reason=held_reason)
            word = f"held: {held_reason}" if held_reason is not None else to.value
            await decide(tx, [about(delivery, word, why)], now)
            await channels.wake(tx, [delivery.channel_id], now)
            reach("settle.before")
        reach("settle.after")

    async def _sweep(self) -> None:
        """Expire what waits for a person and has grown too old."""
        async with self._database.read() as tx:
            now = await self._database.now(tx)
            waiting = await deliveries.find(
                tx,
                text(deliveries.STANDING),
                rows.c.kind == Kind.PUBLISH,
                rows.c.pinned_at.is_(None),
                rows.c.held_reason.is_distinct_from(HeldReason.NO_EVIDENCE),
            )
        for delivery in waiting:
            lane = self._lanes.get(delivery.channel_id)
            if lane is None or delivery.turn_at >= now - lane.channel.timetable.fresh_for:
                continue
            why = f"nobody settled it within {lane.channel.timetable.fresh_for} (fresh_for)"
            async with channels.turn(self._database, [lane.id]) as (tx, now):
                with suppress(LostClaimError):
                    await deliveries.move(tx, delivery, State.EXPIRED, now, error=why)
                    await decide(tx, [about(delivery, "expired", why)], now)

    async def _retry_access(self) -> None:
        """Let channels go on whose token and rights hold again."""
        async with self._database.read() as tx:
            now = await self._database.now(tx)
            lost = [row for row in await channels.everyone(tx) if row.access_lost_at is not None]
            banned = {lane.id for lane in self._lanes.values() if await lane.is_banned(tx, now)} if lost else set()
        for row in lost:
            lane = self._lanes.get(row.id)
            if (
                lane is None
                or row.id in banned
                or not all(one.ok for one in await lane.publisher.check() if one.name not in NOT_NEEDED)
            ):
                continue
            async with channels.turn(self._database, [row.id]) as (tx, now):
                await channels.change(tx, row.id, access_lost_at=None, access_detail="", wake_at=now)
                await self._resume(tx, row.id, HeldReason.ACCESS, "access is back", now)
            self._metrics.channel_access.labels(row.name).set(1)
            _log.info("access is back", channel=row.name)

    async def _retry_links(self) -> None:
        async with self._database.read() as tx:
            held = await deliveries.find(tx, text(deliveries.STANDING), rows.c.held_reason == HeldReason.LINK_DEAD)
        for channel_id in {delivery.channel_id for delivery in held} & set(self._lanes):
            async with channels.turn(self._database, [channel_id]) as (tx, now):
                await self._resume(tx, channel_id, HeldReason.LINK_DEAD, "its page is tried again", now)

    async def _resume(
        self, tx: AsyncConnection, channel_id: ChannelId, reason: HeldReason, why: str, now: datetime
    ) -> None:
        held = await deliveries.find(
            tx, text(deliveries.STANDING), rows.c.channel_id == channel_id, rows.c.held_reason == reason
        )
        for delivery in held:
            await deliveries.move(tx, delivery, State.PLANNED, now, error="")
            await decide(tx, [about(delivery, "planned", why)], now)
        if held:
            await channels.wake(tx, [channel_id], now)

    async def _measure(self) -> None:
        """Count what waits, for the metrics."""
        async with self._database.read() as tx:
            counted = await deliveries.depth(tx)
        names = {lane.id: lane.channel.name for lane in self._lanes.values()}
        self._metrics.queue_depth.clear()
        for (channel_id, state), count in counted.items():
            if channel_id in names:
                self._metrics.queue_depth.labels(names[channel_id], state).set(count)
