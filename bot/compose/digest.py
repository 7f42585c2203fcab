"""One post of several articles: «Головне за день», rubric by rubric, as many as the platform takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.compose import links
from bot.compose.markup import fault, one_line
from bot.domain.article import Article
from bot.domain.channel import Channel, Platform

Render = Callable[[list[dict[str, Any]], int], str]


def rubrics(articles: list[Article], channel: Channel) -> list[dict[str, Any]]:
    """Return the articles by rubric, in order of first appearance: `[{"name", "articles": [{"title", "link"}]}]`."""
    found: dict[str, list[dict[str, Any]]] = {}
    for article in articles:
        link = links.printable(links.with_parameters(article.link, channel.link_parameters)) if article.link else ""
        found.setdefault(one_line(article.rubric), []).append({"title": one_line(article.title), "link": link})
    return [{"name": name, "articles": of_rubric} for name, of_rubric in found.items()]


def as_many_as_fit(
    render: Render, articles: list[Article], channel: Channel, platform: Platform, limit: int
) -> str | None:
    """Return the text with the most first articles that fit, None where not even one does.

    `render` is given the rubrics and how many articles are left out.
    """
    low, high, best = 1, len(articles), None
    while low <= high:
        count = (low + high) // 2
        text = render(rubrics(articles[:count], channel), len(articles) - count)
        if fault(text, platform, limit) is None:
            best, low = text, count + 1
        else:
            high = count - 1
    return best
