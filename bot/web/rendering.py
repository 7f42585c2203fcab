"""Turns values into the calendar's pages, and hands out the style and the scripts that go with them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bot.web import texts
from bot.web.calendar_view import Asked

_FOLDER = Path(__file__).parent / "pages"
_TYPES = {".css": "text/css", ".js": "text/javascript"}
_FOR_GOOD = "public, max-age=31536000, immutable"
_UNCHANGED = object()


class Pages:
    """The templates and static files, read once."""

    def __init__(self) -> None:
        self._files = {file.name: file.read_bytes() for file in _FOLDER.iterdir() if file.suffix in _TYPES}
        whole = b"".join(content for _, content in sorted(self._files.items()))
        self._version = hashlib.sha256(whole).hexdigest()[:12]
        self._templates = Environment(
            loader=FileSystemLoader(_FOLDER),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=StrictUndefined,
            auto_reload=False,
        )

    def write(self, name: str, *, root: str = "", **values: Any) -> Markup:
        """Return a page's text.

        Args:
            root: the way from the page's own address up to where `app` lies: addresses are relative, so that a proxy
                may serve all of it under a path of its own.
        """
        text = self._templates.get_template(f"{name}.html.j2").render(
            texts=texts,
            root=root,
            static=lambda file: f"{root}app/static/{file}?v={self._version}",
            href=lambda asked, **changes: root + address(asked, **changes),
            **values,
        )
        return Markup(text)  # noqa: S704 - the template has escaped what it was given

    def render(self, name: str, *, status: int = 200, **values: Any) -> web.Response:
        """Return a page; the arguments are those of `write`."""
        return answer(self.write(name, **values), status=status)

    def static(self, request: web.Request) -> web.Response | None:
        """Return a style or a script; None where there is none of that name."""
        name = request.match_info["name"]
        if name not in self._files:
            return None
        # While replicas of two releases run side by side, one may be asked for the other's.
        kept = _FOR_GOOD if request.query.get("v") == self._version else "no-store"
        return web.Response(
            body=self._files[name],
            content_type=_TYPES[Path(name).suffix],
            charset="utf-8",
            headers={"Cache-Control": kept},
        )


def answer(text: str, *, status: int = 200, mark: str = "") -> web.Response:
    """Return a page.

    Args:
        mark: tells equal texts from different ones, for a page that asks again.
    """
    headers = {"ETag": f'"{mark}"'} if mark else None
    return web.Response(text=text, content_type="text/html", status=status, headers=headers)


def mark_of(text: str) -> str:
    """Return a short name of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def address(asked: Asked, *, view: Any = _UNCHANGED, day: Any = _UNCHANGED, channel: Any = _UNCHANGED) -> str:
    """Return where another look at the calendar is found."""
    query = {
        "view": asked.view if view is _UNCHANGED else view,
        "day": (asked.day if day is _UNCHANGED else day).isoformat(),
        "channel": asked.channel if channel is _UNCHANGED else channel,
    }
    return f"app?{urlencode({name: value for name, value in query.items() if value})}"
