"""The text of a printed page is taken apart without losing or inventing anything."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.article import Teaser
from bot.errors import SourceError
from bot.sources.printed import decoded, read_printed

KYIV = ZoneInfo("Europe/Kyiv")
PAGE = """Міст через Стир відкрили на рік раніше

Рух новим мостом відновили у середу зранку. Першими проїхали рятувальники.

Фото: ДСНС
Фото: ДСНС

Будівельники працювали у дві зміни, розповів керівник робіт.

Що далі

Наступного року відремонтують підходи до мосту.

Підписуйтесь на сторінку «Прикладу» у Facebook

Автор: Марко Зразок
Місто
Фото з відкритих джерел

У парку висадили триста дерев.

17.12
Подробиці
Скриншот з відео

Водій утік, але недалеко.
Його знайшли за годину.

16.12
Місто
Трамвай повернувся на стару колію

Ремонт тривав два роки.

15.12
показати більше"""
BODY = (
    "Будівельники працювали у дві зміни, розповів керівник робіт.\n\nЩо далі\n\n"
    "Наступного року відремонтують підходи до мосту."
)
TEASERS = (
    Teaser(rubric="Місто", credit="Фото з відкритих джерел", text="У парку висадили триста дерев.", day="17.12"),
    Teaser(
        rubric="Подробиці",
        credit="Скриншот з відео",
        text="Водій утік, але недалеко. Його знайшли за годину.",
        day="16.12",
    ),
    Teaser(rubric="Місто", title="Трамвай повернувся на стару колію", text="Ремонт тривав два роки.", day="15.12"),
)


def test_a_whole_page_gives_each_of_its_parts() -> None:
    article = read_printed(PAGE, "")
    assert article.title == "Міст через Стир відкрили на рік раніше"
    assert article.lead == "Рух новим мостом відновили у середу зранку. Першими проїхали рятувальники."
    assert article.photo_credit == "Фото: ДСНС"
    assert article.body == BODY
    assert article.author == "Марко Зразок"
    assert article.teasers == TEASERS
    assert (article.rubric, article.link, article.published_at) == ("", None, None)


def test_the_seed_gives_its_twenty_eight_teasers(seeds: Path) -> None:
    article = read_printed(decoded(next(seeds.glob("000_*.txt")).read_bytes()), "")
    assert article.photo_credit == "Фото: news.usni.org"
    assert len(article.teasers) == 28
    assert all(teaser.rubric and teaser.text and teaser.day for teaser in article.teasers)
    assert [teaser.title is None for teaser in article.teasers].count(False) == 1
    assert all((teaser.credit is None) is not (teaser.title is None) for teaser in article.teasers)
    assert {teaser.day for teaser in article.teasers} == {"17.12", "16.12", "15.12"}
    assert article.teasers[0].text not in article.body
    assert "Підписуйтесь" not in article.body
    assert "Автор" not in article.body
    assert article.lead not in article.body
    assert article.author


def test_head_lines_give_address_and_time() -> None:
    for head in (
        "URL: https://news.example/a\nDate: 31.01.2024 19:00\n\n",
        "date:2024-01-31T19:00:00+02:00\nurl: https://news.example/a\n",
    ):
        article = read_printed(head + PAGE, "", zone=KYIV)
        assert article.url == "https://news.example/a"
        assert article.published_at == datetime(2024, 1, 31, 17, tzinfo=UTC)
        assert article.title == "Міст через Стир відкрили на рік раніше"


def test_what_the_operator_says_wins_over_head_lines() -> None:
    at = datetime(2024, 2, 1, tzinfo=UTC)
    article = read_printed(
        "URL: https://a.example/\nDate: 31.01.2024 19:00\n" + PAGE, "", url="https://b.example/", published_at=at
    )
    assert (article.url, article.published_at) == ("https://b.example/", at)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "title: is missing or empty"),
        ("URL: https://news.example/a\n", "title: is missing or empty"),
        ("Date: вчора\nЗаголовок", "Date: write it like 2024-01-31T19:00:00+02:00, got 'вчора'"),
        ("URL: news.example\nЗаголовок", "url: not an http or https address: 'news.example'"),
    ],
)
def test_a_page_that_is_none_is_refused_in_one_line(text: str, why: str) -> None:
    with pytest.raises(SourceError) as caught:
        read_printed(text, "a.txt", zone=KYIV)
    assert str(caught.value) == f"a.txt: {why}"


def test_only_a_headline_is_an_article() -> None:
    article = read_printed("Міст відкрито", "")
    assert (article.title, article.lead, article.body, article.teasers) == ("Міст відкрито", "", "", ())


def test_without_a_credit_the_first_paragraph_is_still_the_lead() -> None:
    article = read_printed("Міст відкрито\n\nРух відновили зранку.\n\nДалі буде ремонт.", "")
    assert (article.lead, article.body, article.photo_credit) == ("Рух відновили зранку.", "Далі буде ремонт.", "")


def test_a_single_paragraph_is_body_not_lead() -> None:
    article = read_printed("Міст відкрито\n\nРух відновили зранку.", "")
    assert (article.lead, article.body) == ("", "Рух відновили зранку.")


def test_right_below_a_photo_the_body_begins() -> None:
    article = read_printed("Міст відкрито\n\nФото: ДСНС\n\nРух відновили зранку.\n\nДалі буде ремонт.", "")
    assert (article.lead, article.body) == ("", "Рух відновили зранку.\n\nДалі буде ремонт.")
    assert article.photo_credit == "Фото: ДСНС"


def test_the_first_credit_counts_and_none_stays_in_the_body() -> None:
    text = "Міст\n\nРух відновили.\n\nМіст уранці / Фото: ДСНС\n\nАбзац перший.\n\nФото: поліція\n\nАбзац другий."
    article = read_printed(text, "")
    assert (article.photo_credit, article.body) == ("Фото: ДСНС", "Абзац перший.\n\nАбзац другий.")


def test_a_date_in_the_body_makes_no_teaser() -> None:
    text = "Графік відключень\n\nСвітла не буде двічі.\n\nПерша черга\nСихів\n\n17.12\n\nДалі графік оновлять."
    article = read_printed(text, "")
    assert article.teasers == ()
    assert article.body.endswith("Перша черга\nСихів\n\n17.12\n\nДалі графік оновлять.")


def test_a_lone_date_at_the_end_makes_no_teaser() -> None:
    article = read_printed(
        "Графік відключень\n\nСвітла не буде двічі.\n\nСихів\nФото: ЦНС\n\nДалі графік оновлять.\n\n17.12", ""
    )
    assert article.teasers == ()
    assert article.body.endswith("17.12")


@pytest.mark.parametrize("closing", ["Автор: Марко Зразок\n", "Читайте нас у Telegram\n\n", ""])
@pytest.mark.parametrize("ending", ["показати більше", "Показати ще\n", ""])
def test_teasers_are_cut_off_whatever_stands_around_them(closing: str, ending: str) -> None:
    teasers = PAGE.partition("Автор: Марко Зразок\n")[2].removesuffix("показати більше")
    text = f"Міст відкрито\n\nРух відновили зранку.\n\nДалі буде ремонт.\n\n{closing}{teasers}{ending}"
    article = read_printed(text, "")
    assert article.teasers == TEASERS
    assert article.body == "Далі буде ремонт."


def test_a_first_teaser_with_a_headline_is_found_without_an_author_line() -> None:
    teasers = "Місто\nТрамвай повернувся\n\nРемонт тривав.\n\n17.12\nМісто\nФото: ДСНС\n\nДерева висадили.\n\n16.12\n"
    article = read_printed(f"Міст відкрито\n\nРух відновили зранку.\n\nДалі буде ремонт.\n\n{teasers}", "")
    assert [teaser.title for teaser in article.teasers] == ["Трамвай повернувся", None]
    assert article.body == "Далі буде ремонт."


def test_blank_lines_between_the_parts_of_a_teaser_do_no_harm() -> None:
    spread = PAGE.replace("Місто\nФото з", "Місто\n\nФото з").replace("Подробиці\nСкр", "Подробиці\n\nСкр")
    assert read_printed(spread, "").teasers == TEASERS


@given(st.lists(st.sampled_from([*PAGE.split("\n"), "", "URL: x", "17.12", "Фото: ДСНС", "Абзац."]), max_size=30))
def test_lines_in_any_order_are_a_page_or_one_clear_refusal(lines: list[str]) -> None:
    try:
        article = read_printed("\n".join(lines), "")
    except SourceError:
        return
    assert article.title
    assert all(teaser.day for teaser in article.teasers)
    assert "Підписуйтесь" not in article.body + article.lead


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1251"])
def test_files_of_every_usual_encoding_are_read(encoding: str) -> None:
    raw = PAGE.replace("\n", "\r\n").encode(encoding)
    assert read_printed(decoded(raw), "") == read_printed(PAGE, "")


@pytest.mark.parametrize("raw", [b"\x89PNG\r\n\x1a\n\0\0\0", b"\xff\xfe\x00"])
def test_bytes_that_are_no_text_are_refused(raw: bytes) -> None:
    with pytest.raises(SourceError, match="not a text"):
        decoded(raw)
