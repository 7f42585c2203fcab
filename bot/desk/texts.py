"""Every sentence the desk says, in Ukrainian. Refusals of the queue itself stand in `agenda.refusals`.

Texts for messages are Telegram's HTML: whatever comes from outside goes through `compose.markup.escape`. Lines that
answer a pressed button are plain and at most 200 characters.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.channel import Platform
from bot.domain.editor import Role

# --- people ---

WELCOME = "Вітаю, {name}! Я на місці: скажу тут, щойно котрийсь допис потребуватиме вашого рішення."
STRANGER = (
    "Вітаю! Я працюю лише з редакцією. Якщо ви з неї, передайте адміністратору свій номер: <code>{number}</code>."
)
UNKNOWN_COMMAND = "Такої команди я не знаю. Що я вмію: /help"
NO_RIGHTS = "Цю кнопку може натиснути лише редактор цього каналу."
OLD_BUTTON = "Ця кнопка вже не діє."
WENT_WRONG = "Не вийшло: сталася помилка. Спробуйте, будь ласка, ще раз."

# --- buttons and what their press answers ---

PRESENT, AGAIN, CANCEL = "Вже є", "Надіслати ще раз", "Скасувати"
RETRY, PUBLISH, SKIP = "Спробувати ще раз", "Опублікувати", "Пропустити"
ONE_BY_ONE = "Показати по одному"

DONE: Mapping[str, str] = {
    "present": "Записано: допис є. Його номера я не знаю, тож правити чи видаляти його доведеться вручну.",
    "again": "Добре, надсилаю ще раз.",
    "retry": "Пробую ще раз.",
    "publish": "Публікую.",
    "cancel": "Скасовано.",
    "skip": "Пропущено.",
    "decline": "Пропущено.",
    "release": "Повернуто в чергу.",
    "hold": "Відкладено.",
}
FOUND = "Знайшов його в каналі та записав."
SHOWN = "Показую нижче."
NOTHING_LEFT = "Тут уже все вирішено."

# --- notices ---

HEADS: Mapping[str, str] = {
    "no-evidence": "❓ <b>Чи вийшов цей допис?</b>",
    "template": "✋ <b>Допис не складається</b>",
    "link-dead": "🔗 <b>Сторінка статті не відкривається</b>",
    "stale-words": "🕰 <b>Слова в дописі застаріли</b>",
    "access": "🔑 <b>Канал не пускає бота</b>",
    "proposed": "📝 <b>Допис на погодження</b>",
    "editor": "⏸ <b>Допис відкладено</b>",
    "source": "📡 <b>Джерело не відповідає</b>",
    "warns-photo": "⚠️ <b>Фото допису не відкривається</b>",
    "warns-link": "⚠️ <b>Сторінка статті не відкривається</b>",
    "warns-compose": "⚠️ <b>Допис не складеться</b>",
    "warns-words": "⚠️ <b>Слова в дописі застаріють</b>",
    "warns-access": "⚠️ <b>Канал не пустить бота</b>",
}
BODIES: Mapping[str, str] = {
    "no-evidence": "Перевірити, чи він уже в каналі, мені не вдалося. Гляньте, будь ласка, в канал.",
    "template": "Зі статті не вдалося скласти допис за правилами платформи. Виправте статтю або спробуйте ще раз.",
    "link-dead": "Допис чекає, щоб не вести читачів у нікуди. Спробую знову за кілька хвилин, а можна й зараз.",
    "stale-words": "Він виходить уже іншого дня, ніж стаття. Так і публікуємо?",
    "warns-photo": "Якщо його не виправити, допис вийде без фото.",
    "warns-link": "Якщо так лишиться, у свій час допис не вийде, а чекатиме.",
    "warns-compose": "У свій час він не вийде. Поки є час, виправте статтю чи змініть текст.",
    "warns-words": "Допис виходитиме вже іншого дня, ніж стаття, і перед виходом знову спитає вас.",
}
AGED = "Ідеться про: {words}."
ACCESS_TELEGRAM = (
    "Дописи в нього чекають, інші канали працюють. Перевірте, чи бот досі адміністратор каналу з правом публікувати,"
    " редагувати й видаляти дописи. Якщо міняли токен бота, новий має вказати адміністратор."
)
ACCESS_FACEBOOK = (
    "Дописи на неї чекають, інші канали працюють. Перевірте, чи має застосунок доступ до сторінки. Якщо токен сторінки"
    " прострочений, новий має вказати адміністратор."
)
ACCESS_RETURNS = "Щойно доступ повернеться, я помічу це сам і продовжу."
ANSWER = "Відповідь платформи: <code>{detail}</code>"
LIST_HEAD = "📋 <b>Потребують рішення: {count}</b>"
LIST_HEAD_DONE = "📋 <b>Усе вирішено</b>"
LIST_LINE = "{mark} {where}{title}"
LIST_MORE = "…і ще {count}"
NO_TITLE = "допис без заголовка"

MARKS: Mapping[str, str] = {
    "no-evidence": "❓",
    "template": "✋",
    "link-dead": "🔗",
    "stale-words": "🕰",
    "access": "🔑",
    "proposed": "📝",
    "editor": "⏸",
    "source": "📡",
    "warns-photo": "⚠️",
    "warns-link": "⚠️",
    "warns-compose": "⚠️",
    "warns-words": "⚠️",
    "warns-access": "⚠️",
}
DONE_MARK = "✅"

# --- how a notice ended ---

ENDED = "✅ {how}"
BY_EDITOR = "{who}: {act} о {time}"
ACCESS_BACK = "Доступ повернувся о {time}, публікую далі."
FOUND_PUBLIC = "Допис знайшовся в каналі."
PUBLISHED = "Допис вийшов."
EXPIRED = "Не опубліковано: застаріло."
CANCELLED = "Знято з черги: стаття змінилася або її прибрали."
PLANNED = "Знову в черзі."
CLOSED = "Уже не актуально."


def how_to_mend(platform: Platform) -> str:
    """Say what an editor can do about lost access."""
    return ACCESS_FACEBOOK if platform is Platform.FACEBOOK else ACCESS_TELEGRAM


# --- posts that wait for an editor ---

LATER, EDIT, STOP, RELEASE, BACK = "Запланувати", "Змінити", "Зупинити", "Повернути в чергу", "← Назад"
IN_QUARTER, IN_HOUR = "Через 15 хв", "Через годину"
IN_TURN = "У чергу: {when}"
IN_TURN_SOMETIME = "У загальну чергу"
AS_IT_WAS = "Як було, {when}"
TOMORROW = "Завтра о 9:00"

POST_ASKS = "📝 <b>{channel}</b>: допис чекає на погодження"
POST_EDIT_ASKS = "✏️ <b>{channel}</b>: змінити допис, що вже вийшов?"
POST_HELD = "⏸ <b>{channel}</b>: допис відкладено"
POST_LEAVES = "⏳ <b>{channel}</b>: вийде о {time} ({who})"
POST_GOES = "⏳ <b>{channel}</b>: виходить ({who})"
LEAVES = "⏳ Вийде о {time}: {who}. Ще можна зупинити."
GOES = "⏳ Виходить: {who}."
POST_CUT = "\n(повністю — у календарі)"
NAMED = "Канал: {channel}"
NAMED_ASKS = "{channel}: чекає на рішення редактора."
PHOTO_MISSING = "⚠️ Фото не вдалося отримати: допис вийде без нього."
PHOTOS_MORE = "Усього фото: {count}."
CANNOT_COMPOSE = "⚠️ Допис не складається: <code>{why}</code>"
WITHDRAWAL = "Видалення допису."

AGREED = "Вийде за {seconds} с. Передумали? Натисніть «Зупинити»."
AGREED_AT_ONCE = "Публікую."
STOPPED = "Зупинено: допис відкладено, нічого не вийшло."
PLANNED_FOR = "Заплановано: {when}."
PLANNED_IN_TURN = "Поставлено в чергу."
WHEN = "Коли опублікувати?"
GOES_OUT = ", вийде {when}"
REFUSED = "Платформа не прийняла допис."
LOOK_AT_IT = "Дивитися"

# --- sources ---

SOURCE_SILENT = "Прочитати його не вдається від {when}. Пробую далі; щойно запрацює, скажу тут."
SOURCE_NEVER = "Ще жодного разу не вдалося його прочитати. Пробую далі; щойно запрацює, скажу тут."
SOURCE_BACK = "Джерело знову працює з {time}."

# --- reports ---

EXPIRED_HEAD = "🍂 <b>Не вийшло, бо застаріло</b>"
EXPIRED_LINE = "{channel}: {posts} — {titles}"
QUOTED = "«{title}»"
AND_MORE = "ще {count}"
SUMMARY_HEAD = "📊 <b>Підсумок дня</b>"
NOTHING_OUT = "нічого не вийшло"
SUMMARY_WAITING = "чекають на рішення: {count}"
SUMMARY_EXPIRED = "застаріло: {count}"
SUMMARY_FAILED = "платформа не прийняла: {count}"
SUMMARY_BEST = "Найбільше реакцій:"
SUMMARY_BEST_LINE = "• {title} ({channel}): {reactions}"
REACTIONS = ("реакція", "реакції", "реакцій")

# --- what will go wrong at its turn ---

HOLD = "Відкласти"
WARNS_ACCESS = "Скоро тут має вийти допис, а канал бота не пускає."
MENDED = "Уже гаразд: вийде за планом."

# --- conversations: posts of one's own, changes, retractions, digests, people ---

TALK_ENDED = "Скасовано, нічого не змінилося."
TALK_EXPIRED = "Минуло пів години, тож я забув, на чому ми зупинилися. Почніть, будь ласка, ще раз."
NOT_UNDERSTOOD = "Щоб зробити допис, надішліть посилання чи фото або напишіть /post і текст. Що я вмію: /help."
USE_BUTTONS = "Оберіть, будь ласка, кнопкою."
LOOK_BELOW = "👇 Дивіться нижче."
IN_A_GROUP = "\n\nУ групі пишіть у відповідь на це повідомлення."
NEXT, NOW, SLOT, ALL_DONE = "Далі →", "Зараз", "Коли буде місце", "Готово"
CHOSEN, NOT_CHOSEN = "☑️", "▫️"
NO_PHOTO_SHOWN = "⚠️ Фото зараз не вдалося отримати."
PICTURE_TOO_LARGE = "Фото завелике: беру до 10 МБ."
NO_PICTURE = "Це не схоже на фото. Надішліть, будь ласка, JPEG або PNG."
PICTURE_NOT_HAD = "Не вдалося забрати фото з Telegram. Надішліть його ще раз."
NOT_YOUR_CHANNEL = "Канал {channel} веде інший редактор."
NO_CHANNELS = "У вас немає каналів, до яких можна писати."

# /post
POST_WHAT = "📝 <b>Новий допис</b>\nНадішліть посилання на статтю, текст або фото з підписом."
POST_CHANNELS = "📝 <b>{title}</b>\n{standing}Куди публікуємо?"
STANDS_PUBLIC = "• {channel}: вже опубліковано{link}\n"
STANDS_WAITING = "• {channel}: вже чекає в черзі{when}\n"
SEE = ' (<a href="{link}">дивитися</a>)'
PUBLIC_EVERYWHERE = "Це вже опубліковано всюди, де ви можете публікувати:\n{standing}Змінити текст: /edit {url}"
CHOOSE_CHANNEL = "Оберіть хоча б один канал."
POST_TIME = "🕒 Коли публікуємо?\nОберіть або напишіть час: «18:30», «завтра 9:00», «через 20 хв»."
POST_PHOTO = "🖼 Яке фото? Оберіть або надішліть своє."
PHOTO_OF_ARTICLE, PHOTO_SENT, PHOTO_NONE = "Фото статті", "Надіслане фото", "Без фото"
POST_CREDIT = "©️ Чиє це фото? Напишіть автора або джерело, наприклад «ДСНС» чи «Фото: Іван Петренко»."
CREDIT_NONE = "Без підпису"
NO_CREDIT = "Не розумію, чиє це фото. Напишіть коротко: ім’я, установу або сайт."
POST_PREVIEW = "👁 <b>{channels}</b>"
POST_CONFIRM = "Так побачать читачі. {plan}\nЩоб змінити текст, просто напишіть інший."
POST_PLAN_NOW = "Публікуємо зараз: {channels}."
POST_PLAN_AT = "{channel} — {when}."
GO_NOW, GO_LATER = "✅ Опублікувати", "✅ Запланувати"
CHANGE_CHANNELS, CHANGE_TIME, CHANGE_PHOTO = "Канали", "Час", "Фото"
NO_LINK_HERE = "⚠️ {channel}: допис буде без посилання, хоча зазвичай тут воно є."
UNCERTAIN = "⚠️ {channel}: минулого разу не з’ясувалося, чи вийшов цей допис. Спершу гляньте в канал."
TOO_LONG = "⚠️ {channel}: текст задовгий, зайвих знаків — {over}. Скоротіть і надішліть ще раз."
NOT_MADE = "⚠️ {channel}: платформа такого тексту не прийме. Спростіть оформлення й надішліть ще раз."
POST_DONE = "✅ {title}\n{lines}"
POST_DONE_LINE = "• {channel}: {when}"
POST_DONE_NOW = "виходить"
POST_DONE_THERE = "вже є в каналі, записав його"
POST_DROPPED = "не вийде: це вже стоїть у дописі каналу"
BAD_LINK = "Це посилання не читається. Перевірте його, будь ласка."
NO_PAGE = "Не вдалося відкрити цю сторінку чи знайти на ній статтю. Перевірте посилання."
SLOW_PAGE = "Сторінка надто довго не відповідає. Спробуйте за хвилину."

WARNINGS: Mapping[str, str] = {  # by the beginning of what composing says
    "the photo stays behind": "⚠️ Без фото: невідомо, чиє воно.",
    "too long for a photo's caption": "⚠️ Текст не вміщується під фото, тож допис вийде без нього.",
    "the summary was shortened": "Текст скорочено, щоб умістився.",
    "the title was shortened": "⚠️ Заголовок скорочено, щоб умістився.",
    "stale-words": "🕰 Є слова, що можуть застаріти: гляньте, чи все ще так.",
}
NO_TIME = "Не розумію, коли. Напишіть, наприклад: «18:30», «завтра 9:00» або «через 20 хв»."

# /edit
EDIT_WHAT = "✏️ Який допис змінюємо? Напишіть /edit і посилання чи номер, або дайте /edit у відповідь на допис."
EDIT_NOTHING = "Нічого змінити: такого допису немає ні в черзі, ні в каналах, де ви можете писати."
EDIT_CHANNELS = "✏️ <b>{title}</b>\nДе змінюємо?"
EDIT_WORDS = (
    "✏️ Надішліть новий текст замість заголовка й опису. Можна з оформленням: жирний, курсив, посилання."
    " Фото, підпис до нього, посилання на статтю та заклик лишаться."
)
EDIT_NOW = "👁 <b>{channels}</b>, зараз так:"
EDIT_CONFIRM = "Так побачать читачі: {channels}.\nЩоб поправити ще, просто надішліть інший текст."
EDIT_GO = "✅ Змінити"
EDIT_DONE = "✅ Змінюю: {channels}."
EDIT_DONE_WAITS = "✅ Змінив, вийде вже так: {channels}."
BY_HAND = "✋ Зараз там слова людини, а стаття змінилася."
WORDS_ONLY = "Надішліть, будь ласка, сам текст."

# /retract
RETRACT_WHAT = "🗑 Що знімаємо? Напишіть /retract і посилання на статтю, а за ним, якщо хочете, причину."
RETRACT_UNKNOWN = "Такої статті я не знаю."
RETRACT_DONE_ALREADY = "Цю статтю вже знято."
RETRACT_CONFIRM = "🗑 <b>{title}</b>\n{lines}"
RETRACT_PUBLIC = "• {channel}: зникне з каналу{link}\n"
RETRACT_NOTICE = "• {channel}: замість допису буде повідомлення, що новину знято{link}\n"
RETRACT_STAYS = "• {channel}: допис лишиться, бо так налаштовано канал{link}\n"
RETRACT_WAITS = "• {channel}: не вийде, хоча стоїть у черзі\n"
RETRACT_OTHERS = "• {channel}: лишиться, це не ваш канал\n"
RETRACT_ALL = "Стаття більше ніде не вийде, навіть якщо сайт її змінить."
RETRACT_MINE = "В інших каналах вона лишиться."
RETRACT_REASON = "Причина: {reason}"
RETRACT_GO = "🗑 Зняти"
RETRACT_DONE = "✅ Знімаю «{title}»{where}."
RETRACT_NOTHING = "У ваших каналах цієї статті немає."

SOMEBODY = "хтось у каналі"

# /editors
ONLY_CHIEFS = "Склад редакції змінює лише головний редактор усіх каналів."
STAFF_LIST = "👥 <b>Редакція</b>\n{lines}\nОберіть людину, щоб змінити роль чи канали."
STAFF_LINE = "• {name}: {role}, {channels}{notes}"
STAFF_ALL_CHANNELS = "усі канали"
STAFF_FIXED = " (із конфігурації)"
STAFF_NOT_STARTED = " (ще не натискав «Start»)"
STAFF_MORE = "…і ще {count}"
STAFF_ADD, STAFF_REMOVE, STAFF_CHANNELS = "Додати людину", "Прибрати", "Канали"
STAFF_ONE = "👤 <b>{name}</b> (<code>{number}</code>)\nРоль: {role}\nКанали: {channels}"
STAFF_ONE_FIXED = "\n\nЦю людину задано в конфігурації: змінити її може лише адміністратор."
STAFF_ROLES = (
    "\n\nГлядач бачить чергу й статистику. Редактор публікує, править і знімає дописи своїх каналів."
    " Головний редактор ще й керує складом редакції."
)
STAFF_WHO = (
    "👋 Перешліть сюди будь-яке повідомлення цієї людини або напишіть її номер та ім’я, наприклад «123456789 Оксана»."
    " Свій номер людина дізнається, написавши боту."
)
STAFF_HIDDEN = "Ця людина приховала свій профіль. Попросіть її написати боту та надішліть номер, який він назве."
STAFF_NOT_A_PERSON = "Не розумію, хто це. Перешліть повідомлення людини або напишіть номер та ім’я."
STAFF_ROLE = "Яку роль дати? <b>{name}</b>"
STAFF_CHANNELS_OF = "Які канали веде <b>{name}</b>?"
STAFF_REMOVE_SURE = "Прибрати з редакції: <b>{name}</b>?"
STAFF_REMOVE_YES = "Так, прибрати"
STAFF_EVERY = "Усі канали"

# /digest
DIGEST_CHANNEL = "🗞 Для якого каналу робимо добірку дня?"
DIGEST_TOO_FEW = "У каналі {channel} сьогодні замало дописів для добірки: потрібно хоча б два."
DIGEST_UNKNOWN = "Каналу «{channel}» немає. Є такі: {channels}."
DIGEST_CONFIRM = "🗞 Добірка дня: {count}. {plan}"
DIGEST_DONE = "✅ Добірка: {channel} — {when}"

# --- commands: each with what it does, and what stands after it ---

COMMANDS: Mapping[str, tuple[str, str]] = {
    "start": ("Почати роботу", ""),
    "help": ("Що я вмію", ""),
    "queue": ("Що й коли виходить", "[канал]"),
    "today": ("Що вийшло сьогодні й що ще вийде", ""),
    "history": ("Що вийшло останнім часом", "[канал]"),
    "calendar": ("Календар дописів", ""),
    "preview": ("Як допис виглядатиме в каналах", "посилання"),
    "why": ("Що було зі статтею і чому", "посилання"),
    "stats": ("Дописи, реакції та кліки", "[канал] [7d]"),
    "channels": ("Чи все гаразд із каналами", ""),
    "post": ("Зробити допис", "посилання або текст"),
    "now": ("Опублікувати зараз", "посилання або №"),
    "at": ("Опублікувати в цей час", "час"),
    "move": ("Перенести на інший час", "посилання або №"),
    "hold": ("Відкласти допис", "посилання або №"),
    "cancel": ("Прибрати допис із черги", "посилання або №"),
    "edit": ("Змінити текст допису", "посилання або №"),
    "retract": ("Зняти статтю з каналів", "посилання"),
    "digest": ("Зробити добірку", ""),
    "pause": ("Призупинити канал", "[канал] [30m або до 18:00]"),
    "resume": ("Пустити канал далі", "[канал]"),
    "stop": ("Зупинити все", ""),
    "editors": ("Хто в редакції та що може", ""),
}
ROLES: Mapping[Role, str] = {Role.VIEWER: "глядач", Role.EDITOR: "редактор", Role.CHIEF: "головний редактор"}
ROLES_WHO: Mapping[Role, str] = {
    Role.VIEWER: "люди редакції",
    Role.EDITOR: "редактори",
    Role.CHIEF: "головні редактори",
}
NOT_FOR_ROLE = "Це можуть лише {role}. Що можете ви: /help"
HELP_HEAD = "Ваша роль — {role}. Ось що я вмію:"
HELP_LINE = "/{name}{takes} — {line}"
HELP_FOOT = "\nКоманди про допис можна давати й у відповідь на нього. Час пишіть як зручно: «18:30», «завтра 9:00»."

# times
NO_CLOCK = "О котрій годині? Напишіть, наприклад, «{day} 9:00»."
PAST_TODAY = "Сьогодні {time} уже минуло. Оберіть пізніший час або напишіть «завтра {time}»."
NO_SUCH_DAY = "Такої дати немає. Перевірте день і місяць."
