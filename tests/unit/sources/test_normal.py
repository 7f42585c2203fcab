"""What is let in at the door, what is refused there, and how it is told."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.article import Priority
from bot.errors import SourceError
from bot.sources.normal import MAX_BODY, MAX_LINE, FieldError, article_from, clean_line, clean_text

WHOLE: dict[str, Any] = {
    "url": "https://News.example/a?utm_source=x",
    "title": "Міст відкрито",
    "lead": "Рух відновили зранку.",
    "body": "<p>Рух відновили.</p>",
    "author": "Марко Зразок",
    "rubric": "Місто",
    "tags": ["міст", " міст ", "дорога", ""],
    "photo_url": "https://news.example/міст.jpg",
    "photo_credit": "Фото: ДСНС",
    "photo_alt": "Міст",
    "published_at": "2024-01-31T19:00:00+02:00",
    "updated_at": "2024-01-31T17:30:00Z",
    "priority": "breaking",
    "retracted": False,
}


def test_every_field_of_the_contract_is_read() -> None:
    article = article_from(WHOLE, "")
    assert article.url == "https://news.example/a"
    assert article.photo_url == "https://news.example/%D0%BC%D1%96%D1%81%D1%82.jpg"
    assert article.tags == ("міст", "дорога")
    assert article.published_at == datetime(2024, 1, 31, 17, tzinfo=UTC)
    assert article.updated_at == datetime(2024, 1, 31, 17, 30, tzinfo=UTC)
    assert article.priority is Priority.BREAKING
    assert article.retracted is False
    for name in ("title", "lead", "body", "author", "rubric", "photo_credit", "photo_alt"):
        assert getattr(article, name) == WHOLE[name]


def test_only_a_title_is_needed_and_null_means_not_stated() -> None:
    article = article_from({"title": "Міст", **dict.fromkeys(set(WHOLE) - {"title"})}, "")
    assert article.url.startswith("urn:sha256:")
    assert article.link is None
    assert (article.lead, article.tags, article.published_at, article.priority, article.retracted) == (
        "",
        (),
        None,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("title", None, "is missing or empty"),
        ("title", " \n\u200b ", "is missing or empty"),
        ("title", 5, "must be text, got a number"),
        ("title", "а" * (MAX_LINE + 1), "is longer than 1,000 characters"),
        ("lead", ["x"], "must be text, got a list"),
        ("body", {}, "must be text, got an object"),
        ("body", "я" * (MAX_BODY // 2 + 1), "is larger than 1,048,576 bytes"),
        ("url", "news.example/a", "not an http or https address: 'news.example/a'"),
        ("url", True, "must be text, got true or false"),
        ("tags", "a, b", "must be a list of texts, got text"),
        ("tags", ["a", 1], "must be a list of texts, holds a number"),
        ("tags", ["a" * 201], "a tag is longer than 200 characters"),
        ("tags", [str(number) for number in range(101)], "more than 100"),
        ("photo_url", "/a.jpg", "not an http or https address: '/a.jpg'"),
        ("photo_url", "file:///etc/passwd", "not an http or https address: 'file:///etc/passwd'"),
        ("photo_url", "urn:sha256:" + "0" * 64, "must be an http or https address"),
        (
            "published_at",
            "2024-01-31T19:00:00",
            "has no offset: '2024-01-31T19:00:00'; write it like 2024-01-31T19:00:00+02:00",
        ),
        ("published_at", "2024-01-31", "has no offset: '2024-01-31'; write it like 2024-01-31T19:00:00+02:00"),
        ("published_at", "вчора", "must be ISO 8601 with an offset, got 'вчора'"),
        ("published_at", 1706720400, "must be a time as text, got a number"),
        ("updated_at", "0001-01-01T00:00:00+14:00", "a time that cannot be meant: '0001-01-01T00:00:00+14:00'"),
        ("updated_at", datetime(2024, 1, 31), "has no offset: 2024-01-31T00:00:00"),  # noqa: DTZ001 - what is refused
        ("priority", "urgent", "must be one of normal, breaking, got 'urgent'"),
        ("priority", ["breaking"], "must be one of normal, breaking, got a list"),
        ("retracted", "yes", "must be true or false, got text"),
        ("retracted", 1, "must be true or false, got a number"),
        ("teasers", [], f"not a field; known are {', '.join(WHOLE)}"),
    ],
)
def test_a_wrong_field_is_named_with_what_is_allowed(field: str, value: Any, why: str) -> None:
    with pytest.raises(FieldError) as caught:
        article_from({**WHOLE, field: value}, "articles[3]")
    assert str(caught.value) == f"articles[3]: {field}: {why}"
    assert (caught.value.where, caught.value.field, caught.value.why) == ("articles[3]", field, why)


def test_a_naive_time_is_taken_in_the_zone_that_is_given() -> None:
    naive = datetime(2024, 7, 1, 12)  # noqa: DTZ001 - as databases give it
    article = article_from({"title": "x", "published_at": naive}, "", zone=ZoneInfo("Europe/Kyiv"))
    assert article.published_at == datetime(2024, 7, 1, 9, tzinfo=UTC)


def test_a_file_as_photo_is_only_for_who_checked_it() -> None:
    given_photo = {"title": "x", "photo_url": "file:///srv/articles/a.jpg"}
    assert article_from(given_photo, "", file_photo=True).photo_url == "file:///srv/articles/a.jpg"


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("e\u0301", "é"),
        ("а\r\nб\rв\u2028г", "а\nб\nв\nг"),
        ("а\tб", "а б"),
        ("а\x00б\x07\x9f\ufeff\ud800\u202eв", "абв"),
        ("пере\u00adнос", "перенос"),
        ("  а  \n\n\n\n б", "а\n\n б"),
        ("👩\u200d🚀", "👩\u200d🚀"),
    ],
)
def test_text_is_made_regular(raw: str, clean: str) -> None:
    assert clean_text(raw) == clean


def test_a_line_has_no_line_ends_and_no_runs_of_spaces() -> None:
    assert clean_line(" Міст \n відкрито   знову\u00a0 5\u00a0млн ") == "Міст відкрито знову 5\u00a0млн"


@given(st.text(alphabet=st.characters(exclude_categories=[]), max_size=200))
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    for clean in (clean_text, clean_line):
        once = clean(text)
        assert clean(once) == once
        assert unicodedata.is_normalized("NFC", once)
        assert all(character == "\n" or unicodedata.category(character) not in ("Cc", "Cs") for character in once)
        once.encode()
    assert "\n" not in clean_line(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(list(WHOLE)) | st.text(max_size=5), JSON, max_size=6))
def test_whatever_is_sent_is_an_article_or_one_clear_line(sent: dict[str, Any]) -> None:
    told = ""
    try:
        article_from(sent, "articles[0]")
    except SourceError as error:
        told = str(error)
    assert "\n" not in told
    assert told == "" or told.startswith("articles[0]: ")
