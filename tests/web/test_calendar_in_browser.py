"""The calendar in a real Chromium: opened from Telegram, posts moved by mouse, finger and keyboard, seen by all."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from PIL import Image
from playwright.async_api import Browser, Page, expect

from bot.agenda import steering
from bot.domain.delivery import State
from bot.sandbox import Sandbox
from bot.sandbox.server import SitePage
from bot.store import passes
from tests.factories import NOON, an_article
from tests.fakes import FakeClock
from tests.journeys.outlet import Outlet, until
from tests.web import screen
from tests.web.newsroom import EDITOR, MAIN, SPORT, VIEWER, Newsroom, day_of_news, furnish, open_newsroom, signed
from tests.web.screen import DESKTOP, PHONE, a_browser, a_page, drag, opened_from_telegram, picture, place, post

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

BRIDGE = "Міст через Тиху відкрили після ремонту"
MUSEUM = "У музеї показали карту міста, якій триста років"
HALF_PAST_TWO = "2026-06-01T14:30:00+03:00"
DARK = {
    "bg_color": "#1c2733",
    "secondary_bg_color": "#131b24",
    "section_bg_color": "#1c2733",
    "text_color": "#f5f5f5",
    "hint_color": "#3d4a58",  # too faint to be read: the page has to notice
    "link_color": "#62bcf9",
    "button_color": "#50a8eb",
}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


@pytest.fixture
async def room(outlet: Outlet, clock: FakeClock) -> AsyncIterator[Newsroom]:
    """A desk at noon: two posts are out, seven articles wait, one of them with a photo."""
    furnish(outlet)
    async with open_newsroom(outlet, clock=clock) as opened:
        clock.at = NOON - timedelta(hours=2)
        await opened.take_in(an_article(title="Зранку на ярмарку продали перші яблука", published_at=clock.at))
        await opened.service.worker.drain()
        clock.at = NOON
        await opened.take_in(*day_of_news())
        yield opened


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with a_browser(chromium) as opened:
        yield opened


@pytest.fixture
async def page(room: Newsroom, browser: Browser) -> AsyncIterator[Page]:
    """The calendar on a phone, as an editor opens it from Telegram."""
    opened = await a_page(browser)
    await enter(opened, room)
    yield opened
    assert screen.refused(opened) == []


async def enter(page: Page, room: Newsroom, person: int = EDITOR, **params: str) -> None:
    """Open the calendar with data that were not used yet."""
    assert room.clock is not None
    room.clock.tick(timedelta(seconds=1))
    await page.goto("about:blank")  # else only the fragment changes, and nothing is loaded
    await page.goto(opened_from_telegram(room.root, signed(person, room.clock.at), **params))
    await expect(page.locator("#calendar")).to_be_visible()


async def at_of(room: Newsroom, title: str, channel: str = MAIN) -> str:
    """Return when a post goes out by the plan, on the outlet's clock."""
    delivery = await room.delivery(title, channel)
    moment = (await room.plan())[delivery.id]
    return moment.astimezone(next(iter(room.service.house.served.values())).timetable.zone).isoformat()


async def test_a_post_dragged_to_another_time_is_moved_in_the_queue_and_in_the_plan(page: Page, room: Newsroom) -> None:
    delivery = await room.delivery(BRIDGE)
    card = post(page, delivery.id)
    await expect(card).to_have_attribute("data-channel", MAIN)
    await drag(page, card, place(page, HALF_PAST_TWO))
    await expect(page.locator("#toast")).to_contain_text("сьогодні о 14:30")
    await expect(place(page, HALF_PAST_TWO).locator(f'[data-delivery="{delivery.id}"]')).to_be_visible()
    assert (await room.delivery(BRIDGE)).pinned_at == NOON + timedelta(hours=2, minutes=30)
    assert await at_of(room, BRIDGE) == HALF_PAST_TWO
    await picture(page, "moved-phone-light")

    # The same session once more, then a place where nothing may go: it is refused, and the post goes back.
    await drag(page, card, place(page, "2026-06-01T13:45:00+03:00"))
    await expect(page.locator("#toast")).to_contain_text("о 13:45")
    assert await at_of(room, BRIDGE) == "2026-06-01T13:45:00+03:00"
    for forbidden, why in (("2026-06-01T18:15:00+03:00", "мовчить"), ("2026-06-01T11:15:00+03:00", "минув")):
        before = await room.state()
        await drag(page, card, place(page, forbidden))
        await expect(page.locator("#toast.refused")).to_contain_text(why)
        await expect(
            place(page, "2026-06-01T13:45:00+03:00").locator(f'[data-delivery="{delivery.id}"]')
        ).to_be_visible()
        assert await room.state() == before
    await picture(page, "refused-phone-light")


