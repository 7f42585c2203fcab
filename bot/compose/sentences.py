"""Where Ukrainian sentences end: tokenize_uk with its weak spots mended.

tokenize_uk (LanguageTool's rules) cuts a quotation of several sentences apart, cuts after "…" before a figure, and
after some abbreviations that a figure or a name follows. Where a cut is doubtful the parts stay together: a summary
may then hold one sentence more, but never half of one.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_QUOTES = {"«": "»", "„": "“”"}
_LONGEST_QUOTE = 8  # parts; a quotation mark that is never closed must not swallow the article
_ELLIPSIS_BEFORE_FIGURE = re.compile(r"(?:…|\.\.\.)$")
# An abbreviation that something always follows: a month, a rank, a place, a page.
_ABBREVIATION = re.compile(
    r"(?:^|[\s(«\"])(?:ген|полк|підполк|"
    r"кап|лейт|серж|"
    r"проф|акад|доц|канд|ім|вул|просп|пл|буд|кв|обл|р-н|смт|див|напр|пор|св|адм|с|ст|рис|табл|гол|заст|т|тт|зб|"
    r"вид|ред|"
    r"о|м|гр|пп|тов|Dr|Mr|Mrs|St|ул|им|г|гр)\.$",
    re.IGNORECASE,
)
_MONTH = re.compile(
    r"\d\s(?:січ|лют|бер|берез|квіт|трав|черв|лип|серп|верес|вер|жовт|листоп|груд|янв|фев|апр|авг|сент|окт|нояб|дек)\.$",
    re.I,
)
_YEAR_ABBREVIATION = re.compile(r"\d\s*(?:р|рр|ст|год|хв|тис|млн|млрд|грн|руб|кг|км|коп)\.$")
_LOWER_START = re.compile(r"[\"«„“(\[—–-]*\s*[a-zа-яіїєґ]")


def warm() -> None:
    """Load the rules, so that the first post does not wait for them (about half a second)."""
    split("Так. Ні.")


@lru_cache(maxsize=1)
def _tokenizer() -> Callable[[str], list[tuple[str, int, int]]]:
    from tokenize_uk import tokenize_sents_with_spans

    return tokenize_sents_with_spans


def split(text: str) -> list[str]:
    """Return the sentences of one paragraph, unaltered, in order, without the space between them."""
    if not text.strip():
        return []
    whole: list[tuple[int, int]] = []
    for _, start, end in _tokenizer()(text):
        if whole and (end <= start or _belongs(text[whole[-1][0] : whole[-1][1]], text[start:end])):
            whole[-1] = (whole[-1][0], max(end, whole[-1][1]))
        elif end > start:
            whole.append((start, end))
    return [text[start:end] for start, end in _with_whole_quotes(text, whole)]


def _belongs(before: str, after: str) -> bool:
    """Say whether a cut between these two was a mistake."""
    figure = after[:1].isdigit()
    if figure and (_ELLIPSIS_BEFORE_FIGURE.search(before) or _MONTH.search(before)):
        return True
    if _ABBREVIATION.search(before) and not re.search(r"(?:^|\s)\d[\d\s]*\s*(?:с|ст|т|м|г|о)\.$", before):
        return True
    if _YEAR_ABBREVIATION.search(before) and _LOWER_START.match(after):
        return True
    return not re.search(r"\w", after) or (before.endswith((".", "…")) and after[:1].islower())


def _with_whole_quotes(text: str, parts: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join the parts of a quotation that was cut apart; one that is never closed stays cut."""
    whole: list[tuple[int, int]] = []
    at = 0
    while at < len(parts):
        last = at
        if _open(text[parts[at][0] : parts[at][1]]):
            for ahead in range(at + 1, min(at + _LONGEST_QUOTE, len(parts))):
                if not _open(text[parts[at][0] : parts[ahead][1]]):
                    last = ahead
                    break
        whole.append((parts[at][0], parts[last][1]))
        at = last + 1
    return whole


def _open(text: str) -> bool:
    """Say whether a quotation opened in this text is still open at its end."""
    angled = text.count("«") > text.count("»")
    low = text.count("„") > sum(text.count(mark) for mark in _QUOTES["„"])
    straight = text.count('"') % 2 == 1
    return angled or low or straight
