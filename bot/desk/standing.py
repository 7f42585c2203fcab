"""Where what the desk was told of stands by now: whether it still waits for a person, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.agenda import refusals, steering
from bot.agenda.wording import when
from bot.desk import texts
from bot.domain.delivery import HeldReason, State
from bot.store import causes, decisions
from bot.store.notices import ACCESS, EDITOR, POSTS, REPORTS, SOURCE, WARNS, About, Notice

_ACTS = frozenset(
    {"pin", "release", "cancel", "agree", "decline", "present", "again", "hold", "stop", steering.PUBLISH}
)
_STOPPABLE = POSTS | {HeldReason.STALE_WORDS.value}  # kinds of notices from which a post is let go for good
_LINGERS = timedelta(minutes=2)  # how long a card waits for the post that was let go
_ENDS = {
    State.EXPIRED: texts.EXPIRED,
    State.CANCELLED: texts.CANCELLED,
    State.PUBLISHED: texts.PUBLISHED,
    State.HELD: texts.CLOSED,
    State.FAILED: texts.REFUSED,
}


class Phase(StrEnum):
    """What a card offers."""

    ASKS = "asks"  # waits for a person
    LEAVES = "leaves"  # an editor let it go, and may still stop it
    GOES = "goes"  # it is on its way
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Notices, what each is about, and the last act of an editor on it since it was kept, by their numbers."""

    now: datetime
    notices: Sequence[Notice]
    about: Mapping[int, About]
    acts: Mapping[int, dict[str, Any]]

    def phase(self, notice: Notice) -> Phase:
        """Say what a notice's card offers now."""
        about, act = self.about.get(notice.id), self.acts.get(notice.id)
        if about is None:
            return Phase.OVER
        if notice.what in REPORTS:
            return Phase.ASKS if notice.told_at is None else Phase.OVER
        if notice.what in (ACCESS, SOURCE):
            return Phase.ASKS if about.lost_at is not None and about.lost_at <= notice.at else Phase.OVER
        if notice.what.startswith(WARNS):
            waits = about.delivery_id is None or about.state in (State.PROPOSED, State.PLANNED, State.CLAIMED)
            return Phase.ASKS if about.lost_at is not None and waits else Phase.OVER
        if notice.what in _STOPPABLE and act is not None and act["action"] == steering.PUBLISH:
            return self._let_go(about)
        if notice.what in POSTS:
            return Phase.ASKS if _waits(about) else Phase.OVER
        if act is not None:
            return Phase.OVER
        if about.state is State.HELD:
            return Phase.ASKS if about.held_reason == notice.what else Phase.OVER
        # A dead link is tried again every few minutes: what is held again for the same is nothing new.
        tried = about.state in (State.PLANNED, State.CLAIMED, State.SENDING)
        return Phase.ASKS if notice.what == HeldReason.LINK_DEAD and tried else Phase.OVER

    def _let_go(self, about: About) -> Phase:
        at = leaves_at(about)
        if at is None:
            return Phase.OVER
        if about.state is State.PLANNED and at > self.now:
            return Phase.LEAVES
        is_under_way = about.state in (State.PLANNED, State.CLAIMED, State.SENDING, State.UNKNOWN)
        return Phase.GOES if is_under_way and at > self.now - _LINGERS else Phase.OVER

    def ending(self, notice: Notice, zone: ZoneInfo) -> str:
        """Say how a notice ended, and by whom."""
        about, act = self.about.get(notice.id), self.acts.get(notice.id)
        if notice.what == SOURCE:
            return texts.SOURCE_BACK.format(time=clock(self.now, zone))
        state = about.state if about is not None else None
        overtaken = notice.what in POSTS and (
            state is State.EXPIRED
            or (state is State.CANCELLED and (act is None or act["action"] not in ("cancel", "decline")))
        )
        if act is not None and not overtaken:
            done = refusals.ACTS.get(act["action"], act["action"])
            told = texts.BY_EDITOR.format(who=refusals.shown(act["who"]), act=done, time=clock(act["at"], zone))
            pinned_at = about.pinned_at if about is not None and state is State.PLANNED else None
            if pinned_at is not None and pinned_at > self.now:
                told += texts.GOES_OUT.format(when=moment(pinned_at, self.now, zone))
            return told
        if notice.what == ACCESS:
            return texts.ACCESS_BACK.format(time=clock(self.now, zone))
        if state is None:
            return texts.MENDED if notice.what.startswith(WARNS) else texts.CLOSED
        if notice.what.startswith(WARNS) and state in (State.PROPOSED, State.PLANNED):
            return texts.MENDED
        if state is State.PUBLISHED and notice.what == HeldReason.NO_EVIDENCE:
            return texts.FOUND_PUBLIC
        return _ENDS.get(state, texts.PLANNED)


async def stand(tx: AsyncConnection, notices: Sequence[Notice], now: datetime) -> Standing:
    """Look where notices stand."""
    about = await causes.about(tx, notices)
    return Standing(now=now, notices=notices, about=about, acts=await _acts(tx, notices))


async def _acts(tx: AsyncConnection, notices: Sequence[Notice]) -> dict[int, dict[str, Any]]:
    """Return the newest act by which an editor settled what each notice is about, since it was kept."""
    of_deliveries = [one for one in notices if one.delivery_id is not None]
    if not of_deliveries:
        return {}
    since = min(notice.at for notice in of_deliveries)
    subjects = {steering.subject(one.delivery_id): one for one in of_deliveries if one.delivery_id is not None}
    by_subject: dict[str, list[dict[str, Any]]] = {}
    for act in await decisions.acts_on(tx, list(subjects), since):
        if act["action"] in _ACTS:
            by_subject.setdefault(act["subject"], []).append(act)
    newest: dict[int, dict[str, Any]] = {}
    for notice in of_deliveries:
        made = by_subject.get(steering.subject(notice.delivery_id), ()) if notice.delivery_id is not None else ()
        mine = [act for act in made if act["at"] >= notice.at]
        if mine:
            newest[notice.id] = mine[-1]
    return newest


def _waits(about: About) -> bool:
    return about.state is State.PROPOSED or (about.state is State.HELD and about.held_reason == EDITOR)


def leaves_at(about: About) -> datetime | None:
    """Return when what an editor has let go leaves: a change of a public post has no time but its turn."""
    return about.pinned_at or about.turn_at


def clock(at: datetime, zone: ZoneInfo) -> str:
    """Return a time of the outlet's day."""
    return at.astimezone(zone).strftime("%H:%M")


def moment(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Return a time and, where it is not today, its day."""
    return when(at.astimezone(zone), now.astimezone(zone).date())
