"""Settles what was interrupted or stopped: dead claims, unanswered calls, lost access, dead links, stale proposals.

Runs on a bell, every few seconds. Each step is one short transaction; calls are made between them.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.agenda import backlog
from bot.channels.base import READ_BACK
from bot.clock import Clock
from bot.domain.channel import ChannelId, Platform
from bot.domain.delivery import Delivery, HeldReason, State
from bot.domain.ledger import Presence
from bot.domain.plan import plan
from bot.errors import DatabaseError, LostClaimError
from bot.logs import logger
from bot.metrics import Metrics
from bot.outbox.lane import Lane, Timing
from bot.outbox.record import Recorder, about
from bot.store import channels, deliveries, house, ledger
from bot.store.database import Database
from bot.store.decisions import decide
from bot.store.tables import deliveries as rows

_RETRY = timedelta(minutes=5)  # between looks at a lost access or a dead link
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
        timing: Timing,
        *,
        retry: timedelta = _RETRY,
    ) -> None:
        self._database = database
        self._clock = clock
        self._metrics = metrics
        self._lanes = lanes
        self._recorder = recorder
        self._timing = timing
        self._retry = retry
        self._retried_at: datetime | None = None
        self._absent: dict[int, datetime] = {}

    async def recover(self) -> None:
        """At a start: end a dead predecessor's claims where there can be no other process, and meet the backlog."""
        if self._database.is_embedded:
            async with channels.turn(self._database, self._lanes) as (tx, now):
                await tx.execute(
                    rows.update()
                    .where(rows.c.state.in_([State.CLAIMED, State.SENDING]))
                    .values(lease_until=now - timedelta(microseconds=1))
                )
        await self._beat()
        await self._end_leases()

    async def reconcile(self) -> None:
        """Look once at all that does not move by itself; what fails in one place does not stop the others."""
        steps = [self._beat, self._end_leases, self._settle_unknown, self._sweep, self._measure]
        now = self._clock.now()
        if self._retried_at is None or now - self._retried_at >= self._retry:
            self._retried_at = now
            steps += [self._retry_access, self._retry_links]
        for step in steps:
            try:
                await step()
            except DatabaseError:
                raise
            except Exception:
                _log.exception("a step of reconciling failed", step=step.__name__)

    async def _beat(self) -> None:
        """Say that somebody is here; after a long silence, meet what was missed."""
        async with channels.turn(self._database, self._lanes) as (tx, now):
            beat = await house.fact(tx, "beat")
            if beat is not None and now - beat > backlog.MISSED_BY:
                for lane in self._lanes.values():
                    await self._find_backlog(tx, lane, beat, now)
            await house.keep_fact(tx, "beat", now)

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
        async with channels.turn(self._database, self._lanes) as (tx, now):
            over = await deliveries.find(
                tx, text("state IN ('claimed', 'sending', 'unknown')"), rows.c.lease_until < now
            )
            for delivery in over:
                if delivery.state is State.UNKNOWN:
                    continue
                to = State.PLANNED if delivery.state is State.CLAIMED else State.UNKNOWN
                with suppress(LostClaimError):
                    await deliveries.move(tx, delivery, to, now, error="the lease ran out")
                    await decide(tx, [about(delivery, "lease over", f"{delivery.state} became {to}")], now)
                    await channels.wake(tx, [delivery.channel_id], now)

    async def _settle_unknown(self) -> None:
        async with self._database.read() as tx:
            unknown = await deliveries.find(tx, text("state IN ('claimed', 'sending', 'unknown')"))
        for delivery in unknown:
            lane = self._lanes.get(delivery.channel_id)
            if lane is not None and delivery.state is State.UNKNOWN:
                try:
                    await self._settle_one(lane, delivery)
                except LostClaimError:
                    continue
                except IntegrityError:
                    why = "what was found in the channel is in the ledger already, as another post"
                    await self._move(delivery, State.HELD, why, HeldReason.NO_EVIDENCE)

    async def _settle_one(self, lane: Lane, delivery: Delivery) -> None:
        async with self._database.read() as tx:
            now = await self._database.now(tx)
            last = await ledger.last_attempt(tx, delivery.id)
        if not delivery.kind.makes_public or last is None:
            await self._move(delivery, State.PLANNED, "it can be repeated")
            return
        _, attempt, receipt = last
        if receipt is not None:
            await self._recorder.record_found(lane, delivery, attempt, receipt, "a late answer said so")
            return
        evidence = await lane.publisher.read_back(attempt)
        ended = delivery.lease_until or attempt.started_at + self._timing.lease
        if evidence.presence is Presence.PRESENT and evidence.receipt is not None:
            await self._recorder.record_found(lane, delivery, attempt, evidence.receipt, "found by reading back")
            self._absent.pop(delivery.id, None)
            return
        on_facebook = lane.channel.platform is Platform.FACEBOOK
        settle = self._timing.facebook_settle if on_facebook else self._timing.settle
        if evidence.presence is Presence.ABSENT and now >= ended + settle:
            first = self._absent.setdefault(delivery.id, now)
            if now > first:
                self._absent.pop(delivery.id)
                await self._move(delivery, State.PLANNED, "read back twice and not there: it is sent again")
        elif evidence.for_good or now >= ended + self._timing.hold_after:
            self._absent.pop(delivery.id, None)
            await self._move(
                delivery,
                State.HELD,
                f"no evidence either way: {evidence.detail or 'the channel cannot be read back'}",
                HeldReason.NO_EVIDENCE,
            )

    async def _move(self, delivery: Delivery, to: State, why: str, held_reason: HeldReason | None = None) -> None:
        async with channels.turn(self._database, [delivery.channel_id]) as (tx, now):
            await deliveries.move(tx, delivery, to, now, error=why, held_reason=held_reason)
            word = f"held: {held_reason}" if held_reason is not None else to.value
            await decide(tx, [about(delivery, word, why)], now)
            await channels.wake(tx, [delivery.channel_id], now)

    async def _sweep(self) -> None:
        """Expire what waits for a person and has grown too old."""
        async with channels.turn(self._database, self._lanes) as (tx, now):
            for lane in self._lanes.values():
                fresh_for = lane.channel.timetable.fresh_for
                old = await deliveries.find(
                    tx,
                    text("state IN ('proposed', 'held')"),
                    rows.c.channel_id == lane.id,
                    rows.c.turn_at < now - fresh_for,
                    rows.c.kind == "publish",
                    rows.c.pinned_at.is_(None),
                    rows.c.held_reason.is_distinct_from(HeldReason.NO_EVIDENCE),
                )
                for delivery in old:
                    why = f"nobody settled it within {fresh_for} (fresh_for)"
                    await deliveries.move(tx, delivery, State.EXPIRED, now, error=why)
                    await decide(tx, [about(delivery, "expired", why)], now)

    async def _retry_access(self) -> None:
        """Let channels go on whose token and rights hold again."""
        async with self._database.read() as tx:
            lost = [row for row in await channels.everyone(tx) if row.access_lost_at is not None]
        for row in lost:
            lane = self._lanes.get(row.id)
            if lane is None or not all(one.ok for one in await lane.publisher.check() if one.name != READ_BACK):
                continue
            async with channels.turn(self._database, [row.id]) as (tx, now):
                await channels.change(tx, row.id, access_lost_at=None, access_detail="", wake_at=now)
                await self._resume(tx, row.id, HeldReason.ACCESS, "access is back", now)
            self._metrics.channel_access.labels(row.name).set(1)
            _log.info("access is back", channel=row.name)

    async def _retry_links(self) -> None:
        async with channels.turn(self._database, self._lanes) as (tx, now):
            for lane in self._lanes.values():
                await self._resume(tx, lane.id, HeldReason.LINK_DEAD, "its page is tried again", now)

    async def _resume(
        self, tx: AsyncConnection, channel_id: ChannelId, reason: HeldReason, why: str, now: datetime
    ) -> None:
        held = await deliveries.find(
            tx,
            text("state IN ('proposed', 'held')"),
            rows.c.channel_id == channel_id,
            rows.c.held_reason == reason,
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
