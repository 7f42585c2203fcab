from __future__ import annotations

from collections.abc import AsyncIterator
from ipaddress import ip_network
from zoneinfo import ZoneInfo

import pytest

from bot.network import Fetcher
from tests.sources.site import Site


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with Site() as running:
        yield running


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    """A fetcher that may reach the site, and nothing else that is private."""
    async with Fetcher((ip_network("127.0.0.1/32"),), timeout=5) as opened:
        yield opened


@pytest.fixture
async def guarded() -> AsyncIterator[Fetcher]:
    """A fetcher as it is without any setting."""
    async with Fetcher(timeout=5) as opened:
        yield opened


@pytest.fixture
def kyiv() -> ZoneInfo:
    return ZoneInfo("Europe/Kyiv")
