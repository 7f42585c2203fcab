"""Whole posts: order, credit, photo policy, limits, what ages, and what no platform may be handed."""

from __future__ import annotations

import os
import string
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.compose import markup
from bot.compose.check import SAMPLES, faults
from bot.compose.post import Composer
from bot.domain.article import Article, Priority
from bot.domain.channel import CallToAction, Channel, PhotoPolicy, Platform
from bot.domain.post import CreditKind, Method, Post
from bot.errors import ComposeError
from bot.sandbox import telegram_rules
from tests.unit.compose.samples import NOON, TEMPLATES, a_channel, an_article, composer

BOTH = pytest.mark.parametrize("platform", list(Platform))
_SEEDS = Path(__file__).parents[4] / "shared" / "seeds"


def test_a_telegram_post_reads_title_summary_credit_link_call() -> None:
    post = composer().compose(an_article(), a_channel(), at=NOON)
    assert post.text == (
        "<b>Міст через річку відкрили для проїзду</b>\n\n"
        "Рух мостом дозволили в обидва боки. Ремонт тривав вісім місяців.\n\n"
        "<i>Фото: пресслужба міськради</i>\n\n"
        '<a href="https://news.example/bridge">Читати повністю</a>\n\n'
        '<a href="https://t.me/example">Підписуйтесь на наш Telegram</a>'
    )
    assert (post.method, post.limit, post.length) == (Method.SEND_PHOTO, 1024, len(post.plain))
    assert post.house_credit == "Фото: пресслужба міськради"
    assert post.link_preview is None


def test_a_facebook_post_carries_its_addresses_bare_and_once() -> None:
    post = composer().compose(an_article(), a_channel(Platform.FACEBOOK), at=NOON)
    assert post.text == post.plain
    assert post.method is Method.PHOTOS
    assert post.text.count("https://news.example/bridge") == 1
    assert post.text.endswith("\n\nПідписуйтесь на наш Telegram: https://t.me/example")


@BOTH
def test_lower_rungs_of_the_ladder_are_text_with_a_card_and_text_alone(platform: Platform) -> None:
    card, bare = (composer().compose(an_article(), a_channel(platform), at=NOON, rung=rung) for rung in (1, 2))
    assert not card.method.carries_photo
    assert card.photo_url is None
    assert card.link_preview == "https://news.example/bridge"
    assert bare.link_preview is None
    assert card.text == bare.text
    assert "Фото: пресслужба міськради" in card.plain


@BOTH
def test_without_a_credit_the_photo_stays_behind_and_an_editor_is_told(platform: Platform) -> None:
    post = composer().compose(an_article(photo_credit=""), a_channel(platform), at=NOON)
    assert post.photo_url is None
    assert any("no credit" in warning for warning in post.warnings)


def test_the_other_photo_policies() -> None:
    uncredited = an_article(photo_credit="")
    always = composer().compose(uncredited, a_channel(photo=PhotoPolicy.ALWAYS), at=NOON)
    assert always.photo_url == uncredited.photo_url
    never = composer().compose(an_article(), a_channel(photo=PhotoPolicy.NEVER), at=NOON)
    assert (never.photo_url, never.house_credit) == (None, None)
    assert "Фото" not in never.plain
    house = composer().compose(uncredited, a_channel(default_credit="Фото: редакція"), at=NOON)
    assert house.photo_url
    assert house.house_credit == "Фото редакції"


@pytest.mark.parametrize(
    ("body", "credit"),
    [
        ("<figure><img src=a><figcaption>Міст уночі. Фото: ДСНС</figcaption></figure><p>Текст.</p>", "Фото: ДСНС"),
        ('<p>Текст.</p><span class="photo-credit">Марко Зразок / УНІАН</span>', "Фото: Марко Зразок / УНІАН"),
        ("<p>Текст.</p><p>Скриншот з відео СБУ</p>", "Скриншот з відео СБУ"),
        ("Текст.\n\nФото: ДСНС\nФото: ДСНС\n\nЩе текст.", "Фото: ДСНС"),
    ],
)
def test_the_credit_is_found_in_the_body(body: str, credit: str) -> None:
    post = composer().compose(an_article(photo_credit="", lead="", body=body), a_channel(), at=NOON)
    assert post.house_credit == credit
    assert post.plain.count(credit) == 1


