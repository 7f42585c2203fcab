"""Edges of the Graph API that only show: pages, lists of posts, tokens, insights. Each returns the answer's object."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from bot.sandbox.facebook_edges import GraphCall, missing
from bot.sandbox.facebook_rules import GraphRefusal, wrong
from bot.sandbox.facebook_world import FacebookPost, Page, Photo
from bot.sandbox.names import names

Json = dict[str, Any]
MOST_POSTS = 100
LIKES_FOR_INSIGHTS = 100
POST_METRICS = names(
    "post_media_view post_total_media_view_unique post_activity_by_action_type post_activity_by_action_type_unique "
    "post_reactions_by_type_total post_reactions_like_total post_reactions_love_total post_reactions_wow_total "
    "post_reactions_haha_total post_reactions_sorry_total post_reactions_anger_total post_clicks post_clicks_by_type "
    "post_video_views"
)
PAGE_METRICS = names(
    "page_follows page_media_view page_total_media_view_unique page_post_engagements page_views_total "
    "page_total_actions page_daily_follows page_daily_follows_unique page_daily_unfollows_unique"
)


def iso(at: float) -> str:
    """Format Unix seconds as the Graph API does: 2026-11-23T21:14:33+0000."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def field_names(raw: str) -> list[str]:
    """Split `fields` at commas outside braces; sub-fields and modifiers are dropped: "a,b{c},d.limit(1)" → a, b, d."""
    out, depth, word = [], 0, ""
    for character in raw + ",":
        depth += (character in "{(") - (character in "})")
        if character == "," and depth <= 0:
            name = re.split(r"[.{(]", word.strip(), maxsplit=1)[0]
            if name:
                out.append(name)
            word = ""
        else:
            word += character
    return out


def pick(
    call: GraphCall, makers: Mapping[str, Callable[[], Any]], default: str, kind: str, raw: str | None = None
) -> Json:
    """Return the fields asked for; empty ones are left out, as Meta does, and an unknown one is refused."""
    names = field_names(raw if raw is not None else call.params.get("fields") or default)
    out: Json = {}
    for name in dict.fromkeys((*names, "id")):
        if name not in makers:
            raise wrong(f"Tried accessing nonexisting field ({name}) on node type ({kind})")
        value = makers[name]()
        if value not in (None, "", []):
            out[name] = value
    return out


def post_fields(call: GraphCall, page: Page, post: FacebookPost) -> Mapping[str, Callable[[], Any]]:
    at = post.created
    return {
        "id": lambda: post.id,
        "message": lambda: post.message,
        "created_time": lambda: iso(at),
        "updated_time": lambda: iso(post.edited or at),
        "permalink_url": lambda: f"https://www.facebook.com/{post.page}/posts/{post.id.partition('_')[2]}",
        "is_published": lambda: post.public_at is not None,
        "is_hidden": lambda: False,
        "is_expired": lambda: False,
        "from": lambda: {"name": page.name, "id": page.id},
        "status_type": lambda: (
            "added_photos" if post.photos else "shared_story" if post.link else "mobile_status_update"
        ),
        "full_picture": lambda: call.base + post.photos[0].stored.path if post.photos else None,
        "picture": lambda: call.base + post.photos[0].stored.path if post.photos else None,
        "scheduled_publish_time": lambda: post.scheduled_for,
        "application": lambda: {"name": "Sandbox app", "id": post.app_id},
        "attachments": lambda: _attachments(call, post),
        "story": lambda: None,
        "shares": lambda: None,
        "actions": lambda: None,
        "privacy": lambda: {"value": "EVERYONE", "description": "Public"},
        "timeline_visibility": lambda: "normal",
        "promotable_id": lambda: post.id,
        "object_id": lambda: post.photos[0].id if post.photos else None,
        "likes": lambda: {"data": []},
        "comments": lambda: {"data": []},
        "reactions": lambda: {"data": []},
    }


def _attachments(call: GraphCall, post: FacebookPost) -> Any:
    if post.photos:
        found = [
            {
                "media": {
                    "image": {
                        "height": photo.stored.height,
                        "width": photo.stored.width,
                        "src": call.base + photo.stored.path,
                    }
                },
                "target": {"id": photo.id, "url": f"https://www.facebook.com/photo/?fbid={photo.id}"},
                "type": "photo",
                "url": f"https://www.facebook.com/photo/?fbid={photo.id}",
            }
            for photo in post.photos
        ]
        return {"data": found}
    if post.link:
        target = f"https://l.facebook.com/l.php?u={quote(post.link, safe='')}&h=AT0"
        return {"data": [{"target": {"url": target}, "type": "share", "url": target, "unshimmed_url": post.link}]}
    return None


