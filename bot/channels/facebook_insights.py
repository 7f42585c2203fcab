"""What Meta tells of one post of a page: views, viewers, clicks and reactions, one metric a call.

Metrics: developers.facebook.com/docs/graph-api/reference/insights. One that does not exist fails a call as a whole, so
they are never asked together. A page needs 100 likes and the token `read_insights`; below that, answers are empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from bot.channels.errors_facebook import Aim
from bot.channels.facebook_graph import Graph
from bot.domain.figures import CLICKS, REACTION, VIEWERS, VIEWS

_PLAIN = {"post_media_view": VIEWS, "post_total_media_view_unique": VIEWERS, "post_clicks": CLICKS}
_BY_TYPE = "post_reactions_by_type_total"
# Under the emoji that readers see; a name that is not among them stays as it is.
_EMOJI = {"like": "👍", "love": "❤", "care": "🤗", "haha": "😆", "wow": "😮", "sorry": "😢", "anger": "😡"}


class FacebookInsights:
    """The figures of one page's posts."""

    metrics: tuple[str, ...] = (_BY_TYPE, *_PLAIN)

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    @property
    def usage(self) -> float:
        """Percent of the allowance used, as of the last answer that told."""
        return self._graph.usage

    @property
    def rest_for(self) -> timedelta:
        """How long to leave the page alone from now on."""
        return self._graph.rest_for

    async def ask(self, remote_id: str, metric: str) -> dict[str, int]:
        """Return what one metric tells of a post, by the figure's name; {} where it tells nothing.

        Raises:
            RefusedError: there is no such metric, or not of this post.
            GoneError: there is no such post, or none that this token may see.
            ThrottledError: the page has used its allowance.
            AccessLostError: the token is not valid, or lacks `read_insights`.
            UnansweredError, UnreachableError: nothing was learnt.
        """
        content = await self._graph.call("GET", f"{remote_id}/insights", query={"metric": metric}, aim=Aim.ASK)
        value = _newest(content, metric)
        if metric != _BY_TYPE:
            return dict(_counts({_PLAIN.get(metric, metric): value}))
        if not isinstance(value, dict):
            return {}
        every = dict.fromkeys(_EMOJI, 0) | value  # a kind that nobody holds any more is left out by Meta
        return dict(_counts({f"{REACTION}{_EMOJI.get(kind, kind)}": count for kind, count in every.items()}))


def _newest(content: Mapping[str, Any], metric: str) -> object:
    told = content.get("data")
    for each in told if isinstance(told, list) else []:
        values = each.get("values") if isinstance(each, dict) and each.get("name") == metric else None
        if isinstance(values, list) and values and isinstance(values[-1], dict):
            return values[-1].get("value")
    return None


def _counts(told: Mapping[str, object]) -> Iterator[tuple[str, int]]:
    for name, count in told.items():
        if isinstance(count, int) and not isinstance(count, bool) and count >= 0:
            yield name, count
