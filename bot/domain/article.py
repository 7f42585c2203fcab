"""An article as the outlet wrote it; knows nothing of channels, posts or where it came from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

ArticleId = NewType("ArticleId", int)


class Priority(StrEnum):
    """How fast an article must leave."""

    NORMAL = "normal"
    BREAKING = "breaking"


@dataclass(frozen=True, slots=True, kw_only=True)
class Teaser:
    """One entry of the list "other news" that a page prints under its article.

    `credit` is the line as printed; a teaser with a headline of its own has `title` instead. `day` is "dd.mm".
    """

    rubric: str = ""
    credit: str | None = None
    title: str | None = None
    text: str = ""
    day: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """What one source says of an article, or what all of them say together.

    `url` is the identity, in canonical form (`urn:sha256:…` where the article has no address). `body` is plain text
    with paragraphs split by blank lines, or HTML. An empty string, `()` or None means "not stated". Times are aware.
    `photo_url` is an absolute address, or a `file:` address of a picture inside a watched folder.
    """

    url: str
    title: str
    lead: str = ""
    body: str = ""
    author: str = ""
    rubric: str = ""
    tags: tuple[str, ...] = ()
    photo_url: str = ""
    photo_credit: str = ""
    photo_alt: str = ""
    published_at: datetime | None = None
    updated_at: datetime | None = None
    priority: Priority | None = None
    retracted: bool | None = None
    teasers: tuple[Teaser, ...] = ()

    def __post_init__(self) -> None:
        for name in ("published_at", "updated_at"):
            at: datetime | None = getattr(self, name)
            if at is not None and at.tzinfo is None:
                raise ValueError(f"{name} has no offset: {at.isoformat()}")

    @property
    def link(self) -> str | None:
        """The article's address, or None where it has none."""
        return self.url if self.url.startswith(("http://", "https://")) else None

    @property
    def is_breaking(self) -> bool:
        return self.priority is Priority.BREAKING


# What readers would see changed; a new `updated_at` alone is no new revision.
_NOT_CONTENT = frozenset({"updated_at", "teasers", "retracted"})


def to_json(article: Article) -> dict[str, Any]:
    """Return the article as plain JSON values, what is not stated left out."""
    plain = asdict(article)
    for name in ("published_at", "updated_at"):
        if plain[name] is not None:
            plain[name] = plain[name].isoformat()
    return {key: value for key, value in plain.items() if value not in ("", None, (), [])}


def from_json(plain: dict[str, Any]) -> Article:
    """Undo `to_json`."""
    known = {field.name for field in fields(Article)}
    values: dict[str, Any] = {key: value for key, value in plain.items() if key in known}
    for name in ("published_at", "updated_at"):
        if values.get(name):
            values[name] = datetime.fromisoformat(values[name])
    values["tags"] = tuple(values.get("tags") or ())
    values["teasers"] = tuple(Teaser(**teaser) for teaser in values.get("teasers") or ())
    if values.get("priority"):
        values["priority"] = Priority(values["priority"])
    return Article(**values)


def fingerprint(article: Article) -> str:
    """Return a hash of what readers would see; equal hashes are one revision."""
    content = {key: value for key, value in to_json(article).items() if key not in _NOT_CONTENT}
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def merged(by_authority: list[Article]) -> Article:
    """Merge what several sources say of one article: the earlier wins field by field, an empty value never wins.

    Args:
        by_authority: at least one article, all with one `url`, the most authoritative source first.
    """
    first, *others = by_authority
    result = first
    for other in others:
        gaps = {
            field.name: getattr(other, field.name)
            for field in fields(Article)
            if getattr(result, field.name) in ("", None, ()) and getattr(other, field.name) not in ("", None, ())
        }
        result = replace(result, **gaps)
    return result
