"""/digest: one post of what a channel published today."""

from __future__ import annotations

from datetime import datetime

from bot.agenda import posting
from bot.agenda.wording import counted
from bot.compose.markup import cut, escape, one_line
from bot.desk import steps, texts
from bot.desk.arrival import Arrival
from bot.desk.confirming import head, not_made
from bot.desk.drafts import LONGEST_TITLE, Tools
from bot.desk.said import Said
from bot.desk.showing import Sight
from bot.desk.talks import Outcome, Screen, Step, Talk, Talks
from bot.desk.voice import Button
from bot.domain.article import Article, ArticleId
from bot.domain.channel import Channel, ChannelId
from bot.errors import ComposeError, DeskError
from bot.store import articles, ledger

ABOUT = "digest"
_FEWEST = 2


class Gathering:
    """The story of a digest. It gathers one of `channels`, and `at`; what is listed is looked up as it is shown."""

    def __init__(self, talks: Talks, tools: Tools) -> None:
        self._talks = talks
        self._tools = tools
        talks.add(
            ABOUT,
            {
                "channel": Step(ask=self._ask_channel, take=self._take_channel),
                "time": Step(ask=steps.ask_time, take=self._take_time),
                "confirm": Step(ask=self._ask_confirm, take=self._take_confirm, locks=True),
            },
        )

    async def command(self, arrival: Arrival, words: str) -> None:
        """Begin with the channel that is named, or ask which one."""
        name = cut(one_line(words), LONGEST_TITLE)

        async def first(talk: Talk) -> Outcome:
            mine = steps.mine(talk, self._tools.served)
            named = [one for one, channel in mine.items() if channel.name.casefold() == name.casefold()]
            if name and not named:
                known = ", ".join(channel.name for channel in mine.values())
                raise DeskError(texts.DIGEST_UNKNOWN.format(channel=name, channels=known))
            chosen = named or (list(mine) if len(mine) == 1 else [])
            return await self._with(talk, chosen[0]) if chosen else "channel"

        await self._talks.begin(arrival, ABOUT, first)

    async def _ask_channel(self, talk: Talk) -> Screen:
        mine = list(steps.mine(talk, self._tools.served).items())[: steps.MOST_SHOWN]
        rows = [[Button(channel.name, f"{steps.PICK}:{one}")] for one, channel in mine]
        return Screen(text=texts.DIGEST_CHANNEL, rows=rows)

    async def _take_channel(self, talk: Talk, said: Said) -> Outcome:
        mine = steps.mine(talk, self._tools.served)
        match said.press:
            case ("pick", number) if number.isascii() and number.isdecimal() and int(number[:18]) in mine:
                return await self._with(talk, ChannelId(int(number)))
        raise DeskError(texts.USE_BUTTONS)

    async def _with(self, talk: Talk, channel_id: ChannelId) -> Outcome:
        talk.gathered["channels"] = [channel_id]
        await self._listed(talk, channel_id)
        return "time"

    async def _take_time(self, talk: Talk, said: Said) -> Outcome:
        steps.take_time(talk, said, self._tools.when)
        return "confirm"

    async def _ask_confirm(self, talk: Talk) -> Screen:
        channel_id, channel = self._channel(talk)
        listed = await self._listed(talk, channel_id)
        try:
            post = self._tools.composer.digest([article for _, article in listed], channel, at=talk.now)
        except ComposeError as error:
            raise DeskError(not_made(error, channel.name)) from None
        at = await self._moment(talk, channel_id, channel)
        if at is None:
            plan = texts.POST_PLAN_NOW.format(channels=escape(channel.name))
        else:
            when = steps.shown_time(at, talk.now, self._tools.zone)
            plan = texts.POST_PLAN_AT.format(channel=escape(channel.name), when=when)
        count = counted(len(listed), "новина", "новини", "новин")
        return Screen(
            text=texts.DIGEST_CONFIRM.format(count=count, plan=plan),
            rows=[[Button(texts.GO_NOW if at is None else texts.GO_LATER, "go"), Button(texts.CHANGE_TIME, "to:time")]],
            sights=[Sight(head=head(post, [channel]), post=post)],
        )

    async def _take_confirm(self, talk: Talk, said: Said) -> Outcome:
        match said.press:
            case ("to", "time"):
                return "time"
            case ("go",):
                return await self._go(talk)
        raise DeskError(texts.USE_BUTTONS)

    async def _go(self, talk: Talk) -> Screen:
        channel_id, channel = self._channel(talk)
        listed = [article_id for article_id, _ in await self._listed(talk, channel_id)]
        at, undo = await self._moment(talk, channel_id, channel), self._tools.undo
        made = await posting.gather(
            talk.tx, channel_id, listed, at=at, undo=undo, who=talk.editor.signature, now=talk.now
        )
        talk.afterwards.append(self._tools.stirred)
        when = texts.POST_DONE_NOW
        if at is not None and made.pinned_at is not None:
            when = steps.shown_time(made.pinned_at, talk.now, self._tools.zone)
        stop = [[Button(texts.STOP, f"stop:{made.id}")]] if at is None and undo else []
        return Screen(text=texts.DIGEST_DONE.format(channel=escape(channel.name), when=when), more=stop)

    def _channel(self, talk: Talk) -> tuple[ChannelId, Channel]:
        found = steps.allowed(talk, self._tools.served, talk.gathered["channels"])
        return next(iter(found.items()))

    async def _listed(self, talk: Talk, channel_id: ChannelId) -> list[tuple[ArticleId, Article]]:
        """Return what a channel published today and still shows, in order.

        Raises:
            DeskError: that is too little for a digest.
        """
        channel = self._tools.served[channel_id]
        since = channel.timetable.day_starts(channel.timetable.day_of(talk.now))
        found = []
        for article_id in await ledger.articles_since(talk.tx, channel_id, since):
            article = await articles.get_listed(talk.tx, article_id)
            if article is not None:
                found.append((article_id, article))
        if len(found) < _FEWEST:
            raise DeskError(texts.DIGEST_TOO_FEW.format(channel=channel.name))
        return found

    async def _moment(self, talk: Talk, channel_id: ChannelId, channel: Channel) -> datetime | None:
        """Return when it goes out; None for now."""
        if talk.gathered.get("at") != steps.SLOT:
            return steps.moment(talk)
        return await steps.next_slot(talk, channel_id, channel)
