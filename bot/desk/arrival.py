"""One update on its way to its handler, and the transaction in which it counts as handled."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection
from telegram import Update, User

from bot.domain.channel import ChannelId
from bot.store import channels, inboxes
from bot.store.database import Database


class HandledError(Exception):
    """This update was handled before, by this replica or another."""


@dataclass(slots=True, kw_only=True)
class Arrival:
    """One update on its way to its handler.

    What a handler changes, it changes within one `turn`: with it the update counts as handled, so that a crash
    neither loses nor repeats it. A handler that changes nothing needs none.
    """

    account: str
    update: Update
    database: Database
    is_counted: bool = field(default=False, init=False)

    @asynccontextmanager
    async def turn(self, ids: Iterable[ChannelId] = ()) -> AsyncIterator[tuple[AsyncConnection, datetime]]:
        """Open the transaction of this update, the rows of these channels locked, and tell the time.

        Raises:
            HandledError: the update was handled before; nothing may be changed for it again.
        """
        async with channels.turn(self.database, list(ids)) as (tx, now):
            if not await inboxes.advance(tx, self.account, self.update.update_id):
                raise HandledError
            yield tx, now
        self.is_counted = True

    @property
    def person(self) -> User:
        """Who wrote or pressed."""
        user = self.update.effective_user
        assert user is not None, "the dispatcher lets through only what a person sent"  # noqa: S101
        return user

    @property
    def chat(self) -> int:
        """Where an answer belongs."""
        chat = self.update.effective_chat
        return chat.id if chat is not None else self.person.id
