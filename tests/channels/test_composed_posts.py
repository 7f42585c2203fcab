"""Three hundred posts composed of any text at all, sent over HTTP to both platforms of the sandbox: none is refused."""

from __future__ import annotations

import io

from hypothesis import HealthCheck, Phase, given, settings
from PIL import Image

from bot.channels.base import Publisher
from bot.channels.facebook import FacebookPublisher
from bot.channels.picture import as_photo
from bot.channels.telegram import TelegramPublisher
from bot.channels.telegram_bot import TelegramBot
from bot.channels.transport import Transport
from bot.domain.channel import Platform
from bot.domain.post import Post
from bot.errors import ComposeError
from bot.sandbox import Rates, Sandbox
from tests.unit.compose.any_article import ORDERS, Order

_POSTS = 300
_TOKEN, _BOT_ID = "700000001:AAFakeTokenOfTheSandbox-0123456789abc", 700000001
_PAGE, _PAGE_TOKEN = "100200300", "EAAfakePageTokenOfTheSandbox0123456789"


def _composed(count: int) -> list[Post]:
    """Return so many posts, the same ones every time."""
    posts: list[Post] = []

    @settings(
        max_examples=count * 2,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(ORDERS)
    def collect(order: Order) -> None:
        if order.is_empty or len(posts) == count:
            return
        try:
            posts.append(order.post())
        except ComposeError:
            assert order.way == "words", "only an editor's own words may be too long"

    collect()
    return posts


async def test_three_hundred_posts_of_any_text_are_taken_over_http_and_shown_as_composed() -> None:
    posts = _composed(_POSTS)
    assert len(posts) == _POSTS
    png = io.BytesIO()
    Image.new("RGB", (64, 64), (30, 90, 160)).save(png, "PNG")
    photo = as_photo(png.getvalue())
    async with Sandbox() as sandbox, Transport(20) as transport, TelegramBot(_TOKEN, api_url=sandbox.url) as bot:
        sandbox.telegram.rates = Rates.off()
        sandbox.telegram.add_bot(_TOKEN, "vistnyk_test_bot", _BOT_ID)
        sandbox.telegram.add_channel("news", -1001234567890, "Новини", {_BOT_ID: None})
        sandbox.facebook.rate = None
        sandbox.facebook.add_page(_PAGE, "Новини", _PAGE_TOKEN, app_id="11")
        publishers: dict[Platform, Publisher] = {
            Platform.TELEGRAM: TelegramPublisher(bot, "@news", web_url=sandbox.url),
            Platform.FACEBOOK: FacebookPublisher(transport, _PAGE, _PAGE_TOKEN, api_url=f"{sandbox.url}/graph"),
        }
        for post in posts:
            publisher = publishers[post.platform]
            parcel = await publisher.prepare(post, photo if post.method.carries_photo else None)
            await publisher.publish(parcel)
        on_telegram = [shown.text for shown in sandbox.telegram.posts("@news")]
        on_facebook = [shown.message.strip() for shown in sandbox.facebook.posts(_PAGE)]
    assert on_telegram == [post.plain for post in posts if post.platform is Platform.TELEGRAM]
    assert on_facebook == [post.plain for post in posts if post.platform is Platform.FACEBOOK]
    assert min(len(on_telegram), len(on_facebook)) > _POSTS // 4
