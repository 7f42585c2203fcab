"""Photo credits: every printed form is read to kind, source and illustrative, and set again in one house form.

What is no credit is not taken for one: a headline that begins with «Фото», a caption, the author of the text. The
words themselves are in `credit_words`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from bot.compose import credit_words as words
from bot.compose.credit_source import BRACKETS, LONGEST, MOST_WORDS, normal
from bot.compose.credit_source import owner as owner_of
from bot.compose.credit_source import source as source_of
from bot.compose.markup import one_line
from bot.domain.post import Credit, CreditKind

_LONGEST = 300  # characters of a line that is looked at

_END = r"(?![\w’'ʼ-])"
_NOUNS = tuple((re.compile(rf"(?:{noun.pattern})(?:{_END}|(?<=\.))", re.IGNORECASE), noun) for noun in words.NOUNS)
_ADJECTIVE = re.compile(rf"(?:(?P<ill>{words.ILLUSTRATIVE})|{words.ARCHIVAL})\s+", re.IGNORECASE)
_ALSO_VIDEO = re.compile(words.ALSO_VIDEO + _END, re.IGNORECASE)
_AFTER_NOUN = re.compile(rf"\s*,?\s*[(\[]?\s*{words.ILLUSTRATIVE}\s*[)\]]?{_END}", re.IGNORECASE)
_LEADING_ILL = re.compile(rf"^[(\[]?{words.ILLUSTRATIVE}[)\]]?{_END}\s*[,:/|.–—-]?\s*", re.IGNORECASE)
_TRAILING_ILL = re.compile(rf"\s*[,/|–—-]?\s*[(\[]?\b{words.ILLUSTRATIVE}(?:\s+фото)?[)\]]?$", re.IGNORECASE)
_STRONG = re.compile(r"\s*(?::|\||/|©|\([cс]\)|\s[–—-]\s|[–—](?=\S))\s*(?:©\s*)?", re.IGNORECASE)
_VIDEO_AFTER_MARK = re.compile(r"(?:(?:з|із|зі|из)\s+)?(?:відео|видео|відеозапису)\s+(?=\S)", re.IGNORECASE)
_COMMA = re.compile(r"\s*,\s*")
_ONLY_ILLUSTRATIVE = re.compile(rf"{words.ILLUSTRATIVE}\s+фото|фото\s+{words.ILLUSTRATIVE}", re.IGNORECASE)
_COPYRIGHT = re.compile(r"^(?:©|\([cс]\)(?=\s))\s*(.+)$", re.IGNORECASE)
_NOT_COPYRIGHT = re.compile(r"прав[аи]?\b.*захищ|права защищ|rights reserved|\b(?:19|20)\d\d\b", re.IGNORECASE)
_TAIL = re.compile(r"(?P<mark>\s*[/|]\s*|[.!?…]\s+|,\s+|\s+[–—-]\s+|\s+(?=©))")
_BY_ITSELF = frozenset(("фото", "фотографія", "світлина", "photo", "photos", "zdjęcie", "відео", "видео"))


def parse(line: str) -> Credit | None:
    """Read one printed line as a credit; None where it is something else.

    A caption may stand before or after the credit: «Пожежа у порту / Фото: ДСНС», «Фото: пожежа у порту (ДСНС)».
    """
    line = _bare(one_line(line))
    if not 3 <= len(line) <= _LONGEST or not _may_hold_one(line):
        return None
    return _marked(line) or _agency(line) or _without_a_word(line)


def _may_hold_one(line: str) -> bool:
    """Say whether it is worth reading: nearly every line of an article is not, and this is far cheaper."""
    folded = line.casefold()
    return any(mark in folded for mark in words.MARKS)


def _marked(line: str) -> Credit | None:
    return _phrase(line) or _in_brackets(line) or _after_caption(line)


_NEXT = re.compile(r";(?!\s*(?:фото|світлина|photo)\s*\d{0,2}\s*:)", re.IGNORECASE)
_HEAD = re.compile(r"(?:фото|photo|foto|zdjęcie)\s*[:—–-]\s*", re.IGNORECASE)


def stated(text: str) -> Credit | None:
    """Read a field that is known to hold a credit (`photo_credit`, `creditText`): a bare name is one, too.

    Lines and parts after ";" are read one by one; the first that gives a credit counts.
    """
    parts = [bare for line in text.splitlines() for part in _NEXT.split(line) if (bare := _bare(one_line(part)))]
    if found := next((found for part in parts if len(part) <= _LONGEST and (found := _marked(part))), None):
        return found
    for part in (_HEAD.sub("", part) for part in parts):
        short = len(part) <= LONGEST and len(part.split()) <= MOST_WORDS
        if short and part.casefold() not in _BY_ITSELF and re.search(r"\w", part):
            return Credit(kind=CreditKind.PHOTO, source=normal(part))
    return None


def find(lines: Iterable[str]) -> Credit | None:
    """Return the first credit among printed lines; a line that is printed again counts once."""
    return next((found for line in lines if (found := parse(line))), None)


def house(credit: Credit) -> str:
    """Return the one form in which the house prints this credit, in Ukrainian."""
    kind, source, illustrative = credit.kind, credit.source, credit.illustrative
    if kind is CreditKind.PHOTO:
        head = "Фото ілюстративне" if illustrative else "Фото"
        return _joined(head, source, loose=not illustrative and _is_loose(source))
    if kind is CreditKind.ILLUSTRATION:
        return _joined("Ілюстративне зображення" if illustrative else "Ілюстрація", source, loose=_is_genitive(source))
    if kind in (CreditKind.COLLAGE, CreditKind.INFOGRAPHIC):
        text = _joined("Колаж" if kind is CreditKind.COLLAGE else "Інфографіка", source, loose=_is_genitive(source))
        return text + (" (ілюстративний)" if kind is CreditKind.COLLAGE else " (ілюстративна)") * illustrative
    return _frame(credit) + " (ілюстративний)" * illustrative


def _frame(credit: Credit) -> str:
    source = credit.source
    if credit.kind is CreditKind.SCREENSHOT:
        head = "Скриншот з відео" if credit.from_video else "Скриншот"
        loose = credit.from_video and not words.DOMAIN.match(source)
        return _joined(head, source, loose=loose or _is_from(source))
    if _is_from(source):
        return f"Кадр {source}"
    return f"Кадр з відео {source}".rstrip()


def _is_from(source: str) -> bool:
    return re.match(rf"{words.FROM}\s", source, re.IGNORECASE) is not None


def _joined(head: str, source: str, *, loose: bool) -> str:
    if not source:
        return head
    if loose:
        return f"{head} {words.ROLES.get(source, source)}"
    return f"{head}: {source}"


def _is_loose(source: str) -> bool:
    return _is_genitive(source) or re.match(rf"{words.GIVEN}\b", source, re.IGNORECASE) is not None


def _is_genitive(source: str) -> bool:
    """Say whether a source reads well only without a colon: a role («авторка»), or a name in the genitive."""
    return source in words.ROLES or source.split(" ", 1)[0] in words.GENITIVE_NAMES


def _bare(line: str) -> str:
    """Take bullets and brackets around the whole line off."""
    line = line.strip(" \t*•▪_|")
    while len(line) > 2 and (line[0], line[-1]) in (("(", ")"), ("[", "]")) and not re.search(r"[()\[\]]", line[1:-1]):
        line = line[1:-1].strip()
    if line.endswith(".") and line[:1] == "(" and line[-2:] == ").":
        return _bare(line[:-1])
    return line


def _phrase(text: str, *, inner: bool = False) -> Credit | None:
    """Read text that begins with the credit's own word: «Фото: …», «Скриншот з відео …», «© …»."""
    if found := _COPYRIGHT.match(text):
        if _NOT_COPYRIGHT.search(found[1]):
            return None
        source = source_of(found[1], strong=True)
        return Credit(kind=CreditKind.PHOTO, source=source) if source else None
    illustrative = False
    while adjective := _ADJECTIVE.match(text):
        illustrative = illustrative or adjective["ill"] is not None
        text = text[adjective.end() :]
    for pattern, noun in _NOUNS:
        if opening := pattern.match(text):
            dotted = opening[0].endswith(".")
            return _after_noun(noun, text[opening.end() :], illustrative=illustrative, dotted=dotted, inner=inner)
    return None


