"""A watched folder with real files in it."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.errors import SourceError
from bot.sources.base import Found
from bot.sources.files import read_lines, read_path
from bot.sources.folder import Folder

KYIV = ZoneInfo("Europe/Kyiv")
ARTICLE = {"url": "https://news.example/a", "title": "Міст відкрито"}


class Watched:
    """A folder that is looked at again and again with the cursor of the last time."""

    def __init__(self, path: Path, **options: Any) -> None:
        self.path = path
        self.folder = Folder("desk", path, zone=KYIV, **options)
        self.cursor: dict[str, Any] = {}

    def put(self, name: str, content: str | bytes | dict[str, Any], age: float = 60) -> Path:
        """Put a file there that was last written `age` seconds ago."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, dict):
            content = json.dumps(content, ensure_ascii=False)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        at = file.stat().st_mtime - age
        os.utime(file, (at, at))
        return file

    async def look(self) -> Found:
        found = await self.folder.look(self.cursor)
        self.cursor = json.loads(json.dumps(found.cursor))
        return found

    async def titles(self) -> list[str]:
        return [article.title for article in (await self.look()).articles]


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    (tmp_path / "in").mkdir()
    return Watched(tmp_path / "in")


async def test_files_of_every_kind_are_read_in_the_order_of_their_names(watched: Watched) -> None:
    watched.put("d.jsonl", '{"title": "Четверта"}\n\n{"title": "П\'ята"}\n')
    watched.put("c.json", {"title": "Третя"})
    watched.put("a.html", "<html><body><h1>Перша</h1></body></html>")
    watched.put("b.txt", "Друга\n\nРух відновили.")
    watched.put("sub/e.json", '[{"title": "Шоста"}, {"title": "Сьома"}]')
    watched.put("readme.md", "# ні")
    found = await watched.look()
    assert [article.title for article in found.articles] == [
        "Перша",
        "Друга",
        "Третя",
        "Четверта",
        "П'ята",
        "Шоста",
        "Сьома",
    ]
    assert found.rejected == []


async def test_hidden_and_temporary_files_are_passed_over(watched: Watched) -> None:
    for name in (".a.json", "~a.json", "a.json.part", "a.json~", "#a.json", ".git/a.json", "a.json.tmp", ".a.json.swp"):
        watched.put(name, ARTICLE)
    found = await watched.look()
    assert (found.articles, found.rejected) == ([], [])


async def test_an_unchanged_file_is_not_shown_again_and_a_changed_one_is(watched: Watched) -> None:
    watched.put("a.json", ARTICLE)
    assert await watched.titles() == ["Міст відкрито"]
    again = await watched.look()
    assert (again.unchanged, again.articles) == (True, [])
    watched.put("a.json", ARTICLE, age=30)  # written anew with the same words
    assert await watched.titles() == []
    watched.put("a.json", {**ARTICLE, "title": "Міст відкрили"}, age=20)
    assert await watched.titles() == ["Міст відкрили"]
    (watched.path / "a.json").unlink()
    assert (await watched.look()).cursor == {"files": {}}


async def test_a_file_that_is_just_being_written_waits(watched: Watched) -> None:
    file = watched.put("a.txt", "Міст відкр", age=0)
    assert await watched.titles() == []
    watched.put("a.txt", "Міст відкрито\n\nРух відновили.")
    assert await watched.titles() == ["Міст відкрито"]
    assert file.exists()


@pytest.mark.parametrize(
    ("name", "half", "whole"),
    [
        ("a.json", '{"title": "Міст', '{"title": "Міст відкрито"}'),
        ("a.jsonl", '{"title": "Перша"}\n{"title": "Міст', '{"title": "Перша"}\n{"title": "Міст відкрито"}\n'),
    ],
)
async def test_half_a_json_that_rests_a_moment_is_not_lost(name: str, half: str, whole: str, watched: Watched) -> None:
    watched.put(name, half, age=3)
    found = await watched.look()
    assert (found.articles, found.rejected) == ([], [])
    watched.put(name, whole, age=2)
    assert (await watched.titles())[-1] == "Міст відкрито"


