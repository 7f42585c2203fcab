"""What a page says of itself for machines: JSON-LD, OpenGraph, meta tags. Reads, does not judge between them."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml.html import HtmlElement

from bot.sources.normal import clean_line
from bot.sources.prose import plain

_MAX_NODES = 2_000
_ARTICLES = re.compile(r"(?:.*Article|.*BlogPosting|Report)$")
_TRAILING_COMMA = re.compile(r",(\s*[}\]])")
_COMMENT = re.compile(r"^\s*(?://)?\s*(?:<!--|<!\[CDATA\[|/\*.*?\*/)|(?://)?\s*(?:-->|\]\]>)\s*;?\s*$", re.DOTALL)


@dataclass(slots=True)
class Metadata:
    """The statements of one page.

    Attributes:
        article: the JSON-LD node of the article, {} where there is none.
        nodes: every JSON-LD node by its `@id`.
        metas: content of meta tags by property or name, in lower case, in the order of the page.
    """

    article: dict[str, Any] = field(default_factory=dict)
    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    metas: dict[str, list[str]] = field(default_factory=dict)

    def meta(self, *names: str) -> str:
        """Return the first non-empty meta of these names, as one line of text."""
        for name in names:
            for content in self.metas.get(name, ()):
                if content:
                    return content
        return ""

    def stated(self, *names: str) -> str:
        """Return the first of these properties of the JSON-LD article that holds text, as one line."""
        for name in names:
            text = self.text_of(self.article.get(name))
            if text:
                return text
        return ""

    def node(self, value: Any) -> dict[str, Any]:
        """Return an object of the article, a reference to `@id` followed, the first of a list; {} for all else."""
        if isinstance(value, list):
            value = next((one for one in value if one), None)
        if not isinstance(value, dict):
            return {}
        known = self.nodes.get(str(value.get("@id", "")), {})
        return {**known, **value}

    def text_of(self, value: Any) -> str:
        """Return what a value says as text: itself, or the name of the object."""
        if isinstance(value, list):
            value = next((one for one in value if one), None)
        if isinstance(value, dict):
            value = self.node(value).get("name") or self.node(value).get("@value")
        return plain(value) if isinstance(value, str) else ""

    def names(self, value: Any) -> list[tuple[str, bool]]:
        """Return the names of persons or organisations, each with whether it is an organisation."""
        result: list[tuple[str, bool]] = []
        for one in value if isinstance(value, list) else [value]:
            node = self.node(one)
            name = self.text_of(one)
            is_outlet = "Organization" in str(node.get("@type", ""))
            if name and not name.startswith("http") and (name, is_outlet) not in result:
                result.append((name, is_outlet))
        return result

    @property
    def outlet(self) -> set[str]:
        """The names the outlet goes by, in lower case."""
        names = {self.text_of(self.article.get("publisher")), self.meta("og:site_name"), self.meta("application-name")}
        return {name.casefold() for name in names if name}


def read_metadata(document: HtmlElement) -> Metadata:
    """Read all statements of a page; broken ones are passed over."""
    found = Metadata()
    for element in document.iter("meta"):
        name = (element.get("property") or element.get("name") or element.get("itemprop") or "").strip().lower()
        if name and element.get("content"):
            found.metas.setdefault(name, []).append(clean_line(html.unescape(str(element.get("content")))))
    articles: list[dict[str, Any]] = []
    for node in _nodes(document):
        if "@id" in node and len(node) > 1:
            found.nodes.setdefault(str(node["@id"]), node)
        if _is_article(node):
            articles.append(node)
    found.article = max(articles, key=_weight, default={})
    return found


def _weight(node: dict[str, Any]) -> int:
    # of a page's nodes the article itself is the one that says most; lists of others only name them (first one wins)
    return sum(name in node for name in ("headline", "datePublished", "author", "image", "articleBody", "description"))


def _is_article(node: dict[str, Any]) -> bool:
    kinds = node.get("@type")
    return any(
        isinstance(kind, str) and _ARTICLES.match(kind.rpartition("/")[2])
        for kind in (kinds if isinstance(kinds, list) else [kinds])
    )


def _nodes(document: HtmlElement) -> Iterator[dict[str, Any]]:
    count = 0
    for script in document.iter("script"):
        if "ld+json" not in (script.get("type") or "").lower():
            continue
        waiting = [_loaded(script.text or "")]
        while waiting and count < _MAX_NODES:
            value = waiting.pop(0)
            if isinstance(value, list):
                waiting = [*value, *waiting]
            elif isinstance(value, dict):
                count += 1
                yield value
                inner = (value.get(key) for key in ("@graph", "mainEntity", "mainEntityOfPage", "publisher", "author"))
                waiting.extend(one for one in inner if isinstance(one, dict | list))


def _loaded(text: str) -> Any:
    text = _COMMENT.sub("", text).strip().rstrip(";")
    for attempt in (text, _TRAILING_COMMA.sub(r"\1", text), html.unescape(text)):
        try:
            return json.loads(attempt, strict=False)
        except (ValueError, RecursionError):
            continue
    return None
