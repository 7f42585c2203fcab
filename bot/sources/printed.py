"""The text of an article page as it is printed, top to bottom, in a `.txt` file.

Headline, lead, photo credit (printed twice), body with subheads, the page's call to action, author, then a list of
teasers of other news. Every part but the headline may be missing. The body stays plain text, paragraphs split by
blank lines; nothing that belongs to the page or to other articles is left in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from bot.domain.article import Article, Teaser
from bot.errors import SourceError
from bot.sources.normal import FieldError, article_from, clean_line, clean_text
from bot.sources.times import day as day_of
from bot.sources.times import moment
from bot.sources.wording import author_in, credit_in, is_call, is_credit

_MAX_RUBRIC = 40
_MAX_LEAD = 800
_MAX_CAPTION = 200
_MAX_TEASER_LINES = 8
_HEAD = re.compile(r"(url|date)\s*:\s*(.*)", re.IGNORECASE)
_DAY = re.compile(r"\d{1,2}\.\d{2}(?:\.\d{2,4})?")
_MORE = re.compile(
    r"(?:показати|завантажити|дивитися|читати)\s+(?:більше|ще)\W*|(?:ще|більше)\s+новин\W*", re.IGNORECASE
)
_SENTENCE_END = (".", "!", "?", "…", ".»", '."', ".”", '!"', '?"')


def decoded(raw: bytes) -> str:
    """Return the text of a file: UTF-8 or UTF-16 by its mark, UTF-8, else windows-1251.

    Raises:
        SourceError: the bytes are no text.
    """
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return raw.decode("utf-16")
        except UnicodeDecodeError as error:
            raise SourceError("not a text: broken UTF-16") from error
    if b"\0" in raw:
        raise SourceError("not a text: it holds zero bytes")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("windows-1251", errors="replace")


def read_printed(
    text: str,
    where: str,
    *,
    url: str | None = None,
    published_at: datetime | None = None,
    zone: tzinfo | None = None,
    rubric: str = "",
) -> Article:
    """Read one printed page.

    Args:
        text: the page; its first lines may be `URL: …` and `Date: …` (ISO, or dd.mm.yyyy hh:mm).
        where: what an error says of its place.
        url: overrides the head line.
        published_at: overrides the head line; aware.
        zone: of a date without an offset; None refuses such a date.
        rubric: of the article, which the page does not print.

    Raises:
        SourceError: no headline, or a field that cannot be taken.
    """
    head, lines = _head(clean_text(text).split("\n"))
    if published_at is None and head.get("date"):
        published_at = moment(head["date"], zone) or day_of(head["date"], zone)
        if published_at is None:
            raise FieldError(where, "Date", f"write it like 2024-01-31T19:00:00+02:00, got {head['date'][:60]!r}")
    lines, teasers = _split_teasers(lines)
    page = _Page.read(lines)
    article = article_from(
        {
            "url": url or head.get("url") or None,
            "title": page.title,
            "lead": page.lead,
            "body": "\n\n".join(page.body),
            "author": page.author,
            "rubric": rubric,
            "photo_credit": page.credit,
            "published_at": published_at,
        },
        where,
    )
    return replace(article, teasers=tuple(teasers))


def _head(lines: list[str]) -> tuple[dict[str, str], list[str]]:
    head: dict[str, str] = {}
    for number, line in enumerate(lines):
        found = _HEAD.fullmatch(line.strip())
        if found and found[1].lower() not in head:
            head[found[1].lower()] = found[2].strip()
        elif line.strip():
            return head, lines[number:]
    return head, []


@dataclass(slots=True)
class _Page:
    """The parts of a page above its teasers."""

    title: str
    lead: str
    body: list[str]
    author: str
    credit: str

    @classmethod
    def read(cls, lines: list[str]) -> _Page:
        author, credit, body = "", "", list[str]()
        credit_after: int | None = None  # paragraphs of text above the first credit, the headline included
        for paragraph in _paragraphs(lines):
            kept: list[str] = []
            for line in paragraph:
                printed = _credit(line) if body or kept else None
                if printed is not None:
                    if not credit:
                        credit, credit_after = printed, len(body) + bool(kept)
                elif (name := author_in(line)) is not None and (body or kept):
                    author = author or name
                elif not is_call(line) and not _MORE.fullmatch(line):
                    kept.append(line)
            if kept and not body:
                body.append(kept.pop(0))  # the headline is one line, whatever follows it
            if kept:
                body.append("\n".join(kept))
        title, text = (body[0], body[1:]) if body else ("", [])
        text = [paragraph for number, paragraph in enumerate(text) if number or clean_line(paragraph) != title]
        lead = ""
        # above the photo stands the lead; right below the headline's photo the body has begun
        if len(text) > 1 and credit_after != 1 and _may_be_lead(text[0]):
            lead, *text = text
        return cls(title=title, lead=lead, body=text, author=author, credit=credit)


def _paragraphs(lines: list[str]) -> list[list[str]]:
    result: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            result[-1].append(line.strip())
        elif result[-1]:
            result.append([])
    return [paragraph for paragraph in result if paragraph]


def _credit(line: str) -> str | None:
    if len(line) > _MAX_CAPTION:
        return None
    return credit_in(line)


def _may_be_lead(paragraph: str) -> bool:
    return len(paragraph) <= _MAX_LEAD and paragraph.rstrip().endswith(_SENTENCE_END)


def _split_teasers(lines: list[str]) -> tuple[list[str], list[Teaser]]:
    """Cut the list of other news off the end of a page.

    It is one only if it reaches the end of the page and either says «показати більше» or has two entries: a lone
    date at the end of an article is no teaser.
    """
    filled = [(number, line.strip()) for number, line in enumerate(lines) if line.strip()]
    more = bool(filled) and bool(_MORE.fullmatch(filled[-1][1]))
    if more:
        filled.pop()
    ends = [place for place, (_, line) in enumerate(filled) if _DAY.fullmatch(line)]
    if not ends or ends[-1] != len(filled) - 1:
        return lines, []
    first = len(ends) - 1
    while first > 0 and 1 < ends[first] - ends[first - 1] <= _MAX_TEASER_LINES:
        first -= 1
    if len(ends) - first < 2 and not more:
        return lines, []
    inner = [filled[start + 1 : end] for start, end in zip(ends[first:], ends[first + 1 :], strict=False)]
    rubrics = {block[0][1] for block in inner if _is_rubric(block[0][1])}
    start = _start_of_first(filled[: ends[first]], rubrics)
    if start is None:
        blocks, cut = inner, ends[first] + 1
    else:
        blocks, cut = [filled[start : ends[first]], *inner], start
    if not blocks:
        return lines, []
    days = [filled[end][1] for end in ends][-len(blocks) :]
    teasers = [_teaser([line for _, line in block], day) for block, day in zip(blocks, days, strict=True)]
    return lines[: filled[cut][0]], teasers


def _start_of_first(above: list[tuple[int, str]], rubrics: set[str]) -> int | None:
    """Find where the first teaser begins among the filled lines above its day, or None if there is none."""
    lines = [line for _, line in above]
    lowest = max(0, len(lines) - _MAX_TEASER_LINES)
    for place in range(len(lines) - 1, lowest - 1, -1):
        # what closes an article stands right above its teasers
        if author_in(lines[place]) is not None or is_call(lines[place]):
            return place + 1 if place + 1 < len(lines) else None
    for place in range(len(lines) - 2, lowest - 1, -1):
        if is_credit(lines[place + 1]) and _is_rubric(lines[place]) and place > 0:
            return place
    for place in range(len(lines) - 2, lowest - 1, -1):
        if lines[place] in rubrics and place > 0:
            return place
    # a rubric, a headline and its text, with nothing that tells where the article ended
    return len(lines) - 3 if len(lines) > 3 and _is_rubric(lines[-3]) else None


def _is_rubric(line: str) -> bool:
    return len(line) <= _MAX_RUBRIC and not line.endswith((".", "!", "?", "…", ":")) and not is_credit(line)


def _teaser(lines: list[str], day: str) -> Teaser:
    rest = [clean_line(line) for line in lines]
    rubric = rest.pop(0) if len(rest) > 1 and _is_rubric(rest[0]) else ""
    credit = title = None
    if rest and is_credit(rest[0]):
        credit = rest.pop(0)
    elif len(rest) > 1 or (rest and not rubric):
        title = rest.pop(0)
    return Teaser(rubric=rubric, credit=credit, title=title, text=" ".join(rest), day=_short_day(day))


def _short_day(day: str) -> str:
    number, month, *_ = day.split(".")
    return f"{int(number):02}.{month}"
