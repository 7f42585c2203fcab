"""What stands under the title: the lead as the outlet wrote it, else the opening whole sentences of the body.

Never a sentence that leans on one left out, a subhead, a caption, an author line, a repeated title, a quotation
without its speaker, or the page's own call to action.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from bot.compose import credit, sentences
from bot.compose.body import Block, Kind, blocks
from bot.compose.markup import one_line
from bot.domain.article import Article

_ROOM = 1.5  # a lead up to this many times the target stays whole
_MOST_BLOCKS = 8  # a summary is the opening of an article, not its middle

_LEANING = re.compile(
    r"^[—–-]?\s*[«\"„]?(?:(?:він|вона|воно|вони|його|її|їх|їхн\w+|йому|їй|їм|ним|нею|ними|них|ньому|ній|"
    r"цей|ця|це|ці|цього|цієї|цим|цією|цими|цьому|цій|цих|цю|такий|така|таке|такі|такого|таких|таким|той|"
    r"та сама|те|ті|тих|тим|тоді|"
    r"також|теж|однак|проте|але|водночас|натомість|утім|втім|отже|отож|тож|тому|а|і|й|та|зокрема|наприклад|"
    r"тобто|відтак|адже|бо|причому|щоправда|"
    r"крім того|окрім того|крім цього|окрім цього|до того ж|при цьому|про це|про те|після цього|після того|"
    r"перед цим|до цього|для цього|попри це|"
    r"у зв['’ʼ]язку з цим|з огляду на це|внаслідок цього|за (?:його|її|їхніми|цими) (?:словами|даними)|"
    r"за словами (?:посадовця|чиновника|очільни\w+)|"
    r"так (?:само|каж|вваж|обіця|поясн|сказа|проком|відреаг|сталос|ствердж|пиш|заяв|говор|дума)\w*|"
    r"там|звідти|туди|серед них|один із них|одна з них|обидва|обидві|обоє|останній|остання|перший із них|"
    r"друг(?:ий|а) із них|"
    r"зі свого боку|своєю чергою|у свою чергу|більше того|ба більше|насамкінець|нагадаємо|нагадуємо|нагадаю|"
    r"як відомо|раніше|потім|далі|"
    r"он|она|оно|они|его|ее|её|этот|эта|это|эти|также|однако|но|при этом|об этом|кроме того|поэтому)(?![\w’'ʼ-]))",
    re.IGNORECASE,
)
# Openings that look like leaning but stand by themselves: «Це вже третій удар…» does lean, «Обидва міста» does not.
_STANDS = re.compile(r"^(?:та(?:к|м)?ож?(?=\w)|А(?:\.|[А-ЯІЇЄҐ]))")
_FURNITURE = re.compile(
    r"^(?:читайте|дивіться|слухайте|переглядайте|підпис(?:уйтесь|уйтеся|уйся|атись|атися)|підпишіться|"
    r"приєднуйтесь|приєднуйтеся|долучайтесь|долучайтеся|"
    r"стежте|слідкуйте|надсилайте|поширюйте|ставте|натисніть|більше новин|усі новини|всі новини|останні новини|"
    r"новини за темою|по темі|за темою|теги|"
    r"автор(?:ка|и|ки)?\s*[:—–-]|автор(?:ка)? тексту|текст\s*:|джерело\s*:|фото\s*:|редактор(?:ка)?\s*:|"
    r"раніше (?:ми )?(?:писали|повідомляли)|"
    r"раніше повідомлялося|також читайте|нагадаємо|наші стандарти|передрук|якщо ви помітили помилку|"
    r"знайшли помилку|виділіть|реклама|читать также|"
    r"подписывайтесь|смотрите|ми у |ми в (?:telegram|телеграм|facebook|фейсбук)|наш telegram|донат|"
    r"підтримати нас|підтримайте)",
    re.IGNORECASE,
)
_SPEECH = re.compile(r"[»\"”“][\s,.–—-]*(?:[–—-]\s*)?[^«»\"„“”]*\w", re.DOTALL)
_QUOTED = re.compile(r"^[«\"„“]")
_CUT_SHORT = re.compile(r"(?:…|\.\.\.)\]?\s*$")  # how feeds end a lead that they cut
_LEFT_OUT = ""  # stands for a block that is passed over: what comes after it may not lean on it
_DIALOGUE = re.compile(r"^[—–-]\s*\S")


def summary(article: Article, target: int) -> list[str]:
    """Return the summary's sentences, whole and in order; none where the article offers nothing that may stand alone.

    Args:
        article: whose lead or body is used.
        target: wished length in characters; 0 asks for none.
    """
    return list(_told(article.title, article.lead, article.body, target)) if target > 0 else []


@lru_cache(maxsize=16)  # an article goes to several channels, one after the other
def _told(title: str, lead: str, body: str, target: int) -> tuple[str, ...]:
    key = _key(title)
    of_lead = _of_lead(lead, key, target)
    whole = of_lead[:-1] if of_lead and _CUT_SHORT.search(of_lead[-1]) else of_lead
    if whole and not leans(whole[0]):
        return tuple(whole)
    return tuple(_of_body(blocks(body), key, target) or of_lead)


def leans(sentence: str) -> bool:
    """Say whether a sentence needs the one before it to be understood."""
    return _LEANING.match(sentence) is not None and not _STANDS.match(sentence)


def _of_lead(lead: str, title: str, target: int) -> list[str]:
    """Return the lead's sentences: all of them, as the outlet wrote it, unless it is far longer than the target."""
    told = (block for block in blocks(lead) if block.kind not in (Kind.CREDIT, Kind.CAPTION))
    kept = list(_run((sentence for block in told for sentence in sentences.split(block.text)), title, opening=False))
    return kept if sum(map(len, kept)) <= target * _ROOM else _up_to(kept, target)


