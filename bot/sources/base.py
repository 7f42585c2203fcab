"""What a source is asked for and what it hands on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.domain.article import Article


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """One article, line or file of a source that could not be read: where it stands, and why in one line."""

    where: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one look at a source gave.

    `articles` in the order of the source, each with its canonical `url` and normalised text. `cursor` is what the
    source wants to be given next time (ETag, modification times…), plain JSON; it is stored only after the articles
    are. `unchanged` says the source answered that nothing is new.
    """

    articles: list[Article] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    cursor: dict[str, Any] = field(default_factory=dict)
    unchanged: bool = False


class Source(Protocol):
    """A place that is asked for articles every now and then."""

    @property
    def name(self) -> str: ...

    async def look(self, cursor: dict[str, Any]) -> Found:
        """Return what the source shows now.

        Args:
            cursor: what the last look handed back; {} at the first.

        Raises:
            SourceError: the source as a whole could not be had; the text is one line with what, where and why.
        """
        ...
