"""An outlet for the journeys: its configuration as files and variables, its platforms, and what happened to a post."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.app import Service, open_service
from bot.configuration import Configuration, Surroundings, read
from bot.domain.article import Article
from bot.sandbox import Rates, Sandbox
from bot.store import listing
from bot.store.database import Database

BOT_TOKEN = "100000001:AAE-sandbox-token-for-the-journeys-01"
PAGE_TOKEN = "page-token-of-the-journeys"
PUSH_TOKEN = "push-token-of-the-journeys"
BOT_ID = 100000001
PAGE = "200000000000001"

TOML = """
timezone = "Europe/Kyiv"

[[sources]]
name = "push"
kind = "push"

[[channels]]
name = "telegram-main"
platform = "telegram"
address = "@outlet_main"
call_to_action = {{ text = "Підписуйтесь на наш Telegram", url = "https://t.me/outlet_main" }}
check_link = false
silent = []
{telegram}
[channels.schedule]
windows = []
blackouts = []
min_gap = "{min_gap}"
catch_up = "all"
{schedule}

[[channels]]
name = "facebook-main"
platform = "facebook"
address = "200000000000001"
token_env = "PAGE_TOKEN"
call_to_action = {{ text = "Підписуйтесь на нашу сторінку", url = "https://www.facebook.com/outlet" }}
check_link = false
silent = []
{facebook}
[channels.schedule]
windows = []
blackouts = []
min_gap = "{min_gap}"
catch_up = "all"
{schedule}
{more}
"""


class Outlet:
    """One outlet.

    Args:
        place: its folder.
        database_url: of an empty database.
    """

    def __init__(self, place: Path, sandbox: Sandbox, database_url: str) -> None:
        self.place = place
        self.sandbox = sandbox
        sandbox.telegram.add_bot(BOT_TOKEN, username="outlet_bot", id=BOT_ID)
        sandbox.telegram.add_channel("outlet_main", id=-1001000000001, title="Видання", bots={BOT_ID: None})
        sandbox.facebook.add_page(PAGE, name="Видання", token=PAGE_TOKEN)
        sandbox.telegram.rates = Rates.off()
        self.toml = place / "vistnyk.toml"
        self.variables = {
            "VISTNYK_CONFIG": str(self.toml),
            "VISTNYK_DATABASE_URL": database_url,
            "VISTNYK_TELEGRAM__TOKEN": BOT_TOKEN,
            "VISTNYK_TELEGRAM__API_URL": sandbox.url,
            "VISTNYK_TELEGRAM__WEB_URL": sandbox.url,
            "VISTNYK_FACEBOOK__API_URL": f"{sandbox.url}/graph",
            "VISTNYK_NETWORK__ALLOW_PRIVATE": "127.0.0.0/8",
            "VISTNYK_WEB__PORT": "0",
            "VISTNYK_PUSH__TOKEN": PUSH_TOKEN,
            "VISTNYK_PACE__CHAT": "off",
            "VISTNYK_PACE__BOT": "off",
            "VISTNYK_PACE__PAGE": "off",
            "VISTNYK_DELIVERY__GATHER": "0s",
            "VISTNYK_LOG__FORMAT": "json",
            "VISTNYK_LOG__LEVEL": "ERROR",
            "PAGE_TOKEN": PAGE_TOKEN,
        }
        self.write()

    def write(
        self, *, telegram: str = "", facebook: str = "", schedule: str = "", more: str = "", min_gap: str = "0s"
    ) -> None:
        """Write the TOML file; lines may be added to either channel, to both schedules, or at the end."""
        lines = {"telegram": telegram, "facebook": facebook, "schedule": schedule, "more": more, "min_gap": min_gap}
        self.toml.write_text(TOML.format(**lines), "utf-8")

    def configuration(self) -> Configuration:
        """Read the configuration as the bot itself would."""
        return read(Surroundings(self.variables, dotenv=self.place / "none", secrets=self.place / "none"))

    @asynccontextmanager
    async def open(self, *, serve_web: bool = False) -> AsyncIterator[Service]:
        """Open the bot without starting it: `worker.drain()` sends what is due."""
        await self.migrate()
        async with open_service(self.configuration(), serve_web=serve_web) as service:
            await service.reconciler.recover()
            yield service

    async def migrate(self) -> None:
        """Bring the database's schema up to date."""
        from bot.clock import SystemClock

        async with Database(self.variables["VISTNYK_DATABASE_URL"], SystemClock()) as database:
            await database.upgrade()

    @property
    def telegram(self) -> list[Any]:
        """What the Telegram channel shows now, oldest first."""
        return list(self.sandbox.telegram.posts("@outlet_main"))

    @property
    def facebook(self) -> list[Any]:
        """What the Facebook Page shows now, oldest first."""
        return list(self.sandbox.facebook.posts(PAGE))

    async def command(self, *words: str, stdin: str = "") -> tuple[int, str, str]:
        """Run a `vistnyk` command as an operator would; return its exit code, output and error output."""
        process = await self.start(*words)
        out, err = await asyncio.wait_for(process.communicate(stdin.encode()), 60)
        assert process.returncode is not None
        return process.returncode, out.decode(), err.decode()

    async def start(self, *words: str) -> asyncio.subprocess.Process:
        """Start a `vistnyk` command and leave it running."""
        kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("VISTNYK_")}
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            *words,
            cwd=Path(__file__).parents[2],
            env=kept | self.variables,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def json(self, *words: str) -> list[dict[str, Any]]:
        """Run a command with `--json` and return its lines."""
        code, out, err = await self.command(*words, "--json")
        assert code == 0, err
        return [json.loads(line) for line in out.splitlines()]


async def publish(service: Service, *articles: Article, source: str = "push") -> None:
    """Take articles in and send what is due."""
    await service.house.intake.accept(articles, source)
    await service.worker.drain()


async def ledger(service: Service) -> list[dict[str, Any]]:
    """Return the ledger's lines."""
    async with service.house.database.read() as tx:
        return [line async for line in listing.ledger_lines(tx)]


async def queue(service: Service) -> list[dict[str, Any]]:
    """Return the queue's lines."""
    async with service.house.database.read() as tx:
        return await listing.queue_lines(tx)


async def until(condition: Any, *, seconds: float = 10.0) -> None:
    """Wait until a condition holds.

    Raises:
        TimeoutError: it does not within the time.
    """
    async with asyncio.timeout(seconds):
        while True:
            with contextlib.suppress(LookupError):
                held = condition()
                if asyncio.iscoroutine(held):
                    held = await held
                if held:
                    return
            await asyncio.sleep(0.02)
