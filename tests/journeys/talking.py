"""How the journeys talk with the desk's bot: say something, see what it answers, press a button of the last card."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta
from typing import Any

from PIL import Image

from bot.app import Service
from bot.sandbox import SitePage
from bot.sandbox.telegram_world import SandboxPost
from bot.store import conversations
from bot.store.conversations import Conversation, Place
from tests.journeys.desk import EDITOR, PATIENCE, buttons, pressed, settled, shown, until
from tests.journeys.outlet import BOT_ID, Outlet

PAGE = """<!doctype html><html lang="uk"><head><title>{title}</title>
<link rel="canonical" href="{url}"><meta property="og:image" content="{photo}">
<meta property="og:type" content="article"></head>
<body><article><h1>{title}</h1><p>{lead}</p><p>{lead}</p>{figure}</article></body></html>"""
QUICK = replace(PATIENCE, term=timedelta(seconds=2))  # another replica takes over after that
FIGURE = '<figure><img src="{photo}"><figcaption>Фото: ДСНС</figcaption></figure>'
LEAD = "Рух мостом через Тиху дозволили в обидва боки після восьми місяців ремонту, повідомили в міській раді."


def a_photo(shade: int = 40, width: int = 640) -> bytes:
    kept = io.BytesIO()
    Image.new("RGB", (width, 480), (shade, 90, 120)).save(kept, "JPEG")
    return kept.getvalue()


def a_page(outlet: Outlet, name: str, title: str, *, photo: bool = True) -> str:
    """Put an article's page on the sandbox's site and return its address."""
    url = f"{outlet.sandbox.url}/site/{name}"
    address = f"{outlet.sandbox.url}/site/{name}.jpg" if photo else ""
    figure = FIGURE.format(photo=address) if photo else ""
    page = PAGE.format(title=title, url=url, photo=address, lead=LEAD, figure=figure)
    outlet.sandbox.site[f"/{name}"] = SitePage(page.encode(), "text/html; charset=utf-8")
    outlet.sandbox.site[f"/{name}.jpg"] = SitePage(a_photo(), "image/jpeg")
    return url


class Chat:
    """One person's chat with the bot of a service that is open."""

    def __init__(self, outlet: Outlet, service: Service, who: int = EDITOR) -> None:
        self.outlet, self.service, self.who = outlet, service, who

    @property
    def last(self) -> SandboxPost:
        """What the bot wrote last."""
        return shown(self.outlet, self.who)[-1]

    async def say(self, words: str = "", **more: Any) -> list[SandboxPost]:
        """Say something and return what the bot wrote in answer."""
        before = {post.id for post in shown(self.outlet, self.who)}
        self.outlet.sandbox.telegram.say(self.who, BOT_ID, words, **more)
        await self.rest()
        return [post for post in shown(self.outlet, self.who) if post.id not in before]

    async def press(self, *labels: str, card: SandboxPost | None = None) -> str:
        """Press buttons one after the other, each on the newest card that has it; return the last line of answer."""
        line = ""
        for label in labels:
            held = [one for one in ([card] if card else shown(self.outlet, self.who)) if label in _labels(one)]
            assert held, f"no {label!r} on {[buttons(one) for one in shown(self.outlet, self.who)][-3:]}"
            whole = next(one for one in buttons(held[-1]) if label in (one, one.partition(" ")[2]))
            line = await pressed(self.outlet, self.who, held[-1], whole)
            await self.rest()
        return line

    async def rest(self) -> None:
        """Wait until all that was said is handled, and all answers have been given."""
        await settled(self.outlet)
        await until(lambda: not self.service.desk._replies._tasks)

    async def stands(self) -> Conversation | None:
        """Return the person's conversation, if there is one."""
        place = Place(account=f"telegram:{BOT_ID}", chat_id=self.who, person_id=self.who)
        async with self.service.house.database.read() as tx:
            return await conversations.find(tx, place)


def _labels(post: SandboxPost) -> set[str]:
    """Return the words on the buttons, with and without what stands before the first space."""
    return {label for one in buttons(post) for label in (one, one.partition(" ")[2])}
