"""Merging what several sources say, and what counts as a change."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.domain.article import Article, Priority, Teaser, fingerprint, from_json, merged, to_json

URL = "https://news.example/bridge"
FULL = Article(
    url=URL,
    title="Міст відкрито",
    lead="Рух відновили зранку.",
    tags=("міст", "дорога"),
    published_at=datetime(2026, 6, 1, 9, 0, tzinfo=UTC),
    priority=Priority.BREAKING,
    retracted=False,
    teasers=(Teaser(rubric="Місто", credit="Фото: ДСНС", text="Інше", day="01.06"),),
)


def test_an_article_survives_the_store():
    assert from_json(to_json(FULL)) == FULL


def test_the_more_authoritative_source_wins_field_by_field_and_an_empty_value_never_wins():
    site = Article(url=URL, title="Міст відкрито", lead="")
    push = Article(url=URL, title="Інша назва", lead="Лід від редакції", photo_credit="Фото: ДСНС")
    whole = merged([site, push])
    assert (whole.title, whole.lead, whole.photo_credit) == ("Міст відкрито", "Лід від редакції", "Фото: ДСНС")


def test_an_explicit_false_is_a_statement_and_wins():
    assert merged([replace(FULL, retracted=False), replace(FULL, retracted=True)]).retracted is False


def test_a_new_time_of_change_alone_is_no_new_revision():
    assert fingerprint(FULL) == fingerprint(replace(FULL, updated_at=datetime(2026, 6, 2, tzinfo=UTC)))


def test_a_changed_headline_is_a_new_revision():
    assert fingerprint(FULL) != fingerprint(replace(FULL, title="Міст закрито"))


def test_a_time_without_an_offset_is_refused():
    with pytest.raises(ValueError, match="published_at has no offset"):
        replace(FULL, published_at=datetime(2026, 6, 1, 9, 0))  # noqa: DTZ001 - that is the point
