"""HTML turned into what an article holds: plain paragraphs, or `<p>` and `<h2>` and nothing else."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

import lxml.etree
import lxml.html
from lxml.html import HtmlElement

from bot.sources.normal import clean_line
from bot.sources.wording import author_in, is_call, is_credit

_TAG = re.compile(r"<[a-zA-Z/!][^>]*>")
_ESCAPED_TAG = re.compile(r"&lt;/?(?:p|br|div|b|i|a|strong|em|h[1-6]|ul|li|img|blockquote)\b", re.IGNORECASE)
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.IGNORECASE)
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_CUT = re.compile(r"(?:…|\.\.\.|\[\s*(?:…|\.\.\.)\s*\]|\(\s*(?:…|\.\.\.)\s*\))\s*$")
_LAST_STOP = re.compile(r".*[^\s.][.!?][»\"”)]?(?=\s)", re.DOTALL)
_SENTENCE_END = re.compile(r"[.!?…][»\"”’)]*\s*$")
_FURNITURE = (
    "script style noscript template iframe object svg figure figcaption form button nav aside footer header select"
    " textarea video audio picture"
)
_NOT_TEXT = frozenset(_FURNITURE.split())
_MAX_DEPTH = 200
_BREAK = "\x0b"  # becomes a space when a line is cleaned
_HEADINGS = frozenset({"h2", "h3", "h4", "h5", "h6"})
_BOXES = "p div section article main li ul ol dl dd dt blockquote pre table tr td th h1 center address details summary"
_BLOCKS = _HEADINGS | frozenset(_BOXES.split())


def parsed(markup: str) -> HtmlElement | None:
    """Return the document of some HTML, or None where there is none. Never raises on broken markup."""
    try:
        return lxml.html.document_fromstring(_DECLARATION.sub("", markup.replace("\0", "")))
    except (lxml.etree.ParserError, lxml.etree.XMLSyntaxError, ValueError):
        return None


def decoded_page(raw: bytes, charset: str | None = None) -> str:
    """Return the text of an HTML page by its mark, the header, its meta, UTF-8, windows-1251, in that order."""
    meta = _META_CHARSET.search(raw[:4096])
    marked = next((name for mark, name in _MARKS if raw.startswith(mark)), None)
    for name in (marked, charset, meta[1].decode("ascii") if meta else None, "utf-8"):
        if name:
            try:
                return raw.decode(name).lstrip("\ufeff")
            except (LookupError, UnicodeError):
                continue
    declared = charset or (meta[1].decode("ascii") if meta else "")
    if declared.lower().replace("-", "") == "utf8":  # one broken character in a page that says what it is
        return raw.decode("utf-8", errors="replace")
    return raw.decode("windows-1251", errors="replace")


def unescaped(markup: str) -> str:
    """Undo one round of escaping too many: tags written as `&lt;p&gt;` where no real tag stands."""
    return html.unescape(markup) if not _TAG.search(markup) and _ESCAPED_TAG.search(markup) else markup


def plain(markup: str) -> str:
    """Return the text of a short piece of HTML (a title, a caption, a summary) as one line."""
    markup = unescaped(markup)
    if _TAG.search(markup):
        document = parsed(f"<div>{markup}</div>")
        return "" if document is None else " ".join(text for _, text in blocks(document))
    return clean_line(html.unescape(markup))


def line_of(element: HtmlElement) -> str:
    """Return all text of an element as one line."""
    return clean_line(str(element.text_content()))


def blocks(root: HtmlElement) -> list[tuple[str, str]]:
    """Return the text blocks under an element in reading order, as pairs of `p` or `h2` and one line of text.

    Pictures with their captions, scripts, forms and page furniture are left out.
    """
    result: list[tuple[str, str]] = []
    pieces: list[str] = []

    def flush(kind: str) -> None:
        text = clean_line("".join(pieces))
        pieces.clear()
        if text:
            result.append((kind, text))

    def walk(element: HtmlElement, kind: str, depth: int) -> None:
        tag = element.tag if isinstance(element.tag, str) else ""
        if not tag or tag in _NOT_TEXT or depth > _MAX_DEPTH:
            return
        inner = "h2" if tag in _HEADINGS else kind
        if tag == "br":
            if "".join(pieces[-4:]).rstrip(" \t\r\n\xa0").endswith(_BREAK):  # two in a row: a paragraph of old
                flush(kind)
            else:
                pieces.append(_BREAK)
        if tag in _BLOCKS:
            flush(kind)
        pieces.append(element.text or "")
        for child in element:
            walk(child, inner, depth + 1)
            pieces.append(child.tail or "")
        if tag in _BLOCKS:
            flush(inner)

    walk(root, "p", 0)
    flush("p")
    return result


def pairs_of(markup: str) -> list[tuple[str, str]]:
    """Return the blocks of a body that may be HTML, or plain text with paragraphs split by blank lines."""
    if "<" not in markup:
        return [("p", clean_line(part)) for part in re.split(r"\n\s*\n", _plain_lines(markup)) if part.strip()]
    document = parsed(f"<div>{markup}</div>")
    return [] if document is None else blocks(document)


def _plain_lines(text: str) -> str:
    return "\n".join(plain(line) for line in text.splitlines())


def body_of(pairs: Iterable[tuple[str, str]], title: str) -> str:
    """Return text blocks as the HTML an article's body holds, without what only the page prints.

    Left out are the repeated title at the top, credits, the author's line, calls to action, and subheads with nothing
    after or before them.
    """
    kept: list[tuple[str, str]] = []
    for kind, text in pairs:
        if not kept and (kind == "h2" or same(text, title)):  # a heading above all text is the title in other words
            continue
        if is_credit(text) or is_call(text) or author_in(text) is not None:
            continue
        if kept and kept[-1] == (kind, text):
            continue
        kept.append((kind, text))
    while kept and kept[-1][0] == "h2":
        kept.pop()
    return "\n".join(f"<{kind}>{html.escape(text, quote=False)}</{kind}>" for kind, text in kept)


def same(one: str, other: str) -> bool:
    """Return whether two lines say the same, quotes, dashes and case aside."""
    return bool(one) and _letters(one) == _letters(other)


def _letters(line: str) -> str:
    return "".join(filter(str.isalnum, line)).casefold()


def lead_from(text: str, title: str, body: str) -> str:
    """Return a description as a lead, or "" where it is none: cut off, the title again, or the body's torn beginning.

    Args:
        text: one line.
        title: of the article.
        body: plain text of the article, "" where unknown.
    """
    if not text or _CUT.search(text) or same(text, title):
        return ""
    torn = not _SENTENCE_END.search(text) and _letters(body).startswith(_letters(text))
    return "" if torn else text


def whole_sentences(text: str) -> str:
    """Return a text that was cut off («…») back to its last whole sentence, "" where none is left; else as it is."""
    if not _CUT.search(text):
        return text
    found = _LAST_STOP.match(_CUT.sub("", text))
    return found[0].strip() if found else ""
