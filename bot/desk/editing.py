"""/edit: other words for a post, waiting or public; everything else of it stays and is set around them anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.agenda import posting, refusals, steering
from bot.agenda.composing import Material, compose, material
from bot.compose.markup import TELEGRAM_TEXT, cut, escape
from bot.desk import steps, texts
from bot.desk.arrival import Arrival
from bot.desk.confirming import head, not_made
from bot.desk.drafts import LONGEST_TITLE, Tools
from bot.desk.said import Said, read_command
from bot.desk.showing import Sight
from bot.desk.subjects import Subjects, posts_of
from bot.desk.talks import Outcome, Screen, Step, Talk, Talks
from bot.desk.touch import number
from bot.desk.voice import Button
from bot.domain.channel import Channel, ChannelId, Platform
from bot.domain.delivery import FINAL, WAITING, Delivery, DeliveryId, State
from bot.domain.ledger import LedgerEntry
from bot.domain.post import Own, Post
from bot.errors import ComposeError, DeskError
from bot.store import deliveries, ledger
from bot.store.tables import deliveries as rows

ABOUT = "edit"


class Editing:
    """The story of other words. It gathers `posts`, a delivery's id by its channel's, and the `words`."""

    def __init__(self, talks: Talks, tools: Tools, subjects: Subjects) -> None:
        self._talks = talks
        self._tools = tools
        self._subjects = subjects
        talks.add(
            ABOUT,
            {
                "channels": Step(ask=self._ask_channels, take=self._take_channels),
                "words": Step(ask=self._ask_words, take=self._take_words),
                "confirm": Step(ask=self._ask_confirm, take=self._take_confirm, locks=True),
            },
        )

    async def command(self, arrival: Arrival, _: str) -> None:
        """Begin with the post that is named, or that the message answers."""
        message = arrival.update.message
        if message is None:
            return
        said = read_command(message)

        async def first(talk: Talk) -> Outcome:
            if not said.text.strip() and message.reply_to_message is None:
                return Screen(text=texts.EDIT_WHAT)
            one = await self._subjects.delivery(talk.tx, said)
            if one is not None:
                return await self._with(talk, [one])
            stored = await self._subjects.article(talk.tx, said)
            found = await posts_of(talk.tx, stored) if stored is not None else []
            return await self._with(talk, [delivery for delivery, _ in found])

        await self._talks.begin(arrival, ABOUT, first)

    async def press(self, arrival: Arrival, parts: Sequence[str]) -> str:
        """Begin from a button that names the delivery («Змінити» on a card)."""
        wanted = number(parts)

        async def first(talk: Talk) -> Outcome:
            return await self._with(talk, await deliveries.find(talk.tx, rows.c.id == wanted))

        await self._talks.begin(arrival, ABOUT, first)
        return ""

    async def _with(self, talk: Talk, found: Sequence[Delivery]) -> Outcome:
        """Begin with those of some posts that this person may change, and that still can be."""
        mine = steps.mine(talk, self._tools.served)
        changeable = [one for one in found if one.channel_id in mine and await self._can_change(talk, one)]
        if not changeable:
            others = [self._tools.served[one.channel_id] for one in found if one.channel_id in self._tools.served]
            if others and not any(one.channel_id in mine for one in found):
                raise DeskError(texts.NOT_YOUR_CHANNEL.format(channel=others[0].name))
            raise DeskError(texts.EDIT_NOTHING)
        talk.gathered["posts"] = {str(one.channel_id): one.id for one in changeable}
        talk.gathered["channels"] = [one.channel_id for one in changeable]
        return "words" if len(talk.gathered["posts"]) == 1 else "channels"

    async def _can_change(self, talk: Talk, delivery: Delivery) -> bool:
        if delivery.state in WAITING:
            return True
        entry = await ledger.entry(talk.tx, delivery.id)
        return entry is not None and entry.withdrawn_at is None

    # --- channels ---

    async def _ask_channels(self, talk: Talk) -> Screen:
        made_of, _ = await self._post(talk, next(iter(talk.gathered["posts"].values())))
        title = made_of.stored.article.title if made_of.stored is not None else texts.NO_TITLE
        text = texts.EDIT_CHANNELS.format(title=escape(cut(title, LONGEST_TITLE)))
        return Screen(text=text, rows=steps.channel_rows(self._offered(talk), talk.gathered["channels"]))

    async def _take_channels(self, talk: Talk, said: Said) -> Outcome:
        return "words" if steps.toggled(talk, said, self._offered(talk)) else talk.step

    def _offered(self, talk: Talk) -> dict[ChannelId, Channel]:
        mine = steps.mine(talk, self._tools.served)
        return {one: channel for one, channel in mine.items() if str(one) in talk.gathered["posts"]}

    # --- words ---

    async def _ask_words(self, talk: Talk) -> Screen:
        sights = []
        for channel, delivery_id in self._chosen(talk):
            made_of, public = await self._post(talk, delivery_id)
            name = texts.EDIT_NOW.format(channels=escape(channel.name))
            if public is not None:
                is_html = channel.platform is Platform.TELEGRAM
                words = public.text if is_html else escape(cut(public.text, TELEGRAM_TEXT))
                sights.append(Sight(head=name, words=words))
            else:
                sights.append(Sight(head=name, post=self._composed(talk, made_of, channel)))
        return Screen(text=texts.EDIT_WORDS + steps.hint(talk), sights=sights)

    def _composed(self, talk: Talk, made_of: Material, channel: Channel) -> Post | None:
        try:
            return compose(self._tools.composer, made_of, channel, at=talk.now)
        except ComposeError:
            return None

    async def _take_words(self, talk: Talk, said: Said) -> Outcome:
        if said.press or said.photo or not said.text.strip():
            raise DeskError(texts.WORDS_ONLY)
        steering.check_words(said.words)
        talk.gathered["words"] = said.words.strip()
        talk.is_renewed = True
        return "confirm"

    # --- confirmation ---

    async def _ask_confirm(self, talk: Talk) -> Screen:
        sights: dict[tuple[Platform, str], tuple[Post, list[Channel]]] = {}
        notes = []
        for channel, delivery_id in self._chosen(talk):
            try:
                post = await self._reworded(talk, channel, delivery_id)
            except ComposeError as error:
                notes.append(not_made(error, escape(channel.name)))
                continue
            sights.setdefault((post.platform, post.text), (post, []))[1].append(channel)
        channels = steps.names(channel for channel, _ in self._chosen(talk))
        shown = [Sight(head=head(post, told), post=post) for post, told in sights.values()]
        if notes:
            return Screen(text="\n".join(notes), sights=shown)
        return Screen(
            text=texts.EDIT_CONFIRM.format(channels=channels), rows=[[Button(texts.EDIT_GO, "go")]], sights=shown
        )

    async def _reworded(self, talk: Talk, channel: Channel, delivery_id: int) -> Post:
        """Make the post with the new words, as a public one where it is that."""
        made_of, public = await self._post(talk, delivery_id)
        delivery = made_of.delivery
        own = replace(delivery.own or Own(), words=talk.gathered["words"])
        made_of = replace(made_of, delivery=replace(delivery, own=own), target=public or made_of.target)
        return compose(self._tools.composer, made_of, channel, at=talk.now)

    async def _take_confirm(self, talk: Talk, said: Said) -> Outcome:
        if said.press != ("go",):
            return await self._take_words(talk, said)
        chosen = self._chosen(talk)
        steps.allowed(talk, self._tools.served, [channel_id for channel_id in talk.gathered["channels"]])
        waits, changes = [], []
        for channel, delivery_id in chosen:
            made_of, public = await self._post(talk, delivery_id)
            try:
                await self._reworded(talk, channel, delivery_id)
            except ComposeError as error:
                raise DeskError(not_made(error, channel.name)) from None
            who, words = talk.editor.signature, talk.gathered["words"]
            if public is not None:
                await posting.rewrite(talk.tx, public, words, who=who, now=talk.now)
                changes.append(channel)
            elif made_of.delivery.state in FINAL:
                raise DeskError(refusals.NOT_PUBLIC)
            else:
                await steering.reword(talk.tx, made_of.delivery.id, words, who=who, now=talk.now)
                waits.append(channel)
        talk.afterwards.append(self._tools.stirred)
        lines = [texts.EDIT_DONE.format(channels=steps.names(changes))] if changes else []
        lines += [texts.EDIT_DONE_WAITS.format(channels=steps.names(waits))] if waits else []
        return Screen(text="\n".join(lines))

    def _chosen(self, talk: Talk) -> list[tuple[Channel, int]]:
        posts = talk.gathered["posts"]
        return [
            (self._tools.served[ChannelId(one)], posts[str(one)])
            for one in talk.gathered["channels"]
            if one in self._tools.served
        ]

    async def _post(self, talk: Talk, delivery_id: int) -> tuple[Material, LedgerEntry | None]:
        """Return what a post is made of, and the post where it is public."""
        delivery = await deliveries.get(talk.tx, DeliveryId(delivery_id))
        entry = await ledger.entry(talk.tx, delivery.id) if delivery.state is State.PUBLISHED else None
        public = entry if entry is not None and entry.withdrawn_at is None else None
        return await material(talk.tx, delivery), public