def list_posts(call: GraphCall, page_id: str, edge: str) -> Json:
    """GET /{page}/published_posts, /feed, /posts, /scheduled_posts: newest first, with cursors."""
    page = _readable(call, page_id)
    world, now = call.world, call.world.clock()
    if edge == "scheduled_posts":
        found = [p for p in world.settled(page.id) if p.scheduled_for and p.public_at is None and p.deleted_at is None]
    else:
        look = world.read_back
        gone = {p.id for p in world.history(page.id) if p.deleted_at is not None and look.knows(p.deleted_at, now)}
        found = [p for p in world.history(page.id) if p.id not in gone and look.shows(p.public_at or 0.0, now)]
    if world.read_back.broken:
        return {"data": []}
    since, until = moment(call.params.get("since")), moment(call.params.get("until"))
    found = [p for p in found if (since is None or p.created >= since) and (until is None or p.created <= until)]
    found.sort(key=lambda p: p.created, reverse=True)
    raw = call.params.get("limit") or "25"
    if not raw.isdigit() or int(raw) > MOST_POSTS:
        raise wrong(f"Param limit must not exceed {MOST_POSTS}")
    ids = [p.id for p in found]
    start = _cursor(ids, call.params.get("after")) + 1 if call.params.get("after") else 0
    shown = found[start : start + int(raw)]
    makers = [(p, post_fields(call, page, p)) for p in shown]
    data = [pick(call, one, "created_time,message,id", "PagePost") for _, one in makers]
    answer: Json = {"data": data}
    if shown:
        cursors = {"before": _as_cursor(shown[0].id), "after": _as_cursor(shown[-1].id)}
        answer["paging"] = {"cursors": cursors}
        if start + int(raw) < len(found):
            kept = {k: v for k, v in call.params.items() if k not in ("after", "before", "appsecret_proof")}
            asked = {**kept, "access_token": call.token.value, "limit": raw, "after": cursors["after"]}
            query = "&".join(f"{name}={quote(value, safe='')}" for name, value in asked.items())
            answer["paging"]["next"] = f"{call.base}/graph{call.path}?{query}"
    return answer


def _readable(call: GraphCall, page_id: str) -> Page:
    page = call.page(page_id)
    allowed = call.world.welcoming or (call.token.page == page_id and "pages_read_engagement" in call.token.scopes)
    if not allowed:
        raise GraphRefusal(
            10,
            "(#10) This endpoint requires the 'pages_read_engagement' permission or the 'Page Public Content Access' "
            "feature. Refer to https://developers.facebook.com/docs/apps/review/login-permissions#manage-pages for "
            "details.",
        )
    return page


def _as_cursor(post_id: str) -> str:
    return base64.urlsafe_b64encode(post_id.encode()).decode().rstrip("=")


def _cursor(ids: list[str], raw: str | None) -> int:
    padded = (raw or "") + "=" * (-len(raw or "") % 4)
    try:
        return ids.index(base64.urlsafe_b64decode(padded).decode())
    except ValueError as error:
        raise wrong("Invalid cursors values") from error


def moment(raw: str | None) -> float | None:
    """Read `since` or `until`: Unix seconds or an ISO date; None where it was not given."""
    if not raw:
        return None
    if raw.replace(".", "", 1).isdigit():
        return float(raw)
    try:
        read = datetime.fromisoformat(raw)
    except ValueError as error:
        raise wrong("Param since/until must be a valid date") from error
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def show_object(call: GraphCall, object_id: str) -> Json:
    """GET /{page}, /{post}, /{photo}."""
    if object_id in call.world.uploads:
        return _photo(call, call.world.uploads[object_id])
    if "_" in object_id:
        post = call.post(object_id, "get")
        page = _readable(call, post.page)
        return pick(call, post_fields(call, page, post), "created_time,message,id", "PagePost")
    return _page(call, call.page(object_id))


def _page(call: GraphCall, page: Page) -> Json:
    makers: Mapping[str, Callable[[], Any]] = {
        "id": lambda: page.id,
        "name": lambda: page.name,
        "category": lambda: page.category,
        "link": lambda: f"https://www.facebook.com/{page.id}",
        "username": lambda: None,
        "fan_count": lambda: 0,
        "followers_count": lambda: 0,
        "is_published": lambda: True,
        "access_token": lambda: call.token.value if call.token.page == page.id else None,
        "tasks": lambda: list(page.tasks),
        "can_post": lambda: call.token.page == page.id,
        "verification_status": lambda: "not_verified",
        "about": lambda: None,
        "website": lambda: None,
    }
    return pick(call, makers, "name,id", "Page")


