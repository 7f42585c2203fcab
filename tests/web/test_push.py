"""A CMS hands articles over and takes them back."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import socket
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.clock import SystemClock
from bot.web.limits import Allowance
from tests.fakes import FakeClock
from tests.journeys.outlet import PUSH_TOKEN, Outlet, ledger, queue
from tests.web.conftest import ARTICLES, Visitor

NOW = SystemClock().now()
URL = "https://news.example/bridge"


def a_story(**changes: Any) -> dict[str, Any]:
    story = {"url": URL, "title": "Міст відкрили", "lead": "Рух відновили зранку.", "published_at": NOW.isoformat()}
    return story | changes


async def known(visitor: Visitor) -> int:
    """Return how many posts wait."""
    return len(await queue(visitor.service))


async def test_an_article_is_stored_updated_or_unchanged_and_goes_out(visitor: Visitor, outlet: Outlet) -> None:
    first = await visitor.push(a_story(url=URL.replace("news", "NEWS") + "?utm_source=cms#top"))
    assert (first.status, first.json) == (202, [{"url": URL, "revision": 1, "status": "stored"}])
    same = await visitor.push([a_story()])
    assert (same.status, same.json) == (202, [{"url": URL, "revision": 1, "status": "unchanged"}])
    await visitor.service.worker.drain()
    assert len(outlet.telegram) == len(outlet.facebook) == 1
    changed = await visitor.push(a_story(title="Міст таки відкрили", updated_at=NOW.isoformat()))
    assert (changed.status, changed.json) == (202, [{"url": URL, "revision": 2, "status": "updated"}])
    late = await visitor.push(a_story(title="Стара назва", updated_at=(NOW - timedelta(hours=1)).isoformat()))
    assert late.json == [{"url": URL, "revision": 2, "status": "unchanged"}]
    await visitor.service.worker.drain()
    (post,) = outlet.telegram
    assert post.text.startswith("Міст таки відкрили")


async def test_a_thousand_articles_come_in_one_request(visitor: Visitor) -> None:
    stories = [a_story(url=f"{URL}/{number}", title=f"Новина {number}") for number in range(1000)]
    began = time.monotonic()
    answer = await visitor.push(stories)
    assert answer.status == 202
    assert time.monotonic() - began < 20
    assert {one["status"] for one in answer.json} == {"stored"}
    assert {one["url"] for one in answer.json} == {story["url"] for story in stories}
    assert await known(visitor) == 2000


@pytest.mark.parametrize(
    ("wrong", "field", "part"),
    [
        ({"title": ""}, "title", "missing or empty"),
        ({"title": None}, "title", "missing or empty"),
        ({"title": 5}, "title", "must be text"),
        ({"titel": "x"}, "titel", "not a field"),
        ({"published_at": "2026-06-01T12:00:00"}, "published_at", "has no offset"),
        ({"published_at": "yesterday"}, "published_at", "ISO 8601"),
        ({"updated_at": 1717230000}, "updated_at", "time as text"),
        ({"priority": "urgent"}, "priority", "normal, breaking"),
        ({"retracted": "yes"}, "retracted", "true or false"),
        ({"tags": "one"}, "tags", "list of texts"),
        ({"url": "ftp://news.example/1"}, "url", ""),
        ({"photo_url": "file:///etc/passwd"}, "photo_url", ""),
        ({"body": "а" * 530_000}, "body", "larger than"),
    ],
)
async def test_a_wrong_field_is_named_and_nothing_of_the_request_is_taken(
    visitor: Visitor, wrong: dict[str, Any], field: str, part: str
) -> None:
    (await visitor.push(a_story(**wrong))).refuses(422, part, field=field)
    (await visitor.push([a_story(url=f"{URL}/0"), a_story(**wrong)])).refuses(422, "[1]", part, field=f"[1].{field}")
    assert await known(visitor) == 0


@pytest.mark.parametrize(
    ("raw", "part"),
    [
        (b"", "no JSON"),
        (b"{broken", "no JSON"),
        (b"\xff\xfe{}", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b'"text"', "no article but str"),
        (b"[1]", "no article but int"),
        (b"[[]]", "no article but list"),
        (b"null", "no article but NoneType"),
    ],
)
async def test_a_body_that_is_no_article_is_refused(visitor: Visitor, raw: bytes, part: str) -> None:
    (await visitor.ask("POST", ARTICLES, token=PUSH_TOKEN, data=raw)).refuses(422, part)


async def test_an_empty_list_is_nothing_done(visitor: Visitor) -> None:
    answer = await visitor.push([])
    assert (answer.status, answer.json) == (202, [])


async def test_a_body_over_two_mebibytes_is_refused_announced_or_not(visitor: Visitor) -> None:
    large = io.BytesIO(
        json.dumps([a_story(body="x" * 1_000_000, url=f"{URL}/{number}") for number in range(3)]).encode()
    )

    async def in_pieces() -> AsyncIterator[bytes]:
        while piece := large.read(65536):
            yield piece

    (await visitor.ask("POST", ARTICLES, token=PUSH_TOKEN, data=io.BytesIO(large.getvalue()))).refuses(413, "2097152")
    (await visitor.ask("POST", ARTICLES, token=PUSH_TOKEN, data=in_pieces())).refuses(413, "2097152 bytes")
    many = [{"title": "x"}] * 5001
    (await visitor.push(many)).refuses(413, "5001 articles")
    assert await known(visitor) == 0


async def test_a_packed_body_is_measured_unpacked(visitor: Visitor) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    packed = {"Content-Encoding": "gzip"}
    answer = await visitor.ask("POST", ARTICLES, token=PUSH_TOKEN, data=bomb, headers=packed)
    assert answer.status in (400, 413)
    broken = await visitor.ask("POST", ARTICLES, token=PUSH_TOKEN, data=b"no gzip", headers=packed)
    assert broken.status in (400, 422)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer"},
        {"Authorization": f"Basic {PUSH_TOKEN}"},
        {"Authorization": PUSH_TOKEN},
        {"Authorization": "Bearer їжак"},
    ],
)
async def test_without_a_valid_token_nothing_is_read(visitor: Visitor, headers: dict[str, str]) -> None:
    for method in ("POST", "DELETE"):
        answer = await visitor.ask(method, ARTICLES, json=a_story(), headers=headers)
        answer.refuses(401, "bearer token")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert await known(visitor) == 0


async def test_bytes_that_are_no_text_are_no_token_either(visitor: Visitor) -> None:
    reader_writer = socket.create_connection(("127.0.0.1", int(visitor.root.rpartition(":")[2])))
    reader, writer = await asyncio.open_connection(sock=reader_writer)
    writer.write(
        b"POST /api/articles HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe\r\nContent-Length: 0\r\n\r\n"
    )
    status = await reader.readline()
    writer.close()
    await writer.wait_closed()
    assert b" 401 " in status


async def test_old_and_new_token_both_open_while_they_are_changed(
    outlet: Outlet, client: aiohttp.ClientSession
) -> None:
    outlet.variables["VISTNYK_PUSH__TOKENS"] = '["the-old-token", "the-new-token"]'
    async with outlet.open(serve_web=True) as service:
        visitor = Visitor(client, service)
        for token in ("the-old-token", "the-new-token", PUSH_TOKEN):
            assert (await visitor.push(a_story(), token=token)).status == 202
        (await visitor.push(a_story(), token="the-old-toke")).refuses(401)


async def test_without_any_token_there_is_no_push_api(outlet: Outlet, client: aiohttp.ClientSession) -> None:
    del outlet.variables["VISTNYK_PUSH__TOKEN"]
    async with outlet.open(serve_web=True) as service:
        visitor = Visitor(client, service)
        for token in (None, "", "anything"):
            (await visitor.push(a_story(), token=token)).refuses(404, "VISTNYK_PUSH__TOKENS")


async def test_a_stranger_who_guesses_is_told_to_wait_and_the_cms_is_not(visitor: Visitor) -> None:
    guesses = [await visitor.push(a_story(), token=f"guess-{number}") for number in range(22)]
    assert [guess.status for guess in guesses[:20]] == [401] * 20
    guesses[-1].refuses(429)
    assert int(guesses[-1].headers["Retry-After"]) > 0
    assert (await visitor.push(a_story())).status == 202


def test_a_bucket_fills_again_and_forgets_the_oldest_keys() -> None:
    clock = FakeClock()
    allowance = Allowance(clock, 3, 0.5)
    assert [allowance.take("a") for _ in range(4)] == [True, True, True, False]
    assert allowance.take("b")
    clock.tick(timedelta(seconds=2))
    assert [allowance.take("a") for _ in range(2)] == [True, False]
    for number in range(5000):
        allowance.take(str(number))
    assert len(allowance._kept) <= 4096


async def test_a_retracted_article_comes_down_and_a_later_word_brings_it_back(visitor: Visitor, outlet: Outlet) -> None:
    await visitor.push(a_story())
    await visitor.service.worker.drain()
    gone = await visitor.retract({"url": URL + "?utm_medium=x", "reason": "помилка"})
    assert (gone.status, gone.json["url"]) == (202, URL)
    await visitor.service.worker.drain()
    assert outlet.telegram == outlet.facebook == []
    assert (await visitor.retract({"url": URL, "reason": "ще раз"})).status == 202
    assert (await visitor.push(a_story(retracted=False))).json[0]["status"] == "unchanged"
    back = await visitor.push(a_story(retracted=False, updated_at=(NOW + timedelta(minutes=1)).isoformat()))
    assert back.json[0]["status"] == "updated"
    await visitor.service.worker.drain()
    assert len(outlet.telegram) == len(outlet.facebook) == 1
    kinds = [(line["kind"], line["state"]) for line in await ledger(visitor.service) if line["platform"] == "telegram"]
    assert kinds == [("publish", "published"), ("withdraw", "published"), ("publish", "published")]


async def test_what_is_not_known_cannot_be_retracted(visitor: Visitor) -> None:
    (await visitor.retract({"url": "https://news.example/nowhere", "reason": ""})).refuses(404, "news.example/nowhere")
    wrongs: list[Any] = [{}, [], {"url": 5}, {"reason": "x"}, {"url": "ftp://x"}, "text", {"url": "   "}]
    for wrong in wrongs:
        (await visitor.retract(wrong)).refuses(422, field="url")


async def test_other_doors_and_methods_are_refused_as_problems_too(visitor: Visitor) -> None:
    (await visitor.ask("GET", "/nowhere")).refuses(404)
    answer = await visitor.ask("PUT", ARTICLES, token=PUSH_TOKEN, json={})
    answer.refuses(405)
    assert {"POST", "DELETE"} <= set(answer.headers["Allow"].split(","))


class Way:
    """The way to the database server: a link that can be cut."""

    def __init__(self, link: Path, place: str) -> None:
        self.link, self.place = link, place

    def open(self) -> None:
        self.link.symlink_to(self.place)

    def cut(self) -> None:
        self.link.unlink()


@pytest.mark.postgres
async def test_while_the_database_is_away_nothing_is_promised(
    outlet: Outlet, client: aiohttp.ClientSession, postgres_url: str, postgres_server: Any, tmp_path: Path
) -> None:
    plain, _, place = postgres_url.partition("?host=")
    way = Way(tmp_path / "way", place)
    way.open()
    outlet.variables["VISTNYK_DATABASE_URL"] = f"{plain}?host={way.link}"
    name = plain.rpartition("/")[2]
    async with outlet.open(serve_web=True) as service:
        visitor = Visitor(client, service)
        assert (await visitor.push(a_story(url=f"{URL}/1"))).status == 202
        assert (await visitor.ask("GET", "/readyz")).status == 200
        way.cut()
        postgres_server.psql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        answer = await visitor.push(a_story(url=f"{URL}/2"))
        answer.refuses(503, "nothing was taken in")
        assert int(answer.headers["Retry-After"]) > 0
        (await visitor.retract({"url": f"{URL}/1"})).refuses(503, "nothing was retracted")
        assert (await visitor.ask("GET", "/readyz")).status == 503
        assert (await visitor.ask("GET", "/healthz")).status == 200
        assert (await visitor.ask("GET", "/metrics")).status == 200
        way.open()
        assert (await visitor.push(a_story(url=f"{URL}/2"))).json[0]["status"] == "stored"
        assert (await visitor.ask("GET", "/readyz")).status == 200
    way.cut()
