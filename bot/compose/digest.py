"""One post of several articles: «Головне за день», rubric by rubric, as many as the platform takes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from bot.compose import links
from bot.compose.markup import cut, fault, one_line
from bot.domain.article import Article
from bot.domain.channel import Channel, Platform

Render = Callable[[list[dict[str, Any]], int], str]

_MOST = 30  # headlines; nobody reads on, whatever the platform would take
_LONGEST_TITLE = 250  # characters; a longer one would push the others out
_LONGEST_RUBRIC = 60


def headline(article: Article, channel: Channel) -> dict[str, str]:
    """Return what a digest tells of an article: `title`, `link`, local `time`; "" for what is not known."""
    link = links.printable(links.with_parameters(article.link, channel.link_parameters)) if article.link else ""
    local = article.published_at.astimezone(channel.timetable.zone) if article.published_at else None
    title = cut(one_line(article.title), _LONGEST_TITLE)
    return {"title": title, "link": link, "time": f"{local:%H:%M}" if local else ""}


def rubrics(articles: list[Article], channel: Channel) -> list[dict[str, Any]]:
    """Return the headlines by rubric, in order of first appearance, those of none first.

    Each is `{"name", "articles": [headline, …]}`.
    """
    found: dict[str, list[dict[str, str]]] = {}
    for article in articles:
        found.setdefault(cut(one_line(article.rubric), _LONGEST_RUBRIC), []).append(headline(article, channel))
    return [{"name": name, "articles": found[name]} for name in sorted(found, key=bool)]


def days(articles: list[Article], channel: Channel, at: datetime) -> tuple[str, bool]:
    """Return the local day or days these articles are of, «31.01» or «29.01–31.01», and whether it is one.

    An article of unknown time is of the day of `at`.
    """
    known = sorted({channel.timetable.day_of(article.published_at or at) for article in articles})
    first, last = f"{known[0]:%d.%m}", f"{known[-1]:%d.%m}"
    return (first, True) if first == last else (f"{first}–{last}", False)


def as_many_as_fit(
    render: Render, articles: list[Article], channel: Channel, platform: Platform, limit: int
) -> str | None:
    """Return the text with the most first articles that fit, at most thirty; None where not even one does.

    `render` is given the rubrics and how many articles are left out.
    """
    low, high, best = 1, min(len(articles), _MOST), None
    while low <= high:
        count = (low + high) // 2
        text = render(rubrics(articles[:count], channel), len(articles) - count)
        if fault(text, platform, limit) is None:
            best, low = text, count + 1
        else:
            high = count - 1
    return best
