"""What the outbox holds for each channel, and the times it works by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channels.base import Publisher
from bot.domain.channel import Channel, ChannelId, Platform
from bot.store import pace
from bot.store.database import Database
from bot.store.pace import Limit

_USUAL = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One channel: as configured, its row's id, its adapter, and the limits of pace that it keeps."""

    id: ChannelId
    channel: Channel
    publisher: Publisher
    limits: tuple[Limit, ...] = ()

    async def is_banned(self, tx: AsyncConnection, now: datetime) -> bool:
        """Whether the platform told us to wait, or pace alone makes a call wait for longer than usual."""
        return await pace.earliest(tx, self.limits, now) > now + _USUAL

    async def rest(self, tx: AsyncConnection, now: datetime) -> None:
        """Let all replicas know for how long the platform wants to be left alone."""
        if rest := self.publisher.rest_for:
            await pace.ban(tx, self.limits, now + rest)

    async def heed(self, database: Database) -> None:
        """After a look: do the same in a transaction of its own, where there is anything to tell."""
        if self.publisher.rest_for:
            async with database.write() as tx:
                await self.rest(tx, await database.now(tx))


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long things may take; CONTRACT section 3, VISTNYK_DELIVERY__*."""

    timeout: timedelta = timedelta(seconds=8)
    lease: timedelta = timedelta(seconds=30)
    settle: timedelta = timedelta(seconds=90)
    facebook_settle: timedelta = timedelta(minutes=10)
    hold_after: timedelta = timedelta(minutes=30)
    gather: timedelta = timedelta(minutes=2)

    def settle_of(self, platform: Platform) -> timedelta:
        """Return how long a platform may show an old copy of a channel."""
        return self.facebook_settle if platform is Platform.FACEBOOK else self.settle

    @property
    def guard(self) -> timedelta:
        """How old a mark may be when the call leaves."""
        return self.lease / 3