@BOTH
def test_only_the_summary_gives_way_and_at_a_sentence_end(platform: Platform) -> None:
    lead = " ".join(f"Речення номер {number} розповідає про міст і людей." for number in range(40))
    post = composer().compose(an_article(lead=lead), a_channel(platform, summary=5000), at=NOON)
    assert post.length <= post.limit
    assert "…" not in post.plain
    if platform is Platform.TELEGRAM:
        assert post.method is Method.SEND_PHOTO
        assert post.length > 900, "as much as fits stays"
        assert "the summary was shortened to fit" in post.warnings


def test_a_first_sentence_too_long_for_a_caption_makes_a_text_post_with_a_card() -> None:
    sentence = "Міст " + "довгий " * 300 + "міст."
    post = composer().compose(an_article(lead=sentence), a_channel(), at=NOON)
    assert (post.method, post.limit) == (Method.SEND_MESSAGE, 4096)
    assert post.link_preview == "https://news.example/bridge"
    assert sentence in post.plain


def test_a_first_sentence_too_long_for_any_post_ends_in_an_ellipsis_at_a_word() -> None:
    post = composer().compose(an_article(lead="Міст " + "довжелезний " * 900), a_channel(), at=NOON)
    assert "довжелезний…\n" in post.text
    assert 4080 < post.length <= 4096


def test_breaking_news_and_named_templates() -> None:
    urgent = composer().compose(an_article(priority=Priority.BREAKING), a_channel(), at=NOON)
    assert urgent.plain.startswith("⚡️ Міст")
    with pytest.raises(ComposeError, match=r"telegram/nowhere\.j2 is not there"):
        composer().compose(an_article(), a_channel(template="nowhere"), at=NOON)


def test_words_that_aged_leave_with_their_sentence_where_another_stays() -> None:
    article = an_article(lead="Міст відкрили сьогодні вранці. Ремонт тривав вісім місяців.")
    fresh = composer().compose(article, a_channel(), at=NOON)
    late = composer().compose(article, a_channel(), at=NOON + timedelta(days=1))
    assert "сьогодні" in fresh.plain
    assert "сьогодні" not in late.plain
    assert "Ремонт тривав" in late.plain
    assert not late.warnings


@pytest.mark.parametrize("lead", ["Міст відкрили сьогодні.", "Сьогодні відкрили міст. Він новий."])
def test_words_that_aged_stay_with_a_warning_where_nothing_would_stand_without_them(lead: str) -> None:
    late = composer().compose(an_article(lead=lead), a_channel(), at=NOON + timedelta(days=1))
    assert lead in late.plain
    assert any(warning.startswith("stale-words") for warning in late.warnings)
    unknown = composer().compose(an_article(lead=lead, published_at=None), a_channel(), at=NOON)
    assert not unknown.warnings


def test_a_post_is_silent_at_night_in_the_outlets_zone() -> None:
    assert not composer().compose(an_article(), a_channel(), at=NOON).silent
    assert composer().compose(an_article(), a_channel(), at=datetime(2025, 5, 14, 20, 30, tzinfo=UTC)).silent


def test_link_parameters_leave_query_and_fragment_as_they_are() -> None:
    channel = a_channel(link_parameters=(("utm_source", "telegram"), ("id", "9")))
    post = composer().compose(an_article(url="https://news.example/a?id=5&b=%D1%96#top"), channel, at=NOON)
    assert post.link == "https://news.example/a?id=5&b=%D1%96&utm_source=telegram#top"
    assert markup.links(post.text, Platform.TELEGRAM)[0] == post.link


def test_an_article_without_an_address_has_no_link() -> None:
    post = composer().compose(an_article(url="urn:sha256:0"), a_channel(), at=NOON)
    assert post.link is None
    assert "Читати" not in post.plain


