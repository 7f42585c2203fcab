"""The words photo credits are made of: Ukrainian first, then Russian, English and Polish. Tables only."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.domain.post import CreditKind

_PHOTO, _SCREENSHOT, _VIDEO = CreditKind.PHOTO, CreditKind.SCREENSHOT, CreditKind.VIDEO
_ILLUSTRATION, _COLLAGE, _INFOGRAPHIC = CreditKind.ILLUSTRATION, CreditKind.COLLAGE, CreditKind.INFOGRAPHIC


@dataclass(frozen=True, slots=True)
class Noun:
    """A word that opens a credit.

    `loose`: a source may follow after a mere space ("Фото ДСНС"), else only after a colon, dash or slash.
    `alone`: a credit even with no source ("Скриншот з відео").
    """

    pattern: str
    kind: CreditKind
    loose: bool = True
    alone: bool = False


_FROM_VIDEO = r"(?:(?:\s+(?:з|із|зі|из|z|ze))?\s+(?:відео|видео|відеозапису|wideo|filmu)|\s+from\s+(?:the\s+)?video)"
NOUNS = (
    Noun(rf"(?:скрин|скрін)(?:шот)?и?{_FROM_VIDEO}", _SCREENSHOT, alone=True),
    Noun(rf"(?:screenshot|screen grab|zrzut ekranu){_FROM_VIDEO}", _SCREENSHOT, alone=True),
    Noun(r"(?:скрин|скрін)(?:шот)?и?(?:\s+екрана?)?", _SCREENSHOT, alone=True),
    Noun(r"screenshot|screen grab|zrzut ekranu", _SCREENSHOT, loose=False, alone=True),
    Noun(rf"(?:стоп-?\s?кадр|кадр)и?{_FROM_VIDEO}|(?:kadr|stopklatka){_FROM_VIDEO}", _VIDEO, alone=True),
    Noun(r"стоп-?\s?кадри?|video still|still|stopklatka", _VIDEO, loose=False, alone=True),
    Noun(r"кадри?(?=\s+(?:з|із|зі|из)\s+(?:фільму|серіалу|трансляції|ефіру|кліпу|трейлера|фильма|сериала)\b)", _VIDEO),
    Noun(r"кадри?|відео|видео|video|wideo", _VIDEO, loose=False),
    Noun(r"(?:фото|photo)?-?кол{1,2}аж|fotokolaż|kolaż|collage", _COLLAGE, alone=True),
    Noun(r"інфографіка|инфографика|infografika|infographic", _INFOGRAPHIC, alone=True),
    Noun(r"графіка|графика|grafika|graphics?|мапа|карта|map|mapa", _INFOGRAPHIC, loose=False),
    Noun(r"ілюстрація|иллюстрация|ilustracja|illustration", _ILLUSTRATION, alone=True),
    Noun(r"зображення|изображение", _ILLUSTRATION),
    Noun(
        r"малюнок|карикатура|рисунок|візуалізація|рендер|image credit|images?|rysunek|grafika",
        _ILLUSTRATION,
        loose=False,
    ),
    Noun(r"автор(?:ка|и)?\s+(?:фото(?:графії)?|світлини?|знімк[аи]|фотографии)", _PHOTO),
    Noun(r"джерел[оа]\s+(?:фото(?:графії)?|світлини?|знімк[аи]|зображення)", _PHOTO),
    Noun(r"фотограф(?:ка|иня)?|photographer|photo credits?|credits?|picture|źródło zdjęcia", _PHOTO, loose=False),
    Noun(r"photos?\s+(?:courtesy\s+of|by)|image\s+by|courtesy\s+of", _PHOTO),
    Noun(r"photos?|zdjęci[ea]", _PHOTO, loose=False),
    Noun(r"fot\.|фот\.", _PHOTO),
    Noun(r"фото(?:графі[яї]|графи[яи]|знімок)?|світлин[аи]|знім(?:ок|ки)", _PHOTO),
)
ILLUSTRATIVE = (
    r"(?:ілюстра(?:тивн|ційн)\w{1,3}|иллюстра(?:тивн|ционн)\w{1,3}|illustrative|ilustracyjn\w{1,2}|poglądow\w{1,2})"
)
ARCHIVAL = r"(?:архівн\w{1,2}|архивн\w{1,2}|archival|archiwaln\w{1,2})"
ALSO_VIDEO = r"\s*(?:,|та|і|й|и|/|\+|and|i)\s*(?:відео|видео|video|wideo)"

# Ways to say the same, and the one way the house says it.
SAME = tuple(
    (re.compile(pattern, re.IGNORECASE), house)
    for pattern, house in (
        (
            r"^(?:з|із|зі|из|с)?\s*(?:відкрит(?:их|і)\s+джерела?|открыт(?:ых|ые)\s+источник(?:ов|и))$",
            "з відкритих джерел",
        ),
        (r"^open sources?$|^źródła otwarte$", "з відкритих джерел"),
        (
            r"^(?:(?:з|із|из)\s+)?(?:особист(?:ого|ий)|приватн(?:ого|ий)|личн(?:ого|ый))\s+архів?и?в?у?$",
            "з особистого архіву",
        ),
        (r"^(?:из\s+)?личн(?:ого|ый)\s+архив[ае]?$|^archiwum prywatne$|^z archiwum prywatnego$", "з особистого архіву"),
        (
            r"^(?:(?:з|із|из)\s+)?(?:соцмереж[і]?|соціальн(?:их|і)\s+мереж[і]?|соцсет(?:ей|и)|социальных\s+сетей)$",
            "з соцмереж",
        ),
        (r"^(?:(?:з|із|из)\s+)?(?:мережі|інтернету|интернета|сети)$", "з мережі"),
        (
            r"^(?:згенерован[аеоий]{1,2}|створен[аеоий]{1,2})\s+(?:(?:за допомогою|з допомогою|через)\s+)?"
            r"(?:ші|ai|штучн(?:им|ого)\s+інтелект(?:ом|у)|нейромереж(?:ею|і))$",
            "згенеровано ШІ",
        ),
    )
)
SPELLING = (
    (re.compile(r"\b([Пп])рес(?:с-служб|-служб)(?=[аиіуоюы])"), r"\1ресслужб"),
    (re.compile(r"\b([Пп])ресслужбы\b"), r"\1ресслужби"),
)

# The genitive a credit without a colon stands in, and the nominative it is filed under.
GENITIVE = {
    "укрінформу": "Укрінформ", "суспільного": "Суспільне", "інтерфаксу": "Інтерфакс", "генштабу": "Генштаб",
    "офісу": "Офіс", "міноборони": "Міноборони", "центру": "Центр", "фонду": "фонд",
    "міністерства": "Міністерство", "управління": "управління", "командування": "командування",
    "агентства": "агентство", "видання": "видання", "нацполіції": "Нацполіція", "нацгвардії": "Нацгвардія",
    "поліції": "поліція", "прокуратури": "прокуратура", "служби": "служба", "пресслужби": "пресслужба",
    "бригади": "бригада", "адміністрації": "адміністрація", "міськради": "міськрада", "облради": "облрада",
    "ради": "рада", "гвардії": "гвардія", "редакції": "редакція", "мерії": "мерія", "компанії": "компанія",
    "організації": "організація", "спілки": "спілка", "федерації": "федерація", "асоціації": "асоціація",
    "студії": "студія", "митниці": "митниця", "лікарні": "лікарня", "комісії": "комісія",
}  # fmt: skip
FEMININE_SHORT = frozenset(("ОВА", "ОДА", "МВА", "РВА", "РДА", "ТГ", "ОТГ", "ОП", "ОС"))
# People who are named by what they are: kept in the nominative, printed in the genitive («Фото авторки»).
ROLES = {
    "автор": "автора", "авторка": "авторки", "автори": "авторів", "читач": "читача", "читачка": "читачки",
    "читачі": "читачів", "очевидець": "очевидця", "очевидиця": "очевидиці", "очевидці": "очевидців",
    "журналіст": "журналіста", "журналістка": "журналістки", "редакція": "редакції",
}  # fmt: skip
OF_ROLE = {genitive: role for role, genitive in ROLES.items()}

GIVEN = r"(?:надав|надала|надали|надане|надано|надані|люб'язно надав|люб'язно надала|люб'язно надали)"
FROM = r"(?:з|із|зі|из|со|від)"
# What may open a source in lower case after a colon.
LOWER_OPENING = re.compile(
    rf"^(?:{FROM}\s|{GIVEN}\b|т[-/.]?[кг]\b|тг[- ]|телеграм|telegram|facebook|instagram|youtube|facebook-|"
    rf"фейсбук|інстаграм|ютуб|соцмереж|соцсет|"
    r"архів|архив|archiwum|materiały|відкриті|открытые|открыт|особистий|приватний|згенер|створен|прес-?с?лужб|"
    r"пресс-служб|сайт|канал|скрин|"
    r"група |спільнота |сторінка |ua\.|wikimedia|wikipedia|вікіпедія|unsplash|pexels|pixabay|freepik|"
    r"shutterstock|depositphotos|"
    r"ілюстративне|люб'язно)",
    re.IGNORECASE,
)
# What may open a source after a mere space; «Фото з місця події…» is a sentence, «Фото з архіву редакції» a credit.
LOOSE_OPENING = re.compile(
    rf"^(?:{FROM}\s+(?:відкрит|открыт|особист|приватн|личн|родинн|сімейн|архів|архив|мереж|інтернет|соцмереж|"
    rf"соціальн|соцсет|социальн|сайт|сторінк|"
    rf"фейсбук|інстаграм|телеграм|facebook|instagram|telegram|youtube|канал|фільму|серіалу|трансляції|ефіру|"
    rf"кліпу|трейлера|фильма)|"
    rf"{GIVEN}\b|згенерован|створен|прес-?с?лужб|пресс-служб|т-к\b|телеграм-канал|archiwum)",
    re.IGNORECASE,
)
ORGANISATIONS = frozenset({*GENITIVE, *(name.casefold() for name in GENITIVE.values()), *ROLES, *OF_ROLE, "архів"})

AGENCIES = re.compile(
    r"^(?:Getty(?: Images)?|AP(?: Photo)?|AFP|Reuters|EPA(?:[-/ ]?(?:EFE|UPG))?|East ?News|УНІАН|УНИАН|"
    r"Укрінформ|Ukrinform|UNIAN|PAP|dpa|Bloomberg|"
    r"Shutterstock|Depositphotos|Unsplash|Pexels|Pixabay|Freepik|iStock|Alamy|Zuma(?: Press)?|Anadolu|NurPhoto|"
    r"LIGA\.net|Reuters/[\w ]+|AFP/[\w ]+|"
    r"AP/[\w ]+|ДСНС|СБУ|ДПСУ|Нацполіція)$",
    re.IGNORECASE,
)
DOMAIN = re.compile(r"^(?:https?://|www\.)?(?:[\w-]+\.)+(?:[a-z]{2,12}|укр|рф)(?:[/?#:]\S*)?$", re.IGNORECASE)

# Finite verbs make a caption or a headline of what looks like a source.
VERB = re.compile(
    r"^[а-яіїєґ'’-]{2,}(?:в?ся|в?сь|лась|лися|лося|ться|ють|уть|ать|ить|їть|ав|яв|ив|їв|ув|ала|яла|ила|їла|ула|"
    r"ело|ало|яло|ило|їло|уло|али|яли|или|"
    r"їли|ули|нено|ено|ано|ено|ует|ают|яют|ит|ют)$"
)
_LIKE_VERBS = "актив згенеровано канала канали надав надала надали надано портала створено"
NOT_VERB = frozenset(_LIKE_VERBS.split())

_FIRST_NAMES = """
    Олександра Олексія Андрія Анатолія Артема Богдана Бориса Вадима Валентина Валерія Василя Віктора Віталія
    Владислава Володимира В'ячеслава Георгія Григорія Данила Дениса Дмитра Едуарда Євгена Захара Івана Ігоря Іллі
    Кирила Костянтина Леоніда Лева Луки Максима Марка Матвія Михайла Мирослава Миколи Назара Олега Ореста Остапа
    Павла Петра Романа Ростислава Руслана Святослава Семена Сергія Станіслава Степана Тараса Тимофія Тимура Федора
    Филипа Юрія Якова Ярослава Аліни Алли Анастасії Ангеліни Анни Валентини Валерії Вікторії Віри Галини Ганни
    Дарини Дарії Дар'ї Діани Евеліни Єви Єлизавети Жанни Зої Інни Ірини Катерини Ксенії Лариси Лесі Лідії Лілії
    Любові Людмили Маргарити Марини Марії Марти Мар'яни Надії Наталі Наталії Ніни Оксани Олени Ольги Поліни Раїси
    Роксолани Світлани Соломії Софії Тамари Таїсії Тетяни Уляни Христини Юлії Яни Ярини Ярослави
"""
# «Олександра» and the like are a woman's nominative as well: after a colon they are taken as such.
_ALSO_NOMINATIVE = "Олександра Валентина Мирослава Станіслава Ярослава Владислава Святослава Богдана Романа"
GENITIVE_NAMES = frozenset(_FIRST_NAMES.split()) - frozenset(_ALSO_NOMINATIVE.split())
