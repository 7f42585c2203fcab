"""A person at a screen: the calendar in a real Chromium, with mouse, finger and keyboard."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from playwright.async_api import Browser, Locator, Page, async_playwright, expect

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 860}
SCREENSHOTS = Path(__file__).parents[2] / "screenshots"
expect.set_options(timeout=20_000)  # a busy machine is no fault of the page
TELEGRAM_SCRIPT = "https://telegram.org/js/telegram-web-app.js"


@asynccontextmanager
async def a_browser(chromium: str) -> AsyncIterator[Browser]:
    """Open Chromium."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield browser
        await browser.close()


async def a_page(browser: Browser, size: dict[str, int] = PHONE, **how: Any) -> Page:
    """Open a page of its own, with cookies of its own; telegram.org cannot be reached from it."""
    context = await browser.new_context(viewport=size, locale="uk-UA", **how)  # type: ignore[arg-type]
    await context.route("https://telegram.org/**", lambda route: route.abort())
    page = await context.new_page()

    def note(line: str) -> None:
        if "Content Security" in line:
            refused(page).append(line)

    page.on("console", lambda message: note(message.text))
    page.on("pageerror", lambda error: refused(page).append(str(error)))
    return page


def refused(page: Page) -> list[str]:
    """Return what the page's policy refused and which scripts failed."""
    kept: list[str] = page.__dict__.setdefault("refused", [])
    return kept


def opened_from_telegram(root: str, init_data: str, **params: str) -> str:
    """Return the address at which Telegram opens the calendar."""
    return f"{root}/app#" + urlencode({"tgWebAppData": init_data, "tgWebAppPlatform": "android", **params})


def post(page: Page, delivery: int) -> Locator:
    """Return a post in the calendar."""
    return page.locator(f'#calendar [data-delivery="{delivery}"]')


def place(page: Page, at: str) -> Locator:
    """Return a place to drop a post, by its time."""
    return page.locator(f'#calendar [data-at="{at}"]')


async def drag(page: Page, what: Locator, where: Locator) -> None:
    """Drag a post to a place by mouse, scrolling on the way if it is far."""
    await what.evaluate("(post) => post.scrollIntoView({ block: 'center' })")
    x, y = await _middle(what)
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x + 9, y + 9, steps=3)
    await where.evaluate("(place) => place.scrollIntoView({ block: 'center' })")
    await page.mouse.move(*await _middle(where), steps=5)
    await page.mouse.up()


async def touch_drag(page: Page, what: Locator, where: Locator, *, rest_ms: int = 0) -> None:
    """Drag a post by finger; a place that is far is waited for at the edge of the screen.

    Args:
        rest_ms: how long the finger rests on the post first.
    """
    await what.evaluate("(post) => post.scrollIntoView({ block: 'center' })")
    finger = await page.context.new_cdp_session(page)
    at = await _middle(what)

    async def touch(kind: str, x: float, y: float) -> None:
        points = [] if kind == "touchEnd" else [{"x": x, "y": y}]
        await finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    async def slide(to: tuple[float, float]) -> None:
        nonlocal at
        for step in range(1, 9):
            await touch("touchMove", *(start + (end - start) * step / 8 for start, end in zip(at, to, strict=True)))
            await page.wait_for_timeout(16)
        at = to

    await touch("touchStart", *at)
    if rest_ms:
        await page.wait_for_timeout(rest_ms)
    height: int = await page.evaluate("innerHeight")
    for _ in range(100):
        x, y = await _middle(where)
        if 200 < y < height - 100:
            break
        await slide((x, height - 25 if y > height / 2 else 25))
    await slide((at[0], height / 2))  # away from the edge, where the page stands still
    await slide(await _middle(where))
    await touch("touchEnd", *at)
    await finger.detach()


async def _middle(what: Locator) -> tuple[float, float]:
    box = await what.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


async def picture(page: Page, name: str) -> None:
    """Keep what the page looks like as an artefact."""
    SCREENSHOTS.mkdir(exist_ok=True)
    await page.screenshot(path=SCREENSHOTS / f"{name}.png")


async def faults(page: Page) -> list[str]:
    """Return what axe-core finds wrong with a page: rule, weight and the elements."""
    script = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
    await page.evaluate(script)
    found = await page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{one['impact']}: {one['id']}: {'; '.join(' '.join(map(str, node['target'])) for node in one['nodes'][:4])}"
        for one in found["violations"]
    ]


async def sideways(page: Page) -> int:
    """Return how many pixels of the page are hidden at its side."""
    hidden: int = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return hidden
