"""Whole posts: order, credit, photo policy, limits, what ages, and what no platform may be handed."""

from __future__ import annotations

import os
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from jinja2 import Environment, meta

from bot.compose import markup
from bot.compose.check import SAMPLES, faults
from bot.compose.markup import escape
from bot.compose.post import Composer
from bot.domain.article import Article, Priority
from bot.domain.channel import PhotoPolicy, Platform
from bot.domain.post import CreditKind, Method, Own
from bot.errors import ComposeError, TooLongError
from bot.sandbox import telegram_rules
from tests.unit.compose.samples import NOON, TEMPLATES, a_channel, an_article, composer

BOTH = pytest.mark.parametrize("platform", list(Platform))
_WHOLE = "{{ title }} {{ summary }} {{ credit }} {{ link }} {{ call.text }} {{ call.url }}"
_LOST = "the credit is not in the post"
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


def test_a_hundred_hashtags_in_the_lead_do_not_cost_the_post_its_links() -> None:
    lead = " ".join(f"Речення про #місто{number}." for number in range(150))
    post = composer().compose(an_article(lead=lead), a_channel(summary=4000), at=NOON)
    assert post.plain.count("#") < 100
    read = telegram_rules.read_text(post.text, "HTML", limit=4096, too_long="too long", needed=True)
    assert [entity["url"] for entity in read.entities if "url" in entity] == [post.link, "https://t.me/example"]


def test_breaking_news_and_named_templates() -> None:
    urgent = composer().compose(an_article(priority=Priority.BREAKING), a_channel(), at=NOON)
    assert urgent.plain.startswith("⚡️ Міст")
    with pytest.raises(ComposeError, match=r"telegram/nowhere\.j2 is not there"):
        composer().compose(an_article(), a_channel(template="nowhere"), at=NOON)


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


def test_a_digest_goes_rubric_by_rubric_with_headlines_as_links_and_those_without_a_rubric_first() -> None:
    told = [("Місто", "Міст відкрили"), ("Спорт", "«Тихоріччя» виграло"), ("Місто", "Трамвай став"), ("", "Буде сніг")]
    articles = [an_article(url=f"https://news.example/{n}", rubric=r, title=t) for n, (r, t) in enumerate(told)]
    post = composer().digest(articles, a_channel(), NOON)
    assert post.text == (
        "<b>Головне за день, 14.05</b>\n\n"
        '• <a href="https://news.example/3">Буде сніг</a>\n\n'
        "<b>Місто</b>\n"
        '• <a href="https://news.example/0">Міст відкрили</a>\n'
        '• <a href="https://news.example/2">Трамвай став</a>\n\n'
        "<b>Спорт</b>\n"
        '• <a href="https://news.example/1">«Тихоріччя» виграло</a>\n\n'
        '<a href="https://t.me/example">Підписуйтесь на наш Telegram</a>'
    )


@pytest.mark.parametrize(
    ("written", "heading"),
    [
        ([NOON], "Головне за день, 14.05"),
        ([None], "Головне за день, 14.05"),
        ([NOON - timedelta(days=1)], "Головне за день, 13.05"),
        ([NOON - timedelta(days=2), NOON], "Головне за 12.05–14.05"),
        ([NOON - timedelta(hours=13), NOON - timedelta(hours=12)], "Головне за 13.05–14.05"),  # 23:00 and 0:00 in Kyiv
    ],
)
def test_a_digest_of_a_backlog_says_which_days_it_is_of(written: list[datetime | None], heading: str) -> None:
    articles = [an_article(published_at=at) for at in written]
    for platform in Platform:
        assert composer().digest(articles, a_channel(platform), NOON).plain.splitlines()[0] == heading


@BOTH
def test_one_endless_headline_does_not_keep_the_others_out_of_a_digest(platform: Platform) -> None:
    articles = [an_article(title="Дуже довгий заголовок " * 300), an_article(title="Короткий заголовок")]
    plain = composer().digest(articles, a_channel(platform), NOON).plain
    assert "Дуже довгий заголовок" in plain
    assert "Короткий заголовок" in plain


