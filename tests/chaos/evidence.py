"""Turns what the sandbox recorded, and what the database says by way of excuse, into what the judge reads."""

from __future__ import annotations

import asyncio
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tests.chaos.judge import Called, Key, Shown, Wanted
from tests.chaos.newsroom import SITE, Story
from tests.chaos.nursery import ROOT
from tests.chaos.platforms import Place
from tests.chaos.stores import Rows, Store

__all__ = ["Key"]
Json = dict[str, Any]
_ARTICLE = re.compile(re.escape(SITE) + r"/(\d+)\b")
_HELD = (
    "SELECT DISTINCT c.name, a.url FROM decisions d JOIN channels c ON c.id = d.channel_id"
    " JOIN articles a ON a.id = d.article_id WHERE d.decision LIKE 'held%'"
)
_IN_STATE = (
    "SELECT c.name, a.url FROM deliveries d JOIN channels c ON c.id = d.channel_id"
    " JOIN articles a ON a.id = d.article_id WHERE d.kind = 'publish' AND d.state = '{state}'"
)


def wanted(story: Story) -> Wanted:
    """Return an article as the judge reads it; one that was never heard to be taken was last of all."""
    return Wanted(
        number=story.number,
        rank=story.published_at.timestamp(),
        sent_at=story.sent_at,
        accepted_at=story.accepted_at or float("inf"),
        newest=story.title,
        breaking=story.breaking,
        retracted_at=story.retracted_at,
    )


def posts(place: Place, history: Sequence[Json]) -> list[Shown]:
    """Return a channel's posts; which article each is of, its link tells."""
    return [
        Shown(
            channel=place.name,
            article=article_in(f"{post.get('html') or ''} {post.get('link') or ''} {post['text']}"),
            at=post["date"],
            gone_at=post["deleted_at"],
            text=post["text"],
            id=str(post["id"]),
        )
        for post in history
    ]


def article_in(text: str) -> int | None:
    """Return the article whose address stands in a text."""
    found = _ARTICLE.search(text)
    return int(found[1]) if found else None


def called(calls: Mapping[str, Sequence[Json]]) -> list[Called]:
    """Return all calls in order of time, each with whom a ban concerns: a chat, a page."""
    found = [
        Called(
            at=one["at"],
            key=_whom(platform, one),
            method=one["method"],
            worker=one["agent"],
            banned_for=one["banned_for"],
            inside_ban=one["inside_ban"],
        )
        for platform, made in calls.items()
        for one in made
    ]
    return sorted(found, key=lambda one: one.at)


def _whom(platform: str, call: Json) -> str:
    target: str = call["target"]
    return target if platform == "telegram" else re.split(r"[/_]", target)[0]


def faults(calls: Mapping[str, Sequence[Json]]) -> dict[str, int]:
    """Count the mishaps that calls met, by name."""
    met = Counter(
        one["outcome"].partition(":")[0] for made in calls.values() for one in made if _met_mishap(one["outcome"])
    )
    return dict(met.most_common())


def _met_mishap(outcome: str) -> bool:
    return bool(re.match(r"[a-z]+(_[a-z0-9]+)*: ", outcome))


def refused(calls: Mapping[str, Sequence[Json]], channels: Sequence[Place], shown: Sequence[Shown]) -> dict[Key, str]:
    """Return which posts a platform refused for good, by its own record."""
    found: dict[Key, str] = {}
    by_target = {place.target: place.name for place in channels}
    for platform, made in calls.items():
        for one in made:
            channel, article = by_target.get(_whom(platform, one)), article_in(" ".join(one["params"].values()))
            if one["outcome"].startswith("refuse: ") and channel is not None and article is not None:
                found[channel, article] = one["outcome"]
    return found


async def ever_held(store: Store) -> set[Key]:
    """Return the posts that were held at some time, as far as this database knows."""
    return _keys(await store.ask(_HELD))


async def held_now(store: Store) -> set[Key]:
    """Return the posts that are held."""
    return _keys(await store.ask(_IN_STATE.format(state="held")))


async def failed(store: Store) -> set[Key]:
    """Return the posts that ended without being public."""
    return _keys(await store.ask(_IN_STATE.format(state="failed")))


def _keys(rows: Rows) -> set[Key]:
    return {(str(name), number) for name, url in rows if (number := article_in(str(url))) is not None}


async def told_of(
    number: int,
    store: Store,
    variables: dict[str, str],
    calls: Mapping[str, Sequence[Json]],
    shown: Sequence[Shown],
) -> str:
    """Return all that is known of an article: its posts, the calls about it, and what `why` says."""
    mine = [post for post in shown if post.article == number]
    ids = {post.id for post in mine}
    lines = ["posts:"]
    lines += [f"  {post.channel} {post.id} {post.at:.3f} – {post.gone_at or ''} {post.text[:60]!r}" for post in mine]
    lines.append("calls:")
    for platform, made in calls.items():
        for one in made:
            params = one["params"]
            about = article_in(" ".join(params.values())) == number
            about = about or (platform == "facebook" and one["target"] in ids)
            if about:
                lines.append(f"  {one['at']:.3f} {platform} {one['method']} {one['target']} {one['outcome']}")
    for url in (*store.before, store.url):
        said = await _why(number, variables | {"VISTNYK_DATABASE_URL": url})
        lines += [f"why ({url.partition('?')[0].rpartition('/')[2]}):", *(f"  {line}" for line in said.splitlines())]
    return "\n".join(lines)


async def _why(number: int, variables: dict[str, str]) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "why",
        f"{SITE}/{number}",
        "--json",
        cwd=ROOT,
        env=variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return said.decode()
