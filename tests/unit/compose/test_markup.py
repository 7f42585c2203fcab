"""Cleaning, escaping, measuring and cutting, as Telegram does them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.compose import markup
from bot.domain.channel import Platform

TELEGRAM, FACEBOOK = Platform.TELEGRAM, Platform.FACEBOOK


@given(st.text())
def test_escaped_text_reads_as_it_was(text: str) -> None:
    assert markup.plain(markup.escape(text), TELEGRAM) == text.strip()
    assert markup.fault(f"<b>{markup.escape(text)}</b>.", TELEGRAM, 10_000) is None


def test_length_is_in_code_points_after_the_markup_is_read() -> None:
    found = markup.measure('<b>🇺🇦 &amp; &lt;так&gt;</b> <a href="https://a.b/?x=1&amp;y=2">й</a>\n', TELEGRAM)
    assert found.length == len("🇺🇦 & <так> й")
    assert found.entities == 2


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("<b>так", "<b> is not closed"),
        ("<b>так</i>", "</i> closes nothing"),
        ("<p>так</p>", "tag <p> is not allowed"),
        ("1 < 2", "a bare '<'"),
        ("<b>\u200b</b>", "the text is empty"),
        ("я" * 101, "101 characters, at most 100"),
        ("<b>я</b>" * 100 + "<i></i>", "101 formatted parts"),
        (f'<a href="https://a.b/{"ї" * 17_000}">я</a>', "bytes"),
    ],
)
def test_what_telegram_refuses_is_named(text: str, rule: str) -> None:
    assert rule in (markup.fault(text, TELEGRAM, 100) or "")


def test_what_telegram_makes_entities_of_by_itself_is_counted_outside_links() -> None:
    text = "#тег @канал https://a.b/c example.com 1.1.1.1 /start $UAH"
    assert markup.measure(text, TELEGRAM).entities == 7
    assert markup.measure(f'<a href="https://a.b">{text}</a>', TELEGRAM).entities == 1
    assert markup.measure("Так. Ні, 2.5 % і 14.05, а/б", TELEGRAM).entities == 0


def test_addresses_are_found_in_anchors_and_on_facebook_in_the_text() -> None:
    assert markup.links('<a href="https://a.b/?x=1&amp;y=2">я</a>', TELEGRAM) == ["https://a.b/?x=1&y=2"]
    assert markup.links("Так: https://a.b/c\nі http://d.e", FACEBOOK) == ["https://a.b/c", "http://d.e"]


@pytest.mark.parametrize(
    ("text", "most", "cut"),
    [
        ("одне слово", 10, "одне слово"),
        ("одне слово", 9, "одне…"),
        ("одне, слово", 9, "одне…"),
        ("одне слово", 5, "одне…"),
        ("слово", 3, "сл…"),
        ("кра́са", 4, "кр…"),
        ("👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 9, "👩‍👩‍👧‍👦…"),
        ("🇺🇦🇺🇦🇺🇦", 4, "🇺🇦…"),
        ("👍🏽👍🏽", 3, "👍🏽…"),
        ("слово", 1, ""),
        ("слово", 0, ""),
    ],
)
def test_text_is_cut_at_a_word_end_and_never_inside_a_visible_character(text: str, most: int, cut: str) -> None:
    assert markup.cut(text, most) == cut


@given(st.text(), st.integers(0, 60))
def test_cut_text_is_never_longer_than_asked(text: str, most: int) -> None:
    assert len(markup.cut(text, most)) <= most or text == ""


def test_what_no_reader_sees_is_cleaned_away() -> None:
    assert markup.clean("а\r\nб\u2028в\u202eг\x00ґ\ud800д\tе") == "а\nб\nвг ґ д е"
    assert markup.clean("и\u0306") == "й"
    assert markup.one_line(" а \n\t б ") == "а б"
    assert markup.one_line("\u200b \ufe0f") == ""


def test_a_rendered_template_has_at_most_one_blank_line_between_parts() -> None:
    assert markup.tidy("\n а \n\n \n\t\nб\nв\n\n") == "а\n\nб\nв"
