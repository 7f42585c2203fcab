"""A sandbox with one bot in one channel and one page, a clock that stands still, and plain HTTP to ask with."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

# Durations of python-telegram-bot are timedeltas; without this each use of the older form warns.
os.environ.setdefault("PTB_TIMEDELTA", "1")

import aiohttp
import pytest
from PIL import Image, ImageDraw
from telegram import Bot

from bot.sandbox import Rates, Sandbox

TOKEN = "111:AAtest"
BOT_ID = 111
CHANNEL = "@novyny"
CHANNEL_ID = -1001
PAGE = "555"
PAGE_TOKEN = "EAApage"


@dataclass
class Clock:
    """Unix seconds, moved by hand."""

    now: float = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


def picture(width: int = 640, height: int = 480, kind: str = "JPEG") -> bytes:
    """Draw a picture of this size and format."""
    image = Image.new("RGB", (width, height), "#20639b")
    ImageDraw.Draw(image).rectangle((width // 8, height // 8, width // 2, height // 2), fill="#f6d55c")
    buffer = BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


@dataclass
class Asker:
    """Plain HTTP, without any library that knows the platforms."""

    session: aiohttp.ClientSession
    url: str

    async def bot(self, method: str, token: str = TOKEN, **params: Any) -> tuple[int, dict[str, Any]]:
        """Call a method with form fields; bytes become a file part."""
        form = aiohttp.FormData()
        for name, value in params.items():
            if isinstance(value, bytes):
                form.add_field(name, BytesIO(value), filename="photo.jpg")
            else:
                form.add_field(name, str(value))
        async with self.session.post(f"{self.url}/bot{token}/{method}", data=form) as answer:
            return answer.status, await answer.json()

    async def graph(
        self, method: str, path: str, *, token: str = PAGE_TOKEN, version: str = "v26.0", **params: Any
    ) -> tuple[int, dict[str, Any]]:
        """Call an edge with the token in the header; bytes become a file part."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        address = f"{self.url}/graph/{version}/{path}".rstrip("/")
        if method == "POST":
            form = aiohttp.FormData()
            for name, value in params.items():
                if isinstance(value, bytes):
                    form.add_field(name, BytesIO(value), filename="photo.jpg")
                else:
                    form.add_field(name, str(value))
            request = self.session.post(address, data=form, headers=headers)
        else:
            request = self.session.request(method, address, params=params, headers=headers)
        async with request as answer:
            return answer.status, await answer.json()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def sandbox(clock: Clock) -> AsyncIterator[Sandbox]:
    async with Sandbox(clock=clock) as running:
        running.telegram.rates = Rates.off()
        running.telegram.add_bot(TOKEN, "vistnyk_test_bot")
        running.telegram.add_channel("novyny", CHANNEL_ID, "Новини Тихої", bots=[BOT_ID])
        running.facebook.add_page(PAGE, "Новини Тихої", PAGE_TOKEN, app_id="9")
        yield running


@pytest.fixture
async def ask(sandbox: Sandbox) -> AsyncIterator[Asker]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
        yield Asker(session, sandbox.url)


@pytest.fixture
async def bot(sandbox: Sandbox) -> AsyncIterator[Bot]:
    async with Bot(TOKEN, base_url=f"{sandbox.url}/bot", base_file_url=f"{sandbox.url}/file/bot") as running:
        yield running
