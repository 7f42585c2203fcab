"""Bots, chats, people, photos and posts as the Bot API shows them (core.telegram.org/bots/api#available-types)."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from bot.sandbox.photos import StoredPhoto

if TYPE_CHECKING:
    from bot.sandbox.telegram_world import Chat, Rights, SandboxPost, TelegramBot, TelegramWorld, User

Json = dict[str, Any]
PHOTO_BOXES = ((90, "s"), (320, "m"), (800, "x"), (1280, "y"), (2560, "w"))


def bot_user(bot: TelegramBot, *, full: bool = False) -> Json:
    user: Json = {"id": bot.id, "is_bot": True, "first_name": bot.username, "username": bot.username}
    if full:
        user |= {
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
            "can_connect_to_business": False,
            "has_main_web_app": False,
        }
    return user


def person(user: User) -> Json:
    return {"id": user.id, "is_bot": False, "first_name": user.name, "language_code": "uk"}


def chat_brief(chat: Chat) -> Json:
    if chat.type == "private":
        return {"id": chat.id, "type": "private", "first_name": chat.title}
    brief: Json = {"id": chat.id, "type": chat.type, "title": chat.title}
    return brief | ({"username": chat.username} if chat.username else {})


def chat_full(chat: Chat) -> Json:
    full = chat_brief(chat) | {
        "accent_color_id": 1,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(
            ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"), False
        ),
    }
    if chat.username:
        full["active_usernames"] = [chat.username]
    if chat.linked_group:
        full["linked_chat_id"] = chat.linked_group
    if chat.protected:
        full["has_protected_content"] = True
    return full


def member(user: Json, rights: Rights, kind: str) -> Json:
    """Return a ChatMember; `kind` is the chat's type."""
    if rights.kicked:
        return {"user": user, "status": "kicked", "until_date": 0}
    if not rights.member:
        return {"user": user, "status": "left"}
    if not rights.administrator:
        return {"user": user, "status": "member"}
    allowed: Json = {
        "can_be_edited": False,
        "is_anonymous": False,
        "can_manage_chat": True,
        "can_delete_messages": rights.can_delete,
        "can_manage_video_chats": False,
        "can_restrict_members": False,
        "can_promote_members": False,
        "can_change_info": False,
        "can_invite_users": True,
        "can_post_stories": False,
        "can_edit_stories": False,
        "can_delete_stories": False,
    }
    if kind == "channel":
        allowed |= {"can_post_messages": rights.can_post, "can_edit_messages": rights.can_edit}
    else:
        allowed |= {"can_pin_messages": False, "can_manage_topics": False}
    return {"user": user, "status": "administrator", **allowed}


def photo_sizes(world: TelegramWorld, bot_id: int, photo: StoredPhoto) -> list[Json]:
    """Return the PhotoSizes of a photo for one bot, smallest first, each with a file_id only that bot may use."""
    long_side = max(photo.width, photo.height)
    sizes = []
    for box, letter in PHOTO_BOXES:
        scale = min(1.0, box / long_side)
        seal = hashlib.sha256(f"{bot_id}:{photo.key}:{letter}".encode()).digest()
        file_id = "AgACAgIAAx" + base64.urlsafe_b64encode(seal[:30]).decode() + "AQAD" + letter.upper() + "wADNgQ"
        world.file_ids[file_id] = (bot_id, photo.key)
        sizes.append(
            {
                "file_id": file_id,
                "file_unique_id": "AQAD" + base64.urlsafe_b64encode(seal[:9]).decode(),
                "width": max(1, round(photo.width * scale)),
                "height": max(1, round(photo.height * scale)),
                "file_size": max(1, round(len(photo.body) * scale * scale)),
            }
        )
        if box >= long_side:
            break
    return sizes


def message(world: TelegramWorld, chat: Chat, post: SandboxPost, bot_id: int) -> Json:
    """Return a Message as the bot `bot_id` gets it."""
    out: Json = {"message_id": post.id, "date": int(post.date), "chat": chat_brief(chat)}
    if chat.type == "channel":
        out["sender_chat"] = chat_brief(chat)
    elif post.author in world.by_id:
        out["from"] = bot_user(world.by_id[post.author])
    elif post.author in world.users:
        out["from"] = person(world.users[post.author])
    if post.forwarded_from:
        out |= _origin(world, chat, post)
    if post.edited is not None:
        out["edit_date"] = int(post.edited)
    if post.reply_to in chat.messages and post.reply_to is not None:
        out["reply_to_message"] = {**message(world, chat, chat.messages[post.reply_to], bot_id)}
        out["reply_to_message"].pop("reply_to_message", None)
    if post.photo is not None:
        out["photo"] = photo_sizes(world, bot_id, post.photo)
    if post.text:
        out["caption" if post.photo else "text"] = post.text
        if post.entities:
            out["caption_entities" if post.photo else "entities"] = [dict(entity) for entity in post.entities]
    if post.album:
        out["media_group_id"] = post.album
    if post.link_preview:
        out["link_preview_options"] = post.link_preview
    if post.protected:
        out["has_protected_content"] = True
    if post.reply_markup and "inline_keyboard" in post.reply_markup:
        out["reply_markup"] = post.reply_markup
    return out


def _origin(world: TelegramWorld, chat: Chat, post: SandboxPost) -> Json:
    source_id, message_id = post.forwarded_from or (0, 0)
    source = world.chats.get(source_id)
    if source_id in world.users:
        sender = person(world.users[source_id])
        return {"forward_origin": {"type": "user", "sender_user": sender, "date": int(post.date)}}
    if source is None or source.type != "channel":
        return {"forward_origin": {"type": "hidden_user", "sender_user_name": "—", "date": int(post.date)}}
    original = source.messages.get(message_id)
    origin: Json = {"type": "channel", "chat": chat_brief(source), "message_id": message_id}
    origin["date"] = int(original.date if original else post.date)
    out: Json = {"forward_origin": origin}
    if source.linked_group == chat.id and post.author == source.id:
        service = {"id": 777000, "is_bot": False, "first_name": "Telegram"}
        out |= {"is_automatic_forward": True, "sender_chat": chat_brief(source), "from": service}
    return out
