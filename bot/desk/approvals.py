"""What the buttons under posts that wait for an editor do: let them go, at once or at a time, stop them, drop them.

«Опублікувати» lets a post go after a moment in which «Зупинити» still holds it back; that one stands under every
message that says so, and names the delivery.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.agenda import refusals, steering
from bot.agenda.forecast import slot_of
from bot.desk import cards, texts
from bot.desk.arrival import Arrival
from bot.desk.dispatch import Press
from bot.desk.standing import moment, stand
from bot.desk.telling import Teller
from bot.desk.touch import Doorkeeper, Touched, number
from bot.desk.voice import Replies
from bot.domain.channel import Channel, ChannelId
from bot.domain.delivery import Delivery, DeliveryId, HeldReason, State
from bot.errors import DeskError
from bot.store import deliveries
from bot.store import notices as rows
from bot.store.database import Database
from bot.store.notices import POSTS
from bot.store.tables import deliveries as delivery_rows

_IN = {"15m": timedelta(minutes=15), "60m": timedelta(hours=1)}
_IN_TURN = "turn"
_SECONDS = re.compile(r"\d{1,11}", re.ASCII)  # since 1970


class Approvals:
    """The buttons of posts.

    Args:
        undo: how long «Зупинити» holds a post back.
        stirred: called after a step: the queue and the notices have changed.
        zone: by whose clock times are told.
    """

    def __init__(
        self,
        database: Database,
        served: Mapping[ChannelId, Channel],
        door: Doorkeeper,
        teller: Teller,
        replies: Replies,
        stirred: Callable[[], None],
        *,
        undo: timedelta,
        zone: ZoneInfo,
    ) -> None:
        self._database = database
        self._served = served
        self._door = door
        self._teller = teller
        self._replies = replies
        self._stirred = stirred
        self._undo = undo
        self._zone = zone
        self.handlers: dict[str, Press] = {
            "publish": self._publish,
            "decline": self._decline,
            "later": self._later,
            "at": self._at,
            "back": self._back,
            "stop": self._stop,
            cards.NAME: self._name,
        }

    async def _publish(self, arrival: Arrival, parts: Sequence[str]) -> str:
        touched = await self._door.read("publish", arrival, parts)
        async with arrival.turn([touched.channel_id]) as (tx, now):
            editor = await self._door.allowed(tx, arrival, touched.channel_id)
            await _asks(tx, touched, now)
            await steering.publish(tx, touched.delivery_id, self._undo, who=editor.signature, now=now)
        self._decided(touched.notice.id)
        if not self._undo:
            return texts.AGREED_AT_ONCE
        return texts.AGREED.format(seconds=round(self._undo.total_seconds()))

    async def _decline(self, arrival: Arrival, parts: Sequence[str]) -> str:
        touched = await self._door.read("decline", arrival, parts)
        async with arrival.turn([touched.channel_id]) as (tx, now):
            editor = await self._door.allowed(tx, arrival, touched.channel_id)
            delivery = await _asks(tx, touched, now)
            drop = steering.decline if delivery.state is State.PROPOSED else steering.cancel
            await drop(tx, touched.delivery_id, who=editor.signature, now=now)
        self._decided(touched.notice.id)
        return texts.DONE["decline"]

    async def _at(self, arrival: Arrival, parts: Sequence[str]) -> str:
        """Let a post go in a while, at a time, or in its turn."""
        touched = await self._door.read("at", arrival, parts[:1])
        if len(parts) != 2 or (parts[1] not in (*_IN, _IN_TURN) and not _SECONDS.fullmatch(parts[1])):
            raise DeskError(texts.OLD_BUTTON)
        async with arrival.turn([touched.channel_id]) as (tx, now):
            editor = await self._door.allowed(tx, arrival, touched.channel_id)
            delivery = await _asks(tx, touched, now)
            at = _chosen(parts[1], now)
            who = editor.signature
            if delivery.state is State.PROPOSED:
                after = await steering.agree(tx, delivery.id, at, who=who, now=now)
            elif at is None:
                after = await steering.release(tx, delivery.id, who=who, now=now)
            else:
                after = await steering.pin(tx, delivery.id, at, who=who, now=now)
        self._decided(touched.notice.id)
        if after.pinned_at is None:
            return texts.PLANNED_IN_TURN
        return texts.PLANNED_FOR.format(when=moment(after.pinned_at, now, self._zone))

    async def _stop(self, arrival: Arrival, parts: Sequence[str]) -> str:
        """Hold back what was let go; the button may stand under any message."""
        wanted = DeliveryId(number(parts))
        async with self._database.read() as tx:
            found = await deliveries.find(tx, delivery_rows.c.id == wanted)
            if not found:
                raise DeskError(texts.OLD_BUTTON)
            channel_id = found[0].channel_id
            await self._door.allowed(tx, arrival, channel_id)
        async with arrival.turn([channel_id]) as (tx, now):
            editor = await self._door.allowed(tx, arrival, channel_id)
            await steering.stop(tx, wanted, who=editor.signature, now=now)
            message = _message(arrival)
            card = await rows.told_in(tx, arrival.chat, message) if message is not None else None
            mine = [one.id for one in await rows.opened(tx) if one.delivery_id == wanted]
        if message is not None and card is None:
            self._replies.put(arrival.chat, partial(self._teller.board.rebutton, arrival.chat, message, ()))
        self._decided(*mine)
        return texts.STOPPED

    async def _later(self, arrival: Arrival, parts: Sequence[str]) -> str:
        """Show the times that a post may go at, in place of the card's buttons."""
        touched = await self._door.read("later", arrival, parts)
        message = _message(arrival)
        async with self._database.read() as tx:
            now = await self._database.now(tx)
            delivery = await _asks(tx, touched, now)
            about = (await stand(tx, [touched.notice], now)).about[touched.notice.id]
            in_turn = await slot_of(tx, self._served[touched.channel_id], delivery, now)
        if not delivery.kind.makes_public:
            raise DeskError(refusals.ONLY_POSTS)
        if message is not None:
            times = cards.times(touched.notice, about, in_turn, now, self._zone)
            self._replies.put(arrival.chat, partial(self._teller.board.rebutton, arrival.chat, message, times))
        return texts.WHEN

    async def _back(self, arrival: Arrival, parts: Sequence[str]) -> str:
        touched = await self._door.read("back", arrival, parts)
        message = _message(arrival)
        if message is not None:
            self._replies.put(arrival.chat, partial(self._teller.fold, arrival.chat, message, touched.notice.id))
        return ""

    async def _name(self, arrival: Arrival, parts: Sequence[str]) -> str:
        touched = await self._door.read(cards.NAME, arrival, parts)
        return texts.NAMED_ASKS.format(channel=self._served[touched.channel_id].name)

    def _decided(self, *notices: int) -> None:
        """Have the queue served and the cards say so, whichever replica has the duty to tell."""
        for notice_id in notices:
            self._replies.put(("card", notice_id), partial(self._teller.refresh, notice_id))
        self._stirred()


async def _asks(tx: AsyncConnection, touched: Touched, now: datetime) -> Delivery:
    """Return the delivery of a card that still waits for a decision, or say who was quicker."""
    delivery = await deliveries.get(tx, touched.delivery_id)
    reason = HeldReason.EDITOR if touched.notice.what in POSTS else touched.notice.what
    waits = delivery.state is State.HELD and delivery.held_reason == reason
    if not waits and not (delivery.state is State.PROPOSED and touched.notice.what in POSTS):
        raise await steering.overtaken(tx, delivery, now)
    return delivery


def _chosen(told: str, now: datetime) -> datetime | None:
    if told == _IN_TURN:
        return None
    return now + _IN[told] if told in _IN else datetime.fromtimestamp(int(told), UTC)


def _message(arrival: Arrival) -> int | None:
    """Return the number of the message whose button was pressed; None where Telegram no longer tells."""
    query = arrival.update.callback_query
    return query.message.message_id if query is not None and query.message is not None else None
