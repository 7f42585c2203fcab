"""Whatever comes in broken is one clear line and one more in the metrics; everything else goes its way."""

from __future__ import annotations

import io
import json
import os
import sqlite3
from datetime import timedelta
from typing import Any

import pytest
import structlog
from PIL import Image

from bot.app import Service
from bot.clock import SystemClock
from bot.sandbox.server import SitePage
from tests.journeys.outlet import Outlet, queue
from tests.journeys.shell import told

NOW = SystemClock().now()
GOOD = "https://news.example/good"
PAGE = """<!doctype html><html lang="uk"><head><title>{title}</title><meta property="og:title" content="{title}">
</head><body><article><h1>{title}</h1>
<p>Сто двадцять яблунь висадили біля школи у суботу вранці. Допомагали батьки, учні та працівники лісництва.</p>
<p>Дерева поливатимуть по черзі всі класи. Перший врожай чекають за три роки.</p></article></body></html>"""


def a_source(name: str, kind: str, **more: str) -> str:
    fields = {"name": name, "kind": kind, "first_pass": "publish"} | more
    return "\n[[sources]]\n" + "\n".join(f'{key} = "{value}"' for key, value in fields.items()) + "\n"


def a_feed(*items: str) -> SitePage:
    body = f"<rss version='2.0'><channel><title>Видання</title>{''.join(items)}</channel></rss>"
    return SitePage(body.encode(), "application/rss+xml")


def an_item(number: int, title: str = "Новина") -> str:
    at = (NOW - timedelta(minutes=5)).strftime("%a, %d %b %Y %H:%M:%S +0000")
    return f"<item><title>{title}</title><link>https://news.example/{number}</link><pubDate>{at}</pubDate></item>"


async def looked(service: Service) -> tuple[dict[str, float], list[dict[str, Any]]]:
    """Have every source looked at once; return its count of errors and the log's lines."""
    with structlog.testing.capture_logs() as lines:
        for settings, source in service.sources:
            await service.look(settings, source)
    errors = service.house.metrics.source_errors
    counted = {
        sample.labels["source"]: sample.value
        for metric in errors.collect()
        for sample in metric.samples
        if sample.name.endswith("_total")
    }
    return counted, [dict(line) for line in lines if line["log_level"] in ("warning", "error")]


def whys(lines: list[dict[str, Any]], source: str) -> list[str]:
    """Return what was said of a source, each one line."""
    said = [f"{line.get('where', '')}: {line['why']}" for line in lines if line.get("source") == source]
    assert all("\n" not in line and "Traceback" not in line for line in said)
    return said


async def waiting(service: Service) -> set[str | None]:
    return {line["article_url"] for line in await queue(service)}


async def test_a_broken_file_never_stops_the_others(outlet: Outlet) -> None:
    drop = outlet.place / "drop"
    drop.mkdir()
    files: dict[str, bytes] = {
        "1.json": b'{"title": 5}',
        "2.jsonl": b'{"title": "A", "url": "nonsense"}\n{broken}\n{"url": "https://news.example/good", "title": "B"}\n',
        "3.html": b"<html></html>",
        "4.txt": b"",
        "5.txt": b"\xff\xfe\x00\x00\x01",
        "6.json": b"[" * 100_000,
        "7.json": json.dumps({"title": "Є", "photo_url": "../../etc/passwd"}).encode(),
    }
    for name, raw in files.items():
        (drop / name).write_bytes(raw)
        os.utime(drop / name, (1e9, 1e9))
    outlet.write(more=a_source("drop", "folder", path=str(drop)))
    async with outlet.open() as service:
        counted, lines = await looked(service)
        said = whys(lines, "drop")
        assert counted["drop"] == len(said) == 8
        for name in files:
            assert any(name in line for line in said), name
        assert any("2.jsonl:2" in line for line in said)
        assert await waiting(service) == {GOOD}
        again, _ = await looked(service)
        assert again == counted


async def test_a_broken_feed_never_stops_the_others(outlet: Outlet) -> None:
    site, url = outlet.sandbox.site, f"{outlet.sandbox.url}/site"
    site["/empty"] = SitePage(b"", "application/rss+xml")
    site["/page"] = SitePage(b"<!doctype html><title>x</title><p>no feed", "text/html")
    site["/broken"] = SitePage(b"<rss><channel><item><title>x", "application/rss+xml")
    site["/failing"] = SitePage(b"oops", "text/plain", 500)
    site["/good"] = a_feed(an_item(1), "<item><link>https://news.example/2</link></item>", an_item(3))
    names = ("empty", "page", "failing", "gone", "broken", "good")
    outlet.write(more="".join(a_source(name, "feed", url=f"{url}/{name}") for name in names))
    async with outlet.open() as service:
        counted, lines = await looked(service)
        for name in ("empty", "page", "failing", "gone"):
            assert counted[name] == len(whys(lines, name)) == 1, name
            assert f"/site/{name}" in whys(lines, name)[0]
        assert "500" in whys(lines, "failing")[0]
        assert "404" in whys(lines, "gone")[0]
        assert counted["good"] == len(whys(lines, "good")) == 1
        assert await waiting(service) >= {"https://news.example/1", "https://news.example/3"}
        site["/gone"] = a_feed(an_item(7, "Знову тут"))
        await looked(service)
        assert "https://news.example/7" in await waiting(service)


