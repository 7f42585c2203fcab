"""Words that age: a table of forms, and dates across midnight, New Year and both nights when the clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from bot.compose import aging
from bot.domain.channel import Approval, Platform
from tests.unit.compose.samples import KYIV, NOON, a_channel, an_article, composer

_WRITTEN = date(2025, 5, 14)  # a Wednesday
_NEXT_DAY, _NEXT_WEEK, _NEXT_MONTH = date(2025, 5, 15), date(2025, 5, 19), date(2025, 6, 2)
_NEXT_YEAR = date(2026, 1, 1)

# What stands in a text, and the words of it that hold for a day only.
_OF_DAY = [
    ("Міст відкрили сьогодні вранці.", "сьогодні"),
    ("Сьогодні вночі було гучно.", "Сьогодні"),
    ("Сьогоднішній матч скасували.", "Сьогоднішній"),
    ("Вчора ввечері відкрили міст.", "Вчора"),
    ("Учора відкрили міст.", "Учора"),
    ("Учорашня злива затопила двори.", "Учорашня"),
    ("Позавчора відкрили міст.", "Позавчора"),
    ("Завтра обіцяють дощ.", "Завтра"),
    ("Завтрашній матч скасували.", "Завтрашній"),
    ("Післязавтра обіцяють сніг.", "Післязавтра"),
    ("Щойно стало відомо про рішення.", "Щойно"),
    ("Зараз на місці працюють рятувальники.", "Зараз"),
    ("Наразі відомо про двох поранених.", "Наразі"),
    ("Цього ранку відкрили міст.", "Цього ранку"),
    ("Цього вечора співає хор.", "Цього вечора"),
    ("Цієї ночі чули вибухи.", "Цієї ночі"),
    ("Минулої ночі чули вибухи.", "Минулої ночі"),
    ("Минулого вечора чули вибухи.", "Минулого вечора"),
    ("За минулу добу збили дрон.", "минулу добу"),
    ("За останню добу збили дрон.", "За останню добу"),
    ("Наступної доби буде вітер.", "Наступної доби"),
    ("Рух відкрили годину тому.", "годину тому"),
    ("Рух відкрили дві години тому.", None),
    ("Рух відкрили п'ять годин тому.", "годин тому"),
    ("Це було два дні тому.", "дні тому"),
    ("Міст відкрили у вівторок.", "у вівторок"),
    ("Міст відкрили у вівторок увечері.", "у вівторок"),
    ("В п'ятницю буде дощ.", "В п'ятницю"),
    ("В п’ятницю буде дощ.", "В п’ятницю"),
    ("У середу, суботу й неділю рух закриють.", "У середу"),
    ("Цієї п'ятниці закриють рух.", "Цієї п'ятниці"),
    ("Минулої середи закрили рух.", "Минулої середи"),
    ("Наступного понеділка відкриють рух.", "Наступного понеділка"),
    ("З понеділка тариф зросте.", "З понеділка"),
    ("Рух закрито до четверга.", "до четверга"),
    ("Засідання перенесли на суботу.", "на суботу"),
    ("Матч зіграють у цю неділю.", "у цю неділю"),
    ("Мост открыли сегодня утром.", "сегодня"),
    ("Мост открыли во вторник.", "во вторник"),
    ("Мост открыли прошлой ночью.", "прошлой ночью"),
]
_OF_LONGER = [
    ("Цього тижня відкриють міст.", "Цього тижня", _NEXT_DAY, _NEXT_WEEK),
    ("Минулого тижня відкрили міст.", "Минулого тижня", _NEXT_DAY, _NEXT_WEEK),
    ("На вихідних буде ярмарок.", "На вихідних", _NEXT_DAY, _NEXT_WEEK),
    ("Цими вихідними буде ярмарок.", "Цими вихідними", _NEXT_DAY, _NEXT_WEEK),
    ("Цього місяця відкриють міст.", "Цього місяця", _NEXT_WEEK, _NEXT_MONTH),
    ("Наступного місяця відкриють міст.", "Наступного місяця", _NEXT_WEEK, _NEXT_MONTH),
    ("Цього року відкриють міст.", "Цього року", _NEXT_MONTH, _NEXT_YEAR),
    ("Цьогорічний ярмарок скасували.", "Цьогорічний", _NEXT_MONTH, _NEXT_YEAR),
    ("Торік тут був завод.", "Торік", _NEXT_MONTH, _NEXT_YEAR),
    ("Торішній урожай більший.", "Торішній", _NEXT_MONTH, _NEXT_YEAR),
    ("Минулого року тут був завод.", "Минулого року", _NEXT_MONTH, _NEXT_YEAR),
    ("У наступному році буде міст.", "У наступному році", _NEXT_MONTH, _NEXT_YEAR),
]
_LASTING = [
    "Про це пише «Сьогодні».",
    "Програма „Завтра“ виходить давно.",
    "Нині чинний закон дозволяє рух.",
    "Міст відкрили у вівторок, 14 травня.",
    "Міст відкрили у вівторок (14 травня).",
    "Міст відкрили в п'ятницю, 16.05.",
    "Міст відкрили 14 травня 2025 року.",
    "Музей працює щосереди.",
    "Музей працює по середах.",
    "Середа обговорення була людною.",
    "У середині дня дощ ущух.",
    "Серед нас був лікар.",
    "Чорна п'ятниця вигадана крамницями.",
    "Цей день настав 100 років тому.",
    "Ліки діють добу.",
]


@pytest.mark.parametrize(("text", "word"), _OF_DAY)
def test_words_that_hold_for_a_day(text: str, word: str | None) -> None:
    found = aging.aged(text, _WRITTEN, _NEXT_DAY)
    assert (word in found) if word else found
    assert aging.aged(text, _WRITTEN, _WRITTEN) == ()


@pytest.mark.parametrize(("text", "word", "still", "no_longer"), _OF_LONGER)
def test_words_that_hold_for_a_week_a_month_or_a_year(text: str, word: str, still: date, no_longer: date) -> None:
    assert aging.aged(text, _WRITTEN, still) == ()
    assert aging.aged(text, _WRITTEN, no_longer) == (word,)


@pytest.mark.parametrize("text", _LASTING)
def test_words_that_do_not_age(text: str) -> None:
    assert aging.aged(text, _WRITTEN, _NEXT_YEAR) == ()


@pytest.mark.parametrize(
    ("written", "read", "words"),
    [
        ("2025-05-14T20:59:00", "2025-05-14T21:01:00", ("Сьогодні",)),  # midnight in Kyiv
        ("2025-05-14T21:01:00", "2025-05-15T20:59:00", ()),
        ("2025-05-14T21:01:00", "2025-05-15T21:00:00", ("Сьогодні",)),
        ("2024-12-31T21:59:00", "2024-12-31T22:01:00", ("Сьогодні", "цього року")),  # New Year
        ("2024-12-31T22:01:00", "2025-01-01T21:59:00", ()),
        ("2024-12-30T12:00:00", "2024-12-31T12:00:00", ("Сьогодні",)),
        ("2025-03-29T22:30:00", "2025-03-30T20:30:00", ()),  # the night that spring shortens
        ("2025-03-30T20:30:00", "2025-03-30T21:30:00", ("Сьогодні",)),
        ("2025-03-29T21:59:00", "2025-03-29T22:00:00", ("Сьогодні",)),
        ("2025-10-25T21:30:00", "2025-10-26T21:30:00", ()),  # the night that autumn lengthens
        ("2025-10-26T00:30:00", "2025-10-26T01:30:00", ()),  # 3:30, and an hour later 3:30 again
        ("2025-10-26T21:30:00", "2025-10-26T22:30:00", ("Сьогодні",)),
        ("2025-05-15T21:01:00", "2025-05-15T20:59:00", ("Сьогодні",)),  # read before it was dated
    ],
)
def test_words_age_with_the_outlets_local_day_and_year(written: str, read: str, words: tuple[str, ...]) -> None:
    published_at, at = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (written, read))
    assert aging.has_aged("Сьогодні й цього року", published_at, at, KYIV) == words


def test_an_article_of_unknown_time_is_never_touched() -> None:
    assert aging.has_aged("Сьогодні відкрили міст.", None, NOON, KYIV) == ()


@pytest.mark.parametrize("platform", list(Platform))
def test_what_aged_leaves_with_its_sentence_where_another_stays(platform: Platform) -> None:
    article = an_article(lead="Міст відкрили сьогодні вранці. Ремонт тривав вісім місяців.")
    fresh = composer().compose(article, a_channel(platform), at=NOON)
    late = composer().compose(article, a_channel(platform), at=NOON + timedelta(days=1))
    assert "сьогодні" in fresh.plain
    assert "сьогодні" not in late.plain
    assert "Ремонт тривав" in late.plain
    assert not late.warnings


def test_a_sentence_that_leans_on_one_that_aged_leaves_too() -> None:
    article = an_article(lead="Міст відкрили сьогодні. Він новий. Ремонт тривав вісім місяців.")
    late = composer().compose(article, a_channel(), at=NOON + timedelta(days=1))
    assert "Він новий" not in late.plain
    assert "Ремонт тривав вісім місяців." in late.plain


@pytest.mark.parametrize("lead", ["Міст відкрили сьогодні.", "Сьогодні відкрили міст. Він новий."])
def test_what_aged_stays_with_a_warning_where_nothing_would_stand_without_it(lead: str) -> None:
    late = composer().compose(an_article(lead=lead), a_channel(), at=NOON + timedelta(days=1))
    assert lead in late.plain
    assert any(warning.startswith("stale-words") for warning in late.warnings)
    unknown = composer().compose(an_article(lead=lead, published_at=None), a_channel(), at=NOON)
    assert not unknown.warnings


def test_a_title_that_aged_goes_as_it_is_with_a_warning() -> None:
    article = an_article(title="Сьогодні відкрили міст")
    late = composer().compose(article, a_channel(), at=NOON + timedelta(days=1))
    assert late.plain.startswith("Сьогодні відкрили міст")
    assert late.warnings == ("stale-words: Сьогодні",)


def test_where_an_editor_must_agree_nothing_is_left_out_and_the_words_can_be_asked_for() -> None:
    article = an_article(lead="Міст відкрили сьогодні вранці. Ремонт тривав вісім місяців.")
    channel, tomorrow = a_channel(approval=Approval.EDITOR), NOON + timedelta(days=1)
    assert composer().aged(article, channel, NOON) == ()
    assert composer().aged(article, channel, tomorrow) == ("сьогодні",)
    assert article.lead in composer().compose(article, channel, at=tomorrow).plain
