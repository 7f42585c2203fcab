"""More photos of one article, for a template that asks for an album.

A post prints one credit, so an album holds only photos that it is true of: those without a credit of their own, and
those of the same maker. It does *not* fetch anything.
"""

from __future__ import annotations

import re

from lxml import etree, html

from bot.compose import credit as credits
from bot.compose.markup import clean
from bot.domain.article import Article
from bot.domain.post import Credit

MOST = 10  # photos an album may hold on Telegram (sendMediaGroup); Facebook shows five and counts the rest
_NO_PHOTO = re.compile(r"pixel|spacer|sprite|emoji|icon|logo|avatar|counter|1x1", re.IGNORECASE)


def photos(article: Article, credit: Credit | None, most: int) -> tuple[str, ...]:
    """Return the addresses of an album's photos in the order of the page, the article's own first.

    Args:
        article: its `photo_url` and the pictures of its body; a body in plain text has none.
        credit: the one that the post prints, None for none.
        most: how many the template asks for; at most ten are given.
    """
    found = dict.fromkeys([article.photo_url] if article.photo_url else [])
    if "<img" in article.body.casefold():
        for picture in _body(article.body).iter("img"):
            address = (picture.get("src") or "").strip()
            if address.startswith(("http://", "https://")) and not _NO_PHOTO.search(address):
                own = _own_credit(picture)
                if own is None or own == credit:
                    found.setdefault(address)
    return tuple(found)[: min(most, MOST)]


def _body(body: str) -> html.HtmlElement:
    try:
        return html.fragment_fromstring(clean(body), create_parent="div")
    except (etree.LxmlError, ValueError):
        return html.Element("div")


def _own_credit(picture: html.HtmlElement) -> Credit | None:
    """Return the credit in the caption that a picture shares a `figure` with."""
    figure = next(picture.iterancestors("figure"), None)
    if figure is None:
        return None
    lines = (" ".join(part.text_content().split()) for part in figure.iter("figcaption", "span", "p", "small", "cite"))
    return credits.find(lines)
