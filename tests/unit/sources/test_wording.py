"""Credits, authors and calls to action are told from prose."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.sources.wording import author_in, credit_in, is_call, is_credit

LABELLED = Path(__file__).parents[1] / "compose" / "credits.jsonl"


def test_labelled_credit_lines_are_told_from_prose() -> None:
    rows = [json.loads(line) for line in LABELLED.read_text(encoding="utf-8").splitlines()]
    wrong = [row["line"] for row in rows if (credit_in(row["line"]) is not None) is not bool(row.get("kind"))]
    assert wrong == []


@pytest.mark.parametrize(
    ("caption", "credit"),
    [
        ("Рятувальники на місці. Фото: ДСНС", "Фото: ДСНС"),
        ("Рятувальники на місці / Фото ДСНС", "Фото ДСНС"),
        ("Рятувальники на місці (фото: ДСНС)", "фото: ДСНС"),
        ("Фото: ДСНС", "Фото: ДСНС"),
        ("Людина тримає фото сина", None),
        ("На фото: міст", None),
        ("", None),
    ],
)
def test_a_credit_is_found_inside_a_caption(caption: str, credit: str | None) -> None:
    assert credit_in(caption) == credit


@pytest.mark.parametrize(
    "line",
    [
        "Фото з місця події опублікувала поліція.",
        "Відео потрапило у мережу",
        "Фото: як минув перший день свята",
        "Колаж, який облетів мережу, створили у Києві.",
        "Фото: ДСНС\nФото: ДСНС",
    ],
)
def test_prose_about_pictures_is_no_credit(line: str) -> None:
    assert not is_credit(line)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Автор: Марко Зразок", "Марко Зразок"),
        ("Авторка – Ганна Взірець", "Ганна Взірець"),
        ("Автори: Марко Зразок, Ганна Взірець", "Марко Зразок, Ганна Взірець"),
        ("Підготувала: Ганна Взірець.", "Ганна Взірець"),
        ("Автор", None),
        ("Автор роману: ким він був і чому про нього знов говорять усі у місті та області", None),
        ("Автор книги розповів про неї", None),
    ],
)
def test_the_author_is_read_from_a_line_of_its_own(line: str, name: str | None) -> None:
    assert author_in(line) == name


@pytest.mark.parametrize(
    "paragraph",
    [
        "Підписуйтесь на наш Telegram",
        "Підписуйтесь на сторінку «Прикладу» у Facebook",
        "Підпишіться на наш Viber-канал",
        "Читайте нас у Telegram: t.me/example",
        "Долучайтесь до нашої спільноти у Facebook!",
        "Приєднуйтеся до нас в Instagram",
        "Стежте за новинами в нашому телеграм-каналі",
        "👉 Підписуйтесь на канал",
        "Читайте також: Міст відкрито",
        "Дивіться також: Міст відкрито",
        "Більше новин — у нашому телеграм-каналі",
    ],
)
def test_a_pages_own_call_is_known(paragraph: str) -> None:
    assert is_call(paragraph)


@pytest.mark.parametrize(
    "paragraph",
    [
        "Підписуйтесь",
        "Слідкуйте за станом здоров'я та вчасно звертайтеся до лікаря.",
        "«Підписуйтесь на наш канал», – так шахраї починали розмову.",
        "Підписувати угоду на каналі ніхто не планує.",
        "Долучайтесь до толоки в суботу, радять у мерії.",
        "Читайте " + "довгий абзац про наш канал " * 20,
    ],
)
def test_prose_is_no_call(paragraph: str) -> None:
    assert not is_call(paragraph)
