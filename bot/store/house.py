"""Single facts of the whole house: leases of single duties, the stop of everything, the last beat, source cursors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.tables import house, leases, sources


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """What is remembered of a source."""

    cursor: dict[str, Any]
    first_pass_at: datetime | None = None
    last_success_at: datetime | None = None
    failures: int = 0
    error: str = ""


async def take_lease(tx: AsyncConnection, duty: str, holder: str, now: datetime, term: timedelta) -> bool:
    """Take or renew a single duty; False where another holds it."""
    insert = (sqlite if tx.dialect.name == "sqlite" else postgresql).insert(leases)
    query = insert.values(duty=duty, holder=holder, term=1, until=now + term).on_conflict_do_update(
        index_elements=["duty"],
        set_={"holder": holder, "term": leases.c.term + 1, "until": now + term},
        where=(leases.c.holder == holder) | (leases.c.until < now),
    )
    return (await tx.execute(query.returning(leases.c.duty))).scalar_one_or_none() is not None


async def drop_leases(tx: AsyncConnection, holder: str) -> None:
    """Give all duties of a holder back."""
    await tx.execute(delete(leases).where(leases.c.holder == holder))


async def fact(tx: AsyncConnection, name: str) -> datetime | None:
    """Return the time kept under a name."""
    found: datetime | None = (await tx.execute(select(house.c.at).where(house.c.name == name))).scalar_one_or_none()
    return found


async def keep_fact(tx: AsyncConnection, name: str, at: datetime | None, note: str = "") -> None:
    """Keep a time under a name; None forgets it."""
    if at is None:
        await tx.execute(delete(house).where(house.c.name == name))
        return
    query = (sqlite if tx.dialect.name == "sqlite" else postgresql).insert(house).values(name=name, at=at, note=note)
    await tx.execute(
        query.on_conflict_do_update(
            index_elements=["name"],
            set_={"at": query.excluded.at, "note": query.excluded.note},
        )
    )


async def notes(tx: AsyncConnection, prefix: str) -> dict[str, str]:
    """Return what is noted under the names that begin so, by the rest of each name."""
    rows = await tx.execute(select(house.c.name, house.c.note).where(house.c.name.startswith(prefix, autoescape=True)))
    return {row.name.removeprefix(prefix): row.note for row in rows}


async def source_state(tx: AsyncConnection, name: str) -> SourceState:
    """Return what is remembered of a source; empty at its first pass."""
    row = (await tx.execute(select(sources).where(sources.c.name == name))).one_or_none()
    if row is None:
        return SourceState(cursor={})
    return SourceState(
        cursor=row.cursor,
        first_pass_at=row.first_pass_at,
        last_success_at=row.last_success_at,
        failures=row.failures,
        error=row.error,
    )


async def keep_source_state(tx: AsyncConnection, name: str, state: SourceState) -> None:
    """Remember a source's state."""
    values = {
        "cursor": state.cursor,
        "first_pass_at": state.first_pass_at,
        "last_success_at": state.last_success_at,
        "failures": state.failures,
        "error": state.error,
    }
    query = (sqlite if tx.dialect.name == "sqlite" else postgresql).insert(sources).values(name=name, **values)
    await tx.execute(query.on_conflict_do_update(index_elements=["name"], set_=values))
