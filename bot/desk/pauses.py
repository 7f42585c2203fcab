"""/pause, /resume and /stop: what lets no new posts out, and what lets them out again."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.agenda import refusals, steering
from bot.compose.markup import escape
from bot.desk import answers, lines, texts, when
from bot.desk.arrival import Arrival
from bot.desk.dispatch import Dispatcher
from bot.desk.reach import Reach, reach
from bot.desk.speaking import Speaker
from bot.desk.voice import Button, Rows
from bot.domain.channel import Channel, ChannelId
from bot.domain.editor import Role
from bot.domain.plan import FOREVER
from bot.errors import DeskError
from bot.store import channels
from bot.store.channels import ChannelRow
from bot.store.database import Database

PAUSE, RESUME, RESUME_ALL = "pause", "resume", "resume-all"
_MOST_BUTTONS = 40
_NUMBER = re.compile(r"[0-9]{1,11}")


class Pauses:
    """Pauses channels, and stops everything.

    Args:
        stirred: called after a step: the queue and the notices have changed.
    """

    def __init__(
        self,
        database: Database,
        served: Mapping[ChannelId, Channel],
        speaker: Speaker,
        *,
        stirred: Callable[[], None],
        zone: ZoneInfo,
    ) -> None:
        self._database = database
        self._served = served
        self._speaker = speaker
        self._stirred = stirred
        self._zone = zone

    def serve(self, dispatcher: Dispatcher) -> None:
        """Make the commands and the buttons known."""
        dispatcher.commands.serve("pause", self._pause_command)
        dispatcher.commands.serve("resume", self._resume_command)
        dispatcher.commands.serve("stop", self._stop_command)
        dispatcher.presses[PAUSE] = self._pause_press
        dispatcher.presses[RESUME] = self._resume_press
        dispatcher.presses[RESUME_ALL] = self._resume_all_press

    # --- pause ---

    async def _pause_command(self, arrival: Arrival, words: str) -> None:
        async with self._database.read() as tx:
            now = await self._database.now(tx)
            mine = await reach(tx, arrival.person.id, self._served, Role.EDITOR)
        channel_id, rest = self._split(words, mine)
        until = when.until(rest, now, self._zone) if rest else None
        if channel_id is None:
            epoch = int(until.timestamp()) if until is not None else 0
            rows = [[Button(one.name, f"{PAUSE}:{number}:{epoch}")] for number, one in _first(mine)]
            self._speaker.say(arrival, answers.PAUSE_WHICH, rows)
            return
        self._speaker.say(arrival, *await self._pause(arrival, channel_id, until))

    async def _pause_press(self, arrival: Arrival, parts: Sequence[str]) -> str:
        if len(parts) != 2 or not all(_NUMBER.fullmatch(part) for part in parts):
            raise DeskError(texts.OLD_BUTTON)
        epoch = int(parts[1])
        told = await self._pause(arrival, ChannelId(int(parts[0])), _moment(epoch))
        self._speaker.amend(arrival, *told)
        return answers.PAUSED_SHORT

    async def _pause(self, arrival: Arrival, channel_id: ChannelId, until: datetime | None) -> tuple[str, Rows]:
        async with arrival.turn([channel_id] if channel_id in self._served else []) as (tx, now):
            channel, who = await self._mine(tx, arrival, channel_id)
            await steering.pause_channel(tx, channel_id, until, who=who, now=now)
        self._stirred()
        shown = (
            answers.UNTIL_RESUMED if until is None else answers.UNTIL.format(when=lines.moment(until, now, self._zone))
        )
        text = answers.PAUSED.format(channel=escape(channel.name), until=shown)
        return text, [[Button(answers.RESUME, f"{RESUME}:{channel_id}")]]

    def _split(self, words: str, mine: Reach) -> tuple[ChannelId | None, str]:
        """Split words into a channel and the rest; None where no channel is named and there are several.

        Raises:
            DeskError: they begin with what is neither a channel nor a time.
        """
        said = words.strip()
        first, _, rest = said.partition(" ")
        is_time = not said or first.lower() in ("до", "на") or first[0].isdecimal()
        if mine.find(first) is not None or not is_time:
            return mine.named(first), rest.strip()
        return (next(iter(mine.channels)) if len(mine.channels) == 1 else None), said

    # --- resume ---

    async def _resume_command(self, arrival: Arrival, words: str) -> None:
        async with self._database.read() as tx:
            now = await self._database.now(tx)
            mine = await reach(tx, arrival.person.id, self._served, Role.EDITOR)
            named = mine.named(words) if words.strip() else None
            known = {row.id: row for row in await channels.everyone(tx)}
        rows = [known[one] for one in mine.channels if one in known]
        paused = [row for row in rows if _is_paused(row, now)]
        if named is None and any(row.stopped_until is not None and row.stopped_until > now for row in rows):
            self._speaker.say(arrival, await self._resume_all(arrival))
            return
        if named is None and len(paused) > 1:
            buttons = [[Button(row.name, f"{RESUME}:{row.id}")] for row in paused[:_MOST_BUTTONS]]
            self._speaker.say(arrival, answers.RESUME_WHICH, buttons)
            return
        if named is None and not paused:
            raise DeskError(answers.NOTHING_PAUSED)
        self._speaker.say(arrival, await self._resume(arrival, named or paused[0].id))

    async def _resume_press(self, arrival: Arrival, parts: Sequence[str]) -> str:
        if len(parts) != 1 or not _NUMBER.fullmatch(parts[0]):
            raise DeskError(texts.OLD_BUTTON)
        self._speaker.amend(arrival, await self._resume(arrival, ChannelId(int(parts[0]))))
        return answers.RESUMED_SHORT

    async def _resume(self, arrival: Arrival, channel_id: ChannelId) -> str:
        async with arrival.turn([channel_id] if channel_id in self._served else []) as (tx, now):
            channel, who = await self._mine(tx, arrival, channel_id)
            await steering.resume_channel(tx, channel_id, who=who, now=now)
            row = await channels.get(tx, channel_id)
        self._stirred()
        is_stopped = row is not None and row.stopped_until is not None and row.stopped_until > now
        text = answers.RESUMED.format(channel=escape(channel.name))
        return f"{text}\n{answers.STILL_STOPPED}" if is_stopped else text

    # --- everything ---

    async def _stop_command(self, arrival: Arrival, words: str) -> None:
        if words.strip():
            raise DeskError(answers.STOP_TAKES_NOTHING)
        async with arrival.turn(self._served) as (tx, now):
            await steering.stop_all(tx, who=await self._of_all(tx, arrival), now=now)
        self._stirred()
        self._speaker.say(arrival, answers.STOPPED_ALL, [[Button(answers.RESUME, RESUME_ALL)]])

    async def _resume_all_press(self, arrival: Arrival, parts: Sequence[str]) -> str:
        if parts:
            raise DeskError(texts.OLD_BUTTON)
        self._speaker.amend(arrival, await self._resume_all(arrival))
        return answers.RESUMED_SHORT

    async def _resume_all(self, arrival: Arrival) -> str:
        async with arrival.turn(self._served) as (tx, now):
            await steering.resume_all(tx, who=await self._of_all(tx, arrival), now=now)
        self._stirred()
        return answers.RESUMED_ALL

    async def _of_all(self, tx: AsyncConnection, arrival: Arrival) -> str:
        """Return the name of an editor of all channels: everything is theirs alone to stop.

        Raises:
            DeskError: it is none.
        """
        mine = await reach(tx, arrival.person.id, self._served, Role.EDITOR)
        if not mine.is_whole:
            raise DeskError(answers.NOT_ALL_YOURS)
        return mine.editor.signature

    async def _mine(self, tx: AsyncConnection, arrival: Arrival, channel_id: ChannelId) -> tuple[Channel, str]:
        mine = await reach(tx, arrival.person.id, self._served, Role.EDITOR)
        if channel_id not in mine.channels:
            raise DeskError(texts.NO_RIGHTS if channel_id in self._served else refusals.NO_CHANNEL)
        return mine.channels[channel_id], mine.editor.signature


def _first(mine: Reach) -> Sequence[tuple[ChannelId, Channel]]:
    return list(mine.channels.items())[:_MOST_BUTTONS]


def _moment(epoch: int) -> datetime | None:
    return datetime.fromtimestamp(epoch, UTC) if epoch else None


def _is_paused(row: ChannelRow, now: datetime) -> bool:
    return row.paused_until is not None and (row.paused_until > now or row.paused_until == FOREVER)
