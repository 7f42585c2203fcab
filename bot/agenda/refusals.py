"""What editors read where a step is not possible: the text of each DeskError of the queue, in one place.

Passives without a gender, so that one sentence fits a post, an edit and a digest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.domain.delivery import DeliveryId, State

STATES: Mapping[State, str] = {
    State.PROPOSED: "чекає на погодження",
    State.PLANNED: "чекає своєї черги",
    State.CLAIMED: "готується до виходу",
    State.SENDING: "виходить просто зараз",
    State.UNKNOWN: "надіслано, перевіряємо, чи з’явилося в каналі",
    State.HELD: "відкладено",
    State.PUBLISHED: "опубліковано",
    State.FAILED: "платформа не прийняла",
    State.CANCELLED: "скасовано",
    State.EXPIRED: "знято з черги, бо застаріло",
}
ACTS: Mapping[str, str] = {
    "pin": "призначено час",
    "unpin": "повернуто в загальну чергу",
    "hold": "відкладено",
    "release": "повернуто в чергу",
    "cancel": "скасовано",
    "agree": "погоджено",
    "publish": "відправлено в публікацію",
    "stop": "зупинено",
    "decline": "відхилено",
    "present": "підтверджено, що допис уже є в каналі",
    "again": "надіслано ще раз",
    "reword": "змінено текст",
    "post": "поставлено в чергу",
    "edit": "змінено опублікований текст",
    "withdraw": "знято",
    "retract": "відкликано",
    "digest": "зроблено добірку",
    "edit by hand": "змінено в самому каналі",
    "hire": "додано до редакції",
    "role": "змінено роль",
    "channels": "змінено канали",
    "dismiss": "прибрано з редакції",
    "pause": "поставлено на паузу",
    "resume": "знято з паузи",
    "stop all": "зупинено все",
    "resume all": "усе пущено далі",
}

NOT_PINNED = "Час тут не призначали: публікація і так стоїть у загальній черзі."
PAST = "Цей час уже минув. Оберіть пізніший."
TOO_FAR = "Це задалеко: оберіть час у межах року."
EMBARGO = "У статті стоїть пізніша дата виходу, раніше її публікувати не можна. Оберіть пізніший час."
ONLY_POSTS = "Час призначають лише новим дописам: правки й видалення йдуть поза чергою."
NO_ACCESS = "Канал зараз не пускає бота. Щойно доступ повернеться, публікація вийде сама."
NO_EVIDENCE = "Невідомо, чи цей допис уже вийшов. Гляньте в канал і скажіть: «Вже є» чи «Надіслати ще раз»."
KNOWN = "Тут і так усе відомо: це питання лише про дописи, які могли вийти без підтвердження."
TAKEN = "Цей допис у каналі вже записано за іншою публікацією. Перевірте, чи той це допис."
THERE_ALREADY = "Це вже є в черзі або в каналі."
PUBLIC_ALREADY = "У каналі {channel} це вже опубліковано."
TAKEN_DOWN = "У каналі {channel} цей допис уже виходив, і його зняли."
RETRACTED = "Статтю знято з публікації. Повернути її може лише сайт."
NOT_PUBLIC = "Цього допису вже немає в каналі."
OTHERS_WORDS = "Цей допис з’явився в каналі без мене, тож змінити його можна лише вручну."
KNOWN_ALREADY = "Ця людина вже в редакції."
GONE_ALREADY = "Цієї людини вже немає в редакції."
FROM_CONFIG = "Цю людину задано в конфігурації: змінити її може лише адміністратор."
LAST_CHIEF = "Це останній головний редактор усіх каналів: без нього ніхто не зможе змінити склад редакції."
NO_TEXT = "Текст порожній. Напишіть, що має стояти в дописі."
LONG_TEXT = "Текст завеликий: платформа приймає до {most} знаків."
PAUSED = "Канал уже на паузі до цього часу."
NOT_PAUSED = "Канал не на паузі."
STOPPED = "Усе вже зупинено."
NOT_STOPPED = "Зараз нічого не зупинено."
NO_CHANNEL = "Такого каналу вже немає."


def no_such(delivery_id: DeliveryId) -> str:
    """Say that there is nothing under a number."""
    return f"Публікації №{delivery_id} немає."


def too_late(delivery_id: DeliveryId, state: State, act: Mapping[str, Any] | None) -> str:
    """Say where a delivery stands, and who decided about it last."""
    return with_act(f"Уже не вийде: №{delivery_id} — {STATES[state]}.", act)


def changed(delivery_id: DeliveryId, state: State, act: Mapping[str, Any] | None) -> str:
    """Say to whoever acts on what they saw earlier how it stands by now, and who decided about it last."""
    return with_act(f"Тим часом №{delivery_id} змінилося: {STATES[state]}.", act)


def with_act(text: str, act: Mapping[str, Any] | None) -> str:
    """Add who decided last, and what."""
    if act is None:
        return text
    done = ACTS.get(act["action"], act["action"])
    return f"{text} Останнє рішення — {shown(act['who'])}: {done}."


def shown(who: str) -> str:
    """Return a name without the number that tells namesakes apart in the audit: "Олена (1001)"."""
    name, bracket, number = who.rpartition(" (")
    return name if bracket and number.rstrip(")").isdecimal() else who
