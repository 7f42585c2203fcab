"""Shows each person in Telegram's own menu what they may say, the group what editors may, strangers nothing.

What was set is remembered in the store, so that a start sets only what has changed, and who is no editor any more
loses the menu; Telegram that does not answer is asked again later, and nobody waits for it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence

from telegram import BotCommandScope, BotCommandScopeChat, BotCommandScopeDefault

from bot.clock import Clock
from bot.desk.commands import Command, Commands
from bot.desk.voice import Voice
from bot.domain.editor import Role
from bot.errors import BotError, DatabaseError, ThrottledError
from bot.logs import logger
from bot.store import editors, house
from bot.store.database import Database

_FIRST_REST, _LONGEST_REST = 30.0, 3600.0  # seconds until a refused menu is tried again
_EVERYBODY = 0  # the chat that stands for all without a menu of their own
_log = logger("desk")


class Menus:
    """Keeps the menus.

    Args:
        group: the desk's own chat; 0 for none.
    """

    def __init__(self, database: Database, clock: Clock, voice: Voice, commands: Commands, group: int = 0) -> None:
        self._database = database
        self._clock = clock
        self._voice = voice
        self._commands = commands
        self._group = group
        self._set: dict[int, str] | None = None
        self._rests: dict[int, tuple[float, float]] = {}  # until when a chat is left alone, and how long the rest was
        self._looking: asyncio.Task[None] | None = None

    def stir(self) -> None:
        """Have the menus looked at soon; nobody waits for it."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_quietly(), name="menus")

    async def close(self) -> None:
        """Leave what is not set yet for the next start."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _look_quietly(self) -> None:
        try:
            await self.look()
        except DatabaseError as error:
            _log.debug("whose menu is to be set could not be asked", why=str(error))
        except Exception:
            _log.exception("setting menus failed")

    async def look(self) -> None:
        """Set the menus that are no longer as they should be.

        Raises:
            DatabaseError: who may do what could not be asked.
        """
        async with self._database.read() as tx:
            started = await editors.started(tx, Role.VIEWER)
            if self._set is None:  # later on this process knows best: an older release beside it sets other menus
                self._set = {int(chat): mark for chat, mark in (await house.notes(tx, self._fact(""))).items()}
        wanted: dict[int, Sequence[Command]] = {_EVERYBODY: ()}
        if self._group:
            wanted[self._group] = self._commands.of(Role.EDITOR)
        wanted |= {editor.telegram_id: self._commands.of(editor.role) for editor in started}
        for chat in [*wanted, *(set(self._set) - set(wanted))]:
            await self._keep(self._set, chat, wanted.get(chat, ()))

    async def _keep(self, known: dict[int, str], chat: int, menu: Sequence[Command]) -> None:
        mark = _mark(menu)
        until, rest = self._rests.get(chat, (0.0, _FIRST_REST / 2))
        if known.get(chat) == mark or self._clock.running() < until:
            return
        scope: BotCommandScope = BotCommandScopeChat(chat) if chat != _EVERYBODY else BotCommandScopeDefault()
        try:
            await self._voice.set_commands([(command.name, command.line) for command in menu], scope)
        except BotError as error:
            rest = min(_LONGEST_REST, 2 * rest)
            wait = error.retry_after.total_seconds() if isinstance(error, ThrottledError) else rest
            self._rests[chat] = self._clock.running() + wait, rest
            _log.info("a menu could not be set", chat=chat, why=str(error))
            return
        self._rests.pop(chat, None)
        is_gone = not menu and chat != _EVERYBODY
        async with self._database.write() as tx:
            now = None if is_gone else await self._database.now(tx)
            await house.keep_fact(tx, self._fact(chat), now, note=mark)
        if is_gone:
            known.pop(chat, None)
        else:
            known[chat] = mark

    def _fact(self, chat: int | str) -> str:
        return f"menu {self._voice.account} {chat}"


def _mark(menu: Sequence[Command]) -> str:
    return hashlib.sha256("\n".join(f"{one.name} {one.line}" for one in menu).encode()).hexdigest()[:16]
