"""Articles and channels for the composing tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bot.compose.post import Composer
from bot.domain.article import Article
from bot.domain.channel import CallToAction, Channel, Platform
from bot.domain.timetable import Timetable

TEMPLATES = Path(__file__).parents[3] / "config" / "templates"
KYIV = Timetable(zone=ZoneInfo("Europe/Kyiv"))
NOON = datetime(2025, 5, 14, 9, tzinfo=UTC)  # a Wednesday, 12:00 in Kyiv


def composer() -> Composer:
    """Return a composer on our own templates."""
    return Composer(TEMPLATES)


def an_article(**changed: Any) -> Article:
    """Return an article with everything a post can use."""
    values: dict[str, Any] = {
        "url": "https://news.example/bridge",
        "title": "Міст через річку відкрили для проїзду",
        "lead": "Рух мостом дозволили в обидва боки. Ремонт тривав вісім місяців.",
        "body": "Перші автівки проїхали мостом о 9:00.\n\nКомісія перевірила опори й настил.",
        "photo_url": "https://news.example/bridge.jpg",
        "photo_credit": "Фото: пресслужба міськради",
        "published_at": NOON - timedelta(minutes=20),
    }
    return Article(**{**values, **changed})


def a_channel(platform: Platform = Platform.TELEGRAM, **changed: Any) -> Channel:
    """Return a channel with a call to action."""
    values: dict[str, Any] = {
        "name": f"{platform.value}-main",
        "platform": platform,
        "address": "@example",
        "timetable": KYIV,
        "call_to_action": CallToAction(text="Підписуйтесь на наш Telegram", url="https://t.me/example"),
    }
    return Channel(**{**values, **changed})
