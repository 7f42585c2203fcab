"""Who works at the desk: chiefs take people on, give them roles and channels, and let them go; effective at once.

As in `steering`, each function takes one step in the caller's transaction, leaves an audit row, and says in Ukrainian
what is not possible. Whoever the configuration names is changed there alone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.agenda import refusals
from bot.domain.editor import Editor, Role
from bot.errors import DeskError
from bot.store import conversations, editors
from bot.store.decisions import record_act
from bot.store.editors import Member


def may_manage(editor: Editor) -> bool:
    """Say whether somebody may decide who works here: a chief of some channels could give himself the others."""
    return editor.role is Role.CHIEF and not editor.channels


async def hire(tx: AsyncConnection, newcomer: Editor, *, who: str, now: datetime) -> None:
    """Take somebody on."""
    if await editors.find(tx, newcomer.telegram_id) is not None:
        raise DeskError(refusals.KNOWN_ALREADY)
    await editors.hire(tx, newcomer)
    await _told(tx, "hire", newcomer.telegram_id, None, newcomer, who=who, now=now)


async def give_role(tx: AsyncConnection, telegram_id: int, role: Role, *, who: str, now: datetime) -> None:
    """Give somebody another role."""
    member = await _movable(tx, telegram_id)
    if role is not Role.CHIEF:
        await _keep_a_chief(tx, member)
    await _change(tx, member, "role", who=who, now=now, role=role.value)


async def give_channels(
    tx: AsyncConnection, telegram_id: int, channels: tuple[str, ...], *, who: str, now: datetime
) -> None:
    """Give somebody other channels; none means all."""
    member = await _movable(tx, telegram_id)
    if channels:
        await _keep_a_chief(tx, member)
    await _change(tx, member, "channels", who=who, now=now, channels=list(channels))


async def dismiss(tx: AsyncConnection, telegram_id: int, *, who: str, now: datetime) -> None:
    """Let somebody go: from now on the bot does not know that person."""
    member = await _movable(tx, telegram_id)
    await _keep_a_chief(tx, member)
    await editors.dismiss(tx, telegram_id)
    await conversations.forget_person(tx, telegram_id)
    await _told(tx, "dismiss", telegram_id, member.editor, None, who=who, now=now)


async def _movable(tx: AsyncConnection, telegram_id: int) -> Member:
    member = next((one for one in await editors.staff(tx) if one.editor.telegram_id == telegram_id), None)
    if member is None:
        raise DeskError(refusals.GONE_ALREADY)
    if member.from_config:
        raise DeskError(refusals.FROM_CONFIG)
    return member


async def _keep_a_chief(tx: AsyncConnection, leaving: Member) -> None:
    """Refuse to lose the last one who may decide who works here."""
    left = [one for one in await editors.staff(tx) if may_manage(one.editor) and one != leaving]
    if may_manage(leaving.editor) and not left:
        raise DeskError(refusals.LAST_CHIEF)


async def _change(tx: AsyncConnection, member: Member, action: str, *, who: str, now: datetime, **columns: Any) -> None:
    number = member.editor.telegram_id
    await editors.change(tx, number, **columns)
    await _told(tx, action, number, member.editor, await editors.find(tx, number), who=who, now=now)


async def _told(
    tx: AsyncConnection,
    action: str,
    telegram_id: int,
    before: Editor | None,
    after: Editor | None,
    *,
    who: str,
    now: datetime,
) -> None:
    shown = [_seen(one) if one is not None else None for one in (before, after)]
    subject = f"editor {telegram_id}"
    await record_act(tx, who=who, action=action, subject=subject, before=shown[0], after=shown[1], now=now)


def _seen(editor: Editor) -> dict[str, Any]:
    return {"name": editor.name, "role": editor.role.name.lower(), "channels": list(editor.channels)}
