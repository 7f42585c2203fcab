"""Words that age: «сьогодні», «у вівторок», «цього року», read later than they were written for.

Days, weeks and years are the outlet's local ones. An article of unknown time is never touched. Not known here: words
that hold beside a date («у вівторок, 14 травня»), and «вночі» or «вранці» alone, which may be any night or morning.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime

from bot.domain.timetable import Timetable

WARNING = "stale-words"  # how a post's warning about them begins

_MONTHS = "січня|лютого|березня|квітня|травня|червня|липня|серпня|вересня|жовтня|листопада|грудня"
_NOT_DATED = rf"(?!\s*[,(]?\s*\d{{1,2}}(?:\s+(?:{_MONTHS})|\.\d\d))"
_WEEKDAY = (
    r"(?:понеділ(?:ок|ка|ку)|вівтор(?:ок|ка|ку)|серед[ауи]|четвер(?:га|гу)?|п['’ʼ]ятниц[юіи]|субот[уиі]|неділ[юі]|"
    r"понедельник[а]?|вторник[а]?|сред[уы]|четверг[а]?|пятниц[уы]|суббот[уы]|воскресень[ея])" + _NOT_DATED
)
_THIS = (
    r"(?:ц(?:ього|ієї|ей|ю|і|ими|их)|минул(?:ого|ої|ий|у|ими)|наступн(?:ого|ої|ий|у|ими)|найближч(?:ого|ої|ий|у|ими))"
)
_OF_DAY = (
    r"сьогодні(?:шн\w+)?|(?:по)?завчора(?:шн\w+)?|[ву]чора(?:шн\w+)?|(?:після)?завтра(?:шн\w+)?|"
    r"щойно|тільки що|зараз|наразі|дотепер|"
    rf"{_THIS} (?:ранку|вечора|дня|ночі|ніч|миті|хвилини|години|доби|добу|обіду|полудня)|"
    r"(?:за|протягом|упродовж|впродовж) останн(?:ю|ьої) (?:добу|доби|ніч|ночі|годину|години)|останніми годинами|"
    r"(?:хвилин[уи]?|годин[уи]?|день|дні|днів|доби|діб|тиждень|тижні|тижнів) тому|"
    rf"(?:у|в|на|з|із|зі|до|від|після|перед|по) (?:{_THIS} )?{_WEEKDAY}|{_THIS} {_WEEKDAY}|"
    r"сегодня(?:шн\w+)?|(?:поза)?вчера(?:шн\w+)?|(?:после)?завтра|только что|сейчас|"
    r"этим утром|этой ночью|прошлой ночью|(?:в|во|на|с|до) " + _WEEKDAY
)
_OF_WEEK = rf"{_THIS} тижня|{_THIS} вихідни(?:ми|х)|(?:на|у|в) вихідн(?:их|і)|{_THIS} днями|на (?:этой|прошлой) неделе"
_OF_MONTH = rf"{_THIS} місяця|(?:в|у) цьому місяці|в (?:этом|прошлом) месяце"
_OF_YEAR = (
    rf"{_THIS} року|цьогоріч(?:н\w+)?|(?:поза)?торі(?:к|шн\w+)|(?:в|у) (?:цьому|минулому|наступному) році|"
    r"минулорічн\w+|в (?:этом|прошлом) году"
)


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w’'ʼ-])(?:{pattern})(?![\w’'ʼ-])", re.IGNORECASE)


_AGE: tuple[tuple[Callable[[date], object], re.Pattern[str]], ...] = (
    (lambda day: day, _words(_OF_DAY)),
    (lambda day: day.isocalendar()[:2], _words(_OF_WEEK)),
    (lambda day: (day.year, day.month), _words(_OF_MONTH)),
    (lambda day: day.year, _words(_OF_YEAR)),
)
_NAME = re.compile(r"[«\"„][^»\"“]*$")  # a word that is a whole quoted name, «Сьогодні» the paper, does not age


def has_aged(text: str, published_at: datetime | None, at: datetime, timetable: Timetable) -> tuple[str, ...]:
    """Return the words of a text that no longer hold at its slot, each once, as written; () where all do.

    Args:
        text: plain.
        published_at: when it was written; None: unknown, nothing is found.
        at: when it will be read.
        timetable: whose zone says which day, week, month and year these are.
    """
    if published_at is None:
        return ()
    written, read = timetable.day_of(published_at), timetable.day_of(at)
    return () if written == read else aged(text, written, read)


def aged(text: str, written: date, read: date) -> tuple[str, ...]:
    """Return the words of a text written on one day that do not hold on another."""
    found: dict[str, str] = {}
    for span, pattern in _AGE:
        if span(written) == span(read):
            continue
        for match in pattern.finditer(text):
            if not _is_name(text, match):
                found.setdefault(match[0].casefold(), match[0])
    return tuple(found.values())


def without_aged(sentences: list[str], is_old: Callable[[str], object], leans: Callable[[str], bool]) -> list[str]:
    """Return the sentences that are not old and lean on none that is; all of them where none would stay.

    Args:
        sentences: of one text, in order.
        is_old: says whether words in a sentence have aged.
        leans: says whether a sentence needs the one before it.
    """
    kept: list[str] = []
    after_gap = False
    for sentence in sentences:
        after_gap = bool(is_old(sentence)) or (after_gap and leans(sentence))
        if not after_gap:
            kept.append(sentence)
    return kept or sentences


def _is_name(text: str, found: re.Match[str]) -> bool:
    return _NAME.search(text[: found.start()]) is not None and text[found.end() : found.end() + 1] in ("»", '"', "“")
