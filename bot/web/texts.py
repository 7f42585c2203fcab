"""Every sentence the calendar says, in Ukrainian; and the days, months and numbers in it."""

from __future__ import annotations

from datetime import date, timedelta

from bot.agenda.wording import WEEKDAYS
from bot.agenda.wording import counted as counted
from bot.agenda.wording import posts as posts
from bot.agenda.wording import reactions as reactions
from bot.agenda.wording import short_day as short_day
from bot.agenda.wording import when as when
from bot.domain.delivery import HeldReason, Kind, State

TITLE = "Календар"

# --- letting in ---------------------------------------------------------------------------------------------------

NOT_SIGNED = "Telegram не підтвердив, що це ви. Закрийте календар і відкрийте його ще раз із розмови з ботом."
TOO_OLD = "Минуло забагато часу, тож Telegram має підтвердити вас знову. Відкрийте календар ще раз із розмови з ботом."
USED = "Цим підтвердженням календар уже відкривали. Відкрийте його ще раз із розмови з ботом."
LINK_OVER = "Посилання вже спрацювало або застаріло. Надішліть боту /calendar — він дасть нове."
NOT_AN_EDITOR = "Вас немає серед редакторів. Попросіть головного редактора додати вас; ваш номер у Telegram: {number}."
TOO_OFTEN = "Забагато спроб поспіль. Зачекайте хвилину й спробуйте ще раз."
SESSION_OVER = "Сеанс завершився. Відкрийте календар ще раз командою /calendar — усе на місці."
FOREIGN = "Цей запит надійшов не зі сторінки календаря, тож нічого не змінено. Оновіть сторінку."
NOT_UNDERSTOOD = "Запит незрозумілий, нічого не змінено. Оновіть сторінку й спробуйте ще раз."
TOO_LARGE = "Запит завеликий, нічого не змінено."
STORE_AWAY = "База даних зараз не відповідає. Нічого не змінено — спробуйте за хвилину."
TOO_MANY_PAGES = "Відкрито забагато календарів. Закрийте зайві вкладки."
HOW_TO_OPEN = "Надішліть боту /calendar: він відкриє календар просто в Telegram або дасть посилання для браузера."
OPENING = "Відкриваю календар…"
OPEN_HERE = "Відкрити календар"
LINK_READY = "Посилання спрацює один раз, на цьому пристрої."

# --- moving -------------------------------------------------------------------------------------------------------

NO_POST = "Такого допису немає. Можливо, його скасували — оновіть сторінку."
NO_TIME = "Не видно, на який час переносити. Оберіть його ще раз."
NOT_YOURS = "Канал «{channel}» веде хтось інший: ви не можете переносити його дописи."
ONLY_LOOKS = "Ви можете лише дивитися календар; переносити дописи може редактор."
QUIET = "У цей час, з {start} до {end}, канал «{channel}» мовчить. Оберіть інший."
PAUSED = "Канал «{channel}» на паузі до {until}. Оберіть пізніший час або зніміть паузу."
PAUSED_FOR_GOOD = "Канал «{channel}» на паузі, доки її не знімуть. Спершу зніміть паузу командою /resume."
STOPPED = "Публікацію зупинено до {until}. Оберіть пізніший час."
STOPPED_FOR_GOOD = "Публікацію зупинено всюди, доки її не відновлять."
MOVED = "Перенесено: {channel}, {when}."
BACK_IN_LINE = "Допис повернувся в чергу каналу «{channel}»."

# --- what the page shows ------------------------------------------------------------------------------------------

