"""Draws the photos of the examples: flat scenes of a town that does not exist; running this file writes them all.

Every run draws the same. Pictures are drawn at twice their size and scaled down, which smooths the edges.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter, ImageFont

WIDTH, HEIGHT = 1280, 853  # of a finished photo, pixels
SCALE = 2
QUALITY = 86

Colour = tuple[int, int, int]
Point = tuple[float, float]


def rgb(text: str) -> Colour:
    """Return the colour written like "f4a261"."""
    return int(text[:2], 16), int(text[2:4], 16), int(text[4:], 16)


def blend(one: Colour, other: Colour, share: float) -> Colour:
    """Return the colour that lies between two; share 0 is the one, 1 the other."""
    mixed = [round(a + (b - a) * share) for a, b in zip(one, other, strict=True)]
    return mixed[0], mixed[1], mixed[2]


class Canvas:
    """A picture under way. Lengths are pixels of the finished photo."""

    def __init__(self, width: int = WIDTH, height: int = HEIGHT) -> None:
        self.width, self.height = width, height
        self.image = Image.new("RGB", (width * SCALE, height * SCALE))
        self.pen = ImageDraw.Draw(self.image)

    def gradient(self, top: int, bottom: int, *stops: str) -> None:
        """Fill a band from side to side with colours that flow into each other."""
        colours = [rgb(stop) for stop in stops]
        for y in range(top * SCALE, bottom * SCALE):
            place = (y / SCALE - top) / (bottom - top) * (len(colours) - 1)
            step = min(int(place), len(colours) - 2)
            line = blend(colours[step], colours[step + 1], place - step)
            self.pen.line([(0, y), (self.width * SCALE, y)], fill=line)

    def polygon(self, points: Sequence[Point], colour: str | Colour) -> None:
        fill = rgb(colour) if isinstance(colour, str) else colour
        self.pen.polygon([(x * SCALE, y * SCALE) for x, y in points], fill=fill)

    def box(self, x: float, y: float, width: float, height: float, colour: str | Colour, radius: float = 0) -> None:
        fill = rgb(colour) if isinstance(colour, str) else colour
        corners = (x * SCALE, y * SCALE, (x + width) * SCALE, (y + height) * SCALE)
        self.pen.rounded_rectangle(corners, radius * SCALE, fill=fill)

    def disc(self, x: float, y: float, radius: float, colour: str | Colour, flat: float = 1) -> None:
        fill = rgb(colour) if isinstance(colour, str) else colour
        tall = radius * flat
        self.pen.ellipse(
            ((x - radius) * SCALE, (y - tall) * SCALE, (x + radius) * SCALE, (y + tall) * SCALE), fill=fill
        )

    def line(self, points: Sequence[Point], colour: str | Colour, width: float) -> None:
        fill = rgb(colour) if isinstance(colour, str) else colour
        scaled = [(x * SCALE, y * SCALE) for x, y in points]
        self.pen.line(scaled, fill=fill, width=round(width * SCALE), joint="curve")

    def text(self, x: float, y: float, text: str, size: int, colour: str, anchor: str = "mm") -> None:
        """Write digits or Latin letters; the font that comes with Pillow has no others."""
        font = ImageFont.load_default(size * SCALE)
        self.pen.text((x * SCALE, y * SCALE), text, fill=rgb(colour), font=font, anchor=anchor)

    def glow(self, x: float, y: float, radius: float, colour: str, strength: float = 0.7) -> None:
        """Lay a soft light over what is drawn so far."""
        mask = Image.new("L", self.image.size, 0)
        reach = radius * SCALE
        ImageDraw.Draw(mask).ellipse(
            (x * SCALE - reach / 2, y * SCALE - reach / 2, x * SCALE + reach / 2, y * SCALE + reach / 2),
            fill=round(255 * strength),
        )
        mask = mask.filter(ImageFilter.GaussianBlur(reach / 3))
        self.image.paste(Image.new("RGB", self.image.size, rgb(colour)), mask=mask)
        self.pen = ImageDraw.Draw(self.image)

    def hills(self, base: float, height: float, colour: str, seed: float, waves: float = 2.2) -> None:
        """Draw a ridge from side to side, down to the lower edge."""
        ridge = [
            (x, base - height * (0.55 + 0.3 * math.sin(x / self.width * waves * 6.28 + seed)
             + 0.15 * math.sin(x / self.width * waves * 15 + seed * 3)))
            for x in range(0, self.width + 9, 8)
        ]  # fmt: skip
        self.polygon([(0, self.height), *ridge, (self.width, self.height)], colour)

    def tree(self, x: float, foot: float, size: float, leaves: str, trunk: str = "5b4636", lean: float = 0) -> None:
        self.line([(x, foot), (x + lean / 2, foot - size * 0.5)], trunk, size * 0.09)
        light = blend(rgb(leaves), (255, 255, 230), 0.18)
        for dx, dy, part in ((-0.22, 0.62, 0.27), (0.22, 0.62, 0.27), (0, 0.85, 0.3), (0, 0.6, 0.28)):
            self.disc(x + dx * size + lean * dy, foot - dy * size, part * size, leaves)
        self.disc(x - 0.1 * size + lean * 0.9, foot - 0.92 * size, 0.15 * size, light)

    def house(
        self, x: float, foot: float, width: float, height: float, wall: Colour, roof: Colour, lit: str = ""
    ) -> None:
        self.box(x, foot - height, width, height, wall)
        shade = blend(wall, (20, 24, 50), 0.12)
        self.box(x + width * 0.72, foot - height, width * 0.28, height, shade)
        self.polygon(
            [(x - 6, foot - height), (x + width / 2, foot - height - width * 0.42), (x + width + 6, foot - height)],
            roof,
        )
        glass = lit or "8fb3c7"
        for row in range(max(1, int(height // 46))):
            for column in range(2):
                self.box(x + width * (0.17 + 0.42 * column), foot - height + 16 + 46 * row, width * 0.2, 24, glass, 2)

    def finished(self) -> Image.Image:
        return self.image.resize((self.width, self.height), Image.Resampling.LANCZOS)


def town(canvas: Canvas, foot: float, seed: int, *, lit: str = "", dark: float = 0) -> None:
    """Draw a street of houses from side to side."""
    chance = random.Random(seed)  # noqa: S311 - the same houses every time
    x = -20.0
    while x < canvas.width:
        width, height = chance.randint(62, 104), chance.randint(66, 158)
        wall = blend(
            rgb(chance.choice(("e9d8c3", "f1c9a5", "d9e2dc", "e7b7a0", "cfd6e4", "f3e3b3"))), (24, 28, 58), dark
        )
        roof = blend(rgb(chance.choice(("a4543f", "8a4b3c", "6d5a63", "b7653f"))), (24, 28, 58), dark)
        glass = lit if chance.random() < 0.7 else ""
        canvas.house(x, foot, width, height, wall, roof, glass or "55617e" * bool(lit))
        x += width + chance.randint(-4, 14)


def water(canvas: Canvas, top: int, bottom: int, colours: tuple[str, str], glint: str, seed: int) -> None:
    """Draw a river with short strokes of light on it."""
    canvas.gradient(top, bottom, *colours)
    chance = random.Random(seed)  # noqa: S311 - the same waves every time
    for _ in range(150):
        y = top + (bottom - top) * chance.random() ** 0.8
        length = 16 + (y - top) / (bottom - top) * chance.randint(30, 120)
        x = chance.randint(-40, canvas.width)
        place = blend(rgb(colours[0]), rgb(colours[1]), (y - top) / (bottom - top))
        canvas.line([(x, y), (x + length, y)], blend(place, rgb(glint), chance.uniform(0.15, 0.5)), 2.4)


def bridge() -> Image.Image:
    """A footbridge in the evening sun."""
    canvas = Canvas()
    canvas.gradient(0, 560, "39507f", "c0718a", "f6a571", "ffdca0")
    canvas.glow(930, 420, 420, "fff0b8")
    canvas.disc(930, 430, 54, "fff3cf")
    canvas.hills(540, 150, "8d5f7f", 0.6)
    canvas.hills(556, 90, "6b4a70", 2.4, 3)
    town(canvas, 566, 4, lit="ffd98a", dark=0.35)
    water(canvas, 560, HEIGHT, ("e79a78", "3c4a78"), "ffe3b0", 11)
    deck = [(x, 596 - 96 * math.sin(math.pi * x / WIDTH)) for x in range(-20, WIDTH + 41, 20)]
    arch = [(x, 700 - 300 * math.sin(math.pi * (x - 120) / (WIDTH - 240))) for x in range(120, WIDTH - 119, 16)]
    for x, y in arch[3:-3:3]:
        road = 596 - 96 * math.sin(math.pi * x / WIDTH)
        canvas.line([(x, y), (x, road)], "e9e4ee", 3)
    canvas.line(arch, "f7f3ee", 17)
    canvas.line([(x, y + 6) for x, y in arch], "c9bfd0", 5)
    canvas.polygon([*deck, *[(x, y + 24) for x, y in reversed(deck)]], "4b3a5c")
    canvas.line(deck, "f7f3ee", 6)
    for x, y in deck[2:-2:2]:
        canvas.line([(x, y), (x, y - 30)], "f1e6dc", 3)
    canvas.line([(x, y - 30) for x, y in deck], "f1e6dc", 3)
    for x in (118, 1162):
        canvas.box(x - 26, 560, 52, HEIGHT - 600, "57456a", 6)
    return canvas.finished()


def storm() -> Image.Image:
    """A still of a street camera under rain."""
    canvas = Canvas()
    canvas.gradient(0, HEIGHT, "2b3345", "4a566b", "7d8794", "5f6a75")
    chance = random.Random(7)  # noqa: S311 - the same clouds every time
    for _ in range(46):
        x, y = chance.randint(-60, WIDTH + 60), chance.randint(-40, 230)
        canvas.disc(x, y, chance.randint(70, 170), blend(rgb("262d3d"), rgb("5b677b"), y / 300 + 0.13), 0.5)
    canvas.line([(872, 214), (836, 316), (882, 312), (828, 450)], "fdf6c9", 7)
    canvas.glow(850, 320, 200, "e9ecff", 0.35)
    canvas.line([(872, 214), (836, 316), (882, 312), (828, 450)], "fffbe0", 5)
    town(canvas, 640, 12, lit="f5d27a", dark=0.45)
    canvas.box(0, 638, WIDTH, 215, "3d444e")
    canvas.polygon([(0, HEIGHT), (430, 640), (850, 640), (WIDTH, HEIGHT)], "4a525d")
    for step in range(5):
        y = 660 + step * step * 11
        canvas.box(632 - step * 2, y, 16 + step * 5, 14 + step * 7, "a7aeb5", 2)
    for x, size in ((90, 250), (300, 170), (1010, 190), (1190, 270)):
        canvas.tree(x, 700 if size < 200 else 770, size, "2f4a41", "3a2f28", lean=-48)
    for _ in range(420):
        left, top = chance.uniform(-50, WIDTH + 90), chance.uniform(-30, HEIGHT)
        long = chance.uniform(18, 46)
        canvas.line(
            [(left, top), (left - long * 0.42, top + long)], blend(rgb("7d8a99"), rgb("dfe7ee"), chance.random()), 1.6
        )
    canvas.text(40, 48, "CAM 04   18:42:07", 30, "f2f5f7", "lm")
    canvas.disc(WIDTH - 138, 48, 11, "ff5147")
    canvas.text(WIDTH - 112, 48, "REC", 30, "f2f5f7", "lm")
    return canvas.finished()


def library() -> Image.Image:
    """A reading room: shelves, a window, a lamp."""
    canvas = Canvas()
    canvas.gradient(0, HEIGHT, "f4e6cf", "e8d2b0")
    chance = random.Random(21)  # noqa: S311 - the same books every time
    for left, wide in ((40, 500), (900, 340)):
        canvas.box(left, 60, wide, 640, "8a5a3c", 10)
        for row in range(4):
            top = 82 + row * 152
            canvas.box(left + 20, top, wide - 40, 132, "6f4630", 4)
            x = left + 26
            while x < left + wide - 52:
                thick, tall = chance.randint(16, 34), chance.randint(84, 122)
                colour = chance.choice(("c8553d", "2f6690", "81a4cd", "f2b134", "3a7d5c", "ede0c8", "7b4b94", "d98c5f"))
                canvas.box(x, top + 132 - tall, thick, tall, colour, 3)
                canvas.box(x + 3, top + 132 - tall + 14, thick - 6, 5, blend(rgb(colour), (255, 255, 255), 0.5))
                x += thick + 2
    canvas.box(584, 70, 272, 400, "fdfaf3", 130)
    canvas.box(600, 86, 240, 368, "a9d3e6", 116)
    canvas.disc(690, 300, 60, "dff1f7", 0.4)
    canvas.disc(762, 250, 44, "eef8fb", 0.4)
    canvas.polygon([(600, 400), (680, 350), (770, 392), (840, 356), (840, 452), (600, 452)], "7fae7c")
    canvas.line([(720, 70), (720, 470)], "fdfaf3", 11)
    canvas.line([(590, 270), (850, 270)], "fdfaf3", 11)
    canvas.box(0, 700, WIDTH, 153, "c79b6b")
    canvas.box(380, 610, 560, 34, "9c6a44", 8)
    for x in (420, 880):
        canvas.box(x, 640, 26, 180, "845636", 4)
    canvas.glow(560, 560, 230, "fff3c4", 0.6)
    canvas.line([(560, 612), (560, 520)], "4a4e57", 8)
    canvas.polygon([(505, 524), (535, 462), (585, 462), (615, 524)], "2f7d6b")
    canvas.box(520, 600, 80, 14, "4a4e57", 6)
    canvas.polygon([(690, 606), (780, 588), (780, 600), (690, 612)], "fffdf6")
    canvas.polygon([(780, 588), (870, 606), (870, 612), (780, 600)], "f3ead7")
    return canvas.finished()


def bakery() -> Image.Image:
    """A baker's shop in the morning."""
    canvas = Canvas()
    canvas.gradient(0, HEIGHT, "cfe6ee", "fbeedd", "fbeedd")
    canvas.box(110, 90, 1060, 660, "f0c9a0", 12)
    canvas.box(110, 90, 1060, 74, "c97b4a", 12)
    for column in range(11):
        canvas.box(128 + column * 96, 108, 62, 38, "dd9a6b", 6)
    canvas.box(160, 270, 620, 380, "6c4331", 10)
    canvas.box(178, 288, 584, 344, "fff1d0", 6)
    canvas.glow(470, 380, 330, "ffe2a1", 0.5)
    for shelf, kinds in ((432, "abcab"), (610, "cbabc")):
        canvas.box(178, shelf, 584, 18, "a8703f")
        for place, kind in enumerate(kinds):
            x = 240 + place * 116
            if kind == "a":
                canvas.disc(x, shelf - 36, 48, "c47f3b", 0.74)
                for cut in (-22, 0, 22):
                    canvas.line([(x + cut - 8, shelf - 56), (x + cut + 8, shelf - 34)], "f0c98a", 5)
            elif kind == "b":
                canvas.box(x - 48, shelf - 62, 96, 62, "b96f33", 26)
                canvas.box(x - 38, shelf - 56, 76, 20, "dca55f", 10)
            else:
                for dx, dy in ((-26, 20), (26, 20), (0, 56)):
                    canvas.disc(x + dx, shelf - dy, 24, "d8954c", 0.82)
                    canvas.disc(x + dx - 6, shelf - dy - 6, 9, "f2cd92", 0.7)
    canvas.box(850, 270, 250, 480, "5a7d6a", 10)
    canvas.box(880, 300, 190, 220, "d8ecef", 8)
    canvas.disc(1066, 590, 12, "f3d27a")
    for stripe in range(14):
        colour = "e4572e" if stripe % 2 else "fff7ea"
        x = 130 + stripe * 73
        canvas.polygon([(x, 196), (x + 73, 196), (x + 73, 262), (x, 262)], colour)
        canvas.disc(x + 36.5, 262, 36.5, colour, 0.6)
    canvas.box(0, 748, WIDTH, 105, "b9b4ab")
    canvas.box(0, 748, WIDTH, 12, "9d978d")
    for x in (64, 1216):
        canvas.box(x - 36, 686, 72, 70, "b0643f", 8)
        canvas.tree(x, 694, 150, "4f8a5b")
    return canvas.finished()


