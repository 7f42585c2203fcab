"""The reader's page in a real browser: it keeps itself fresh, unfolds, and fits a phone."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, async_playwright, expect

from bot.sandbox import Sandbox
from tests.sandbox.conftest import BOT_ID, CHANNEL, PAGE, Asker

pytestmark = pytest.mark.browser

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


@pytest.fixture
async def page(sandbox: Sandbox, chromium: str) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=QUIET)
        page = await browser.new_page(viewport={"width": 360, "height": 740})
        await page.goto(sandbox.url)
        yield page
        await browser.close()


async def test_posts_edits_and_deletions_show_without_reloading(page: Page, sandbox: Sandbox) -> None:
    await expect(page.locator(".chat .empty")).to_be_visible()
    await page.evaluate("window.untouched = true")
    post = sandbox.telegram.say(1, CHANNEL, "Міст відкрили")
    bubble = page.locator(".bubble")
    await expect(bubble).to_contain_text("Міст відкрили")
    sandbox.telegram.edit_by_hand(CHANNEL, post.id, "<b>Міст закрили</b>")
    await expect(bubble.locator("b")).to_have_text("Міст закрили")
    sandbox.telegram.delete_by_hand(CHANNEL, post.id)
    await expect(bubble).to_have_count(0)
    assert await page.evaluate("window.untouched") is True


async def test_an_unfolded_message_stays_unfolded_when_news_arrive(page: Page, ask: Asker) -> None:
    await ask.graph("POST", f"{PAGE}/feed", message="Довге речення про міст. " * 40)
    more = page.locator(".more")
    await more.click()
    await expect(more).to_be_hidden()
    await ask.graph("POST", f"{PAGE}/feed", message="коротко")
    await expect(page.locator(".card")).to_have_count(2)
    await expect(more).to_be_hidden()
    await expect(page.locator(".clamp")).to_have_count(0)


async def test_several_channels_are_tabs_that_keep_their_choice(page: Page, sandbox: Sandbox) -> None:
    sandbox.telegram.add_channel("sport", -1009, "Спорт", [BOT_ID])
    await page.get_by_role("tab", name="Спорт").click()
    sandbox.telegram.say(1, "@sport", "Перемога")
    await expect(page.locator(".bubble")).to_be_visible()
    await expect(page.get_by_role("tab", name="Спорт")).to_have_attribute("aria-selected", "true")


async def test_nothing_is_wider_than_a_small_phone(page: Page, sandbox: Sandbox) -> None:
    sandbox.telegram.say(1, CHANNEL, "https://news.example/" + "дуже-довга-адреса" * 12)
    await expect(page.locator(".bubble")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