@BOTH
def test_a_retraction_tells_what_was_withdrawn_and_links_nowhere(platform: Platform) -> None:
    post = composer().notice(an_article(), a_channel(platform), NOON)
    assert "Міст через річку відкрили для проїзду" in post.plain
    assert "http" not in post.text
    assert post.length <= 1024
    assert post.call_to_action == ""


@BOTH
def test_a_correction_is_a_post_of_its_own(platform: Platform) -> None:
    post = composer().notice(an_article(), a_channel(platform), NOON, "corrected")
    assert post.plain.startswith("Уточнено")
    assert post.link == "https://news.example/bridge"


@BOTH
def test_a_digest_holds_as_many_headlines_as_fit(platform: Platform) -> None:
    articles = [
        an_article(title=f"Новина номер {n}", url=f"https://news.example/{n}", rubric="Місто") for n in range(300)
    ]
    post = composer().digest(articles, a_channel(platform), NOON)
    assert post.length <= post.limit
    assert markup.measure(post.text, platform).entities <= 100
    assert "Новина номер 0" in post.plain
    assert post.plain.endswith(("Підписуйтесь на наш Telegram", "https://t.me/example"))
    assert "https://news.example/0" in markup.links(post.text, platform)


@BOTH
def test_an_editors_words_go_out_unaltered_with_the_call_to_action(platform: Platform) -> None:
    post = composer().words("Друзі, 1 < 2 & «так»!\n\nДеталі: https://news.example/x.", a_channel(platform), NOON)
    assert post.plain.startswith("Друзі, 1 < 2 & «так»!\n\nДеталі: https://news.example/x.")
    assert post.link_preview == "https://news.example/x"
    with pytest.raises(ComposeError, match="empty"):
        composer().words(" \n", a_channel(platform), NOON)
    with pytest.raises(ComposeError, match="at most"):
        composer().words("я" * 70_000, a_channel(platform), NOON)


@BOTH
def test_our_own_templates_lose_nothing_with_the_hard_samples(platform: Platform) -> None:
    assert len(SAMPLES) >= 10
    assert faults(composer(), a_channel(platform)) == []


@pytest.mark.parametrize(
    ("template", "rule"),
    [
        ("{{ title }}", "the credit is not in the post"),
        ("{{ title }} {{ credit }} {{ call.text }} {{ call.url }}", "the link to the article is not in the post"),
        ("{{ title }} {{ nothing }}", "'nothing' is undefined"),
        ("{{ title ", "default.j2"),
        ("{{ title.__class__.__mro__ }}", "unsafe"),
    ],
)
def test_a_template_that_can_lose_something_is_named_with_sample_and_rule(
    tmp_path: Path, template: str, rule: str
) -> None:
    for platform in Platform:
        (tmp_path / platform.value).mkdir()
        for file in (TEMPLATES / platform.value).iterdir():
            (tmp_path / platform.value / file.name).write_text(file.read_text("utf-8"), "utf-8")
    (tmp_path / "telegram" / "default.j2").write_text(template, "utf-8")
    found = faults(Composer(tmp_path), a_channel())
    assert any("telegram/default.j2" in line and rule in line and "(sample: " in line for line in found), found
    assert faults(Composer(tmp_path), a_channel(Platform.FACEBOOK)) == []


def _seed() -> str:
    files = sorted(_SEEDS.glob("*.txt")) if _SEEDS.is_dir() else []
    if not files:
        if os.environ.get("CI") == "true":
            pytest.fail("../shared/seeds is not there")
        pytest.skip("../shared/seeds is not there")
    return files[0].read_text("utf-8")


