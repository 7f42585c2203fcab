"""What an embedded database does when the machine's clock is set: spans that run go on running as long as they would.

Leases, gaps, bans and rests are kept as moments; a clock that jumps would end them at once or never. Moments that
people mean (a slot, a pause until 18:00, an embargo) stay as they are. On PostgreSQL the database's own clock counts.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.deliveries import IN_FLIGHT
from bot.store.tables import micros

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
