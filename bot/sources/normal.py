"""Text and fields, made regular once at the door: the one place that reads an article from what others sent.

Every source ends here, the push API too. What is wrong is refused with one line that names where and which field;
nothing is guessed, nothing is cut.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime, tzinfo
from typing import Any

from bot.domain.article import Article, Priority
from bot.errors import SourceError
from bot.sources.canonical import canonical, name_for
from bot.sources.times import in_utc

MAX_LINE = 1_000  # characters of a title, an author, a rubric, a credit, an alternative text
MAX_LEAD = 20_000  # characters
MAX_BODY = 1 << 20  # bytes in UTF-8
MAX_TAGS = 100
MAX_TAG = 200
FIELDS = tuple(field.name for field in fields(Article) if field.name != "teasers")
_LINES = ("title", "author", "rubric", "photo_credit", "photo_alt")
# Line ends of every kind become \n; what has no width or turns the direction of writing has no place in a post.
# U+200D stays: it joins emoji. U+200B–C, U+00AD, U+FEFF and the like only break comparisons.
_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_NO_PLACE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
    "\ud800-\udfff\ufdd0-\ufdef\ufeff\ufff9-\ufffb\ufffe\uffff]"
)


class FieldError(SourceError):
    """One field of one article cannot be taken.

    Attributes:
        where: which article, in the words of its source ("stdin:3", "articles[0]"); "" for the only one.
        field: the field of CONTRACT section 4.
        why: what is wrong and what is allowed, one line.
    """

    def __init__(self, where: str, field: str, why: str) -> None:
        super().__init__(": ".join(part for part in (where, field, why) if part))
        self.where = where
        self.field = field
        self.why = why


def clean_text(text: str) -> str:
    """Return text of several lines: NFC, \\n as line end, at most one empty line in a row, trimmed. Idempotent."""
    text = _NO_PLACE.sub("", _ENDS.sub("\n", text).replace("\t", " "))
    text = unicodedata.normalize("NFC", text)
    text = re.sub(r"[^\S\n]+\n", "\n", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def clean_line(text: str) -> str:
    """Return text of one line: as `clean_text`, line ends and runs of spaces folded to one space. Idempotent."""
    return re.sub(r"\n|\s{2,}", " ", re.sub(r"\s*\n\s*", " ", clean_text(text)))


def article_from(
    mapping: Mapping[str, Any], where: str, *, zone: tzinfo | None = None, file_photo: bool = False
) -> Article:
    """Read one article from the fields of CONTRACT section 4.

    Args:
        mapping: field to value as JSON has them; times may be `datetime` too.
        where: what an error says of the article's place.
        zone: of naive `datetime` values; None refuses them. A naive time in text is refused in any case.
        file_photo: whether `photo_url` may be a `file:` address; only a watched folder, which checked it, says so.

    Raises:
        FieldError: a field is missing, unknown, of a wrong type or too long.
    """
    for key in mapping:
        if key not in FIELDS:
            raise FieldError(where, clean_line(str(key))[:100] or "''", f"not a field; known are {', '.join(FIELDS)}")
    values: dict[str, Any] = {name: _line(mapping, name, where) for name in _LINES}
    if not values["title"]:
        raise FieldError(where, "title", "is missing or empty")
    values["lead"] = clean_text(_text(mapping, "lead", where))
    if len(values["lead"]) > MAX_LEAD:
        raise FieldError(where, "lead", f"is longer than {MAX_LEAD:,} characters")
    values["body"] = clean_text(_text(mapping, "body", where))
    if len(values["body"].encode()) > MAX_BODY:
        raise FieldError(where, "body", f"is larger than {MAX_BODY:,} bytes")
    values["tags"] = _tags(mapping.get("tags"), where)
    values["photo_url"] = _photo(_text(mapping, "photo_url", where), where, file_photo)
    for name in ("published_at", "updated_at"):
        values[name] = _time(mapping.get(name), name, where, zone)
    values["priority"] = _priority(mapping.get("priority"), where)
    values["retracted"] = _truth(mapping.get("retracted"), "retracted", where)
    values["url"] = _address(_text(mapping, "url", where), "url", where) or name_for(
        values["title"], values["lead"], values["body"]
    )
    return Article(**values)


def _text(mapping: Mapping[str, Any], name: str, where: str) -> str:
    value = mapping.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise FieldError(where, name, f"must be text, got {_kind(value)}")
    return value


def _line(mapping: Mapping[str, Any], name: str, where: str) -> str:
    line = clean_line(_text(mapping, name, where))
    if len(line) > MAX_LINE:
        raise FieldError(where, name, f"is longer than {MAX_LINE:,} characters")
    return line


def _tags(value: Any, where: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise FieldError(where, "tags", f"must be a list of texts, got {_kind(value)}")
    tags: list[str] = []
    for tag in value:
        if not isinstance(tag, str):
            raise FieldError(where, "tags", f"must be a list of texts, holds {_kind(tag)}")
        tag = clean_line(tag)
        if len(tag) > MAX_TAG:
            raise FieldError(where, "tags", f"a tag is longer than {MAX_TAG} characters")
        if tag and tag not in tags:
            tags.append(tag)
    if len(tags) > MAX_TAGS:
        raise FieldError(where, "tags", f"more than {MAX_TAGS}")
    return tuple(tags)


def _address(value: str, field: str, where: str) -> str:
    value = clean_line(value)
    if not value:
        return ""
    try:
        return canonical(value)
    except SourceError as error:
        raise FieldError(where, field, str(error)) from error


def _photo(value: str, where: str, file_photo: bool) -> str:
    value = clean_line(value)
    if not value or (file_photo and value.startswith("file:///")):
        return value
    address = _address(value, "photo_url", where)
    if not address.startswith(("http://", "https://")):
        raise FieldError(where, "photo_url", "must be an http or https address")
    return address


def _time(value: Any, name: str, where: str, zone: tzinfo | None) -> datetime | None:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            at = datetime.fromisoformat(value.strip())
        except ValueError as error:
            raise FieldError(where, name, f"must be ISO 8601 with an offset, got {value[:60]!r}") from error
        if at.tzinfo is None:
            raise FieldError(where, name, f"has no offset: {value[:60]!r}; write it like 2024-01-31T19:00:00+02:00")
    elif isinstance(value, datetime):
        at = value
        if at.tzinfo is None and zone is None:
            raise FieldError(where, name, f"has no offset: {at.isoformat()}")
    else:
        raise FieldError(where, name, f"must be a time as text, got {_kind(value)}")
    moment = in_utc(at, zone)
    if moment is None:
        raise FieldError(where, name, f"a time that cannot be meant: {str(value)[:60]!r}")
    return moment


def _priority(value: Any, where: str) -> Priority | None:
    if value is None or value == "":
        return None
    if isinstance(value, str) and value in tuple(Priority):
        return Priority(value)
    shown = repr(value[:40]) if isinstance(value, str) else _kind(value)
    raise FieldError(where, "priority", f"must be one of {', '.join(Priority)}, got {shown}")


def _truth(value: Any, name: str, where: str) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise FieldError(where, name, f"must be true or false, got {_kind(value)}")


def _kind(value: Any) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list", dict: "an object"}
    return names.get(type(value), type(value).__name__)
