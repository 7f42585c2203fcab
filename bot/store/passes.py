"""What lets an editor into the calendar: sessions, one-time links, and signed data that was used.

The store keeps hashes alone: whoever reads it, or a copy of it, can open nothing. Who may see or change what is not
asked here; that stands with the editors, and is asked anew at every step.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.tables import passes

SESSION_LASTS = timedelta(hours=2)
LINK_LASTS = timedelta(minutes=5)
_BYTES = 32
_MOST_SESSIONS = 10  # of one person: phone, desktop, a browser, each opened anew a few times


class Kind(StrEnum):
    SESSION = "session"
    LINK = "link"
    SPENT = "spent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """An editor's open session."""

    key: str
    telegram_id: int
    ends_at: datetime


def key_of(token: str) -> str:
    """Return the hash under which a token is kept."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


async def make_link(tx: AsyncConnection, telegram_id: int, now: datetime) -> str:
    """Make the token of a one-time link to the calendar (`/app?link=<token>`); earlier ones of the person end.

    Args:
        telegram_id: of a person who is an editor; whether they still are is asked again when the link is opened.
    """
    await tx.execute(delete(passes).where(passes.c.telegram_id == telegram_id, passes.c.kind == Kind.LINK))
    return await _add(tx, Kind.LINK, telegram_id, now, LINK_LASTS)


async def is_link(tx: AsyncConnection, token: str) -> bool:
    """Say whether there is such a link; it may be over."""
    query = select(passes.c.key).where(passes.c.key == key_of(token), passes.c.kind == Kind.LINK)
    return (await tx.execute(query)).one_or_none() is not None


async def use_link(tx: AsyncConnection, token: str, now: datetime) -> int | None:
    """Use a link up and return whose it was; None where it is unknown, used, or too old."""
    query = delete(passes).where(passes.c.key == key_of(token), passes.c.kind == Kind.LINK)
    row = (await tx.execute(query.returning(passes.c.telegram_id, passes.c.ends_at))).one_or_none()
    return int(row.telegram_id) if row is not None and row.ends_at > now else None


async def spend(tx: AsyncConnection, signature: str, telegram_id: int, now: datetime, until: datetime) -> bool:
    """Note that signed data was used; False where it had been already, at whichever replica.

    Args:
        until: when it is refused for its age alone and need not be remembered.
    """
    insert = (sqlite if tx.dialect.name == "sqlite" else postgresql).insert(passes)
    query = insert.values(
        key=key_of(signature), kind=Kind.SPENT, telegram_id=telegram_id, opened_at=now, ends_at=until
    ).on_conflict_do_nothing()
    return (await tx.execute(query.returning(passes.c.key))).scalar_one_or_none() is not None


async def open_session(tx: AsyncConnection, telegram_id: int, now: datetime) -> str:
    """Open a session and return its token; a person's oldest ones end where there are too many."""
    await forget(tx, now)
    mine = (passes.c.telegram_id == telegram_id, passes.c.kind == Kind.SESSION)
    kept = select(passes.c.key).where(*mine).order_by(passes.c.opened_at.desc(), passes.c.key).limit(_MOST_SESSIONS - 1)
    await tx.execute(delete(passes).where(*mine, passes.c.key.not_in(kept)))
    return await _add(tx, Kind.SESSION, telegram_id, now, SESSION_LASTS)


async def session(tx: AsyncConnection, token: str, now: datetime) -> Session | None:
    """Return the session of a token; None where it is unknown or over."""
    query = select(passes).where(passes.c.key == key_of(token), passes.c.kind == Kind.SESSION, passes.c.ends_at > now)
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else Session(key=row.key, telegram_id=row.telegram_id, ends_at=row.ends_at)


async def forget(tx: AsyncConnection, now: datetime) -> None:
    """Drop what is over; what another replica is dropping is left to it."""
    over = select(passes.c.key).where(passes.c.ends_at <= now).with_for_update(skip_locked=True)
    await tx.execute(delete(passes).where(passes.c.key.in_(over)))


async def _add(tx: AsyncConnection, kind: Kind, telegram_id: int, now: datetime, lasts: timedelta) -> str:
    token = secrets.token_urlsafe(_BYTES)
    values = {
        "key": key_of(token),
        "kind": kind,
        "telegram_id": telegram_id,
        "opened_at": now,
        "ends_at": now + lasts,
    }
    await tx.execute(passes.insert().values(**values))
    return token
