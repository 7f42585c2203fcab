"""Both platforms for one suite: how a test speaks of each in the same words."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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
from bot.domain.ledger import Attempt, LedgerEntry, Receipt
from bot.domain.post import Method, Post
from bot.sandbox import Rates, Sandbox
from bot.sandbox.mishaps import Mishap

TOKEN = "700000001:AAFakeTokenOfTheSandbox-0123456789abc"
BOT_ID = 700000001
PAGE, PAGE_TOKEN = "100200300", "EAAfakePageTokenOfTheSandbox0123456789"
APP_SECRET = "0123456789abcdef0123456789abcdef"
LINK = "https://news.example/mist"
TIMEOUT = 0.4  # seconds; what a mishap of silence costs a test


def a_photo(colour: tuple[int, int, int] = (30, 90, 160)) -> Photo:
    out = io.BytesIO()
    Image.new("RGB", (320, 200), colour).save(out, "PNG")
    return as_photo(out.getvalue())


@dataclass
class Stage(ABC):
    """One platform with one channel on it."""

    sandbox: Sandbox
    publisher: Publisher
    secrets: tuple[str, ...]
    text_method: Method = field(init=False)
    photo_method: Method = field(init=False)

    @abstractmethod
    def post(self, words: str, *, photo: bool = False, link: str | None = LINK) -> Post: ...

    @abstractmethod
    def meets(self, deed: str, mishap: Mishap, count: int = 1) -> None:
        """Let the next calls of a deed ("text", "photo", "edit text", "edit photo", "withdraw") meet a mishap."""

    @abstractmethod
    def shown(self) -> list[str]:
        """Return the words of the public posts, oldest first."""

    @abstractmethod
    def ever_shown(self) -> int: ...

    @abstractmethod
    def calls(self) -> int: ...

    @abstractmethod
    def lose_rights(self) -> None: ...

    @abstractmethod
    def end_token(self) -> None: ...

    async def publish(self, words: str, *, photo: bool = False, link: str | None = LINK) -> LedgerEntry:
        """Publish for real and return what the ledger would hold."""
        post = self.post(words, photo=photo, link=link)
        parcel = await self.publisher.prepare(post, a_photo() if photo else None)
        return self.entry(post, await self.publisher.publish(parcel))

    async def parcel(self, words: str, *, photo: bool = False, link: str | None = LINK) -> Parcel:
        return await self.publisher.prepare(self.post(words, photo=photo, link=link), a_photo() if photo else None)

    def entry(self, post: Post, receipt: Receipt) -> LedgerEntry:
        return LedgerEntry(
            delivery_id=DeliveryId(1),
            channel_id=ChannelId(1),
            article_id=None,
            revision=1,
            title="",
            remote_id=receipt.remote_id,
            permalink=receipt.permalink,
            method=post.method,
            text=post.text,
            published_at=datetime.now(UTC),
        )

    def attempt(self, post: Post, watermark: str | None) -> Attempt:
        return Attempt(
            delivery_id=DeliveryId(1),
            method=post.method,
            text=post.text,
            plain=post.plain,
            link=post.link,
            watermark=watermark,
            started_at=datetime.now(UTC),
        )


class TelegramStage(Stage):
    text_method, photo_method = Method.SEND_MESSAGE, Method.SEND_PHOTO

    def post(self, words: str, *, photo: bool = False, link: str | None = LINK) -> Post:
        end = f'\n\n<a href="{link}">Читати</a>' if link else ""
        plain = f"{words}\n\nЧитати" if link else words
        return Post(
            channel="tg",
            platform=Platform.TELEGRAM,
            method=self.photo_method if photo else self.text_method,
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
            "edit text": "editMessageText",
            "edit photo": "editMessageCaption",
            "withdraw": "deleteMessage",
        }[deed]
        self.sandbox.telegram.next(method, mishap, count)

    def shown(self) -> list[str]:
        return [post.text for post in self.sandbox.telegram.posts("@news")]

    def ever_shown(self) -> int:
        return len(self.sandbox.telegram.history("@news"))

    def calls(self) -> int:
        return len(self.sandbox.telegram.calls)

    def lose_rights(self) -> None:
        self.sandbox.telegram.set_rights("@news", BOT_ID, can_post=False)

    def end_token(self) -> None:
        self.sandbox.telegram.revoke(TOKEN)


class FacebookStage(Stage):
    text_method, photo_method = Method.FEED, Method.PHOTOS

    def post(self, words: str, *, photo: bool = False, link: str | None = LINK) -> Post:
        plain = f"{words}\n\n{link}" if link else words
        return Post(
            channel="fb",
            platform=Platform.FACEBOOK,
            method=self.photo_method if photo else self.text_method,
            text=plain,
            plain=plain,
            length=len(plain),
            limit=63_206,
            photo_alt="Міст над річкою" if photo else "",
            link=link,
            link_preview=None if photo else link,
        )

    def meets(self, deed: str, mishap: Mishap, count: int = 1) -> None:
        edges = {"text": "feed", "photo": "photos", "edit text": "post", "edit photo": "post", "withdraw": "delete"}
        self.sandbox.facebook.next(edges[deed], mishap, count)

    def shown(self) -> list[str]:
        return [post.message for post in self.sandbox.facebook.posts(PAGE)]

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
