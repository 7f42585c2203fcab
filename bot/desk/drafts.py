"""What an editor has gathered for a post: the article or the words, where, when, and with which photo.

Read from a conversation; knows no step and no button.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.agenda import posting
from bot.agenda.posting import Standing
from bot.compose.markup import cut, one_line, plain
from bot.compose.post import Composer
from bot.compose.rights import of_article
from bot.desk import steps, texts
from bot.desk.steps import SLOT, When
from bot.desk.talks import Talk
from bot.domain.article import Article, from_json
from bot.domain.channel import Channel, ChannelId, PhotoPolicy, Platform
from bot.domain.delivery import DeliveryId, State
from bot.domain.post import Own, Post
from bot.errors import DeskError
from bot.sources.canonical import name_for
from bot.store import articles
from bot.store.articles import StoredArticle
from bot.store.database import Database

SOURCE = "desk"  # the name under which articles come in by editors
ARTICLE, SENT, NONE = "article", "sent", "none"  # photos
LONGEST_TITLE = 200

Open = Callable[[str], Awaitable[Article]]  # fetches a page and reads its article
Keep = Callable[[AsyncConnection, Article, str, datetime], Awaitable[StoredArticle]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What posts are made with. `open_page` may raise TimeoutError beside its own; `keep` makes an article known.

    `stirred` is called when the queue has changed, `queued` with what is new in it.
    """

    database: Database
    served: Mapping[ChannelId, Channel]
    composer: Composer
    open_page: Open
    keep: Keep
    when: When
    zone: ZoneInfo
    undo: timedelta
    stirred: Callable[[], None]
    queued: Callable[[list[DeliveryId]], None]


@dataclass(frozen=True, slots=True)
class Draft:
    """A post on its way to its confirmation."""

    talk: Talk
    tools: Tools

    @property
    def chosen(self) -> list[ChannelId]:
        """The channels chosen so far."""
        return [ChannelId(one) for one in self.talk.gathered.get("channels", ()) if one in self.tools.served]

    @property
    def own(self) -> Own:
        """What the editor gave in place of the article's."""
        gathered = self.talk.gathered
        photo = {SENT: gathered.get("sent"), NONE: ""}.get(gathered.get("photo", ARTICLE))
        return Own(words=gathered.get("words", ""), photo=photo, credit=gathered.get("credit", ""))

    @property
    def needs_credit(self) -> bool:
        """Whether a chosen channel shows no photo without saying whose it is."""
        return any(
            channel.photo is PhotoPolicy.REQUIRE_CREDIT and not channel.default_credit.strip()
            for channel in (self.tools.served[one] for one in self.chosen)
        )

    async def subject(self) -> tuple[StoredArticle | None, Article]:
        """Return what the post is about: a known article, or the words that are to become one.

        Raises:
            DeskError: the article is gone.
        """
        gathered = self.talk.gathered
        stored = await articles.find(self.talk.tx, gathered.get("url") or gathered["draft"]["url"])
        if stored is not None:
            return stored, stored.article
        if "draft" not in gathered:
            raise DeskError(texts.OLD_BUTTON)
        return None, from_json(gathered["draft"])

    async def standings(self) -> dict[ChannelId, Standing]:
        """Return where it stands already."""
        stored, _ = await self.subject()
        return await posting.standings(self.talk.tx, stored) if stored is not None else {}

    async def free(self) -> dict[ChannelId, Channel]:
        """Return the editor's channels in which it is not public."""
        standing, channels = await self.standings(), steps.mine(self.talk, self.tools.served)
        return {one: channel for one, channel in channels.items() if standing.get(one, Standing()).public is None}

    async def next_step(self) -> str:
        """Return the first step that is still open."""
        gathered, (_, article) = self.talk.gathered, await self.subject()
        if not self.chosen:
            return "channels"
        if "at" not in gathered:
            return "time"
        shows = {self.tools.served[one].photo for one in self.chosen} != {PhotoPolicy.NEVER}
        if "photo" not in gathered and shows:
            return "photo"
        credit = gathered.get("credit")
        asks = {
            SENT: credit is None or (not credit and self.needs_credit),
            ARTICLE: not credit and self.needs_credit and of_article(article) is None,
        }
        return "credit" if shows and asks.get(gathered.get("photo", NONE), False) else "confirm"

    async def moment(self, channel_id: ChannelId, standing: Standing | None) -> datetime | None:
        """Return when it goes out in a channel; None for now. The next slot is the one after all that waits."""
        talk = self.talk
        if talk.gathered.get("at") != SLOT:
            return steps.moment(talk)
        known = standing.delivery if standing is not None else None
        waiting = known.id if known is not None and known.state is State.PLANNED else None
        return await steps.next_slot(talk, channel_id, self.tools.served[channel_id], waiting)

    def compose(self, article: Article, channel: Channel) -> Post:
        """Make the post as a channel will show it.

        Raises:
            ComposeError: none can be made.
        """
        at = steps.moment(self.talk) or self.talk.now
        return self.tools.composer.compose(article, channel, at=at, own=self.own)


def draft(words: str) -> Article:
    """Return the article that an editor's own text is kept as: the same words are the same article."""
    text = plain(words, Platform.TELEGRAM)
    first, _, rest = text.partition("\n")
    title = cut(one_line(first), LONGEST_TITLE) or texts.NO_TITLE
    lead = rest.strip() if title == one_line(first) else text
    return Article(url=name_for(title, lead), title=title, lead=lead)
