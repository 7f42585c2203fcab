"""What the desk answers to commands that need no conversation; the same rules hold as in `texts`."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.delivery import HeldReason, Kind, State

# posts of the queue
WHICH_POST = "Про який допис ідеться? Дайте команду у відповідь на нього або додайте посилання на статтю чи №."
WHICH_OF_LIST = "У списку кілька дописів. Натисніть на потрібний або додайте до команди його №."
NO_SUCH_POST = "Такого допису немає ні в черзі, ні серед опублікованих. Щоб зробити допис: /post"
NO_SUCH_CHANNEL = "Такого каналу немає. Ваші канали: {channels}."
NO_CHANNELS_SEEN = "У вас ще немає каналів. Їх призначає головний редактор."
NOT_YOURS = "цей канал веде інший редактор"
TOO_MUCH = "Не розумію, що ще треба. Щоб призначити час, напишіть /at."
OF_CHANNEL = "• {channel}: {told}"
KINDS: Mapping[Kind, str] = {Kind.EDIT: "зміна допису", Kind.WITHDRAW: "видалення", Kind.DIGEST: "добірка"}
LINE_WHERE = "{channel}{kind} · №{number}"
LINE_GOES = "🕒 Вийде {when}."
LINE_PINNED = " Призначено на {when}."
LINE_WAITS = "🕒 Чекає своєї черги."
LINE_EXPIRES = "🍂 Застаріє раніше, ніж дійде черга, і не вийде."
LINE_KEPT = "⏸ Чекає: {why}."
KEPT_BY_ACCESS = "канал не пускає бота"
KEPT_BY_STOP = "усе зупинено, пустити далі — /resume"
KEPT_BY_PAUSE = "канал на паузі, пустити далі — /resume"
LINE_HELD: Mapping[HeldReason, str] = {
    HeldReason.NO_EVIDENCE: "❓ Невідомо, чи вийшов: гляньте в канал.",
    HeldReason.STALE_WORDS: "🕰 Затримано: слова в ньому застаріли.",
    HeldReason.LINK_DEAD: "🔗 Затримано: сторінка статті не відкривається.",
    HeldReason.ACCESS: "🔑 Затримано: канал не пускає бота.",
    HeldReason.TEMPLATE: "✋ Затримано: допис не складається.",
}
STATE_MARKS: Mapping[State, str] = {
    State.PROPOSED: "📝",
    State.PLANNED: "🕒",
    State.CLAIMED: "⏳",
    State.SENDING: "⏳",
    State.UNKNOWN: "❓",
    State.HELD: "⏸",
    State.PUBLISHED: "✅",
    State.FAILED: "🚫",
    State.CANCELLED: "🗑",
    State.EXPIRED: "🍂",
}
ACTS_ON_LINE: Mapping[str, str] = {
    "now": "Зараз",
    "move": "Перенести",
    "hold": "Відкласти",
    "back": "Повернути в чергу",
    "drop": "Скасувати",
    "look": "Переглянути",
}
STEER = "Що з ним зробити"
HELD_BACK = "Відкладено."
MOVE_WHEN = "На коли перенести? Інший час: відповідь /at 18:30"
FREE_SLOT = "Вільне місце: {when}"
TO_ITS_TURN = "У загальну чергу"
TO_QUEUE = "← До черги"

# /queue and /today
QUEUE_HEAD = "📋 <b>Черга</b>{where}"
QUEUE_EMPTY = "Нічого не чекає."
QUEUE_LINE = "{when}{where} · №{number}\n<b>{title}</b>"
QUEUE_PAGE = "\n{first}–{last} з {count}"
QUEUE_EXPIRES = "застаріє й не вийде"
QUEUE_HELD: Mapping[HeldReason, str] = {
    HeldReason.NO_EVIDENCE: "невідомо, чи вийшов",
    HeldReason.STALE_WORDS: "слова застаріли",
    HeldReason.LINK_DEAD: "сторінка не відкривається",
    HeldReason.ACCESS: "канал не пускає бота",
    HeldReason.TEMPLATE: "не складається",
}
LOOK_AGAIN = "🔄"
ALL_STOPPED = "⛔ Усе зупинено. Пустити далі: /resume"
STANDS_ACCESS = "🔑 {channel}: канал не пускає бота."
STANDS_PAUSED = "⏸ {channel}: на паузі {until}."
UNTIL_RESUMED = "без кінця"
UNTIL = "до: {when}"
TODAY_HEAD = "📅 <b>{weekday}, {date}</b>"
TODAY_OUT = "\nВийшло: {posts}"
TODAY_NOTHING = "\nЩе нічого не вийшло."
TODAY_ALSO = "\nТакож {told}."
TODAY_EDITED = "виправлено: {count}"
TODAY_WITHDRAWN = "знято: {count}"
TODAY_COMING = "\nЩе вийде: {posts}"
TODAY_NO_MORE = "\nБільше на сьогодні нічого не заплановано."
POST_LINE = "{when}{where} · {title}{more}"
HISTORY_HEAD = "🗂 <b>Що вийшло</b>{where}"
HISTORY_EMPTY = "Поки нічого."
HISTORY_END = "Далі нічого немає."
OLDER, NEWER = "Давніші →", "⏮ Найновіші"
CLICKED = "кліків: {count}"
TAKEN_DOWN = "знято"

# /stats
STATS_ALL = "Усі канали"
STATS_HEAD = "📊 <b>{channel}</b>, {span}"
STATS_CLICKS = "Кліків у Facebook: {count}"
STATS_SPEED = "Від статті до допису: {minutes} хв (половина дописів — швидше)"
STATS_CUT = "Тут лише останні {posts}."
STATS_SPAN = "Напишіть, за скільки днів: «7d», «30d», «тиждень» чи «місяць», щонайбільше рік."

# /preview
PREVIEW_WHAT = "👁 Що показати? Напишіть /preview і посилання на статтю або дайте /preview у відповідь на допис."
PREVIEW_PUBLIC = "👁 <b>{channel}</b>: вже в каналі{link}"
PREVIEW_GONE = "👁 <b>{channel}</b>: вийшло, але вже знято"

# /why
WHY_WHAT = "Про яку статтю розповісти? Напишіть /why і посилання на неї або дайте /why у відповідь на допис."
WHY_UNKNOWN = "Такої статті я не знаю: жодне джерело мені її не показувало."
WHY_LINE = "{when}{where}\n{what}"
WHY_EARLIER = "…і ще {count} раніше"
DECISIONS: Mapping[str, str] = {
    "stored": "стаття надійшла",
    "updated": "статтю виправлено",
    "told again": "джерело показало її ще раз",
    "known": "була на сайті ще до мене, тож не публікую",
    "queued": "стоїть у черзі",
    "not queued": "не стане в чергу: надійшла вже знятою",
    "not wanted": "цьому каналу не підходить",
    "same story": "та сама новина вже є",
    "proposed": "чекає на погодження",
    "planned": "чекає своєї черги",
    "published": "опубліковано",
    "edited": "допис виправлено",
    "withdrawn": "допис знято з каналу",
    "adopted": "вже було в каналі, записую як опубліковане",
    "edited by hand": "допис змінено в самому каналі",
    "follow-up": "стаття змінилася, і допис зміниться",
    "left": "допис лишається, як є",
    "retracted": "статтю знято",
    "cancelled": "не вийде",
    "expired": "не вийде, бо застаріло",
    "failed": "платформа не прийняла",
    "unknown": "надіслано, перевіряю, чи з’явилося",
    "throttled": "платформа просить зачекати",
    "tried in vain": "не вдалося надіслати, пробую ще",
    "digest": "стало в добірку",
    "held: no-evidence": "невідомо, чи вийшло",
    "held: stale-words": "затримано: слова застаріли",
    "held: editor": "відкладено",
    "held: link-dead": "затримано: сторінка не відкривається",
    "held: access": "затримано: канал не пускає бота",
    "held: template": "затримано: допис не складається",
}
CIRCUMSTANCES: Mapping[str, str] = {  # by what stands in the kept detail
    "is not among this channel's sources": "не з тих джерел",
    "is not among this channel's rubrics": "не та рубрика",
    "is excluded": "цю рубрику тут не публікують",
    "this channel wants a link": "у неї немає посилання",
    "under embargo": "вийде не раніше за свою дату",
    "waits for an editor": "чекає на погодження",
    "(fresh_for)": "минув час, поки вона свіжа",
    "during an outage": "її черга минула, поки бот не працював",
    "the photo could not be had": "без фото, його не вдалося отримати",
    "the photo stays behind": "без фото: невідомо, чиє воно",
    "retracted": "статтю знято",
    "public already": "це вже є в каналі",
    "an earlier post of it is public": "попередній допис уже в каналі",
    "the post reads so already": "допис і так такий",
    "a person's": "текст дописала людина",
    "shadow mode": "бот лише спостерігає",
}

# /channels
FINDINGS: Mapping[str, str] = {
    "token": "Токен не діє.",
    "address": "Канал не знайдено, або бота в ньому немає.",
    "rights": "Боту бракує прав.",
    "scopes": "Застосунку бракує дозволів.",
    "platform": "Платформа не відповідає.",
}
FINDINGS_ASIDE: Mapping[str, str] = {
    "read-back": "⚠️ Не бачу дописів каналу, тож після збою питатиму вас, чи вийшли.",
    "insights": "⚠️ Показників дописів платформа не дає.",
}
HEALTH_GOOD = "Токен діє, прав досить."
HEALTH_UNKNOWN = "Платформа довго не відповідає, спробуйте ще раз."
NEXT_POST = "Наступний допис: {when}. Усього в черзі {posts}."
WAITS_STILL = "У черзі {posts}, часу поки немає."
QUEUE_IS_EMPTY = "Черга порожня."
NOT_STARTED = "⚠️ Ще не натиснули «Start» у чаті зі мною, тож я не можу їм написати: {names}."

# /pause, /resume, /stop
PAUSE_WHICH = "⏸ Який канал призупинити?"
PAUSED = "⏸ <b>{channel}</b>: на паузі {until}. Правки й видалення йдуть далі."
PAUSED_SHORT = "На паузі."
RESUME = "▶️ Пустити далі"
RESUME_WHICH = "▶️ Який канал пустити далі?"
RESUMED = "▶️ <b>{channel}</b>: публікую далі."
RESUMED_SHORT = "Публікую далі."
RESUMED_ALL = "▶️ Публікую далі: по черзі, а те, що вже застаріло, не вийде."
STILL_STOPPED = "Але все ще зупинено: /resume"
STOPPED_ALL = "⛔ <b>Усе зупинено.</b> Нічого не вийде, доки не пустите далі; зняті статті з каналів зникнуть."
NOTHING_PAUSED = "Жоден ваш канал не на паузі."
NOT_ALL_YOURS = "Зупинити й пустити все може лише той, хто веде всі канали. Свій канал призупиняє /pause."
STOP_TAKES_NOTHING = "/stop зупиняє все й одразу. Щоб призупинити один канал, напишіть /pause і його назву."

# /calendar
CALENDAR = "🗓 Календар дописів"
CALENDAR_LINK = "🗓 Календар дописів. Посилання спрацює один раз і живе п’ять хвилин: нікому його не передавайте."
OPEN_CALENDAR = "Відкрити календар"
CALENDAR_IN_PRIVATE = "Календар відкривається в чаті зі мною: напишіть мені /calendar особисто."
NO_CALENDAR = "Календаря поки немає: адміністратор ще не вказав його адреси."
