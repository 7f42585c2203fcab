"""Photos that editors sent to the bot: kept as they came, so that every replica finds them, also after a restart."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.delivery import FINAL
from bot.store.tables import deliveries, pictures

KEPT = "kept:"  # how the address of such a photo begins


async def keep(tx: AsyncConnection, content: bytes, now: datetime) -> str:
    """Keep a photo and return its address; the same bytes are kept once."""
    key = hashlib.sha256(content).hexdigest()
    dialect = sqlite if tx.dialect.name == "sqlite" else postgresql
    query = dialect.insert(pictures).values(key=key, content=content, at=now)
    await tx.execute(query.on_conflict_do_update(index_elements=["key"], set_={"at": query.excluded.at}))
    return KEPT + key


async def get(tx: AsyncConnection, address: str) -> bytes | None:
    """Return the photo at an address; None where it is not kept (any more)."""
    query = select(pictures.c.content).where(pictures.c.key == address.removeprefix(KEPT))
    content: bytes | None = (await tx.execute(query)).scalar_one_or_none()
    return content


async def forget(tx: AsyncConnection, before: datetime) -> int:
    """Drop what was sent before then and waits for no post; return how many."""
    return (await tx.execute(delete(pictures).where(pictures.c.at < before, ~_is_wanted()))).rowcount


def _is_wanted() -> ColumnElement[bool]:
    waiting = deliveries.c.state.not_in(FINAL)
    return exists().where(waiting, deliveries.c.own["photo"].as_string() == KEPT + pictures.c.key)
