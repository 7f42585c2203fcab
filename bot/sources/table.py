"""A query on the outlet's own database, any that SQLAlchemy speaks. Reads in a transaction that cannot write.

Sync drivers run in a thread. The whole answer is read at each look; rows that have not changed are not shown again.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from bot.domain.article import Article
from bot.errors import SettingsError, SourceError
from bot.sources.base import Found, Rejected
from bot.sources.normal import FIELDS, article_from, clean_line
from bot.sources.times import moment

MAX_ROWS = 10_000
_TIMEOUT = 30.0  # seconds for one query
_LITERAL = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
_TIMES = ("published_at", "updated_at")


class Table:
    """A query whose rows are articles.

    Args:
        url: SQLAlchemy address of the database; a secret.
        query: one SELECT.
        columns: our field to their column; columns named like our fields need not be told, others are passed over.
        zone: of times without an offset.
        rubric: of rows that state none.

    Raises:
        SettingsError: the address, the query or the columns cannot be used.
    """

    def __init__(
        self, name: str, url: str, query: str, columns: Mapping[str, str], *, zone: tzinfo, rubric: str = ""
    ) -> None:
        self.name = name
        self._columns = dict(columns)
        self._zone = zone
        self._rubric = rubric
        try:
            self._url = make_url(url)
            self._url.get_dialect()
        except (ArgumentError, SQLAlchemyError, ImportError, ValueError):
            raise SettingsError(f"source {name}: database_env: not an address SQLAlchemy knows a driver for") from None
        unknown = [field for field in columns if field not in FIELDS]
        if unknown:
            raise SettingsError(f"source {name}: columns: {unknown[0]!r} is not a field; known are {', '.join(FIELDS)}")
        self._query = query.strip().rstrip(";").rstrip()
        bare = _LITERAL.sub(" ", self._query).strip()
        if not re.match(r"(?:select|with)\b", bare, re.IGNORECASE) or ";" in bare:
            raise SettingsError(f"source {name}: query: must be one SELECT")

    async def look(self, cursor: dict[str, Any]) -> Found:
        """Return the rows that are new or changed; the cursor is a mark of each article's row."""
        try:
            async with asyncio.timeout(_TIMEOUT):
                if self._url.get_dialect().is_async and self._url.get_backend_name() != "sqlite":
                    names, rows = await self._ask_async()
                else:
                    names, rows = await asyncio.to_thread(self._ask)
        except TimeoutError as error:
            raise SourceError(f"source {self.name}: the query took longer than {_TIMEOUT:g} s") from error
        except (SQLAlchemyError, sqlite3.Error, OSError, ImportError) as error:
            # not `from error`: the library's texts may hold the address with its password
            raise SourceError(f"source {self.name}: {self._cause(error)}") from None
        return self._read(names, rows, cursor)

    def _ask(self) -> tuple[Sequence[str], Sequence[Sequence[Any]]]:
        engine = _sqlite(self._url) if self._url.get_backend_name() == "sqlite" else _readonly(self._url)
        try:
            with engine.connect() as connection:
                return _fetch(connection, self._query)
        finally:
            engine.dispose()

    async def _ask_async(self) -> tuple[Sequence[str], Sequence[Sequence[Any]]]:
        engine = create_async_engine(self._url, poolclass=NullPool)
        try:
            async with engine.connect() as connection:
                await connection.execute(text("SET TRANSACTION READ ONLY"))
                return await connection.run_sync(_fetch, self._query)
        finally:
            await engine.dispose()

    def _read(self, names: Sequence[str], rows: Sequence[Sequence[Any]], cursor: dict[str, Any]) -> Found:
        columns = {
            name: name for name in names if name in FIELDS and name not in self._columns.values()
        } | self._columns
        missing = [column for column in columns.values() if column not in names]
        if missing:
            raise SourceError(f"source {self.name}: the query gives no column {missing[0]!r}, only {', '.join(names)}")
        before: dict[str, str] = cursor.get("rows", {})
        marks: dict[str, str] = {}
        found = Found()
        for number, row in enumerate(rows[:MAX_ROWS], start=1):
            theirs = dict(zip(names, row, strict=True))
            given = {field: theirs[column] for field, column in columns.items()}
            mark = hashlib.sha256(repr(sorted(given.items())).encode("utf-8", "backslashreplace")).hexdigest()
            try:
                article = self._article(given)
            except SourceError as error:
                key = f"row {number}"
                if before.get(key) != mark:
                    address = given.get("url")
                    where = f"{key} ({clean_line(address)[:200]})" if isinstance(address, str) and address else key
                    found.rejected.append(Rejected(where=where, why=str(error)))
            else:
                key = article.url
                if before.get(key) != mark:
                    found.articles.append(article)
            marks[key] = mark
        if len(rows) > MAX_ROWS:
            found.rejected.append(
                Rejected(where=f"row {MAX_ROWS + 1}", why=f"only {MAX_ROWS:,} rows are read: narrow the query")
            )
        found.cursor["rows"] = marks
        return replace(found, unchanged=bool(cursor) and not found.articles and not found.rejected)

    def _article(self, given: Mapping[str, Any]) -> Article:
        article = article_from(
            {field: self._plain(field, value) for field, value in given.items()}, "", zone=self._zone
        )
        return article if article.rubric else replace(article, rubric=self._rubric)

    def _plain(self, field: str, value: Any) -> Any:
        """Return a column's value as an article has it: databases know no lists, and often neither truth nor time."""
        if field in _TIMES:
            return self._time(value)
        if field == "retracted" and isinstance(value, int) and value in (0, 1):
            return bool(value)
        if field == "tags" and isinstance(value, str):
            return _tags(value)
        if isinstance(value, bytes):
            return value.decode("utf-8", errors="replace")
        return value

    def _time(self, value: Any) -> Any:
        if isinstance(value, str):
            return moment(value, self._zone) or value
        if isinstance(value, int | float) and not isinstance(value, bool):
            try:
                return datetime.fromtimestamp(value, UTC)
            except (ValueError, OverflowError, OSError):
                return value
        if isinstance(value, date) and not isinstance(value, datetime):
            return datetime(value.year, value.month, value.day, tzinfo=self._zone)
        return value

    def _cause(self, error: Exception) -> str:
        if self._url.get_backend_name() == "sqlite" and not _path(self._url).is_file():
            return f"database {_path(self._url)}: no such file"
        said = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        line = clean_line(str(said))[:300]
        for secret in (self._url.password, self._url.render_as_string(hide_password=False)):
            if secret:
                line = line.replace(str(secret), "***")
        return f"the database refused: {line or type(said).__name__}"


