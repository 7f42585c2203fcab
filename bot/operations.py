"""What the operator's commands do, but for `run`, `demo` and `check`: given the configuration, return plain values."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.agenda.forecast import forecast
from bot.clock import SystemClock
from bot.configuration import Configuration
from bot.domain.article import Article
from bot.domain.channel import Channel, ChannelId
from bot.domain.post import Post
from bot.errors import BotError, DatabaseError, SettingsError, SourceError
from bot.sources.base import Found, Rejected
from bot.sources.canonical import canonical
from bot.store import articles, channels, decisions, listing, pruning
from bot.store.database import SCHEMA, Database
from bot.store.tables import channels as channel_rows

# The composition root and all that reads articles weigh a second: commands that only look do without them.

Lines = list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingested:
    """What became of one thing handed over: a line to print."""

    line: str
    rejected: bool = False


async def ingest(
    configuration: Configuration,
    paths: list[str],
    *,
    url: str | None,
    published_at: datetime | None,
    tell: Callable[[Ingested], None],
) -> bool:
    """Put articles into the store and queue them; a bad one never stops the good ones.

    Args:
        tell: is given each outcome as soon as it is stored.

    Returns:
        Whether all were taken in.

    Raises:
        SettingsError: an address was given for several files.
        DatabaseError: the store cannot be reached.
    """
    from bot.app import INGEST, open_house

    if url is not None and len(paths) > 1:
        raise SettingsError(f"--url names one article, but {len(paths)} files were given")
    whole = True
    async with open_house(configuration) as house:
        for path in paths:
            found = await _read(configuration, path, url=url, published_at=published_at)
            for rejected in found.rejected:
                whole = False
                tell(Ingested(line=f"rejected   {rejected.where}: {rejected.why}", rejected=True))
            # Each file is a transaction of its own, so that a crash in the middle leaves whole files behind.
            report = await house.intake.accept(found.articles, INGEST)
            for one in report.accepted:
                tell(Ingested(line=f"{one.status:<10} {one.url} (revision {one.revision})"))
        await house.proof.finish()
    return whole


async def _read(configuration: Configuration, path: str, *, url: str | None, published_at: datetime | None) -> Found:
    from bot.sources.files import read_lines, read_path

    if path == "-":
        text, rejected = _decoded(await asyncio.to_thread(sys.stdin.buffer.read), "stdin")
        found = read_lines(text, "stdin", url=url, published_at=published_at)
        return Found(articles=found.articles, rejected=[*rejected, *found.rejected])
    zone = configuration.settings.timezone
    return await asyncio.to_thread(read_path, Path(path), url, published_at, zone=zone)


def _decoded(raw: bytes, where: str) -> tuple[str, list[Rejected]]:
    """Return lines as text, empty where a line is no UTF-8: it must not cost the others, nor their numbers."""
    lines: list[str] = []
    rejected: list[Rejected] = []
    for number, line in enumerate(raw.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        try:
            lines.append(line.decode())
        except UnicodeDecodeError as error:
            lines.append("")
            rejected.append(Rejected(where=f"{where}:{number}", why=f"is no UTF-8 at byte {error.start + 1}"))
    return "\n".join(lines), rejected


async def preview(
    configuration: Configuration, path: str, *, url: str | None, published_at: datetime | None, channel: str | None
) -> Lines:
    """Return the post each channel would get from each article found; nothing is stored.

    Raises:
        SourceError: there is no article.
        ComposeError: no post can be made of it.
    """
    from bot.app import configured_channels, templates
    from bot.compose.post import Composer

    if path.startswith(("http://", "https://")):
        found = await _fetched(configuration, path, url=url, published_at=published_at)
    else:
        found = await _read(configuration, path, url=url, published_at=published_at)
    for rejected in found.rejected:
        raise SourceError(f"{rejected.where}: {rejected.why}")
    if not found.articles:
        raise SourceError(f"{path}: there is no article in it")
    chosen = [one for one in configured_channels(configuration) if channel in (None, one.name)]
    if not chosen:
        raise _no_channel(configuration, channel)
    composer = Composer(templates())
    at = datetime.now(UTC)
    return [_shown(composer.compose(article, one, at=at), article) for article in found.articles for one in chosen]


async def _fetched(
    configuration: Configuration, address: str, *, url: str | None, published_at: datetime | None
) -> Found:
    from bot.network import Fetcher
    from bot.sources.page import open_page

    settings = configuration.settings
    async with Fetcher(settings.network.allow_private) as fetcher:
        article = await open_page(fetcher, address, zone=settings.timezone)
    changes: dict[str, Any] = {} if url is None else {"url": canonical(url)}
    if published_at is not None:
        changes["published_at"] = published_at
    return Found(articles=[replace(article, **changes)])


def _no_channel(configuration: Configuration, name: str | None, known: Sequence[str] = ()) -> SettingsError:
    if name is None:
        return SettingsError(f"{configuration.file}: channels: there is none; name at least one under [[channels]]")
    known = known or [one.name for one in configuration.settings.channels]
    return SettingsError(f"--channel {name!r}: there is no such channel; there are: {', '.join(sorted({*known}))}")


def _shown(post: Post, article: Article) -> dict[str, Any]:
    credit = post.credit
    return {
        "channel": post.channel,
        "platform": post.platform,
        "method": post.method,
        "text": post.text,
        "plain": post.plain,
        "length": post.length,
        "limit": post.limit,
        "photo_url": post.photo_url,
        "album": list(post.album),
        "credit": post.house_credit,
        "credit_kind": credit.kind if credit else None,
        "credit_source": (credit.source or None) if credit else None,
        "illustrative": credit.illustrative if credit else False,
        "link": post.link,
        "call_to_action": post.call_to_action,
        "teasers": [asdict(teaser) for teaser in article.teasers],
        "warnings": list(post.warnings),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Glance:
    """The store as a command sees it that only looks."""

    database: Database
    tx: AsyncConnection
    served: dict[ChannelId, Channel]

    async def now(self) -> datetime:
        return await self.database.now(self.tx)


@asynccontextmanager
async def _glance(configuration: Configuration, channel: str | None = None) -> AsyncIterator[_Glance]:
    """Open the store to look at it; an embedded one is brought to this release's schema, nothing else changes.

    Raises:
        SettingsError: the channel is neither configured nor was it ever.
        DatabaseError: the store cannot be reached, or is a PostgreSQL that is not migrated.
    """
    settings = configuration.settings
    configured = {one.name: one.channel(settings.timezone, settings.typography) for one in settings.channels}
    async with AsyncExitStack() as stack:
        database = await _opened(stack, configuration)
        tx = await stack.enter_async_context(database.read())
        rows = {row.name: row.id for row in await channels.everyone(tx)}
        if channel is not None and channel not in configured:
            ever = (await tx.execute(select(channel_rows.c.name))).scalars()  # a closed one has a ledger
            known = [*configured, *ever]
            if channel not in known:
                raise _no_channel(configuration, channel, known)
        served = {rows[name]: one for name, one in configured.items() if name in rows}
        yield _Glance(database=database, tx=tx, served=served)


async def _opened(stack: AsyncExitStack, configuration: Configuration) -> Database:
    database = await stack.enter_async_context(Database(configuration.settings.database_url, SystemClock()))
    with _named(database):
        if database.is_embedded:
            await database.upgrade()
        await database.require_schema()
    return database


@contextmanager
def _named(database: Database) -> Iterator[None]:
    """Turn whatever a driver says of a database that cannot be opened into one line that names it."""
    try:
        yield
    except (BotError, OSError):
        raise
    except Exception as error:
        raise DatabaseError(f"{database.shown}: {getattr(error, 'orig', None) or error}") from error


async def plan(configuration: Configuration, *, now: datetime | None, channel: str | None) -> Lines:
    """Return when each waiting post would go out; one that would be too old by then has a note instead of a time."""
    async with _glance(configuration, channel) as at:
        slots = await forecast(at.tx, at.served, now or await at.now(), channel)
        urls = await listing.addresses(at.tx, [slot.head.delivery for _, slot in slots])
    return [
        {
            "delivery": slot.head.delivery,
            "channel": served.name,
            "article_url": urls.get(slot.head.delivery),
            "at": None if slot.expires else slot.at,
            "note": "too old by its turn" if slot.expires else None,
        }
        for served, slot in slots
    ]


async def queue(configuration: Configuration, *, channel: str | None) -> Lines:
    """Return what is waiting, with a forecast of when it goes."""
    async with _glance(configuration, channel) as at:
        lines = await listing.queue_lines(at.tx, channel=channel)
        slots = await forecast(at.tx, at.served, await at.now(), channel)
    due = {slot.head.delivery: slot.at for _, slot in slots if not slot.expires}
    return [line | {"due_at": due.get(line["delivery"])} for line in lines]


async def ledger(configuration: Configuration, *, channel: str | None, since: datetime | None) -> Lines:
    """Return every delivery that ended or is public."""
    async with _glance(configuration, channel) as at:
        return [line async for line in listing.ledger_lines(at.tx, channel=channel, since=since)]


async def why(configuration: Configuration, url: str, *, channel: str | None) -> Lines | None:
    """Return the decisions about an article; None where it is not known."""
    try:
        address = canonical(url)
    except (SourceError, ValueError):
        address = url
    async with _glance(configuration, channel) as at:
        stored = await articles.find(at.tx, address)
        return None if stored is None else await decisions.why(at.tx, stored.id, channel)


async def audit(configuration: Configuration, *, since: datetime | None) -> Lines:
    """Return who did what."""
    async with _glance(configuration) as at:
        return await decisions.acts(at.tx, since)


async def upgrade(configuration: Configuration) -> str:
    """Bring the schema to this release's."""
    async with Database(configuration.settings.database_url, SystemClock()) as database:
        with _named(database):
            return await _upgrade(database)


