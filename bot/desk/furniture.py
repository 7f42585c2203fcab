"""What the desk is given; `app` gathers it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import time, timedelta
from zoneinfo import ZoneInfo

from bot.channels.base import Publisher
from bot.channels.telegram_bot import TelegramBot
from bot.clock import Clock
from bot.compose.post import Composer
from bot.desk.previews import Photos
from bot.desk.updates import Patience
from bot.desk.webhooks import Hook
from bot.domain.channel import Channel, ChannelId
from bot.domain.timetable import Daily
from bot.intake.one_pass import Intake
from bot.network import Fetcher
from bot.store.database import Database
from bot.store.pace import Limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Furniture:
    """What the desk is given.

    `bot` speaks with people, None for none; `bots` are all that are heard, `bot` among them. `limits` returns the rates
    that writing to a chat keeps. `photos` is where those of posts come from; `intake` takes in what editors bring, from
    pages that `fetcher` opens. `undo` is how long «Зупинити» holds back a post, `summary_at` when the day's account is
    told, `sources` the names of those that are asked. `hook` is where Telegram brings updates; None: it is asked for
    them. `calendar_url` is where people reach the calendar.
    """

    database: Database
    clock: Clock
    served: Mapping[ChannelId, Channel]
    publishers: Mapping[ChannelId, Publisher]
    composer: Composer
    photos: Photos
    intake: Intake
    fetcher: Fetcher
    holder: str
    zone: ZoneInfo
    bot: TelegramBot | None = None
    bots: Sequence[TelegramBot] = ()
    limits: Callable[[int], Sequence[Limit]] = lambda _: ()
    chat: int = 0
    quiet: Sequence[Daily] = ()
    undo: timedelta = timedelta(0)
    summary_at: time = time(21)
    sources: Collection[str] = ()
    alert_url: str = ""
    web_url: str = "https://t.me"
    patience: Patience | None = None
    hook: Hook | None = None
    calendar_url: str = ""
