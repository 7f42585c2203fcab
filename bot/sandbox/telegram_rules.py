"""What the Bot API refuses about a post's content, with its exact words. Pure: no HTTP, no world, no clock.

Limits and texts: tdlib/td and tdlib/telegram-bot-api sources, core.telegram.org/bots/api#formatting-options. Text
4096 and caption 1024 count code points after parsing and trimming; 32,768 bytes bound the raw parameter. Of more
than 100 entities the excess is dropped without a word.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from bot.sandbox.names import names
from bot.sandbox.photos import Picture, look_at
from bot.sandbox.telegram_markup import Entity, Marked, MarkupError, checked_link, parse_html, tidy, with_automatic

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
RAW_BYTES = 32_768
MOST_ENTITIES = 100
PHOTO_BYTES = 10 * 1024 * 1024
PHOTO_URL_BYTES = 5 * 1024 * 1024
PHOTO_SIDES = 10_000
PHOTO_RATIO = 20
ENTITY_KINDS = names(
    "mention hashtag cashtag bot_command url email phone_number bold italic underline strikethrough spoiler blockquote "
    "expandable_blockquote code pre text_link text_mention custom_emoji date_time"
)

T = TypeVar("T")


@dataclass(eq=False)
class Refusal(Exception):  # noqa: N818 - the platform's answer, not a fault of this program
    """An answer `ok: false`. `description` stands after the prefix, as the server words it."""

    code: int
    description: str
    parameters: Mapping[str, int] | None = None
    inside_ban: bool = False

    @property
    def full(self) -> str:
        return said(self.code, self.description)


PREFIXES = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 409: "Conflict", 413: ""}


def said(code: int, description: str) -> str:
    """Put the prefix of the code before a description; the first letter falls unless a raw code follows."""
    prefix = PREFIXES.get(code, "Too Many Requests" if code == 429 else "Internal Server Error")
    if not prefix or description.startswith(prefix):
        return description
    if len(description) > 1 and not (description[1] == "_" or description[1].isupper()):
        description = description[0].lower() + description[1:]
    return f"{prefix}: {description}" if description else prefix


def bad(description: str) -> Refusal:
    return Refusal(400, description)


def read_json(raw: str, kind: type[T], complaint: str) -> T:
    """Return a JSON parameter of the expected type, or refuse with `complaint`."""
    try:
        value = json.loads(raw)
    except ValueError as error:
        raise bad(complaint) from error
    if not isinstance(value, kind):
        raise bad(complaint)
    return value


def read_text(
    raw: str | None, parse_mode: str = "", entities: str | None = None, *, limit: int, too_long: str, needed: bool
) -> Marked:
    """Parse, tidy and measure a text or caption as the server does.

    Args:
        limit: in code points after parsing.
        too_long: the words of the refusal above `limit`; they differ between sending and editing.
        needed: whether a text must remain.
    """
    raw = raw or ""
    if needed and not raw:
        raise bad("message text is empty")
    try:
        size = len(raw.encode())
    except UnicodeEncodeError as error:
        raise bad("strings must be encoded in UTF-8") from error
    if size > RAW_BYTES:
        raise bad("text is too long")
    mode = parse_mode.lower()
    if mode in ("markdown", "markdownv2"):
        raise Refusal(501, "the sandbox does not speak Markdown; use HTML")
    if mode not in ("", "none", "html"):
        raise bad("unsupported parse_mode")
    if mode == "html":
        try:
            marked = parse_html(raw)
        except MarkupError as error:
            raise bad(f"can't parse entities: {error}") from error
    else:
        marked = Marked(raw, tuple(_given_entities(entities)) if entities else ())
    marked = tidy(marked)
    if needed and not marked.text:
        raise bad("text must be non-empty")
    if len(marked.text) > limit:
        raise bad(too_long)
    marked = with_automatic(marked)
    return Marked(marked.text, marked.entities[:MOST_ENTITIES])


def _given_entities(raw: str) -> list[Entity]:
    given = read_json(raw, list, "can't parse entities JSON object")
    kept = []
    for entity in given:
        if not isinstance(entity, dict) or not isinstance(entity.get("type"), str):
            raise bad("can't parse MessageEntity: expected an Object")
        if not all(isinstance(entity.get(key), int) for key in ("offset", "length")):
            raise bad("can't parse MessageEntity: offset and length must be integers")
        if entity["type"] == "text_link":
            entity["url"] = checked_link(str(entity.get("url", "")))
            if not entity["url"]:
                continue
        if entity["type"] in ENTITY_KINDS and entity["length"] > 0 and entity["offset"] >= 0:
            kept.append(entity)
    return kept


def check_text(text: str, parse_mode: str = "HTML", limit: int = TEXT_LIMIT) -> tuple[int, str] | None:
    """Return None where the server takes this text, else its error code and full description."""
    caption = limit <= CAPTION_LIMIT
    words = "message caption is too long" if caption else "message is too long"
    return _answer(lambda: read_text(text, parse_mode, limit=limit, too_long=words, needed=not caption))


def check_photo(body: bytes, picture: Picture | None = None) -> tuple[int, str] | None:
    """Return None where sendPhoto takes these bytes as an upload, else its error code and full description."""
    return _answer(lambda: refuse_photo(body, picture or look_at(body)))


def refuse_photo(body: bytes, picture: Picture) -> None:
    """Raise what sendPhoto answers to bytes it does not take. WEBP is taken."""
    if not body:
        raise bad("file must be non-empty")
    if len(body) > PHOTO_BYTES:
        raise bad(f"file of size {len(body)} bytes is too big for a photo; the maximum size is {PHOTO_BYTES} bytes")
    if not picture.format:
        raise bad("PHOTO_INVALID_DIMENSIONS" if picture.width else "IMAGE_PROCESS_FAILED")
    width, height = picture.width, picture.height
    if width + height > PHOTO_SIDES or max(width, height) > PHOTO_RATIO * min(width, height):
        raise bad("PHOTO_INVALID_DIMENSIONS")
    if not picture.whole:
        raise bad("IMAGE_PROCESS_FAILED")


def refuse_markup(raw: str | None, *, private: bool) -> dict[str, Any] | None:
    """Return a reply markup that the server takes, None for none, or raise its refusal."""
    if not raw:
        return None
    markup = read_json(raw, dict, "can't parse reply keyboard markup JSON object")
    rows = markup.get("inline_keyboard")
    if rows is None:
        return markup if private else None
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad('field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays')
    for button in (button for row in rows for button in row):
        _refuse_button(button, private=private)
    return markup if any(rows) else None


def _refuse_button(button: Any, *, private: bool) -> None:
    if not isinstance(button, dict) or not isinstance(button.get("text"), str):
        raise bad('can\'t parse inline keyboard button: field "text" must be of type String')
    if not button["text"]:
        raise bad("can't parse inline keyboard button: text must be non-empty")
    if "callback_data" in button:
        if not 1 <= len(str(button["callback_data"]).encode()) <= 64:
            raise bad("BUTTON_DATA_INVALID")
    elif "url" in button:
        if "." not in str(button["url"]) and not str(button["url"]).startswith("tg://"):
            raise bad(f"inline keyboard button URL '{button['url']}' is invalid: Wrong HTTP URL")
    elif "web_app" in button:
        if not private:
            raise bad("BUTTON_TYPE_INVALID")
        url = str((button["web_app"] or {}).get("url", "")) if isinstance(button["web_app"], dict) else ""
        if not url.startswith("https://"):
            raise bad(f"inline keyboard button Web App URL '{url}' is invalid: Only HTTPS links are allowed")
    elif (
        not {"switch_inline_query", "switch_inline_query_current_chat", "copy_text", "login_url", "pay"} & button.keys()
    ):
        raise bad("can't parse inline keyboard button: text buttons are unallowed in the inline keyboard")


def read_preview(params: Mapping[str, str]) -> dict[str, Any] | None:
    """Return `link_preview_options` (or the older switch) as an object, None where neither was given."""
    if raw := params.get("link_preview_options"):
        options = read_json(raw, dict, "can't parse link preview options JSON object")
        for key in ("is_disabled", "prefer_small_media", "prefer_large_media", "show_above_text"):
            if not isinstance(options.get(key, False), bool):
                raise bad(f'can\'t parse link preview options: field "{key}" must be of type Boolean')
        return options
    if params.get("disable_web_page_preview", "").lower() in ("true", "1"):
        return {"is_disabled": True}
    return None


def _answer(check: Callable[[], object]) -> tuple[int, str] | None:
    try:
        check()
    except Refusal as refusal:
        return refusal.code, refusal.full
    return None


def refusal(method: str, params: Mapping[str, str], photo: bytes | None = None) -> tuple[int, str] | None:
    """Judge the content of sendMessage, sendPhoto, editMessageText or editMessageCaption without any HTTP.

    Returns:
        None where the server would take it, else its error code and full description. Chats, rights and rates are
        not looked at.
    """

    def check() -> None:
        mode = params.get("parse_mode", "")
        editing = method.startswith("edit")
        if method in ("sendMessage", "editMessageText"):
            words = "MESSAGE_TOO_LONG" if editing else "message is too long"
            text, given = params.get("text"), params.get("entities")
            read_text(text, mode, given, limit=TEXT_LIMIT, too_long=words, needed=True)
            read_preview(params)
        elif method in ("sendPhoto", "editMessageCaption"):
            words = "MEDIA_CAPTION_TOO_LONG" if editing else "message caption is too long"
            text, given = params.get("caption"), params.get("caption_entities")
            if method == "sendPhoto" and photo is None and not params.get("photo"):
                raise bad("there is no photo in the request")
            read_text(text, mode, given, limit=CAPTION_LIMIT, too_long=words, needed=False)
            if photo is not None:
                refuse_photo(photo, look_at(photo))
        else:
            raise ValueError(f"no content rules for {method}")
        refuse_markup(params.get("reply_markup"), private=False)

    return _answer(check)
