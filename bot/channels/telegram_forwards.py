"""A Telegram channel read by forwarding its messages, one by one, to a chat that nobody but the bot need read.

The Bot API has no call to read a channel. `forwardMessage` gives the whole message back, or says that there is none of
this number; it asks Telegram itself, so there are no old copies. The copies are deleted afterwards. Messages are
numbered as they come, so what came after a known one is found by counting on until a stretch of numbers is empty.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime

from telegram import Message, MessageEntity

from bot.channels.evidence import CLOCK, judge, known_before, nothing
from bot.channels.telegram_bot import TelegramBot
from bot.channels.telegram_pages import numbers
from bot.domain.ledger import Attempt, Evidence, Presence, PublicPost, Survey
from bot.errors import BotError, GoneError, RefusedError, ThrottledError

_EMPTY = 20  # numbers in a row without a message: nothing comes after them
_MOST = 120  # numbers tried in one look
_KNOWN = 5  # of the known posts, how many may be missing before a look proves nothing
_DELETED_AT_ONCE = 100  # deleteMessages
_REFUSED = "can't be forwarded"


class _ProtectedError(Exception):
    """The channel does not let its content be forwarded."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """A message of the channel; `post` is None for one that is no post: a change of the title, a pin."""

    post: PublicPost | None
    has_photo: bool = False


class Forwards:
    """One channel, read through a service chat.

    Args:
        chat: "@name" or the numeric id.
        service_chat: where the bot may write.
        permalink: makes a post's address of its number.
    """

    def __init__(
        self, bot: TelegramBot, chat: str | int, service_chat: int, permalink: Callable[[str], str | None]
    ) -> None:
        self._bot = bot
        self._chat = chat
        self._service_chat = service_chat
        self._permalink = permalink

    async def look(self, attempt: Attempt) -> Evidence:
        """Look for an attempt's post. Never raises for what Telegram answers."""
        known = numbers(known_before(attempt))
        if not known:
            return nothing("no earlier post of the channel is known from which it could be read on", for_good=True)
        mark = known[0]
        latest = attempt.started_at + CLOCK
        try:
            async with self._reading() as reading:
                posts, complete = await reading.after(mark, _MOST, latest)
                evidence = judge(attempt, posts, lambda post: int(post.remote_id) > mark)
                if evidence.presence is Presence.PRESENT:
                    return evidence
                before = await reading.first_of(known[:_KNOWN])
        except _ProtectedError:
            return nothing("the channel's content is protected from being forwarded", for_good=True)
        except BotError as error:
            return nothing(f"the channel could not be read by forwarding: {error}")
        earlier = [] if before is None else [before]
        evidence = judge(attempt, [*earlier, *posts], lambda post: int(post.remote_id) > mark)
        if evidence.presence is Presence.ABSENT and not complete:
            return nothing(f"there are more than {_MOST} messages after it")
        return evidence

    async def survey(self, known: Collection[str], most: int) -> Survey:
        """Return what came after the newest known post, and that one. Never raises for what Telegram answers."""
        ids = numbers(known)
        if not ids:
            detail = "no post of the channel is known from which it could be read on"
            return Survey(readable=False, for_good=True, detail=detail)
        try:
            async with self._reading() as reading:
                before = await reading.first_of(ids[:_EMPTY])
                if before is None:
                    return Survey(readable=False, detail="none of the known posts can be forwarded")
                posts, complete = await reading.after(ids[0], most, None)
        except _ProtectedError:
            detail = "the channel's content is protected from being forwarded"
            return Survey(readable=False, for_good=True, detail=detail)
        except BotError as error:
            # Where it is the service chat that lets nobody in, the channel itself may be served all the same.
            return Survey(readable=False, detail=f"it could not be read by forwarding: {error}")
        if not complete:
            return Survey(readable=False, detail=f"more than {most} messages came after the last known post")
        return Survey(posts=(before, *posts))

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[_Reading]:
        reading = _Reading(self._bot, self._chat, self._service_chat, self._permalink)
        try:
            yield reading
        except ThrottledError as error:
            self._bot.rest_from_looking(error.retry_after)
            raise
        finally:
            await reading.tidy_up()


