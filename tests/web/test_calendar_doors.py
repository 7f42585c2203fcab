"""The calendar's doors over real HTTP: who gets in, and that whatever else is tried changes nothing."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

import aiohttp
import pytest

from bot.store import editors, passes
from bot.store.database import Database
from bot.web.miniapp import POLICY
from tests.factories import NOON
from tests.fakes import FakeClock
from tests.journeys.outlet import BOT_TOKEN, Outlet
from tests.web.newsroom import (
    EDITOR,
    MAIN,
    PAGE,
    SECOND_TOKEN,
    SPORT,
    SPORT_EDITOR,
    STRANGER,
    VIEWER,
    Newsroom,
    day_of_news,
    furnish,
    open_newsroom,
    signed,
)

BRIDGE = "Міст через Тиху відкрили після ремонту"
REGATTA = "Збірна міста виграла кубок області з веслування"
AFTERNOON = "2026-06-01T15:30:00+03:00"
JSON = {"Content-Type": "application/json"}


@dataclass(slots=True)
class Answer:
    status: int
    headers: Any
    text: str

    @property
    def detail(self) -> str:
        return str(json.loads(self.text)["detail"])


@dataclass(slots=True)
class Browser:
    """A person's browser without a screen: keeps cookies, knows the nonce of the page it saw last."""

    client: aiohttp.ClientSession
    root: str
    nonce: str = ""
    cookies: dict[str, str] = field(default_factory=dict)

    async def ask(self, method: str, path: str, **more: Any) -> Answer:
        headers = dict(more.pop("headers", {}))
        if self.cookies and "Cookie" not in headers:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        async with self.client.request(
            method, self.root + path, headers=headers, allow_redirects=False, **more
        ) as answer:
            text = await answer.text(errors="replace")
            for line in answer.headers.getall("Set-Cookie", []):
                name, _, value = line.partition(";")[0].partition("=")
                self.cookies[name] = value
            return Answer(answer.status, answer.headers, text)

    async def enter(self, init_data: str, **more: Any) -> Answer:
        body = json.dumps({"initData": init_data})
        return await self.ask("POST", "/app/session", data=body, headers=JSON | more.pop("headers", {}), **more)

    async def look(self, path: str = "/app") -> Answer:
        answer = await self.ask("GET", path, headers={"Accept": "text/html"})
        if found := re.search(r'data-nonce="(\w+)"', answer.text):
            self.nonce = found[1]
        return answer

    async def move(self, delivery: Any, at: Any = AFTERNOON, **more: Any) -> Answer:
        headers = JSON | {"X-Calendar-Nonce": more.pop("nonce", self.nonce)} | more.pop("headers", {})
        body = more.pop("data", None) or json.dumps({"delivery": delivery, "at": at})
        return await self.ask("POST", "/app/move", data=body, headers=headers, **more)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


@pytest.fixture
async def room(outlet: Outlet, clock: FakeClock) -> AsyncIterator[Newsroom]:
    furnish(outlet)
    async with open_newsroom(outlet, clock=clock) as opened:
        await opened.take_in(*day_of_news())
        yield opened


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    timeout = aiohttp.ClientTimeout(total=20)
    async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as opened:
        yield opened


@pytest.fixture
def browser(room: Newsroom, client: aiohttp.ClientSession) -> Browser:
    return Browser(client, room.root)


@pytest.fixture
async def editor(browser: Browser) -> Browser:
    """Somebody of the desk with the calendar open."""
    assert (await browser.enter(signed(EDITOR))).status == 200
    assert (await browser.look()).status == 200
    return browser


def another(browser: Browser) -> Browser:
    return Browser(browser.client, browser.root)


async def entered(browser: Browser, person: int, **how: Any) -> Browser:
    """Return a browser of its own in which this person has the calendar open."""
    fresh = another(browser)
    assert (await fresh.enter(signed(person, **how))).status == 200
    await fresh.look()
    return fresh


# --- getting in -----------------------------------------------------------------------------------------------------


async def test_what_telegram_signs_opens_the_calendar(browser: Browser) -> None:
    answer = await browser.enter(signed(EDITOR))
    assert (answer.status, json.loads(answer.text)) == (200, {"name": "Андрій"})
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie  # plain http on loopback: a browser would not keep it
    page = await browser.look()
    assert page.status == 200
    assert BRIDGE in page.text
    assert browser.cookies["vistnyk-calendar"] not in page.text