@BOTH
@pytest.mark.parametrize("with_lead", [True, False])
def test_the_seed_composes_well(platform: Platform, with_lead: bool) -> None:
    page = _seed().split("\nАвтор:")[0]
    title, lead, *rest = page.split("\n\n")
    article = Article(
        url="https://news.example/china",
        title=title,
        lead=lead if with_lead else "",
        body="\n\n".join(rest if with_lead else [lead, *rest]),
        published_at=datetime(2024, 1, 31, 17, tzinfo=UTC),
    )
    post = composer().compose(article, a_channel(platform), at=datetime(2024, 1, 31, 18, tzinfo=UTC))
    assert post.plain.startswith(f"{title}\n\n{lead}\n\n")
    assert post.plain.count("Фото: news.usni.org") == 1
    assert post.credit
    assert (post.credit.kind, post.credit.source) == (CreditKind.PHOTO, "news.usni.org")
    assert post.plain.count("Підписуйтесь") == 1
    assert "17.12" not in post.plain
    assert post.link in markup.links(post.text, platform)


_TEXT = st.text(max_size=400) | st.text(alphabet='абв .!?…«»"<>&;\n🇺🇦👩‍💻\u0301א', max_size=3000)
_ARTICLES = st.builds(
    Article,
    url=st.just("urn:sha256:0")
    | st.text(string.printable, max_size=60).map(lambda path: f"https://news.example/{path}"),
    title=_TEXT,
    lead=_TEXT,
    body=_TEXT | _TEXT.map(lambda text: f"<p>{text}</p><figcaption>Фото: {text}</figcaption>"),
    rubric=st.text(max_size=30),
    author=st.text(max_size=30),
    tags=st.lists(st.text(max_size=20), max_size=4).map(tuple),
    photo_url=st.sampled_from(["", "https://news.example/a.jpg"]),
    photo_credit=st.sampled_from(["", "Фото: ДСНС"]) | st.text(max_size=150),
    photo_alt=_TEXT,
    published_at=st.sampled_from([None, NOON, NOON - timedelta(days=3)]),
    priority=st.sampled_from([None, Priority.BREAKING]),
)
_CHANNELS = st.builds(
    a_channel,
    st.sampled_from(Platform),
    summary=st.integers(0, 6000),
    photo=st.sampled_from(PhotoPolicy),
    typography=st.booleans(),
    call_to_action=st.sampled_from(
        [
            CallToAction(),
            CallToAction(text="Ми & <тут>", url="https://t.me/a?b=1&c=2"),
            CallToAction(url="https://t.me/a"),
        ]
    ),
    link_parameters=st.sampled_from([(), (("utm_source", "a&b"),)]),
)


@settings(deadline=None)
@given(_ARTICLES, _CHANNELS, st.integers(0, 2))
def test_whatever_the_article_the_post_keeps_the_platforms_rules(article: Article, channel: Channel, rung: int) -> None:
    if not markup.one_line(article.title):
        with pytest.raises(ComposeError, match="title"):
            composer().compose(article, channel, at=NOON, rung=rung)
        return
    post = _COMPOSER.compose(article, channel, at=NOON, rung=rung)
    assert markup.fault(post.text, channel.platform, post.limit) is None
    assert 0 < post.length <= post.limit
    assert post.plain == post.plain.strip()
    addresses = markup.links(post.text, channel.platform)
    assert post.link is None or post.link in addresses
    assert channel.call_to_action.url in ("", *addresses)
    assert channel.call_to_action.text in post.plain
    assert post.house_credit is None or post.house_credit in post.plain
    assert rung == 0 or not post.method.carries_photo
    assert _COMPOSER.compose(replace(article), channel, at=NOON, rung=rung) == post
    if channel.platform is Platform.TELEGRAM:
        _check_with_the_sandbox(post)


def _check_with_the_sandbox(post: Post) -> None:
    field = "caption" if post.method is Method.SEND_PHOTO else "text"
    call = {field: post.text, "parse_mode": "HTML", "photo": "https://news.example/a.jpg"}
    assert telegram_rules.refusal(post.method.value, call) is None
    read = telegram_rules.read_text(post.text, "HTML", limit=post.limit, too_long="too long", needed=True)
    assert read.text == post.plain
    addresses = [entity["url"] for entity in read.entities if "url" in entity]
    assert post.link is None or post.link in addresses


_COMPOSER = composer()
