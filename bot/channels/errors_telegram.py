"""What an answer of the Bot API says about our post: one table, pure.

Texts are those of tdlib/telegram-bot-api (Client.cpp) and tdlib/td; they are matched in lower case by a part that
does not change. Only a 4xx in the Bot API's own form is a definite refusal: after a 5xx, even "Internal Server Error:
restart", the post may be public.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bot.errors import (
    AccessLostError,
    BotError,
    GoneError,
    PhotoRefusedError,
    RefusedError,
    ThrottledError,
    TooLateError,
    UnansweredError,
    UnchangedError,
)

_DEFAULT_WAIT = 30  # seconds, where a 429 names none
_WAIT = re.compile(r"(?:retry after |flood_wait_|slowmode_wait_)(\d+)")

# The first part found in a 400's description decides; all else is a refusal of this post.
_BAD_REQUESTS: tuple[tuple[type[BotError], tuple[str, ...]], ...] = (
    (UnchangedError, ("message is not modified", "message_not_modified")),
    (
        GoneError,
        (
            "message to edit not found",
            "message to delete not found",
            "message to forward not found",
            "message_id_invalid",
        ),
    ),
    (TooLateError, ("message can't be deleted", "message_delete_forbidden")),
    (
        AccessLostError,
        (
            "chat not found",
            "chat_id is empty",
            "channel_private",
            "channel_invalid",
            "need administrator rights",
            "not enough rights",
            "have no rights",
            "chat_write_forbidden",
            "chat_admin_required",
            "chat_send_photos_forbidden",
            "member list is inaccessible",
            "group chat was upgraded",
            "group chat was deactivated",
        ),
    ),
    (
        PhotoRefusedError,
        (
            "wrong file identifier",
            "wrong remote file identifier",
            "wrong file_id",
            "file reference",
            "failed to get http url content",
            "wrong type of the web page content",
            "wrong http url specified",
            "webpage_curl_failed",
            "webpage_media_empty",
            "media_empty",
            "there is no photo in the request",
            "dimensions of the photo",
            "photo_",
            "image_process_failed",
            "file is too big",
            "file must be non-empty",
        ),
    ),
)


def meaning(status: int, description: str, parameters: Mapping[str, Any] | None = None) -> BotError:
    """Return the error that an answer `ok: false` of the Bot API stands for.

    Args:
        status: HTTP status, which the Bot API repeats as `error_code`.
        description: as sent; "" where the answer was not in the Bot API's form.
        parameters: `ResponseParameters`: `retry_after` in seconds, `migrate_to_chat_id`.
    """
    extra = parameters or {}
    said = description.lower()
    text = f"Telegram: {description or f'HTTP {status} without an answer of the Bot API'}"
    if not description or not 400 <= status < 500:
        return UnansweredError(text)
    waiting = _WAIT.search(said)
    if status == 429 or "retry_after" in extra or (status == 420 and waiting):
        seconds = _seconds(extra.get("retry_after")) or (int(waiting[1]) if waiting else _DEFAULT_WAIT)
        return ThrottledError(text, timedelta(seconds=seconds), scope="chat")
    if "migrate_to_chat_id" in extra:
        return AccessLostError(
            f"{text}: its new id is {extra['migrate_to_chat_id']}, the channel's address must be that"
        )
    if status in (401, 403, 404):  # 404: a malformed token, or no Bot API at this address
        return AccessLostError(text)
    if status == 400:
        for error, parts in _BAD_REQUESTS:
            if any(part in said for part in parts):
                return error(text)
    return RefusedError(text)


def _seconds(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0
