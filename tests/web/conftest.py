"""The doors of a whole bot, asked over real HTTP."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.app import Service
from bot.sandbox import Sandbox
from tests.journeys.outlet import PUSH_TOKEN, Outlet

ARTICLES = "/api/articles"


@dataclass(slots=True, kw_only=True)
class Reply:
    """What a door answered."""

    status: int
    headers: Any
    body: bytes
    json: Any

    def refuses(self, status: int, *parts: str, field: str | None = None) -> None:
        """Assert that this is a problem document (RFC 9457) that says these things."""
        assert self.status == status, self.body
        assert self.headers["Content-Type"].startswith("application/problem+json")
        assert (self.json["type"], self.json["status"]) == ("about:blank", status)
        assert self.json["title"]
        for part in parts:
            assert part in self.json["detail"], self.json
        if field is not None:
            assert self.json["field"] == field, self.json


class Visitor:
    """Asks the doors of a service as a CMS, a Prometheus or a stranger would."""

    def __init__(self, client: aiohttp.ClientSession, service: Service) -> None:
        assert service.server is not None
        self.service = service
        self.root = f"http://127.0.0.1:{service.server.port}"
        self.client = client

    async def ask(self, method: str, path: str, *, token: str | None = None, **more: Any) -> Reply:
        headers = dict(more.pop("headers", {}))
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        root = "" if path.startswith("http") else self.root
        async with self.client.request(method, root + path, headers=headers, **more) as answer:
            body = await answer.read()
            content = await answer.json(content_type=None) if "json" in answer.content_type else None
            return Reply(status=answer.status, headers=answer.headers, body=body, json=content)

    async def push(self, told: Any, *, token: str | None = PUSH_TOKEN, **more: Any) -> Reply:
        body = io.BytesIO(json.dumps(told, ensure_ascii=False).encode())
        return await self.ask("POST", ARTICLES, token=token, data=body, **more)

    async def retract(self, told: Any, *, token: str | None = PUSH_TOKEN) -> Reply:
        return await self.ask("DELETE", ARTICLES, token=token, json=told)


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as running:
        yield running


@pytest.fixture
def outlet(tmp_path: Path, sandbox: Sandbox, sqlite_url: str) -> Outlet:
    return Outlet(tmp_path, sandbox, sqlite_url)


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as opened:
        yield opened


@pytest.fixture
async def visitor(outlet: Outlet, client: aiohttp.ClientSession) -> AsyncIterator[Visitor]:
    """A visitor of a service whose worker waits to be told (`worker.drain`)."""
    async with outlet.open(serve_web=True) as service:
        yield Visitor(client, service)
