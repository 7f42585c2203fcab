"""What the summary takes and leaves, how links, hashtags and quotation marks are set."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.compose import body, hashtags, links, typography
from bot.compose.body import Kind
from bot.compose.summary import leans, summary
from tests.unit.compose.samples import an_article


def _summary(text: str, target: int = 400, **changed: str) -> str:
    return " ".join(summary(an_article(**{"lead": "", "body": text, **changed}), target))


def test_the_lead_is_taken_as_the_outlet_wrote_it() -> None:
    assert _summary("Тіло статті.", lead="Рух відкрили. Він двобічний.") == "Рух відкрили. Він двобічний."


def test_a_lead_far_longer_than_wished_ends_at_a_sentence() -> None:
    lead = " ".join(f"Речення номер {number} про міст." for number in range(30))
    told = _summary("", target=100, lead=lead)
    assert lead.startswith(told)
    assert told.endswith(".")
    assert len(told) <= 100


def test_a_lead_that_a_feed_cut_short_gives_its_whole_sentences_or_way_to_the_body() -> None:
    assert _summary("Тіло статті.", lead="Рух відкрили. Він двобічний і…") == "Рух відкрили."
    assert _summary("Тіло статті.", lead="Рух відкрили після [...]") == "Тіло статті."
    assert _summary("", lead="Рух відкрили після [...]") == "Рух відкрили після [...]"


def test_without_a_lead_the_opening_sentences_of_the_body_stand_unaltered() -> None:
    text = "Перше речення про міст. Друге речення про річку.\n\nТретє речення про дорогу."
    assert _summary(text, target=60) == "Перше речення про міст. Друге речення про річку."
    assert _summary(text, target=1) == "Перше речення про міст."
    assert _summary(text, target=0) == ""
    assert _summary(text) == text.replace("\n\n", " ")


@pytest.mark.parametrize(
    "passed_over",
    [
        "Він додав, що роботи тривають.",
        "Про це повідомила міськрада.",
        "Водночас рух обмежили.",
        "За його словами, усе готово.",
        "Читайте також: Інший міст зачинили.",
        "Підписуйтесь на наш канал у Telegram!",
        "Автор: Ганна Взірець",
        "Міст через річку відкрили для проїзду",
        "Фото: ДСНС",
        "Хто побудував міст",
        "«Ми раді відкриттю, люди чекали».",
        "— Ми раді відкриттю.",
    ],
)
def test_what_may_not_open_a_summary_is_passed_over(passed_over: str) -> None:
    assert _summary(f"{passed_over}\n\nМіст збудували сто років тому.") == "Міст збудували сто років тому."


def test_no_sentence_leans_on_one_that_was_left_out() -> None:
    text = "Міст старий.\n\nЧитайте також: Інший міст зачинили.\n\nВін не перший у місті."
    assert _summary(text) == "Міст старий."
    assert _summary("Міст старий. Він не перший у місті.") == "Міст старий. Він не перший у місті."


@pytest.mark.parametrize(
    "sentence",
    [
        "Він пішов.",
        "Це правда.",
        "А потім дощ.",
        "Проте ні.",
        "Її бачили.",
        "Також ідеться про міст.",
        "Так кажуть у раді.",
    ],
)
def test_a_sentence_that_leans(sentence: str) -> None:
    assert leans(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Вінниця чекає.",
        "Тамара співає.",
        "Алея росте.",
        "Іван прийшов.",
        "Цегла подорожчала.",
        "Тарас тут.",
        "Так, міст відкрито.",
        "Такси подорожчало.",
    ],
)
def test_a_sentence_that_only_looks_like_leaning(sentence: str) -> None:
    assert not leans(sentence)


def test_html_is_read_to_blocks() -> None:
    found = body.blocks(
        "<h2>Підзаголовок</h2><p>Перший <b>абзац</b>.<br>Далі.</p><script>x</script><ul><li>Пункт</li></ul>"
        "<blockquote><p>Цитата.</p></blockquote><figure><img src='a'><figcaption>Міст уночі</figcaption></figure>"
        "<p><strong>Ще підзаголовок</strong></p><div>Другий абзац.</div>Хвіст абзацу."
    )
    assert [(block.kind, block.text) for block in found] == [
        (Kind.SUBHEAD, "Підзаголовок"),
        (Kind.PARAGRAPH, "Перший абзац. Далі."),
        (Kind.ITEM, "Пункт"),
        (Kind.QUOTE, "Цитата."),
        (Kind.CAPTION, "Міст уночі"),
        (Kind.SUBHEAD, "Ще підзаголовок"),
        (Kind.PARAGRAPH, "Другий абзац."),
        (Kind.PARAGRAPH, "Хвіст абзацу."),
    ]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Гурток вчить тегів <p> та <a>. Це легко.", "Гурток вчить тегів <p> та <a>. Це легко."),
        ("Якщо a <b та c> d, то ні.", "Якщо a <b та c> d, то ні."),
        ("Рядок.<br>Ще рядок.", "Рядок. Ще рядок."),
        ("Це <b>важливо</b>.", "Це важливо."),
        ("<p>Абзац без кінця.", "Абзац без кінця."),
    ],
)
def test_only_what_is_marked_up_is_read_as_html(text: str, read: str) -> None:
    assert [block.text for block in body.blocks(text)] == [read]


def test_a_body_nested_without_end_is_read() -> None:
    assert isinstance(body.blocks("<div>" * 3000 + "Так." + "</div>" * 3000), tuple)


@given(st.text(alphabet="<>/pdivbr abh1\"'=&;абв.\n", max_size=300))
def test_any_body_is_read_without_an_error(text: str) -> None:
    assert all(block.text.strip() == block.text != "" for block in body.blocks(text))


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://a.b/c", "https://a.b/c?utm=t+g"),
        ("https://a.b/c?x=%20&y", "https://a.b/c?x=%20&y&utm=t+g"),
        ("https://a.b/c#d?e", "https://a.b/c?utm=t+g#d?e"),
        ("https://a.b/c?utm=own", "https://a.b/c?utm=own"),
        ("https://a.b/c?utm", "https://a.b/c?utm"),
        ("https://a.b/c?utm_x=1#utm=2", "https://a.b/c?utm_x=1&utm=t+g#utm=2"),
        ("https://a.b/c?", "https://a.b/c?utm=t+g"),
        ("https://a.b/c?x=1&", "https://a.b/c?x=1&utm=t+g"),
        ("https://a.b/c#", "https://a.b/c?utm=t+g#"),
        ("https://a.b/c&", "https://a.b/c&?utm=t+g"),
        ("https://a.b", "https://a.b?utm=t+g"),
        ("https://новини.укр/міст?б=так", "https://новини.укр/міст?б=так&utm=t+g"),
        ("https://a.b/%D1%96%2F?q=%26%3D", "https://a.b/%D1%96%2F?q=%26%3D&utm=t+g"),
        ("https://a.b/c;p=1?x=1;y=2", "https://a.b/c;p=1?x=1;y=2&utm=t+g"),
        ("https://user@a.b:8443/c", "https://user@a.b:8443/c?utm=t+g"),
        ("https://[a.b/c", "https://[a.b/c"),
    ],
)
def test_parameters_are_added_without_touching_the_rest(address: str, expected: str) -> None:
    assert links.with_parameters(address, (("utm", "t g"),)) == expected


@pytest.mark.parametrize(
    ("address", "dropped"),
    [
        ("https://a.b/c", False),
        ("http://127.0.0.1:8080/c", False),
        ("http://localhost/c", True),
        ("http://a.b:0x/c", True),
    ],
)
def test_an_address_that_platforms_make_nothing_of_is_known(address: str, dropped: bool) -> None:
    assert links.is_dead_end(address) is dropped


@given(st.text(max_size=40))
def test_parameters_of_any_text_are_added_once_and_nothing_is_lost(text: str) -> None:
    address = links.printable(f"https://a.b/{text}")
    marked = links.with_parameters(address, (("utm_term", text), ("utm_source", "t&g")))
    before, _, fragment = address.partition("#")
    assert marked.startswith(before)
    assert marked.endswith(fragment)
    assert links.with_parameters(marked, (("utm_source", "other"),)) == marked
    assert links.printable(marked) == marked


def test_several_parameters_keep_their_order_and_are_encoded() -> None:
    given_parameters = (("utm_source", "telegram"), ("utm_campaign", "осінь & зима"), ("empty", ""))
    assert links.with_parameters("https://a.b/c", given_parameters) == (
        "https://a.b/c?utm_source=telegram&utm_campaign=%D0%BE%D1%81%D1%96%D0%BD%D1%8C+%26+"
        "%D0%B7%D0%B8%D0%BC%D0%B0&empty="
    )


def test_an_address_is_printable_whatever_it_holds() -> None:
    assert links.printable('https://a.b/c d"<є>\n') == "https://a.b/c%20d%22%3Cє%3E%0A"


@pytest.mark.parametrize(
    ("words", "tag"),
    [
        ("Судові історії", "#СудовіІсторії"),
        ("місто", "#місто"),
        ("Здоров'я", "#Здоровя"),
        ("Здоров’я", "#Здоровя"),
        ("Інтервʼю", "#Інтервю"),
        ("онлайн-ігри", "#ОнлайнІгри"),
        ("COVID-19", "#COVID19"),
        ("5G", "#5G"),
        ("Кра́сно", "#Красно"),
        ("🎃 Ярмарок!", "#Ярмарок"),
        ("Ціни & тарифи", "#ЦіниТарифи"),
        ("IT_новини", "#IT_новини"),
        ("2024", ""),
        ("_", ""),
        ("🎃", ""),
        ("", ""),
    ],
)
def test_a_rubric_as_a_hashtag(words: str, tag: str) -> None:
    assert hashtags.hashtag(words) == tag


def test_several_hashtags_stand_once_each_whatever_their_case() -> None:
    assert hashtags.hashtags(["Місто", "!", "місто", "Край", "Місто"]) == "#Місто #Край"


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ('Він сказав: "Так"', "Він сказав: «Так»"),
        ('"Читай "Кобзар""', "«Читай „Кобзар“»"),
        ("“Так”", "«Так»"),
        ("Київ - столиця", "Київ\u00a0— столиця"),
        ("п'ять", "п’ять"),
        ("жовто-блакитний, -5 °C", "жовто-блакитний, -5 °C"),
        ("1914-1918 роки", "1914–1918 роки"),
        ('5" екран', '5" екран'),
        ("Київ -- столиця", "Київ\u00a0— столиця"),
        ("Київ – столиця", "Київ\u00a0— столиця"),
        ('"Так", - сказав він', "«Так»,\u00a0— сказав він"),
        ('("Так")', "(«Так»)"),
        ('«Фільм "Життя"»', "«Фільм „Життя“»"),
        ("„Так“", "«Так»"),
        ("комп`ютер, рок'н'рол", "комп’ютер, рок’н’рол"),
        ("'одинарні'", "'одинарні'"),
        ("рахунок 2-1, 10-15 осіб", "рахунок 2-1, 10-15 осіб"),
        ("«незакриті", "«незакриті"),
    ],
)
def test_typography(typed: str, printed: str) -> None:
    assert typography.set_in_type(typed) == printed
    assert typography.set_in_type(printed) == printed


@given(st.text(alphabet="аб \"«»„“”'’-–—.,19 ", max_size=40))
def test_type_that_is_set_stays_as_it_is(text: str) -> None:
    once = typography.set_in_type(text)
    assert typography.set_in_type(once) == once
