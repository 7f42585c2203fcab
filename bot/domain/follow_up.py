"""What a changed or retracted article does to its public post; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bot.domain.channel import Approval, Channel, Corrections, Retractions
from bot.domain.delivery import Kind, State, Turn

NO_WAIT = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A delivery to be queued for a public post, or (`kind` None) the reason why none is.

    `rung` 1 of a withdrawal overwrites the post instead of taking it down.
    """

    kind: Kind | None
    why: str
    turn: Turn = Turn.EDIT
    state: State = State.PLANNED
    rung: int = 0
    wait: timedelta = NO_WAIT


def correction(channel: Channel, *, headline_changed: bool, gather: timedelta, ours: bool = True) -> Change:
    """Say what a new revision does to the post that shows an older one.

    Args:
        ours: whether we wrote the post; another's words are never edited by us.
    """
    match channel.corrections:
        case Corrections.EDIT if not ours:
            return Change(kind=None, why="the article changed; its post was there before us, change it by hand")
        case Corrections.OFF:
            return Change(kind=None, why="the article changed; this channel's posts are left as they are (corrections)")
        case Corrections.NOTICE:
            asks = channel.approval is Approval.EDITOR
            return Change(
                kind=Kind.PUBLISH,
                why="the article changed: a notice follows" + (" once an editor agrees" if asks else ""),
                turn=Turn.ORDINARY,
                state=State.PROPOSED if asks else State.PLANNED,
            )
        case Corrections.EDIT:
            asks = channel.approval is Approval.EDITOR and headline_changed
            return Change(
                kind=Kind.EDIT,
                why="the article changed: its post is edited" + (" once an editor agrees" if asks else ""),
                state=State.PROPOSED if asks else State.PLANNED,
                wait=gather,
            )


def retraction(channel: Channel) -> Change:
    """Say what a retraction does to a public post."""
    match channel.retractions:
        case Retractions.OFF:
            return Change(kind=None, why="the article was retracted; this channel's posts stay (retractions)")
        case Retractions.NOTICE:
            return Change(
                kind=Kind.WITHDRAW,
                turn=Turn.WITHDRAWAL,
                rung=1,
                why="the article was retracted: its post is overwritten with a notice",
            )
        case Retractions.DELETE:
            return Change(
                kind=Kind.WITHDRAW, turn=Turn.WITHDRAWAL, why="the article was retracted: its post is taken down"
            )