async def test_a_post_is_dragged_across_a_week(room: Newsroom, browser: Browser) -> None:
    page = await a_page(browser, DESKTOP)
    await enter(page, room)
    await page.get_by_role("link", name="Тиждень").click()
    delivery = await room.delivery(BRIDGE)
    thursday = "2026-06-04T13:00:00+03:00"
    await drag(page, post(page, delivery.id), place(page, thursday))
    await expect(page.locator("#toast")).to_contain_text("у четвер, 4\u00a0червня, о 13:00")
    await expect(place(page, thursday).locator(f'[data-delivery="{delivery.id}"]')).to_be_visible()
    assert await at_of(room, BRIDGE) == thursday
    await page.get_by_role("link", name="четвер, 4").click()
    await expect(place(page, thursday).locator(f'[data-delivery="{delivery.id}"]')).to_be_visible()


async def test_a_finger_moves_a_post_by_its_grip_or_after_resting_on_it_and_scrolls_otherwise(
    room: Newsroom, browser: Browser
) -> None:
    page = await a_page(browser, PHONE, has_touch=True, is_mobile=True)
    await enter(page, room)
    delivery = await room.delivery(BRIDGE)
    card = post(page, delivery.id)
    await screen.touch_drag(page, card.locator(".grip"), place(page, "2026-06-01T14:15:00+03:00"))
    await expect(page.locator("#toast")).to_contain_text("о 14:15")
    await screen.touch_drag(page, card.locator(".title"), place(page, "2026-06-01T14:45:00+03:00"), rest_ms=600)
    await expect(page.locator("#toast")).to_contain_text("о 14:45")
    assert await at_of(room, BRIDGE) == "2026-06-01T14:45:00+03:00"
    before = await room.state()
    await screen.touch_drag(page, card.locator(".title"), place(page, "2026-06-01T15:45:00+03:00"))
    await page.wait_for_timeout(300)  # long enough for a drop that must not come
    assert await room.state() == before


async def test_the_keyboard_alone_moves_a_post_and_is_told_where(page: Page, room: Newsroom) -> None:
    delivery = await room.delivery(MUSEUM)
    card = post(page, delivery.id)
    for _ in range(60):
        await page.keyboard.press("Tab")
        if await card.evaluate("(card) => card === document.activeElement"):
            break
    await expect(card).to_be_focused()
    moves = page.locator("#moves")
    await page.keyboard.press("Enter")
    await expect(moves).to_contain_text("Допис узято")
    for _ in range(5):
        await page.keyboard.press("ArrowDown")
    await expect(moves).to_have_text("понеділок, 1\u00a0червня, 13:30")
    await page.keyboard.press("ArrowRight")
    await expect(moves).to_have_text("понеділок, 1\u00a0червня, 14:30")
    await picture(page, "keyboard-phone-light")
    await page.keyboard.press("Escape")
    await expect(moves).to_contain_text("лишився на місці")
    assert (await room.delivery(MUSEUM)).pinned_at is None
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Enter")
    await expect(page.locator("#toast")).to_contain_text("о 13:30")
    assert await at_of(room, MUSEUM) == "2026-06-01T13:30:00+03:00"
    await expect(post(page, delivery.id)).to_be_focused()
    for _ in range(100):  # into a time of silence
        await page.keyboard.press("ArrowDown")
        if "18:00" in await moves.inner_text():
            break
    await expect(moves).to_contain_text("тиша")
    await page.keyboard.press("Enter")
    await expect(page.locator("#toast.refused")).to_contain_text("мовчить")
    assert await at_of(room, MUSEUM) == "2026-06-01T13:30:00+03:00"


