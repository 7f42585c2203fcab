"""The operator's commands: parse, call, print. What they do stands in `operations`."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Coroutine, Iterable
from contextvars import ContextVar
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot.errors import BotError, SettingsError

if TYPE_CHECKING:
    from bot.channels.base import Finding

_Result = TypeVar("_Result")
FAILED, MISUSED = 1, 2
_WIDE = 4000  # columns of a table that no terminal shows

_ZONE: ContextVar[tzinfo] = ContextVar("zone", default=UTC)  # the outlet's, for what people read

app = typer.Typer(
    name="vistnyk",
    help="Vistnyk: a newsroom's articles, once, in every channel.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
db = typer.Typer(help="The database's schema.", no_args_is_help=True)
app.add_typer(db, name="db")

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line on stdout, and nothing else there.")]
ChannelName = Annotated[str | None, typer.Option("--channel", metavar="NAME", help="Only this channel.")]
Since = Annotated[str | None, typer.Option("--since", metavar="ISO", help="Only what happened since then.")]


@app.command()
def run(
    migrate: Annotated[bool, typer.Option("--migrate", help="Bring the schema up to date first.")] = False,
) -> None:
    """Run the service: watch, compose, schedule, publish, reconcile, web server. SIGTERM stops it gracefully."""
    from bot import service
    from bot.logs import logger

    configuration = _settings()
    try:
        _await(service.run(configuration, migrate=migrate))
    except (BotError, OSError):
        raise
    except Exception:
        logger("service").exception("the service fell over a fault of its own")
        raise


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Publish what waits, print the ledger, exit.")] = False,
    as_json: Json = False,
    port: Annotated[int, typer.Option(help="Port of the page that shows both channels; 0: any free one.")] = 8100,
) -> None:
    """Show the whole way of an article on a throw-away database and a sandbox of both platforms."""
    from bot import demo as demonstration

    _await(demonstration.run(once=once, as_json=as_json, port=port))


@app.command()
def sandbox(port: Annotated[int, typer.Option(help="0: any free one.")] = 8100) -> None:
    """Run only the emulator of both platforms; it publishes nothing anywhere."""
    from bot import demo as demonstration

    _await(demonstration.run_sandbox(port=port))


@app.command()
def check(
    as_json: Json = False,
    two_step: Annotated[
        str | None,
        typer.Option(
            "--two-step",
            metavar="CHANNEL",
            help="Only this: prove on a Facebook page that a post can be made unseen and published by its id. "
            "A test post is public there for some seconds, then deleted; readers may see it.",
        ),
    ] = None,
) -> None:
    """Test configuration, templates, database, tokens, rights and editors; exit 0 only if all pass."""
    if not _await(_check(as_json) if two_step is None else _check_two_step(two_step, as_json)):
        raise typer.Exit(FAILED)


async def _check(as_json: bool) -> bool:
    """Print each finding as soon as it is there; return whether all are well."""
    from bot import checks

    well = True
    async for finding in checks.findings():
        well &= finding.ok
        _tell(finding, as_json)
    return well


async def _check_two_step(channel: str, as_json: bool) -> bool:
    from bot import checks

    finding = await checks.prove_two_step(_settings(), channel)
    _tell(finding, as_json)
    return finding.ok


def _tell(finding: Finding, as_json: bool) -> None:
    detail = _scrubbed(" ".join(finding.detail.split()))
    if as_json:
        _line({"check": finding.name, "ok": finding.ok, "detail": detail})
    else:
        mark = "[green]ok[/]  " if finding.ok else "[red]FAIL[/]"
        Console(highlight=False, soft_wrap=True).print(f"{mark} {escape(finding.name)}  {escape(detail)}")


@app.command()
def ingest(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH… or -", help=".html, .txt, .json, .jsonl; - reads lines.")
    ],
    url: Annotated[str | None, typer.Option(help="The article's address, where the file names none.")] = None,
    published_at: Annotated[str | None, typer.Option("--published-at", metavar="ISO")] = None,
) -> None:
    """Put articles into the store and queue them like any source; a bad one never stops the good ones."""
    from bot import operations

    moment = _moment(published_at)
    work = operations.ingest(
        _settings(), paths, url=url, published_at=moment, tell=lambda one: typer.echo(_scrubbed(one.line))
    )
    if not _await(work):
        raise typer.Exit(FAILED)


@app.command()
def preview(
    path: Annotated[str, typer.Argument(metavar="PATH or URL")],
    url: Annotated[str | None, typer.Option(help="The article's address, where the file names none.")] = None,
    published_at: Annotated[str | None, typer.Option("--published-at", metavar="ISO")] = None,
    channel: ChannelName = None,
    as_json: Json = False,
) -> None:
    """Show the post each channel would get, and the teasers found. Publishes nothing, stores nothing."""
    from bot import operations

    moment = _moment(published_at)
    shown = _await(operations.preview(_settings(), path, url=url, published_at=moment, channel=channel))
    if as_json:
        _lines(shown)
        return
    console = Console(highlight=False)
    for one in shown:
        console.rule(f"{one['channel']} · {one['method']} · {one['length']}/{one['limit']}")
        console.print(escape(one["plain"]))
        for key in ("photo_url", "credit", "link"):
            console.print(f"[dim]{key}: {escape(str(one[key]))}[/]")
        for warning in one["warnings"]:
            console.print(f"[yellow]! {escape(warning)}[/]")
    teasers = shown[0]["teasers"] if shown else []
    if teasers:
        console.rule(f"{len(teasers)} teasers")
        for teaser in teasers:
            console.print(escape(f"{teaser['day']} {teaser['rubric']}: {teaser['title'] or teaser['credit'] or ''}"))


@app.command()
def plan(
    now: Annotated[str | None, typer.Option(metavar="ISO", help="As if it were this time.")] = None,
    channel: ChannelName = None,
    as_json: Json = False,
) -> None:
    """Show when each waiting post would go out. Publishes nothing."""
    from bot import operations

    moment = _moment(now)
    lines = _await(operations.plan(_settings(), now=moment, channel=channel))
    _show(lines, as_json, "at", "channel", "delivery", "article_url", "note")


@app.command()
def queue(channel: ChannelName = None, as_json: Json = False) -> None:
    """Show what is waiting, one line a delivery."""
    from bot import operations

    lines = _await(operations.queue(_settings(), channel=channel))
    _show(lines, as_json, "delivery", "channel", "kind", "state", "held_reason", "due_at", "title")


@app.command()
def ledger(channel: ChannelName = None, since: Since = None, as_json: Json = False) -> None:
    """Show every delivery that ended or is public: what was published per channel, and what was not."""
    from bot import operations

    moment = _moment(since)
    lines = _await(operations.ledger(_settings(), channel=channel, since=moment))
    _show(lines, as_json, "delivery", "channel", "kind", "state", "published_at", "permalink", "title", "error")


@app.command()
def why(url: str, channel: ChannelName = None, as_json: Json = False) -> None:
    """Show every decision about one article, oldest first."""
    from bot import operations

    lines = _await(operations.why(_settings(), url, channel=channel))
    if lines is None:
        _fail(f"no article is known at {url}", FAILED)
    _show(lines, as_json, "at", "channel", "decision", "detail")


@app.command()
def audit(since: Since = None, as_json: Json = False) -> None:
    """Show who did what."""
    from bot import operations

    moment = _moment(since)
    lines = _await(operations.audit(_settings(), since=moment))
    _show(lines, as_json, "at", "who", "action", "subject", "before", "after")


@app.command()
def backup(path: Path) -> None:
    """Write a consistent copy of an embedded database; for PostgreSQL, say how."""
    from bot import operations

    typer.echo(_await(operations.backup(_settings(), path)))


@app.command()
def prune(older_than: Annotated[str, typer.Option("--older-than", metavar="90d")]) -> None:
    """Drop old bodies and attempts; never the ledger."""
    from bot import operations
    from bot.settings import parse_duration

    try:
        age = parse_duration(older_than)
    except ValueError as error:
        _fail(f"--older-than {older_than!r}: {error}", MISUSED)
    typer.echo(_await(operations.prune(_settings(), age)))


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the schema to this release's."""
    from bot import operations

    typer.echo(_await(operations.upgrade(_settings())))


