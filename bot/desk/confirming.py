"""The last step of /post: what each channel will show, and the word that lets it go."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from bot.agenda import posting, steering
from bot.agenda.posting import Standing
from bot.compose.markup import cut, escape
from bot.desk import steps, texts
from bot.desk.drafts import LONGEST_TITLE, SOURCE, Draft, Tools, draft
from bot.desk.said import Said
from bot.desk.showing import Sight
from bot.desk.talks import Outcome, Screen, Talk
from bot.desk.voice import Button
from bot.domain.article import to_json
from bot.domain.channel import Channel, ChannelId
from bot.domain.delivery import Delivery, DeliveryId, State
from bot.domain.post import Post
from bot.errors import ComposeError, DeskError, TooLongError


class Confirming:
    """Shows what comes out, and queues it."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def ask(self, talk: Talk) -> Screen:
        """Show the post of each channel, and say when it goes out."""
        made = Draft(talk, self._tools)
        _, article = await made.subject()
        channels, standing = steps.allowed(talk, self._tools.served, made.chosen), await made.standings()
        sights: dict[tuple[Any, ...], tuple[Post, list[Channel]]] = {}
        notes: list[str] = []
        is_whole = True
        for one, channel in channels.items():
            name = escape(channel.name)
            try:
                post = made.compose(article, channel)
            except ComposeError as error:
                is_whole = False
                notes.append(not_made(error, name))
                continue
            key = (post.platform, post.text, post.photo_url, post.link_preview)
            sights.setdefault(key, (post, []))[1].append(channel)
            known = standing.get(one, Standing()).delivery
            if known is not None and await posting.is_uncertain(talk.tx, known):
                notes.append(texts.UNCERTAIN.format(channel=name))
            if channel.require_link and article.link is None:
                notes.append(texts.NO_LINK_HERE.format(channel=name))
        if is_whole:
            notes.append(texts.POST_CONFIRM.format(plan=await self._plan(made, channels, standing)))
        go = Button(texts.GO_NOW if talk.gathered.get("at") == steps.NOW else texts.GO_LATER, "go")
        back = [
            Button(texts.CHANGE_CHANNELS, "to:channels"),
            Button(texts.CHANGE_TIME, "to:time"),
            Button(texts.CHANGE_PHOTO, "to:photo"),
        ]
        shown = [Sight(head=head(post, told), post=post) for post, told in sights.values()]
        return Screen(text="\n".join(notes), rows=[[go], back] if is_whole else [back], sights=shown)

    async def take(self, talk: Talk, said: Said) -> Outcome:
        """Let it go, go back to a step, or take other words."""
        match said.press:
            case ("go",):
                return await self._go(talk)
            case ("to", "channels" | "time" | "photo" as step):
                return step
            case () if said.text.strip() and not said.photo:
                steering.check_words(said.words)
                talk.gathered["words"] = said.words.strip()
                if "draft" in talk.gathered:
                    talk.gathered["draft"] = to_json(draft(said.words))
                talk.is_renewed = True
                return talk.step
        raise DeskError(texts.USE_BUTTONS)

    async def _go(self, talk: Talk) -> Screen:
        """Queue it in each channel: in all of them, or in none where one says no."""
        made, tools = Draft(talk, self._tools), self._tools
        stored, article = await made.subject()
        channels = steps.allowed(talk, tools.served, made.chosen)
        if stored is None:
            stored = await tools.keep(talk.tx, article, SOURCE, talk.now)
        standing = await posting.standings(talk.tx, stored)
        lines: list[str] = []
        stops: list[list[Button]] = []
        made_now: list[DeliveryId] = []
        for one, channel in channels.items():
            at = await made.moment(one, standing.get(one))
            delivery = await posting.post(
                talk.tx,
                tools.composer,
                tools.served,
                stored,
                one,
                at=at,
                own=made.own,
                undo=tools.undo,
                who=talk.editor.signature,
                now=talk.now,
            )
            made_now.append(delivery.id)
            ended = self._ended(delivery, at, talk.now)
            lines.append(texts.POST_DONE_LINE.format(channel=escape(channel.name), when=ended))
            if at is None and tools.undo and delivery.state is State.PLANNED:
                label = texts.STOP if len(channels) == 1 else f"{texts.STOP}: {channel.name}"
                stops.append([Button(label, f"stop:{delivery.id}")])
        talk.afterwards += [partial(tools.queued, made_now), tools.stirred]
        title = escape(cut(article.title, LONGEST_TITLE))
        return Screen(text=texts.POST_DONE.format(title=title, lines="\n".join(lines)), more=stops)

    def _ended(self, made: Delivery, at: datetime | None, now: datetime) -> str:
        if made.state is State.PUBLISHED:
            return texts.POST_DONE_THERE
        if made.state is State.CANCELLED:
            return texts.POST_DROPPED
        if at is None or made.pinned_at is None:
            return texts.POST_DONE_NOW
        return steps.shown_time(made.pinned_at, now, self._tools.zone)

    async def _plan(
        self, made: Draft, channels: Mapping[ChannelId, Channel], standing: Mapping[ChannelId, Standing]
    ) -> str:
        """Say when it goes out where."""
        now, zone = made.talk.now, self._tools.zone
        if made.talk.gathered.get("at") == steps.NOW:
            return texts.POST_PLAN_NOW.format(channels=steps.names(channels.values()))
        told = []
        for one, channel in channels.items():
            when = steps.shown_time(await made.moment(one, standing.get(one)) or now, now, zone)
            told.append(texts.POST_PLAN_AT.format(channel=escape(channel.name), when=when))
        return " ".join(told)


def not_made(error: ComposeError, name: str) -> str:
    """Say why no post can be made for a channel, and by how much words are too long."""
    if isinstance(error, TooLongError):
        return texts.TOO_LONG.format(channel=name, over=error.over)
    return texts.NOT_MADE.format(channel=name)


def head(post: Post, channels: list[Channel]) -> str:
    """Return the line above a preview: whose it is, and what an editor should know of it."""
    lines = [texts.POST_PREVIEW.format(channels=steps.names(channels))]
    for warning in post.warnings:
        lines += [told for begins, told in texts.WARNINGS.items() if warning.startswith(begins)]
    return "\n".join(lines)