def _of_body(body: Iterable[Block], title: str, target: int) -> list[str]:
    told = [block for block in body if block.kind in (Kind.PARAGRAPH, Kind.QUOTE)][:_MOST_BLOCKS]
    parts = (
        sentence for block in told for sentence in (sentences.split(block.text) if _may_be_told(block) else [_LEFT_OUT])
    )
    return _up_to(_run(parts, title, opening=True), target)


def _run(parts: Iterable[str], title: str, *, opening: bool) -> Iterator[str]:
    """Yield the sentences that serve, up to the first that leans on one that does not.

    Args:
        parts: sentences in order.
        title: key of the article's title.
        opening: whether the first may not lean either: those before one that stands by itself are passed over.
    """
    begun, gap = False, opening
    for sentence in parts:
        if not _serves(sentence, title) or (opening and _has_no_speaker(sentence)):
            gap = gap or _key(sentence) != title
        elif gap and leans(sentence):
            if begun:
                return
        else:
            begun, gap = True, False
            yield sentence


def _may_be_told(block: Block) -> bool:
    """Say whether a block's sentences may stand in a summary; a quotation set apart has its speaker elsewhere."""
    return block.kind is Kind.PARAGRAPH and not _FURNITURE.match(block.text)


def _up_to(parts: Iterable[str], target: int) -> list[str]:
    """Return as many of the first sentences as the target holds, at least one; asks for no more than it needs."""
    kept: list[str] = []
    length = 0
    for sentence in parts:
        length += len(sentence) + bool(kept)
        if length > target and kept:
            break
        kept.append(sentence)
    return kept


def _serves(sentence: str, title: str) -> bool:
    """Say whether a sentence is news, not the title again, a credit, an author line or the page's furniture."""
    if not re.search(r"\w", sentence) or _key(sentence) == title:
        return False
    return not _FURNITURE.match(sentence) and not credit.parse(sentence)


def _has_no_speaker(sentence: str) -> bool:
    """Say whether a sentence is a quotation and nothing beside it says whose."""
    if _DIALOGUE.match(sentence):
        return True
    return _QUOTED.match(sentence) is not None and not _SPEECH.search(sentence)


def _key(text: str) -> str:
    return "".join(letter for letter in one_line(text).casefold() if letter.isalnum())
