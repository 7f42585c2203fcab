"""The credit parser against the labelled table, the seed's own lines, and lines made from a grammar of the forms."""

from __future__ import annotations

import json
import os
import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.compose import credit
from bot.domain.post import Credit, CreditKind

_FILES = (Path(__file__).with_name("credits.jsonl"), Path(__file__).with_name("credits_rare.jsonl"))
_TABLE = [json.loads(line) for file in _FILES for line in file.read_text("utf-8").splitlines()]
_CREDITS = [row for row in _TABLE if row["kind"]]
_OTHERS = [row["line"] for row in _TABLE if not row["kind"]]
_SEEDS = Path(__file__).parents[4] / "shared" / "seeds"


@pytest.mark.parametrize("row", _CREDITS, ids=lambda row: row["line"])
def test_a_printed_credit_is_read_to_kind_source_and_illustrative(row: dict[str, Any]) -> None:
    assert credit.parse(row["line"]) == Credit(
        kind=CreditKind(row["kind"]),
        source=row["source"],
        illustrative=row["illustrative"],
        from_video=row.get("from_video", False),
    )


@pytest.mark.parametrize("line", _OTHERS)
def test_what_is_no_credit_is_not_taken_for_one(line: str) -> None:
    assert credit.parse(line) is None


def test_the_table_is_as_long_as_it_should_be() -> None:
    assert len(_CREDITS) >= 150
    assert len(_OTHERS) >= 100


@pytest.mark.parametrize("row", _CREDITS, ids=lambda row: row["line"])
def test_the_house_form_is_read_as_the_same_credit(row: dict[str, Any]) -> None:
    found = credit.parse(row["line"])
    assert found is not None
    assert credit.parse(credit.house(found)) == found


@pytest.mark.parametrize(
    ("printed", "house"),
    [
        ("Фото ДПСУ", "Фото: ДПСУ"),
        ("скрин з відео СБУ", "Скриншот з відео СБУ"),
        ("Скриншот з відео", "Скриншот з відео"),
        ("Фото ілюстративне, з відкритих джерел", "Фото ілюстративне: з відкритих джерел"),
        ("Ілюстративне фото / president.gov.ua", "Фото ілюстративне: president.gov.ua"),
        ("Фото из открытых источников", "Фото: з відкритих джерел"),
        ("Фото надав співрозмовник", "Фото надав співрозмовник"),
        ("Фото авторки", "Фото авторки"),
        ("Інфографіка Укрінформу", "Інфографіка: Укрінформ"),
        ("Фото Національної поліції", "Фото: Національна поліція"),
        ("Фото Марка Зразка", "Фото Марка Зразка"),
        ("Стоп-кадр: ДСНС", "Кадр з відео ДСНС"),
        ("Кадр із фільму «Приклад»", "Кадр із фільму «Приклад»"),
        ("Скриншот: example.com", "Скриншот: example.com"),
        ("Скриншот СБУ", "Скриншот: СБУ"),
        ("Скриншот: відео СБУ", "Скриншот з відео СБУ"),
        ("Скрин із відео example.com", "Скриншот з відео: example.com"),
        ("Скриншот із сайту example.com", "Скриншот із сайту example.com"),
        ("Фото: міська рада", "Фото: міська рада"),
        ("Колаж «Прикладу»", "Колаж: «Прикладу»"),
        ("Міст (Фото: AP)", "Фото: AP"),
        ("Фото: рятувальники на місці (ДСНС)", "Фото: ДСНС"),
    ],
)
def test_every_form_is_set_again_in_the_house_form(printed: str, house: str) -> None:
    found = credit.parse(printed)
    assert found is not None
    assert credit.house(found) == house


def test_a_line_printed_twice_counts_once() -> None:
    assert credit.find(["Текст.", "Фото: ДСНС", "Фото: ДСНС"]) == Credit(kind=CreditKind.PHOTO, source="ДСНС")


