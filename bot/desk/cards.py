"""What the desk's notices look like: a card with its buttons, a list of many, and how each reads once it is settled."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from bot.compose.markup import cut, escape, one_line, plain
from bot.desk import texts
from bot.desk.voice import Button, Rows
from bot.logs import scrubbed
from bot.store.notices import ACCESS, About, Notice

MOST_LISTED = 20
_LONGEST_TITLE = 120
_LONGEST_DETAIL = 300

# The buttons of each kind of card: what the press is called in callback data, and what stands on it.
BUTTONS: Mapping[str, Sequence[tuple[str, str]]] = {
    "no-evidence": (("present", texts.PRESENT), ("again", texts.AGAIN), ("cancel", texts.CANCEL)),
    "template": (("retry", texts.RETRY), ("cancel", texts.CANCEL)),
    "link-dead": (("retry", texts.RETRY), ("cancel", texts.CANCEL)),
    "stale-words": (("publish", texts.PUBLISH), ("skip", texts.SKIP)),
    ACCESS: (),
}
LIST = "list"  # the button of a list


def card(notice: Notice, about: About) -> tuple[str, Rows]:
    """Return a notice of its own: what it is about, what to do, and the buttons for it."""
    parts = [texts.HEADS[notice.what], _subject(notice, about)]
    if notice.what == ACCESS:
        parts += [texts.how_to_mend(about.platform), texts.ACCESS_RETURNS]
    else:
        parts.append(texts.BODIES[notice.what])
    if notice.what == "stale-words" and ": " in about.detail:
        parts.append(texts.AGED.format(words=escape(one_line(about.detail.partition(": ")[2]))))
    if notice.what in (ACCESS, "template") and about.detail:
        parts.append(texts.ANSWER.format(detail=_detail(about)))
    rows = [[Button(label, f"{verb}:{notice.id}")] for verb, label in BUTTONS[notice.what]]
    return "\n".join(parts), rows


def settled(notice: Notice, about: About, how: str) -> str:
    """Return a card as it reads once it is settled: without buttons, with how and by whom."""
    return "\n".join((texts.HEADS[notice.what], _subject(notice, about), texts.ENDED.format(how=escape(how))))


def listing(told: Sequence[tuple[Notice, About]], ended: Collection[int] = ()) -> tuple[str, Rows]:
    """Return many notices as one message; those that have ended, or end now, are ticked off."""
    open_ones = {notice.id for notice, _ in told if notice.ended_at is None and notice.id not in ended}
    lines = [texts.LIST_HEAD.format(count=len(open_ones)) if open_ones else texts.LIST_HEAD_DONE]
    for notice, about in told[:MOST_LISTED]:
        mark = texts.MARKS[notice.what] if notice.id in open_ones else texts.DONE_MARK
        lines.append(texts.LIST_LINE.format(mark=mark, channel=escape(about.channel), title=_title(about)))
    if len(told) > MOST_LISTED:
        lines.append(texts.LIST_MORE.format(count=len(told) - MOST_LISTED))
    return "\n".join(lines), [[Button(texts.ONE_BY_ONE, f"{LIST}:{told[0][0].id}")]] if open_ones else []


def _subject(notice: Notice, about: About) -> str:
    """Return the line that says where and what; of a channel without a held post only where."""
    if notice.what == ACCESS and about.delivery_id is None:
        return escape(about.channel)
    return f"{escape(about.channel)}: {_title(about)}"


def _title(about: About) -> str:
    title = one_line(plain(about.title, about.platform)) if about.article_url is None else one_line(about.title)
    shown = escape(cut(title, _LONGEST_TITLE)) or texts.NO_TITLE
    return f'<a href="{escape(about.article_url)}">{shown}</a>' if about.article_url is not None else shown


def _detail(about: About) -> str:
    return escape(cut(one_line(scrubbed(about.detail)), _LONGEST_DETAIL))
