"""The picture of an account: drawn from any account, with letters that come along."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files
from subprocess import run

import pytest
from PIL import Image, ImageChops, ImageFont

from bot.domain.figures import Counted, Stats, add_up
from bot.insights import chart
from bot.insights.chart import HEIGHT, WIDTH, draw
from bot.insights.sheet import Sheet
from tests.factories import KYIV, NOON
from tests.unit.domain.test_figures import a_post

DAY = timedelta(days=1)
PAPER = (238, 241, 245)


def an_account(posts: Sequence[Counted] = (), days: int = 7) -> Stats:
    return add_up(posts, {}, NOON - (days - 1) * DAY, NOON, KYIV)


def many(days: int, a_day: int, **changes) -> list[Counted]:
    return [
        a_post(number, published_at=NOON - timedelta(days=number % days, hours=number % 9), **changes)
        for number in range(days * a_day)
    ]


def picture(stats: Stats, title: str = "Тихоріччя") -> Image.Image:
    drawn = Image.open(io.BytesIO(draw(stats, title)))
    assert (drawn.format, drawn.size, drawn.mode) == ("PNG", (WIDTH, HEIGHT), "RGB")
    return drawn


def differs(one: Image.Image, other: Image.Image) -> tuple[int, int, int, int]:
    found = ImageChops.difference(one, other).getbbox()
    assert found is not None
    return found


ACCOUNTS = {
    "empty": an_account(),
    "one day": an_account(days=1),
    "one post": an_account([a_post(reactions=1)]),
    "a year of many": an_account(many(365, 30, reactions=50_000, clicks=3, views=9), days=365),
    "no reaction": an_account(many(7, 3)),
    "clicks alone": an_account(many(7, 3, clicks=8)),
    "huge": an_account(many(7, 1, reactions=10**15, clicks=10**15)),
    "cut": replace(an_account(many(7, 3)), cut=True),
}
TITLES = ["", "Тихоріччя", "ї" * 5000, "Щ" * 500, "рядок\nдругий\tтретій", "🔥👍🏽漢字\u202e\u0000", "<b>&amp;</b>"]


@pytest.mark.parametrize("stats", ACCOUNTS.values(), ids=ACCOUNTS)
def test_any_account_is_one_picture_of_one_size_with_clean_edges(stats: Stats):
    drawn = picture(stats)
    for edge in (
        (0, 0, WIDTH, 20),
        (0, 0, 20, HEIGHT),
        (WIDTH - 20, 0, WIDTH, HEIGHT),
        (0, HEIGHT - 20, WIDTH, HEIGHT),
    ):
        assert drawn.crop(edge).getcolors() == [((edge[2] - edge[0]) * (edge[3] - edge[1]), PAPER)]


@pytest.mark.parametrize("title", TITLES, ids=range(len(TITLES)))
def test_no_title_of_a_channel_or_a_post_leaves_its_room(title: str):
    posts = [a_post(number, title=title, reactions=7) for number in range(3)]
    drawn = picture(an_account(posts), title)
    left, _, right, bottom = differs(drawn, picture(an_account([replace(post, title="Міст") for post in posts])))
    assert left >= 32
    assert right <= WIDTH - 32
    assert bottom <= HEIGHT - 32


def test_the_same_account_is_the_same_picture_and_another_is_another():
    account = an_account(many(7, 2, reactions=3))
    assert draw(account, "Тихоріччя") == draw(account, "Тихоріччя")
    differs(picture(account), picture(an_account(many(7, 2, reactions=4))))


def test_the_letters_are_those_of_a_package_and_have_every_ukrainian_one():
    path = files("fontpkg_roboto") / "files" / "Roboto[wdth,wght].ttf"
    font = ImageFont.truetype(str(path), 32)
    missing = bytes(font.getmask("\U0010ffff"))
    letters = "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя"
    assert all(bytes(font.getmask(letter)) != missing for letter in letters + letters.upper() + "0123456789«»’—–…№,.:%")


def test_what_there_is_no_letter_for_is_left_out_and_nothing_else():
    sheet = Sheet(10, 10, "white")
    assert sheet._readable("🔥 Міст\n через\u00a0Тиху 👍🏽 відкрили ") == "Міст через Тиху відкрили"


def test_a_line_is_cut_with_an_ellipsis_where_its_room_ends():
    from bot.insights.sheet import _cut

    font = Sheet(10, 10, "white")._font(30, False)
    words = _cut("У Тихоріччі відкрили пішохідний міст через Тиху", font, 300)
    assert words.endswith("…")
    assert 200 < font.getlength(words) <= 300
    assert _cut("Міст", font, 300) == "Міст"


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (None, "—"),
        (0, "0"),
        (999, "999"),
        (12_345, "12\u00a0345"),
        (123_456, "123 тис."),
        (1_200_000, "1,2 млн"),
        (1_000_000, "1 млн"),
        (999_999, "1 млн"),
        (2_150_000_000, "2,1 млрд"),
    ],
)
def test_numbers_are_written_as_in_ukrainian(count: int | None, words: str):
    assert chart._number(count) == words


@pytest.mark.parametrize(
    ("count", "form"), [(1, "допис"), (2, "дописи"), (5, "дописів"), (11, "дописів"), (21, "допис"), (112, "дописів")]
)
def test_a_noun_agrees_with_its_number(count: int, form: str):
    assert chart._counted(count, "допис", "дописи", "дописів") == form


def test_the_time_of_an_account_is_written_in_words():
    assert chart._span(an_account(days=1)) == "1 червня 2026"
    assert chart._span(an_account(days=3)) == "30 травня – 1 червня 2026"
    assert chart._span(an_account(days=200)) == "14 листопада 2025 – 1 червня 2026"


@pytest.mark.parametrize("most", [1, 4, 5, 9, 10, 47, 99, 100, 12_345, 10**15])
def test_a_scale_has_round_marks_and_not_too_many(most: int):
    step = chart._step(most, marks=3)
    assert str(step).rstrip("0") in ("1", "2", "5")
    assert 1 <= most // step <= 3


def test_a_long_time_is_drawn_by_weeks_and_loses_no_post():
    account = an_account(many(200, 2), days=200)
    bars, _ = chart._bars(account.days)
    assert len(bars) == 29
    assert sum(bar.posts for bar in bars) == account.posts


def test_the_room_is_opened_without_the_library_of_pictures():
    asked = "import sys, bot.insights.refresh; print('PIL' in sys.modules)"
    told = run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"
