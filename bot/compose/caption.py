"""Fit a post into its platform's limit: only the summary gives way, at a sentence end.

An ellipsis at a word end only where even the first sentence is too long for a text post.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.compose.markup import cut, fault
from bot.domain.channel import Platform

Render = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A text within its limit; `kept` sentences of the summary stand in it, `whole` says whether the last is whole."""

    text: str
    kept: int
    whole: bool = True


def fit(render: Render, summary: list[str], platform: Platform, limit: int, *, at_least: int) -> Fitted | None:
    """Return the text with as many first sentences of the summary as the platform takes.

    Args:
        render: makes the post's text around a summary ("" for none).
        summary: its sentences.
        platform: whose rules hold.
        limit: the most characters, in the platform's unit.
        at_least: the fewest sentences that may stay; None is returned where fewer would.
    """
    for count in range(len(summary), at_least - 1, -1):
        text = render(" ".join(summary[:count]))
        if fault(text, platform, limit) is None:
            return Fitted(text, count)
    return None


def squeeze(render: Render, sentence: str, platform: Platform, limit: int) -> Fitted | None:
    """Return the text with as much of one sentence as fits, cut at a word end; None where not even none of it fits."""
    low, high, best = 0, len(sentence), None
    while low <= high:
        most = (low + high) // 2
        text = render(cut(sentence, most))
        if fault(text, platform, limit) is None:
            best, low = Fitted(text, 1 if most else 0, whole=False), most + 1
        else:
            high = most - 1
    return best
