"""What a channel sends next, and when: one pure function, folded for the calendar, the command line and the worker.

Knows nothing of the database: it is given the head of each turn and what has happened so far.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from bot.domain.delivery import DeliveryId, Kind, Turn
from bot.domain.timetable import Timetable

FOREVER = datetime.max.replace(tzinfo=UTC)  # a pause without an end


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """One waiting delivery, as far as planning needs to know it. `paused` deliveries are not given at all."""

    delivery: DeliveryId
    kind: Kind
    turn: Turn
    turn_at: datetime
    pinned_at: datetime | None = None

    @property
    def effective_turn(self) -> Turn:
        return Turn.PINNED if self.pinned_at is not None else self.turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What a channel has behind it, and what stands in its way.

    `last_at` is when its newest post went public; `day` and `day_count` how many it had on its latest local day.
    `paused_until`, `stopped_until`: a pause of this channel, a stop of everything. `rests_until`: the platform's pace.
    """

    last_at: datetime | None = None
    day: date | None = None
    day_count: int = 0
    paused_until: datetime | None = None
    stopped_until: datetime | None = None
    rests_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """When a delivery goes out; `expires` says that by then it is too old and will be dropped instead."""

    head: Head
    at: datetime
    expires: bool = False


def next_slot(timetable: Timetable, status: Status, heads: Iterable[Head], now: datetime) -> Slot | None:
    """Return what goes next: the earliest of the heads, and of equally early ones the first in order of turn.

    Args:
        timetable: the channel's.
        status: the channel's.
        heads: at least the first delivery of each turn by `turn_at`, and the pinned one due first.
        now: nothing is planned before it.

    Returns:
        None where nothing waits or the timetable never opens for what does.
    """
    slots = (_slot(timetable, status, head, now) for head in heads)
    return min(
        (slot for slot in slots if slot is not None),
        key=lambda slot: (
            slot.at,
            slot.head.effective_turn,
            slot.head.pinned_at or slot.head.turn_at,
            slot.head.delivery,
        ),
        default=None,
    )


def plan(timetable: Timetable, status: Status, waiting: Iterable[Head], now: datetime) -> Iterator[Slot]:
    """Yield the slots of all that waits, in the order in which it will go."""
    queues: dict[Turn, list[Head]] = {turn: [] for turn in Turn}
    for head in waiting:
        queues[head.effective_turn].append(head)
    for queue in queues.values():
        queue.sort(
            key=lambda head: (head.pinned_at or head.turn_at, head.delivery),
            reverse=True,
        )
    while True:
        slot = next_slot(timetable, status, [queue[-1] for queue in queues.values() if queue], now)
        if slot is None:
            return
        queues[slot.head.effective_turn].pop()
        yield slot
        now = max(now, slot.at)
        if slot.head.kind.makes_public and not slot.expires:
            status = after_post(timetable, status, slot.at)


def after_post(timetable: Timetable, status: Status, at: datetime) -> Status:
    """Return the status once a post has gone public at `at`."""
    day = timetable.day_of(at)
    return replace(
        status,
        last_at=at,
        day=day,
        day_count=status.day_count + 1 if day == status.day else 1,
        rests_until=None,
    )


def _slot(timetable: Timetable, status: Status, head: Head, now: datetime) -> Slot | None:
    turn = head.effective_turn
    at = max(now, head.pinned_at or head.turn_at, status.rests_until or now)
    if turn is not Turn.WITHDRAWAL:
        if status.stopped_until is not None:
            at = max(at, status.stopped_until)
        if turn is not Turn.EDIT and status.paused_until is not None:
            at = max(at, status.paused_until)
    if at == FOREVER:
        return None
    if turn in (Turn.WITHDRAWAL, Turn.EDIT):
        return Slot(head=head, at=at)
    opens = _ordinary(timetable, status, at) if turn is Turn.ORDINARY else timetable.opens(at, windows=False)
    if opens is None:
        return None
    stale = turn is not Turn.PINNED and opens > head.turn_at + timetable.fresh_for
    return Slot(head=head, at=opens, expires=stale)


def _ordinary(timetable: Timetable, status: Status, at: datetime) -> datetime | None:
    if status.last_at is not None:
        at = max(at, status.last_at + timetable.min_gap)
    opens = timetable.opens(at)
    if opens is None or not timetable.max_per_day or status.day_count < timetable.max_per_day:
        return opens
    day = timetable.day_of(opens)
    if day != status.day:
        return opens
    return timetable.opens(timetable.day_starts(day + timedelta(days=1)))
