"""/preview: an article as each channel would show it, with its photo; publishes nothing and stores nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection
from telegram import Message

from bot.agenda.composing import Material, compose, material
from bot.compose.markup import TELEGRAM_TEXT, cut, escape
from bot.compose.post import Composer
from bot.desk import answers, lines, texts
from bot.desk.arrival import Arrival
from bot.desk.confirming import head, not_made
from bot.desk.dispatch import Dispatcher
from bot.desk.drafts import Open
from bot.desk.reach import Reach, reach
from bot.desk.said import Said, read_command
from bot.desk.showing import Shower, Sight
from bot.desk.speaking import Speaker
from bot.desk.subjects import Subjects
from bot.desk.voice import Rows
from bot.domain.article import Article
from bot.domain.channel import Channel, ChannelId, Platform
from bot.domain.delivery import WAITING, DeliveryId, Kind
from bot.domain.editor import Role
from bot.domain.post import Post
from bot.errors import ComposeError, DeskError, FetchError, SourceError
from bot.sources.canonical import canonical
from bot.store import deliveries, ledger
from bot.store.articles import StoredArticle
from bot.store.database import Database
from bot.store.tables import deliveries as rows

MOST_SHOWN = 8  # channels


class Previewing:
    """Shows posts.

    Args:
        open_page: fetches a page and reads its article.
    """

    def __init__(
        self,
        database: Database,
        served: Mapping[ChannelId, Channel],
        composer: Composer,
        speaker: Speaker,
        shower: Shower,
        open_page: Open,
    ) -> None:
        self._database = database
        self._served = served
        self._composer = composer
        self._speaker = speaker
        self._shower = shower
        self._open_page = open_page
        self._subjects = Subjects(served)

    def serve(self, dispatcher: Dispatcher) -> None:
        """Make the command known."""
        dispatcher.commands.serve("preview", self._command)

    async def _command(self, arrival: Arrival, _: str) -> None:
        message = arrival.update.message
        said = read_command(message) if isinstance(message, Message) else Said()
        if not said.text.strip() and (said.message is None or said.message.reply_to_message is None):
            raise DeskError(answers.PREVIEW_WHAT)
        # Fetching takes seconds: others are heard meanwhile.
        self._speaker.work(arrival, partial(self._told, arrival, said))

    async def _told(self, arrival: Arrival, said: Said) -> None:
        shown = await self._sights(arrival.person.id, said)
        for sight, buttons in shown[:MOST_SHOWN]:
            await self._shower.show(arrival.chat, sight, buttons)
        if len(shown) > MOST_SHOWN:
            await self._speaker.voice.say(arrival.chat, texts.LIST_MORE.format(count=len(shown) - MOST_SHOWN))

    def look(self, arrival: Arrival, delivery_id: DeliveryId, mine: Reach) -> None:
        """Show one post of the queue, or a public one as it reads now."""

        async def tell() -> None:
            async with self._database.read() as tx:
                now = await self._database.now(tx)
                delivery = await deliveries.get(tx, delivery_id)
                made_of = await material(tx, delivery)
                sight = await self._of_delivery(tx, made_of, mine.channels[delivery.channel_id], now)
            await self._shower.show(arrival.chat, sight)

        self._speaker.work(arrival, tell)

    async def _sights(self, person: int, said: Said) -> list[tuple[Sight, Rows]]:
        async with self._database.read() as tx:
            mine = await reach(tx, person, self._served)
            stored = await self._subjects.article(tx, said)
            if stored is not None:
                return await self._of_stored(tx, stored, mine)
            one = await self._subjects.delivery(tx, said)
            if one is not None and one.channel_id in mine.channels:
                now = await self._database.now(tx)
                sight = await self._of_delivery(tx, await material(tx, one), mine.channels[one.channel_id], now)
                return [(sight, ())]
            now = await self._database.now(tx)
        if not said.links:
            raise DeskError(answers.PREVIEW_WHAT)
        article = await self._fetched(said)
        return [(self._fresh(article, channel, now), ()) for channel in mine.channels.values()]

    async def _fetched(self, said: Said) -> Article:
        link = said.links[0] if "://" in said.links[0] else f"https://{said.links[0]}"
        try:
            return await self._open_page(canonical(link))
        except (FetchError, SourceError, ValueError):
            raise DeskError(texts.NO_PAGE) from None
        except TimeoutError:
            raise DeskError(texts.SLOW_PAGE) from None

    async def _of_stored(self, tx: AsyncConnection, stored: StoredArticle, mine: Reach) -> list[tuple[Sight, Rows]]:
        """Show a known article: where it waits, as it will go out, with its buttons; else as it would."""
        now = await self._database.now(tx)
        known = await deliveries.find(
            tx, rows.c.article_id == stored.id, rows.c.kind == Kind.PUBLISH, rows.c.repost == stored.returns
        )
        by_channel = {one.channel_id: one for one in known}
        shown: list[tuple[Sight, Rows]] = []
        for channel_id, channel in mine.channels.items():
            one = by_channel.get(channel_id)
            if one is None:
                shown.append((self._fresh(stored.article, channel, now), ()))
                continue
            is_mine = one.state in WAITING and mine.editor.may(Role.EDITOR, channel.name)
            buttons = [[lines.opens(one)]] if is_mine else ()
            shown.append((await self._of_delivery(tx, await material(tx, one), channel, now), buttons))
        return shown

    async def _of_delivery(self, tx: AsyncConnection, made_of: Material, channel: Channel, now: datetime) -> Sight:
        """Show a delivery's post: as it reads, where it is public; else as it will go out."""
        delivery = made_of.delivery
        public = await ledger.entry(tx, delivery.id)
        if public is not None:
            see = texts.SEE.format(link=escape(public.permalink)) if public.permalink else ""
            gone = answers.PREVIEW_GONE if public.withdrawn_at is not None else answers.PREVIEW_PUBLIC
            words = public.text if channel.platform is Platform.TELEGRAM else escape(cut(public.text, TELEGRAM_TEXT))
            return Sight(head=gone.format(channel=escape(channel.name), link=see), words=words)
        at = max(now, delivery.pinned_at or delivery.turn_at)
        try:
            return _sight(compose(self._composer, made_of, channel, at=at), channel)
        except ComposeError as error:
            return Sight(words=not_made(error, escape(channel.name)))

    def _fresh(self, article: Article, channel: Channel, now: datetime) -> Sight:
        """Show what a channel would make of an article."""
        try:
            return _sight(self._composer.compose(article, channel, at=now), channel)
        except ComposeError as error:
            return Sight(words=not_made(error, escape(channel.name)))


def _sight(post: Post, channel: Channel) -> Sight:
    return Sight(head=head(post, [channel]), post=post)
