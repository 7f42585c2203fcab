"""The sandbox in a process of its own, and its control API as the harness uses it."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from PIL import Image

from bot.sandbox import Rate, Rates, Sandbox, SitePage

BOT_ID = 100000001
BOT_TOKEN = f"{BOT_ID}:AAE-sandbox-token-for-the-chaos-suite-1"
PHOTOS = 5
# What the bots' own settings keep to, with a little air for calls that wait in a queue of the machine.
PACE = {"VISTNYK_PACE__CHAT": "8/s", "VISTNYK_PACE__BOT": "60/s", "VISTNYK_PACE__PAGE": "8/s"}
_RATES = Rates(chat=Rate(8, 1, burst=8), bot=Rate(60, 1, burst=60), group=None)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A channel as the harness knows it. `target` is how the record of calls names it."""

    name: str
    platform: str
    address: str
    target: str
    min_gap: float = 0.0

    @property
    def token(self) -> str:
        """The page's token."""
        return f"page-token-{self.address}"

    @property
    def known_as(self) -> str:
        """Its name among the counted posts of the sandbox."""
        return self.address.removeprefix("@")


def places(telegram: int, facebook: int, min_gap: float) -> list[Place]:
    """Return this many channels; every second one keeps a gap."""
    made = []
    for number in range(telegram):
        target, gap = str(-1001000000001 - number), min_gap if number % 2 else 0.0
        made.append(
            Place(
                name=f"telegram-{number}", platform="telegram", address=f"@chaos_{number}", target=target, min_gap=gap
            )
        )
    for number in range(facebook):
        page, gap = str(200000000000001 + number), min_gap if number % 2 else 0.0
        made.append(Place(name=f"facebook-{number}", platform="facebook", address=page, target=page, min_gap=gap))
    return made


def serve(channels: Sequence[Place], port: Path) -> None:
    """Serve both platforms until killed; `port` is the file that tells where."""
    asyncio.run(_serve(channels, port))


async def _serve(channels: Sequence[Place], port: Path) -> None:
    async with Sandbox() as sandbox:
        sandbox.telegram.rates = _RATES
        sandbox.facebook.rate = Rate(16, 1, burst=16)  # reading counts there, too
        sandbox.telegram.add_bot(BOT_TOKEN, "chaos_bot", BOT_ID)
        for place in channels:
            if place.platform == "telegram":
                sandbox.telegram.add_channel(place.address, int(place.target), place.name, [BOT_ID])
            else:
                sandbox.facebook.add_page(place.address, place.name, place.token)
        for number in range(PHOTOS):
            sandbox.site[f"/photo-{number}.jpg"] = SitePage(_picture(number), "image/jpeg")
        ready = port.with_suffix(".new")
        ready.write_text(str(sandbox.port))
        ready.rename(port)
        await sandbox.serve_forever()


def _picture(number: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (320, 240), (40 * number, 90, 160)).save(buffer, "JPEG")
    return buffer.getvalue()


class Control:
    """The sandbox's control API."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._session = session

    async def put(self, path: str, **given: Any) -> None:
        """Turn a switch."""
        async with self._session.post(f"{self.url}/control/{path}", json=given) as answer:
            if answer.status != 200:
                raise ValueError(f"{path}: {await answer.text()}")

    async def get(self, path: str, **query: str) -> Any:
        """Look."""
        async with self._session.get(f"{self.url}/control/{path}", params=query) as answer:
            answer.raise_for_status()
            return await answer.json()

    async def shown(self) -> dict[str, int]:
        """Count what each channel has shown so far."""
        state = await self.get("state")
        return {**state["telegram"]["posts"], **state["facebook"]["posts"]}

    async def history(self, place: Place) -> list[Json]:
        """Return everything that was ever visible in a channel."""
        found: list[Json] = await self.get("history", platform=place.platform, channel=place.address)
        return found

    async def calls(self) -> dict[str, list[Json]]:
        """Return every call to both platforms."""
        return {platform: await self.get("calls", platform=platform) for platform in ("telegram", "facebook")}