def _photo(call: GraphCall, photo: Photo) -> Json:
    if not call.world.welcoming and call.token.page != photo.page:
        raise missing("get", photo.id)
    image = {"height": photo.stored.height, "width": photo.stored.width, "source": call.base + photo.stored.path}
    makers: Mapping[str, Callable[[], Any]] = {
        "id": lambda: photo.id,
        "created_time": lambda: iso(photo.created),
        "name": lambda: photo.caption,
        "alt_text_custom": lambda: photo.alt,
        "width": lambda: photo.stored.width,
        "height": lambda: photo.stored.height,
        "images": lambda: [image],
        "link": lambda: f"https://www.facebook.com/photo/?fbid={photo.id}",
        "page_story_id": lambda: photo.post,
        "picture": lambda: call.base + photo.stored.path,
    }
    return pick(call, makers, "created_time,name,id", "Photo")


def me(call: GraphCall) -> Json:
    if call.token.page:
        return _page(call, call.page(call.token.page))
    makers: Mapping[str, Callable[[], Any]] = {"id": lambda: "7001", "name": lambda: call.token.name}
    return pick(call, makers, "name,id", "User")


def my_accounts(call: GraphCall) -> Json:
    if call.token.page:
        raise wrong("Tried accessing nonexisting field (accounts) on node type (Page)")
    pages = [call.world.pages[id] for id in call.token.pages if id in call.world.pages]
    tokens = {token.page: token.value for token in call.world.tokens.values() if token.page}
    return {
        "data": [
            {
                "access_token": tokens.get(page.id, ""),
                "category": page.category,
                "category_list": [{"id": "1", "name": page.category}],
                "name": page.name,
                "id": page.id,
                "tasks": list(page.tasks),
            }
            for page in pages
        ]
    }


def my_permissions(call: GraphCall) -> Json:
    if call.token.page and not call.world.welcoming:
        raise wrong("Tried accessing nonexisting field (permissions) on node type (Page)")
    return {"data": [{"permission": scope, "status": "granted"} for scope in sorted(call.token.scopes)]}


def debug_token(call: GraphCall) -> Json:
    """GET /debug_token: what a token is; dead ones too."""
    asked = call.params.get("input_token")
    if not asked:
        raise wrong("The parameter input_token is required")
    token = call.world.tokens.get(asked)
    if token is None and call.world.welcoming:
        token = call.world.welcome(asked)
    if token is None:
        error = {"code": 190, "message": "Invalid OAuth access token - Cannot parse access token"}
        return {"data": {"error": error, "is_valid": False, "scopes": []}}
    kind = "PAGE" if token.page else "USER"
    dead = token.ended or (token.expires_at and token.expires_at <= call.world.clock())
    data: Json = {
        "app_id": token.app_id,
        "type": kind,
        "application": "Sandbox app",
        "data_access_expires_at": 0,
        "expires_at": token.expires_at,
        "is_valid": not dead,
        "issued_at": 1_760_000_000,
        "scopes": sorted(token.scopes),
        "granular_scopes": [{"scope": scope, "target_ids": [token.page]} for scope in sorted(token.scopes)],
        "user_id": "7001",
    }
    if token.page:
        data["profile_id"] = token.page
    if dead:
        data["error"] = {"code": 190, "message": "Session has expired.", "subcode": token.ended or 463}
    return {"data": data}


def insights(call: GraphCall, object_id: str) -> Json:
    """GET /{post}/insights or /{page}/insights: one unknown metric fails the whole call."""
    figures: Mapping[str, Any] = {}
    if "_" in object_id:
        figures, known = call.post(object_id, "get").insights, POST_METRICS
    else:
        known = PAGE_METRICS
        _readable(call, object_id)
    if not call.world.welcoming and "read_insights" not in call.token.scopes:
        raise GraphRefusal(200, "(#200) Provide valid app ID")
    raw = call.params.get("metric", "").strip("[]").replace('"', "")
    metrics = [name.strip() for name in raw.split(",") if name.strip()]
    if not metrics:
        raise GraphRefusal(
            3001,
            "(#3001) No metric was specified to be fetched. Please specify one or more metrics to be fetched and try "
            "again.",
            1504028,
        )
    if any(name not in known or name in call.world.gone_metrics for name in metrics):
        raise wrong("The value must be a valid insights metric")
    page = call.world.pages.get(object_id.partition("_")[0])
    if page is not None and page.likes < LIKES_FOR_INSIGHTS:
        return {"data": []}
    return {
        "data": [
            {
                "name": name,
                "period": "lifetime" if "_" in object_id else "day",
                "values": [{"value": figures.get(name, {} if "by_type" in name or "by_action" in name else 0)}],
                "id": f"{object_id}/insights/{name}/lifetime",
            }
            for name in metrics
        ]
    }
