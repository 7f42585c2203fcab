"""The figures of each post as a series, and the book of when to ask for them: written here, asked about in `insights`.

A series holds changes alone: what is told twice is kept once. Points nearer than `domain.figures.apart` become one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, and_, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.channel import ChannelId, Platform
from bot.domain.delivery import DeliveryId
from bot.domain.figures import REACTION, apart
from bot.store.tables import channels, figures, inquiries, ledger

_PAGE = 500  # ids in one question


class Told(NamedTuple):
    """The newest point of a series; `at` is when it began."""

    at: datetime
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """A post whose figures are to be asked for. `misses` counts the tries in a row that brought nothing."""

    delivery_id: DeliveryId
    remote_id: str
    published_at: datetime
    withdrawn_at: datetime | None
    misses: int


def newest_points(where: ColumnElement[bool]) -> Select[tuple[int, str, datetime, int]]:
    """Return the query for the newest point of every series of the posts meant.

    Both passes go along the key of these posts alone: asking each point whether it is the newest costs a seek a point.
    """
    last = (
        select(figures.c.delivery_id, figures.c.name, func.max(figures.c.at).label("at"))
        .where(where)
        .group_by(figures.c.delivery_id, figures.c.name)
        .subquery("last")
    )
    same = [figures.c[column] == last.c[column] for column in ("delivery_id", "name", "at")]
    newest_one = select(figures.c.delivery_id, figures.c.name, figures.c.at, figures.c.value)
    return newest_one.join(last, and_(*same)).where(where)


async def newest(tx: AsyncConnection, wanted: Sequence[DeliveryId]) -> dict[DeliveryId, dict[str, Told]]:
    """Return the newest point of every series of these posts; posts without any are left out."""
    found: dict[DeliveryId, dict[str, Told]] = {}
    for start in range(0, len(wanted), _PAGE):
        query = newest_points(figures.c.delivery_id.in_(wanted[start : start + _PAGE]))
        for row in await tx.execute(query):
            found.setdefault(DeliveryId(row.delivery_id), {})[row.name] = Told(row.at, row.value)
    return found


async def keep(
    tx: AsyncConnection, delivery_id: DeliveryId, told: Mapping[str, int], at: datetime, *, published_at: datetime
) -> int:
    """Keep what differs from what is known of a post; return how much did.

    A reaction that nobody ever held is nothing new; a plain figure is, even where it is 0: it tells that it is told.
    """
    known = (await newest(tx, [delivery_id])).get(delivery_id, {})
    changed = 0
    for name, value in told.items():
        before = known.get(name)
        if before is None and not value and name.startswith(REACTION):
            continue
        if before is not None and before.value == value:
            continue
        changed += 1
        if before is not None and at - before.at < apart(at - published_at):
            await tx.execute(
                update(figures)
                .where(figures.c.delivery_id == delivery_id, figures.c.name == name, figures.c.at == before.at)
                .values(value=value)
            )
        else:
            await tx.execute(insert(figures).values(delivery_id=delivery_id, name=name, at=at, value=value))
    return changed


async def hear(tx: AsyncConnection, delivery_id: DeliveryId, channel_id: ChannelId, at: datetime) -> bool:
    """Note that figures of a post were told, unasked, as of a time; False where newer ones were told before.

    Holds the post's row until the transaction ends, so that two who hear at once keep one after the other.
    """
    dialect = sqlite if tx.dialect.name == "sqlite" else postgresql
    query = dialect.insert(inquiries).values(delivery_id=delivery_id, channel_id=channel_id, heard_at=at)
    query = query.on_conflict_do_update(
        index_elements=["delivery_id"],
        set_={"heard_at": query.excluded.heard_at},
        where=or_(inquiries.c.heard_at.is_(None), inquiries.c.heard_at <= query.excluded.heard_at),
    )
    return (await tx.execute(query.returning(inquiries.c.delivery_id))).scalar_one_or_none() is not None


async def find_post(
    tx: AsyncConnection, platform: Platform, addresses: Collection[str], remote_id: str
) -> tuple[DeliveryId, ChannelId, datetime] | None:
    """Return which post of ours this is, with its channel and time; None where it is none.

    Args:
        addresses: every name of the chat, "@name" or number: any may stand in the configuration.
    """
    wanted = {address.lower() for address in addresses}
    rows = await tx.execute(
        select(channels.c.id).where(channels.c.platform == platform, func.lower(channels.c.address).in_(wanted))
    )
    ids = [row.id for row in rows]
    if not ids:
        return None
    query = (
        select(ledger.c.delivery_id, ledger.c.channel_id, ledger.c.published_at)
        .where(ledger.c.channel_id.in_(ids), ledger.c.remote_id == remote_id)
        .order_by(ledger.c.delivery_id.desc())
        .limit(1)
    )
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else (DeliveryId(row.delivery_id), ChannelId(row.channel_id), row.published_at)


async def unasked(
    tx: AsyncConnection, channel_id: ChannelId, since: datetime, most: int
) -> list[tuple[DeliveryId, datetime]]:
    """Return public posts since then that nobody has planned to ask about, newest first, with their times."""
    query = (
        select(ledger.c.delivery_id, ledger.c.published_at)
        .join(inquiries, inquiries.c.delivery_id == ledger.c.delivery_id, isouter=True)
        .where(
            ledger.c.channel_id == channel_id,
            ledger.c.published_at >= since,
            ledger.c.withdrawn_at.is_(None),
            inquiries.c.delivery_id.is_(None),
        )
        .order_by(ledger.c.published_at.desc())
        .limit(most)
    )
    return [(DeliveryId(row.delivery_id), row.published_at) for row in await tx.execute(query)]


async def plan_inquiries(
    tx: AsyncConnection, channel_id: ChannelId, planned: Sequence[tuple[DeliveryId, datetime]]
) -> None:
    """Plan to ask about posts for the first time."""
    if not planned:
        return
    dialect = sqlite if tx.dialect.name == "sqlite" else postgresql
    rows = [{"delivery_id": one, "channel_id": channel_id, "next_at": next_at} for one, next_at in planned]
    await tx.execute(dialect.insert(inquiries).on_conflict_do_nothing(), rows)


async def due(tx: AsyncConnection, channel_id: ChannelId, now: datetime, most: int) -> list[Inquiry]:
    """Return the posts to ask about now; those whose turn came last, the fresh ones, first."""
    query = (
        select(
            inquiries.c.delivery_id,
            inquiries.c.misses,
            ledger.c.remote_id,
            ledger.c.published_at,
            ledger.c.withdrawn_at,
        )
        .join(ledger, ledger.c.delivery_id == inquiries.c.delivery_id)
        .where(inquiries.c.channel_id == channel_id, inquiries.c.next_at.is_not(None), inquiries.c.next_at <= now)
        .order_by(inquiries.c.next_at.desc())
        .limit(most)
    )
    return [Inquiry(**{**row._mapping, "delivery_id": DeliveryId(row.delivery_id)}) for row in await tx.execute(query)]


async def ask_next(
    tx: AsyncConnection, delivery_id: DeliveryId, next_at: datetime | None, *, misses: int = 0, ended: str = ""
) -> None:
    """Plan when to ask about a post again; None: never, for the reason `ended`."""
    await tx.execute(
        update(inquiries)
        .where(inquiries.c.delivery_id == delivery_id)
        .values(next_at=next_at, misses=misses, ended=ended)
    )
