"""May the photo go along, and whose name goes with it: the channel's photo policy and the article's credit."""

from __future__ import annotations

from dataclasses import dataclass

from bot.compose import credit as credits
from bot.compose.body import Kind, blocks
from bot.domain.article import Article
from bot.domain.channel import Channel, PhotoPolicy
from bot.domain.post import Credit, Own

_NOTHING_OWN = Own()


@dataclass(frozen=True, slots=True)
class Picture:
    """What the policy leaves of an article's photo: its address, whom it is credited to, what an editor should know."""

    url: str | None
    credit: Credit | None
    warnings: tuple[str, ...] = ()


def of_article(article: Article) -> Credit | None:
    """Return the article's photo credit: the stated one, else a caption's in the body, else a printed line's."""
    stated = credits.stated(article.photo_credit) if article.photo_credit.strip() else None
    if stated:
        return stated
    found = [block for text in (article.lead, article.body) for block in blocks(text)]
    marked = (credits.stated(block.text) for block in found if block.kind is Kind.CREDIT)
    captions = (credits.parse(block.text) for block in found if block.kind is Kind.CAPTION)
    return next(filter(None, captions), None) or next(filter(None, marked), None)


def of_photo(article: Article, channel: Channel, *, with_photo: bool, own: Own = _NOTHING_OWN) -> Picture:
    """Apply the channel's photo policy.

    A known credit is printed even where only the page's own card shows the photo; under `never` neither is.

    Args:
        article: whose photo.
        channel: whose policy and `default_credit`.
        with_photo: whether this rung of the ladder carries a photo at all.
        own: what an editor chose; the credit of another photo says nothing of the article's, nor the other way.
    """
    if channel.photo is PhotoPolicy.NEVER:
        return Picture(None, None)
    url = article.photo_url if own.photo is None else own.photo
    credit = of_own(own) or of_article(article) if not own.photo else of_own(own)
    if credit is None and url and channel.default_credit.strip():
        credit = credits.stated(channel.default_credit)
    if not url or not with_photo:
        return Picture(None, credit)
    if credit is None and channel.photo is PhotoPolicy.REQUIRE_CREDIT:
        return Picture(None, None, ("the photo stays behind: it has no credit (photo = require-credit)",))
    return Picture(url, credit)


def of_own(own: Own) -> Credit | None:
    """Return the credit that an editor wrote."""
    return credits.stated(own.credit) if own.credit.strip() else None