async def test_half_a_json_that_rests_long_is_told_once(watched: Watched) -> None:
    watched.put("a.json", '{"title": "Міст')
    watched.put("b.json", ARTICLE)
    found = await watched.look()
    assert [article.title for article in found.articles] == ["Міст відкрито"]
    (rejected,) = found.rejected
    assert rejected.where == "a.json"
    assert rejected.why.startswith("not JSON: Unterminated string")
    assert (await watched.look()).rejected == []


@pytest.mark.parametrize(
    ("name", "content", "where", "why"),
    [
        ("a.json", "[1]", "a.json[0]", "an article is a JSON object"),
        ("a.json", '"x"', "a.json", "an article is a JSON object"),
        ("a.json", '{"title": NaN}', "a.json", "not JSON: NaN is not a JSON value"),
        ("a.json", "[" * 100_000, "a.json", "not JSON that can be read: nested too deep"),
        ("a.json", '{"title": "x", "published_at": "2024-01-31T19:00"}', "a.json", "published_at: has no offset"),
        ("a.json", '{"title": "x", "headline": "y"}', "a.json", "headline: not a field"),
        ("a.jsonl", '{"title": "x"}\n{"titel": 1}\n', "a.jsonl:2", "titel: not a field"),
        ("a.jsonl", "{}\n", "a.jsonl:1", "title: is missing or empty"),
        ("a.txt", "", "a.txt", "title: is missing or empty"),
        ("a.txt", b"\0\0", "a.txt", "not a text: it holds zero bytes"),
        ("a.html", "", "a.html", "the page is empty"),
        ("a.html", "<p>x</p>", "a.html", "title: the page has none"),
    ],
)
async def test_what_is_broken_is_told_in_one_line(
    name: str, content: str | bytes, where: str, why: str, watched: Watched
) -> None:
    watched.put(name, content)
    (rejected,) = (await watched.look()).rejected
    assert rejected.where == where
    assert rejected.why.startswith(why)
    assert "\n" not in rejected.why


async def test_a_link_that_leaves_the_folder_is_refused_and_told_once(watched: Watched, tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text(json.dumps(ARTICLE))
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "b.json").write_text(json.dumps(ARTICLE))
    (watched.path / "a.json").symlink_to(tmp_path / "secret.json")
    (watched.path / "sub").symlink_to(tmp_path / "outside")
    (watched.path / "z.json").symlink_to(tmp_path / "nothing")
    found = await watched.look()
    assert found.articles == []
    assert [(one.where, one.why) for one in found.rejected] == [
        ("a.json", "a link that leads out of the folder is not followed"),
        ("z.json", "a link that leads nowhere"),
    ]
    assert (await watched.look()).rejected == []


async def test_a_link_inside_the_folder_is_a_file_like_any_other(watched: Watched) -> None:
    (watched.path / "b.json").symlink_to(watched.put("a.json", ARTICLE))
    assert await watched.titles() == ["Міст відкрито", "Міст відкрито"]


@pytest.mark.timeout(5)
async def test_a_pipe_is_not_waited_for(watched: Watched) -> None:
    os.mkfifo(watched.path / "a.json")
    assert await watched.titles() == []


async def test_a_photo_beside_the_article_becomes_a_file_address(watched: Watched) -> None:
    watched.put("місто/міст 1.jpg", b"x")
    watched.put("місто/a.json", {**ARTICLE, "photo_url": "міст 1.jpg"})
    watched.put("b.json", {"title": "x", "photo_url": "місто/../місто/міст 1.jpg"})
    found = await watched.look()
    assert {article.photo_url for article in found.articles} == {(watched.path / "місто/міст 1.jpg").as_uri()}
    assert "%" in found.articles[0].photo_url


