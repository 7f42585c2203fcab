"""What editors do to posts that wait, by command and by button: now, at a time, hold back, let go, cancel.

A command may mean several posts of one article: each takes its own step, those that a person may not touch, or that
cannot take it, are named. All steps of one update are one transaction.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection
from telegram import Message

from bot.agenda import refusals, steering
from bot.compose.markup import escape
from bot.desk import answers, lines, texts, when
from bot.desk.arrival import Arrival
from bot.desk.dispatch import Dispatcher
from bot.desk.lines import Line
from bot.desk.reach import Reach, reach
from bot.desk.speaking import Speaker, joined
from bot.desk.targets import Targets, Wanted, understood
from bot.desk.voice import Button, Rows
from bot.domain.channel import Channel, ChannelId
from bot.domain.delivery import Delivery, DeliveryId, State
from bot.domain.editor import Role
from bot.errors import DeskError
from bot.store import deliveries
from bot.store.database import Database
from bot.store.decisions import last_act
from bot.store.tables import deliveries as delivery_rows

_IN: Mapping[str, timedelta] = {"15m": timedelta(minutes=15), "60m": timedelta(minutes=60)}
_EPOCH = re.compile(r"[0-9]{9,11}")
_ORIGIN = re.compile(r"(?:[0-9]{1,9}\.[0-9]{1,4})?")
_MOST_BUTTONS = 40
_REMEMBERED = timedelta(days=2)
Step = Callable[..., Awaitable[Delivery]]  # given (tx, delivery id, *, who, now)
Look = Callable[[Arrival, DeliveryId, Reach], None]


@dataclass(frozen=True, slots=True)
class Pressed:
    """What the data of a button says, as it was written."""

    act: str
    delivery_id: DeliveryId
    seal: str
    told: str
    origin: str


class Moving:
    """Takes steps with posts that wait.

    Args:
        look: shows a post as its channel will.
        stirred: called after a step: the queue and the notices have changed.
    """

    def __init__(
        self,
        database: Database,
        served: Mapping[ChannelId, Channel],
        speaker: Speaker,
        *,
        look: Look,
        stirred: Callable[[], None],
        undo: timedelta,
        zone: ZoneInfo,
    ) -> None:
        self._database = database
        self._served = served
        self._speaker = speaker
        self._targets = Targets(served, speaker.voice.account)
        self._look = look
        self._stirred = stirred
        self._undo = undo
        self._zone = zone
        self._steps: Mapping[str, Step] = {
            "now": partial(self._publish),
            "hold": steering.hold,
            "back": steering.release,
            "drop": steering.cancel,
        }

    def serve(self, dispatcher: Dispatcher) -> None:
        """Make the commands and the buttons known."""
        for name, act in (("now", "now"), ("hold", "hold"), ("cancel", "drop")):
            dispatcher.commands.serve(name, partial(self._command, act))
        dispatcher.commands.serve("at", self._at)
        dispatcher.commands.serve("move", self._move)
        dispatcher.presses[lines.VERB] = self._press

    # --- commands ---

    async def _command(self, act: str, arrival: Arrival, _: str) -> None:
        wanted = _wanted(arrival)
        if wanted.rest and act != "drop" and (wanted.number is not None or wanted.said.links):
            raise DeskError(answers.TOO_MUCH)
        await self._apply(arrival, wanted, act, self._steps[act])

    async def _at(self, arrival: Arrival, _: str) -> None:
        """Have posts go out at the time that stands after the command."""
        wanted = _wanted(arrival)
        async with self._database.read() as tx:
            now = await self._database.now(tx)
        at = when.read(wanted.rest, now, self._zone)
        await self._apply(arrival, wanted, "at", partial(_pin, at))

    async def _move(self, arrival: Arrival, words: str) -> None:
        """Ask for the time of a post by buttons, or take the one that stands after the command."""
        wanted = _wanted(arrival)
        if wanted.rest:
            await self._at(arrival, words)
            return
        async with self._database.read() as tx:
            now = await self._database.now(tx)
            mine = await reach(tx, arrival.person.id, self._served, Role.EDITOR)
            touched, foreign = _split(await self._targets.meant(tx, wanted), mine)
            if not touched:
                raise DeskError(texts.NOT_YOUR_CHANNEL.format(channel=_names(foreign, self._served)))
            shown = []
            for one in touched:
                line = await lines.read(tx, one, mine, now)
                if not await self._is_movable(tx, line, now, alone=len(touched) == 1):
                    continue
                text = f"{lines.shown(line, now, self._zone)}\n\n{answers.MOVE_WHEN}"
                shown.append((text, await lines.times(tx, line, now, self._zone)))
        if not shown:
            raise DeskError(refusals.ONLY_POSTS)
        for text, rows in shown:
            self._speaker.say(arrival, text, rows)

    async def _is_movable(self, tx: AsyncConnection, line: Line, now: datetime, *, alone: bool) -> bool:
        one = line.delivery
        if not any(button.press.startswith(f"{lines.VERB}:now:") for row in lines.buttons(line) for button in row):
            if alone:
                raise await steering.overtaken(tx, one, now)
            return False
        return one.kind.makes_public

    async def _apply(self, arrival: Arrival, wanted: Wanted, act: str, step: Step) -> None:
        """Take a step with all posts that a command means and a person may touch, and tell of each."""
        async with self._database.read() as tx:
            meant = await self._targets.meant(tx, wanted)
        taken: list[Delivery] = []
        told: list[str] = []
        async with arrival.turn({one.channel_id for one in meant}) as (tx, now):
            mine = await reach(tx, arrival.person.id, self._served, Role.EDITOR)
            touched, foreign = _split(meant, mine)
            if not touched:
                raise DeskError(texts.NOT_YOUR_CHANNEL.format(channel=_names(foreign, self._served)))
            for one in touched:
                try:
                    async with tx.begin_nested():
                        after = await step(tx, one.id, who=mine.editor.signature, now=now)
                except DeskError as error:
                    if len(meant) == 1:
                        raise
                    told.append(_line(mine.channels[one.channel_id], str(error)))
                else:
                    taken.append(after)
            told += [_line(self._served[one.channel_id], answers.NOT_YOURS) for one in foreign]
        if taken:
            self._stirred()
        async with self._database.read() as tx:  # the plan is reckoned when nobody waits for these rows
            done = [await lines.read(tx, one, mine, now) for one in taken]
        if len(done) == 1 and not told:
            self._speaker.say(arrival, *self._card(done[0], act, now))
            return
        told = [_line(line.channel, lines.state_of(line, now, self._zone), is_html=True) for line in done] + told
        title = [f"<b>{escape(done[0].title)}</b>"] if done else []
        stops = [
            [Button(f"{texts.STOP}: {line.channel.name}", f"stop:{line.delivery.id}")]
            for line in done
            if self._can_stop(line, act)
        ]
        self._speaker.say(arrival, joined([*title, *told]), stops[:_MOST_BUTTONS])

    # --- buttons ---

    async def _press(self, arrival: Arrival, parts: Sequence[str]) -> str:
        pressed = _read(parts)
        async with self._database.read() as tx:
            now = await self._database.now(tx)
            found = await deliveries.find(tx, delivery_rows.c.id == pressed.delivery_id)
            role = Role.VIEWER if pressed.act in ("card", "open", "look") else Role.EDITOR
            mine = await reach(tx, arrival.person.id, self._served, role)
            if not found or found[0].channel_id not in mine.channels:
                raise DeskError(texts.NO_RIGHTS if role is Role.EDITOR else texts.OLD_BUTTON)
            line = await lines.read(tx, found[0], mine, now)
            if pressed.act == "look":
                self._look(arrival, pressed.delivery_id, mine)
                return texts.SHOWN
            if pressed.act in ("card", "open"):
                show = self._speaker.amend if pressed.act == "card" else self._speaker.say
                show(arrival, lines.shown(line, now, self._zone), lines.buttons(line, pressed.origin))
                return ""
            if line.seal != pressed.seal:
                raise await self._overtaken(tx, arrival, line, pressed, now)
            if pressed.act == "move":
                times = await lines.times(tx, line, now, self._zone, pressed.origin)
                self._speaker.amend(arrival, f"{lines.shown(line, now, self._zone)}\n\n{answers.MOVE_WHEN}", times)
                return ""
        return await self._take(arrival, line, pressed, self._step(pressed))

    async def _take(self, arrival: Arrival, line: Line, pressed: Pressed, step: Step) -> str:
        async with arrival.turn([line.delivery.channel_id]) as (tx, now):
            mine = await reach(tx, arrival.person.id, self._served, Role.EDITOR)
            if line.delivery.channel_id not in mine.channels:
                raise DeskError(texts.NO_RIGHTS)
            fresh = await deliveries.get(tx, line.delivery.id)
            if lines.seal_of(fresh) != pressed.seal:
                raise await self._overtaken(tx, arrival, await lines.read(tx, fresh, mine, now), pressed, now)
            after = await step(tx, line.delivery.id, who=mine.editor.signature, now=now)
        self._stirred()
        async with self._database.read() as tx:
            line = await lines.read(tx, after, mine, now)
        self._speaker.amend(arrival, *self._card(line, pressed.act, now, pressed.origin))
        return self._answer(line, pressed.act, now)

    def _step(self, pressed: Pressed) -> Step:
        """Return the step that a button asks for.

        Raises:
            DeskError: there is no such button.
        """
        if pressed.act in self._steps:
            return self._steps[pressed.act]
        if pressed.act == "at" and pressed.told == "turn":
            return steering.unpin
        if pressed.act == "at" and pressed.told in _IN:
            return partial(_pin_in, _IN[pressed.told])
        if pressed.act == "at" and _EPOCH.fullmatch(pressed.told):
            return partial(_pin, datetime.fromtimestamp(int(pressed.told), UTC))
        raise DeskError(texts.OLD_BUTTON)

    async def _overtaken(
        self, tx: AsyncConnection, arrival: Arrival, line: Line, pressed: Pressed, now: datetime
    ) -> DeskError:
        """Show how a post stands by now, and return the refusal that says whose step came first."""
        self._speaker.amend(arrival, lines.shown(line, now, self._zone), lines.buttons(line, pressed.origin))
        last = await last_act(tx, steering.subject(line.delivery.id), now - _REMEMBERED)
        return DeskError(refusals.changed(line.delivery.id, line.delivery.state, last))

    # --- answers ---

    def _card(self, line: Line, act: str, now: datetime, origin: str = "") -> tuple[str, Rows]:
        text = lines.shown(line, now, self._zone)
        if self._can_stop(line, act):
            stop = [Button(texts.STOP, f"stop:{line.delivery.id}")]
            told = texts.AGREED.format(seconds=round(self._undo.total_seconds()))
            return f"{text}\n\n{told}", [stop, *lines.way_back(origin)]
        return f"✅ {text}", lines.buttons(line, origin)

    def _can_stop(self, line: Line, act: str) -> bool:
        return act == "now" and bool(self._undo) and line.delivery.state is State.PLANNED

    def _answer(self, line: Line, act: str, now: datetime) -> str:
        if act == "now":
            told = texts.AGREED if self._undo else texts.AGREED_AT_ONCE
            return told.format(seconds=round(self._undo.total_seconds()))
        if act == "at":
            at = line.delivery.pinned_at
            return texts.PLANNED_FOR.format(when=lines.moment(at, now, self._zone)) if at else texts.DONE["release"]
        return {"hold": answers.HELD_BACK, "back": texts.DONE["release"], "drop": texts.DONE["cancel"]}[act]

    async def _publish(self, tx: AsyncConnection, delivery_id: DeliveryId, *, who: str, now: datetime) -> Delivery:
        return await steering.publish(tx, delivery_id, self._undo, who=who, now=now)


async def _pin(at: datetime, tx: AsyncConnection, delivery_id: DeliveryId, *, who: str, now: datetime) -> Delivery:
    return await steering.pin(tx, delivery_id, at, who=who, now=now)


async def _pin_in(
    span: timedelta, tx: AsyncConnection, delivery_id: DeliveryId, *, who: str, now: datetime
) -> Delivery:
    return await steering.pin(tx, delivery_id, now + span, who=who, now=now)


def _wanted(arrival: Arrival) -> Wanted:
    message = arrival.update.message
    wanted = understood(message) if isinstance(message, Message) else None
    if wanted is None or wanted.names_none:
        raise DeskError(answers.WHICH_POST)
    return wanted


def _split(meant: Sequence[Delivery], mine: Reach) -> tuple[list[Delivery], list[Delivery]]:
    """Return the posts of a person's channels, and those of others."""
    here = [one for one in meant if one.channel_id in mine.channels]
    return here, [one for one in meant if one.channel_id not in mine.channels]


def _names(meant: Sequence[Delivery], served: Mapping[ChannelId, Channel]) -> str:
    return ", ".join(served[one].name for one in dict.fromkeys(each.channel_id for each in meant))


def _line(channel: Channel, told: str, *, is_html: bool = False) -> str:
    return answers.OF_CHANNEL.format(channel=escape(channel.name), told=told if is_html else escape(told))


def _read(parts: Sequence[str]) -> Pressed:
    """Read the data of a button.

    Raises:
        DeskError: no button of ours says that.
    """
    if len(parts) != 5 or not _ORIGIN.fullmatch(parts[4]):
        raise DeskError(texts.OLD_BUTTON)
    number = parts[1]
    if not number.isascii() or not number.isdecimal() or len(number) > 18:
        raise DeskError(texts.OLD_BUTTON)
    return Pressed(parts[0], DeliveryId(int(number)), parts[2], parts[3], parts[4])