async def test_the_sheet_shows_the_post_as_readers_will_and_moves_it_without_dragging(
    page: Page, room: Newsroom, sandbox: Sandbox
) -> None:
    drawn = io.BytesIO()
    Image.new("RGB", (640, 360), "#7ba7c7").save(drawn, "JPEG")
    sandbox.site["/orchard.jpg"] = SitePage(drawn.getvalue(), "image/jpeg")
    title = "Старий сад за вокзалом відкрили для відвідувачів"
    await room.take_in(an_article(title=title, photo_url=f"{sandbox.url}/site/orchard.jpg", published_at=NOON))
    delivery = await room.delivery(title)
    await post(page, delivery.id).locator("a").click()
    sheet = page.get_by_role("dialog")
    await expect(sheet).to_be_visible()
    await expect(sheet.locator(".preview b").first).to_have_text(title)
    await expect(sheet.locator(".preview")).to_contain_text("Фото: міська рада")
    await expect(sheet.locator(".preview")).to_contain_text("Підписуйтесь на нас")
    await sheet.locator("img").scroll_into_view_if_needed()
    await until(lambda: sheet.locator("img").evaluate("(img) => img.complete && img.naturalWidth === 640"))
    await picture(page, "sheet-phone-light")
    await sheet.get_by_label("Новий час").fill("2026-06-02T10:20")
    await sheet.get_by_role("button", name="Перенести").click()
    await expect(page.locator("#toast")).to_contain_text("завтра о 10:20")
    assert await at_of(room, title) == "2026-06-02T10:20:00+03:00"
    await page.get_by_role("link", name="Пізніше").click()
    await post(page, delivery.id).locator("a").click()
    await sheet.get_by_role("button", name="Повернути в загальну чергу").click()
    await expect(page.locator("#toast")).to_contain_text("повернувся в чергу")
    assert (await room.delivery(title)).pinned_at is None


async def test_what_others_change_shows_without_reloading(page: Page, room: Newsroom, browser: Browser) -> None:
    await page.evaluate("window.untouched = true")
    delivery = await room.delivery(BRIDGE)
    colleague = await a_page(browser, DESKTOP)
    await enter(colleague, room)
    await drag(colleague, post(colleague, delivery.id), place(colleague, HALF_PAST_TWO))
    await expect(place(page, HALF_PAST_TWO).locator(f'[data-delivery="{delivery.id}"]')).to_be_visible()
    await room.take_in(an_article(title="Ярмарок меду переїхав на набережну", published_at=NOON))
    await expect(page.get_by_text("Ярмарок меду переїхав на набережну").first).to_be_visible(timeout=15_000)
    async with room.service.house.database.write() as tx:
        await steering.pause_channel(tx, room.id_of(SPORT), None, who="Олена (1001)", now=NOON)
    await expect(page.locator(".banner")).to_contain_text("пауза, доки її не знімуть", timeout=15_000)
    await room.service.worker.drain()
    await expect(page.locator('[data-state="published"]').first).to_be_visible(timeout=15_000)
    assert await page.evaluate("window.untouched") is True
    await picture(page, "paused-phone-light")


async def test_a_page_whose_session_is_over_says_so(page: Page, clock: FakeClock, room: Newsroom) -> None:
    clock.tick(timedelta(hours=3))
    delivery = await room.delivery(BRIDGE)
    before = await room.state()
    await drag(page, post(page, delivery.id), place(page, "2026-06-01T16:30:00+03:00"))
    await expect(page.locator("#toast.refused")).to_contain_text("Сеанс завершився")
    assert await room.state() == before
    await page.reload()
    await expect(page.locator("#say")).to_contain_text("ще раз")
    await picture(page, "over-phone-light")