def _fetch(connection: Connection, query: str) -> tuple[Sequence[str], Sequence[Sequence[Any]]]:
    # exec_driver_sql: a colon or a percent sign in the query is the operator's own
    result = connection.exec_driver_sql(query)
    return list(result.keys()), [tuple(row) for row in result.fetchmany(MAX_ROWS + 1)]


def _path(url: URL) -> Path:
    return Path((url.database or "").removeprefix("file:").partition("?")[0])


def _sqlite(url: URL) -> Engine:
    place = _path(url).absolute().as_uri()

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(f"{place}?mode=ro", uri=True, timeout=5, check_same_thread=False)
        connection.execute("PRAGMA query_only = ON")
        return connection

    return create_engine("sqlite://", creator=connect, poolclass=NullPool)


def _readonly(url: URL) -> Engine:
    engine = create_engine(url, poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def _begin_reading(connection: Any, _record: Any) -> None:
        # the session, not only a transaction: whatever the query does, it cannot write
        statement = {
            "postgresql": "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
            "mysql": "SET SESSION TRANSACTION READ ONLY",
            "mariadb": "SET SESSION TRANSACTION READ ONLY",
        }.get(engine.dialect.name)
        if statement:
            with closing(connection.cursor()) as cursor:
                cursor.execute(statement)
            connection.commit()

    return engine


def _tags(value: str) -> list[str]:
    if value.lstrip().startswith("["):
        try:
            listed = json.loads(value)
        except ValueError:
            listed = None
        if isinstance(listed, list):
            return listed
    return [tag.strip() for tag in value.split(",") if tag.strip()]
