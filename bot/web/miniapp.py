"""The doors of the editors' calendar: who comes in, and what they are shown. What they may change: `calendar_write`.

Every answer carries a strict Content-Security-Policy, and nothing is loaded from elsewhere but Telegram's own script.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web
from aiohttp.typedefs import Handler
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channels.photo import PhotoDesk
from bot.clock import Clock
from bot.compose.post import Composer
from bot.domain.channel import Channel, ChannelId
from bot.domain.editor import Role
from bot.errors import DatabaseError, DeskError, FetchError, PhotoError, TooOftenError
from bot.store.database import Database
from bot.web import calendar_read, calendar_view, post_view, texts
from bot.web.bodies import read_body
from bot.web.calendar_view import Asked
from bot.web.calendar_write import Changes
from bot.web.limits import Allowance
from bot.web.live import Live
from bot.web.problems import problem
from bot.web.rendering import Pages, answer, mark_of
from bot.web.session import Sessions, Visit, is_foreign

MOST_BYTES = 16 * 1024  # of what lets in; signed data has about one
_LOOKS = (120, 4.0)  # of one session: at once, per second
_PHOTO_WITHIN = 15.0  # seconds
_AT_ONCE = 2  # looks that read the store: an embedded one has four connections, and the worker needs some
# Telegram's web clients show a Mini App in a frame: web.telegram.org, and its versions under names beside it.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' https://telegram.org/js/telegram-web-app.js",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors https://web.telegram.org https://*.telegram.org",
    )
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_LATER = {"Retry-After": "10"}


class Miniapp:
    """GET /app and what belongs to it.

    Args:
        served: all channels, by id, in the order in which they are shown.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        sessions: Sessions,
        composer: Composer,
        photos: PhotoDesk,
        served: Mapping[ChannelId, Channel],
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._composer = composer
        self._photos = photos
        self._served = served
        self._pages = Pages()
        self._colours = calendar_view.colours(channel.name for channel in served.values())
        self._looks = Allowance(clock, *_LOOKS)
        self.live = Live(database)
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._changes = Changes(database, clock, sessions, served, self.live.ring)

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Open the doors."""
        router.add_get("/app", self._door(self.page))
        router.add_post("/app/session", self._door(self.enter))
        router.add_get("/app/events", self._door(self.events))
        router.add_get(r"/app/post/{delivery:\d{1,18}}", self._door(self.post))
        router.add_get(r"/app/photo/{delivery:\d{1,18}}/{number:\d{1,2}}", self._door(self.photo))
        router.add_post("/app/move", self._door(self._changes.move))
        router.add_post("/app/unpin", self._door(self._changes.unpin))
        router.add_get("/app/static/{name}", self._door(self.static))

    # --- coming in ------------------------------------------------------------------------------------------------

    async def enter(self, request: web.Request) -> web.Response:
        """Take Telegram's signed data (JSON or a form), or a one-time link (a form), for a session."""
        if is_foreign(request):
            return self._refuse(request, 403, texts.FOREIGN)
        body = await _body(request)
        if isinstance(body, int):
            return self._refuse(request, body, texts.TOO_LARGE if body == 413 else texts.NOT_UNDERSTOOD)
        signed, link = body.get("initData"), body.get("link")
        if isinstance(link, str):
            return await self._sessions.enter_linked(request, link)
        if not isinstance(signed, str):
            return self._refuse(request, 422, texts.NOT_UNDERSTOOD, field="initData")
        return await self._sessions.enter_signed(request, signed)

    async def page(self, request: web.Request) -> web.Response:
        """Show the calendar (with `part`, what changes of it); without a session, the way in."""
        link = request.query.get("link")
        if link is not None:
            return self._pages.render("entry", line=texts.LINK_READY, link=link[:200])
        async with self._turn, self._database.read() as tx:
            visit = await self._sessions.visit(request, tx)
            if visit is None:
                if "part" in request.query:
                    return problem(403, texts.SESSION_OVER)
                return self._pages.render("entry", line=texts.OPENING, link=None)
            if not self._looks.take(visit.session.key):
                return self._refuse(request, 429, texts.TOO_OFTEN, headers=_LATER)
            now = await self._database.now(tx)
            seen = await calendar_read.seen_by(tx, self._served, visit.editor, now)
            if not seen:
                return self._refuse(request, 403, texts.NO_CHANNELS)
            asked = Asked.read(request.query, seen[0].channel.timetable.day_of(now))
            if asked.channel is not None and asked.channel not in [one.channel.name for one in seen]:
                return self._refuse(request, 403, texts.NOT_FOR_YOU.format(channel=asked.channel[:64]))
            view = await calendar_read.read(tx, asked, seen, self._colours, now)
        chips = [
            {"name": one.channel.name, "colour": self._colours[one.channel.name], "waiting": one.waiting}
            for one in seen
        ]
        alone = len(seen) == 1 or asked.channel is not None
        grid = self._pages.write("grid", view=view, channels=chips, alone=alone)
        mark = mark_of(grid)
        if "part" in request.query:
            return answer(grid, mark=mark)
        return self._pages.render("calendar", grid=grid, mark=mark, nonce=visit.nonce, person=visit.editor.telegram_id)

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Tell an open page when it should look again."""
        visit = await self._visit(request)
        if visit is None:
            return problem(403, texts.SESSION_OVER)
        key = visit.session.key
        if not self.live.has_room(key):
            return problem(429, texts.TOO_MANY_PAGES, headers=_LATER)

        async def is_open() -> bool:
            return await self._visit(request) is not None

        return await self.live.serve(request, key, is_open)

    async def static(self, request: web.Request) -> web.Response:
        """Hand out a style or a script."""
        found = self._pages.static(request)
        if found is None:
            raise web.HTTPNotFound
        return found

    # --- one post -------------------------------------------------------------------------------------------------

    async def post(self, request: web.Request) -> web.Response:
        """Show one post as its platform does (with `part`, without the page around it)."""
        async with self._turn, self._database.read() as tx:
            visit = await self._sessions.visit(request, tx)
            if visit is None:
                return self._refuse(request, 403, texts.SESSION_OVER)
            if not self._looks.take(visit.session.key):
                return self._refuse(request, 429, texts.TOO_OFTEN, headers=_LATER)
            now = await self._database.now(tx)
            found = await self._find(tx, visit, request)
            if isinstance(found, str):
                return self._refuse(request, 403 if found != texts.NO_POST else 404, found)
            post, channel = found
            delivery = post.delivery
            slot = await calendar_read.slot_of(tx, channel, delivery, now)
            told = await calendar_read.reactions(tx, [delivery.id]) if post.public is not None else {}
        at = post.public.published_at if post.public else slot
        preview = post_view.preview(post, channel, self._composer, at or now)
        zone = channel.timetable.zone
        chosen = max(at or now, now).astimezone(zone)
        return self._pages.render(
            "post" if "part" in request.query else "post_page",
            root="" if "part" in request.query else "../../",
            heading="h2" if "part" in request.query else "h1",
            post=preview,
            delivery=delivery.id,
            channel=channel.name,
            platform=channel.platform.value,
            colour=self._colours[channel.name],
            state=texts.HELD[delivery.held_reason] if delivery.held_reason else texts.STATES[delivery.state],
            when=texts.when(at.astimezone(zone), channel.timetable.day_of(now)) if at else "",
            movable=visit.editor.may(Role.EDITOR, channel.name) and calendar_view.is_movable(delivery),
            pinned=delivery.pinned_at is not None,
            wall=chosen.strftime("%Y-%m-%dT%H:%M"),
            least=now.astimezone(zone).strftime("%Y-%m-%dT%H:%M"),
            reactions=told.get(delivery.id, {}),
        )

    async def photo(self, request: web.Request) -> web.Response:
        """Hand out a photo of a post as it goes out, fetched by the guarded way: the page loads nothing foreign."""
        async with self._turn, self._database.read() as tx:
            visit = await self._sessions.visit(request, tx)
            if visit is None or not self._looks.take(visit.session.key):
                raise web.HTTPForbidden
            found = await self._find(tx, visit, request)
            now = await self._database.now(tx)
        if isinstance(found, str):
            raise web.HTTPNotFound
        photos = post_view.preview(*found, self._composer, now).photos
        number = int(request.match_info["number"])
        if number >= len(photos):
            raise web.HTTPNotFound
        try:
            photo = await asyncio.wait_for(self._photos.get(photos[number]), _PHOTO_WITHIN)
        except (PhotoError, FetchError, TimeoutError):
            raise web.HTTPNotFound from None  # the outbox says of the same photo why it could not be had
        return web.Response(body=photo.jpeg, content_type="image/jpeg")

    async def _find(
        self, tx: AsyncConnection, visit: Visit, request: web.Request
    ) -> tuple[post_view.Found, Channel] | str:
        """Return the post asked for and its channel, or why it is not for this person."""
        found = await post_view.find(tx, int(request.match_info["delivery"]))
        channel = self._served.get(found.delivery.channel_id) if found else None
        if found is None or channel is None:
            return texts.NO_POST
        if not visit.editor.may(Role.VIEWER, channel.name):
            return texts.NOT_FOR_YOU.format(channel=channel.name)
        return found, channel

    # --- all doors ------------------------------------------------------------------------------------------------

    def _door(self, handler: Handler) -> Handler:
        """Give each answer its headers, and say in one line what an editor can do about a refusal."""

        async def answered(request: web.Request) -> web.StreamResponse:
            try:
                given = await handler(request)
            except DatabaseError:
                given = self._refuse(request, 503, texts.STORE_AWAY, headers=_LATER)
            except TooOftenError as error:
                given = self._refuse(request, 429, str(error), headers=_LATER)
            except DeskError as error:
                given = self._refuse(request, 403, str(error))
            if not given.prepared:
                for name, value in _HEADERS.items():
                    given.headers.setdefault(name, value)
            return given

        return answered

    def _refuse(self, request: web.Request, status: int, line: str, **more: Any) -> web.Response:
        """Refuse a person on a page, a script with a problem document."""
        if "part" in request.query or "text/html" not in request.headers.get("Accept", ""):
            return problem(status, line, **more)
        root = "../" * (request.path.strip("/").count("/"))
        page = self._pages.render("refusal", root=root, status=status, line=line)
        page.headers.update(more.get("headers") or {})
        return page

    async def _visit(self, request: web.Request) -> Visit | None:
        async with self._database.read() as tx:
            return await self._sessions.visit(request, tx)


async def _body(request: web.Request) -> dict[str, Any] | int:
    """Return the fields of a JSON object or a form, or the status that refuses them."""
    raw = await read_body(request, MOST_BYTES)
    if isinstance(raw, int):
        return raw
    try:
        if request.content_type == "application/json":
            told = json.loads(raw)
            return told if isinstance(told, dict) else 422
        fields = parse_qs(raw.decode(), keep_blank_values=True, max_num_fields=8)
    except (ValueError, RecursionError):
        return 422
    return {name: values[0] for name, values in fields.items() if len(values) == 1}
