"""The page that shows both platforms as a subscriber sees them, and the events that keep it fresh."""

from __future__ import annotations

import asyncio
import html
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from aiohttp import web
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from bot.sandbox.facebook_world import FacebookPost, FacebookWorld
from bot.sandbox.preview import shown_link
from bot.sandbox.telegram_markup import Marked, to_html, with_automatic
from bot.sandbox.telegram_world import SandboxPost, TelegramWorld

Json = dict[str, Any]
PAGES = Path(__file__).parent / "pages"
SHOWN = 40
BEAT = 15.0
MONTHS = [
    "січня",
    "лютого",
    "березня",
    "квітня",
    "травня",
    "червня",
    "липня",
    "серпня",
    "вересня",
    "жовтня",
    "листопада",
    "грудня",
]


class Reader:
    """Renders `/` and serves `/events`. `links` tells what is known of a link: title, description, photo."""

    def __init__(self, telegram: TelegramWorld, facebook: FacebookWorld, links: dict[str, Json]) -> None:
        self.telegram, self.facebook, self.links = telegram, facebook, links
        self._zone = ZoneInfo("Europe/Kyiv")
        self._pages = Environment(loader=FileSystemLoader(PAGES), autoescape=True, trim_blocks=True, lstrip_blocks=True)
        self._listeners: set[asyncio.Event] = set()
        self._closed = False
        self._version = 0

    def changed(self) -> None:
        """Tell every open page that something is new."""
        self._version += 1
        for listener in self._listeners:
            listener.set()

    def open(self) -> None:
        self._closed = False

    def close(self) -> None:
        self._closed = True
        self.changed()

    async def page(self, request: web.Request) -> web.Response:
        """Return the whole page, or with `?part=1` only what changes."""
        name = "columns.html.j2" if request.query.get("part") else "reader.html.j2"
        text = self._pages.get_template(name).render(
            channels=self._channels(),
            pages=self._facebook_pages(),
            css=self._inline("reader.css"),
            js=self._inline("reader.js"),
        )
        return web.Response(text=text, content_type="text/html", headers={"Cache-Control": "no-store"})

    @staticmethod
    def _inline(name: str) -> Markup:
        return Markup((PAGES / name).read_text(encoding="utf-8"))  # noqa: S704 - our own file

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Send an event whenever something changed, at most ten a second, and a comment every 15 seconds."""
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        listener = asyncio.Event()
        self._listeners.add(listener)
        try:
            await answer.prepare(request)
            await answer.write(b"retry: 1000\n\n")
            while not self._closed:
                try:
                    await asyncio.wait_for(listener.wait(), BEAT)
                except TimeoutError:
                    await answer.write(b": still here\n\n")
                    continue
                listener.clear()
                await asyncio.sleep(0.1)
                await answer.write(f"data: {self._version}\n\n".encode())
        except ConnectionError:
            return answer
        finally:
            self._listeners.discard(listener)
        return answer

    # --- Telegram -----------------------------------------------------------------------------------------------

    def _channels(self) -> list[Json]:
        out = []
        for chat in self.telegram.channels():
            posts = self.telegram.posts(chat)
            out.append(
                {
                    "key": f"t{abs(chat.id)}",
                    "title": chat.title,
                    "initials": initials(chat.title),
                    "note": f"@{chat.username}" if chat.username else "приватний канал",
                    "count": counted(len(posts)),
                    "days": self._by_day([self._telegram_post(post) for post in posts[-SHOWN:]]),
                }
            )
        return out

    def _by_day(self, posts: Iterable[Json]) -> list[Json]:
        days: list[Json] = []
        for post in posts:
            if not days or days[-1]["day"] != post["day"]:
                days.append({"day": post["day"], "posts": []})
            days[-1]["posts"].append(post)
        return days

    def _telegram_post(self, post: SandboxPost) -> Json:
        link = shown_link(post)
        options = post.link_preview or {}
        text = to_html(Marked(post.text, post.entities)).replace("<a href=", '<a rel="noopener" target="_blank" href=')
        rows = (post.reply_markup or {}).get("inline_keyboard", [])
        return {
            "id": post.id,
            "text": Markup(text),  # noqa: S704 - escaped by to_html
            "photo": post.photo,
            "alt": first_line(post.text),
            "card": self._card(link) if link else None,
            "large": bool(options.get("prefer_large_media")),
            "above": bool(options.get("show_above_text")),
            "edited": post.edited is not None,
            "silent": post.silent,
            "reactions": post.reactions,
            "buttons": [[button.get("text", "") for button in row] for row in rows],
            **self._when(post.date),
        }

    # --- Facebook -----------------------------------------------------------------------------------------------

    def _facebook_pages(self) -> list[Json]:
        return [
            {
                "key": f"f{page.id}",
                "title": page.name,
                "initials": initials(page.name),
                "note": page.category if page.category != "Media/news company" else "Медіа",
                "count": counted(len(posts)),
                "posts": [self._facebook_post(post) for post in reversed(posts[-SHOWN:])],
            }
            for page in list(self.facebook.pages.values())
            for posts in [sorted(self.facebook.posts(page.id), key=lambda post: post.created)]
        ]

    def _facebook_post(self, post: FacebookPost) -> Json:
        text = to_html(with_automatic(Marked(post.message, ())))
        text = text.replace("<a href=", '<a rel="noopener" target="_blank" href=')
        return {
            "id": post.id,
            "text": Markup(text),  # noqa: S704 - escaped by to_html
            "long": len(post.message) > 360 or post.message.count("\n") > 6,
            "photos": [{"stored": photo.stored, "alt": photo.alt or first_line(post.message)} for photo in post.photos],
            "card": self._card(post.link) if post.link else None,
            "edited": post.edited is not None,
            **self._when(post.created),
        }

    # --- both ---------------------------------------------------------------------------------------------------

    def _when(self, at: float) -> Json:
        local = datetime.fromtimestamp(at, UTC).astimezone(self._zone)
        return {
            "iso": local.isoformat(timespec="seconds"),
            "clock": local.strftime("%H:%M"),
            "day": f"{local.day} {MONTHS[local.month - 1]}",
        }

    def _card(self, link: str) -> Json:
        known = self.links.get(link) or self._learned(link)
        domain = (urlsplit(link).hostname or link).removeprefix("www.")
        return {
            "url": link if link.startswith(("http://", "https://")) else "#",
            "domain": domain,
            "title": known.get("title") or domain,
            "description": known.get("description") or "",
            "photo": known.get("photo") or "",
        }

    def _learned(self, link: str) -> Json:
        """Look for a photo post about the same address: its picture and headline stand in for the page's own."""
        bare = link.partition("?")[0]
        for post in reversed(self.telegram.created[-200:]):
            urls = (str(entity.get("url", "")).partition("?")[0] for entity in post.entities)
            if bare in urls and post.deleted_at is None:
                return {"title": first_line(post.text), "photo": post.photo.path if post.photo else ""}
        return {}


def initials(title: str) -> str:
    words = [word for word in title.lstrip("@").replace("_", " ").split() if word[0].isalnum()]
    return "".join(word[0] for word in words[:2]).upper() or "•"


def first_line(text: str) -> str:
    return html.unescape(text.strip().partition("\n")[0])[:160]


def counted(number: int) -> str:
    """Return "1 допис", "3 дописи", "11 дописів"."""
    if number % 10 == 1 and number % 100 != 11:
        return f"{number} допис"
    few = number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14)
    return f"{number} {'дописи' if few else 'дописів'}"