@pytest.mark.parametrize(
    ("field", "source"),
    [
        ("ДСНС", "ДСНС"),
        ("Марко Зразок / УНІАН", "Марко Зразок / УНІАН"),
        ("Фото: ДСНС; Фото: СБУ", "ДСНС, СБУ"),
        ("Фото: ДСНС; Київ", "ДСНС"),
    ],
)
def test_a_field_for_the_credit_may_hold_a_bare_name(field: str, source: str) -> None:
    assert credit.stated(field) == Credit(kind=CreditKind.PHOTO, source=source)


@pytest.mark.parametrize("field", ["", "  ", "фото", "\n"])
def test_a_field_that_says_nothing_is_no_credit(field: str) -> None:
    assert credit.stated(field) is None


_HEADS = {
    "Фото": CreditKind.PHOTO,
    "ФОТО": CreditKind.PHOTO,
    "Світлина": CreditKind.PHOTO,
    "Скриншот з відео": CreditKind.SCREENSHOT,
    "Скріншот із відео": CreditKind.SCREENSHOT,
    "Кадр з відео": CreditKind.VIDEO,
    "Колаж": CreditKind.COLLAGE,
    "Ілюстрація": CreditKind.ILLUSTRATION,
    "Інфографіка": CreditKind.INFOGRAPHIC,
}
_SOURCES = [
    "ДСНС",
    "УНІАН",
    "Getty Images",
    "example.com.ua",
    "Марко Зразок",
    "Донецька ОВА",
    "AFP/East News",
    "М. Зразок",
]
_MARKS = [": ", ":", " : ", " / ", "/", " | ", " – ", " — ", " - ", ": © "]
_WRAPS = [
    "{}",
    "({})",
    "[{}]",
    "{}.",
    " {} ",
    "Міст уночі ({})",
    "Міст уночі / {}",
    "Міст уночі. {}",
    "Міст уночі | {}",
]


def test_every_combination_of_the_forms_is_read() -> None:
    wrong = [
        (line, found)
        for head, mark, source, wrap in product(_HEADS, _MARKS, _SOURCES, _WRAPS)
        if (found := credit.parse(line := wrap.format(f"{head}{mark}{source}")))
        != Credit(kind=_HEADS[head], source=source, from_video=head.startswith("Скр"))
    ]
    assert wrong == []


@given(st.text(max_size=120))
def test_any_text_is_read_without_an_error_and_its_house_form_is_stable(text: str) -> None:
    for line in (text, f"Фото: {text}", f"Скриншот {text}", f"({text})"):
        found = credit.parse(line)
        if found:
            again = credit.parse(credit.house(found))
            assert again is None or credit.house(again) == credit.house(found)


def _seed_lines() -> list[str]:
    files = sorted(_SEEDS.glob("*.txt")) if _SEEDS.is_dir() else []
    return [line.strip() for file in files for line in file.read_text("utf-8").splitlines()]


def test_the_seed_gives_its_credits() -> None:
    lines = _seed_lines()
    if not lines:
        if os.environ.get("CI") == "true":
            pytest.fail("../shared/seeds is not there")
        pytest.skip("../shared/seeds is not there")
    printed = [line for line in lines if re.match(r"(?:Фото|Скриншот|Кадр|Колаж|Ілюстрація|Інфографіка)\b", line)]
    found = [credit.parse(line) for line in printed]
    assert None not in found
    assert len(printed) == 29, "the article's own line twice and 27 of the 28 teasers; one has a headline instead"
    read = {line: (c.kind.value, c.source, c.illustrative) for line, c in zip(printed, found, strict=True) if c}
    assert read["Фото hu.wikipedia.org/wiki/VAZ–2101"] == ("photo", "hu.wikipedia.org/wiki/VAZ–2101", False)
    assert read["Фото ілюстративне, з відкритих джерел"] == ("photo", "з відкритих джерел", True)
    assert read["Фото ілюстративне: president.gov.ua"] == ("photo", "president.gov.ua", True)
    assert read["Скриншот з відео"] == ("screenshot", "", False)
    assert read["Скриншот з відео СБУ"] == ("screenshot", "СБУ", False)
    assert read["Фото надав співрозмовник"] == ("photo", "надав співрозмовник", False)
    assert read["Фото: т-к Захарова"] == ("photo", "т-к Захарова", False)
    assert not any(credit.parse(line) for line in set(lines) - set(printed))
