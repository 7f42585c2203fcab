"""`vistnyk demo` and `vistnyk sandbox`: the whole way of an article with nothing to set up and nobody to reach.

The database and the watched folder are throw-away; both platforms are the sandbox on this machine's loopback.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from bot.app import Service, open_service, ticker
from bot.configuration import Configuration, Surroundings, load
from bot.errors import SettingsError
from bot.logs import set_up
from bot.resources import resource
from bot.sandbox import Sandbox
from bot.store import listing

_BOT, _PAGE = 100000001, "100000000000001"
_TOKEN = f"{_BOT}:" + "a-token-that-opens-the-sandbox-only"
_PAGE_TOKEN = f"page-token-of-the-sandbox-{_PAGE}"
_LATER = timedelta(seconds=12)  # after which the correction arrives
_DONE = ("published", "failed", "cancelled", "expired")
_STYLES = {"published": "green", "planned": "dim", "held": "yellow", "failed": "red", "unknown": "red"}


async def run(*, once: bool, as_json: bool, port: int) -> None:
    """Show everything until Ctrl-C, or (`once`) until nothing waits any more.

    Args:
        as_json: with `once`, print the ledger as JSON lines.
        port: of the sandbox; a free one is taken if that is in use.
    """
    with tempfile.TemporaryDirectory(prefix="vistnyk-demo-") as folder:
        place = Path(folder)
        set_up(level="ERROR" if once else "CRITICAL", form=None, secrets=[_TOKEN])
        async with _sandbox(port) as sandbox, open_service(_configuration(place, sandbox.url)) as service:
            stop = _stop_signal()
            zone = service.house.configuration.settings.timezone
            serving = asyncio.create_task(service.worker.run())
            async with ticker(service):
                _lay_out(resource("examples"), place / "examples")
                later = asyncio.create_task(_bring_later(place / "examples"))
                console = Console(stderr=once)
                with Live(console=console, refresh_per_second=4, transient=once) as live:
                    while not stop.is_set():
                        lines = await _lines(service)
                        live.update(_picture(lines, sandbox.url, zone))
                        if once and later.done() and _all_done(lines):
                            break
                        with contextlib.suppress(TimeoutError):
                            await asyncio.wait_for(stop.wait(), 0.5)
                later.cancel()
            await service.worker.stop()
            await serving
            if once:
                _print(await _ledger(service), as_json, zone)


async def run_sandbox(*, port: int) -> None:
    """Run the emulator alone until it is told to stop."""
    set_up(level="INFO", form=None, secrets=[])
    async with _sandbox(port) as sandbox:
        Console(highlight=False, soft_wrap=True).print(
            f"The sandbox runs at {sandbox.url}\n"
            f"  VISTNYK_TELEGRAM__API_URL={sandbox.url}\n"
            f"  VISTNYK_TELEGRAM__WEB_URL={sandbox.url}\n"
            f"  VISTNYK_FACEBOOK__API_URL={sandbox.url}/graph\n"
            "Any token of the right form is a bot and an administrator everywhere; any page id is a page.\n"
            f"Readers see both at {sandbox.url}/ ; Ctrl-C stops it."
        )
        await _stop_signal().wait()


@contextlib.asynccontextmanager
async def _sandbox(port: int) -> AsyncIterator[Sandbox]:
    try:
        sandbox = await Sandbox(port=port, welcoming=True).__aenter__()
    except OSError as error:
        raise SettingsError(f"--port {port}: {error.strerror or error}; another one, or 0 for any free one") from error
    sandbox.telegram.add_bot(_TOKEN, username="tyhorichchia_bot", id=_BOT)
    sandbox.telegram.add_channel("tyhorichchia", title="Тихоріччя", bots={_BOT: None})
    sandbox.facebook.add_page(_PAGE, name="Тихоріччя", token=_PAGE_TOKEN)
    try:
        yield sandbox
    finally:
        await sandbox.__aexit__(None, None, None)


def _configuration(place: Path, url: str) -> Configuration:
    surroundings = Surroundings(
        {
            "VISTNYK_DATABASE_URL": f"sqlite+aiosqlite:///{place}/demo.db",
            "VISTNYK_TELEGRAM__TOKEN": _TOKEN,
            "VISTNYK_TELEGRAM__API_URL": url,
            "VISTNYK_TELEGRAM__WEB_URL": url,
            "VISTNYK_FACEBOOK__API_URL": f"{url}/graph",
            "DEMO_PAGE_TOKEN": _PAGE_TOKEN,
            "VISTNYK_NETWORK__ALLOW_PRIVATE": "127.0.0.0/8",
            "VISTNYK_WEB__PORT": "0",
        },
        dotenv=place / "none",
        secrets=place / "none",
    )
    settings = load(surroundings, config=resource("config/demo.toml"))
    watched = tuple(source.model_copy(update={"path": place / "examples"}) for source in settings.sources)
    (place / "examples").mkdir()
    return Configuration(settings.model_copy(update={"sources": watched}), surroundings)


def _lay_out(examples: Path, place: Path) -> None:
    """Copy the examples but for what arrives later."""
    shutil.copytree(examples / "photos", place / "photos", dirs_exist_ok=True)
    for file in _articles(examples):
        shutil.copy(file, place / file.name)


async def _bring_later(place: Path) -> None:
    await asyncio.sleep(_LATER.total_seconds())
    for file in _articles(resource("examples") / "later"):
        shutil.copy(file, place / f"later-{file.name}")
    await asyncio.sleep(3)  # for the source's next look


def _articles(folder: Path) -> Iterator[Path]:
    yield from sorted(file for file in folder.iterdir() if file.suffix in (".json", ".jsonl", ".html", ".txt"))


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _lines(service: Service) -> list[dict[str, Any]]:
    async with service.house.database.read() as tx:
        ended = [line async for line in listing.ledger_lines(tx)]
        waiting = await listing.queue_lines(tx)
    return sorted(ended + waiting, key=lambda line: int(line["delivery"]))


async def _ledger(service: Service) -> list[dict[str, Any]]:
    async with service.house.database.read() as tx:
        return [line async for line in listing.ledger_lines(tx)]


def _all_done(lines: list[dict[str, Any]]) -> bool:
    return bool(lines) and all(line["state"] in _DONE for line in lines)


def _picture(lines: list[dict[str, Any]], url: str, zone: tzinfo) -> Group:
    table = Table("№", "канал", "що", "стан", "о котрій", box=None, header_style="bold", expand=True)
    table.add_column("заголовок", no_wrap=True, overflow="ellipsis", ratio=1)
    for line in lines:
        at = line["published_at"]
        table.add_row(
            str(line["delivery"]),
            line["channel"],
            line["kind"],
            Text(line["state"], style=_STYLES.get(line["state"], "cyan")),
            at.astimezone(zone).strftime("%H:%M:%S") if at else "",
            escape(line["title"] or ""),
        )
    head = Text.from_markup(f"[bold]Вісник[/]: обидва канали очима читача — [link={url}/]{url}/[/]  (Ctrl-C зупиняє)")
    return Group(head, Text(), table)


def _print(lines: list[dict[str, Any]], as_json: bool, zone: tzinfo) -> None:
    if not as_json:
        Console(highlight=False).print(_picture(lines, "", zone).renderables[2])
        return
    for line in lines:
        sys.stdout.write(json.dumps(line, ensure_ascii=False, default=_plain) + "\n")


def _plain(value: object) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)