@BOTH
def test_an_editors_words_go_out_unaltered_with_the_call_to_action(platform: Platform) -> None:
    own = Own(words=escape("Друзі, 1 < 2 & «так»!\n\nДеталі: https://news.example/x."))
    post = composer().words(own, a_channel(platform), NOON)
    assert post.plain.startswith("Друзі, 1 < 2 & «так»!\n\nДеталі: https://news.example/x.")
    assert post.link_preview == "https://news.example/x"
    with pytest.raises(ComposeError, match="empty"):
        composer().words(Own(words=" \n"), a_channel(platform), NOON)
    with pytest.raises(TooLongError, match="at most") as refused:
        composer().words(Own(words="я" * 70_000), a_channel(platform), NOON)
    limit = refused.value.over
    assert composer().words(Own(words="я" * (70_000 - limit)), a_channel(platform), NOON).length == post.limit
    with pytest.raises(TooLongError) as refused:
        composer().words(Own(words="я" * (70_001 - limit)), a_channel(platform), NOON)
    assert refused.value.over == 1


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
        (
            "{% if summary %}" + _WHOLE + "{% else %}{{ title }} {{ link }} {{ call.text }} {{ call.url }}{% endif %}",
            _LOST,
        ),
        (
            "{% if rubric %}{{ title }} {{ link }} {{ call.text }} {{ call.url }}{% else %}" + _WHOLE + "{% endif %}",
            _LOST,
        ),
        (_WHOLE.replace("{{ credit }}", "{{ credit | truncate(60) }}"), _LOST),
        (_WHOLE.replace("{{ credit }}", "{{ credit | upper }}"), _LOST),
        (_WHOLE.replace("{{ credit }}", "{% if 'Фото' in credit %}{{ credit }}{% endif %}"), _LOST),
        (_WHOLE + "<br>", "tag <br> is not allowed"),
        (_WHOLE + "<b>", "<b> is not closed"),
        (_WHOLE + "так " * 1500, "characters, at most"),
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


@pytest.mark.parametrize(
    ("kept", "rule"),
    [("{{ article.title }}", "the link to the article is not"), ("{{ article.link }}", "the title is not")],
)
def test_a_digest_template_that_loses_a_headline_or_its_link_is_refused(tmp_path: Path, kept: str, rule: str) -> None:
    (tmp_path / "telegram").mkdir()
    template = "{% for rubric in rubrics %}{% for article in rubric.articles %}" + kept + "{% endfor %}{% endfor %}"
    (tmp_path / "telegram" / "digest.j2").write_text(template + "{{ call.text }} {{ call.url }}", "utf-8")
    with pytest.raises(ComposeError, match=rule):
        Composer(tmp_path).digest([an_article()], a_channel(), NOON)


def test_the_authors_guide_tells_of_every_variable() -> None:
    guide = (TEMPLATES / "README.md").read_text("utf-8")
    told = set(re.findall(r"`([a-z_.]+)`", guide))
    asked: set[str] = set()
    for file in TEMPLATES.glob("*/*.j2"):
        asked |= meta.find_undeclared_variables(Environment(autoescape=True).parse(file.read_text("utf-8")))
    assert asked <= {name.partition(".")[0] for name in told}
    assert {"rubric", "tags", "author", "published", "breaking", "channel", "left", "one_day"} <= told
    assert all(f"{name}.j2" in guide for name in {file.stem for file in TEMPLATES.glob("*/*.j2")})


def test_the_authors_guides_example_is_a_template_that_passes(tmp_path: Path) -> None:
    shutil.copytree(TEMPLATES, tmp_path / "templates")
    (example,) = re.findall(r"```jinja\n(.+?)```", (TEMPLATES / "README.md").read_text("utf-8"), re.DOTALL)
    (tmp_path / "templates" / "telegram" / "culture.j2").write_text(example, "utf-8")
    assert faults(Composer(tmp_path / "templates"), a_channel(template="culture")) == []


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
