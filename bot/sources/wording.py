"""Lines that a page prints around its text: credits, the author, calls to action. Shared by the page and text readers.

Only tells them from prose; what a credit is and says is `compose.credit`'s to know.
"""

from __future__ import annotations

import re

from bot.compose.credit import parse

_MAX_CALL = 220
_INSIDE = re.compile(
    r"(?:^|[.,;!?/|)»\"”\n]\s*|\s[–—-]\s+|\s)(?=[(\[]?(?:фото|світлина|скр[иі]ншот|ілюстра|©|колаж|photo))",
    re.IGNORECASE,
)
_AUTHOR = re.compile(
    r"(?:автор(?:ка|и|ки)?(?:\s+(?:тексту|статті|матеріалу|публікації))?|журналіст(?:ка|и)?|текст|підготува(?:в|ла|ли))"
    r"\s*[:–—-]\s*(\S.{0,150})",
    re.IGNORECASE,
)
_CALL_VERB = re.compile(
    r"^\W*(?:не\s+забудьте\s+)?(?:підпис(?:уйте?с[ья]|уйся|атис[ья])|підпиш(?:іт[ьс]\w*|ись)|стежте|слідкуйте|долуч(?:айтес[ья]|іться)"
    r"|доєднуйтес[ья]|приєдн(?:уйтес[ья]|айтес[ья])|читайте\s+(?:нас|нові|новини|наш|більше)|(?:завжди\s+)?будьте\s+в\s+курсі"
    r"|більше\s+(?:новин|матеріалів|цікавого)|вподобайте|ставте\s+вподобайк|шукайте\s+нас|ми\s+(?:в|у|на)\s+(?:telegram|телеграм|facebook|фейсбу|viber|google))",
    re.IGNORECASE,
)
_CALL_PLACE = re.compile(
    r"telegram|телеграм|т[гk]-канал|канал|facebook|фейсбу[кц]|viber|вайбер|whats ?app|вотсап|instagram|інстаграм"
    r"|youtube|ютуб|tiktok|тікток|twitter|твітер|threads|google|гугл|сторінк|соцмереж|соціальних мереж|розсилк"
    r"|спільнот|груп|\bнас\b|\bнам\b|наш",
    re.IGNORECASE,
)
_ALSO = re.compile(
    r"^\W*(?:(?:читайте|дивіться|слухайте)\s+(?:також|ще)|(?:також\s+)?(?:читайте|дивіться)\s+на\s+\S+|також\s+за\s+темою|до\s+теми"
    r"|читати\s+(?:також|далі|більше|ще))\b",
    re.IGNORECASE,
)
_OPENS_QUOTE = ('"', "«", "„", "“", "–", "—", "- ")


def is_credit(line: str) -> bool:
    """Return whether a line of its own is a picture's credit: «Фото: ДСНС», «Скриншот з відео СБУ»."""
    line = line.strip()
    return "\n" not in line and parse(line) is not None


def credit_in(text: str) -> str | None:
    """Return the credit inside a caption («Наслідки обстрілу. Фото: ДСНС»), as printed, or None."""
    text = text.strip().strip("|").strip()
    for found in _INSIDE.finditer(text):
        rest = text[found.end() :].strip()
        # inside a caption only what is set off by a mark is surely a credit
        set_off = bool(found[0].strip())
        if is_credit(rest) and (set_off or rest.startswith(("(", "[", "©"))):
            return rest.strip("()[] ")
    return text if is_credit(text) else None


def author_in(line: str) -> str | None:
    """Return the name of a line like «Автор: Марко Зразок», or None."""
    found = _AUTHOR.fullmatch(line.strip())
    if not found or len(found[1].split()) > 10:
        return None
    return found[1].strip().rstrip(".")


def is_call(paragraph: str) -> bool:
    """Return whether a paragraph is the page's own call to action, or its pointer to another article."""
    line = " ".join(paragraph.split())
    if not line or len(line) > _MAX_CALL or line.startswith(_OPENS_QUOTE):
        return False
    return bool((_CALL_VERB.search(line) and _CALL_PLACE.search(line)) or _ALSO.search(line))