class _Reading:
    """One pass over a channel's messages, and the copies it has made."""

    def __init__(
        self, bot: TelegramBot, chat: str | int, service_chat: int, permalink: Callable[[str], str | None]
    ) -> None:
        self._bot = bot
        self._chat = chat
        self._service_chat = service_chat
        self._permalink = permalink
        self._copies: list[int] = []

    async def after(self, mark: int, most: int, latest: datetime | None) -> tuple[list[PublicPost], bool]:
        """Return the posts after a message, oldest first, and whether those are all.

        Args:
            most: how many numbers to try.
            latest: posts after this time are of no interest.
        """
        seen: list[_Seen] = []
        empty = 0
        for number in range(mark + 1, mark + most + 1):
            found = await self._read(number)
            if found is None:
                empty += 1
            else:
                empty = 0
                seen.append(found)
            if empty == _EMPTY or (latest and found and found.post and found.post.published_at > latest):
                return _gathered(seen), True
        return _gathered(seen), False

    async def first_of(self, known: Sequence[int]) -> PublicPost | None:
        """Return the first of some posts that is there."""
        for number in known:
            found = await self._read(number)
            if found is not None and found.post is not None:
                return found.post
        return None

    async def tidy_up(self) -> None:
        """Delete the copies; what stays of them harms nobody."""
        while self._copies:
            some, self._copies = self._copies[:_DELETED_AT_ONCE], self._copies[_DELETED_AT_ONCE:]
            with suppress(BotError):
                await self._bot.ask(lambda bot, some=some: bot.delete_messages(self._service_chat, some))  # type: ignore[misc]

    async def _read(self, number: int) -> _Seen | None:
        """Return a message of the channel, None where there is none.

        Raises:
            _ProtectedError: the channel lets nothing be forwarded.
            UnansweredError, NotPublishedError: Telegram did not say.
        """
        await self._bot.await_turn_to_look()
        try:
            copy = await self._bot.ask(
                lambda bot: bot.forward_message(self._service_chat, self._chat, number, disable_notification=True)
            )
        except GoneError:
            return None
        except RefusedError as error:
            if _REFUSED not in str(error).lower():
                raise
            if (await self._bot.ask(lambda bot: bot.get_chat(self._chat))).has_protected_content:
                raise _ProtectedError from error
            return _Seen(None)
        self._copies.append(copy.message_id)
        return _Seen(self._post(number, copy), bool(copy.photo))

    def _post(self, number: int, copy: Message) -> PublicPost:
        links = [entity.url for entity in (*copy.entities, *copy.caption_entities) if entity.url]
        links += copy.parse_entities([MessageEntity.URL]).values()
        links += copy.parse_caption_entities([MessageEntity.URL]).values()
        card = copy.link_preview_options.url if copy.link_preview_options is not None else None
        links += [card] if isinstance(card, str) else []
        return PublicPost(
            remote_id=str(number),
            plain=copy.text or copy.caption or "",
            links=tuple(dict.fromkeys(links)),
            published_at=copy.forward_origin.date if copy.forward_origin is not None else copy.date,
            permalink=self._permalink(str(number)),
        )


def _gathered(seen: Sequence[_Seen]) -> list[PublicPost]:
    """Return the posts with each album as one: its photos follow each other within the same second, without words."""
    posts: list[PublicPost] = []
    for one in seen:
        last = posts[-1] if posts else None
        if one.post is None:
            continue
        if (
            last is not None
            and one.has_photo
            and not one.post.plain
            and one.post.published_at == last.published_at
            and int(one.post.remote_id) == int((last.more_ids or (last.remote_id,))[-1]) + 1
            and last.remote_id in {each.post.remote_id for each in seen if each.post and each.has_photo}
        ):
            posts[-1] = replace(last, more_ids=(*last.more_ids, one.post.remote_id))
        else:
            posts.append(one.post)
    return posts
