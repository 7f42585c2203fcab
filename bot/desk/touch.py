"""Reads presses on cards: which notice a button belongs to, and whether whoever presses may decide about it.

Callback data is "verb:number of the notice" and proves nothing: whatever it says, the role is asked for and the state
is looked at in the transaction that takes the step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.desk import cards, texts
from bot.desk.arrival import Arrival
from bot.domain.channel import Channel, ChannelId
from bot.domain.delivery import DeliveryId
from bot.domain.editor import Editor, Role
from bot.errors import DeskError
from bot.store import editors
from bot.store import notices as rows
from bot.store.database import Database
from bot.store.notices import Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """The card that was pressed on, and what it is about."""

    notice: Notice
    delivery_id: DeliveryId
    channel_id: ChannelId


class Doorkeeper:
    """Knows what may be pressed, and by whom.

    Args:
        served: the channels by id.
    """

    def __init__(self, database: Database, served: Mapping[ChannelId, Channel]) -> None:
        self._database = database
        self._served = served

    async def read(self, verb: str, arrival: Arrival, parts: Sequence[str]) -> Touched:
        """Return what a button belongs to; refuse early what is refused anyway.

        Raises:
            DeskError: there is no such button, or whoever pressed has no right to.
        """
        async with self._database.read() as tx:
            notice = await rows.get(tx, number(parts))
            if notice is None or notice.delivery_id is None or notice.channel_id is None:
                raise DeskError(texts.OLD_BUTTON)
            await self.allowed(tx, arrival, notice.channel_id)
        if verb not in cards.verbs(notice.what):
            raise DeskError(texts.OLD_BUTTON)
        return Touched(notice=notice, delivery_id=notice.delivery_id, channel_id=notice.channel_id)

    async def allowed(self, tx: AsyncConnection, arrival: Arrival, channel_id: ChannelId) -> Editor:
        """Return the editor who presses, as of now.

        Raises:
            DeskError: nobody who may decide about this channel.
        """
        editor, channel = await editors.find(tx, arrival.person.id), self._served.get(channel_id)
        if editor is None or channel is None or not editor.may(Role.EDITOR, channel.name):
            raise DeskError(texts.NO_RIGHTS)
        return editor


def number(parts: Sequence[str]) -> int:
    """Return the number that callback data names.

    Raises:
        DeskError: it names none; nobody but a forger sends that.
    """
    if len(parts) != 1 or not parts[0].isascii() or not parts[0].isdecimal() or len(parts[0]) > 18:
        raise DeskError(texts.OLD_BUTTON)
    return int(parts[0])
