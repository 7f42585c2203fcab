"""The Bot API over HTTP: `/bot<token>/<method>` and `/file/bot<token>/<path>`, with mishaps, rates and the record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from bot.sandbox import telegram_chats as chats
from bot.sandbox import telegram_methods as methods
from bot.sandbox.mishaps import Fault, Mishap
from bot.sandbox.names import names
from bot.sandbox.telegram_people import Telegram
from bot.sandbox.telegram_rules import Refusal, bad
from bot.sandbox.telegram_updates import Post
from bot.sandbox.telegram_world import Chat, TelegramBot
from bot.sandbox.wire import MOST_BYTES, Call, Form, FormError, act_out, from_afar, json_answer, read_form, reset

METHODS: dict[str, Callable[[methods.BotCall], Any]] = {
    "getMe": chats.get_me,
    "sendMessage": methods.send_message,
    "sendPhoto": methods.send_photo,
    "sendMediaGroup": methods.send_media_group,
    "editMessageText": methods.edit_message_text,
    "editMessageCaption": methods.edit_message_caption,
    "editMessageMedia": methods.edit_message_media,
    "editMessageReplyMarkup": methods.edit_message_reply_markup,
    "deleteMessage": methods.delete_message,
    "deleteMessages": methods.delete_messages,
    "forwardMessage": methods.forward_message,
    "copyMessage": methods.copy_message,
    "getChat": chats.get_chat,
    "getChatMember": chats.get_chat_member,
    "getChatMemberCount": chats.get_chat_member_count,
    "getChatAdministrators": chats.get_chat_administrators,
    "sendChatAction": chats.send_chat_action,
    "answerCallbackQuery": chats.answer_callback_query,
    "setMyCommands": chats.set_my_commands,
    "getMyCommands": chats.get_my_commands,
    "deleteMyCommands": chats.delete_my_commands,
    "setChatMenuButton": chats.set_chat_menu_button,
    "getChatMenuButton": chats.get_chat_menu_button,
    "getFile": chats.get_file,
}
UPDATE_METHODS = ("getUpdates", "setWebhook", "deleteWebhook", "getWebhookInfo")
BY_LOWER_NAME = {name.lower(): name for name in (*METHODS, *UPDATE_METHODS)}
SENDING = names("sendMessage sendPhoto sendMediaGroup forwardMessage copyMessage")
PACED = SENDING | names("editMessageText editMessageCaption editMessageMedia editMessageReplyMarkup")


class TelegramHttp:
    """Handlers of the Bot API's routes. `fetch` returns the bytes the sandbox itself serves at an address."""

    def __init__(self, world: Telegram, post: Post, fetch: Callable[[str], bytes | None]) -> None:
        self.world, self.post, self.fetch = world, post, fetch

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one call: token, method, planned mishap, rates, then the method itself."""
        return await from_afar(self.world.latency, self._answer(request))

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        bot = self._bot(request.match_info["token"])
        if isinstance(bot, Refusal):
            return self._refused(bot)
        method = BY_LOWER_NAME.get(request.match_info["method"].lower())
        if method is None:
            return self._refused(Refusal(404, "method not found"))
        if self.world.script.drops_unread(method):
            self._record(method, bot, None, Form(), "drop_before: not read")
            return reset(request)
        if (request.content_length or 0) > MOST_BYTES:
            return self._refused(Refusal(413, "Request Entity Too Large"))
        try:
            form = await read_form(request)
        except FormError as error:
            return self._refused(bad(str(error)))
        chat = self.world.chat(form.params["chat_id"]) if form.params.get("chat_id", "").strip("-@ ") else None
        names = chat.names if chat else (form.params.get("chat_id", ""),)
        mishap = self.world.script.take(method, names)
        if mishap is None:
            return await self._carry_out(method, bot, chat, form, "")

        async def carry_out() -> web.Response:
            return await self._carry_out(method, bot, chat, form, f"{mishap.name}: ")

        if not mishap.after and mishap.fault is not Fault.LATE:
            told = f"{mishap.name}: not carried out"
            self._record(method, bot, chat, form, told, banned_for=mishap.retry_after)
        return await act_out(
            mishap, request, self.post.stopping, carry_out, lambda met: self._worded(met, bot, chat, form)
        )

    def _bot(self, token: str) -> TelegramBot | Refusal:
        bot = self.world.bots.get(token)
        number, _, secret = token.partition(":")
        if not (number.isdigit() and secret):
            return Refusal(404, "")
        if bot is None and self.world.welcoming:
            return self.world.add_bot(token)
        return Refusal(401, "") if bot is None or bot.revoked else bot

    async def _carry_out(self, method: str, bot: TelegramBot, chat: Chat | None, form: Form, met: str) -> web.Response:
        made = len(self.world.created)
        try:
            self._check_pace(method, bot, chat, form)
            result = await self._run(method, methods.BotCall(self.world, bot, form.params, form.files, self.fetch))
        except Refusal as refusal:
            banned_for = (refusal.parameters or {}).get("retry_after", 0)
            told = f"{met}{refusal.code} {refusal.full}"
            self._record(method, bot, chat, form, told, banned_for=banned_for, inside_ban=refusal.inside_ban)
            return self._refused(refusal)
        if method != "getUpdates":
            public = len(self.world.created) > made
            self._record(method, bot, chat, form, f"{met}ok", public=public)
        return json_answer({"ok": True, "result": result})

    async def _run(self, method: str, call: methods.BotCall) -> Any:
        match method:
            case "getUpdates":
                return await self.post.get_updates(call)
            case "setWebhook":
                return self.post.set_webhook(call)
            case "deleteWebhook":
                return self.post.delete_webhook(call)
            case "getWebhookInfo":
                return self.post.webhook_info(call)
        return METHODS[method](call)

    def _keys(self, bot: TelegramBot, chat: Chat | None, form: Form) -> list[str]:
        target = chat.id if chat else form.params.get("chat_id", "")
        return [f"bot:{bot.id}", f"chat:{bot.id}:{target}"]

    def _check_pace(self, method: str, bot: TelegramBot, chat: Chat | None, form: Form) -> None:
        world, now = self.world, self.world.clock()
        of_bot, of_chat = self._keys(bot, chat, form)
        if method not in PACED and not method.startswith("delete"):
            return
        left = world.meter.banned_for([of_bot, of_chat], now, world.rates.prolong)
        if left:
            world.calls_inside_ban += 1
            raise _too_fast(left, inside_ban=True)
        if method not in PACED:
            return
        wait = world.meter.spend(of_bot, world.rates.bot, now)
        if not wait and not self._nothing_to_send(method, form):
            wait = world.meter.spend(of_chat, world.rates.chat, now)
        grouped = chat is not None and (chat.type == "supergroup" or world.rates.channels_as_groups)
        if not wait and grouped and method in SENDING and not self._nothing_to_send(method, form):
            wait = world.meter.spend(f"{of_chat}:minute", world.rates.group, now)
            if wait:
                world.meter.ban(of_chat, now + wait)
        if wait:
            raise _too_fast(wait)

    def _nothing_to_send(self, method: str, form: Form) -> bool:
        """Say whether what should be forwarded is not there: looked up first, so the chat gets nothing."""
        if method not in ("forwardMessage", "copyMessage"):
            return False
        source = self.world.chat(form.params.get("from_chat_id", "").strip() or "0")
        number = form.params.get("message_id", "").strip()
        post = source.messages.get(int(number)) if source is not None and number.isdecimal() else None
        return post is None or post.deleted_at is not None

    def _worded(self, mishap: Mishap, bot: TelegramBot, chat: Chat | None, form: Form) -> web.Response:
        if mishap.fault is Fault.ERROR:
            return self._refused(Refusal(500, ""))
        if mishap.retry_after:
            of_bot, of_chat = self._keys(bot, chat, form)
            key = of_chat if form.params.get("chat_id") else of_bot
            self.world.meter.ban(key, self.world.clock() + mishap.retry_after)
            return self._refused(_too_fast(mishap.retry_after))
        return self._refused(Refusal(mishap.code, mishap.description), mishap.status)

    def _refused(self, refusal: Refusal, status: int = 0) -> web.Response:
        body: dict[str, Any] = {"ok": False, "error_code": refusal.code, "description": refusal.full}
        headers = {}
        if refusal.parameters:
            body["parameters"] = dict(refusal.parameters)
            if "retry_after" in refusal.parameters:
                headers["Retry-After"] = str(refusal.parameters["retry_after"])
        return json_answer(body, status or refusal.code, headers)

    def _record(self, method: str, bot: TelegramBot, chat: Chat | None, form: Form, outcome: str, **more: Any) -> None:
        target = str(chat.id) if chat else form.params.get("chat_id", "")
        call = Call(self.world.clock(), method, str(bot.id), target, form.params, outcome, agent=form.agent, **more)
        self.world.calls.append(call)

    async def file(self, request: web.Request) -> web.Response:
        """Serve what getFile named."""
        bot = self._bot(request.match_info["token"])
        name = request.match_info["path"].removeprefix("photos/").removesuffix(".jpg")
        stored = self.world.photos.served(name)
        if isinstance(bot, Refusal) or stored is None:
            return self._refused(Refusal(404, ""))
        return web.Response(body=stored.body, content_type="application/octet-stream")


def _too_fast(seconds: int, *, inside_ban: bool = False) -> Refusal:
    return Refusal(429, f"retry after {seconds}", {"retry_after": seconds}, inside_ban)
