"""Health, readiness, metrics: what an orchestrator and a Prometheus ask."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from bot.errors import DatabaseError
from bot.metrics import Metrics
from bot.store.database import Database

_STILL_ALIVE = 60.0  # seconds without a beat


class Health:
    """Answers for the whole process.

    Args:
        beat_age: seconds since the worker last looked at the queue.
    """

    def __init__(self, database: Database, metrics: Metrics, beat_age: Callable[[], float]) -> None:
        self._database = database
        self._metrics = metrics
        self._beat_age = beat_age

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Open the doors."""
        router.add_get("/healthz", self.healthz)
        router.add_get("/readyz", self.readyz)
        router.add_get("/metrics", self.metrics)

    async def healthz(self, _: web.Request) -> web.Response:
        """200 while loop and worker beat; a database outage alone does not matter here."""
        age = self._beat_age()
        if age < _STILL_ALIVE:
            return web.json_response({"status": "ok", "beat_age_seconds": round(age, 1)})
        reason = f"the worker has not looked at the queue for {age:.0f} s"
        return web.json_response({"status": "failing", "reason": reason}, status=503)

    async def readyz(self, _: web.Request) -> web.Response:
        """200 when the database answers with this release's schema or a newer one."""
        try:
            await self._database.require_schema()
        except DatabaseError as error:
            return web.json_response({"status": "not ready", "reason": str(error)}, status=503)
        return web.json_response({"status": "ready"})

    async def metrics(self, _: web.Request) -> web.Response:
        """Prometheus text."""
        return web.Response(body=generate_latest(self._metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
