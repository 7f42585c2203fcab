"""Edits by hand in a channel: what somebody changed there is kept, and no correction takes it away unasked.

A bot hears of no edit of its own, but of those of another bot of ours in the same channel: words that we have sent, or
are sending, are no hand's.
"""

from __future__ import annotations

from datetime import UTC

from telegram import Message

from bot.channels.evidence import fingerprint
from bot.compose.markup import cut, plain
from bot.desk import texts
from bot.desk.arrival import Arrival
from bot.desk.said import read
from bot.desk.subjects import Subjects
from bot.domain.channel import Platform
from bot.domain.delivery import IN_FLIGHT, Kind
from bot.domain.ledger import LedgerEntry
from bot.store import deliveries, ledger
from bot.store.decisions import Decision, decide, record_act
from bot.store.tables import deliveries as rows

_MOST = 500  # characters of a text in the audit


class HandEdits:
    """Watches for changed posts of served channels."""

    def __init__(self, subjects: Subjects) -> None:
        self._subjects = subjects

    async def watch(self, arrival: Arrival) -> None:
        """Keep what a changed post reads now, where it is one of ours and no longer reads as we wrote it."""
        message = arrival.update.edited_channel_post
        channel_id = self._subjects.channel_of(message.chat.id, message.chat.username) if message is not None else None
        if message is None or channel_id is None:
            return
        async with arrival.turn([channel_id]) as (tx, now):
            entry = await ledger.by_remote_id(tx, channel_id, str(message.message_id))
            if entry is None or entry.withdrawn_at is not None or entry.adopted:
                return
            said = read(message)
            on_its_way = await deliveries.find(
                tx,
                rows.c.target_id == entry.delivery_id,
                rows.c.kind == Kind.EDIT,
                rows.c.state.in_(list(IN_FLIGHT)),
            )
            ours = [entry.text, *(await deliveries.texts(tx, [one.id for one in on_its_way]))]
            if fingerprint(said.text) in {fingerprint(plain(text, Platform.TELEGRAM)) for text in ours}:
                return
            at = message.edit_date.astimezone(UTC) if message.edit_date is not None else now
            await ledger.amend(tx, entry.delivery_id, text=said.words, hand_at=now, edited_at=min(at, now))
            who = _who(message)
            made = Decision(
                decision="edited by hand",
                detail=f"its words are a person's now ({who}): a correction asks an editor first",
                article_id=entry.article_id,
                channel_id=channel_id,
                delivery_id=entry.delivery_id,
            )
            await decide(tx, [made], now)
            await record_act(
                tx,
                who=who,
                action="edit by hand",
                subject=f"delivery {entry.delivery_id}",
                before=_shown(entry),
                after={"text": cut(said.text, _MOST)},
                now=now,
            )


def _who(message: Message) -> str:
    return message.author_signature or texts.SOMEBODY


def _shown(entry: LedgerEntry) -> dict[str, str]:
    return {"text": cut(plain(entry.text, Platform.TELEGRAM), _MOST)}
