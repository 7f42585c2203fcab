"""Both platforms for one suite: how a test speaks of each in the same words."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from html import escape

from PIL import Image

from bot.channels.base import Parcel, Photo, Publisher
from bot.channels.facebook import FacebookPublisher
from bot.channels.picture import as_photo
from bot.channels.telegram import TelegramPublisher
from bot.channels.telegram_bot import TelegramBot
from bot.channels.transport import Transport
from bot.domain.channel import ChannelId, Platform
from bot.domain.delivery import DeliveryId
from bot.domain.ledger import Attempt, LedgerEntry, Neighbour, Receipt
from bot.domain.post import Method, Post
from bot.sandbox import Rates, Sandbox
from bot.sandbox.mishaps import Mishap
from bot.sandbox.telegram_world import SandboxPost

TOKEN = "700000001:AAFakeTokenOfTheSandbox-0123456789abc"
BOT_ID = 700000001
PAGE, PAGE_TOKEN = "100200300", "EAAfakePageTokenOfTheSandbox0123456789"
APP_SECRET = "0123456789abcdef0123456789abcdef"
LINK = "https://news.example/mist"
TIMEOUT = 1.0  # seconds; what a mishap of silence costs a test


DEEDS = ("text", "photo", "album")


def deed(photo: int) -> str:
    """Name what publishing a post of so many photos is to `Stage.meets`."""
    return DEEDS[min(photo, 2)]


def photos(count: int) -> list[Photo]:
    """Return so many different photos."""
    return [a_photo((30, 90, 160 - 20 * number)) for number in range(count)]


def a_photo(colour: tuple[int, int, int] = (30, 90, 160)) -> Photo:
    out = io.BytesIO()
    Image.new("RGB", (320, 200), colour).save(out, "PNG")
    return as_photo(out.getvalue())


@dataclass
class Stage(ABC):
    """One platform with one channel on it. `photo` is how many a post has: none, one, or an album."""

    sandbox: Sandbox
    publisher: Publisher
    secrets: tuple[str, ...]
    text_method: Method = field(init=False)
    photo_method: Method = field(init=False)
    album_method: Method = field(init=False)

    def method(self, photo: int) -> Method:
        return (self.text_method, self.photo_method, self.album_method)[min(photo, 2)]

    @abstractmethod
    def post(self, words: str, *, photo: int = 0, link: str | None = LINK) -> Post: ...

    @abstractmethod
    def meets(self, deed: str, mishap: Mishap, count: int = 1) -> None:
        """Let the next calls of a deed meet a mishap.

        Deeds are "text", "photo", "album", "edit text", "edit photo", "withdraw".
        """

    @abstractmethod
    def shown(self) -> list[str]:
        """Return the words of the public posts, oldest first."""

    @abstractmethod
    def photos_of(self, entry: LedgerEntry) -> list[bytes]:
        """Return the photos that readers see in one post."""

    @abstractmethod
    def ever_shown(self) -> int: ...

    @abstractmethod
    def calls(self) -> int: ...

    @abstractmethod
    def lose_rights(self) -> None: ...

    @abstractmethod
    def end_token(self) -> None: ...

    @abstractmethod
    def elsewhere(self, root: str) -> AbstractAsyncContextManager[Publisher]:
        """Return the same channel's adapter with its platform at another address."""

    async def publish(self, words: str, *, photo: int = 0, link: str | None = LINK) -> LedgerEntry:
        """Publish for real and return what the ledger would hold."""
        parcel = await self.parcel(words, photo=photo, link=link)
        return self.entry(parcel.post, await self.publisher.publish(parcel))

    async def parcel(self, words: str, *, photo: int = 0, link: str | None = LINK) -> Parcel:
        return await self.pack(self.post(words, photo=photo, link=link), photo)

    async def pack(self, post: Post, photo: int) -> Parcel:
        had = photos(photo)
        return await self.publisher.prepare(post, had[0] if had else None, album=had[1:])

    def entry(self, post: Post, receipt: Receipt) -> LedgerEntry:
        return LedgerEntry(
            delivery_id=DeliveryId(1),
            channel_id=ChannelId(1),
            article_id=None,
            revision=1,
            title="",
            remote_id=receipt.remote_id,
            permalink=receipt.permalink,
            more_ids=receipt.more_ids,
            method=post.method,
            text=post.text,
            published_at=datetime.now(UTC),
        )

    def attempt(
        self,
        post: Post,
        watermark: str | None,
        *known: LedgerEntry,
        started_at: datetime | None = None,
    ) -> Attempt:
        """Return an attempt at a post; `known` are the posts before it, newest first."""
        return Attempt(
            delivery_id=DeliveryId(1),
            method=post.method,
            text=post.text,
            plain=post.plain,
            link=post.link,
            watermark=watermark,
            started_at=started_at or datetime.now(UTC),
            neighbours=tuple(Neighbour(remote_id=one.last_id, published_at=one.published_at) for one in known),
        )


