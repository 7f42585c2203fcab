"""The theoretical arrival times of every rate, shared by all replicas."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.pace import Rate
from bot.store.tables import pace

Limit = tuple[str, Rate]  # the key of a rate (whose it is, and which), and the rate


async def earliest(tx: AsyncConnection, limits: Sequence[Limit], now: datetime, *, locked: bool = False) -> datetime:
    """Return when the next call may leave under all the limits.

    Args:
        locked: hold the rows until the transaction ends.
    """
    arrivals = await _arrivals(tx, [key for key, _ in limits], locked=locked)
    return max((rate.earliest(arrivals.get(key), now) for key, rate in limits), default=now)


async def reserve(tx: AsyncConnection, limits: Sequence[Limit], now: datetime) -> datetime:
    """Take a place under all the limits and return when the call may leave."""
    if not limits:
        return now
    ordered = sorted(limits, key=lambda limit: limit[0])  # one order of locking for all
    arrivals = await _arrivals(tx, [key for key, _ in ordered], locked=True)
    go_at = max(rate.earliest(arrivals.get(key), now) for key, rate in ordered)
    await _put(tx, {key: rate.after(arrivals.get(key), go_at) for key, rate in ordered})
    return go_at


async def ban(tx: AsyncConnection, limits: Sequence[Limit], until: datetime) -> None:
    """Let nothing leave under these limits before then."""
    arrivals = await _arrivals(tx, [key for key, _ in limits], locked=True)
    later = {key: until + rate.interval * (rate.burst - 1) for key, rate in sorted(limits)}
    await _put(tx, {key: max(at, arrivals.get(key, at)) for key, at in later.items()})


async def _arrivals(tx: AsyncConnection, keys: Sequence[str], *, locked: bool) -> dict[str, datetime]:
    if not keys:
        return {}
    query = select(pace.c.key, pace.c.arrival_at).where(pace.c.key.in_(keys)).order_by(pace.c.key)
    if locked:
        query = query.with_for_update()
    return {row.key: row.arrival_at for row in await tx.execute(query)}


async def _put(tx: AsyncConnection, arrivals: dict[str, datetime]) -> None:
    if not arrivals:
        return
    dialect = sqlite if tx.dialect.name == "sqlite" else postgresql
    query = dialect.insert(pace).values([{"key": key, "arrival_at": at} for key, at in arrivals.items()])
    await tx.execute(
        query.on_conflict_do_update(index_elements=["key"], set_={"arrival_at": query.excluded.arrival_at})
    )
