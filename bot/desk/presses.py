"""What the buttons under notices do: a look at who presses, at what still holds, and one step of `agenda.steering`.

Callback data is "verb:number of the notice" and proves nothing: whatever it says, the role is asked for and the state
is looked at in the transaction that takes the step.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.agenda import adoption, steering
from bot.channels.base import Publisher
from bot.channels.evidence import SKEW, among, same
from bot.desk import cards, texts
from bot.desk.dispatch import Arrival
from bot.desk.telling import Teller
from bot.desk.voice import Replies
from bot.domain.channel import Channel, ChannelId
from bot.domain.delivery import Delivery, DeliveryId, State
from bot.domain.editor import Editor, Role
from bot.domain.ledger import Receipt, Survey
from bot.errors import DeskError
from bot.store import articles, deliveries, editors, found, ledger
from bot.store import notices as rows
from bot.store.database import Database
from bot.store.notices import Notice

_LOOK = 8.0  # seconds for a look at the channel before a post is taken for public
_MOST = 60  # posts of that look
_LONG_AGO = timedelta(days=7)  # for a post that has no call of ours to date it by
_MOST_SHOWN = 20  # cards that one press of a list brings
Step = Callable[..., Awaitable[Delivery]]


class Presses:
    """The buttons of cards and lists.

    Args:
        served: the channels by id.
        publishers: their adapters.
        stirred: called after a step: the queue and the notices have changed.
    """

    def __init__(
        self,
        database: Database,
        served: Mapping[ChannelId, Channel],
        publishers: Mapping[ChannelId, Publisher],
        teller: Teller,
        replies: Replies,
        stirred: Callable[[], None],
    ) -> None:
        self._database = database
        self._served = served
        self._publishers = publishers
        self._teller = teller
        self._replies = replies
        self._stirred = stirred
        steps: Mapping[str, Step] = {
            "again": steering.settle_held_again,
            "retry": steering.release,
            "publish": steering.release,
            "cancel": steering.cancel,
            "skip": steering.cancel,
        }
        self.handlers: dict[str, Callable[[Arrival, Sequence[str]], Awaitable[str]]] = {
            verb: partial(self._step, verb, step) for verb, step in steps.items()
        }
        self.handlers |= {"present": self._present, cards.LIST: self._list}

    async def _step(self, verb: str, step: Step, arrival: Arrival, parts: Sequence[str]) -> str:
        notice, delivery_id = await self._read(verb, arrival, parts)
        async with arrival.turn([notice.channel_id]) as (tx, now):
            editor = await self._allowed(tx, arrival, notice)
            await _held(tx, notice, delivery_id, now)
            await step(tx, delivery_id, who=editor.signature, now=now)
        self._stirred()
        return texts.DONE[verb]

    async def _present(self, arrival: Arrival, parts: Sequence[str]) -> str:
        """Take a post for public; the channel is looked at first, so that its id is known where it shows."""
        notice, delivery_id = await self._read("present", arrival, parts)
        channel_id = notice.channel_id
        survey = await self._look(channel_id)
        async with arrival.turn([channel_id]) as (tx, now):
            editor = await self._allowed(tx, arrival, notice)
            delivery = await _held(tx, notice, delivery_id, now)
            await adoption.remember(tx, self._served[channel_id], channel_id, survey.posts, now)
            receipt = await _shown(tx, channel_id, delivery, now)
            await steering.settle_held_present(
                tx, delivery_id, receipt, served=self._served, who=editor.signature, now=now
            )
        self._stirred()
        return texts.DONE["present"] if receipt is None else texts.FOUND

    async def _list(self, arrival: Arrival, parts: Sequence[str]) -> str:
        """Show what stands in a list as cards, one by one."""
        async with self._database.read() as tx:
            notice = await rows.get(tx, _number(parts))
            if notice is None or arrival.chat not in {told.chat for told in notice.messages if told.is_list}:
                raise DeskError(texts.OLD_BUTTON)
            beside = [one for one in await rows.listed_with(tx, notice) if one.ended_at is None]
            editor = await editors.find(tx, arrival.person.id)
        if editor is None or not editor.may(Role.EDITOR):
            raise DeskError(texts.NO_RIGHTS)
        left = [one for one in beside if not one.has_card(arrival.chat)]
        if not left:
            return texts.NOTHING_LEFT
        for one in left[:_MOST_SHOWN]:
            self._replies.put(arrival.chat, partial(self._teller.show, arrival.chat, one.id))
        return texts.SHOWN

    async def _read(self, verb: str, arrival: Arrival, parts: Sequence[str]) -> tuple[Notice, DeliveryId]:
        """Return the notice that a button belongs to, and its delivery; refuse early what is refused anyway."""
        async with self._database.read() as tx:
            notice = await rows.get(tx, _number(parts))
            if notice is None or notice.delivery_id is None:
                raise DeskError(texts.OLD_BUTTON)
            await self._allowed(tx, arrival, notice)
        if verb not in {name for name, _ in cards.BUTTONS[notice.what]}:
            raise DeskError(texts.OLD_BUTTON)
        return notice, notice.delivery_id

    async def _allowed(self, tx: AsyncConnection, arrival: Arrival, notice: Notice) -> Editor:
        editor, channel = await editors.find(tx, arrival.person.id), self._served.get(notice.channel_id)
        if editor is None or channel is None or not editor.may(Role.EDITOR, channel.name):
            raise DeskError(texts.NO_RIGHTS)
        return editor

    async def _look(self, channel_id: ChannelId) -> Survey:
        publisher = self._publishers.get(channel_id)
        if publisher is None:
            return Survey(readable=False)
        async with self._database.read() as tx:
            known = {entry.remote_id for entry in await ledger.newest(tx, channel_id, _MOST)}
        try:
            async with asyncio.timeout(_LOOK):
                return await publisher.survey(known, _MOST)
        except TimeoutError:
            return Survey(readable=False)


async def _held(tx: AsyncConnection, notice: Notice, delivery_id: DeliveryId, now: datetime) -> Delivery:
    """Return the delivery of a notice, or say who was quicker."""
    delivery = await deliveries.get(tx, delivery_id)
    if delivery.state is not State.HELD or delivery.held_reason != notice.what:
        raise await steering.overtaken(tx, delivery, now)
    return delivery


async def _shown(tx: AsyncConnection, channel_id: ChannelId, delivery: Delivery, now: datetime) -> Receipt | None:
    """Return the post of a channel that must be this delivery's: the first one since its call that has its link."""
    last = await ledger.last_attempt(tx, delivery.id)
    attempt = last[1] if last is not None else None
    posts = await found.since(tx, channel_id, attempt.started_at - SKEW if attempt is not None else now - _LONG_AGO)
    links = {attempt.link} if attempt is not None else set()
    if delivery.article_id is not None:
        links.add((await articles.get(tx, delivery.article_id)).article.link)
    wanted = [link for link in links if link]
    for post in posts:
        if any(same(link, other) for link in wanted for other in post.links):
            return Receipt(remote_id=post.remote_id, permalink=post.permalink, more_ids=post.more_ids)
    return among(attempt, posts) if attempt is not None and not wanted else None


def _number(parts: Sequence[str]) -> int:
    """Return the number that callback data names.

    Raises:
        DeskError: it names none; nobody but a forger sends that.
    """
    if len(parts) != 1 or not parts[0].isascii() or not parts[0].isdecimal() or len(parts[0]) > 18:
        raise DeskError(texts.OLD_BUTTON)
    return int(parts[0])
