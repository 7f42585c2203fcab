"""The main photo of a page and who made it, as printed there. No library gives this; captions and classes do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from lxml.html import HtmlElement

from bot.sources.metadata import Metadata
from bot.sources.prose import blocks, line_of
from bot.sources.wording import credit_in, is_credit

_MAX_CREDIT = 200
_NEAR = 6  # text blocks after the picture in which a printed line still speaks of it
_MARKED = (
    *("credit", "copyright", "photographer", "photo-author", "photo_author", "photoauthor", "img-author"),
    *("image-author", "photo-source", "image-source", "img-source", "source-photo"),
)
_CAPTIONS = ("caption", "photo-desc", "image-desc", "photo-title", "img-desc", "wp-caption-text")
_ITEMPROPS = frozenset({"copyrightholder", "credittext", "copyrightnotice", "creator", "author"})
_DATA = ("data-credit", "data-copyright", "data-author", "data-photo-credit", "data-source-name")


def photo_of(stated: Metadata) -> tuple[str, dict[str, Any]]:
    """Return the address of the main photo as the page states it ("" for none), and its JSON-LD object."""
    image = stated.article.get("image")
    node = stated.node(image)
    first = next((one for one in image if one), None) if isinstance(image, list) else image
    for value in (node.get("url"), node.get("contentUrl"), first):
        if isinstance(value, list):
            value = next((one for one in value if one), None)
        if isinstance(value, str) and value.strip():
            return value.strip(), node
    return stated.meta("og:image:secure_url", "og:image", "og:image:url", "twitter:image", "twitter:image:src"), node


def credit_of(document: HtmlElement, photo: str, stated: Metadata, node: dict[str, Any]) -> str:
    """Return the credit of the main photo as printed, "" where the page names none.

    A credit text stated for machines comes first, then what stands at the picture, then the holder of the rights
    unless that is the outlet itself.
    """
    text = stated.text_of(node.get("creditText"))
    if text:
        return _fit(text)
    for credit in _printed(document, photo):
        return _fit(credit)
    for key in ("author", "creator", "copyrightHolder", "copyrightNotice"):
        name = stated.text_of(node.get(key))
        if name and name.casefold() not in stated.outlet:
            return _fit(name)
    return ""


def alt_of(document: HtmlElement, photo: str, stated: Metadata) -> str:
    """Return the alternative text of the main photo, "" where there is none."""
    for image in document.iter("img"):
        if _is_same(image, photo) and (image.get("alt") or "").strip():
            return str(image.get("alt")).strip()
    return stated.meta("og:image:alt", "twitter:image:alt")


def first_photo(document: HtmlElement) -> str:
    """Return the address of the first picture of the article, "" where the page marks no article."""
    for root in document.iter("article", "main"):
        for image in root.iter("img"):
            source = _source(image)
            if source and not source.startswith("data:"):
                return source
    return ""


def _printed(document: HtmlElement, photo: str) -> Iterator[str]:
    pictures = [image for image in document.iter("img") if _is_same(image, photo)]
    for image in pictures or list(_article_images(document))[:1]:
        for name in _DATA:
            value = (image.get(name) or "").strip()
            if value:
                yield value
        box = _box(image)
        if box is not None:
            yield from _in_box(box)
        yield from _after(image if box is None else box)
    if not pictures:
        for figure in document.iter("figure"):
            yield from _in_box(figure)
    for root in document.iter("article", "main"):
        yield from _marked(root)


def _article_images(document: HtmlElement) -> Iterator[HtmlElement]:
    for root in document.iter("article", "main", "figure"):
        yield from root.iter("img")


def _box(image: HtmlElement) -> HtmlElement | None:
    """Return what holds a picture and its caption: the figure, or a div that says so; not the whole article."""
    for depth, parent in enumerate(image.iterancestors()):
        if parent.tag == "figure":
            return parent
        if parent.tag in ("article", "main", "body", "td") or depth > 4:
            return None
        if parent.tag == "div" and len(list(parent.iter("p"))) <= 2 and _has_caption(parent):
            return parent
    return None


def _has_caption(element: HtmlElement) -> bool:
    return any(_says(one, _MARKED) or _says(one, _CAPTIONS) for one in element.iterdescendants())


def _in_box(box: HtmlElement) -> Iterator[str]:
    yield from _marked(box)
    for element in box.iterdescendants():
        if element.tag == "figcaption" or _says(element, _CAPTIONS):
            for _, line in _lines(element):
                credit = credit_in(line)
                if credit:
                    yield credit
    for _, line in _lines(box):
        credit = credit_in(line)
        if credit:
            yield credit


def _marked(root: HtmlElement) -> Iterator[str]:
    for element in root.iterdescendants():
        prop = (element.get("itemprop") or "").lower() if isinstance(element.tag, str) else ""
        in_image = "ImageObject" in (root.get("itemtype") or "") or any(
            "ImageObject" in (parent.get("itemtype") or "") for parent in element.iterancestors()
        )
        if _says(element, _MARKED) or (prop in _ITEMPROPS and in_image):
            line = line_of(element) or (element.get("content") or "").strip()
            # a long box under such a name is a caption, or the copyright of the whole site
            if line and len(line) <= _MAX_CREDIT and "права" not in line.lower() and "rights" not in line.lower():
                yield credit_in(line) or line


def _lines(element: HtmlElement) -> list[tuple[str, str]]:
    # `blocks` leaves captions out by their tag; here they are what is read
    pairs = [pair for child in element if isinstance(child.tag, str) for pair in blocks(child)]
    whole = line_of(element)
    return [*pairs, ("p", whole)] if whole else pairs


def _after(element: HtmlElement) -> Iterator[str]:
    """Yield a printed line «Фото: …» among the first short blocks after the picture."""
    seen = 0
    for parent in (element, *element.iterancestors()):
        if parent.tag in ("article", "main", "body"):
            return
        for sibling in parent.itersiblings():
            for _, line in blocks(sibling) if isinstance(sibling.tag, str) else ():
                seen += 1
                if is_credit(line):
                    yield line
                if seen >= _NEAR:
                    return


def _says(element: HtmlElement, words: tuple[str, ...]) -> bool:
    if not isinstance(element.tag, str):
        return False
    names = (element.get("class") or "").lower()
    return any(word in names for word in words)


def _is_same(image: HtmlElement, photo: str) -> bool:
    """Return whether a picture shows the main photo: the same file name; sizes live in folders and queries."""
    name = _file(photo)
    return bool(name) and _file(_source(image)) == name


def _source(image: HtmlElement) -> str:
    for name in ("src", "data-src", "data-lazy-src", "data-original"):
        value = (image.get(name) or "").strip()
        if value and not value.startswith("data:"):
            return value
    return ""


def _file(address: str) -> str:
    try:
        return unquote(urlsplit(address).path).rpartition("/")[2].lower()
    except ValueError:
        return ""


def _fit(credit: str) -> str:
    return credit[:_MAX_CREDIT].strip(" |")
