"""The pre-flight look at a Telegram channel: token, address, rights. Each finding says what to do."""

from __future__ import annotations

from telegram import ChatMember, ChatMemberAdministrator, ChatMemberOwner
from telegram.constants import ChatAction

from bot.channels.base import READ_BACK, Finding
from bot.channels.telegram_bot import TelegramBot
from bot.errors import AccessLostError, BotError

_RIGHTS = {
    "can_post_messages": "post messages",
    "can_edit_messages": "edit messages of others",
    "can_delete_messages": "delete messages of others",
}


async def look_over(bot: TelegramBot, chat: str | int, token_name: str) -> list[Finding]:
    """Return findings up to the first that fails: what comes after it cannot be known.

    Args:
        chat: "@name" or the numeric id.
        token_name: the variable in which the token is looked for.
    """
    found = [await _token(bot, token_name)]
    if found[-1].ok:
        found.append(await _address(bot, chat))
    if found[-1].ok:
        found.append(await _rights(bot, chat))
    return found


async def _token(bot: TelegramBot, token_name: str) -> Finding:
    try:
        me = await bot.ask(lambda library: library.get_me())
    except AccessLostError as error:
        if "no token" in str(error):
            return _bad("token", f"{token_name} is not set: take the bot's token from @BotFather")
        return _bad("token", f"Telegram does not accept the token in {token_name}: ask @BotFather for a new one")
    except BotError as error:
        return _bad("token", f"Telegram cannot be asked: {error}")
    return Finding(name="token", ok=True, detail=f"@{me.username}")


async def _address(bot: TelegramBot, chat: str | int) -> Finding:
    try:
        found = await bot.ask(lambda library: library.get_chat(chat))
    except BotError as error:
        return _bad("address", f"{chat}: add the bot to the channel, and see that the address is right ({error})")
    return Finding(name="address", ok=True, detail=f"{found.title or found.username or ''} ({found.id})".strip())


async def _rights(bot: TelegramBot, chat: str | int) -> Finding:
    try:
        member = await bot.ask(lambda library: library.get_chat_member(chat, int(bot.id)))
    except AccessLostError:
        return _bad("rights", f"the bot is not an administrator of {chat}: make it one, with the right to {_wanted()}")
    except BotError as error:
        return _bad("rights", f"Telegram does not tell the bot's rights in {chat}: {error}")
    if isinstance(member, ChatMemberOwner):
        return Finding(name="rights", ok=True, detail="owner")
    if not isinstance(member, ChatMemberAdministrator):
        gone = member.status in (ChatMember.LEFT, ChatMember.BANNED)
        state = "was removed from" if gone else "is not an administrator of"
        return _bad("rights", f"the bot {state} {chat}: make it an administrator with the right to {_wanted()}")
    missing = [words for right, words in _RIGHTS.items() if not getattr(member, right)]
    if missing:
        return _bad("rights", f"the bot, administrator of {chat}, has no right to {', '.join(missing)}: grant it")
    return Finding(name="rights", ok=True, detail="post, edit, delete")


async def look_at_service_chat(bot: TelegramBot, chat: str | int, service_chat: int) -> Finding:
    """Test whether a channel can be read by forwarding what it shows to a chat; forwards nothing."""
    try:
        await bot.ask(lambda library: library.send_chat_action(service_chat, ChatAction.TYPING))
    except BotError as error:
        detail = f"the bot cannot write to service_chat {service_chat}: add it there, with the right to post ({error})"
        return _bad(READ_BACK, detail)
    try:
        protected = (await bot.ask(lambda library: library.get_chat(chat))).has_protected_content
    except BotError as error:
        return _bad(READ_BACK, f"Telegram does not tell whether {chat} may be forwarded: {error}")
    if protected:
        detail = f"{chat} restricts saving content, so service_chat is of no use: allow it, or leave the chat out"
        return _bad(READ_BACK, detail)
    return Finding(name=READ_BACK, ok=True, detail=f"by forwarding to {service_chat}")


def _wanted() -> str:
    return ", ".join(_RIGHTS.values())


def _bad(name: str, detail: str) -> Finding:
    return Finding(name=name, ok=False, detail=detail)
