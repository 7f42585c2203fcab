"""Who has the calendar open: Telegram's signed data or a one-time link become a session, its cookie becomes a person.

The cookie holds a random token; the store keeps its hash. The nonce that each write carries is made of the token: it
ends with the session, and nobody can make it who has not seen the page. What the person may do is asked of the editors
at every request, never remembered here.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock
from bot.domain.editor import Editor, Role
from bot.errors import DeskError, TooOftenError
from bot.store import editors, passes
from bot.store.database import Database
from bot.web import init_data, texts
from bot.web.limits import Allowance
from bot.web.problems import CLIENT, HTTPS

NONCE_HEADER = "X-Calendar-Nonce"
_COOKIE = "vistnyk-calendar"
_LONGEST_TOKEN = 128
# Tries to get in, at once and per second: of an address that vouches for nobody, of a person, of links from an address.
_PER_STRANGER = (20, 0.2)
_PER_PERSON = (10, 0.1)
_PER_GUEST = (60, 2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A person with an open session. `nonce` is what their page sends along with each write."""

    session: passes.Session
    editor: Editor
    nonce: str


class Sessions:
    """Opens sessions and knows them again, whichever replica opened them.

    Args:
        tokens: of the bots whose Mini App this is.
        public_url: under which the service is reached; with https there, cookies are for https alone.
    """

    def __init__(self, database: Database, clock: Clock, tokens: Sequence[str], public_url: str = "") -> None:
        self._database = database
        self._tokens = tuple(tokens)
        self._strangers = Allowance(clock, *_PER_STRANGER)
        self._people = Allowance(clock, *_PER_PERSON)
        self._guests = Allowance(clock, *_PER_GUEST)
        public = urlsplit(public_url)
        self._safe_host = public.netloc.lower() if public.scheme == "https" else None

    async def enter_signed(self, request: web.Request, given: str) -> web.Response:
        """Open a session for whoever Telegram signed these data for; they serve once.

        Raises:
            DeskError: Telegram vouches for nobody, or for nobody of the desk.
            TooOftenError: they try too often.
        """
        try:
            signed = init_data.read(given, self._tokens)
        except DeskError:
            self._take(self._strangers, request[CLIENT])
            raise
        # From here on the store is asked: a person, however often, costs it little.
        self._take(self._people, str(signed.telegram_id))
        async with self._database.read() as tx:
            init_data.require_fresh(signed, await self._database.now(tx))
            editor = await self._editor(tx, signed.telegram_id)
        async with self._database.write() as tx:
            now = await self._database.now(tx)
            # A moment longer than they are fresh: remembered for as long as they could be believed.
            until = signed.signed_at + 2 * init_data.FRESH_FOR
            if not await passes.spend(tx, signed.signature, signed.telegram_id, now, until):
                raise DeskError(texts.USED)
            token = await passes.open_session(tx, signed.telegram_id, now)
        answer = web.json_response({"name": editor.name})
        # Telegram's web clients show the page in a frame: only such a cookie comes back from there.
        self._set_cookie(request, answer, token, framed=True)
        return answer

    async def enter_linked(self, request: web.Request, link: str) -> web.Response:
        """Open a session for whom this link was made; it serves once.

        Raises:
            DeskError: the link is unknown or over, or the person is no editor any more.
            TooOftenError: links are tried from there too often.
        """
        self._take(self._guests, request[CLIENT])
        async with self._database.read() as tx:
            known = len(link) <= _LONGEST_TOKEN and await passes.is_link(tx, link)
        if not known:
            raise DeskError(texts.LINK_OVER)
        async with self._database.write() as tx:
            now = await self._database.now(tx)
            telegram_id = await passes.use_link(tx, link, now)
            if telegram_id is None:
                raise DeskError(texts.LINK_OVER)
            await self._editor(tx, telegram_id)
            token = await passes.open_session(tx, telegram_id, now)
        answer = web.Response(status=303, headers={"Location": "../app"})
        self._set_cookie(request, answer, token, framed=False)
        return answer

    async def visit(self, request: web.Request, tx: AsyncConnection) -> Visit | None:
        """Return who asks; None without an open session of somebody who is an editor now."""
        token = request.cookies.get(self._cookie(request), "")
        if not token or len(token) > _LONGEST_TOKEN:
            return None
        session = await passes.session(tx, token, await self._database.now(tx))
        if session is None:
            return None
        editor = await editors.find(tx, session.telegram_id)
        if editor is None or not editor.may(Role.VIEWER):
            return None
        nonce = hmac.digest(token.encode(), b"a write from the calendar's own page", "sha256").hex()
        return Visit(session=session, editor=editor, nonce=nonce)

    async def _editor(self, tx: AsyncConnection, telegram_id: int) -> Editor:
        editor = await editors.find(tx, telegram_id)
        if editor is None or not editor.may(Role.VIEWER):
            raise DeskError(texts.NOT_AN_EDITOR.format(number=telegram_id))
        return editor

    @staticmethod
    def _take(allowance: Allowance, key: str) -> None:
        if not allowance.take(key):
            raise TooOftenError(texts.TOO_OFTEN)

    def _is_safe(self, request: web.Request) -> bool:
        return request[HTTPS] or request.host.lower() == self._safe_host

    def _cookie(self, request: web.Request) -> str:
        # With this prefix a browser takes the cookie from this very host over https alone, from no neighbour.
        return f"__Host-{_COOKIE}" if self._is_safe(request) else _COOKIE

    def _set_cookie(self, request: web.Request, answer: web.Response, token: str, *, framed: bool) -> None:
        lasts = int(passes.SESSION_LASTS.total_seconds())
        parts = [f"{self._cookie(request)}={token}", "Path=/", f"Max-Age={lasts}", "HttpOnly"]
        if self._is_safe(request):
            parts += ["Secure", *(("SameSite=None", "Partitioned") if framed else ("SameSite=Lax",))]
        else:
            parts.append("SameSite=Lax")
        answer.headers.add("Set-Cookie", "; ".join(parts))  # http.cookies knows Partitioned from Python 3.14 on


def carries_nonce(request: web.Request, visit: Visit) -> bool:
    """Say whether a write comes from the page of this very session."""
    given = request.headers.get(NONCE_HEADER, "").encode("utf-8", "surrogateescape")
    return hmac.compare_digest(given, visit.nonce.encode())


def is_foreign(request: web.Request) -> bool:
    """Say whether a browser tells that another site made it ask; old browsers tell nothing."""
    return request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none")
