"""Text as the platforms read it: clean, escape, take markup off, measure.

Facts: Telegram counts code points after entity parsing on the trimmed text, takes at most 32,768 raw bytes and about
100 entities a message, and knows only four named entities beside numeric ones (Bot API 10.3, "Formatting options").
Facebook's 63,206 characters come from third parties only; the Graph API documents no limit.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from bot.domain.channel import Platform

TELEGRAM_TEXT = 4_096
TELEGRAM_CAPTION = 1_024
TELEGRAM_BYTES = 32_768
TELEGRAM_ENTITIES = 100
FACEBOOK_TEXT = 63_206

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_ENTITY = re.compile(r"&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|(lt|gt|amp|quot));?")
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)((?:\s+[a-zA-Z-]+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s>]+))?)*)\s*>")
_ANCHOR = re.compile(r"<a\s.*?</a>", re.DOTALL | re.IGNORECASE)
_AUTOMATIC = re.compile(r"[#@$]\w|https?://|(?<!\w)/[a-zA-Z]|[^\W\d_]\.[^\W\d_]{2}|\d\.\d+\.\d+\.\d")
_HREF = re.compile(r"""\shref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))""")
# Telegram drops these on arrival or shows nothing for them; with them a post could not be found again by its text.
_DROPPED = re.compile("[\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\uffff\u00ad\u0333\u033f\u030a\ufdd0-\ufdef]")
_CONTROLS = re.compile("[\x00-\x09\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
_LINE_ENDS = re.compile("\r\n?|[\u0085\u2028\u2029\x0b\x0c]")
_BLANK = re.compile(
    "[\u200b-\u200f\u2060-\u2064\u3164\u115f\u1160\u17b4\u17b5\u180b-\u180e\ufe00-\ufe0f\uffa0\u2800\\s]+"
)
_SQUEEZE = re.compile(r"\n(?:[ \t]*\n){2,}")
_JOINERS = "\u200d"
_SELECTORS = re.compile("[\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f\u200d]")


@dataclass(frozen=True, slots=True)
class Measure:
    """How a platform sees a text: `length` in its own unit, raw `size` in bytes, formatted `entities`.

    Telegram makes entities by itself of hashtags, mentions and addresses outside links, and of more than a hundred
    drops the last: the post's own links. So what may become one is counted, too, sooner too much than too little.
    """

    length: int
    size: int
    entities: int


def clean(text: str) -> str:
    """Return the text in NFC without characters that a platform drops or refuses; lines end in a bare newline."""
    text = _LINE_ENDS.sub("\n", text)
    text = _CONTROLS.sub(" ", text)
    return _DROPPED.sub("", unicodedata.normalize("NFC", _DROPPED.sub("", text)))


def one_line(text: str) -> str:
    """Return clean text on one line with single spaces, "" where nothing in it would be seen."""
    line = " ".join(clean(text).split())
    return line if _BLANK.sub("", line) else ""


def escape(text: str) -> str:
    """Escape text for Telegram's HTML, inside and outside of attributes."""
    return text.translate(_ESCAPES)


def plain(text: str, platform: Platform) -> str:
    """Return the text as readers see it: markup off, entities read, trimmed."""
    if platform is Platform.FACEBOOK:
        return text.strip()
    return _unescape(_TAG.sub("", text)).strip()


def without_markup(text: str) -> str:
    """Return a text in Telegram's HTML for where there is no markup: addresses stand after their words."""

    def spelled(found: re.Match[str]) -> str:
        href = _HREF.search(found[0])
        address = _unescape(next(filter(None, href.groups()), "")) if href else ""
        words = plain(found[0], Platform.TELEGRAM)
        told = words if not address or address.rstrip("/") == words.rstrip("/") else f"{words} ({address})"
        return escape(told)

    return _unescape(_TAG.sub("", _ANCHOR.sub(spelled, text)))


def links(text: str, platform: Platform) -> list[str]:
    """Return the addresses a reader can follow from the text, in order: anchors, or on Facebook bare addresses."""
    if platform is Platform.FACEBOOK:
        return re.findall(r"https?://\S+", text)
    tags = (found for tag in _TAG.finditer(text) if tag[2].lower() == "a" and (found := _HREF.search(tag[3])))
    return [_unescape(href[1] or href[2] or href[3] or "") for href in tags]


