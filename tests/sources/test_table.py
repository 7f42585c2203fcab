"""A query on a real database that can read and never write."""

from __future__ import annotations

import json
import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.domain.article import Priority
from bot.errors import SettingsError, SourceError
from bot.sources.table import Table

KYIV = ZoneInfo("Europe/Kyiv")
QUERY = "SELECT * FROM news ORDER BY id"
COLUMNS = {"url": "address", "title": "headline", "published_at": "shown", "tags": "tags", "retracted": "gone"}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "зміст.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE news (id INTEGER PRIMARY KEY, address, headline, shown, tags, gone, secret)")
        connection.executemany(
            "INSERT INTO news (address, headline, shown, tags, gone) VALUES (?, ?, ?, ?, ?)",
            [
                ("https://news.example/a", "Перша", "2024-01-31 19:00:00", "міст, дорога", 0),
                ("https://news.example/b", "Друга", "2024-01-31T17:00:00Z", '["міст"]', 1),
                ("https://news.example/c", "Третя", 1706720400, None, None),
            ],
        )
    connection.close()
    return path


def table(database: Path, query: str = QUERY, columns: dict[str, str] | None = None, **options: Any) -> Table:
    url = options.pop("url", f"sqlite:///{database}")
    return Table("cms", url, query, COLUMNS if columns is None else columns, zone=KYIV, **options)


def run(database: Path, statement: str) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize("driver", ["sqlite", "sqlite+aiosqlite", "sqlite+pysqlite"])
async def test_rows_are_articles_with_times_truth_and_lists_as_databases_have_them(driver: str, database: Path) -> None:
    found = await table(database, url=f"{driver}:///{database}", rubric="Новини").look({})
    assert [article.title for article in found.articles] == ["Перша", "Друга", "Третя"]
    assert {article.published_at for article in found.articles} == {datetime(2024, 1, 31, 17, tzinfo=UTC)}
    assert [article.tags for article in found.articles] == [("міст", "дорога"), ("міст",), ()]
    assert [article.retracted for article in found.articles] == [False, True, None]
    assert {article.rubric for article in found.articles} == {"Новини"}


async def test_only_new_and_changed_rows_are_shown_again(database: Path) -> None:
    source = table(database)
    cursor = json.loads(json.dumps((await source.look({})).cursor))
    again = await source.look(cursor)
    assert (again.unchanged, again.articles) == (True, [])
    run(database, "UPDATE news SET headline = 'Друга, уточнена' WHERE id = 2")
    run(database, "UPDATE news SET secret = 'x' WHERE id = 1")
    found = await source.look(cursor)
    assert [article.title for article in found.articles] == ["Друга, уточнена"]


async def test_a_broken_row_is_told_with_its_number_and_stops_no_other(database: Path) -> None:
    run(database, "UPDATE news SET headline = NULL WHERE id = 1")
    run(database, "UPDATE news SET shown = 'вчора' WHERE id = 2")
    source = table(database)
    found = await source.look({})
    assert [article.title for article in found.articles] == ["Третя"]
    assert [(one.where, one.why) for one in found.rejected] == [
        ("row 1 (https://news.example/a)", "title: is missing or empty"),
        ("row 2 (https://news.example/b)", "published_at: must be ISO 8601 with an offset, got 'вчора'"),
    ]
    assert (await source.look(found.cursor)).rejected == []


async def test_without_columns_those_named_like_our_fields_are_taken(database: Path) -> None:
    query = "SELECT address AS url, headline AS title, 'breaking' AS priority, secret FROM news LIMIT 1"
    (article,) = (await table(database, query, {}).look({})).articles
    assert (article.url, article.title, article.priority) == ("https://news.example/a", "Перша", Priority.BREAKING)


async def test_colons_percents_and_marks_in_a_query_are_its_own(database: Path) -> None:
    query = "SELECT headline AS title FROM news WHERE headline LIKE 'П%' AND id = 1 AND headline <> 'a;b :c' -- ;\n;"
    (article,) = (await table(database, query, {}).look({})).articles
    assert article.title == "Перша"


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM news",
        "SELECT 1; DELETE FROM news",
        "UPDATE news SET headline = 'x'",
        "PRAGMA user_version = 5",
        "ATTACH 'x' AS y",
        "",
        "-- SELECT\nDROP TABLE news",
    ],
)
def test_a_query_that_is_not_one_select_is_refused_at_once(query: str, database: Path) -> None:
    with pytest.raises(SettingsError, match=r"^source cms: query: must be one SELECT$"):
        table(database, query)


