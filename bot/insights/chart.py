"""Draws an account as one picture for a phone: posts and reactions by day, the week's hours, the best posts.

Slow and synchronous: the room calls it in a thread. The same account is drawn to the same picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from bot.domain.figures import Counted, Day, Stats
from bot.insights.sheet import Colour, Sheet

WIDTH, HEIGHT = 1080, 1350

_PAPER, _CARD, _INK, _MUTED, _LINE = "#EEF1F5", "#FFFFFF", "#17212B", "#5B6875", "#DFE4EA"
_POSTS, _REACTIONS = "#2A6FDB", "#C9561F"
_COLD, _WARM, _HOT = (233, 239, 247), (96, 152, 230), (12, 52, 120)  # no post, half as many as ever, most
_EDGE, _GAP, _PAD = 32, 18, 28
_LEFT, _RIGHT = _EDGE + _PAD, WIDTH - _EDGE - _PAD
_WEEKDAYS = ("Пн", "Вт", "Ср", "Чт", "Пт", "Сб", "Нд")
_MONTHS = tuple("січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня".split())
_LARGE = ((1_000, "тис."), (1_000_000, "млн"), (1_000_000_000, "млрд"))
_DAILY = 45  # days that have a bar each; of a longer time each week has one
_LABELLED = 14  # bars that carry their number
_BEST = 3
_MINUS = "—"  # where nothing was told


def draw(stats: Stats, title: str) -> bytes:
    """Return a PNG of `WIDTH` by `HEIGHT` pixels.

    Args:
        title: whose account it is.
    """
    sheet = Sheet(WIDTH, HEIGHT, _PAPER)
    sheet.write((_EDGE + 4, 28), title, 50, _INK, bold=True, room=WIDTH - 2 * _EDGE)
    cut = f" · лише останні {_number(stats.posts)} дописів" if stats.cut else ""
    sheet.write((_EDGE + 4, 98), _span(stats) + cut, 32, _MUTED, room=WIDTH - 2 * _EDGE)
    _tiles(sheet, stats, 152, 270)
    best = stats.best[:_BEST]
    top, foot = 270 + _GAP, HEIGHT - _EDGE - (74 + 46 * len(best) + _GAP if best else 0)
    height = int((foot - top - 2 * _GAP) * 0.29)
    bars, each = _bars(stats.days)
    posts = [(bar.day, bar.posts) for bar in bars]
    _columns(sheet, top, top + height, f"Дописи {each}", posts, _POSTS, "за цей час дописів не було")
    top += height + _GAP
    liked = [(bar.day, bar.reactions) for bar in bars]
    name = f"Реакції на дописи, {each}"
    _columns(sheet, top, top + height, name, liked, _REACTIONS, "реакцій поки немає")
    _week(sheet, top + height + _GAP, foot, stats.heat)
    if best:
        _names(sheet, foot + _GAP, HEIGHT - _EDGE, best)
    return sheet.png()


def _tiles(sheet: Sheet, stats: Stats, top: int, bottom: int) -> None:
    minutes = _MINUS if stats.median_minutes is None else _number(round(stats.median_minutes))
    tiles = [
        (_number(stats.posts), _counted(stats.posts, "допис", "дописи", "дописів")),
        (_number(stats.reactions), _counted(stats.reactions, "реакція", "реакції", "реакцій")),
        (_number(stats.clicks), _counted(stats.clicks, "клік", "кліки", "кліків") + " у Facebook"),
        (minutes, "хв від статті"),
    ]
    wide = (WIDTH - 2 * _EDGE - 3 * _GAP) / 4
    for place, (number, words) in enumerate(tiles):
        left = _EDGE + place * (wide + _GAP)
        sheet.box(left, top, left + wide, bottom, _CARD, radius=16)
        middle = left + wide / 2
        sheet.write((middle, top + 64), number, 54, _INK, bold=True, anchor="ms", room=wide - 16)
        sheet.write((middle, bottom - 15), words, 26, _MUTED, anchor="ms", room=wide - 12)


def _columns(
    sheet: Sheet,
    top: int,
    bottom: int,
    name: str,
    bars: Sequence[tuple[date, int]],
    colour: Colour,
    nothing: str,
) -> None:
    """Draw a bar a day or week, with a scale of round numbers."""
    _card(sheet, top, bottom, name)
    floor, ceiling = bottom - 48, top + 88
    most = max((count for _, count in bars), default=0)
    if not most:
        sheet.write((WIDTH / 2, (top + bottom) / 2 + 16), nothing, 28, _MUTED, anchor="mm")
        return
    step = _step(most, marks=max(2, (floor - ceiling) // 34))
    labels = [_number(mark) for mark in range(0, most + 1, step)]
    left = _LEFT + max(sheet.breadth(label, 24) for label in labels) + 16
    for place, label in enumerate(labels):
        y = floor - (floor - ceiling) * place * step / most
        sheet.line(left, _RIGHT, y, _LINE)
        sheet.write((left - 14, y), label, 24, _MUTED, anchor="rm")
    wide = (_RIGHT - left) / len(bars)
    thick = max(2.0, min(wide * 0.72, 90.0))
    every = -(-len(bars) // max(1, int((_RIGHT - left) / 92)))  # a date wants so much room
    for place, (day, count) in enumerate(bars):
        middle = left + (place + 0.5) * wide
        if count:
            y = min(floor - 3, floor - (floor - ceiling) * count / most)
            sheet.box(middle - thick / 2, y, middle + thick / 2, floor, colour, radius=4 if thick > 16 else 0)
            if len(bars) <= _LABELLED:
                sheet.write((middle, y - 7), _number(count), 24, _INK, anchor="ms", room=wide)
        if place % every == 0:
            sheet.write((middle, bottom - 18), f"{day:%d.%m}", 24, _MUTED, anchor="ms")


def _week(sheet: Sheet, top: int, bottom: int, heat: Sequence[Sequence[int]]) -> None:
    """Draw the hours of the week, darker where more posts came out."""
    _card(sheet, top, bottom, "Коли виходили дописи")
    most = max(max(hours) for hours in heat)
    left, first, last = _LEFT + 54, top + 70, bottom - 44
    wide, high = (_RIGHT - left) / 24, (last - first) / 7
    for weekday, hours in enumerate(heat):
        y = first + weekday * high
        sheet.write((_LEFT, y + high / 2), _WEEKDAYS[weekday], 24, _MUTED, anchor="lm")
        for hour, count in enumerate(hours):
            x = left + hour * wide
            sheet.box(x, y, x + wide - 4, y + high - 4, _warmth(count, most), radius=4)
    for hour in range(0, 24, 3):
        sheet.write((left + hour * wide, bottom - 14), f"{hour}:00", 24, _MUTED, anchor="ls")
    if most:
        x = _RIGHT - sheet.breadth(words := f"найбільше: {_number(most)}", 24)
        sheet.write((x, top + 24), words, 24, _MUTED)
        for shade in range(5):
            edge = x - 16 - (5 - shade) * 30
            sheet.box(edge, top + 28, edge + 26, top + 48, _warmth(shade, 4), radius=4)


def _names(sheet: Sheet, top: int, bottom: int, best: Sequence[Counted]) -> None:
    """List the best posts, what each is best by at its right."""
    liked = any(post.reactions for post in best)
    _card(sheet, top, bottom, "Найкращі дописи")
    sheet.write((_RIGHT, top + 24), "реакції" if liked else "кліки", 24, _MUTED, anchor="ra")
    for place, post in enumerate(best):
        y = top + 84 + place * 46
        number = _number(post.reactions if liked else post.clicks)
        sheet.write((_RIGHT, y), number, 28, _INK, bold=True, anchor="rm")
        room = _RIGHT - _LEFT - 24 - sheet.breadth(number, 28, bold=True)
        sheet.write((_LEFT, y), post.title or "без назви", 28, _INK, anchor="lm", room=room)


def _card(sheet: Sheet, top: int, bottom: int, name: str) -> None:
    sheet.box(_EDGE, top, WIDTH - _EDGE, bottom, _CARD, radius=16)
    sheet.write((_LEFT, top + 20), name, 30, _INK, bold=True, room=_RIGHT - _LEFT)


def _bars(days: Sequence[Day]) -> tuple[list[Day], str]:
    """Return a bar a day, or a week where there are too many, and what each stands for."""
    if len(days) <= _DAILY:
        return list(days), "по днях"
    weeks = [days[start : start + 7] for start in range(0, len(days), 7)]
    bars = [Day(week[0].day, sum(day.posts for day in week), sum(day.reactions for day in week)) for week in weeks]
    return bars, "по тижнях"


def _step(most: int, marks: int) -> int:
    """Return the least round distance of which at most so many fit below the highest bar."""
    size = 1
    while True:
        for step in (size, 2 * size, 5 * size):
            if most // step <= marks:
                return step
        size *= 10


def _warmth(count: int, most: int) -> Colour:
    if not count:
        return _COLD
    share = count / most
    low, high, part = (_COLD, _WARM, 0.35 + share * 1.3) if share < 0.5 else (_WARM, _HOT, (share - 0.5) * 2)
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(low, high, strict=True))
    return red, green, blue


def _number(count: int | None) -> str:
    """Return a number as it is written in Ukrainian, short where it is large."""
    if count is None:
        return _MINUS
    if count < 100_000:
        return f"{count:,}".replace(",", "\u00a0")
    size, word = next((each for each in _LARGE if count / each[0] < 999.5), _LARGE[-1])
    shown = f"{count / size:.{1 if count / size < 99.95 else 0}f}".removesuffix(".0")
    return f"{shown.replace('.', ',')} {word}"


def _counted(count: int | None, one: str, few: str, many: str) -> str:
    """Return the form of a noun that stands after a number, as `_number` writes it."""
    if count is None or count >= 100_000 or count % 100 in range(11, 15):
        return many
    return one if count % 10 == 1 else few if count % 10 in (2, 3, 4) else many


def _span(stats: Stats) -> str:
    """Return the time of an account: "25–31 травня 2026", "28 грудня 2025 – 3 січня 2026"."""
    first, last = (stats.days[0].day, stats.days[-1].day) if stats.days else (stats.since.date(), stats.until.date())
    end = f"{last.day} {_MONTHS[last.month - 1]} {last.year}"
    if first == last:
        return end
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{end}"
    year = f" {first.year}" if first.year != last.year else ""
    return f"{first.day} {_MONTHS[first.month - 1]}{year} – {end}"
