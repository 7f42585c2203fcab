"""Methods of the Bot API about bots, chats, commands, files and buttons; each returns the `result` of a `BotCall`."""

from __future__ import annotations

import re
from typing import Any

from bot.sandbox.names import names
from bot.sandbox.telegram_methods import BotCall
from bot.sandbox.telegram_rules import bad, read_json
from bot.sandbox.telegram_shapes import bot_user, chat_full, member, person
from bot.sandbox.telegram_world import Chat, Rights

ACTIONS = names(
    "typing upload_photo record_video upload_video record_voice upload_voice upload_document choose_sticker "
    "find_location record_video_note upload_video_note"
)
COMMAND = re.compile(r"[a-z0-9_]{1,32}")
LANGUAGE = re.compile(r"[a-z]{2}")


def get_me(call: BotCall) -> Any:
    return bot_user(call.bot, full=True)


def get_chat(call: BotCall) -> Any:
    return chat_full(call.chat())


def _visible_members(call: BotCall, chat: Chat) -> None:
    rights = call.world.rights(chat, call.bot.id)
    if chat.type == "channel" and (rights is None or not rights.administrator):
        raise bad("member list is inaccessible")


def get_chat_member(call: BotCall) -> Any:
    chat = call.chat()
    user_id = call.number("user_id", "invalid user_id specified")
    if chat.type == "private":
        user = call.world.users[chat.id]
        return {"user": person(user), "status": "member"}
    _visible_members(call, chat)
    bot = call.world.by_id.get(user_id)
    if bot is not None:
        rights = call.world.rights(chat, user_id) or Rights(member=False, administrator=False)
        return member(bot_user(bot), rights, chat.type)
    if user_id in call.world.users:
        inside = Rights(member=True, administrator=False)
        return member(person(call.world.users[user_id]), inside, chat.type)
    raise bad("user not found")


def get_chat_member_count(call: BotCall) -> Any:
    chat = call.chat()
    return 2 if chat.type == "private" else max(1, len(call.world.bots_in(chat)) + len(call.world.users))


def get_chat_administrators(call: BotCall) -> Any:
    chat = call.chat()
    if chat.type == "private":
        raise bad("there are no administrators in the private chat")
    _visible_members(call, chat)
    bots = call.world.bots_in(chat)
    found = [(bot, call.world.rights(chat, bot.id)) for bot in bots]
    return [member(bot_user(bot), rights, chat.type) for bot, rights in found if rights and rights.administrator]


def send_chat_action(call: BotCall) -> Any:
    action = call.params.get("action", "").lower()
    if not action:
        raise bad('parameter "action" is required')
    if action not in ACTIONS:
        raise bad("wrong parameter action in request")
    call.writable()
    return True


def answer_callback_query(call: BotCall) -> Any:
    query = call.params.get("callback_query_id", "")
    if len(call.params.get("text", "")) > 200:
        raise bad("MESSAGE_TOO_LONG")
    if not call.world.queries.pop(query, False):
        raise bad("query is too old and response timeout expired or query ID is invalid")
    call.world.answers.append({"bot": str(call.bot.id), **call.params})
    return True


def _scope(call: BotCall) -> str:
    """Return the name of the list that a call means, "type:chat:person/language"."""
    raw = call.params.get("scope")
    scope = read_json(raw, dict, "can't parse BotCommandScope JSON object") if raw else {"type": "default"}
    kind, chat_id, user_id = scope.get("type"), "", ""
    if kind in ("chat", "chat_administrators", "chat_member"):
        chat_id = str(scope.get("chat_id", ""))
        if "chat_id" not in scope:
            raise bad("can't parse BotCommandScope: Can't find field \"chat_id\"")
        if not chat_id:
            raise bad("can't parse BotCommandScope: Empty chat_id specified")
    elif kind not in ("default", "all_private_chats", "all_group_chats", "all_chat_administrators"):
        raise bad("can't parse BotCommandScope: Unsupported type specified")
    if kind == "chat_member":
        user_id = str(scope.get("user_id", ""))
        if not user_id:
            raise bad("can't parse BotCommandScope: Can't find field \"user_id\"")
        if not user_id.isdecimal() or not int(user_id):
            raise bad("can't parse BotCommandScope: Invalid user_id specified")
    if chat_id:
        chat = _known(call, chat_id)
        if chat.type == "private" and kind != "chat":
            raise bad("can't use specified scope in private chats")
        if chat.type == "channel":
            raise bad("can't change commands in channel chats")
        chat_id = str(chat.id)
    language = call.params.get("language_code", "")
    if language and not LANGUAGE.fullmatch(language):
        raise bad("invalid language code specified")
    return f"{kind}:{chat_id}:{user_id}/{language}"