async def test_a_viewer_has_nothing_to_drag(room: Newsroom, browser: Browser) -> None:
    page = await a_page(browser)
    await enter(page, room, VIEWER)
    delivery, before = await room.delivery(BRIDGE), await room.state()
    await expect(page.locator("[data-movable]")).to_have_count(0)
    await drag(page, post(page, delivery.id), place(page, HALF_PAST_TWO))
    await post(page, delivery.id).locator("a").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await expect(page.get_by_role("button", name="Перенести")).to_have_count(0)
    assert await room.state() == before


async def test_a_one_time_link_opens_the_calendar_in_a_browser_once(room: Newsroom, browser: Browser) -> None:
    async with room.service.house.database.write() as tx:
        link = await passes.make_link(tx, EDITOR, NOON)
    page = await a_page(browser, DESKTOP)
    await page.goto(f"{room.root}/app?link={link}")
    await expect(page.locator("[data-delivery]").first).to_be_visible()
    assert link not in page.url
    other = await a_page(browser, DESKTOP)
    await other.goto(f"{room.root}/app?link={link}")
    await expect(other.get_by_role("alert")).to_contain_text("/calendar")
    assert await other.locator("[data-delivery]").count() == 0


async def test_telegrams_own_script_is_used_where_it_loads_and_not_missed_where_not(
    room: Newsroom, browser: Browser, clock: FakeClock
) -> None:
    page = await a_page(browser)
    app = {"initData": signed(EDITOR, clock.at), "themeParams": DARK, "colorScheme": "dark"}
    told = f"window.Telegram = {{ WebApp: {json.dumps(app)} }};"
    await page.context.unroute("https://telegram.org/**")
    await page.context.route(
        screen.TELEGRAM_SCRIPT, lambda route: route.fulfill(body=told, content_type="text/javascript")
    )
    await page.goto(f"{room.root}/app")
    await expect(page.locator("[data-delivery]").first).to_be_visible()
    assert screen.refused(page) == []

    alone = await a_page(browser)  # a browser that nobody sent, and telegram.org is away
    await alone.goto(f"{room.root}/app")
    await expect(alone.locator("#say")).to_contain_text("/calendar")
    await picture(alone, "entry-phone-light")


async def test_another_account_of_the_same_telegram_does_not_see_the_first_ones_calendar(
    page: Page, room: Newsroom, clock: FakeClock
) -> None:
    await expect(page.locator("body")).to_have_attribute("data-person", str(EDITOR))
    await enter(page, room, VIEWER)
    await expect(page.locator("body")).to_have_attribute("data-person", str(VIEWER))


async def test_nothing_is_wider_than_a_small_phone_and_a_day_is_shown_first(
    page: Page, room: Newsroom, clock: FakeClock
) -> None:
    long = "Найдовшийзаголовокякийтількиможнауявити" * 6
    await room.take_in(an_article(title=long, published_at=NOON))
    await page.reload()
    await expect(page.locator(".day")).to_be_visible()
    assert await screen.sideways(page) == 0
    await page.get_by_role("link", name="Тиждень").click()
    await expect(page.locator(".week")).to_be_visible()
    assert await screen.sideways(page) == 0
    await page.get_by_role("link", name="День", exact=True).click()
    delivery = await room.delivery(long)
    await post(page, delivery.id).locator("a").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    assert await screen.sideways(page) == 0
    assert await page.evaluate("sheet.scrollWidth - sheet.clientWidth") == 0


