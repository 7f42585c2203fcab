"""What the Graph API refuses about a post's content. Pure: no HTTP, no world; the clock is passed in.

Parameters: the fields of Meta's own SDK specification (Page `/feed`, Page `/photos`, PagePost). Texts stand where a
source gives them; those marked (ours) are worded in Meta's manner because no source has them. The text limit of
63,206 characters is known from third parties only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bot.sandbox.names import names
from bot.sandbox.photos import Picture, look_at

MESSAGE_LIMIT = 63_206
PHOTO_BYTES = 10 * 1024 * 1024
RECOMMENDED_PHOTO_BYTES = 4 * 1024 * 1024
SCHEDULE_WINDOW = (600, 2_592_000)
PHOTO_KINDS = frozenset(("JPEG", "MPO", "PNG", "GIF", "TIFF", "WEBP", "BMP"))

# What every call may carry, whatever the edge.
EVERYWHERE = names("access_token appsecret_proof format method locale suppress_http_code fields")
PARAMETERS: Mapping[str, frozenset[str]] = {
    "feed": names(
        "actions attached_media backdated_time backdated_time_granularity call_to_action caption child_attachments "
        "composer_session_id coordinates cta_link cta_type description enforce_link_ownership feed_targeting "
        "formatting is_explicit_location is_explicit_share link manual_privacy message multi_share_end_card "
        "multi_share_optimized name object_attachment og_action_type_id og_icon_id og_object_id og_phrase picture "
        "place privacy properties published ref scheduled_publish_time source sponsor_id tags target_surface "
        "targeting thumbnail title unpublished_content_type video_id"
    ),
    "photos": names(
        "aid allow_spherical_photo alt_text_custom attempt backdated_time backdated_time_granularity caption "
        "composer_session_id feed_targeting full_res_is_coming_later is_explicit_location is_explicit_place "
        "location_source_id manual_privacy message name no_story offline_id og_action_type_id og_icon_id og_object_id "
        "og_phrase place privacy profile_id published qn scheduled_publish_time source spherical_metadata sponsor_id "
        "sponsor_relationship tags target_id targeting temporary uid unpublished_content_type url "
        "user_selected_tags vault_image_id"
    ),
    "post": names(
        "attached_media backdated_time backdated_time_granularity composer_session_id direct_share_status "
        "feed_story_visibility is_explicit_location is_hidden is_pinned is_published message og_action_type_id "
        "og_icon_id og_object_id og_phrase place privacy product_item scheduled_publish_time "
        "should_sync_product_edit source_type sponsor_id sponsor_relationship tags text_format_preset_id "
        "timeline_visibility tracking"
    ),
}
_NAME = re.compile(r"\[\d+\]$")


@dataclass(eq=False)
class GraphRefusal(Exception):  # noqa: N818 - the platform's answer, not a fault of this program
    """An `error` object. `status` is the HTTP status; 0 means the usual one of the code."""

    code: int
    message: str
    subcode: int = 0
    kind: str = "OAuthException"
    status: int = 0
    transient: bool = False
    title: str = ""
    text: str = ""
    banned_for: int = 0
    inside_ban: bool = False

    @property
    def http_status(self) -> int:
        if self.status:
            return self.status
        if self.code in (1, 2):
            return 500
        return 403 if self.code in (3, 4, 10, 17, 32, 341, 613, 80001) or 200 <= self.code < 300 else 400

    def envelope(self, trace: str) -> dict[str, Any]:
        error: dict[str, Any] = {"message": self.message, "type": self.kind, "code": self.code}
        if self.subcode:
            error["error_subcode"] = self.subcode
        if self.transient:
            error["is_transient"] = True
        if self.title:
            error |= {"error_user_title": self.title, "error_user_msg": self.text}
        return {"error": error | {"fbtrace_id": trace}}


def wrong(words: str, subcode: int = 0) -> GraphRefusal:
    return GraphRefusal(100, words if words.startswith("(#100)") else f"(#100) {words}", subcode)


def truth(params: Mapping[str, str], name: str, default: bool) -> bool:
    raw = params.get(name)
    if raw is None:
        return default
    if raw.lower() in ("true", "1", "yes"):
        return True
    if raw.lower() in ("false", "0", "no", ""):
        return False
    raise wrong(f"Param {name} must be a boolean")


def attached(params: Mapping[str, str]) -> list[str]:
    """Return the photo ids of `attached_media`, given as `attached_media[i]` fields or as one JSON array."""
    raw = [value for name, value in sorted(params.items()) if name.startswith("attached_media[")]
    try:
        media = [json.loads(one) for one in raw] or json.loads(params.get("attached_media", "[]"))
        return [str(one["media_fbid"]) for one in media]
    except (ValueError, TypeError, KeyError) as error:
        raise wrong("Param attached_media must be an array.") from error


def check_message(message: str) -> None:
    if len(message) > MESSAGE_LIMIT:
        raise wrong(f"Param message must be at most {MESSAGE_LIMIT} characters")  # (ours)


def check_link(link: str) -> None:
    parts = urlsplit(link)
    if parts.scheme not in ("http", "https") or not parts.hostname or "." not in parts.hostname or " " in link:
        raise GraphRefusal(
            100,
            "(#100) link is not properly formatted",
            1500,
            "OAuthException",
            title="URL",
            text="The url is invalid.",
        )


def check_photo(body: bytes, picture: Picture | None = None) -> None:
    """Raise what /photos answers to bytes it does not take."""
    picture = picture or look_at(body)
    if not body or picture.format not in PHOTO_KINDS or not picture.whole or len(body) > PHOTO_BYTES:
        raise GraphRefusal(
            324,
            "(#324) Missing or invalid image file",
            2069019,
            title="Missing or invalid image file",
            text="Photos should be smaller than 10 MB and saved as JPG, PNG, GIF, TIFF, HEIF or WebP files.",
        )


def scheduled_for(params: Mapping[str, str], now: float) -> float | None:
    """Return when a post is to become public, None for at once; refuse a time outside Meta's window."""
    raw = params.get("scheduled_publish_time")
    if not raw:
        return None
    if truth(params, "published", True):
        raise wrong("You cannot specify a scheduled publish time on a published post", 1363032)  # (ours)
    if not raw.isdigit():
        raise wrong("Param scheduled_publish_time must be a unix timestamp")  # (ours)
    at = float(raw)
    if not SCHEDULE_WINDOW[0] <= at - now <= SCHEDULE_WINDOW[1]:
        raise wrong("The specified scheduled publish time is invalid.", 1363037)
    return at


