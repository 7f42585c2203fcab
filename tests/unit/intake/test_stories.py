"""Two articles are one story only where hardly a word differs and no number does."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.intake.stories import same_story, traces
from tests.factories import an_article

WORDS = (
    "У громаді відкрили оновлений міст через річку після трьох місяців ремонту, повідомили в міській раді. "
    "Роботи виконали коштом громади, рух тролейбусів відновили того ж ранку за новим розкладом. "
    "Пішохідну частину розширили, на опорах з'явилося нове освітлення."
)
STORY = an_article(title="Міст відкрили", lead=WORDS, body="")


def test_the_same_words_under_another_headline_and_address_are_one_story():
    again = an_article(title="Оновлений міст запрацював", lead=WORDS, body="")
    assert same_story(STORY, again)
    assert set(traces(STORY)) & set(traces(again))


def test_a_story_with_a_sentence_added_is_the_same_story():
    longer = replace(STORY, lead=WORDS + " Наступного тижня почнуть ремонт сусідньої вулиці, додали в раді.")
    assert same_story(STORY, longer)
    assert set(traces(STORY)) & set(traces(longer))


@pytest.mark.parametrize("title", ["Міст відкрили: 12 тролейбусів", "Міст-2 відкрили"])
def test_a_number_that_differs_makes_another_story(title):
    assert not same_story(STORY, replace(STORY, title=title))


def test_other_words_are_another_story():
    other = "Рятувальники загасили пожежу на складі будматеріалів за околицею, обійшлося без постраждалих. " * 2
    assert not same_story(STORY, an_article(title="Пожежа", lead=other, body=""))


def test_short_texts_say_too_little_to_be_called_one_story():
    short = an_article(title="Оголосили тривогу", lead="У громаді оголосили повітряну тривогу.", body="")
    assert not same_story(short, replace(short, title="Знову тривога"))
    assert traces(short) == []


@given(st.text(max_size=600))
def test_any_text_can_be_traced_and_a_traced_story_is_its_own_twin(text):
    article = an_article(lead=text, body="")
    if traces(article):
        assert same_story(article, article)
