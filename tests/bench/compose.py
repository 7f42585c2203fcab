"""How fast posts are composed: one core, an article with a body of five paragraphs of HTML, both platforms."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.compose import sentences
from bot.compose.post import Composer
from bot.domain.article import Article
from bot.domain.channel import CallToAction, Channel, Platform
from bot.domain.timetable import Timetable

_TEMPLATES = Path(__file__).parents[2] / "config" / "templates"
_AT = datetime(2025, 5, 14, 9, tzinfo=UTC)
_ARTICLES = 1_000
_LEAD = "Міст через Тиху знову відкрили для руху. Ремонт тривав вісім місяців і коштував 41,5 млн грн, кажуть у раді."
_BODY = """
<p>Першими о 6:30 проїхали тролейбуси № {0}, {1} і {2}. Рух дозволили в обидва боки, пішоходам відкрили нові сходи.</p>
<figure><img src="https://news.example/{0}.jpg" alt=""><figcaption>Новий настил. Фото: міська рада</figcaption></figure>
<p>«Ми замінили опори, настил та освітлення. Міст простоїть ще пів століття», — сказав головний інженер робіт.</p>
<h2>Скільки це коштувало</h2>
<p>За кошторисом роботи мали коштувати {1} млн грн. Насправді витратили менше: частину матеріалів дав склад міста.</p>
<p>Із 1 червня рух перекриють на дві ночі, щоб нанести розмітку. Об'їзд буде вул. Набережною та просп. Зразковим.</p>
<p>Нагадаємо, старий міст збудували 1974 року. <a href="https://news.example/old">Читайте також: що було до того</a></p>
"""


def run() -> list[tuple[str, str]]:
    """Compose a thousand articles for two channels in each way; return lines of what was measured and the figure."""
    composer = Composer(_TEMPLATES)
    sentences.warm()
    lines: list[tuple[str, str]] = []
    for name, articles in (
        ("with a lead", [_article(number, lead=f"{_LEAD} Черга {number}.") for number in range(_ARTICLES)]),
        ("summary from the body", [_article(number) for number in range(_ARTICLES)]),
    ):
        lines += _measured(composer, articles, name)
    return lines


def _measured(composer: Composer, articles: list[Article], name: str) -> list[tuple[str, str]]:
    channels = [_channel(platform) for platform in Platform]
    for article in articles[:20]:
        composer.compose(replace(article, title=article.title + "!"), channels[0], at=_AT)
    spent: list[float] = []
    began = time.process_time()
    for article in articles:
        for channel in channels:
            start = time.perf_counter()
            composer.compose(article, channel, at=_AT)
            spent.append(time.perf_counter() - start)
    busy = time.process_time() - began
    spent.sort()
    middle, late = spent[len(spent) // 2] * 1000, spent[len(spent) * 99 // 100] * 1000
    return [
        (f"posts composed per second of one core, {name}", f"{len(spent) / busy:,.0f}"),
        (f"time per post, {name}: p50, p99", f"{middle:.2f} ms, {late:.2f} ms"),
    ]


def _article(number: int, lead: str = "") -> Article:
    return Article(
        url=f"https://news.example/{number}",
        title=f"Міст через Тиху знову відкрили: що змінилося, частина {number}",
        lead=lead,
        body=_BODY.format(number, number + 2, number + 5),
        rubric="Місто",
        photo_url=f"https://news.example/{number}.jpg",
        published_at=_AT - timedelta(minutes=30),
    )


def _channel(platform: Platform) -> Channel:
    return Channel(
        name=platform.value,
        platform=platform,
        address="@example",
        timetable=Timetable(zone=ZoneInfo("Europe/Kyiv")),
        call_to_action=CallToAction(text="Підписуйтесь на наш Telegram", url="https://t.me/example"),
        link_parameters=(("utm_source", platform.value),),
    )


if __name__ == "__main__":
    for what, figure in run():
        print(f"{what}: {figure}")