async def test_the_page_is_dark_where_telegram_or_the_device_is(room: Newsroom, browser: Browser) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    device = await a_page(browser, color_scheme="dark")
    await enter(device, room)
    assert await device.evaluate(ground) == "rgb(14, 20, 26)"
    telegram = await a_page(browser, color_scheme="light")
    await enter(telegram, room, tgWebAppThemeParams=json.dumps(DARK))
    await expect(telegram.locator("html")).to_have_attribute("data-theme", "dark")
    assert await telegram.evaluate(ground) == "rgb(19, 27, 36)"  # Telegram's own
    await telegram.get_by_role("link", name="Тиждень").click()
    await expect(telegram.locator(".week")).to_be_visible()
    assert await telegram.evaluate(ground) == "rgb(19, 27, 36)"  # kept from page to page
    bright = await a_page(browser, color_scheme="dark")
    await enter(bright, room, tgWebAppThemeParams=json.dumps({"bg_color": "#ffffff", "text_color": "#000000"}))
    assert await bright.evaluate(ground) == "rgb(255, 255, 255)"


async def test_no_other_site_can_show_the_calendar_in_a_frame(
    room: Newsroom, browser: Browser, sandbox: Sandbox
) -> None:
    page = await a_page(browser)
    await enter(page, room)
    frame = f'<title>x</title><iframe src="{room.root}/app"></iframe>'
    sandbox.site["/frame.html"] = SitePage(frame.encode())
    await page.goto(f"{sandbox.url}/site/frame.html")
    await until(lambda: any("frame-ancestors" in line for line in screen.refused(page)))
    assert await page.frames[1].locator("[data-delivery]").count() == 0


@pytest.mark.parametrize(
    ("scheme", "size", "params"),
    [
        pytest.param("light", PHONE, {}, id="light-phone"),
        pytest.param("dark", DESKTOP, {}, id="dark-desktop"),
        pytest.param("light", PHONE, {"tgWebAppThemeParams": json.dumps(DARK)}, id="telegram-dark-phone"),
    ],
)
async def test_a_machine_for_accessibility_finds_no_fault_in_the_calendar(
    room: Newsroom,
    browser: Browser,
    clock: FakeClock,
    request: pytest.FixtureRequest,
    scheme: str,
    size: dict[str, int],
    params: dict[str, str],
) -> None:
    held, pinned = await room.delivery(MUSEUM), await room.delivery(BRIDGE)
    async with room.service.house.database.write() as tx:
        await steering.hold(tx, held.id, who="Олена (1001)", now=clock.at)
        await steering.pin(tx, pinned.id, NOON + timedelta(hours=1), who="Олена (1001)", now=clock.at)
        await steering.pause_channel(tx, room.id_of(SPORT), None, who="Олена (1001)", now=clock.at)
    assert (await room.delivery(MUSEUM)).state is State.HELD
    look = request.node.callspec.id
    page = await a_page(browser, size, color_scheme=scheme)
    await page.goto(f"{room.root}/app")
    await expect(page.locator("#say")).to_contain_text("/calendar")
    assert await screen.faults(page) == [], "entry"
    await enter(page, room, EDITOR, **params)
    assert await screen.faults(page) == [], "day"
    await picture(page, f"day-{look}")
    await post(page, pinned.id).locator("a").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    assert await screen.faults(page) == [], "sheet"
    await picture(page, f"sheet-{look}")
    await page.goto(f"{room.root}/app?view=week")
    await expect(page.locator(".week")).to_be_visible()
    assert await screen.faults(page) == [], "week"
    await picture(page, f"week-{look}")
    await page.goto(f"{room.root}/app/post/{pinned.id}")
    assert await screen.faults(page) == [], "post"


async def test_a_machine_for_accessibility_finds_no_fault_in_the_readers_page(
    room: Newsroom, browser: Browser, sandbox: Sandbox
) -> None:
    await room.service.worker.drain()
    for scheme in ("light", "dark"):
        for size in (PHONE, DESKTOP):
            page = await a_page(browser, size, color_scheme=scheme)
            await page.goto(sandbox.url)
            await expect(page.locator(".bubble").first).to_be_visible()
            assert await screen.faults(page) == [], scheme
