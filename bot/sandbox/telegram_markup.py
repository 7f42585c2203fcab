"""Telegram's HTML parse mode: to plain text with entities, and back to HTML.

Follows what tdlib does (td/telegram/MessageEntity.cpp, parse_html), error texts and byte offsets included.
Entity offsets and lengths are UTF-16 code units. Markdown is not spoken here.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Any

Entity = dict[str, Any]

SIMPLE_TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "span": "spoiler",
    "tg-spoiler": "spoiler",
}
TAGS = {*SIMPLE_TAGS, "a", "code", "pre", "blockquote", "tg-emoji", "tg-time"}
NAMED = {b"lt": 0x3C, b"gt": 0x3E, b"amp": 0x26, b"quot": 0x22}
ORDER = ["blockquote", "expandable_blockquote", "pre", "code", "bold", "italic", "underline", "strikethrough"]

_SPACE = frozenset(b" \t\r\n\x00\x0b")
_ENDS_NAME = _SPACE | frozenset(b"=>/\"'")
_TOKEN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-")
_REFERENCE = re.compile(rb"&(?:#x([0-9a-fA-F]*)|#([0-9]*)|([a-zA-Z]+))")
_LINK = re.compile(r"(?:([a-zA-Z][a-zA-Z0-9+.-]*)://)?([^/?#\s\x00-\x20\"<>\\^`{|}]+)([/?#].*)?", re.DOTALL)
_AUTOMATIC = re.compile(
    r"(?P<url>https?://[^\s<>\"«»]+[^\s<>\"«».,:;!?)\]])|(?<!\w)(?P<hashtag>#[^\W\d]\w*)|(?<![\w/])(?P<mention>@[A-Za-z]\w{4,31})"
)


class MarkupError(Exception):
    """The text does not parse; the message is Telegram's, without its prefix."""


@dataclass(frozen=True, slots=True)
class Marked:
    """Plain text and its entities."""

    text: str
    entities: tuple[Entity, ...]


@dataclass(slots=True)
class _Open:
    tag: str
    argument: str
    offset: int
    begin: int


def units(text: str) -> int:
    """Return the length in UTF-16 code units."""
    return len(text) + sum(character > "\uffff" for character in text)


def checked_link(url: str) -> str:
    """Return the link as Telegram keeps it, or "" where it drops the link without a word (no dot in the host…)."""
    if not (found := _LINK.fullmatch(url.strip())):
        return ""
    scheme, host, rest = (found[1] or "http").lower(), found[2], found[3] or "/"
    if scheme in ("tg", "ton", "tonsite"):
        return url.strip()
    if scheme not in ("http", "https") or "." not in host.rpartition("@")[2] or host.endswith("."):
        return ""
    _, colon, port = host.rpartition("@")[2].partition(":")
    if colon and not (port.isdigit() and 0 < int(port) < 65536):
        return ""
    rest = rest if rest.startswith("/") else "/" + rest
    return f"{scheme}://{host.lower()}{rest.replace(' ', '%20')}"


