"""Twenty posts from varied pages, published by the bot's own adapters and looked at in a real browser."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from playwright.async_api import async_playwright, expect

from bot.domain.post import Method
from bot.sandbox import Sandbox
from tests.posts_gallery import QUIET, articles, photograph, posts, show

_PHONE = 390  # pixels


def test_twenty_pages_become_twenty_posts_without_a_word_lost() -> None:
    composed = list(posts())
    assert len(composed) == 20
    for article, both in zip(articles(), composed, strict=False):
        for post in both:
            assert post.plain.removeprefix("⚡️ ").startswith(article.title)
            assert post.link == article.link
            assert bool(post.photo_url) <= bool(post.house_credit), "no photo goes without its credit"
    without_photo = {post.link for post, _ in composed if post.method is Method.SEND_MESSAGE}
    assert {"https://news.example/misto/voda", "https://news.example/misto/lavky"} < without_photo
    digest = composed[-1][0].plain
    assert all(article.title in digest for article in articles())


@pytest.mark.browser
async def test_the_posts_are_read_on_a_phone_without_scrolling_sideways(chromium: str) -> None:
    some = tuple(list(posts())[-4:])
    async with Sandbox() as sandbox, async_playwright() as playwright:
        await show(sandbox, some)
        browser = await playwright.chromium.launch(executable_path=chromium, args=QUIET)
        page = await browser.new_page(viewport={"width": _PHONE, "height": 800})
        picture = Image.open(io.BytesIO(await photograph(page, sandbox)))
        assert picture.width == _PHONE
        assert await page.evaluate("document.documentElement.scrollWidth") <= _PHONE
        await expect(page.locator(".bubble")).to_have_count(4)
        await expect(page.locator(".card")).to_have_count(4)
        bubbles = await page.locator(".bubble .text").all_inner_texts()
        assert [text.split() for text in bubbles] == [post.plain.split() for post, _ in some]
        await browser.close()
