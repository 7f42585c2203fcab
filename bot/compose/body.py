"""An article's body, plain text or HTML, as a list of blocks: what is a paragraph, what a caption, what a subhead."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from lxml import etree, html

from bot.compose import credit
from bot.compose.markup import clean

# A tag that opens the text, closes something or needs no close; plain text may well speak of «тег <p>».
_MARKUP = re.compile(
    r"\A\s*<(?:p|div|h[1-6]|figure|ul|ol|li|blockquote|section|article|span|a|strong|em|b|i)\b[^<>]*>|"
    r"</(?:p|div|h[1-6]|figure|figcaption|ul|ol|li|blockquote|span|a|strong|em|b|i|section)\s*>|"
    r"<(?:br|img|hr)\b[^<>]*>",
    re.I,
)
_BLOCK_TAGS = """p div section article main header footer h1 h2 h3 h4 h5 h6 figure figcaption ul ol li blockquote
    table tr td th dl dt dd pre hr address details summary caption picture center"""
_BLOCKS = frozenset(_BLOCK_TAGS.split())
_SKIPPED_TAGS = "script style noscript iframe nav form button svg template object video audio aside"
_SKIPPED = frozenset(_SKIPPED_TAGS.split())
_CREDIT_CLASS = re.compile(r"credit|copyright|photo-?author|photographer|image-?source|photo-?source", re.I)
_CAPTION_CLASS = re.compile(r"caption", re.I)
_SENTENCE_END = re.compile(r"[.!?…][»”“\")\]]*$")
_SUBHEAD_LENGTH = 140  # characters; longer text without a full stop is a paragraph that lost it
_DEEPEST = 200


class Kind(StrEnum):
    """What a block of the body is."""

    PARAGRAPH = "paragraph"
    SUBHEAD = "subhead"
    CAPTION = "caption"
    CREDIT = "credit"
    QUOTE = "quote"
    ITEM = "item"


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of the body: its kind and its text on one line, without markup."""

    kind: Kind
    text: str


@lru_cache(maxsize=16)  # a post asks for the summary and for the credit, and an article goes to several channels
def blocks(body: str) -> tuple[Block, ...]:
    """Return the body's blocks in order; nothing that is a script, a form or an aside."""
    body = clean(body)
    if not body.strip():
        return ()
    return tuple(_of_html(body) if _MARKUP.search(body) else _of_plain(body))


def _of_plain(body: str) -> list[Block]:
    found: list[Block] = []
    paragraphs = r"\n\s*\n" if re.search(r"\n\s*\n", body) else r"\n"
    for part in re.split(paragraphs, body):
        kept: list[str] = []
        for line in (" ".join(line.split()) for line in part.split("\n")):
            if line and credit.parse(line):
                _add(found, Kind.PARAGRAPH, " ".join(kept))
                kept = []
                _add(found, Kind.CREDIT, line)
            else:
                kept.append(line)
        _add(found, Kind.PARAGRAPH, " ".join(kept))
    return found


def _of_html(body: str) -> list[Block]:
    try:
        root = html.fragment_fromstring(body, create_parent="div")
    except (etree.LxmlError, ValueError):  # what the parser cannot read at all is read as text
        return _of_plain(re.sub(r"<[^<>]*>", "\n\n", body))
    found: list[Block] = []
    _walk(root, Kind.PARAGRAPH, found)
    return found


def _walk(root: html.HtmlElement, kind: Kind, found: list[Block]) -> None:
    """Read the tree in document order without recursion: bodies from the wild nest without end."""
    text: list[str] = []
    kinds = [kind]

    def flush() -> None:
        _add(found, kinds[-1], " ".join("".join(text).split()))
        text.clear()

    steps: list[tuple[str, html.HtmlElement]] = [("open", root)]
    while steps:
        step, element = steps.pop()
        if step == "tail":
            text.append(element.tail or "")
            continue
        tag = element.tag if isinstance(element.tag, str) else ""
        named = _kind_of(element, tag)
        is_block = tag in _BLOCKS or named is not None
        if step == "close":
            if is_block:
                flush()
                kinds.pop()
            continue
        if not tag or tag in _SKIPPED:
            continue
        if tag == "br":
            text.append("\n")
            following = element.getnext()
            if following is not None and following.tag == "br" and not (element.tail or "").strip():
                flush()
            continue
        if is_block:
            flush()
            kinds.append(named or kinds[-1])
        text.append(element.text or "")
        steps.append(("close", element))
        for child in reversed(element if len(kinds) < _DEEPEST else ()):
            steps.append(("tail", child))
            steps.append(("open", child))
    flush()


def _kind_of(element: html.HtmlElement, tag: str) -> Kind | None:
    classes = " ".join((element.get("class") or "", element.get("itemprop") or "")) if tag else ""
    if _CREDIT_CLASS.search(classes):
        return Kind.CREDIT
    if tag == "figcaption" or _CAPTION_CLASS.search(classes):
        return Kind.CAPTION
    if re.fullmatch(r"h[1-6]", tag):
        return Kind.SUBHEAD
    return {"li": Kind.ITEM, "blockquote": Kind.QUOTE, "td": Kind.ITEM, "th": Kind.ITEM, "dt": Kind.ITEM}.get(tag)


def _add(found: list[Block], kind: Kind, text: str) -> None:
    text = text.strip()
    if not text:
        return
    if kind is Kind.PARAGRAPH:
        if credit.parse(text):
            kind = Kind.CREDIT
        elif len(text) <= _SUBHEAD_LENGTH and not _SENTENCE_END.search(text):
            kind = Kind.SUBHEAD
        elif re.match(r"[•▪*–-]\s|\d{1,2}[).]\s", text):
            kind = Kind.ITEM
    found.append(Block(kind, text))