class TelegramStage(Stage):
    text_method, photo_method = Method.SEND_MESSAGE, Method.SEND_PHOTO
    album_method = Method.SEND_MEDIA_GROUP

    def post(self, words: str, *, photo: int = 0, link: str | None = LINK) -> Post:
        end = f'\n\n<a href="{link}">Читати</a>' if link else ""
        plain = f"{words}\n\nЧитати" if link else words
        return Post(
            channel="tg",
            platform=Platform.TELEGRAM,
            method=self.method(photo),
            text=f"<b>{escape(words, quote=False)}</b>{end}",
            plain=plain,
            length=len(plain),
            limit=1024 if photo else 4096,
            link=link,
            link_preview=None if photo else link,
        )

    def meets(self, deed: str, mishap: Mishap, count: int = 1) -> None:
        method = {
            "text": "sendMessage",
            "photo": "sendPhoto",
            "album": "sendMediaGroup",
            "edit text": "editMessageText",
            "edit photo": "editMessageCaption",
            "withdraw": "deleteMessage",
        }[deed]
        self.sandbox.telegram.next(method, mishap, count)

    def shown(self) -> list[str]:
        posts = self.sandbox.telegram.posts("@news")
        return [post.text for post in posts if self._is_first(post, posts)]

    def photos_of(self, entry: LedgerEntry) -> list[bytes]:
        ids = {entry.remote_id, *entry.more_ids}
        posts = [post for post in self.sandbox.telegram.posts("@news") if str(post.id) in ids]
        return [post.photo.body for post in posts if post.photo is not None]

    def ever_shown(self) -> int:
        posts = self.sandbox.telegram.history("@news")
        return sum(self._is_first(post, posts) for post in posts)

    @staticmethod
    def _is_first(post: SandboxPost, posts: list[SandboxPost]) -> bool:
        """Say whether a message begins what readers see as one post."""
        return not post.album or post.id == min(one.id for one in posts if one.album == post.album)

    def calls(self) -> int:
        return len(self.sandbox.telegram.calls)

    def lose_rights(self) -> None:
        self.sandbox.telegram.set_rights("@news", BOT_ID, can_post=False)

    def end_token(self) -> None:
        self.sandbox.telegram.revoke(TOKEN)

    @asynccontextmanager
    async def elsewhere(self, root: str) -> AsyncIterator[Publisher]:
        async with TelegramBot(TOKEN, api_url=root, timeout=TIMEOUT) as bot:
            yield TelegramPublisher(bot, "@news", web_url=root)


class FacebookStage(Stage):
    text_method, photo_method = Method.FEED, Method.PHOTOS
    album_method = Method.ATTACHED_MEDIA

    def post(self, words: str, *, photo: int = 0, link: str | None = LINK) -> Post:
        plain = f"{words}\n\n{link}" if link else words
        return Post(
            channel="fb",
            platform=Platform.FACEBOOK,
            method=self.method(photo),
            text=plain,
            plain=plain,
            length=len(plain),
            limit=63_206,
            photo_alt="Міст над річкою" if photo else "",
            link=link,
            link_preview=None if photo else link,
        )

    def meets(self, deed: str, mishap: Mishap, count: int = 1) -> None:
        edges = {
            "text": "feed",
            "photo": "photos",
            "album": "feed",
            "edit text": "post",
            "edit photo": "post",
            "withdraw": "delete",
        }
        self.sandbox.facebook.next(edges[deed], mishap, count)

    def shown(self) -> list[str]:
        return [post.message for post in self.sandbox.facebook.posts(PAGE)]

    def photos_of(self, entry: LedgerEntry) -> list[bytes]:
        (post,) = (post for post in self.sandbox.facebook.posts(PAGE) if post.id == entry.remote_id)
        return [photo.stored.body for photo in post.photos]

    def ever_shown(self) -> int:
        return len(self.sandbox.facebook.history(PAGE))

    def calls(self) -> int:
        return len(self.sandbox.facebook.calls)

    def lose_rights(self) -> None:
        token = self.sandbox.facebook.tokens[PAGE_TOKEN]
        token.scopes = token.scopes - {"pages_manage_posts"}

    def end_token(self) -> None:
        self.sandbox.facebook.expire(PAGE_TOKEN)

    @asynccontextmanager
    async def elsewhere(self, root: str) -> AsyncIterator[Publisher]:
        async with Transport(TIMEOUT) as transport:
            yield FacebookPublisher(transport, PAGE, PAGE_TOKEN, api_url=root)


@asynccontextmanager
async def telegram_stage() -> AsyncIterator[TelegramStage]:
    async with Sandbox() as sandbox, TelegramBot(TOKEN, api_url=sandbox.url, timeout=TIMEOUT) as bot:
        sandbox.telegram.rates = Rates.off()
        sandbox.telegram.add_bot(TOKEN, "vistnyk_test_bot", BOT_ID)
        sandbox.telegram.add_channel("news", -1001234567890, "Новини", {BOT_ID: None})
        yield TelegramStage(sandbox, TelegramPublisher(bot, "@news", web_url=sandbox.url), (TOKEN,))


@asynccontextmanager
async def facebook_stage() -> AsyncIterator[FacebookStage]:
    async with Sandbox() as sandbox, Transport(TIMEOUT) as transport:
        sandbox.facebook.add_page(PAGE, "Новини", PAGE_TOKEN, app_id="11")
        publisher = FacebookPublisher(
            transport,
            PAGE,
            PAGE_TOKEN,
            api_url=f"{sandbox.url}/graph",
            app_id="11",
            app_secret=APP_SECRET,
            token_name="PAGE_TOKEN",
        )
        yield FacebookStage(sandbox, publisher, (PAGE_TOKEN, APP_SECRET))


def other_id(remote_id: str) -> str:
    """Return an id of the same form that names nothing."""
    return f"{remote_id}99"


def renamed(entry: LedgerEntry, remote_id: str) -> LedgerEntry:
    return replace(entry, remote_id=remote_id)