async def test_a_select_that_would_write_cannot(database: Path) -> None:
    # SQLite lets a WITH open a DELETE; the connection is what stops it
    source = table(
        database, "WITH x AS (SELECT 1) DELETE FROM news WHERE id IN (SELECT * FROM x) RETURNING headline AS title", {}
    )
    with pytest.raises(SourceError, match=r"^source cms: the database refused: attempt to write a readonly database$"):
        await source.look({})
    assert len((await table(database).look({})).articles) == 3


async def test_reading_works_while_the_outlet_writes(database: Path) -> None:
    run(database, "PRAGMA journal_mode = WAL")
    with sqlite3.connect(database, isolation_level=None) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE news SET headline = 'недописана' WHERE id = 1")
        first, *_ = (await table(database).look({})).articles
        assert first.title == "Перша"
        writer.execute("ROLLBACK")
    writer.close()


async def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"^source cms: database .*/none\.db: no such file$"):
        await table(tmp_path / "none.db").look({})
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("query", "columns", "why"),
    [
        ("SELECT * FROM stories", None, "the database refused: no such table: stories"),
        ("SELECT headline FROM news", {"title": "header"}, "the query gives no column 'header', only headline"),
    ],
)
async def test_a_query_that_fails_is_told_in_one_line(
    query: str, columns: dict[str, str] | None, why: str, database: Path
) -> None:
    with pytest.raises(SourceError) as caught:
        await table(database, query, columns).look({})
    assert str(caught.value) == f"source cms: {why}"


@pytest.mark.parametrize(
    ("url", "columns", "why"),
    [
        ("nonsense", None, "database_env: not an address SQLAlchemy knows a driver for"),
        ("oracle9://u:hunter2@h/db", None, "database_env: not an address SQLAlchemy knows a driver for"),
        ("sqlite:///x", {"headline": "title"}, "columns: 'headline' is not a field; known are url, "),
    ],
)
def test_settings_that_cannot_work_are_told_without_the_secret(
    url: str, columns: dict[str, str] | None, why: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError) as caught:
        table(tmp_path, columns=columns, url=url)
    assert str(caught.value).startswith(f"source cms: {why}")
    assert "hunter2" not in str(caught.value)


async def test_a_server_that_is_away_is_told_without_the_password(tmp_path: Path) -> None:
    source = table(tmp_path, url="postgresql+asyncpg://reader:hunter2@127.0.0.1:1/cms")
    with pytest.raises(SourceError) as caught:
        await source.look({})
    assert str(caught.value).startswith("source cms: ")
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_more_rows_than_are_read_are_told(database: Path) -> None:
    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10001)"
    query = f"{many} SELECT 'Новина ' || i AS title FROM n"
    found = await table(database, query, {}).look({})
    assert len(found.articles) == 10_000
    assert [one.why for one in found.rejected] == ["only 10,000 rows are read: narrow the query"]


@pytest.mark.postgres
async def test_postgresql_is_read_and_cannot_be_written(postgres_url: str) -> None:
    engine = create_async_engine(postgres_url)
    async with engine.begin() as connection:
        await connection.execute(
            text("CREATE TABLE news (headline text, shown timestamp, aware timestamptz, tags text[])")
        )
        await connection.execute(text("CREATE SEQUENCE visits"))
        await connection.execute(
            text("INSERT INTO news VALUES ('Перша', '2024-01-31 19:00', '2024-01-31 18:00+00', '{міст,дорога}')")
        )
    await engine.dispose()
    columns = {"title": "headline", "published_at": "shown", "updated_at": "aware", "tags": "tags"}
    (article,) = (await table(Path(), "SELECT * FROM news", columns, url=postgres_url).look({})).articles
    assert (article.title, article.tags) == ("Перша", ("міст", "дорога"))
    assert article.published_at == datetime(2024, 1, 31, 17, tzinfo=UTC)
    assert article.updated_at == datetime(2024, 1, 31, 18, tzinfo=UTC)
    for query in (
        "SELECT nextval('visits')::text AS title",
        "WITH x AS (INSERT INTO news (headline) VALUES ('x') RETURNING headline) SELECT headline AS title FROM x",
    ):
        with pytest.raises(SourceError, match="read-only transaction"):
            await table(Path(), query, {}, url=postgres_url).look({})
