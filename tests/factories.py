"""Ready-made values: an article, a channel, a timetable. Each test names only what it is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.article import Article
from bot.domain.channel import CallToAction, Channel, Platform
from bot.domain.timetable import CatchUp, Timetable

KYIV = ZoneInfo("Europe/Kyiv")
NOON = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)  # 12:00 in Kyiv
_numbers = count(1)


def an_article(**changes: Any) -> Article:
    """Return an article of its own address, published at noon."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "url": f"https://news.example/{number}",
        "title": f"Міст через Тиху відкрили, черга {number}",
        "lead": "Рух мостом відновили зранку. Першими проїхали тролейбуси.",
        "body": "Ремонт тривав три місяці. Роботи завершили вчасно, повідомили в міській раді.",
        "published_at": NOON,
        "photo_credit": "Фото: міська рада",
    }
    return Article(**(values | changes))


def a_timetable(**changes: Any) -> Timetable:
    """Return a timetable that is always open and asks for no gap."""
    values: dict[str, Any] = {
        "zone": KYIV,
        "min_gap": timedelta(0),
        "fresh_for": timedelta(days=3650),
        "catch_up": CatchUp.ALL,
    }
    return Timetable(**(values | changes))


def a_channel(name: str = "main", **changes: Any) -> Channel:
    """Return a Telegram channel that takes everything at once."""
    values: dict[str, Any] = {
        "name": name,
        "platform": Platform.TELEGRAM,
        "address": f"@{name}_example",
        "timetable": a_timetable(),
        "call_to_action": CallToAction(text="Підписуйтесь на наш Telegram", url="https://t.me/example"),
        "check_link": False,
        "silent": (),
    }
    return Channel(**(values | changes))
