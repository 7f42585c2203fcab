"""Lines that a page prints around its text: credits, the author, calls to action. Shared by the page and text readers.

Only tells them from prose; what a credit says is parsed by `compose`.
"""

from __future__ import annotations

import re

_MAX_CREDIT = 120
_MAX_CALL = 220
_KIND = (
    r"(?:фото(?:графія|колаж|ілюстрація)?|світлин[аи]|знім(?:ок|ки)|скр[иі]н(?:шоти?)?|(?:стоп-?)?кадри?|колаж|коллаж|ілюстрація"
    r"|иллюстрация|зображення|відео|інфографіка|инфографика|карта|мапа|карикатура|графіка|малюнок|фотограф(?:ка|иня)?"
    r"|photo|image|screenshot|illustration|infographic|collage|(?:photo|image|picture)\s+credit|video\s+still"
    r"|zdjęcie|ilustracja|infografika|kolaż|fot\.?|credit|zrzut ekranu|kadr)"
)
_MADE_FOR = r"(?:(?:і|и)л+юстра\w+|архівн\w+|головн\w+|illustrative|file)"
_CREDIT_COLON = re.compile(
    rf"[(\[]?\s*(?:(?:автор(?:ка|и)?|джерело|{_MADE_FOR})\s+)?{_KIND}(?:(?:,|\s+та|\s+й|\s+і)\s*{_KIND})*"
    rf"(?:\s*\([^)]{{1,40}}\)|\s+{_MADE_FOR}|\s+і?з\s+(?:відео|фільму|мережі)|\s+обкладинки)?\s*[:–—|/©-]\s*(?P<rest>\S.*)",
    re.IGNORECASE,
)
# without a colon only where prose would hardly go on like this
_CREDIT_BARE = re.compile(
    rf"[(\[]?\s*(?:(?:{_MADE_FOR}|автор(?:ка)?)\s+)?(?P<kind>{_KIND})(?P<rest>(?:[\s,]+[^\s,]+){{1,7}})[)\]]?"
    rf"|[(\[]?\s*(?:{_MADE_FOR}\s+{_KIND}|скр[иі]н(?:шот)?|колаж|ілюстрація)[)\]]?"
    r"|[(\[]?\s*(?:©|\([cс]\))\s*(?P<owner>\S.*)",
    re.IGNORECASE,
)
_PROSE = re.compile(
    r"^\W*(?:як|що|де|чи|коли|чому|хто|скільки|how|what|why|дня|тижня|року|та|й|і|того|цієї|цього"
    r"|який|яка|яке|які|of|\d+(?=\s|$)|\d{4}-х|на паспорт)(?!\w)"
    r"|\b\w{3,}(?:вся|лася|лося|лися|лись|ються|еться|ється|увало|ували|увала|ував|ують|ує|икав|ликало|ликала)\b"
    r"|\b(?:показа\w+|переда(?:ли|в|ла|ють)|дивіт\w+|видали\w+|збентежи\w+|врази\w+|взорва\w+|зросла|став|стала|стало|стали|був|була|було"
    r"|були|буде|має|мають)\b"
    r"|\b(?-i:(?!нада|справ\b|держав\b)[а-яіїєґ]{2,}(?:али|или|іли|їли|ала|ила|іла|ало|ило|ають|яють|ить|ать|ять|ав|яв|рив|вів))\b|\bshows\b"
    r"|\bзробити\b|\bвесь світ\b|(?:усі|всі|все) права",
    re.IGNORECASE,
)
# after a colon a name comes, an office or a place of finding; these words tell what the picture shows
_SCENE = re.compile(
    r"^(?:нов(?:ий|а|е|і)|зруйнован\w+|пошкоджен\w+|пожеж\w+|момент\w*|вигляд|відкриття|вулиц\w+|площ\w+|будин\w+"
    r"|аварі\w+|наслідк\w+|міста|вид|у|в|на)\b"
    r"|\b(?:на (?:місці|складі)|під час|після|перед|до і після|під обстрілом|зустрічі|підозрюваних)\b",
    re.IGNORECASE,
)
_INSIDE = re.compile(
    r"(?:^|[.,;!?/|)»\"”\n]\s*|\s[–—-]\s+|\s)(?=[(\[]?(?:фото|світлина|скр[иі]ншот|ілюстра|©|колаж|photo))",
    re.IGNORECASE,
)
_ENDS_A_SENTENCE = re.compile(r"[!?…]\s*$|[а-яіїєґ]{3}\.\s*$|[.!?]\s+[А-ЯІЇЄҐ][а-яіїєґ]{3,}")
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
    if not line or len(line) > _MAX_CREDIT or "\n" in line:
        return False
    stated = _CREDIT_COLON.fullmatch(line)
    if stated:
        rest = stated["rest"]
        if rest[:1].islower() and _SCENE.search(rest) and not rest.endswith(")"):
            return False
        return not _PROSE.search(rest) and (not _ENDS_A_SENTENCE.search(line) or len(line.split()) <= 6)
    bare = _CREDIT_BARE.fullmatch(line)
    if not bare or _ENDS_A_SENTENCE.search(line):
        return False
    rest = bare["rest"] or bare["owner"] or ""
    moving = (bare["kind"] or "").lower().startswith(("відео", "карта", "мапа", "графіка", "малюнок", "image"))
    return not moving and not _PROSE.search(rest.strip())


def credit_in(text: str) -> str | None:
    """Return the credit inside a caption («Наслідки обстрілу. Фото: ДСНС»), as printed, or None."""
    text = text.strip().strip("|").strip()
    if is_credit(text):
        return text
    for found in _INSIDE.finditer(text):
        rest = text[found.end() :].strip()
        # inside a caption only what is set off by a mark is surely a credit
        set_off = bool(found[0].strip())
        if is_credit(rest) and (set_off or rest.startswith(("(", "[", "©"))):
            return rest.strip("()[] ")
    return None


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