STATES = {
    State.PROPOSED: "чекає на згоду",
    State.PLANNED: "у черзі",
    State.CLAIMED: "готується",
    State.SENDING: "надсилається",
    State.PUBLISHED: "вийшов",
    State.UNKNOWN: "перевіряємо, чи вийшов",
    State.HELD: "притримано",
    State.FAILED: "платформа відмовила",
    State.CANCELLED: "скасовано",
    State.EXPIRED: "застарів",
}
HELD = {
    HeldReason.NO_EVIDENCE: "невідомо, чи вийшов",
    HeldReason.STALE_WORDS: "слова про час застаріли",
    HeldReason.EDITOR: "притримав редактор",
    HeldReason.LINK_DEAD: "сторінка статті не відкривається",
    HeldReason.ACCESS: "бот утратив доступ до каналу",
    HeldReason.TEMPLATE: "допис не складається за шаблоном",
}
KINDS = {Kind.PUBLISH: "", Kind.DIGEST: "дайджест", Kind.EDIT: "правка", Kind.WITHDRAW: "зняття"}
PINNED = "час обрав редактор"
EXPIRES = "застаріє до своєї черги й не вийде"
WITHDRAWN = "знято"
NO_TITLE = "Допис без заголовка"
PAUSE_UNTIL = "«{channel}»: пауза до {until}"
PAUSE_FOR_GOOD = "«{channel}»: пауза, доки її не знімуть"
STOP_UNTIL = "Публікацію всюди зупинено до {until}"
STOP_FOR_GOOD = "Публікацію всюди зупинено, доки її не відновлять"
ACCESS_LOST = "«{channel}»: бот утратив доступ, дописи чекають"
NOT_COMPOSED = "Допис не складається: {why}"
GONE = "Статтю знято, допис не вийде."

# --- the page's own words -----------------------------------------------------------------------------------------

SKIP = "До дописів"
DAY, WEEK, TODAY, TODAY_TOO = "День", "Тиждень", "Сьогодні", "сьогодні"
NAV_VIEW, NAV_DAYS, NAV_CHANNELS = "Вигляд", "Дні", "Канали"
BEFORE, AFTER = "Раніше", "Пізніше"
ALL_CHANNELS = "Усі канали"
WAITING = "у черзі"
TRAY = "Чекають без часу"
EMPTY_TODAY = "На сьогодні дописів немає. З’явиться стаття — з’явиться й допис."
EMPTY_DAY = "На цей день дописів немає."
MORE = "Показано не все: дописів тут дуже багато. Оберіть один канал або день."
MOVABLE = "допис, який можна перенести"
HELP_KEYS = "Enter бере допис, стрілки вибирають час, Enter ще раз переносить, Escape лишає як було."
PICKED = "Допис узято. Стрілками виберіть час, Enter перенесе, Escape лишить як було."
LEFT = "Допис лишився на місці."
SAVING = "Переношу…"
FAILED = "Не вдалося зв’язатися з ботом, нічого не змінено. Спробуйте ще раз."
FRESH = "оновлюється саме"
AWAY = "зв’язку немає, пробую ще"
MARK_PAST, MARK_QUIET, MARK_CLOSED, MARK_PAUSED = "минуло", "тиша", "поза вікном", "пауза"
CLOSE = "Закрити"
PREVIEW = "Допис, як його побачать читачі"
REACTIONS = "Реакції"
OPEN_POST = "Відкрити допис на платформі"
NEW_TIME = "Новий час"
MOVE = "Перенести"
UNPIN = "Повернути в загальну чергу"
NO_CHANNELS = "Вам ще не відкрито жодного каналу. Спитайте головного редактора."
NOT_FOR_YOU = "Канал «{channel}» вам не відкрито. Спитайте головного редактора."

SHORT_WEEKDAYS = ("пн", "вт", "ср", "чт", "пт", "сб", "нд")


def day_name(day: date) -> str:
    """Return "понеділок, 1 червня"."""
    return f"{WEEKDAYS[day.weekday()]}, {short_day(day)}"


def week_name(first: date) -> str:
    """Return "1–7 червня" or "29 червня – 5 липня"."""
    last = first + timedelta(days=6)
    if first.month == last.month:
        return f"{first.day}–{short_day(last)}"
    return f"{short_day(first)} – {short_day(last)}"
