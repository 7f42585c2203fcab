"""Composes each new delivery once while it waits, so that what can never be sent is known at once, not at its turn."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress

from bot.agenda.composing import compose, material
from bot.compose.post import Composer
from bot.domain.channel import Channel, ChannelId
from bot.domain.delivery import DeliveryId, HeldReason, State
from bot.errors import ComposeError, LostClaimError
from bot.outbox.record import about
from bot.store import channels, deliveries
from bot.store.database import Database
from bot.store.decisions import decide

_AT_A_LOOK = 50


class Proofreader:
    """Reads what was queued, a little at a time, between deliveries."""

    def __init__(self, database: Database, composer: Composer, served: Mapping[ChannelId, Channel]) -> None:
        self._database = database
        self._composer = composer
        self._served = served
        self._unread: list[DeliveryId] = []

    def note(self, queued: Iterable[DeliveryId]) -> None:
        """Remember what is to be read."""
        self._unread.extend(queued)

    async def look(self) -> None:
        """Read some of what was queued; what has left meanwhile needs no reading."""
        batch, self._unread = self._unread[:_AT_A_LOOK], self._unread[_AT_A_LOOK:]
        for delivery_id in batch:
            await self._read(delivery_id)
            await asyncio.sleep(0)  # the worker goes first

    async def finish(self) -> None:
        """Read all that was queued."""
        while self._unread:
            await self.look()

    async def _read(self, delivery_id: DeliveryId) -> None:
        async with self._database.read() as tx:
            delivery = await deliveries.get(tx, delivery_id)
            channel = self._served.get(delivery.channel_id)
            if delivery.state is not State.PLANNED or delivery.article_id is None or channel is None:
                return
            made_of = await material(tx, delivery)
        try:
            compose(self._composer, made_of, channel, at=delivery.turn_at)
        except ComposeError as error:
            async with channels.turn(self._database, [delivery.channel_id]) as (tx, now):
                with suppress(LostClaimError):
                    await deliveries.move(
                        tx, delivery, State.HELD, now, held_reason=HeldReason.TEMPLATE, error=str(error)
                    )
                    await decide(tx, [about(delivery, "held: template", str(error))], now)