def measure(text: str, platform: Platform) -> Measure:
    """Measure a text as its platform does."""
    entities = 0
    if platform is Platform.TELEGRAM:
        tags = sum(1 for tag in _TAG.finditer(text) if not tag[1])
        entities = tags + len(_AUTOMATIC.findall(_TAG.sub("", _ANCHOR.sub("", text))))
    return Measure(len(plain(text, platform)), len(text.encode("utf-8", "replace")), entities)


def tidy(text: str) -> str:
    """Trim a rendered template: no space at line ends, at most one blank line between parts."""
    lines = "\n".join(line.rstrip(" \t") for line in text.split("\n"))
    return _SQUEEZE.sub("\n\n", lines).strip()


def fault(text: str, platform: Platform, limit: int) -> str | None:
    """Return the platform's rule that this text breaks, None where it breaks none.

    Args:
        text: in the platform's markup.
        platform: whose rules.
        limit: the most characters this kind of post may have.
    """
    found = measure(text, platform)
    if found.length > limit:
        return f"{found.length} characters, at most {limit}"
    if not _BLANK.sub("", plain(text, platform)):
        return "the text is empty"
    if platform is Platform.FACEBOOK:
        return None
    if found.size > TELEGRAM_BYTES:
        return f"{found.size} bytes, at most {TELEGRAM_BYTES}"
    if found.entities > TELEGRAM_ENTITIES:
        return f"{found.entities} formatted parts, at most {TELEGRAM_ENTITIES}"
    return _markup_fault(text)


def cut(text: str, most: int) -> str:
    """Shorten text to at most `most` characters, at a word end and with an ellipsis.

    A word longer than that is cut between two whole characters as readers see them (accents, emoji). Shorter text
    comes back as it is; "" where not even one character and the ellipsis have room.
    """
    if len(text) <= most:
        return text
    room = text[: max(0, most - 1)]
    if most <= len(text) and not text[len(room)].isspace():
        space = max((room.rfind(blank) for blank in (" ", "\n", "\u00a0")), default=-1)
        room = room[:space] if space > 0 else _whole(text, len(room))
    room = room.rstrip(" \n\t\u00a0,;:—–-(«„“\"'")
    return room + "…" if room else ""


def _whole(text: str, end: int) -> str:
    """Return the longest start of text up to `end` that splits no visible character."""
    while end > 0 and not _boundary(text, end):
        end -= 1
    return text[:end]


def _boundary(text: str, at: int) -> bool:
    before, after = text[at - 1], text[at]
    if unicodedata.category(after) in ("Mn", "Me", "Mc") or _SELECTORS.match(after) or before == _JOINERS:
        return False
    if _flag(after) and _flag(before):
        flags = 0
        while at - flags > 0 and _flag(text[at - flags - 1]):
            flags += 1
        return flags % 2 == 0
    return True


def _flag(letter: str) -> bool:
    return "\U0001f1e6" <= letter <= "\U0001f1ff"


def _unescape(text: str) -> str:
    def letter(found: re.Match[str]) -> str:
        if found[3]:
            return _NAMED[found[3]]
        code = int(found[1]) if found[1] else int(found[2], 16)
        return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else found[0]

    return _ENTITY.sub(letter, text)


_ALLOWED_TAGS = "a b strong i em s strike del u ins tg-spoiler tg-emoji tg-time span pre code blockquote"
_ALLOWED = frozenset(_ALLOWED_TAGS.split())


def _markup_fault(text: str) -> str | None:
    """Return what Telegram's parser would refuse in this HTML."""
    opened: list[str] = []
    rest = _TAG.sub("", text)
    if "<" in rest:
        return f"a bare '<' at {rest[rest.index('<') :][:20]!r}"
    for tag in _TAG.finditer(text):
        name = tag[2].lower()
        if name not in _ALLOWED:
            return f"tag <{name}> is not allowed"
        if not tag[1]:
            opened.append(name)
        elif not opened or opened.pop() != name:
            return f"</{name}> closes nothing"
    return f"<{opened[-1]}> is not closed" if opened else None
