"""The push API: a CMS hands articles over, or takes them back. All of a request is taken in, or none."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from aiohttp.http import HttpProcessingError

from bot.clock import Clock
from bot.errors import DatabaseError, SourceError
from bot.intake.one_pass import Intake
from bot.sources.canonical import canonical
from bot.sources.normal import FieldError, article_from
from bot.web.limits import Allowance
from bot.web.problems import CLIENT, problem

MAX_BYTES = 2 * 1024 * 1024
_MOST_PER_REQUEST = 5000
_PER_TOKEN = (2000, 100.0)  # at once, per second: a CMS that hands over its whole day is welcome
_PER_STRANGER = (20, 0.5)


class Push:
    """POST and DELETE /api/articles.

    Args:
        tokens: accepted bearer tokens; none closes the door (404).
        source: the name under which articles come in.
    """

    def __init__(self, intake: Intake, clock: Clock, tokens: tuple[str, ...], source: str) -> None:
        self._intake = intake
        self._tokens = tuple(token.encode() for token in tokens)
        self._source = source
        self._allowance = Allowance(clock, *_PER_TOKEN)
        self._patience = Allowance(clock, *_PER_STRANGER)

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Open the doors."""
        router.add_post("/api/articles", self.post)
        router.add_delete("/api/articles", self.delete)

    async def post(self, request: web.Request) -> web.Response:
        """Take in one article or a list of them; 202 with what became of each."""
        refused = self._refused(request)
        if refused is not None:
            return refused
        body = await _json(request)
        if isinstance(body, web.Response):
            return body
        told = body if isinstance(body, list) else [body]
        if len(told) > _MOST_PER_REQUEST:
            return problem(413, f"{len(told)} articles in one request; at most {_MOST_PER_REQUEST} are allowed")
        articles = []
        for place, plain in enumerate(told):
            where = f"[{place}]" if isinstance(body, list) else ""
            if not isinstance(plain, Mapping):
                return problem(422, f"{where or 'the body'} is no article but {type(plain).__name__}", field=where)
            try:
                articles.append(article_from(plain, where))
            except FieldError as error:
                return problem(422, str(error), field=f"{where}.{error.field}".lstrip("."))
        try:
            report = await self._intake.accept(articles, self._source)
        except DatabaseError:
            return problem(503, "the store does not answer; nothing was taken in, send it again", headers=_LATER)
        accepted = [{"url": one.url, "revision": one.revision, "status": one.status} for one in report.accepted]
        return web.json_response(accepted, status=202)

    async def delete(self, request: web.Request) -> web.Response:
        """Retract the article at `url`."""
        refused = self._refused(request)
        if refused is not None:
            return refused
        body = await _json(request)
        if isinstance(body, web.Response):
            return body
        if not isinstance(body, dict) or not isinstance(body.get("url"), str):
            return problem(422, 'the body is like {"url": "https://…", "reason": "…"}', field="url")
        try:
            url = canonical(body["url"])
        except (SourceError, ValueError) as error:
            return problem(422, f"url: {error}", field="url")
        try:
            known = await self._intake.retract(url, str(body.get("reason") or ""))
        except DatabaseError:
            return problem(503, "the store does not answer; nothing was retracted, send it again", headers=_LATER)
        if not known:
            return problem(404, f"no article is known at {url}")
        return web.json_response({"url": url, "status": "retracted"}, status=202)

    def _refused(self, request: web.Request) -> web.Response | None:
        if not self._tokens:
            return problem(404, "there is no push API here (VISTNYK_PUSH__TOKENS)")
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        token = given.strip().encode("utf-8", "surrogateescape")
        matches = [hmac.compare_digest(token, accepted) for accepted in self._tokens]
        if kind.lower() != "bearer" or not any(matches):
            if not self._patience.take(request[CLIENT]):
                return problem(429, "too many requests without a valid token", headers=_LATER)
            return problem(401, "a valid bearer token is needed", headers={"WWW-Authenticate": "Bearer"})
        if not self._allowance.take(str(matches.index(True))):
            return problem(429, "too many requests with this token; slow down", headers=_LATER)
        return None


_LATER = {"Retry-After": "5"}


async def _json(request: web.Request) -> Any:
    """Return the body as JSON values, or the answer that refuses it."""
    try:
        raw = await request.content.read(MAX_BYTES + 1)
        while len(raw) <= MAX_BYTES and not request.content.at_eof():
            raw += await request.content.read(MAX_BYTES + 1 - len(raw))
    except ConnectionError:
        return problem(400, "the body ended early")
    except (web.RequestPayloadError, HttpProcessingError):
        return problem(400, "the body cannot be read: it is not packed as its Content-Encoding says")
    if len(raw) > MAX_BYTES:
        return problem(413, f"the body is larger than {MAX_BYTES} bytes")
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        return problem(422, f"the body is no JSON: {error}")
