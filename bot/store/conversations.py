"""Where editors stand in what takes more than one message: one conversation a person in each chat.

Read and changed in the transaction that counts the update (`Arrival.turn`): an update that comes again changes
nothing, and two that come at once follow each other. Everything is in the row, so any replica may go on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.tables import conversations


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Whose conversation: with which bot, in which chat, of which person."""

    account: str
    chat_id: int
    person_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A conversation as it stands.

    `about` names what it is for, `step` what is asked now, `gathered` is all that was answered (plain JSON values).
    `version` is the number of the update that led to this step: buttons carry it, and an older one does nothing.
    """

    about: str
    step: str
    gathered: Mapping[str, Any] = field(default_factory=dict)
    version: int
    expires_at: datetime


async def find(tx: AsyncConnection, place: Place) -> Conversation | None:
    """Return a person's conversation, also one that has expired."""
    row = (await tx.execute(select(conversations).where(_of(place)))).one_or_none()
    if row is None:
        return None
    return Conversation(
        about=row.about, step=row.step, gathered=row.gathered, version=row.version, expires_at=row.expires_at
    )


async def keep(tx: AsyncConnection, place: Place, now_is: Conversation) -> None:
    """Remember where a conversation stands, in place of whatever stood there."""
    values = {
        "about": now_is.about,
        "step": now_is.step,
        "gathered": dict(now_is.gathered),
        "version": now_is.version,
        "expires_at": now_is.expires_at,
    }
    keys = {"account": place.account, "chat_id": place.chat_id, "person_id": place.person_id}
    dialect = sqlite if tx.dialect.name == "sqlite" else postgresql
    query = dialect.insert(conversations).values(**keys, **values)
    await tx.execute(query.on_conflict_do_update(index_elements=list(keys), set_=values))


async def end(tx: AsyncConnection, place: Place, *, before: int | None = None) -> bool:
    """Forget a conversation; False where there was none.

    Args:
        before: only one whose step is older than this update: one that comes again must not end what came after it.
    """
    older = [conversations.c.version < before] if before is not None else []
    return (await tx.execute(delete(conversations).where(_of(place), *older))).rowcount > 0


async def forget(tx: AsyncConnection, before: datetime) -> int:
    """Drop what expired before then; return how many."""
    return (await tx.execute(delete(conversations).where(conversations.c.expires_at < before))).rowcount


async def forget_person(tx: AsyncConnection, person_id: int) -> None:
    """Drop the conversations of somebody who is no editor any more."""
    await tx.execute(delete(conversations).where(conversations.c.person_id == person_id))


def _of(place: Place) -> ColumnElement[bool]:
    return and_(
        conversations.c.account == place.account,
        conversations.c.chat_id == place.chat_id,
        conversations.c.person_id == place.person_id,
    )
