"""What the buttons under notices do: a look at who presses, at what still holds, and one step of `agenda.steering`."""

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
from bot.desk.arrival import Arrival
from bot.desk.telling import Teller
from bot.desk.touch import Doorkeeper, Touched, number
from bot.desk.voice import Replies
from bot.domain.channel import Channel, ChannelId
from bot.domain.delivery import Delivery, State
from bot.domain.editor import Role
from bot.domain.ledger import Receipt, Survey
from bot.errors import DeskError
from bot.store import articles, deliveries, editors, found, ledger
from bot.store import notices as rows
from bot.store.database import Database
from bot.store.notices import WARNS

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
        door: knows who may press.
        stirred: called after a step: the queue and the notices have changed.
    """

    def __init__(
        self,
        database: Database,
        served: Mapping[ChannelId, Channel],
        publishers: Mapping[ChannelId, Publisher],
        door: Doorkeeper,
        teller: Teller,
        replies: Replies,
        stirred: Callable[[], None],
    ) -> None:
        self._database = database
        self._served = served
        self._publishers = publishers
        self._door = door
        self._teller = teller
        self._replies = replies
        self._stirred = stirred
        steps: Mapping[str, Step] = {
            "again": steering.settle_held_again,
            "retry": steering.release,
            "release": steering.release,
            "hold": steering.hold,
            "cancel": steering.cancel,
            "skip": steering.cancel,
        }
        self.handlers: dict[str, Callable[[Arrival, Sequence[str]], Awaitable[str]]] = {
            verb: partial(self._step, verb, step) for verb, step in steps.items()
        }
        self.handlers |= {"present": self._present, cards.LIST: self._list}

    async def _step(self, verb: str, step: Step, arrival: Arrival, parts: Sequence[str]) -> str:
        touched = await self._door.read(verb, arrival, parts)
        async with arrival.turn([touched.channel_id]) as (tx, now):
            editor = await self._door.allowed(tx, arrival, touched.channel_id)
            await _held(tx, touched, now)
            await step(tx, touched.delivery_id, who=editor.signature, now=now)
        self._stirred()
        return texts.DONE[verb]

    async def _present(self, arrival: Arrival, parts: Sequence[str]) -> str:
        """Take a post for public; the channel is looked at first, so that its id is known where it shows."""
        touched = await self._door.read("present", arrival, parts)
        channel_id = touched.channel_id
        survey = await self._look(channel_id)
        async with arrival.turn([channel_id]) as (tx, now):
            editor = await self._door.allowed(tx, arrival, channel_id)
            delivery = await _held(tx, touched, now)
            await adoption.remember(tx, self._served[channel_id], channel_id, survey.posts, now)
            receipt = await _shown(tx, channel_id, delivery, now)
            await steering.settle_held_present(
                tx, touched.delivery_id, receipt, served=self._served, who=editor.signature, now=now
            )
        self._stirred()
        return texts.DONE["present"] if receipt is None else texts.FOUND

    async def _list(self, arrival: Arrival, parts: Sequence[str]) -> str:
        """Show what stands in a list as cards, one by one."""
        async with self._database.read() as tx:
            notice = await rows.get(tx, number(parts))
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


async def _held(tx: AsyncConnection, touched: Touched, now: datetime) -> Delivery:
    """Return the delivery of a notice that still asks, or say who was quicker."""
    delivery, what = await deliveries.get(tx, touched.delivery_id), touched.notice.what
    waits = (
        delivery.state in (State.PROPOSED, State.PLANNED) if what.startswith(WARNS) else delivery.held_reason == what
    )
    if not waits:
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
