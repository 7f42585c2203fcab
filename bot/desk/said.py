"""What somebody said: the words with their formatting, a photo, addresses, or a button that was pressed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from telegram import Message, MessageEntity
from telegram.constants import MessageEntityType

from bot.compose.markup import escape
from bot.domain.article import Article

_COMMAND = re.compile(r"/\S+\s*")
_TAGS = {
    MessageEntityType.BOLD: "b",
    MessageEntityType.ITALIC: "i",
    MessageEntityType.UNDERLINE: "u",
    MessageEntityType.STRIKETHROUGH: "s",
    MessageEntityType.SPOILER: "tg-spoiler",
    MessageEntityType.CODE: "code",
    MessageEntityType.PRE: "pre",
    MessageEntityType.BLOCKQUOTE: "blockquote",
    MessageEntityType.EXPANDABLE_BLOCKQUOTE: "blockquote",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One message or press.

    `text` is as written, `words` the same in Telegram's HTML; `links` the addresses in it, those behind words, too.
    `photo` is Telegram's id of a picture, `picture` its bytes once they were fetched; `album` names the album that it
    is of. `article` is what the message turned out to be about. `press` are the parts of a button's data.
    """

    text: str = ""
    words: str = ""
    links: tuple[str, ...] = ()
    photo: str = ""
    photo_size: int = 0
    picture: bytes = b""
    album: str = ""
    article: Article | None = None
    press: tuple[str, ...] = ()
    message: Message | None = None

    @property
    def lone_link(self) -> str:
        """The address that is all there is of the text, "" where there is more or none."""
        return self.links[0] if len(self.links) == 1 and self.text.strip() in self.links else ""


def read(message: Message, after: int = 0) -> Said:
    """Read a message; `after` characters at its beginning are a command's own."""
    whole = message.text or message.caption or ""
    entities = message.entities or message.caption_entities
    sizes = sorted(message.photo, key=lambda size: size.width * size.height)
    document = message.document
    is_picture = document is not None and (document.mime_type or "").startswith("image/")
    file = sizes[-1] if sizes else document if is_picture else None
    start = len(whole[:after].encode("utf-16-le", "surrogatepass")) // 2
    text = whole[after:]
    return Said(
        text=text,
        words=formatted(whole, entities, start),
        links=tuple(dict.fromkeys(_links(whole, entities, start))),
        photo=file.file_id if file is not None else "",
        photo_size=(file.file_size or 0) if file is not None else 0,
        album=message.media_group_id or "",
        message=message,
    )


def read_command(message: Message) -> Said:
    """Read what stands after a message's command."""
    command = _COMMAND.match(message.text or message.caption or "")
    return read(message, after=command.end() if command is not None else 0)


def formatted(text: str, entities: Sequence[MessageEntity], start: int = 0) -> str:
    """Return a message's text from an offset on in Telegram's HTML: the formatting that any bot may send, no other.

    Args:
        entities: with offsets in UTF-16 units; one that reaches out of the one around it ends with that.
        start: in UTF-16 units.
    """
    units = text.encode("utf-16-le", "surrogatepass")
    end = len(units) // 2

    def whole(at: int) -> int:
        """Return the beginning of the character that an offset lies in."""
        at = min(max(at, start), end)
        return at - 1 if units[2 * at + 1 : 2 * at + 2] and 0xDC <= units[2 * at + 1] <= 0xDF else at

    spans = ((whole(one.offset), whole(one.offset + one.length), *_tag(one)) for one in entities)
    marks = sorted((one for one in spans if one[2] and one[1] > one[0]), key=lambda mark: (mark[0], -mark[1]))
    parts: list[str] = []
    opened: list[tuple[int, str]] = []
    at = start

    def write(until: int) -> None:
        nonlocal at
        if until > at:
            parts.append(escape(units[2 * at : 2 * until].decode("utf-16-le", "replace")))
            at = until

    def close(until: int) -> None:
        while opened and opened[-1][0] <= until:
            last, tag = opened.pop()
            write(last)
            parts.append(f"</{tag}>")

    for first, last, tag, href in marks:
        close(first)
        write(first)
        inner = min(last, opened[-1][0]) if opened else last
        opened.append((inner, tag))
        parts.append(f'<a href="{escape(href)}">' if tag == "a" else f"<{tag}>")
    close(end)
    write(end)
    return "".join(parts)


def _tag(entity: MessageEntity) -> tuple[str, str]:
    if entity.type == MessageEntityType.TEXT_LINK and (entity.url or "").startswith(("http://", "https://")):
        return "a", entity.url or ""
    return _TAGS.get(MessageEntityType(entity.type), "") if entity.type in _TAGS else "", ""


def _links(text: str, entities: Sequence[MessageEntity], start: int) -> list[str]:
    units = text.encode("utf-16-le", "surrogatepass")
    found = []
    for entity in sorted(entities, key=lambda one: one.offset):
        if entity.offset < start:
            continue
        if entity.type == MessageEntityType.TEXT_LINK and entity.url:
            found.append(entity.url)
        elif entity.type == MessageEntityType.URL:
            found.append(units[2 * entity.offset : 2 * (entity.offset + entity.length)].decode("utf-16-le", "replace"))
    return found