def _after_noun(noun: words.Noun, rest: str, *, illustrative: bool, dotted: bool, inner: bool) -> Credit | None:
    strict = False
    if noun.kind is CreditKind.PHOTO and (also := _ALSO_VIDEO.match(rest)):
        rest, strict = rest[also.end() :], True
    if said := _AFTER_NOUN.match(rest):
        rest, illustrative = rest[said.end() :], True
    mark = _STRONG.match(rest) or (_COMMA.match(rest) if illustrative else None)
    strong = mark is not None or dotted
    rest = rest[mark.end() :] if mark else rest.strip()
    if strong and noun.kind is CreditKind.PHOTO and (nested := _nested(rest)):
        return replace(nested, illustrative=nested.illustrative or illustrative)
    if trailing := (_LEADING_ILL.match(rest) or _TRAILING_ILL.search(rest)):
        rest, illustrative = (rest[: trailing.start()] + rest[trailing.end() :]).strip(" ,/|"), True
        strong = strong or trailing.start() == 0
    kind = noun.kind
    video = noun.from_video
    if kind is CreditKind.SCREENSHOT and strong and (said_video := _VIDEO_AFTER_MARK.match(rest)):
        rest, video = rest[said_video.end() :], True
    if not rest.strip(" .,:;–—-"):
        alone = noun.alone and (not mark or illustrative or inner)
        return Credit(kind=kind, illustrative=illustrative, from_video=video) if alone or illustrative else None
    if strict and not mark:
        return None
    if not strong and not noun.loose:
        return None
    source = source_of(rest, strong=strong, free=kind is CreditKind.PHOTO)
    if source is None and not strong and (video or kind is CreditKind.VIDEO):
        source = owner_of(rest)
    return Credit(kind=kind, source=source, illustrative=illustrative, from_video=video) if source else None


