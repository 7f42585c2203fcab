"""Words that age: «сьогодні», «вчора», «щойно», a weekday, read on another day than they were written for.

Days are the outlet's local days. An article of unknown time is never touched.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from bot.domain.timetable import Timetable

WARNING = "stale-words"  # how a post's warning about them begins

_WEEKDAY = r"понеділ(?:ок|ка)|вівтор(?:ок|ка)|серед[ау]|четвер(?:га)?|п['’ʼ]ятниц[яюі]|субот[ауи]|неділ[яюі]"
_WORDS = re.compile(
    r"(?<![\w’'ʼ-])(?:сьогодні(?:шн\w+)?|сьогодн[іi]|вчора(?:шн\w+)?|учора(?:шн\w+)?|позавчора|"
    r"завтра(?:шн\w+)?|післязавтра|"
    r"щойно|нині(?:шн\w+)?|зараз|наразі|цієї (?:миті|хвилини|години|ночі)|цього (?:ранку|вечора|дня)|"
    r"(?:хвилину|годину|кілька годин|кілька хвилин) тому|"
    r"(?:у|в|на|з|до|від|із)(?: (?:цю|цей|минул\w+|наступн\w+))? ?(?:" + _WEEKDAY + r")|"
    r"сегодня(?:шн\w+)?|вчера(?:шн\w+)?|завтра|только что)(?![\w’'ʼ-])",
    re.IGNORECASE,
)
# «нині» and «зараз» hold for longer than a day, as do proper names («Сьогодні» the paper).
_LASTING = re.compile(r"(?i:нині|зараз|наразі)")
_NAME = re.compile(r"[«\"„][^»\"“]*$")


def aged(text: str) -> tuple[str, ...]:
    """Return the words of a text that hold for one day only, each once, as written."""
    found: dict[str, str] = {}
    for match in _WORDS.finditer(text):
        word = match[0]
        if _LASTING.fullmatch(word) or _is_name(text, match):
            continue
        found.setdefault(word.casefold(), word)
    return tuple(found.values())


def is_past(published_at: datetime | None, at: datetime, timetable: Timetable) -> bool:
    """Say whether the slot falls on another local day than the article."""
    return published_at is not None and timetable.day_of(published_at) != timetable.day_of(at)


def without_aged(sentences: list[str], leans: Callable[[str], bool]) -> list[str]:
    """Return the sentences that hold no such word and lean on none that does; all of them where none would stay.

    Args:
        sentences: of one text, in order.
        leans: says whether a sentence needs the one before it.
    """
    kept: list[str] = []
    after_gap = False
    for sentence in sentences:
        after_gap = bool(aged(sentence)) or (after_gap and leans(sentence))
        if not after_gap:
            kept.append(sentence)
    return kept or sentences


def _is_name(text: str, found: re.Match[str]) -> bool:
    """Say whether the word is a whole quoted name, «Сьогодні»."""
    return _NAME.search(text[: found.start()]) is not None and text[found.end() : found.end() + 1] in ("»", '"', "“")
