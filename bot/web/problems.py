"""Answers to bad requests: RFC 9457 problem details, one clear sentence each."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from aiohttp import web

CLIENT = web.RequestKey("client", str)  # the address of whoever asks
HTTPS = web.RequestKey("https", bool)  # whether they asked over https, seen through trusted proxies only

_TITLES = {401: "Not authorised", 413: "Too large", 422: "Not an article", 503: "Not available"}


def problem(status: int, detail: str, *, headers: dict[str, str] | None = None, **more: Any) -> web.Response:
    """Return a problem document.

    Args:
        more: further members, like `field`.
    """
    document = {
        "type": "about:blank",
        "title": _TITLES.get(status) or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **more,
    }
    return web.Response(
        status=status,
        text=json.dumps(document, ensure_ascii=False),
        content_type="application/problem+json",
        headers=headers,
    )
