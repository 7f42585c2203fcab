"""Answers to bad requests: RFC 9457 problem details, one clear sentence each."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

_TITLES = {
    400: "Bad request",
    401: "Not authorised",
    404: "Not found",
    413: "Too large",
    422: "Not an article",
    429: "Too many requests",
    503: "Not available",
}


def problem(status: int, detail: str, *, headers: dict[str, str] | None = None, **more: Any) -> web.Response:
    """Return a problem document.

    Args:
        more: further members, like `field`.
    """
    document = {"type": "about:blank", "title": _TITLES[status], "status": status, "detail": detail, **more}
    return web.Response(
        status=status,
        text=json.dumps(document, ensure_ascii=False),
        content_type="application/problem+json",
        headers=headers,
    )