def museum() -> Image.Image:
    """A house with columns, lit in the evening."""
    canvas = Canvas()
    canvas.gradient(0, 700, "16213f", "2c3e6d", "6a5a86")
    chance = random.Random(3)  # noqa: S311 - the same stars every time
    for _ in range(90):
        canvas.disc(chance.randint(0, WIDTH), chance.randint(0, 330), chance.uniform(0.8, 2.1), "dfe6ff")
    canvas.disc(1080, 130, 46, "f6f1d8")
    canvas.disc(1062, 120, 42, "1c274a")
    canvas.hills(660, 130, "232b4d", 1.2)
    canvas.glow(640, 480, 620, "ffcf8a", 0.55)
    canvas.box(230, 330, 820, 360, "d9b98a")
    canvas.polygon([(200, 334), (640, 176), (1080, 334)], "ecd2a4")
    canvas.polygon([(290, 318), (640, 196), (990, 318)], "cfa873")
    canvas.disc(640, 276, 28, "ecd2a4")
    canvas.box(200, 330, 880, 34, "f3deb5", 4)
    for column in range(6):
        x = 262 + column * 140
        canvas.box(x, 378, 56, 290, "f6e7c6", 4)
        canvas.box(x + 38, 378, 18, 290, "d8bd90", 4)
        canvas.box(x - 9, 364, 74, 20, "fbf0d5", 4)
        canvas.box(x - 9, 658, 74, 20, "fbf0d5", 4)
        if column < 5:
            tall = 220 if column == 2 else 150
            canvas.box(x + 74, 668 - tall, 48, tall, "7a4a2b" if column == 2 else "ffe6a3", 8)
    for step in range(4):
        canvas.box(190 - step * 34, 678 + step * 24, 900 + step * 68, 26, blend(rgb("e9d3aa"), rgb("a98f78"), step / 4))
    canvas.box(0, 772, WIDTH, 81, "2f3350")
    for x in (70, 1210):
        canvas.line([(x, 780), (x, 560)], "15192b", 8)
        canvas.glow(x, 552, 110, "ffe9ad", 0.8)
        canvas.disc(x, 552, 18, "fff6d8")
    return canvas.finished()