@pytest.mark.parametrize("token", [BOT_TOKEN, SECOND_TOKEN])
async def test_every_bot_of_the_outlet_lets_its_editors_in(browser: Browser, token: str) -> None:
    assert (await browser.enter(signed(EDITOR, token=token))).status == 200


async def test_a_form_is_taken_like_json(browser: Browser) -> None:
    answer = await browser.ask("POST", "/app/session", data={"initData": signed(EDITOR)})
    assert answer.status == 200
    assert (await browser.look()).status == 200


async def test_nobody_gets_in_by_data_that_are_not_exactly_right(browser: Browser, room: Newsroom) -> None:
    before = await room.state()
    for what, init_data in {
        "another bot's": signed(EDITOR, token="100000009:AAE-a-token-of-somebody-else-altogether"),
        "another person's name put in": signed(EDITOR).replace("1002", "1001"),
        "no hash": re.sub("&hash=.*", "", signed(EDITOR)),
        "a second person": signed(EDITOR) + "&user=%7B%22id%22%3A1001%7D",
        "a second date": signed(EDITOR, NOON - timedelta(hours=1)) + f"&auth_date={int(NOON.timestamp())}",
        "older than five minutes": signed(EDITOR, NOON - timedelta(minutes=5, seconds=1)),
        "from the future": signed(EDITOR, NOON + timedelta(minutes=2)),
        "too long": signed(EDITOR, chat="x" * 9000),
        "nothing": "",
        "rubbish": "&&&===%00%ff%",
        "somebody who is no editor": signed(STRANGER),
    }.items():
        answer = await browser.enter(init_data)
        assert answer.status == 403, what
        assert answer.headers.get("Set-Cookie") is None, what
        assert re.search("[а-яі]", answer.detail), what
    assert "data-delivery" not in (await browser.look()).text
    assert await room.state() == before


async def test_signed_data_serve_once_in_whatever_order_they_come(browser: Browser) -> None:
    data = signed(EDITOR)
    assert (await browser.enter(data)).status == 200
    again = await another(browser).enter(data)
    assert again.status == 403
    assert "уже відкривали" in again.detail
    backwards = urlencode(list(reversed(parse_qsl(data))))
    assert (await another(browser).enter(backwards)).status == 403


