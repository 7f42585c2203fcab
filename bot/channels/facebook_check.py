"""The pre-flight look at a Facebook Page: token, its scopes, the page it is for, read-back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bot.channels.base import INSIGHTS, READ_BACK, Finding
from bot.channels.errors_facebook import Aim
from bot.channels.facebook_graph import Graph
from bot.errors import AccessLostError, BotError, RefusedError

SCOPES = ("pages_manage_posts", "pages_read_engagement")
FOR_FIGURES = "read_insights"


async def look_over(graph: Graph, page_id: str, token_name: str, *, now: float) -> list[Finding]:
    """Return findings up to the first that fails and is needed to publish.

    Args:
        token_name: the variable in which the token is looked for.
        now: seconds since 1970.
    """
    if not graph.has_token:
        return [_bad("token", f"{token_name} is not set: it holds the page's access token")]
    found = await _token(graph, token_name, now)
    if all(finding.ok for finding in found if finding.name != INSIGHTS):
        found.append(await _page(graph, page_id))
    if all(finding.ok for finding in found if finding.name != INSIGHTS):
        found.append(await _read_back(graph, page_id))
    return found


async def _token(graph: Graph, token_name: str, now: float) -> list[Finding]:
    try:
        told = await graph.inspect_token()
    except AccessLostError as error:
        return [_bad("token", f"Facebook does not accept the token in {token_name}: make a new one ({error})")]
    except RefusedError as error:
        detail = f"Facebook does not tell its scopes: set the app's id and secret to have them tested ({error})"
        return [Finding(name="token", ok=True, detail=detail)]
    except BotError as error:
        return [_bad("token", f"Facebook cannot be asked: {error}")]
    expires_at = told.get("expires_at")
    ends = datetime.fromtimestamp(expires_at, UTC) if isinstance(expires_at, int) and expires_at > 0 else None
    if told.get("is_valid") is not True or (ends is not None and ends.timestamp() <= now):
        reason = "expired" if ends is not None and ends.timestamp() <= now else _reason(told)
        return [_bad("token", f"the token in {token_name} is not valid ({reason}): make a new one")]
    lasts = f"valid until {ends:%Y-%m-%d %H:%M} UTC" if ends is not None else "does not expire"
    return [Finding(name="token", ok=True, detail=lasts), _insights(told), _scopes(told)]


def _scopes(told: dict[str, Any]) -> Finding:
    granted = told.get("scopes")
    missing = [scope for scope in SCOPES if not isinstance(granted, list) or scope not in granted]
    if missing:
        return _bad("scopes", f"the token lacks {', '.join(missing)}: grant it to the app and make a new token")
    return Finding(name="scopes", ok=True, detail=", ".join(SCOPES))


def _insights(told: dict[str, Any]) -> Finding:
    """Say whether the page tells the figures of its posts; publishing does not need them."""
    granted = told.get("scopes")
    if isinstance(granted, list) and FOR_FIGURES in granted:
        return Finding(name=INSIGHTS, ok=True, detail=FOR_FIGURES)
    detail = f"the token lacks {FOR_FIGURES}: the figures of posts are not told; grant it and make a new token"
    return _bad(INSIGHTS, detail)


async def _page(graph: Graph, page_id: str) -> Finding:
    try:
        owner = await graph.call("GET", "me", query={"fields": "id,name"}, aim=Aim.READ)
    except AccessLostError as error:
        return _bad("address", f"Facebook does not accept the token: make a new one ({error})")
    except BotError as error:
        return _bad("address", f"Facebook does not tell whose token it is: {error}")
    if owner.get("id") != page_id:
        whose = f"{owner.get('name', '')} ({owner.get('id', 'unknown')})".strip()
        return _bad("address", f"the token belongs to {whose}, not to page {page_id}: use that page's own token")
    return Finding(name="address", ok=True, detail=f"{owner.get('name', '')} ({page_id})".strip())


async def _read_back(graph: Graph, page_id: str) -> Finding:
    query = {"fields": "id", "limit": "1"}
    try:
        await graph.call("GET", f"{page_id}/published_posts", query=query, aim=Aim.READ)
    except BotError as error:
        return _bad(READ_BACK, f"the page's own posts cannot be listed: {error}")
    return Finding(name=READ_BACK, ok=True, detail="published_posts")


def _reason(told: dict[str, Any]) -> str:
    error = told.get("error")
    return str(error.get("message", "no reason given")) if isinstance(error, dict) else "no reason given"


def _bad(name: str, detail: str) -> Finding:
    return Finding(name=name, ok=False, detail=detail)
