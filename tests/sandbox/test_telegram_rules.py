"""Limits of posts on Telegram, on the last unit that passes and the first that does not."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from bot.sandbox import telegram_rules as rules
from tests.sandbox.conftest import picture


def test_a_text_may_have_4096_code_points_after_parsing() -> None:
    assert rules.check_text("<b>" + "🏟" * 4096 + "</b>  ") is None
    assert rules.check_text("🏟" * 4097) == (400, "Bad Request: message is too long")


def test_a_caption_may_have_1024_code_points_after_parsing() -> None:
    assert rules.check_text("&amp;" * 1024, limit=1024) is None
    assert rules.check_text("ї" * 1025, limit=1024) == (400, "Bad Request: message caption is too long")


def test_the_raw_text_may_have_32768_bytes() -> None:
    padding = "<b></b>"
    room = rules.RAW_BYTES - len("текст".encode())
    filler = padding * (room // len(padding)) + " " * (room % len(padding))
    assert rules.check_text("текст" + filler) is None
    assert rules.check_text("текст" + filler + " ") == (400, "Bad Request: text is too long")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Bad Request: message text is empty"),
        (" \n ", "Bad Request: text must be non-empty"),
        ("<b> </b>", "Bad Request: text must be non-empty"),
    ],
)
def test_an_empty_text_is_refused_and_an_empty_caption_is_not(text: str, words: str) -> None:
    assert rules.check_text(text) == (400, words)
    assert rules.check_text(text, limit=1024) is None


def test_of_more_than_100_entities_the_rest_is_dropped_without_a_word() -> None:
    marked = rules.read_text("<b>а</b> " * 101, "HTML", limit=4096, too_long="", needed=True)
    assert len(marked.entities) == 100


def test_an_unknown_parse_mode_is_refused() -> None:
    assert rules.check_text("а", "BBCode") == (400, "Bad Request: unsupported parse_mode")


def test_lone_surrogates_are_refused() -> None:
    assert rules.check_text("\ud83c", "") == (400, "Bad Request: strings must be encoded in UTF-8")


def test_an_html_error_carries_its_prefix_in_lower_case() -> None:
    words = 'Bad Request: can\'t parse entities: Unsupported start tag "p" at byte offset 0'
    assert rules.check_text("<p>а</p>") == (400, words)


@pytest.mark.parametrize(
    ("description", "words"),
    [
        ("Chat not found", "Bad Request: chat not found"),
        ("MESSAGE_TOO_LONG", "Bad Request: MESSAGE_TOO_LONG"),
        ("IMAGE_PROCESS_FAILED", "Bad Request: IMAGE_PROCESS_FAILED"),
    ],
)
def test_the_first_letter_falls_unless_a_raw_code_follows(description: str, words: str) -> None:
    assert rules.said(400, description) == words


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_the_usual_formats_pass_as_photos(kind: str) -> None:
    assert rules.check_photo(picture(kind=kind)) is None


@pytest.mark.parametrize(
    ("width", "height", "passes"),
    [(9999, 1, False), (5000, 5000, True), (5001, 5000, False), (2000, 100, True), (2001, 100, False)],
)
def test_a_photo_has_a_limit_on_its_sides_and_their_ratio(width: int, height: int, passes: bool) -> None:
    buffer = BytesIO()
    Image.new("1", (width, height)).save(buffer, "PNG")
    expected = None if passes else (400, "Bad Request: PHOTO_INVALID_DIMENSIONS")
    assert rules.check_photo(buffer.getvalue()) == expected


def test_a_photo_may_have_ten_mebibytes() -> None:
    body = picture()
    assert rules.check_photo(body.ljust(rules.PHOTO_BYTES, b"\0")) is None
    refused = rules.check_photo(body.ljust(rules.PHOTO_BYTES + 1, b"\0"))
    assert refused is not None
    assert "is too big for a photo; the maximum size is 10485760 bytes" in refused[1]


def test_what_is_no_picture_or_half_of_one_is_refused() -> None:
    assert rules.check_photo(b"") == (400, "Bad Request: file must be non-empty")
    assert rules.check_photo(b"<html>") == (400, "Bad Request: IMAGE_PROCESS_FAILED")
    assert rules.check_photo(picture()[:2000]) == (400, "Bad Request: IMAGE_PROCESS_FAILED")


@pytest.mark.parametrize(
    ("method", "params", "words"),
    [
        ("sendMessage", {"text": "x" * 4097}, "message is too long"),
        ("editMessageText", {"text": "x" * 4097}, "MESSAGE_TOO_LONG"),
        ("sendPhoto", {"photo": "id", "caption": "x" * 1025}, "message caption is too long"),
        ("editMessageCaption", {"caption": "x" * 1025}, "MEDIA_CAPTION_TOO_LONG"),
        ("sendPhoto", {"caption": "x"}, "there is no photo in the request"),
        ("sendMessage", {"text": "x", "link_preview_options": "[]"}, "can't parse link preview options JSON object"),
        (
            "sendMessage",
            {"text": "x", "reply_markup": '{"inline_keyboard":[[{"text":"а","callback_data":"%s"}]]}' % ("x" * 65)},
            "BUTTON_DATA_INVALID",
        ),
        (
            "sendMessage",
            {"text": "x", "reply_markup": '{"inline_keyboard":[[{"text":"а","web_app":{"url":"https://a.b"}}]]}'},
            "BUTTON_TYPE_INVALID",
        ),
    ],
)
def test_content_can_be_judged_without_any_http(method: str, params: dict[str, str], words: str) -> None:
    assert rules.refusal(method, params) == (400, f"Bad Request: {words}")


def test_good_content_passes_without_any_http() -> None:
    assert rules.refusal("sendMessage", {"text": "<b>Міст</b>", "parse_mode": "HTML"}) is None
    assert rules.refusal("sendPhoto", {"caption": ""}, picture()) is None