@db.command("check")
def db_check() -> None:
    """Say whether the schema is this release's; exit 1 if not."""
    from bot import operations

    typer.echo(_await(operations.check_schema(_settings())))


def main() -> None:
    """Run a command; every error of ours is one clear line and an exit code."""
    try:
        app()
    except SettingsError as error:
        _fail(str(error), MISUSED)
    except BotError as error:
        _fail(str(error), FAILED)
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error), FAILED)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        told = " ".join(str(error).split()) or "no more is known"
        _fail(f"unexpected {type(error).__name__}: {told}", FAILED)


def _settings() -> Any:
    from bot import configuration
    from bot.logs import set_up

    read = configuration.read()
    set_up(level=read.settings.log.level, form=read.settings.log.format, secrets=read.secrets())
    _ZONE.set(read.settings.timezone)
    return read


def _await(work: Coroutine[Any, Any, _Result]) -> _Result:
    return asyncio.run(work)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        _fail(f"{text!r} is no time; write it like 2024-01-31T19:00:00+02:00", MISUSED)
    if moment.tzinfo is None:
        _fail(f"{text!r} has no offset; write it like 2024-01-31T19:00:00+02:00", MISUSED)
    return moment


def _show(lines: Iterable[dict[str, Any]], as_json: bool, *columns: str) -> None:
    if as_json:
        _lines(lines)
        return
    table = Table(box=None, header_style="bold")
    for column in columns:
        table.add_column(column, no_wrap=True, overflow="ellipsis")
    for line in lines:
        table.add_row(*(escape(_cell(line.get(column))) for column in columns))
    # One line each: a terminal cuts what is too long, a file gets it whole.
    Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE).print(table)


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(_ZONE.get()).strftime("%Y-%m-%d %H:%M:%S")
    return "" if value is None else _scrubbed(" ".join(str(value).split()))


def _lines(lines: Iterable[dict[str, Any]]) -> None:
    for line in lines:
        _line(line)


def _line(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line, ensure_ascii=False, default=_plain) + "\n")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def _scrubbed(text: str) -> str:
    from bot.logs import scrubbed  # weighs too much for --help

    return scrubbed(text)


def _fail(message: str, code: int) -> NoReturn:
    Console(stderr=True, highlight=False, soft_wrap=True).print(escape(_scrubbed(message)))
    sys.exit(code)
