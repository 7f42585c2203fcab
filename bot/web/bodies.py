"""Reads what a request brings along, and never more of it than is allowed."""

from __future__ import annotations

from aiohttp import web
from aiohttp.http import HttpProcessingError


async def read_body(request: web.Request, most: int) -> bytes | int:
    """Return the body, or the status that refuses it: 413 where it is longer, 400 where it cannot be read."""
    try:
        raw = await request.content.read(most + 1)
        while len(raw) <= most and not request.content.at_eof():
            raw += await request.content.read(most + 1 - len(raw))
    except (ConnectionError, web.RequestPayloadError, HttpProcessingError):
        return 400
    return raw if len(raw) <= most else 413