async def test_a_broken_page_never_stops_the_others(outlet: Outlet) -> None:
    site, url = outlet.sandbox.site, f"{outlet.sandbox.url}/site"
    links = "".join(f'<h2><a href="{url}/{name}">x</a></h2>' for name in ("gone", "bare", "good"))
    site["/news"] = SitePage(f"<!doctype html><title>x</title>{links}".encode())
    site["/bare"] = SitePage(b"\x89PNG\r\n\x1a\n", "image/png")
    site["/good"] = SitePage(PAGE.format(title="У громаді висадили сад").encode())
    outlet.write(more=a_source("listing", "page", url=f"{url}/news", links="h2 a"))
    async with outlet.open() as service:
        counted, lines = await looked(service)
        said = whys(lines, "listing")
        assert counted["listing"] == len(said) == 2
        assert any("/site/gone" in line and "404" in line for line in said)
        assert any("/site/bare" in line for line in said)
        assert await waiting(service) == {f"{url}/good"}


async def test_a_broken_row_never_stops_the_others(outlet: Outlet) -> None:
    cms = outlet.place / "cms.db"
    with sqlite3.connect(cms) as made:
        made.execute("CREATE TABLE posts (url TEXT, headline TEXT, at TEXT)")
        rows = [
            (GOOD, "Сад", NOW.isoformat()),
            ("https://news.example/2", "", None),
            ("https://news.example/3", "Є", "x"),
        ]
        made.executemany("INSERT INTO posts VALUES (?, ?, ?)", rows)
    made.close()
    query = "SELECT url, headline, at FROM posts"
    tables = a_source("cms", "table", database_env="CMS_URL", query=query)
    tables += 'columns = { url = "url", title = "headline", published_at = "at" }\n'
    tables += a_source("gone", "table", database_env="CMS_URL", query="SELECT url, title FROM nowhere")
    outlet.write(more=tables)
    outlet.variables["CMS_URL"] = f"sqlite:///{cms}"
    async with outlet.open() as service:
        counted, lines = await looked(service)
        assert counted["cms"] == len(whys(lines, "cms")) == 2
        assert any("title" in line for line in whys(lines, "cms"))
        assert counted["gone"] == len(whys(lines, "gone")) == 1
        assert "nowhere" in whys(lines, "gone")[0]
        assert await waiting(service) == {GOOD}


def a_picture(form: str, size: tuple[int, int] = (640, 480)) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, "navy").save(made, form)
    return made.getvalue()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"this is no picture", 200),
        (a_picture("JPEG")[:300], 200),
        (a_picture("PNG", (9000, 1)), 200),
        (b"", 200),
        (b"not here", 404),
        (b"broken", 500),
    ],
    ids=["text", "cut short", "a thread", "empty", "gone", "failing"],
)
async def test_a_photo_that_cannot_be_had_is_a_text_post_with_a_warning(
    outlet: Outlet, body: bytes, status: int
) -> None:
    outlet.sandbox.site["/1.jpg"] = SitePage(body, "image/jpeg", status)
    outlet.sandbox.site["/2.jpg"] = SitePage(a_picture("WEBP"), "image/jpeg")
    drop = outlet.place / "drop"
    drop.mkdir()
    for number in (1, 2):
        story = {
            "url": f"https://news.example/{number}",
            "title": f"Новина {number}",
            "photo_credit": "Фото: міська рада",
        }
        story |= {"photo_url": f"{outlet.sandbox.url}/site/{number}.jpg", "published_at": NOW.isoformat()}
        (drop / f"{number}.json").write_text(json.dumps(story), "utf-8")
        os.utime(drop / f"{number}.json", (1e9, 1e9))
    outlet.write(more=a_source("drop", "folder", path=str(drop)))
    async with outlet.open() as service:
        await looked(service)
        await service.worker.drain()
    for channel, posts in (("telegram-main", outlet.telegram), ("facebook-main", outlet.facebook)):
        assert len(posts) == 2
        *_, last = await told(outlet, "why", "https://news.example/1", "--channel", channel)
        assert last["decision"] == "published"
        assert "the photo could not be had, the post goes out as text" in last["detail"]
        assert f"{outlet.sandbox.url}/site/1.jpg" in last["detail"]
        *_, well = await told(outlet, "why", "https://news.example/2", "--channel", channel)
        assert "photo" not in well["detail"]
    with_photo = {post.text.splitlines()[0]: post.photo is not None for post in outlet.telegram}
    assert with_photo == {"Новина 1": False, "Новина 2": True}