def _nested(rest: str) -> Credit | None:
    """Read «Фото: скриншот з відео СБУ», «Фото: колаж «Прикладу»»."""
    found = _phrase(rest, inner=True)
    return found if found and (found.kind is not CreditKind.PHOTO or found.illustrative) else None


def _in_brackets(line: str) -> Credit | None:
    """Read a credit in brackets at the end of a caption."""
    found = BRACKETS.match(line)
    if not found:
        return None
    inside = found["inside"].strip()
    if words.AGENCIES.match(inside):
        return Credit(kind=CreditKind.PHOTO, source=inside)
    credit = _phrase(inside)
    if credit and (credit.source or credit.illustrative or credit.kind in (CreditKind.SCREENSHOT, CreditKind.VIDEO)):
        return credit
    return None


def _after_caption(line: str) -> Credit | None:
    """Read a credit that follows a caption after a full stop, slash, bar, comma or dash."""
    for mark, tail in _tails(line):
        credit = _phrase(tail)
        loose = mark and mark not in "/|.!?…" and not re.match(r"[\w\s]{3,30}(?::|©)", tail)
        if loose and credit and not words.AGENCIES.match(credit.source) and not _ONLY_ILLUSTRATIVE.fullmatch(tail):
            continue
        sourceless = credit and (credit.illustrative or credit.kind is CreditKind.SCREENSHOT)
        if credit and (credit.source or ((mark in ("/", "|", ".") or loose) and sourceless)):
            return credit
    return None


def _agency(line: str) -> Credit | None:
    """Read a known agency that stands alone after a caption and a slash or bar."""
    agencies = (tail for mark, tail in _tails(line) if mark in ("/", "|") and words.AGENCIES.match(tail))
    return next((Credit(kind=CreditKind.PHOTO, source=tail) for tail in agencies), None)


def _without_a_word(line: str) -> Credit | None:
    """Read a whole line that is a source and nothing else: «З особистого архіву», «AP Photo/…»."""
    if "/" in line and words.AGENCIES.match(line) and all(name[:1].isupper() for name in re.findall(r"\w+", line)):
        return Credit(kind=CreditKind.PHOTO, source=line)
    if re.match(r"(?:з|із|из)\s", line, re.IGNORECASE) and (same := normal(line)) in words.HOUSE_SOURCES:
        return Credit(kind=CreditKind.PHOTO, source=same)
    return None


def _tails(line: str) -> list[tuple[str, str]]:
    """Return where a line may be cut into caption and credit, last first: the mark there, and what follows it."""
    cuts = [(cut["mark"].strip(), line[cut.end() :].strip()) for cut in _TAIL.finditer(line) if cut.start() > 0]
    found = [(mark, tail) for mark, tail in reversed(cuts) if tail]
    return sorted(found, key=lambda cut: cut[1].startswith("©"))  # «Ілюстрація: © ДСНС» is more than «© ДСНС»
