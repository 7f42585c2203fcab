"""What editors change in the calendar: each write carries its session's nonce; the role is asked as it happens.

Says what a channel's timetable forbids even a time that an editor chose; the step itself is `agenda.steering`'s.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.agenda import steering
from bot.clock import Clock
from bot.domain.channel import Channel, ChannelId
from bot.domain.delivery import DeliveryId
from bot.domain.editor import Role
from bot.errors import DeskError
from bot.store import channels, deliveries
from bot.store.database import Database
from bot.store.tables import deliveries as rows
from bot.web import calendar_read, calendar_view, texts
from bot.web.bodies import read_body
from bot.web.calendar_view import Shown
from bot.web.limits import Allowance
from bot.web.problems import problem
from bot.web.session import Sessions, carries_nonce, is_foreign

MOST_BYTES = 4 * 1024
_WRITES = (30, 1.0)  # of one session: at once, per second
_LARGEST_ID = 2**63 - 1
_WALL = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a page asks for: a delivery and, for a move, the time as it was sent."""

    delivery: DeliveryId
    at: str | None
    wall: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """Who changes something, with the channel as it stands in this transaction."""

    tx: AsyncConnection
    now: datetime
    who: str
    one: Shown


class Changes:
    """The doors that change something.

    Args:
        on_change: is called after each change.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        sessions: Sessions,
        served: Mapping[ChannelId, Channel],
        on_change: Callable[[], None],
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._served = served
        self._on_change = on_change
        self._allowance = Allowance(clock, *_WRITES)

    async def move(self, request: web.Request) -> web.Response:
        """Have a post go out at another time: `at` (ISO 8601 with an offset) or `wall` (by the outlet's clocks)."""
        return await self._write(request, _move)

    async def unpin(self, request: web.Request) -> web.Response:
        """Put a post back into the queue."""
        return await self._write(request, _unpin)

    async def _write(self, request: web.Request, act: Callable[[Hand, Wish], Awaitable[str]]) -> web.Response:
        if is_foreign(request):
            return problem(403, texts.FOREIGN)
        async with self._database.read() as tx:
            visit = await self._sessions.visit(request, tx)
        if visit is None:
            return problem(403, texts.SESSION_OVER)
        if not carries_nonce(request, visit):
            return problem(403, texts.FOREIGN)
        if not self._allowance.take(visit.session.key):
            return problem(429, texts.TOO_OFTEN, headers={"Retry-After": "10"})
        wish = await _wish(request)
        if isinstance(wish, web.Response):
            return wish
        async with self._database.read() as tx:
            found = await deliveries.find(tx, rows.c.id == wish.delivery)
        channel = self._served.get(found[0].channel_id) if found else None
        if channel is None:
            return problem(404, texts.NO_POST)
        try:
            async with channels.turn(self._database, [found[0].channel_id]) as (tx, now):
                visit = await self._sessions.visit(request, tx)  # both may have ended meanwhile
                if visit is None:
                    return problem(403, texts.SESSION_OVER)
                editor = visit.editor
                if not editor.may(Role.EDITOR, channel.name):
                    line = texts.ONLY_LOOKS if editor.may(Role.VIEWER, channel.name) else texts.NOT_YOURS
                    return problem(403, line.format(channel=channel.name))
                seen = await calendar_read.seen_by(tx, {found[0].channel_id: channel}, editor, now)
                if not seen:
                    return problem(404, texts.NO_POST)
                who = f"{editor.name} ({editor.telegram_id})"
                line = await act(Hand(tx=tx, now=now, who=who, one=seen[0]), wish)
        except DeskError as error:
            return problem(409, str(error))
        self._on_change()
        return web.json_response({"delivery": wish.delivery, "line": line})


async def _move(hand: Hand, wish: Wish) -> str:
    timetable = hand.one.channel.timetable
    at = _moment(wish, hand.one.channel)
    if at is None:
        raise DeskError(texts.NO_TIME)
    forbidden = calendar_view.forbids(hand.one, at, hand.now)
    if forbidden is not None:
        raise DeskError(forbidden)
    moved = await steering.pin(hand.tx, wish.delivery, at, who=hand.who, now=hand.now)
    when = texts.when((moved.pinned_at or at).astimezone(timetable.zone), timetable.day_of(hand.now))
    return texts.MOVED.format(channel=hand.one.channel.name, when=when)


async def _unpin(hand: Hand, wish: Wish) -> str:
    await steering.unpin(hand.tx, wish.delivery, who=hand.who, now=hand.now)
    return texts.BACK_IN_LINE.format(channel=hand.one.channel.name)


def _moment(wish: Wish, channel: Channel) -> datetime | None:
    """Return the time a wish names, in UTC; None where it names none."""
    try:
        if wish.at is not None:
            at = datetime.fromisoformat(wish.at)
            return at.astimezone(UTC) if at.tzinfo is not None else None
        found = _WALL.fullmatch(wish.wall or "")
        if found is None:
            return None
        return channel.timetable.moment(date.fromisoformat(found[1]), time.fromisoformat(found[2]))
    except (ValueError, OverflowError):
        return None


async def _wish(request: web.Request) -> Wish | web.Response:
    """Read a wish, or return the answer that refuses it. Only JSON: no form of another site can send that."""
    if request.content_type != "application/json":
        return problem(415, texts.NOT_UNDERSTOOD)
    raw = await read_body(request, MOST_BYTES)
    if isinstance(raw, int):
        return problem(raw, texts.TOO_LARGE if raw == 413 else texts.NOT_UNDERSTOOD)
    try:
        told: Any = json.loads(raw)
    except (ValueError, RecursionError):
        return problem(422, texts.NOT_UNDERSTOOD)
    if not isinstance(told, dict):
        return problem(422, texts.NOT_UNDERSTOOD)
    number = told.get("delivery")
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number <= _LARGEST_ID:
        return problem(422, texts.NOT_UNDERSTOOD, field="delivery")
    for name in ("at", "wall"):
        if not isinstance(told.get(name), str | None):
            return problem(422, texts.NOT_UNDERSTOOD, field=name)
    return Wish(delivery=DeliveryId(number), at=told.get("at"), wall=told.get("wall"))