def check(
    edge: str, params: Mapping[str, str], photo: bytes | None, now: float, picture: Picture | None = None
) -> None:
    """Raise what the edge ("feed", "photos" or "post") answers to content it does not take."""
    known = PARAMETERS[edge] | EVERYWHERE
    for name in params:
        if _NAME.sub("", name) not in known:
            raise wrong(f"Param {name} is not supported on this edge")  # (ours)
    check_message(params.get("message") or params.get("caption") or "")
    for name in ("published", "is_published", "temporary", "no_story"):
        truth(params, name, True)
    if edge == "feed":
        media = attached(params)
        if not (params.get("message") or params.get("link") or media):
            raise wrong("Missing message or attachment")
        if params.get("link"):
            check_link(params["link"])
            if media:
                raise wrong("Cannot use attached_media together with link")  # (ours)
        scheduled_for(params, now)
    elif edge == "photos":
        if photo is None and not params.get("url"):
            raise GraphRefusal(324, "(#324) Requires upload file")
        if photo is not None:
            check_photo(photo, picture)
        scheduled_for(params, now)


def refusal(
    edge: str, params: Mapping[str, str], photo: bytes | None = None, now: float = 0.0
) -> tuple[int, str] | None:
    """Judge content without any HTTP: None where the edge would take it, else the error's code and message.

    Args:
        edge: "feed", "photos" or "post" (an edit).
        now: Unix seconds, for `scheduled_publish_time`.
    """
    try:
        check(edge, params, photo, now)
    except GraphRefusal as refusal:
        return refusal.code, refusal.message
    return None
