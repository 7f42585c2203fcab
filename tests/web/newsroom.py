"""A newsroom with a calendar: its channels, its editors, Telegram's signature, and what waits at noon of a Monday."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from bot.agenda.forecast import forecast
from bot.app import Service, open_service
from bot.domain.article import Article
from bot.domain.channel import ChannelId
from bot.domain.delivery import Delivery
from bot.store import decisions, deliveries
from bot.store.tables import deliveries as rows
from tests.factories import NOON, an_article
from tests.fakes import FakeClock
from tests.journeys.outlet import BOT_ID, BOT_TOKEN, Outlet

SECOND_TOKEN = "100000002:AAE-sandbox-token-for-the-second-bot-01"
CHIEF, EDITOR, VIEWER, SPORT_EDITOR, STRANGER = 1001, 1002, 1003, 1004, 6666
MAIN, PAGE, SPORT = "telegram-main", "facebook-main", "telegram-sport"
_CHANNEL = """
[[channels]]
name = "{name}"
platform = "{platform}"
address = "{address}"
token_env = "{token}"
{more}
call_to_action = {{ text = "Підписуйтесь на нас", url = "https://t.me/outlet_main" }}
check_link = false
silent = []
[channels.schedule]
windows = ["07:00-23:00"]
blackouts = ["09:00-09:02", "18:00-18:30"]
min_gap = "20m"
fresh_for = "48h"
catch_up = "all"
"""
_EDITOR = """
[[editors]]
telegram_id = {id}
name = "{name}"
role = "{role}"
channels = {channels}
"""
TOML = "".join(
    [
        'timezone = "Europe/Kyiv"\n[[sources]]\nname = "push"\nkind = "push"\n',
        _CHANNEL.format(name=MAIN, platform="telegram", address="@outlet_main", token="", more=""),
        _CHANNEL.format(name=PAGE, platform="facebook", address="200000000000001", token="PAGE_TOKEN", more=""),
        _CHANNEL.format(
            name=SPORT, platform="telegram", address="@outlet_sport", token="SPORT_TOKEN", more='rubrics = ["Спорт"]'
        ),
        _EDITOR.format(id=CHIEF, name="Олена", role="chief", channels=[]),
        _EDITOR.format(id=EDITOR, name="Андрій", role="editor", channels=[]),
        _EDITOR.format(id=VIEWER, name="Марія", role="viewer", channels=[]),
        _EDITOR.format(id=SPORT_EDITOR, name="Тарас", role="editor", channels=[SPORT]),
    ]
)


def furnish(outlet: Outlet) -> None:
    """Give an outlet the channels and the editors of this newsroom."""
    telegram = outlet.sandbox.telegram
    telegram.add_bot(SECOND_TOKEN, username="sport_bot", id=100000002)
    telegram.add_channel("outlet_sport", id=-1001000000002, title="Спорт", bots={100000002: None, BOT_ID: None})
    outlet.variables["SPORT_TOKEN"] = SECOND_TOKEN
    outlet.toml.write_text(TOML, "utf-8")


def signed(
    person: int | None = EDITOR,
    at: datetime = NOON,
    *,
    token: str = BOT_TOKEN,
    user: str | None = None,
    **fields: str,
) -> str:
    """Return `initData` as Telegram makes it for a person who opens the Mini App of a bot."""
    told = {"auth_date": str(int(at.timestamp())), "query_id": "AAHdF6IQAAAAAN0XohDhrOrc"}
    if person is not None:
        told["user"] = user or json.dumps({"id": person, "first_name": "Андрій", "language_code": "uk"})
    told |= fields
    return urlencode(told | {"hash": signature(told, token)})


def signature(told: dict[str, str], token: str) -> str:
    """Return Telegram's hash over fields."""
    lines = "\n".join(f"{name}={told[name]}" for name in sorted(told))
    key = hmac.new(b"WebAppData", token.encode(), hashlib.sha256).digest()
    return hmac.new(key, lines.encode(), hashlib.sha256).hexdigest()


@dataclass(slots=True, kw_only=True)
class Newsroom:
    """A running bot whose worker waits to be told, at a time of its own."""

    service: Service
    clock: FakeClock | None

    @property
    def root(self) -> str:
        assert self.service.server is not None
        return f"http://127.0.0.1:{self.service.server.port}"

    def id_of(self, channel: str) -> ChannelId:
        return next(id for id, one in self.service.house.served.items() if one.name == channel)

    async def take_in(self, *articles: Article) -> None:
        """Queue articles; nothing leaves."""
        await self.service.house.intake.accept(list(articles), "push")

    async def delivery(self, title: str, channel: str = MAIN) -> Delivery:
        """Return the delivery of an article to a channel."""
        async with self.service.house.database.read() as tx:
            from bot.store.tables import articles

            found = await deliveries.find(
                tx,
                rows.c.channel_id == self.id_of(channel),
                rows.c.article_id.in_(
                    articles.select()
                    .with_only_columns(articles.c.id)
                    .where(articles.c.content["title"].as_string() == title)
                ),
            )
        return found[-1]

    async def plan(self, now: datetime | None = None) -> dict[int, datetime]:
        """Return when each waiting post goes out, as `vistnyk plan` tells it."""
        database = self.service.house.database
        async with database.read() as tx:
            slots = await forecast(tx, self.service.house.served, now or await database.now(tx))
        return {slot.head.delivery: slot.at for _, slot in slots if not slot.expires}

    async def acts(self) -> list[dict[str, Any]]:
        """Return who did what."""
        async with self.service.house.database.read() as tx:
            return await decisions.acts(tx)

    async def state(self) -> list[tuple[Any, ...]]:
        """Return all that an intruder could have changed."""
        async with self.service.house.database.read() as tx:
            queue = await tx.execute(
                rows.select()
                .with_only_columns(rows.c.id, rows.c.state, rows.c.pinned_at, rows.c.words, rows.c.held_reason)
                .order_by(rows.c.id)
            )
            return [*(tuple(row) for row in queue), *[tuple(act.values()) for act in await decisions.acts(tx)]]


@asynccontextmanager
async def open_newsroom(outlet: Outlet, *, clock: FakeClock | None = None) -> AsyncIterator[Newsroom]:
    """Open the bot with its web server."""
    await outlet.migrate()
    async with open_service(outlet.configuration(), clock=clock, serve_web=True) as service:
        yield Newsroom(service=service, clock=clock)


def day_of_news(now: datetime = NOON) -> list[Article]:
    """Return articles of a day: some fresh, some for later, one long, one without a photo credit."""
    titles = [
        ("Міст через Тиху відкрили після ремонту", "Місто", 0),
        ("У музеї показали карту міста, якій триста років", "Культура", 0),
        ("Дощі повернуться у середу, рятувальники радять не лишати авто під деревами", "Погода", 0),
        ("Збірна міста виграла кубок області з веслування", "Спорт", 0),
        ("Бібліотека на Подолі працюватиме до десятої вечора", "Місто", 1),
        ("Тролейбус № 7 змінить маршрут на час ярмарку", "Місто", 5),
        ("На стадіоні зафарбували дві старі трибуни", "Спорт", 26),
    ]
    return [
        an_article(title=title, rubric=rubric, published_at=now + timedelta(hours=hours, minutes=number))
        for number, (title, rubric, hours) in enumerate(titles)
    ]