def orchard() -> Image.Image:
    """A collage: rows of trees, a blossom, an apple."""
    rows = Canvas(760, 853)
    rows.gradient(0, 430, "8ecae6", "e9f5f2")
    rows.disc(590, 130, 58, "fff2b2")
    rows.hills(430, 120, "a7c99a", 0.2, 1.4)
    rows.gradient(424, 853, "9bc47d", "5d9150")
    for line in range(5):
        foot, size = 470 + line * 88, 78 + line * 40
        for place in range(-1, 6):
            x = 380 + (place - 2.2 + (line % 2) * 0.5) * size * 1.5
            rows.tree(x, foot, size, ("f7c5cf", "f9d7dc", "f3b3c2")[(place + line) % 3], "6b4c3b")
    blossom = Canvas(500, 420)
    blossom.gradient(0, 420, "bfe3ea", "e3f3e6")
    blossom.line([(-10, 350), (180, 270), (330, 160), (520, 90)], "6b4c3b", 17)
    for x, y, size in ((170, 250, 92), (350, 160, 74)):
        for petal in range(5):
            angle = petal * 1.2566 + 0.3
            blossom.disc(x + math.cos(angle) * size * 0.62, y + math.sin(angle) * size * 0.62, size * 0.5, "fbdbe3")
            blossom.disc(x + math.cos(angle) * size * 0.8, y + math.sin(angle) * size * 0.8, size * 0.26, "fdeef2")
        blossom.disc(x, y, size * 0.26, "f5c04a")
    blossom.disc(420, 300, 46, "7fb069", 0.5)
    apple = Canvas(500, 413)
    apple.gradient(0, 413, "fdebc8", "f8d49a")
    apple.disc(210, 232, 104, "d63c33")
    apple.disc(296, 232, 104, "d63c33")
    apple.disc(186, 196, 26, "ee8277", 1.3)
    apple.line([(252, 146), (268, 84)], "5d3b24", 11)
    apple.polygon([(270, 112), (318, 62), (384, 70), (338, 118)], "6fa857")
    collage = Image.new("RGB", (WIDTH, HEIGHT), (255, 255, 255))
    collage.paste(rows.finished(), (0, 0))
    collage.paste(blossom.finished(), (780, 0))
    collage.paste(apple.finished(), (780, 440))
    return collage


