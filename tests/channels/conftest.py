from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.channels.platforms import FacebookStage, Stage, TelegramStage, facebook_stage, telegram_stage


@pytest.fixture(params=["telegram", "facebook"])
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    """One platform with a channel that the bot may write to; every test runs on both."""
    opened = telegram_stage() if request.param == "telegram" else facebook_stage()
    async with opened as built:
        yield built


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramStage]:
    async with telegram_stage() as built:
        yield built


@pytest.fixture
async def facebook() -> AsyncIterator[FacebookStage]:
    async with facebook_stage() as built:
        yield built
