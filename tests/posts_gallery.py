"""Twenty posts from varied pages, published to the sandbox and photographed as readers see them.

`python -m tests.posts_gallery` writes the pictures of docs/posts anew; needs Chromium.
"""

from __future__ import annotations

import asyncio
import io
import json
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from PIL import Image
from playwright.async_api import Page, async_playwright

from bot.channels.base import Photo, Publisher
from bot.channels.facebook import FacebookPublisher
from bot.channels.picture import as_photo
from bot.channels.telegram import TelegramPublisher
from bot.channels.telegram_bot import TelegramBot
from bot.channels.transport import Transport
from bot.compose.post import Composer
from bot.domain.article import Article, from_json
from bot.domain.channel import CallToAction, Channel, Platform
from bot.domain.post import Post
from bot.domain.timetable import Timetable
from bot.sandbox import Rates, Sandbox

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "posts" / "pages.jsonl"
_PHOTOS = ROOT / "examples" / "photos"
_TOKEN, _BOT_ID = "700000001:AAFakeTokenOfTheSandbox-0123456789abc", 700000001
_PAGE, _PAGE_TOKEN = "100200300", "EAAfakePageTokenOfTheSandbox0123456789"
_AT = datetime(2025, 10, 10, 9, tzinfo=UTC)  # a Friday, noon in Kyiv
_IN_A_PICTURE = 4
_SIZES = (("desktop", 1180), ("phone", 390))
# The feeds scroll inside their columns; a picture shows them in full length.
_UNROLLED = """.columns { align-items: start !important } .pulse { display: none !important }
    .column, .channel, .feed { height: auto !important; max-height: none !important; overflow: visible !important }"""
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


def articles() -> list[Article]:
    """Return the pages as articles; a `photo` is a picture of the examples."""
    rows: list[dict[str, Any]] = [json.loads(line) for line in PAGES.read_text("utf-8").splitlines()]
    for row in rows:
        photo = row.pop("photo", "")
        row["photo_url"] = (_PHOTOS / photo).as_uri() if photo else ""
    return [from_json({**row, "published_at": (_AT - timedelta(hours=1)).isoformat()}) for row in rows]


def channel(platform: Platform) -> Channel:
    """Return the channel that a platform's posts are for."""
    words, url = {
        Platform.TELEGRAM: ("Підписуйтесь на «Тихоріччя» в Telegram", "https://t.me/tyhorichchia"),
        Platform.FACEBOOK: ("Підписуйтесь на «Тихоріччя» у Facebook", "https://www.facebook.com/tyhorichchia"),
    }[platform]
    return Channel(
        name=platform.value,
        platform=platform,
        address="@tyhorichchia",
        timetable=Timetable(zone=ZoneInfo("Europe/Kyiv")),
        call_to_action=CallToAction(text=words, url=url),
        typography=True,
        silent=(),
    )


def posts() -> Iterator[tuple[Post, Post]]:
    """Yield each page's post for Telegram and for Facebook, the day's digest last."""
    composer, told = Composer(ROOT / "config" / "templates"), articles()
    both = [channel(platform) for platform in (Platform.TELEGRAM, Platform.FACEBOOK)]
    for article in told:
        first, second = (composer.compose(article, one, at=_AT) for one in both)
        yield first, second
    first, second = (composer.digest(told, one, at=_AT) for one in both)
    yield first, second


async def _publish(publisher: Publisher, post: Post) -> None:
    photo: Photo | None = None
    if post.photo_url:
        photo = as_photo((_PHOTOS / Path(post.photo_url).name).read_bytes())
    await publisher.publish(await publisher.prepare(post, photo))


async def show(sandbox: Sandbox, some: tuple[tuple[Post, Post], ...]) -> None:
    """Make some posts the only ones the sandbox shows."""
    sandbox.empty()
    sandbox.telegram.rates = Rates.off()
    sandbox.telegram.add_bot(_TOKEN, "tyhorichchia_bot", _BOT_ID)
    sandbox.telegram.add_channel("tyhorichchia", -1001234567890, "Тихоріччя", {_BOT_ID: None})
    sandbox.facebook.add_page(_PAGE, "Тихоріччя", _PAGE_TOKEN, app_id="11")
    async with Transport(20) as transport, TelegramBot(_TOKEN, api_url=sandbox.url) as bot:
        telegram = TelegramPublisher(bot, "@tyhorichchia", web_url=sandbox.url)
        facebook = FacebookPublisher(transport, _PAGE, _PAGE_TOKEN, api_url=f"{sandbox.url}/graph")
        for first, second in some:
            await _publish(telegram, first)
            await _publish(facebook, second)


async def photograph(page: Page, sandbox: Sandbox) -> bytes:
    """Return a small PNG of the whole reader's page."""
    await page.goto(sandbox.url)
    await page.add_style_tag(content=_UNROLLED)
    for more in await page.locator(".more").all():
        await more.click()
    for picture in await page.locator("img").all():
        await picture.scroll_into_view_if_needed()
    await page.wait_for_function("[...document.images].every(image => image.complete && image.naturalWidth)")
    shot = Image.open(io.BytesIO(await page.screenshot(full_page=True))).convert("RGB")
    out = io.BytesIO()
    shot.quantize(96, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def _batches() -> Iterator[tuple[tuple[Post, Post], ...]]:
    all_posts = posts()
    while batch := tuple(islice(all_posts, _IN_A_PICTURE)):
        yield batch


async def write(folder: Path, chromium: str) -> list[Path]:
    """Write all pictures into a folder and return their paths."""
    written: list[Path] = []
    async with Sandbox() as sandbox, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=QUIET)
        for number, some in enumerate(_batches(), start=1):
            await show(sandbox, some)
            for name, width in _SIZES:
                page = await browser.new_page(viewport={"width": width, "height": 800})
                path = folder / f"{number}-{name}.png"
                path.write_bytes(await photograph(page, sandbox))
                written.append(path)
                await page.close()
        await browser.close()
    return written


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("no Chromium on the path (Debian: apt-get install chromium)")
    for path in asyncio.run(write(PAGES.parent, chromium)):
        sys.stdout.write(f"{path.relative_to(ROOT)} {path.stat().st_size // 1024} KiB\n")


if __name__ == "__main__":
    main()
