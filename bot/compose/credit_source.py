"""Who made a picture, as far as the words after «Фото:» can say it: what may be a source, and its one spelling.

It does *not* know what opens a credit; that is `credit`.
"""

from __future__ import annotations

import re

from bot.compose import credit_words as words

LONGEST = 120  # characters
MOST_WORDS = 12
_MOST_LOOSE_WORDS = 7
_MOST_FREE_WORDS = 4
# an office in the genitive: an adjective and one to three words that may all stand in that case
_OWNER = re.compile(r"[а-яіїєґ’'-]{2,}(?:ої|ого)(?: [а-яіїєґ’'-]*(?:ої|ого|их|іх|и|і|ї|ів|у|а|я)){1,3}")
BRACKETS = re.compile(r"^(?P<before>.*?)\s*[(\[](?P<inside>[^()\[\]]+)[)\]]\s*\.?$")


def source(text: str, *, strong: bool, free: bool = False) -> str | None:
    """Return a credit's source in its normal form, None where the words cannot be one.

    Args:
        text: what follows the credit's word.
        strong: whether a colon, dash or slash announced it, not a mere space.
        free: whether any short phrase in lower case may be one («Фото: міська рада»), not only a known office.
    """
    text = text.strip(" ,;:–—")
    if strong and (bracket := BRACKETS.match(text)) and not _may_open(bracket["before"], strong, free):
        text = bracket["inside"].strip()
    if strong:
        text = _before_caption(words.AGAIN.sub(", ", text))
    text = _without_full_stop(text)
    most = MOST_WORDS if strong else _MOST_LOOSE_WORDS
    if not text or len(text) > LONGEST or len(text.split()) > most or text[-1] in "!?…:":
        return None
    if not re.search(r"\w", text) or not _may_open(text, strong, free) or _has_verb(text):
        return None
    return normal(text)


def owner(text: str) -> str | None:
    """Return whose a video is, as printed: «Скриншот з відео міської диспетчерської»; None where it is no owner."""
    text = text.strip(" .,")
    return text if _OWNER.fullmatch(text) and not _has_verb(text) else None


def _may_open(text: str, strong: bool, free: bool) -> bool:
    """Say whether a source may begin like this."""
    first = text.split(" ", 1)[0]
    if text[:1] in '«„“"@' or words.DOMAIN.match(first):
        return True
    if text[:1].isdigit():
        return re.match(r"\d+(?:-\w{1,2}\s|[+]\d|\s[А-ЯІЇЄҐA-Z]|\s+(?:канал|окрем))", text) is not None and strong
    if words.LOOSE_OPENING.match(text) or (strong and words.LOWER_OPENING.match(text)):
        return words.ON_THE_SPOT.match(text) is None
    if strong and _is_caption(text):
        return False
    if first.strip(",.;:").casefold() in words.ORGANISATIONS:
        return True
    if not text[:1].isupper():
        return strong and _is_office(text.split(), free)
    return strong or all(_may_stand(token) for token in text.split())


def _is_caption(text: str) -> bool:
    """Say whether words tell what is to be seen: an event, a question, somebody somewhere."""
    if words.QUESTION.match(text) or words.EVENT.match(text):
        return True
    somewhere = words.PLACE.search(text) is not None and not words.SEATED.match(text)
    return somewhere and (text[:1].islower() or words.PEOPLE.match(text) is not None)


def _is_office(tokens: list[str], free: bool) -> bool:
    """Say whether a phrase in lower case names an office, a firm or people: «міська рада», «рятувальники»."""
    head = next((place for place, token in enumerate(tokens[:3]) if words.HEAD.match(token)), None)
    if head is not None and all(
        words.ADJECTIVE.match(token) and not words.SCENE.match(token) for token in tokens[:head]
    ):
        return True
    seen = any(words.SCENE.match(token) or words.PARTICIPLE.match(token) for token in tokens)
    return free and not seen and len(tokens) <= _MOST_FREE_WORDS and all(map(words.NAMED.match, tokens))


def _may_stand(token: str) -> bool:
    """Say whether a word may stand in a source that no colon announces: names, short words, an office."""
    bare = token.strip('«»„“”"(),./|–—-©')
    if not bare or not bare[:1].islower():
        return re.match(r"\d", bare) is None
    known = bare.casefold() in words.ORGANISATIONS or words.DOMAIN.match(bare) is not None
    return known or len(bare) <= 3 or bare.endswith(("ої", "ого"))


def _has_verb(text: str) -> bool:
    tokens = [token.strip('«»„“”"(),.;:') for token in text.split()]
    return any(token[:1].islower() and token not in words.NOT_VERB and words.VERB.match(token) for token in tokens)


def _before_caption(text: str) -> str:
    """Cut a caption off that follows the source after a full stop."""
    for stop in re.finditer(r"(?<=[\w»)\"])\.\s+(?=[А-ЯІЇЄҐA-Z«])", text):
        last = text[: stop.start()].rsplit(" ", 1)[-1]
        if len(last) > 2 or last.isdigit():
            return text[: stop.start()]
    return text


def _without_full_stop(text: str) -> str:
    if not text.endswith(".") or len(text.rsplit(" ", 1)[-1]) <= 2:
        return text
    return text.rstrip(". ")


def normal(source: str) -> str:
    """Bring a source to the one form under which it is filed."""
    source = re.sub(r"^(?:©|\([cс]\))\s*", "", source.strip(" ,;"))
    if address := re.match(r"^(?:https?://(?:www\.)?|www\.)(\S+?)/?$", source):
        return address[1]
    for pattern, same in words.SAME:
        if pattern.match(source):
            return same
    for pattern, spelled in words.SPELLING:
        source = pattern.sub(spelled, source)
    return words.OF_ROLE.get(source.casefold(), _nominative(source))


def _nominative(source: str) -> str:
    """Turn an office named in the genitive into the nominative: «Національної поліції» → «Національна поліція»."""
    tokens = source.split(" ")
    offices = (token.casefold() in words.GENITIVE or token in words.FEMININE_SHORT for token in tokens[:3])
    head = next((place for place, office in enumerate(offices) if office), None)
    if head is None or not all(token.endswith("ої") for token in tokens[:head]):
        return source
    adjectives = [token[:-3] + "я" if token.endswith("ьої") else token[:-2] + "а" for token in tokens[:head]]
    named = words.GENITIVE.get(tokens[head].casefold(), tokens[head])
    if tokens[head][0].isupper() and tokens[head] not in words.FEMININE_SHORT:
        named = named[0].upper() + named[1:]
    elif tokens[head][0].islower() and named.casefold() == named:
        named = named[0].lower() + named[1:]
    return " ".join([*adjectives, named, *tokens[head + 1 :]])
