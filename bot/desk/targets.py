"""Finds the posts that a command means: by number, by address, or by the message that it answers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection
from telegram import Message

from bot.desk import answers
from bot.desk.said import Said, read_command
from bot.desk.subjects import Subjects
from bot.domain.channel import Channel, ChannelId
from bot.domain.delivery import WAITING, Delivery, DeliveryId, Kind
from bot.errors import DeskError
from bot.store import deliveries
from bot.store.tables import deliveries as rows

_NUMBERED = re.compile(r"[№#]\s*([0-9]{1,18})(?![0-9:.])")
_BARE = re.compile(r"([0-9]{1,18})(?![0-9:./])(?=\s|$)")
_OURS = re.compile(r"(?:line:[a-z]+|stop|edit):([0-9]{1,18})(?::|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a command says: which post, by one of three ways, and what else."""

    said: Said
    number: int | None
    rest: str

    @property
    def names_none(self) -> bool:
        """Whether it names no post, and answers nothing."""
        answered = self.said.message.reply_to_message if self.said.message is not None else None
        return self.number is None and not self.said.links and answered is None


def understood(message: Message) -> Wanted:
    """Read a command with what stands after it: an address or a number first, then the rest."""
    said = read_command(message)
    rest = said.text
    for link in said.links:
        rest = rest.replace(link, " ")
    found = _NUMBERED.search(rest)
    if found is None and not said.links and message.reply_to_message is None:
        found = _BARE.match(rest.strip())
        rest = rest.strip() if found is not None else rest
    number = int(found[1]) if found is not None else None
    if found is not None:
        rest = f"{rest[: found.start()]} {rest[found.end() :]}"
    return Wanted(said=said, number=number, rest=rest.strip())


class Targets:
    """Knows the posts by what people call them.

    Args:
        account: of the desk's bot, whose messages may be answered.
    """

    def __init__(self, served: Mapping[ChannelId, Channel], account: str) -> None:
        self._subjects = Subjects(served)
        self._served = served
        self._account = account

    async def meant(self, tx: AsyncConnection, wanted: Wanted) -> list[Delivery]:
        """Return the posts that are meant: of an article those that wait, else the newest of each channel.

        Raises:
            DeskError: none is.
        """
        found = await self._found(tx, wanted)
        here = [one for one in found if one.channel_id in self._served]
        if len(here) > 1:  # taking a post down is dropped by its number alone, never along with an article's posts
            here = [one for one in here if one.kind is not Kind.WITHDRAW]
        if not here:
            raise DeskError(answers.NO_SUCH_POST if not wanted.names_none else answers.WHICH_POST)
        waiting = [one for one in here if one.state in WAITING]
        return waiting or list({one.channel_id: one for one in here}.values())

    async def _found(self, tx: AsyncConnection, wanted: Wanted) -> Sequence[Delivery]:
        if wanted.number is not None:
            return await deliveries.find(tx, rows.c.id == wanted.number)
        said = wanted.said
        if not said.links:
            shown = self._shown_in(said.message.reply_to_message if said.message is not None else None)
            if len(shown) > 1:
                raise DeskError(answers.WHICH_OF_LIST)
            if shown:
                return await deliveries.find(tx, rows.c.id == shown.pop())
        asked = replace(said, text=" ".join(said.links))  # the words beside them are a time
        stored = await self._subjects.article(tx, asked) if said.links else None
        one = await self._subjects.delivery(tx, asked) if stored is None else None
        if one is not None:
            return [one]
        if stored is None and not said.links:
            stored = await self._subjects.article(tx, asked)
        return await deliveries.find(tx, rows.c.article_id == stored.id) if stored is not None else []

    def _shown_in(self, message: Message | None) -> set[DeliveryId]:
        """Return the posts that the buttons under a message of the desk's bot are about."""
        if message is None or message.from_user is None or message.reply_markup is None:
            return set()
        if f"telegram:{message.from_user.id}" != self._account:
            return set()
        told = [one.callback_data for row in message.reply_markup.inline_keyboard for one in row]
        matches = [_OURS.match(data) for data in told if isinstance(data, str)]
        return {DeliveryId(int(found[1])) for found in matches if found is not None}