def harvest() -> Image.Image:
    """A chart of five years."""
    canvas = Canvas()
    canvas.gradient(0, HEIGHT, "fdf8ec", "f7ecd2")
    values = (("2021", 41), ("2022", 36), ("2023", 47), ("2024", 52), ("2025", 63))
    for level in range(0, 71, 10):
        y = 700 - level * 8
        canvas.line([(150, y), (1190, y)], "e4d8bd", 2)
        canvas.text(128, y, str(level), 26, "8b7f68", "rm")
    for place, (year, value) in enumerate(values):
        x, tall = 200 + place * 200, value * 8
        newest = place == len(values) - 1
        canvas.box(x, 700 - tall, 128, tall, "e0a526" if newest else "f0cd7d", 10)
        canvas.box(x, 688, 128, 12, "e0a526" if newest else "f0cd7d")
        canvas.text(x + 64, 670 - tall, str(value), 40, "4a4032")
        canvas.text(x + 64, 740, year, 30, "6f654f")
        for grain in range(3):
            canvas.disc(x + 64, 700 - tall + 42 + grain * 30, 12, "fff3cf", 0.62)
    canvas.line([(150, 700), (1190, 700)], "8b7f68", 4)
    for x in (70, 1225):
        canvas.line([(x, 830), (x, 560)], "9aa15a", 5)
        for ear in range(7):
            for side in (-1, 1):
                y = 570 + ear * 26
                canvas.polygon([(x, y + 18), (x + side * 22, y - 16), (x + side * 8, y - 20)], "e0b04a")
    return canvas.finished()


SCENES: tuple[Callable[[], Image.Image], ...] = (bridge, storm, library, bakery, museum, orchard, harvest)


def main() -> None:
    """Write every scene beside the articles."""
    photos = Path(__file__).parent / "photos"
    photos.mkdir(exist_ok=True)
    for scene in SCENES:
        scene().save(photos / f"{scene.__name__}.jpg", quality=QUALITY, optimize=True, progressive=True)


if __name__ == "__main__":
    main()
