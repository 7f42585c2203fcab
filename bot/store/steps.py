"""What an embedded database does when the machine's clock is set: spans that run go on running as long as they would.

Leases, gaps, bans and rests are kept as moments; a clock that jumps would end them at once or never. Moments that
people mean (a slot, a pause until 18:00, an embargo) stay as they are. On PostgreSQL the database's own clock counts.

By which clock the moments stand is kept beside them (the wall clock and the running one at the same instant), so that a
step is found out although no process lived to see it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock
from bot.store.database import STEP
from bot.store.deliveries import IN_FLIGHT
from bot.store.house import keep_fact
from bot.store.tables import house, micros

_ANCHOR = "clock"  # the fact of the house that says by which clock the moments stand

_LONGEST_REST = timedelta(hours=2)  # no ban of a platform that we keep is longer
_SHIFTS = (
    f"UPDATE deliveries SET lease_until = lease_until + :step WHERE {IN_FLIGHT}",  # noqa: S608
    "UPDATE channels SET last_at = last_at + :step, rests_until = rests_until + :step",
    "UPDATE channels SET wake_at = :now WHERE closed_at IS NULL",
    "UPDATE pace SET arrival_at = arrival_at + :step",
    "UPDATE leases SET until = until + :step",
    "UPDATE conversations SET expires_at = expires_at + :step",
    "UPDATE house SET at = at + :step WHERE name = 'beat' OR name LIKE 'insights %'",
    "UPDATE inquiries SET next_at = next_at + :step WHERE next_at IS NOT NULL",
)
_BOUNDS = (
    "UPDATE channels SET last_at = :now WHERE last_at > :now",
    "UPDATE channels SET rests_until = NULL WHERE rests_until > :longest",
    "UPDATE pace SET arrival_at = :now WHERE arrival_at > :longest",
    "UPDATE leases SET until = :now",
    "UPDATE house SET at = :now WHERE name = 'beat' AND at > :now",
)


async def follow(tx: AsyncConnection, clock: Clock) -> None:
    """Move what runs along with the clock, if it was set since the last process looked.

    After a start of the machine nobody knows how long it was off; then only `bound` helps.
    """
    now, running, boot = clock.now(), clock.running(), clock.boot()
    kept = (await tx.execute(select(house.c.at, house.c.note).where(house.c.name == _ANCHOR))).one_or_none()
    if kept is not None and boot and kept.note.startswith(f"{boot} "):
        step = now - kept.at - timedelta(seconds=running - float(kept.note.rpartition(" ")[2]))
        if abs(step) < STEP:
            return
        await shift(tx, step, now)
    await keep_fact(tx, _ANCHOR, now, f"{boot} {running!r}")


async def shift(tx: AsyncConnection, step: timedelta, now: datetime) -> None:
    """Move what runs along with a clock that was set by `step`."""
    for statement in _SHIFTS:
        values = {"step": step // timedelta(microseconds=1), "now": micros(now)}
        await tx.execute(text(statement), {name: values[name] for name in values if f":{name}" in statement})


async def bound(tx: AsyncConnection, now: datetime) -> None:
    """Bring back what lies too far ahead to be true: the clock was set back while no process ran."""
    for statement in _BOUNDS:
        values = {"now": micros(now), "longest": micros(now + _LONGEST_REST)}
        await tx.execute(text(statement), {name: values[name] for name in values if f":{name}" in statement})
