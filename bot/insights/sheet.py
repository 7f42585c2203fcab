"""A sheet of paper and the letters on it: what a chart is drawn with. Knows nothing of what is drawn.

The letters are Roboto, as the package `fontpkg-roboto` carries them: no font of the machine is relied on.
"""

from __future__ import annotations

import io
from importlib.resources import as_file, files

from PIL import Image, ImageDraw, ImageFont

Point = tuple[float, float]
Colour = str | tuple[int, int, int]

_LETTERS = "Roboto[wdth,wght].ttf"
_WEIGHTS = {False: 400, True: 650}
_ELLIPSIS = "…"
_NOWHERE = "\U0010ffff"  # no font has a letter for it, so its picture is that of a missing letter


class Sheet:
    """Paper of so many pixels. Text is given its room, and is cut where it has not enough."""

    def __init__(self, width: int, height: int, colour: Colour) -> None:
        self._image = Image.new("RGB", (width, height), colour)
        self._pen = ImageDraw.Draw(self._image)
        self._fonts: dict[tuple[int, bool], ImageFont.FreeTypeFont] = {}
        self._has: dict[str, bool] = {}

    def box(self, left: float, top: float, right: float, bottom: float, colour: Colour, *, radius: int = 0) -> None:
        """Fill a rectangle, its edges included; corners may be round."""
        area = (round(left), round(top), round(right), round(bottom))
        if radius:
            self._pen.rounded_rectangle(area, radius, fill=colour)
        else:
            self._pen.rectangle(area, fill=colour)

    def line(self, left: float, right: float, y: float, colour: Colour) -> None:
        """Draw a thin level line."""
        self._pen.line([(round(left), round(y)), (round(right), round(y))], fill=colour, width=2)

    def write(
        self,
        at: Point,
        words: str,
        size: int,
        colour: Colour,
        *,
        bold: bool = False,
        anchor: str = "la",
        room: float | None = None,
    ) -> None:
        """Write one line.

        Args:
            anchor: Pillow's: where `at` lies in the text ("la": left and top, "ms": middle of the base line).
            room: pixels that it may be wide.
        """
        font = self._font(size, bold)
        words = self._readable(words)
        if room is not None:
            words = _cut(words, font, room)
        self._pen.text((round(at[0]), round(at[1])), words, fill=colour, font=font, anchor=anchor)

    def breadth(self, words: str, size: int, *, bold: bool = False) -> float:
        """Return how many pixels a line would be wide."""
        return self._font(size, bold).getlength(words)

    def png(self) -> bytes:
        """Return the sheet as it is now."""
        out = io.BytesIO()
        self._image.save(out, "PNG")
        return out.getvalue()

    def _font(self, size: int, bold: bool) -> ImageFont.FreeTypeFont:
        if (size, bold) not in self._fonts:
            with as_file(files("fontpkg_roboto") / "files" / _LETTERS) as path:
                # The simple layout: whatever a title holds, its letters go from left to right.
                font = ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)
            font.set_variation_by_axes([_WEIGHTS[bold], 100])
            self._fonts[size, bold] = font
        return self._fonts[size, bold]

    def _readable(self, words: str) -> str:
        """Leave out what there are no letters for (emoji above all), and make all space one blank."""
        font = self._font(32, False)
        missing = font.getmask(_NOWHERE)
        for letter in set(words) - self._has.keys():
            drawn = font.getmask(letter)
            self._has[letter] = letter.isspace() or (drawn.size, bytes(drawn)) != (missing.size, bytes(missing))
        return " ".join("".join(letter for letter in words if self._has[letter]).split())


def _cut(words: str, font: ImageFont.FreeTypeFont, room: float) -> str:
    if font.getlength(words) <= room:
        return words
    fits, too_long = 0, len(words)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if font.getlength(words[:middle].rstrip() + _ELLIPSIS) <= room:
            fits = middle
        else:
            too_long = middle
    return words[:fits].rstrip() + _ELLIPSIS
