"""What was found to be wrong before its time: facts of the house that hold as long as they are true.

A subject is a delivery ("delivery 17") or a channel ("channel 3"); a cause one word of what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.channel import ChannelId
from bot.domain.delivery import DeliveryId
from bot.store.tables import house

_PREFIX = "warns"
_LONGEST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """One thing that is wrong with a delivery or a channel, and since when it is known."""

    subject: str
    cause: str
    at: datetime
    detail: str

    @property
    def delivery_id(self) -> DeliveryId | None:
        kind, _, number = self.subject.partition(" ")
        return DeliveryId(int(number)) if kind == "delivery" else None

    @property
    def channel_id(self) -> ChannelId | None:
        kind, _, number = self.subject.partition(" ")
        return ChannelId(int(number)) if kind == "channel" else None


async def standing(tx: AsyncConnection) -> list[Warned]:
    """Return all that is wrong by now."""
    query = select(house).where(house.c.name.like(f"{_PREFIX} %")).order_by(house.c.name)
    found = []
    for row in await tx.execute(query):
        _, kind, number, cause = row.name.split(" ")
        found.append(Warned(subject=f"{kind} {number}", cause=cause, at=row.at, detail=row.note))
    return found


async def keep(tx: AsyncConnection, subject: str, causes: Mapping[str, str], now: datetime) -> list[str]:
    """Keep what is wrong with a subject, and drop what no longer is; return the causes that are new."""
    known = {one.cause for one in await standing(tx) if one.subject == subject}
    await drop(tx, subject, known - causes.keys())
    new = [cause for cause in causes if cause not in known]
    if new:
        dialect = sqlite if tx.dialect.name == "sqlite" else postgresql
        rows = [{"name": _name(subject, cause), "at": now, "note": causes[cause][:_LONGEST]} for cause in new]
        await tx.execute(dialect.insert(house).values(rows).on_conflict_do_nothing())
    return new


async def drop(tx: AsyncConnection, subject: str, causes: Collection[str]) -> None:
    """Drop what is no longer wrong with a subject."""
    names: Sequence[str] = [_name(subject, cause) for cause in causes]
    if names:
        await tx.execute(delete(house).where(house.c.name.in_(names)))


def _name(subject: str, cause: str) -> str:
    return f"{_PREFIX} {subject} {cause}"
