"""What the operator's commands do, but for `run`, `demo` and `check`: given the configuration, return plain values."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import sys
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.agenda.forecast import forecast
from bot.app import INGEST, configured_channels, open_database, open_house, templates
from bot.clock import SystemClock
from bot.compose.post import Composer
from bot.configuration import Configuration
from bot.domain.article import Article
from bot.domain.post import Post
from bot.errors import DatabaseError, SettingsError, SourceError
from bot.network import Fetcher
from bot.sources.base import Found
from bot.sources.canonical import canonical
from bot.store import articles, decisions, listing, pruning
from bot.store.database import SCHEMA, Database

Lines = list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingested:
    """What became of one thing handed over: a line to print."""

    line: str
    rejected: bool = False


async def ingest(
    configuration: Configuration, paths: list[str], *, url: str | None, published_at: datetime | None
) -> list[Ingested]:
    """Put articles into the store and queue them; a bad one never stops the good ones.

    Raises:
        SettingsError: an address was given for several files.
        DatabaseError: the store cannot be reached.
    """
    if url is not None and len(paths) > 1:
        raise SettingsError(f"--url names one article, but {len(paths)} files were given")
    outcomes: list[Ingested] = []
    async with open_house(configuration) as house:
        for path in paths:
            found = await _read(configuration, path, url=url, published_at=published_at)
            outcomes += [Ingested(line=f"rejected   {one.where}: {one.why}", rejected=True) for one in found.rejected]
            # Each file is a transaction of its own, so that a crash in the middle leaves whole files behind.
            report = await house.intake.accept(found.articles, INGEST)
            outcomes += [
                Ingested(line=f"{one.status:<10} {one.url} (revision {one.revision})") for one in report.accepted
            ]
        await house.proof.finish()
    return outcomes


async def _read(configuration: Configuration, path: str, *, url: str | None, published_at: datetime | None) -> Found:
    from bot.sources.files import read_lines, read_path

    if path == "-":
        return read_lines(await asyncio.to_thread(sys.stdin.read), "stdin", url=url, published_at=published_at)
    zone = configuration.settings.timezone
    return await asyncio.to_thread(read_path, Path(path), url, published_at, zone=zone)


async def preview(
    configuration: Configuration, path: str, *, url: str | None, published_at: datetime | None, channel: str | None
) -> Lines:
    """Return the post each channel would get from each article found; nothing is stored.

    Raises:
        SourceError: there is no article.
        ComposeError: no post can be made of it.
    """
    if path.startswith(("http://", "https://")):
        found = await _fetched(configuration, path)
    else:
        found = await _read(configuration, path, url=url, published_at=published_at)
    for rejected in found.rejected:
        raise SourceError(f"{rejected.where}: {rejected.why}")
    composer = Composer(templates())
    chosen = _chosen(configuration, channel)
    at = datetime.now(UTC)
    return [
        _shown(composer.compose(article, one, at=at), article) for article in found.articles for one in chosen
    ]


async def _fetched(configuration: Configuration, url: str) -> Found:
    from bot.sources.page import open_page

    settings = configuration.settings
    async with Fetcher(settings.network.allow_private) as fetcher:
        return Found(articles=[await open_page(fetcher, url, zone=settings.timezone)])


def _chosen(configuration: Configuration, name: str | None) -> list[Any]:
    chosen = [one for one in configured_channels(configuration) if name in (None, one.name)]
    if name is not None and not chosen:
        known = ", ".join(one.name for one in configuration.settings.channels) or "none"
        raise SettingsError(f"--channel {name!r}: there is no such channel; there are: {known}")
    return chosen


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
        "credit": post.house_credit,
        "credit_kind": credit.kind if credit else None,
        "credit_source": (credit.source or None) if credit else None,
        "illustrative": credit.illustrative if credit else False,
        "link": post.link,
        "call_to_action": post.call_to_action,
        "teasers": [asdict(teaser) for teaser in article.teasers],
        "warnings": list(post.warnings),
    }


async def plan(configuration: Configuration, *, now: datetime | None, channel: str | None) -> Lines:
    """Return when each waiting post would go out; one that would be too old by then has a note instead of a time."""
    _chosen(configuration, channel)
    async with open_house(configuration, settle_channels=False) as house, house.database.read() as tx:
        moment = now or await house.database.now(tx)
        slots = await forecast(tx, house.served, moment, channel)
        urls = await listing.addresses(tx, [slot.head.delivery for _, slot in slots])
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
    async with open_house(configuration, settle_channels=False) as house, house.database.read() as tx:
        lines = await listing.queue_lines(tx, channel=channel)
        slots = await forecast(tx, house.served, await house.database.now(tx), channel)
    due = {slot.head.delivery: slot.at for _, slot in slots if not slot.expires}
    return [line | {"due_at": due.get(line["delivery"])} for line in lines]


async def ledger(configuration: Configuration, *, channel: str | None, since: datetime | None) -> Lines:
    """Return every delivery that ended or is public."""
    async with open_house(configuration, settle_channels=False) as house, house.database.read() as tx:
        return [line async for line in listing.ledger_lines(tx, channel=channel, since=since)]


async def why(configuration: Configuration, url: str, *, channel: str | None) -> Lines | None:
    """Return the decisions about an article; None where it is not known."""
    try:
        address = canonical(url)
    except (SourceError, ValueError):
        address = url
    async with open_house(configuration, settle_channels=False) as house, house.database.read() as tx:
        stored = await articles.find(tx, address)
        return None if stored is None else await decisions.why(tx, stored.id, channel)


async def audit(configuration: Configuration, *, since: datetime | None) -> Lines:
    """Return who did what."""
    async with open_house(configuration, settle_channels=False) as house, house.database.read() as tx:
        return await decisions.acts(tx, since)


async def upgrade(configuration: Configuration) -> str:
    """Bring the schema to this release's."""
    async with Database(configuration.settings.database_url, SystemClock()) as database:
        before = await database.schema()
        await database.upgrade()
        after = await database.schema()
        return f"{database.shown}: schema {before or 'none'} → {after}"