async def _upgrade(database: Database) -> str:
    before = await database.schema()
    await database.upgrade()
    return f"{database.shown}: schema {before or 'none'} → {await database.schema()}"


async def check_schema(configuration: Configuration) -> str:
    """Say that the schema is this release's.

    Raises:
        DatabaseError: it is not.
    """
    database = Database(configuration.settings.database_url, SystemClock())
    if database.path is not None and not await asyncio.to_thread(database.path.exists):
        raise DatabaseError(f"{database.shown} is not there yet: the first start makes it, or `vistnyk db upgrade`")
    async with database:
        with _named(database):
            await database.require_schema()
        return f"{database.shown}: schema {await database.schema()}, this release needs {SCHEMA}"


async def backup(configuration: Configuration, path: Path) -> str:
    """Copy an embedded database as it is at one moment; say how PostgreSQL is copied.

    Raises:
        DatabaseError: the copy would overwrite something, or cannot be made.
    """
    async with AsyncExitStack() as stack:
        database = await _opened(stack, configuration)
        if database.path is None:
            address = database.shown.replace("+asyncpg", "").replace(":***", "")
            return f"PostgreSQL is copied by its own tool: pg_dump --format=custom --file '{path}' '{address}'"
        size = await asyncio.to_thread(_copy, database.path, path)
        return f"{database.path} → {path}, {size:,} bytes"


def _copy(original: Path, path: Path) -> int:
    half = path.with_name(path.name + ".part")
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # the name is ours from here on
    except FileExistsError as error:
        raise DatabaseError(f"{path} is there already; a backup never overwrites") from error
    except OSError as error:
        raise DatabaseError(f"{path} cannot be written: {error.strerror}") from error
    try:
        with closing(sqlite3.connect(original)) as source, closing(sqlite3.connect(half)) as target:
            source.backup(target)
        return half.replace(path).stat().st_size
    except (sqlite3.Error, OSError) as error:
        half.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        raise DatabaseError(f"the copy to {path} failed: {error}") from error


async def prune(configuration: Configuration, age: timedelta) -> str:
    """Drop bodies and attempts older than that; never the ledger."""
    async with AsyncExitStack() as stack:
        database = await _opened(stack, configuration)
        async with database.write() as tx:
            dropped = await pruning.prune(tx, await database.now(tx) - age)
    return ", ".join(f"{count} {what}" for what, count in dropped.items())