def _known(call: BotCall, chat_id: str) -> Chat:
    """Return a chat that the bot has met: unlike for a message, a person need not let it write."""
    if not chat_id.isdecimal():
        given, call.params["chat_id"] = call.params.get("chat_id", ""), chat_id
        try:
            return call.chat()
        finally:
            call.params["chat_id"] = given
    user = call.world.users.get(int(chat_id))
    if user is None or call.bot.id not in user.started | user.blocked:
        if not call.world.welcoming:
            raise bad("chat not found")
        call.world.add_user(int(chat_id), f"Користувач {chat_id}")
    return call.world.private_chat(call.bot.id, int(chat_id))


def set_my_commands(call: BotCall) -> Any:
    commands = read_json(call.params.get("commands", ""), list, "can't parse commands JSON object")
    place = _scope(call)
    if len(commands) > 100:
        raise bad("BOT_COMMANDS_TOO_MUCH")
    kept = []
    for one in commands:
        if not isinstance(one, dict) or not {"command", "description"} <= set(one):
            raise bad("invalid setMyCommands parameters")
        name, line = str(one["command"]).strip().removeprefix("/"), str(one["description"]).strip()
        for what, given, most in (("command", name, 32), ("command description", line, 256)):
            if not given:
                raise bad(f"{what} must be non-empty")
            if len(given) > most:
                raise bad(f"{what} length must not exceed {most}")
        if not COMMAND.fullmatch(name):
            raise bad("BOT_COMMAND_INVALID")
        kept.append({"command": name, "description": line})
    call.bot.commands[place] = kept
    return True


def get_my_commands(call: BotCall) -> Any:
    return call.bot.commands.get(_scope(call), [])


def delete_my_commands(call: BotCall) -> Any:
    call.bot.commands.pop(_scope(call), None)
    return True


def set_chat_menu_button(call: BotCall) -> Any:
    raw = call.params.get("menu_button") or '{"type": "default"}'
    button: dict[str, Any] = read_json(raw, dict, "can't parse menu button JSON object")
    if button.get("type") not in ("commands", "web_app", "default"):
        raise bad("can't parse menu button: type is invalid")
    if button["type"] == "web_app" and not str((button.get("web_app") or {}).get("url", "")).startswith("https://"):
        raise bad("menu button Web App URL is invalid: Only HTTPS links are allowed")
    call.bot.menu[int(call.params.get("chat_id") or 0)] = button
    return True


def get_chat_menu_button(call: BotCall) -> Any:
    chat = int(call.params.get("chat_id") or 0)
    return call.bot.menu.get(chat) or call.bot.menu.get(0) or {"type": "commands"}


def get_file(call: BotCall) -> Any:
    given = call.params.get("file_id", "")
    owner, key = call.world.file_ids.get(given, (0, ""))
    stored = call.world.photos.served(key[:24])
    if owner != call.bot.id or stored is None:
        raise bad("wrong file_id or the file is temporarily unavailable")
    return {
        "file_id": given,
        "file_unique_id": f"AQAD{key[:12]}",
        "file_size": len(stored.body),
        "file_path": f"photos/{key[:24]}.jpg",
    }