async def check_schema(configuration: Configuration) -> str:
    """Say that the schema is this release's.

    Raises:
        DatabaseError: it is not.
    """
    async with Database(configuration.settings.database_url, SystemClock()) as database:
        await database.require_schema()
        return f"{database.shown}: schema {await database.schema()}, this release needs {SCHEMA}"


async def backup(configuration: Configuration, path: Path) -> str:
    """Copy an embedded database as it is at one moment; say how PostgreSQL is copied.

    Raises:
        DatabaseError: the copy would overwrite something, or cannot be made.
    """
    async with AsyncExitStack() as stack:
        database = await open_database(stack, configuration, SystemClock())
        if database.path is None:
            return f"PostgreSQL is copied by its own tool: pg_dump --format=custom --file {path} '{database.shown}'"
        if path.exists():
            raise DatabaseError(f"{path} is there already; a backup never overwrites")
        await asyncio.to_thread(_copy, database.path, path)
        size = path.stat().st_size
        return f"{database.path} → {path}, {size:,} bytes"


def _copy(original: Path, path: Path) -> None:
    half = path.with_name(path.name + ".part")
    try:
        with sqlite3.connect(original) as source, sqlite3.connect(half) as target:
            source.backup(target)
        source.close()
        target.close()
        shutil.move(half, path)
    except (sqlite3.Error, OSError) as error:
        half.unlink(missing_ok=True)
        raise DatabaseError(f"the copy to {path} failed: {error}") from error


async def prune(configuration: Configuration, age: timedelta) -> str:
    """Drop bodies and attempts older than that; never the ledger."""
    async with open_house(configuration, settle_channels=False) as house, house.database.write() as tx:
        dropped = await pruning.prune(tx, await house.database.now(tx) - age)
    return ", ".join(f"{count} {what}" for what, count in dropped.items())