class _Parser:
    def __init__(self, source: str) -> None:
        self.raw = source.encode() + b"\x00"
        self.at = 0
        self.out = bytearray()
        self.offset = 0
        self.open: list[_Open] = []
        self.entities: list[Entity] = []

    def parse(self) -> Marked:
        end = len(self.raw) - 1
        while self.at < end:
            byte = self.raw[self.at]
            if byte == 0x3C:
                if self.raw[self.at + 1] == 0x2F:
                    self._end_tag()
                else:
                    self._start_tag()
            elif byte != 0x26 or not self._reference(self.out):
                self.offset += (byte & 0xC0 != 0x80) + (byte >= 0xF0)
                self.out.append(byte)
                self.at += 1
        if self.open:
            raise MarkupError(f'Can\'t find end tag corresponding to start tag "{self.open[-1].tag}"')
        try:
            text = self.out.decode()
        except UnicodeDecodeError as error:
            raise MarkupError(
                "Text contains invalid Unicode characters after decoding HTML entities, "
                "check for unmatched surrogate code units"
            ) from error
        return Marked(text, tuple(self.entities))

    def _reference(self, out: bytearray, *, counted: bool = True) -> bool:
        found = _REFERENCE.match(self.raw, self.at)
        if not found:
            return False
        if found[3] is not None:
            code = NAMED.get(found[3], 0)
        else:
            code = int(found[1] or found[2] or b"0", 16 if found[1] is not None else 10)
            if found.end() - self.at >= 10 or code >= 0x10FFFF:
                code = 0
        if not code:
            return False
        if counted:
            self.offset += 1 + (code > 0xFFFF)
        out += chr(code).encode("utf-8", "surrogatepass")
        self.at = found.end() + (self.raw[found.end()] == 0x3B)
        return True

    def _skip_spaces(self) -> None:
        while self.raw[self.at] in _SPACE and self.at < len(self.raw) - 1:
            self.at += 1

    def _start_tag(self) -> None:
        begin = self.at
        self.at += 1
        while self.raw[self.at] not in _SPACE and self.raw[self.at] != 0x3E:
            self.at += 1
        if self.raw[self.at] == 0:
            raise MarkupError(f"Unclosed start tag at byte offset {begin}")
        tag = _lower(self.raw[begin + 1 : self.at])
        if tag not in TAGS:
            raise MarkupError(f'Unsupported start tag "{tag}" at byte offset {begin}')
        argument = ""
        while self.raw[self.at] != 0x3E:
            self._skip_spaces()
            if self.raw[self.at] == 0x3E:
                break
            argument = self._attribute(tag, begin, argument)
        self.at += 1
        if tag == "span" and argument != "spoiler":
            raise MarkupError(f'Tag "span" must have class "tg-spoiler" at byte offset {begin}')
        self.open.append(_Open(tag, argument, self.offset, len(self.out)))

    def _attribute(self, tag: str, begin: int, argument: str) -> str:
        start = self.at
        while self.raw[self.at] not in _ENDS_NAME:
            self.at += 1
        name = self.raw[start : self.at].decode()
        if not name:
            raise MarkupError(f'Empty attribute name in the tag "{tag}" at byte offset {begin}')
        self._skip_spaces()
        if self.raw[self.at] != 0x3D:
            if self.raw[self.at] == 0:
                raise MarkupError(f'Unclosed start tag "{tag}" at byte offset {begin}')
            return "1" if (tag, name) == ("blockquote", "expandable") else argument
        self.at += 1
        self._skip_spaces()
        if self.raw[self.at] == 0:
            raise MarkupError(f'Unclosed start tag "{tag}" at byte offset {begin}')
        value = self._quoted() if self.raw[self.at] in b"\"'" else self._token()
        if self.raw[self.at] == 0:
            raise MarkupError(f"Unclosed start tag at byte offset {begin}")
        match tag, name:
            case ("a", "href") | ("tg-emoji", "emoji-id") | ("tg-time", "unix"):
                return value
            case ("code", "class") if value.startswith("language-"):
                return value.removeprefix("language-")
            case ("span", "class") if value.startswith("tg-"):
                return value.removeprefix("tg-")
            case ("blockquote", "expandable"):
                return "1"
        return argument

    def _token(self) -> str:
        start = self.at
        while self.raw[self.at] in _TOKEN:
            self.at += 1
        if self.raw[self.at] not in _SPACE and self.raw[self.at] != 0x3E:
            raise MarkupError(f"Unexpected end of name token at byte offset {start}")
        return _lower(self.raw[start : self.at])

    def _quoted(self) -> str:
        quote = self.raw[self.at]
        self.at += 1
        value = bytearray()
        while self.raw[self.at] not in (quote, 0):
            if self.raw[self.at] == 0x26 and self._reference(value, counted=False):
                continue
            value.append(self.raw[self.at])
            self.at += 1
        self.at += self.raw[self.at] == quote
        return value.decode("utf-8", "replace")

    def _end_tag(self) -> None:
        begin = self.at
        if not self.open:
            raise MarkupError(f"Unexpected end tag at byte offset {begin}")
        self.at += 1
        while self.raw[self.at] not in _SPACE and self.raw[self.at] != 0x3E:
            self.at += 1
        found = _lower(self.raw[begin + 2 : self.at])
        self._skip_spaces()
        if self.raw[self.at] != 0x3E:
            raise MarkupError(f"Unclosed end tag at byte offset {begin}")
        self.at += 1
        last = self.open.pop()
        if found and found != last.tag:
            raise MarkupError(f'Unmatched end tag at byte offset {begin}, expected "</{last.tag}>", found "</{found}>"')
        if self.offset > last.offset:
            self._close(last)

    def _close(self, tag: _Open) -> None:
        entity: Entity = {
            "type": SIMPLE_TAGS.get(tag.tag, ""),
            "offset": tag.offset,
            "length": self.offset - tag.offset,
        }
        match tag.tag:
            case "a":
                link = checked_link(tag.argument or self.out[tag.begin :].decode("utf-8", "replace"))
                if not link:
                    return
                entity |= {"type": "text_link", "url": link}
            case "pre" | "code":
                entity["type"] = tag.tag
                if tag.tag == "code" and tag.argument:
                    entity["_language"] = tag.argument
                previous = self.entities[-1] if self.entities else {}
                if (previous.get("offset"), previous.get("length")) == (tag.offset, entity["length"]):
                    language = previous.get("_language") if previous["type"] == "code" else tag.argument
                    if {previous["type"], tag.tag} == {"pre", "code"} and language:
                        self.entities[-1] = {**entity, "type": "pre", "language": language}
                        return
            case "blockquote":
                entity["type"] = "expandable_blockquote" if tag.argument else "blockquote"
            case "tg-emoji":
                if not tag.argument.isdigit() or tag.argument.startswith("0"):
                    raise MarkupError("Invalid custom emoji identifier specified")
                entity |= {"type": "custom_emoji", "custom_emoji_id": tag.argument}
            case "tg-time":
                return
        self.entities.append(entity)


