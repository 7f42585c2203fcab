"""Who works at the desk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.editor import Editor, Role
from bot.store.tables import editors


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An editor, and whether the configuration names that person, who has opened the chat with the bot, or not yet."""

    editor: Editor
    from_config: bool
    has_started: bool


async def engage(tx: AsyncConnection, configured: Iterable[Editor]) -> None:
    """Make the editors named by the configuration agree with it; those added in Telegram stay."""
    named = list(configured)
    ids = [editor.telegram_id for editor in named]
    await tx.execute(delete(editors).where(editors.c.from_config.is_(True), editors.c.telegram_id.not_in(ids)))
    for editor in named:
        values = {
            "name": editor.name,
            "role": editor.role.value,
            "channels": list(editor.channels),
            "from_config": True,
        }
        query = (sqlite if tx.dialect.name == "sqlite" else postgresql).insert(editors)
        await tx.execute(
            query.values(telegram_id=editor.telegram_id, **values).on_conflict_do_update(
                index_elements=["telegram_id"], set_=values
            )
        )


async def staff(tx: AsyncConnection) -> list[Member]:
    """Return all editors by name, with where they come from."""
    return [
        Member(editor=_editor(row), from_config=row.from_config, has_started=row.started_at is not None)
        for row in await tx.execute(select(editors).order_by(editors.c.name, editors.c.telegram_id))
    ]


async def hire(tx: AsyncConnection, newcomer: Editor) -> None:
    """Add an editor who is not known yet."""
    await tx.execute(
        insert(editors).values(
            telegram_id=newcomer.telegram_id,
            name=newcomer.name,
            role=newcomer.role.value,
            channels=list(newcomer.channels),
            from_config=False,
        )
    )


async def change(tx: AsyncConnection, telegram_id: int, **columns: Any) -> None:
    """Set columns of an editor."""
    await tx.execute(update(editors).where(editors.c.telegram_id == telegram_id).values(**columns))


async def dismiss(tx: AsyncConnection, telegram_id: int) -> None:
    """Drop an editor."""
    await tx.execute(delete(editors).where(editors.c.telegram_id == telegram_id))


async def everyone(tx: AsyncConnection) -> list[Editor]:
    """Return all editors by name."""
    rows = await tx.execute(select(editors).order_by(editors.c.name))
    return [_editor(row) for row in rows]


async def added(tx: AsyncConnection) -> list[Editor]:
    """Return the editors whom the configuration does not name, by name."""
    rows = await tx.execute(select(editors).where(editors.c.from_config.is_(False)).order_by(editors.c.name))
    return [_editor(row) for row in rows]


async def find(tx: AsyncConnection, telegram_id: int) -> Editor | None:
    """Return an editor as of now: what a person may do is asked at the moment of each act."""
    row = (await tx.execute(select(editors).where(editors.c.telegram_id == telegram_id))).one_or_none()
    return _editor(row) if row is not None else None


async def started(tx: AsyncConnection, role: Role) -> list[Editor]:
    """Return the editors of at least this role who can be written to: they have opened the chat with the bot."""
    query = select(editors).where(editors.c.role >= role.value, editors.c.started_at.is_not(None))
    return [_editor(row) for row in await tx.execute(query.order_by(editors.c.telegram_id))]


async def unstarted(tx: AsyncConnection) -> list[Editor]:
    """Return the editors who have never opened the chat with the bot, by name: nothing can be written to them."""
    rows = await tx.execute(select(editors).where(editors.c.started_at.is_(None)).order_by(editors.c.name))
    return [_editor(row) for row in rows]


async def note_start(tx: AsyncConnection, telegram_id: int, at: datetime) -> None:
    """Remember that an editor has opened the chat with the bot."""
    await tx.execute(update(editors).where(editors.c.telegram_id == telegram_id).values(started_at=at))


def _editor(row: Any) -> Editor:
    return Editor(telegram_id=row.telegram_id, name=row.name, role=Role(row.role), channels=tuple(row.channels))