async def test_many_who_use_the_same_data_at_once_open_one_session(browser: Browser, room: Newsroom) -> None:
    data = signed(EDITOR)
    answers = await asyncio.gather(*(another(browser).enter(data) for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [200] + [403] * 7


async def test_data_nearly_five_minutes_old_open_the_calendar(browser: Browser) -> None:
    assert (await browser.enter(signed(EDITOR, NOON - timedelta(minutes=4, seconds=59)))).status == 200


async def test_bodies_that_are_no_way_in_are_one_line(browser: Browser) -> None:
    cases: list[tuple[bytes, dict[str, str], int]] = [
        (b"{", JSON, 422),
        (b"[]", JSON, 422),
        (b'{"initData": 5}', JSON, 422),
        (b'{"initData": null}', JSON, 422),
        (b"", JSON, 422),
        (b"\xff\xfe", {"Content-Type": "application/x-www-form-urlencoded"}, 422),
        (b"[" * 15_000, JSON, 422),
        (b"x" * 17_000, JSON, 413),
        (b"initData=a&initData=b", {"Content-Type": "application/x-www-form-urlencoded"}, 422),
        (b'{"initData": ""}', JSON | {"Sec-Fetch-Site": "cross-site"}, 403),
        (b"x" * 20, JSON | {"Content-Encoding": "gzip"}, 400),
    ]
    for body, headers, status in cases:
        answer = await browser.ask("POST", "/app/session", data=body, headers=headers)
        assert answer.status == status, body[:50]
        assert answer.detail
        assert "Set-Cookie" not in answer.headers


async def test_somebody_who_only_tries_is_told_to_wait(browser: Browser) -> None:
    statuses = [(await browser.enter("hash=1")).status for _ in range(25)]
    assert statuses[0] == 403
    assert statuses[-1] == 429


async def test_a_link_opens_the_calendar_once_and_looking_at_it_uses_nothing_up(
    browser: Browser, room: Newsroom
) -> None:
    database = room.service.house.database
    async with database.write() as tx:
        link = await passes.make_link(tx, EDITOR, NOON)
    for _ in range(3):  # Telegram itself looks at each link in a message, for a picture
        page = await browser.look(f"/app?link={link}")
        assert page.status == 200
        assert "Set-Cookie" not in page.headers
    answer = await browser.ask("POST", "/app/session", data={"link": link}, headers={"Accept": "text/html"})
    assert (answer.status, answer.headers["Location"]) == (303, "../app")
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert BRIDGE in (await browser.look()).text
    again = await another(browser).ask("POST", "/app/session", data={"link": link}, headers={"Accept": "text/html"})
    assert again.status == 403
    assert "/calendar" in again.text
    assert "Set-Cookie" not in again.headers


async def test_links_that_nobody_made_open_nothing(browser: Browser) -> None:
    for link in ["", "x", "я" * 500, "../../etc/passwd", "<script>alert(1)</script>", "\x00"]:
        page = await browser.look("/app?" + urlencode({"link": link}))
        assert page.status == 200
        assert "<script>alert" not in page.text
        answer = await browser.ask("POST", "/app/session", data={"link": link})
        assert answer.status == 403, link
        assert "Set-Cookie" not in answer.headers


async def test_a_link_ends_after_five_minutes_and_with_the_next_one(
    browser: Browser, room: Newsroom, clock: FakeClock
) -> None:
    async with room.service.house.database.write() as tx:
        first = await passes.make_link(tx, EDITOR, NOON)
        second = await passes.make_link(tx, EDITOR, NOON)
    assert (await browser.ask("POST", "/app/session", data={"link": first})).status == 403
    clock.tick(timedelta(minutes=5))
    assert (await browser.ask("POST", "/app/session", data={"link": second})).status == 403


async def test_a_link_of_somebody_who_left_the_desk_opens_nothing(browser: Browser, room: Newsroom) -> None:
    async with room.service.house.database.write() as tx:
        link = await passes.make_link(tx, STRANGER, NOON)
    assert (await browser.ask("POST", "/app/session", data={"link": link})).status == 403


async def test_the_store_holds_nothing_that_opens_the_calendar(editor: Browser, room: Newsroom, outlet: Outlet) -> None:
    async with room.service.house.database.write() as tx:
        link = await passes.make_link(tx, EDITOR, NOON)
    held = b"".join(file.read_bytes() for file in outlet.place.glob("*.db*"))
    assert link.encode() not in held
    assert editor.nonce.encode() not in held
    assert editor.cookies["vistnyk-calendar"].encode() not in held


# --- the session ----------------------------------------------------------------------------------------------------


async def test_without_a_session_nothing_is_shown(browser: Browser, room: Newsroom) -> None:
    delivery = await room.delivery(BRIDGE)
    page = await browser.look()
    assert page.status == 200
    assert BRIDGE not in page.text
    for path in ("/app?part=1", f"/app/post/{delivery.id}", "/app/events", f"/app/photo/{delivery.id}/0"):
        answer = await browser.ask("GET", path)
        assert answer.status == 403, path
        assert BRIDGE not in answer.text


async def test_a_session_ends_after_two_hours(editor: Browser, clock: FakeClock) -> None:
    clock.tick(timedelta(hours=1, minutes=59))
    assert BRIDGE in (await editor.look()).text
    clock.tick(timedelta(minutes=1))
    assert BRIDGE not in (await editor.look()).text


async def test_cookies_that_nobody_gave_are_no_session(browser: Browser) -> None:
    for cookie in ["", "x", "я", "x" * 5000, "'; DROP TABLE passes; --", '"quoted"', "%00"]:
        answer = await browser.ask("GET", "/app?part=1", headers={"Cookie": f"vistnyk-calendar={cookie}"})
        assert answer.status == 403, cookie


async def test_a_link_or_spent_data_are_no_session(browser: Browser, room: Newsroom) -> None:
    async with room.service.house.database.write() as tx:
        link = await passes.make_link(tx, EDITOR, NOON)
    assert (await browser.ask("GET", "/app?part=1", headers={"Cookie": f"vistnyk-calendar={link}"})).status == 403


async def test_old_sessions_of_a_person_end_and_what_is_over_is_forgotten(browser: Browser, room: Newsroom) -> None:
    database = room.service.house.database
    async with database.write() as tx:
        tokens = [await passes.open_session(tx, EDITOR, NOON + timedelta(seconds=number)) for number in range(12)]
    async with database.read() as tx:
        opened = [await passes.session(tx, token, NOON + timedelta(minutes=1)) for token in tokens]
    assert [one is not None for one in opened] == [False] * 2 + [True] * 10
    async with database.write() as tx:
        await passes.forget(tx, NOON + timedelta(days=1))
        assert (await tx.exec_driver_sql("SELECT count(*) FROM passes")).scalar_one() == 0


async def test_over_https_the_cookie_is_for_https_alone_and_works_in_telegrams_frame(
    outlet: Outlet, client: aiohttp.ClientSession, clock: FakeClock
) -> None:
    furnish(outlet)
    outlet.variables["VISTNYK_WEB__TRUSTED_PROXIES"] = "127.0.0.0/8"
    async with open_newsroom(outlet, clock=clock) as room:
        browser = Browser(client, room.root)
        safely = {"X-Forwarded-Proto": "https"}
        answer = await browser.enter(signed(EDITOR), headers=safely)
        parts = answer.headers["Set-Cookie"].split("; ")
        assert parts[0].startswith("__Host-vistnyk-calendar=")
        assert {"Secure", "HttpOnly", "SameSite=None", "Partitioned", "Path=/"} <= set(parts)
        assert "data-nonce" in (await browser.ask("GET", "/app", headers=safely)).text
        assert "data-nonce" not in (await browser.ask("GET", "/app")).text  # the same cookie over http is none
        async with room.service.house.database.write() as tx:
            link = await passes.make_link(tx, EDITOR, NOON)
        linked = await browser.ask("POST", "/app/session", data={"link": link}, headers=safely)
        assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(linked.headers["Set-Cookie"].split("; "))


async def test_a_stranger_cannot_claim_to_come_over_https(browser: Browser) -> None:
    answer = await browser.enter(signed(EDITOR), headers={"X-Forwarded-Proto": "https"})
    assert "Secure" not in answer.headers["Set-Cookie"]


async def test_https_in_the_public_address_is_enough(
    outlet: Outlet, client: aiohttp.ClientSession, clock: FakeClock
) -> None:
    furnish(outlet)
    outlet.variables["VISTNYK_WEB__PUBLIC_URL"] = "https://bot.news.example"
    async with open_newsroom(outlet, clock=clock) as room:
        answer = await Browser(client, room.root).enter(signed(EDITOR), headers={"Host": "bot.news.example"})
        assert "Secure" in answer.headers["Set-Cookie"]


async def test_a_session_of_one_replica_is_known_to_the_other(
    tmp_path: Any, sandbox: Any, postgres_url: str, client: aiohttp.ClientSession
) -> None:
    outlet = Outlet(tmp_path, sandbox, postgres_url)
    furnish(outlet)
    async with open_newsroom(outlet) as one, open_newsroom(outlet) as other:
        async with one.service.house.database.read() as tx:
            now = await one.service.house.database.now(tx)
        tomorrow = now + timedelta(days=1)
        await one.take_in(*(day_of_news(tomorrow)))
        delivery = await one.delivery(BRIDGE)
        browser = Browser(client, one.root)
        data = signed(EDITOR, now)
        answers = await asyncio.gather(browser.enter(data), Browser(client, other.root).enter(data))
        assert sorted(answer.status for answer in answers) == [200, 403]
        if answers[0].status == 403:
            assert (await browser.enter(signed(EDITOR, now - timedelta(seconds=1)))).status == 200
        browser.root = other.root
        page = await browser.look(f"/app?day={tomorrow.date()}")
        assert f'data-delivery="{delivery.id}"' in (page.text + (await browser.look("/app?view=week")).text)
        noon = (tomorrow + timedelta(days=2)).replace(hour=9, minute=30, second=0, microsecond=0)
        moved = await browser.move(delivery.id, noon.isoformat())
        assert moved.status == 200, moved.text
        assert (await one.delivery(BRIDGE)).pinned_at == noon
        assert (await one.plan())[delivery.id] == noon


# --- writes ---------------------------------------------------------------------------------------------------------


async def test_a_moved_post_has_its_time_in_the_queue_and_in_the_plan(
    editor: Browser, room: Newsroom, clock: FakeClock
) -> None:
    delivery = await room.delivery(BRIDGE)
    assert (await room.plan())[delivery.id] == NOON
    answer = await editor.move(delivery.id)
    assert answer.status == 200
    assert "сьогодні о 15:30" in json.loads(answer.text)["line"]
    assert (await room.delivery(BRIDGE)).pinned_at == NOON + timedelta(hours=3, minutes=30)
    assert (await room.plan())[delivery.id] == NOON + timedelta(hours=3, minutes=30)
    (act,) = await room.acts()
    assert (act["who"], act["action"]) == (f"Андрій ({EDITOR})", "pin")
    again = await editor.move(delivery.id, "2026-06-01T14:00:00Z")  # the same session, the same nonce
    assert again.status == 200
    assert (await room.plan())[delivery.id] == NOON + timedelta(hours=5)
    body = json.dumps({"delivery": delivery.id})
    back = await editor.ask("POST", "/app/unpin", data=body, headers=JSON | {"X-Calendar-Nonce": editor.nonce})
    assert back.status == 200
    assert (await room.plan())[delivery.id] == NOON


async def test_the_outlets_own_clock_is_understood(editor: Browser, room: Newsroom) -> None:
    delivery = await room.delivery(BRIDGE)
    body = json.dumps({"delivery": delivery.id, "wall": "2026-06-02T10:15"})
    assert (await editor.move(0, data=body)).status == 200
    assert (await room.plan())[delivery.id] == NOON + timedelta(hours=22, minutes=15)


async def test_a_forbidden_place_is_refused_with_its_reason(editor: Browser, room: Newsroom) -> None:
    delivery, before = await room.delivery(BRIDGE), await room.state()
    for at, part in [
        ("2026-06-01T11:30:00+03:00", "минув"),
        ("1970-01-01T00:00:00Z", "минув"),
        ("2026-06-01T18:00:00+03:00", "мовчить"),
        ("2026-06-01T18:29:59+03:00", "мовчить"),
        ("2026-06-02T09:01:00+03:00", "мовчить"),
        ("2036-06-01T12:00:00+03:00", "року"),
    ]:
        answer = await editor.move(delivery.id, at)
        assert answer.status == 409, at
        assert part in answer.detail
    assert await room.state() == before


async def test_a_paused_channel_and_a_stop_are_refused_until_they_end(editor: Browser, room: Newsroom) -> None:
    from bot.agenda import steering

    delivery = await room.delivery(BRIDGE)
    database, main = room.service.house.database, room.id_of(MAIN)
    async with database.write() as tx:
        await steering.pause_channel(tx, main, NOON + timedelta(hours=5), who="Олена (1001)", now=NOON)
    answer = await editor.move(delivery.id)
    assert answer.status == 409
    assert "на паузі до сьогодні о 17:00" in answer.detail
    assert "пауза до 17:00" in (await editor.look()).text
    assert (await editor.move(delivery.id, "2026-06-01T17:00:00+03:00")).status == 200
    async with database.write() as tx:
        await steering.pause_channel(tx, main, None, who="Олена (1001)", now=NOON)
    page = (await editor.look()).text
    assert "доки її не знімуть" in page
    assert f'data-delivery="{delivery.id}"' in page  # without a time, but not lost
    assert (await editor.move(delivery.id, "2026-06-04T17:00:00+03:00")).status == 409
    async with database.write() as tx:
        await steering.resume_channel(tx, main, who="Олена (1001)", now=NOON)
        await steering.stop_all(tx, who="Олена (1001)", now=NOON)
    assert "зупинено" in (await editor.move(delivery.id)).detail
    assert "зупинено" in (await editor.look()).text


async def test_a_viewer_looks_and_changes_nothing(browser: Browser, room: Newsroom) -> None:
    viewer = await entered(browser, VIEWER)
    delivery, before = await room.delivery(BRIDGE), await room.state()
    page = await viewer.look()
    assert BRIDGE in page.text
    assert "data-movable" not in page.text
    answer = await viewer.move(delivery.id)
    assert answer.status == 403
    assert "дивитися" in answer.detail
    assert await room.state() == before


async def test_an_editor_of_one_channel_sees_and_moves_that_one_alone(browser: Browser, room: Newsroom) -> None:
    sports = await entered(browser, SPORT_EDITOR, token=SECOND_TOKEN)
    foreign, own = await room.delivery(BRIDGE), await room.delivery(REGATTA, SPORT)
    before = await room.state()
    page = await sports.look("/app?view=week")
    assert f'data-channel="{SPORT}"' in page.text
    for hidden in (MAIN, PAGE, BRIDGE):
        assert hidden not in page.text
    assert (await sports.look(f"/app?channel={MAIN}")).status == 403
    assert (await sports.ask("GET", f"/app/post/{foreign.id}")).status == 403
    assert (await sports.ask("GET", f"/app/photo/{foreign.id}/0")).status == 404
    answer = await sports.move(foreign.id)
    assert answer.status == 403
    assert await room.state() == before
    assert (await sports.move(own.id)).status == 200


async def test_rights_are_asked_anew_at_every_write(editor: Browser, room: Newsroom) -> None:
    delivery = await room.delivery(BRIDGE)
    async with room.service.house.database.write() as tx:
        everyone = await editors.everyone(tx)
        await editors.engage(tx, [one for one in everyone if one.telegram_id != EDITOR])
    before = await room.state()
    assert (await editor.move(delivery.id)).status == 403
    assert await room.state() == before
    assert BRIDGE not in (await editor.look()).text


async def test_a_stolen_forged_or_old_nonce_changes_nothing(
    editor: Browser, room: Newsroom, browser: Browser, clock: FakeClock
) -> None:
    delivery, before = await room.delivery(BRIDGE), await room.state()
    colleague = await entered(browser, EDITOR, at=NOON - timedelta(seconds=5))
    assert colleague.nonce != editor.nonce
    for nonce in ("", "x", colleague.nonce, editor.nonce[:-1], editor.nonce.upper(), "0" * 64, "\u0444", "x" * 3000):
        answer = await editor.move(delivery.id, nonce=nonce)
        assert answer.status == 403, nonce
    stolen = another(browser)  # the nonce without the cookie
    assert (await stolen.move(delivery.id, nonce=editor.nonce)).status == 403
    clock.tick(timedelta(hours=3))
    assert (await editor.move(delivery.id, "2026-06-01T20:00:00+03:00")).status == 403  # both are of an old session
    assert await room.state() == before


async def test_another_site_cannot_write_in_an_editors_name(editor: Browser, room: Newsroom) -> None:
    delivery, before = await room.delivery(BRIDGE), await room.state()
    form = {"delivery": str(delivery.id), "at": AFTERNOON, "nonce": editor.nonce}
    assert (await editor.ask("POST", "/app/move", data=form)).status == 403
    plain = {"Content-Type": "text/plain", "X-Calendar-Nonce": editor.nonce}
    assert (await editor.ask("POST", "/app/move", data=json.dumps(form), headers=plain)).status == 415
    for site in ("cross-site", "same-site"):
        assert (await editor.move(delivery.id, headers={"Sec-Fetch-Site": site})).status == 403
    assert await room.state() == before


async def test_hostile_wishes_are_one_line_and_change_nothing(
    editor: Browser, room: Newsroom, clock: FakeClock
) -> None:
    before = await room.state()
    for body, status in [
        (b" ", 422),
        (b"{", 422),
        (b"[]", 422),
        (b"null", 422),
        (b'"x"', 422),
        (b"\xff", 422),
        (b"[" * 4000, 422),
        (b'{"delivery": "1", "at": "2026-06-01T15:30:00+03:00"}', 422),
        (b'{"delivery": true, "at": "2026-06-01T15:30:00+03:00"}', 422),
        (b'{"delivery": 1.5, "at": "2026-06-01T15:30:00+03:00"}', 422),
        (b'{"delivery": 0, "at": "2026-06-01T15:30:00+03:00"}', 422),
        (b'{"delivery": -1, "at": "2026-06-01T15:30:00+03:00"}', 422),
        (b'{"delivery": 9223372036854775808, "at": "2026-06-01T15:30:00+03:00"}', 422),
        (b'{"delivery": 9223372036854775807, "at": "2026-06-01T15:30:00+03:00"}', 404),
        (b'{"delivery": 1, "at": 5}', 422),
        (b'{"delivery": 1, "at": ["2026-06-01T15:30:00+03:00"]}', 422),
        (b'{"delivery": 1, "wall": {}}', 422),
        (b'{"delivery": 1}', 409),
        (b'{"delivery": 1, "at": ""}', 409),
        (b'{"delivery": 1, "at": "2026-06-01T15:30:00"}', 409),
        (b'{"delivery": 1, "at": "<b>now</b>"}', 409),
        (b'{"delivery": 1, "at": "0001-01-01T00:00:00+14:00"}', 409),
        (b'{"delivery": 1, "at": "9999-12-31T23:59:59-14:00"}', 409),
        (b'{"delivery": 1, "wall": "2026-06-31T10:00"}', 409),
        (b'{"delivery": 1, "wall": "2026-06-02T25:00"}', 409),
        (b'{"delivery": 1, "wall": "0001-01-01T00:00"}', 409),
        (b'{"delivery": 1, "at": "' + b"9" * 5000 + b'"}', 413),
    ]:
        answer = await editor.move(0, data=body)
        assert answer.status == status, (body[:60], answer.text)
        assert re.search("[а-яі]", answer.detail)
        clock.tick(timedelta(seconds=1))
    assert await room.state() == before


async def test_what_is_on_its_way_or_over_cannot_be_moved(editor: Browser, room: Newsroom) -> None:
    delivery = await room.delivery(BRIDGE)
    await room.service.worker.drain()
    before = await room.state()
    answer = await editor.move(delivery.id)
    assert answer.status == 409
    assert "опубліковано" in answer.detail
    assert await room.state() == before


async def test_writes_without_end_are_told_to_wait(editor: Browser) -> None:
    statuses = [(await editor.move(10**9)).status for _ in range(40)]
    assert statuses[0] == 404
    assert statuses[-1] == 429


async def test_the_wrong_method_is_told_the_right_one(editor: Browser, room: Newsroom) -> None:
    before = await room.state()
    for method, path in [
        ("POST", "/app"),
        ("DELETE", "/app"),
        ("GET", "/app/session"),
        ("PUT", "/app/session"),
        ("GET", "/app/move"),
        ("PUT", "/app/move"),
        ("GET", "/app/unpin"),
        ("POST", "/app/events"),
        ("POST", "/app/post/1"),
        ("DELETE", "/app/post/1"),
    ]:
        answer = await editor.ask(method, path)
        assert answer.status == 405, (method, path)
        assert answer.headers["Allow"]
    assert await room.state() == before


async def test_what_is_not_there_is_not_found(editor: Browser) -> None:
    for path in [
        "/app/post/x",
        "/app/post/99999999999999999999",
        "/app/post/-1",
        "/app/post/999999",
        "/app/photo/1/99",
        "/app/photo/1/x",
        "/app/static/../miniapp.py",
        "/app/static/%2e%2e%2fminiapp.py",
        "/app/static/base.html.j2",
        "/app/static/nothing.js",
        "/app/",
        "/app/nothing",
    ]:
        assert (await editor.ask("GET", path)).status == 404, path


async def test_addresses_that_make_no_sense_show_today(editor: Browser) -> None:
    for query in [
        {"day": "yesterday"},
        {"day": "9999-12-31", "view": "week"},
        {"day": "0001-01-01", "view": "week"},
        {"view": "<script>alert(1)</script>", "day": "2026-06-01"},
        {"day": "x" * 4000},
    ]:
        page = await editor.look("/app?" + urlencode(query))
        assert page.status == 200, query
        assert "1\u00a0червня" in page.text or "1–7\u00a0червня" in page.text
        assert "alert(1)" not in page.text


async def test_a_hostile_channel_name_is_shown_as_words(editor: Browser) -> None:
    page = await editor.look("/app?" + urlencode({"channel": "<script>alert(1)</script>"}))
    assert page.status == 403
    assert "<script>alert" not in page.text


# --- what every answer carries --------------------------------------------------------------------------------------


async def test_every_page_is_kept_in_by_a_strict_policy(editor: Browser, room: Newsroom) -> None:
    delivery = await room.delivery(BRIDGE)
    for path in ("/app", "/app?part=1", f"/app/post/{delivery.id}", "/app?link=x", "/app?channel=none"):
        answer = await editor.look(path)
        assert answer.headers["Content-Security-Policy"] == POLICY, path
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|javascript:", answer.text), path
    assert "frame-ancestors https://web.telegram.org https://*.telegram.org" in POLICY
    for loose in ("unsafe-inline", "unsafe-eval", " *", "http:"):
        assert loose not in POLICY


async def test_styles_and_scripts_are_kept_by_their_content(editor: Browser) -> None:
    page = await editor.look()
    paths = re.findall(r'(?:src|href)="(app/static/[^"]+)"', page.text)
    assert len(paths) == 4
    for path in paths:
        answer = await editor.ask("GET", f"/{path}")
        assert (answer.status, "immutable" in answer.headers["Cache-Control"]) == (200, True)
        other = await editor.ask("GET", f"/{path}0")  # of another release
        assert (other.status, other.headers["Cache-Control"]) == (200, "no-store")


async def test_a_headline_is_words_wherever_it_is_shown(editor: Browser, room: Newsroom) -> None:
    from tests.factories import an_article

    title = 'Ціни <img src=x onerror="alert(1)"> & <script>alert(2)</script>'
    await room.take_in(an_article(title=title, lead="<b>Лід</b> <i>і</i> далі.", published_at=NOON))
    delivery = await room.delivery(title)
    for path in ("/app", "/app?view=week", f"/app/post/{delivery.id}?part=1", f"/app/post/{delivery.id}"):
        page = await editor.look(path)
        assert page.status == 200
        assert "<img src=x" not in page.text
        assert "<script>alert" not in page.text
        assert "Ціни &lt;img" in page.text


async def test_a_store_that_is_away_is_said_in_one_line(
    editor: Browser, room: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    from contextlib import asynccontextmanager

    from bot.errors import DatabaseError

    @asynccontextmanager
    async def away(_: Database) -> AsyncIterator[None]:
        raise DatabaseError("away")
        yield

    monkeypatch.setattr(Database, "read", away)
    for method, path in (("GET", "/app"), ("POST", "/app/move")):
        answer = await editor.ask(method, path)
        assert answer.status == 503
        assert "не відповідає" in answer.detail


# --- live -----------------------------------------------------------------------------------------------------------


async def test_an_open_page_hears_of_changes_and_of_the_end(editor: Browser, room: Newsroom) -> None:
    delivery = await room.delivery(BRIDGE)
    headers = {"Cookie": f"vistnyk-calendar={editor.cookies['vistnyk-calendar']}"}
    async with editor.client.get(f"{room.root}/app/events", headers=headers) as events:
        assert events.headers["Content-Type"] == "text/event-stream"
        assert await events.content.readline() == b"retry: 3000\n"
        await events.content.readline()
        assert (await editor.move(delivery.id)).status == 200
        assert await asyncio.wait_for(events.content.readline(), 10) == b"data: changed\n"


async def test_a_session_cannot_keep_more_than_a_few_pages_open(editor: Browser, room: Newsroom) -> None:
    headers = {"Cookie": f"vistnyk-calendar={editor.cookies['vistnyk-calendar']}"}
    opened = [await editor.client.get(f"{room.root}/app/events", headers=headers) for _ in range(5)]
    try:
        assert [answer.status for answer in opened] == [200] * 4 + [429]
    finally:
        for answer in opened:
            answer.close()


async def test_pages_that_listen_do_not_hold_up_the_end(outlet: Outlet, client: aiohttp.ClientSession) -> None:
    furnish(outlet)
    clock = FakeClock(NOON)
    loop = asyncio.get_running_loop()
    async with open_newsroom(outlet, clock=clock) as room:
        browser = await entered(Browser(client, room.root), EDITOR)
        headers = {"Cookie": f"vistnyk-calendar={browser.cookies['vistnyk-calendar']}"}
        events = await client.get(f"{room.root}/app/events", headers=headers)
        await events.content.readline()
        began = loop.time()
    assert loop.time() - began < 1.8  # aiohttp itself would wait two seconds for the page to go away
    events.close()