def _lower(raw: bytes) -> str:
    return raw.lower().decode("utf-8", "replace")


def parse_html(source: str) -> Marked:
    """Parse a text in HTML parse mode; nothing is trimmed or counted.

    Raises:
        MarkupError: with what Telegram says after "can't parse entities: ".
    """
    marked = _Parser(source).parse()
    for entity in marked.entities:
        entity.pop("_language", None)
    return Marked(marked.text, tuple(sorted(marked.entities, key=_place)))


def _place(entity: Entity) -> tuple[int, int, int]:
    kind = entity["type"]
    return entity["offset"], -entity["length"], ORDER.index(kind) if kind in ORDER else len(ORDER)


def tidy(marked: Marked) -> Marked:
    """Do what Telegram does before it counts: clean control characters, trim, shift entities, drop empty ones."""
    text, entities = marked.text, marked.entities
    if "\r" in text:
        gone = [units(text[:index]) for index, character in enumerate(text) if character == "\r"]
        entities = tuple(_without(entity, gone) for entity in entities)
    text = "".join(c if c >= " " or c == "\n" else " " for c in text.replace("\r", ""))
    inner = text.strip()
    shift, end = units(text[: len(text) - len(text.lstrip())]), units(inner)
    kept = []
    for entity in entities:
        first = max(entity["offset"] - shift, 0)
        last = min(entity["offset"] + entity["length"] - shift, end)
        if last > first:
            kept.append({**entity, "offset": first, "length": last - first})
    return Marked(inner, tuple(kept))


def _without(entity: Entity, gone: list[int]) -> Entity:
    first, last = entity["offset"], entity["offset"] + entity["length"]
    first, last = first - sum(at < first for at in gone), last - sum(at < last for at in gone)
    return {**entity, "offset": first, "length": last - first}


def with_automatic(marked: Marked) -> Marked:
    """Add what Telegram finds by itself outside other links and code: addresses, hashtags, mentions."""
    taken = [
        (e["offset"], e["offset"] + e["length"]) for e in marked.entities if e["type"] in ("text_link", "code", "pre")
    ]
    found = []
    for match in _AUTOMATIC.finditer(marked.text):
        offset, length = units(marked.text[: match.start()]), units(match[0])
        if not any(offset < last and first < offset + length for first, last in taken):
            found.append({"type": match.lastgroup, "offset": offset, "length": length})
    return Marked(marked.text, tuple(sorted((*marked.entities, *found), key=_place))) if found else marked


def to_html(marked: Marked, *, line_break: str = "\n") -> str:
    """Render as HTML fit for a page or for `parse_html`; `line_break` replaces each newline."""
    places = _places(marked.text)
    opening: dict[int, list[str]] = {}
    closing: dict[int, list[str]] = {}
    for entity in sorted(marked.entities, key=_place):
        first, last = places(entity["offset"]), places(entity["offset"] + entity["length"])
        start, end = _tags(entity, marked.text[first:last])
        opening.setdefault(first, []).append(start)
        closing.setdefault(last, []).insert(0, end)
    out, done = [], 0
    for place in sorted({*opening, *closing, len(marked.text)}):
        out.append(html.escape(marked.text[done:place]).replace("\n", line_break))
        out += closing.get(place, []) + opening.get(place, [])
        done = place
    return "".join(out)


def _places(text: str) -> Any:
    if text.isascii() or max(text, default="") <= "\uffff":
        return lambda offset: min(offset, len(text))
    table: list[int] = []
    for index, character in enumerate(text):
        table += [index] * (1 + (character > "\uffff"))
    table.append(len(text))
    return lambda offset: table[min(offset, len(table) - 1)]


def _tags(entity: Entity, inside: str) -> tuple[str, str]:
    kind = entity["type"]
    plain = {"bold": "b", "italic": "i", "underline": "u", "strikethrough": "s", "code": "code", "pre": "pre"}
    if kind in plain:
        return f"<{plain[kind]}>", f"</{plain[kind]}>"
    match kind:
        case "text_link" | "url" | "mention":
            target = entity.get("url") or (inside if kind == "url" else f"https://t.me/{inside[1:]}")
            if not target.startswith(("http://", "https://", "tg://", "ton://", "tonsite://")):
                return "", ""
            return f'<a href="{html.escape(target)}">', "</a>"
        case "spoiler":
            return "<tg-spoiler>", "</tg-spoiler>"
        case "blockquote" | "expandable_blockquote":
            return "<blockquote>" if kind == "blockquote" else "<blockquote expandable>", "</blockquote>"
    return "", ""
