"""/why: every decision about an article, in the desk's words; the operator's `vistnyk why` shows them as kept."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from telegram import Message

from bot.agenda import refusals
from bot.compose.markup import TELEGRAM_TEXT, cut, escape, one_line
from bot.desk import answers
from bot.desk.arrival import Arrival
from bot.desk.dispatch import Dispatcher
from bot.desk.lines import moment, title_of
from bot.desk.reach import reach
from bot.desk.said import Said, read_command
from bot.desk.speaking import Speaker
from bot.desk.subjects import Subjects
from bot.domain.channel import Channel, ChannelId
from bot.domain.editor import Role
from bot.errors import DeskError
from bot.store import articles, decisions
from bot.store.database import Database

_WHO = re.compile(r"\((?P<who>[^()]{1,80}) \(\d+\)\)$")
_AGED = "words that have aged: "
_MOST = TELEGRAM_TEXT - 200


class Reasons:
    """Tells why."""

    def __init__(
        self,
        database: Database,
        served: Mapping[ChannelId, Channel],
        speaker: Speaker,
        zone: ZoneInfo,
    ) -> None:
        self._database = database
        self._served = served
        self._speaker = speaker
        self._subjects = Subjects(served)
        self._zone = zone

    def serve(self, dispatcher: Dispatcher) -> None:
        """Make the command known."""
        dispatcher.commands.serve("why", self._command)

    async def _command(self, arrival: Arrival, _: str) -> None:
        message = arrival.update.message
        said = read_command(message) if isinstance(message, Message) else Said()
        if not said.text.strip() and (said.message is None or said.message.reply_to_message is None):
            raise DeskError(answers.WHY_WHAT)
        async with self._database.read() as tx:
            now = await self._database.now(tx)
            mine = await reach(tx, arrival.person.id, self._served)
            stored = await self._subjects.article(tx, said)
            if stored is None:
                one = await self._subjects.delivery(tx, said)
                stored = await articles.get(tx, one.article_id) if one is not None and one.article_id else None
            if stored is None:
                raise DeskError(answers.WHY_UNKNOWN)
            kept = await decisions.why(tx, stored.id)
        seen = [line for line in kept if line["channel"] is None or mine.editor.may(Role.VIEWER, line["channel"])]
        head = f"<b>{escape(title_of(stored.article.title))}</b>"
        text = "\n".join([head, *told(seen, now, self._zone)])
        self._speaker.say(arrival, text)


def told(kept: Sequence[Mapping[str, Any]], now: datetime, zone: ZoneInfo) -> list[str]:
    """Return decisions a line each, the newest that there is room for, oldest first."""
    shown: list[str] = []
    room = _MOST
    for line in reversed(kept):
        where = f" · {escape(line['channel'])}" if line["channel"] else ""
        written = answers.WHY_LINE.format(
            when=moment(line["at"], now, zone), where=where, what=reason(line["decision"], line["detail"])
        )
        room -= len(written) + 1
        if room < 0:
            shown.append(answers.WHY_EARLIER.format(count=len(kept) - len(shown)))
            break
        shown.append(written)
    return shown[::-1]


def reason(decision: str, detail: str) -> str:
    """Say a decision in the desk's words, as Telegram's HTML: what, why and who, as far as these are known."""
    what = answers.DECISIONS.get(decision) or refusals.ACTS.get(decision) or decision
    who = _WHO.search(detail)
    why = next((said for begins, said in answers.CIRCUMSTANCES.items() if begins in detail), "")
    if detail.startswith(_AGED):
        why = cut(one_line(detail.removeprefix(_AGED)), 200)
    act = refusals.ACTS.get(detail.partition(",")[0].partition(" (")[0], "") if who is not None else ""
    parts = [part for part in (act if act != what else "", why) if part]
    ended = f": {escape('; '.join(parts))}" if parts else ""
    return f"{escape(what)}{ended}" + (f" ({escape(who['who'])})" if who is not None else "")