@pytest.mark.parametrize(
    "photo",
    ["../secret.jpg", "/etc/passwd", "file:///etc/passwd", "out.jpg", "sub/../../secret.jpg", "file://host/%2e%2e/x"],
)
async def test_a_photo_outside_the_folder_is_refused(photo: str, watched: Watched, tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_bytes(b"x")
    (watched.path / "out.jpg").symlink_to(tmp_path / "secret.jpg")
    watched.put("a.json", {**ARTICLE, "photo_url": photo})
    found = await watched.look()
    assert found.articles == []
    assert [one.why for one in found.rejected] == ["photo_url: does not lie inside the folder"]


async def test_a_saved_page_shows_its_photo_only_where_it_is_at_hand(watched: Watched) -> None:
    markup = '<html><body><article><h1>Міст</h1><img src="{}"></article></body></html>'
    watched.put("a.jpg", b"x")
    watched.put("a.html", markup.format("a.jpg"))
    watched.put("b.html", markup.format("none.jpg"))
    watched.put("c.html", markup.format("../../../../etc/passwd"))
    watched.put("d.html", markup.format("https://news.example/p.jpg"))
    found = await watched.look()
    photos = [article.photo_url for article in found.articles]
    assert photos == [(watched.path / "a.jpg").as_uri(), "", "", "https://news.example/p.jpg"]


async def test_the_rubric_of_the_source_is_only_for_articles_without_one(tmp_path: Path) -> None:
    watched = Watched(tmp_path, rubric="Новини")
    watched.put("a.json", {**ARTICLE, "rubric": "Місто"})
    watched.put("b.json", {"title": "x"})
    watched.put("c.txt", "Заголовок")
    assert [article.rubric for article in (await watched.look()).articles] == ["Місто", "Новини", "Новини"]


async def test_a_name_that_is_no_utf_8_still_fits_into_the_cursor(watched: Watched) -> None:
    raw = os.fsencode(watched.put("a.json", ARTICLE)).replace(b"a.json", b"\xff.json")
    os.rename(watched.path / "a.json", raw)
    os.utime(raw, (1_700_000_000, 1_700_000_000))
    assert await watched.titles() == ["Міст відкрито"]
    assert list(watched.cursor["files"]) == ["\\udcff.json"]


async def test_a_folder_that_is_not_there_is_told_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path, why in ((tmp_path / "none", "No such file or directory"), (tmp_path / "file", "is not a folder")):
        with pytest.raises(SourceError, match=f"^source desk: .*{why}$"):
            await Folder("desk", path, zone=KYIV).look({})


def test_a_path_gives_its_article_with_what_the_operator_says_of_it(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("URL: https://a.example/\nDate: 01.02.2024 10:00\n\nМіст відкрито")
    at = datetime(2024, 1, 31, 17, tzinfo=UTC)
    (plain,) = read_path(file, zone=KYIV).articles
    assert (plain.url, plain.published_at) == ("https://a.example/", datetime(2024, 2, 1, 8, tzinfo=UTC))
    (said,) = read_path(file, "https://News.example/china?utm_id=1", at, zone=KYIV).articles
    assert (said.url, said.published_at) == ("https://news.example/china", at)


def test_a_path_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_text("x")
    (tmp_path / "b.jsonl").write_text('{"title": "x"}\n{"title": "y"}\n')
    (tmp_path / "c.json").write_text('{"title": ')
    told = [
        *read_path(tmp_path / "none.txt", zone=None).rejected,
        *read_path(tmp_path, zone=None).rejected,
        *read_path(tmp_path / "a.pdf", zone=None).rejected,
        *read_path(tmp_path / "b.jsonl", "https://a.example/", zone=None).rejected,
        *read_path(tmp_path / "c.json", zone=None).rejected,
    ]
    assert [one.why for one in told] == [
        "no such file",
        "is not a file",
        "not one of .html .htm .txt .json .jsonl",
        "holds several articles: an address or a time given for it would be theirs all",
        "not JSON: Expecting value at line 1 column 11",
    ]
    assert told[0].where == str(tmp_path / "none.txt")


def test_lines_on_standard_input_are_articles() -> None:
    found = read_lines('{"title": "Перша"}\n\n{"title": \n{"title": "x", "photo_url": "a.jpg"}\n{"title": "Друга"}')
    assert [article.title for article in found.articles] == ["Перша", "Друга"]
    assert [(one.where, one.why) for one in found.rejected] == [
        ("stdin:3", "not JSON: Expecting value at column 11"),
        ("stdin:4", "photo_url: not an http or https address: 'a.jpg'"),
    ]
    (article,) = read_lines('{"title": "x"}', url="https://a.example/").articles
    assert article.url == "https://a.example/"
