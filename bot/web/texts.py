"""Every sentence the calendar says, in Ukrainian; and the days, months and numbers in it."""

from __future__ import annotations

from datetime import date, datetime, timedelta

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

WEEKDAYS = ("понеділок", "вівторок", "середа", "четвер", "п’ятниця", "субота", "неділя")
SHORT_WEEKDAYS = ("пн", "вт", "ср", "чт", "пт", "сб", "нд")
_IN_WEEKDAY = ("у понеділок", "у вівторок", "у середу", "у четвер", "у п’ятницю", "у суботу", "у неділю")
_MONTHS = (
    "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня".split()  # of which day
)


def day_name(day: date) -> str:
    """Return "понеділок, 1 червня"."""
    return f"{WEEKDAYS[day.weekday()]}, {short_day(day)}"


def short_day(day: date) -> str:
    """Return "1 червня"."""
    return f"{day.day}\N{NO-BREAK SPACE}{_MONTHS[day.month - 1]}"


def week_name(first: date) -> str:
    """Return "1–7 червня" or "29 червня – 5 липня"."""
    last = first + timedelta(days=6)
    if first.month == last.month:
        return f"{first.day}–{short_day(last)}"
    return f"{short_day(first)} – {short_day(last)}"


def when(at: datetime, today: date) -> str:
    """Return "сьогодні о 18:30", "завтра о 9:00" or "у п’ятницю, 5 червня, о 10:00"; `at` in the outlet's zone."""
    clock = at.strftime("%H:%M")
    match (at.date() - today).days:
        case 0:
            return f"сьогодні {_at(at)} {clock}"
        case 1:
            return f"завтра {_at(at)} {clock}"
        case _:
            return f"{_IN_WEEKDAY[at.weekday()]}, {short_day(at.date())}, {_at(at)} {clock}"


def _at(at: datetime) -> str:
    return "об" if at.hour == 11 else "о"


def counted(number: int, one: str, few: str, many: str) -> str:
    """Return the number with the form of the word that goes with it: "1 допис", "3 дописи", "11 дописів"."""
    if number % 10 == 1 and number % 100 != 11:
        return f"{number} {one}"
    if number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14):
        return f"{number} {few}"
    return f"{number} {many}"


def posts(number: int) -> str:
    """Return "1 допис", "3 дописи", "11 дописів"."""
    return counted(number, "допис", "дописи", "дописів")


def reactions(number: int) -> str:
    """Return "1 реакція", "3 реакції", "11 реакцій"."""
    return counted(number, "реакція", "реакції", "реакцій")
