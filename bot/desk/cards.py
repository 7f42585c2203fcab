"""What the desk's notices look like: a card with its buttons, a list of many, and how each reads once it is settled."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.agenda import refusals
from bot.agenda.wording import when
from bot.compose.markup import cut, escape, one_line, plain
from bot.desk import texts
from bot.desk.standing import Phase, Standing, clock, leaves_at
from bot.desk.voice import Button, Rows
from bot.domain.delivery import Kind, State
from bot.domain.timetable import Timetable
from bot.logs import scrubbed
from bot.store.notices import ACCESS, EDITOR, PROPOSED, SOURCE, WARNS, About, Notice

MOST_LISTED = 20
_LONGEST_TITLE = 120
_LONGEST_DETAIL = 300
Layout = Sequence[Sequence[tuple[str, str]]]  # rows of buttons: what the press is called, and what stands on it

_CANCEL, _RETRY = ("cancel", texts.CANCEL), ("retry", texts.RETRY)
BUTTONS: Mapping[str, Layout] = {
    "no-evidence": ((("present", texts.PRESENT),), (("again", texts.AGAIN),), (_CANCEL,)),
    "template": ((_RETRY,), (_CANCEL,)),
    "link-dead": ((_RETRY,), (_CANCEL,)),
    "stale-words": ((("publish", texts.PUBLISH),), (("skip", texts.SKIP),)),
    PROPOSED: (
        (("publish", texts.PUBLISH), ("later", texts.LATER)),
        (("edit", texts.EDIT), ("decline", texts.SKIP)),
    ),
    EDITOR: (
        (("publish", texts.PUBLISH), ("later", texts.LATER)),
        (("release", texts.RELEASE),),
        (("edit", texts.EDIT), _CANCEL),
    ),
    ACCESS: (),
    SOURCE: (),
    f"{WARNS}access": (),
    **{
        f"{WARNS}{cause}": ((("edit", texts.EDIT),), (("hold", texts.HOLD), _CANCEL))
        for cause in ("photo", "link", "compose", "words")
    },
}
_OF_DELIVERY = frozenset({"edit", "stop"})  # name the delivery, not the notice: they stand under other messages, too
_NOT_FOR = {  # a change of a public post has no time of its own, and taking one down no words
    Kind.EDIT: frozenset({"later"}),
    Kind.WITHDRAW: frozenset({"later", "publish", "edit"}),
}
_UNFOLDED = frozenset({"at", "back"})  # what «Запланувати» unfolds
_MORNING = time(9)
LIST = "list"  # the button of a list
NAME = "name"  # the button that says where a post is meant for


def verbs(what: str) -> frozenset[str]:
    """Return what may be pressed under a kind of card."""
    shown = frozenset(verb for row in BUTTONS.get(what, ()) for verb, _ in row)
    return shown | (_UNFOLDED | {NAME} if "later" in shown else frozenset())


def rows(notice: Notice, about: About, phase: Phase, handled: Collection[str] | None = None) -> Rows:
    """Return the buttons of a card as it stands.

    Args:
        handled: what anybody handles; None for all.
    """
    layout: Layout = BUTTONS[notice.what] if phase is Phase.ASKS else ()
    if phase is Phase.LEAVES:
        layout = ((("stop", texts.STOP),),)
    without = _NOT_FOR.get(about.kind, frozenset()) | ({"hold"} if about.state is State.PROPOSED else frozenset())
    made = [
        [
            Button(label, f"{verb}:{about.delivery_id if verb in _OF_DELIVERY else notice.id}")
            for verb, label in row
            if verb not in without and (handled is None or verb in handled)
        ]
        for row in layout
    ]
    return [row for row in made if row]


def times(notice: Notice, about: About, in_turn: datetime | None, now: datetime, zone: ZoneInfo) -> Rows:
    """Return the buttons that «Запланувати» unfolds.

    Args:
        in_turn: when the post would go in its turn; None where nobody can tell.
    """
    today = now.astimezone(zone).date()
    if about.state is State.HELD and about.pinned_at is not None:
        turn = texts.AS_IT_WAS.format(when=when(about.pinned_at.astimezone(zone), today))
    elif in_turn is not None:
        turn = texts.IN_TURN.format(when=when(in_turn.astimezone(zone), today))
    else:
        turn = texts.IN_TURN_SOMETIME
    tomorrow = Timetable(zone=zone).moment(today + timedelta(days=1), _MORNING)
    return [
        [Button(texts.IN_QUARTER, f"at:{notice.id}:15m"), Button(texts.IN_HOUR, f"at:{notice.id}:60m")],
        [Button(turn, f"at:{notice.id}:turn")],
        [Button(texts.TOMORROW, f"at:{notice.id}:{int(tomorrow.timestamp())}")],
        [Button(texts.BACK, f"back:{notice.id}")],
    ]


def card(notice: Notice, standing: Standing, zone: ZoneInfo) -> str:
    """Return the words of a notice of its own: what it is about, and what to do."""
    about, phase = standing.about[notice.id], standing.phase(notice)
    parts = [texts.HEADS[notice.what], _subject(notice, about)]
    if phase is not Phase.ASKS:
        parts.append(on_its_way(notice, standing, zone, texts.LEAVES, texts.GOES))
    elif notice.what == f"{WARNS}access":
        parts += [texts.WARNS_ACCESS, texts.how_to_mend(about.platform)]
    elif notice.what == ACCESS:
        parts += [texts.how_to_mend(about.platform), texts.ACCESS_RETURNS]
    elif notice.what == SOURCE:
        parts.append(_silent(about, standing.now, zone))
    else:
        parts.append(texts.BODIES[notice.what])
    if notice.what == "stale-words" and ": " in about.detail:
        parts.append(texts.AGED.format(words=escape(one_line(about.detail.partition(": ")[2]))))
    if notice.what == f"{WARNS}words":
        parts.append(texts.AGED.format(words=detail(about.detail)))
    elif (notice.what in (ACCESS, SOURCE, "template") or notice.what.startswith(WARNS)) and about.detail:
        parts.append(texts.ANSWER.format(detail=detail(about.detail)))
    return "\n".join(parts)


def on_its_way(notice: Notice, standing: Standing, zone: ZoneInfo, leaves: str, goes: str) -> str:
    """Say who let a post go, and when it leaves."""
    about, act = standing.about[notice.id], standing.acts.get(notice.id)
    who = escape(refusals.shown(act["who"])) if act is not None else ""
    at = leaves_at(about)
    channel = escape(about.channel)
    if standing.phase(notice) is Phase.LEAVES and at is not None:
        return leaves.format(channel=channel, who=who, time=at.astimezone(zone).strftime("%H:%M:%S"))
    return goes.format(channel=channel, who=who)


def settled(notice: Notice, about: About, how: str) -> str:
    """Return a card as it reads once it is settled: without buttons, with how and by whom."""
    lines = [texts.HEADS[notice.what], _subject(notice, about), texts.ENDED.format(how=escape(how))]
    if about.state is State.PUBLISHED and about.permalink:
        lines.append(f'<a href="{escape(about.permalink)}">{texts.LOOK_AT_IT}</a>')
    return "\n".join(lines)


def listing(told: Sequence[tuple[Notice, About]], ended: Collection[int] = ()) -> tuple[str, Rows]:
    """Return many notices as one message; those that have ended, or end now, are ticked off."""
    open_ones = {notice.id for notice, _ in told if notice.ended_at is None and notice.id not in ended}
    lines = [texts.LIST_HEAD.format(count=len(open_ones)) if open_ones else texts.LIST_HEAD_DONE]
    for notice, about in told[:MOST_LISTED]:
        mark = texts.MARKS[notice.what] if notice.id in open_ones else texts.DONE_MARK
        where = f"{escape(about.channel)}: " if about.channel else ""
        lines.append(texts.LIST_LINE.format(mark=mark, where=where, title=title(about)))
    if len(told) > MOST_LISTED:
        lines.append(texts.LIST_MORE.format(count=len(told) - MOST_LISTED))
    return "\n".join(lines), [[Button(texts.ONE_BY_ONE, f"{LIST}:{told[0][0].id}")]] if open_ones else []


def _subject(notice: Notice, about: About) -> str:
    """Return the line that says where and what; of a channel without a held post only where."""
    if about.delivery_id is None and about.channel:
        return escape(about.channel)
    return f"{escape(about.channel)}: {title(about)}" if about.channel else title(about)


def title(about: About) -> str:
    """Return a headline as a link to its article."""
    words = one_line(plain(about.title, about.platform)) if about.article_url is None else one_line(about.title)
    shown = escape(cut(words, _LONGEST_TITLE)) or texts.NO_TITLE
    return f'<a href="{escape(about.article_url)}">{shown}</a>' if about.article_url is not None else shown


def detail(words: str) -> str:
    """Return an answer from outside in a size that fits, without secrets."""
    return escape(cut(one_line(scrubbed(words)), _LONGEST_DETAIL))


def _silent(about: About, now: datetime, zone: ZoneInfo) -> str:
    """Say since when a source has given nothing; one that never gave anything has no such time."""
    if about.lost_at is None or about.lost_at.timestamp() <= 0:
        return texts.SOURCE_NEVER
    if now.astimezone(zone).date() == about.lost_at.astimezone(zone).date():
        return texts.SOURCE_SILENT.format(when=clock(about.lost_at, zone))
    return texts.SOURCE_SILENT.format(when=about.lost_at.astimezone(zone).strftime("%d.%m %H:%M"))
