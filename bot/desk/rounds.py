"""/channels: how each channel is by its platform, when its next post goes out, and whom nobody can write to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from bot.agenda.forecast import forecast
from bot.agenda.wording import posts
from bot.channels.base import NOT_NEEDED, Finding, Publisher
from bot.compose.markup import TELEGRAM_TEXT, cut, escape
from bot.desk import answers, cards, lines, texts
from bot.desk.arrival import Arrival
from bot.desk.dispatch import Dispatcher
from bot.desk.queue import standstills
from bot.desk.reach import Reach, reach
from bot.desk.speaking import Speaker
from bot.domain.channel import Channel, ChannelId
from bot.domain.editor import Role
from bot.domain.plan import Slot
from bot.errors import BotError
from bot.store import calendar, editors
from bot.store.database import Database

_WITHIN = 15.0  # seconds for all the platforms' answers
_AT_ONCE = 4
_ROOM = TELEGRAM_TEXT - 400


class Rounds:
    """Looks after the channels.

    Args:
        publishers: the channels' adapters, which ask the platforms.
    """

    def __init__(
        self,
        database: Database,
        served: Mapping[ChannelId, Channel],
        publishers: Mapping[ChannelId, Publisher],
        speaker: Speaker,
        zone: ZoneInfo,
    ) -> None:
        self._database = database
        self._served = served
        self._publishers = publishers
        self._speaker = speaker
        self._zone = zone

    def serve(self, dispatcher: Dispatcher) -> None:
        """Make the command known."""
        dispatcher.commands.serve("channels", self._command)

    async def _command(self, arrival: Arrival, words: str) -> None:
        async with self._database.read() as tx:
            mine = await reach(tx, arrival.person.id, self._served)
            only = mine.named(words) if words.strip() else None
        # The platforms take seconds to answer: others are heard meanwhile.
        self._speaker.work(arrival, partial(self._tell, arrival.chat, mine, only))

    async def _tell(self, chat: int, mine: Reach, only: ChannelId | None) -> None:
        shown = {one: channel for one, channel in mine.channels.items() if only in (None, one)}
        findings = await self._findings(list(shown))
        async with self._database.read() as tx:
            now = await self._database.now(tx)
            still = {one: await standstills(tx, {one: channel}, now, self._zone) for one, channel in shown.items()}
            slots = await forecast(tx, shown, now, until=now + lines.FORESEEN)
            waits = await calendar.waiting(tx, list(shown))
            silent = await editors.unstarted(tx)
        coming: dict[str, Slot] = {}
        for channel, slot in slots:
            if not slot.expires:
                coming.setdefault(channel.name, slot)
        parts: list[str] = []
        for one, channel in shown.items():
            told = self._channel(
                channel, findings.get(one), still[one], coming.get(channel.name), waits.get(one, 0), now
            )
            if sum(len(part) for part in parts) + len(told) > _ROOM:
                parts.append(texts.LIST_MORE.format(count=len(shown) - len(parts)))
                break
            parts.append(told)
        people = [one for one in silent if mine.editor.may(Role.CHIEF) or set(one.channels) & set(_names(shown))]
        if people:
            names = ", ".join(escape(cut(one.name, 60)) for one in people[:20])
            parts.append(answers.NOT_STARTED.format(names=names))
        await self._speaker.voice.say(chat, "\n\n".join(parts), silent=True)

    async def _findings(self, ids: Sequence[ChannelId]) -> dict[ChannelId, list[Finding]]:
        """Return what the platforms say of channels; those that did not answer in time are left out."""
        found: dict[ChannelId, list[Finding]] = {}
        hands = asyncio.Semaphore(_AT_ONCE)

        async def ask(one: ChannelId) -> None:
            async with hands:
                try:
                    found[one] = await self._publishers[one].check()
                except BotError as error:
                    found[one] = [Finding(name="platform", ok=False, detail=str(error))]

        tasks = [asyncio.create_task(ask(one)) for one in ids if one in self._publishers]
        if tasks:
            await asyncio.wait(tasks, timeout=_WITHIN)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return found

    def _channel(
        self,
        channel: Channel,
        findings: Sequence[Finding] | None,
        still: Sequence[str],
        slot: Slot | None,
        waits: int,
        now: datetime,
    ) -> str:
        broken = [one for one in findings or () if not one.ok and one.name not in NOT_NEEDED]
        mark = "❔" if findings is None else "🔴" if broken else "🟡" if still else "🟢"
        parts = [f"{mark} <b>{escape(channel.name)}</b>", *still]
        if findings is None:
            parts.append(answers.HEALTH_UNKNOWN)
        elif broken:
            what = answers.FINDINGS.get(broken[0].name, answers.FINDINGS["platform"])
            parts += [what, texts.how_to_mend(channel.platform)]
            parts.append(texts.ANSWER.format(detail=cards.detail(broken[0].detail)))
        else:
            parts.append(answers.HEALTH_GOOD)
        wanting = [one.name for one in findings or () if not one.ok and one.name in answers.FINDINGS_ASIDE]
        parts += [answers.FINDINGS_ASIDE[name] for name in wanting]
        if slot is not None:
            parts.append(answers.NEXT_POST.format(when=lines.moment(slot.at, now, self._zone), posts=posts(waits)))
        elif waits:
            parts.append(answers.WAITS_STILL.format(posts=posts(waits)))
        else:
            parts.append(answers.QUEUE_IS_EMPTY)
        return "\n".join(parts)


def _names(shown: Mapping[ChannelId, Channel]) -> list[str]:
    return [channel.name for channel in shown.values()]
