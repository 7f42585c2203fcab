"""Methods of the Bot API that make, change and remove messages. Each takes a `BotCall` and returns `result`.

Order of the checks follows the real server where it is known: content, then chat, then rights (tdlib/telegram-bot-api,
telegram-bot-api/Client.cpp).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.sandbox.photos import StoredPhoto
from bot.sandbox.telegram_markup import Marked
from bot.sandbox.telegram_rules import (
    CAPTION_LIMIT,
    PHOTO_URL_BYTES,
    TEXT_LIMIT,
    Refusal,
    bad,
    read_json,
    read_preview,
    read_text,
    refuse_markup,
    refuse_photo,
)
from bot.sandbox.telegram_shapes import message
from bot.sandbox.telegram_world import Chat, Rights, SandboxPost, TelegramBot, TelegramWorld
from bot.sandbox.wire import Upload

DELETE_WITHIN = 48 * 3600


@dataclass(slots=True)
class BotCall:
    """One call of one bot, with readers for its parameters. `fetch` returns what the sandbox serves at an address."""

    world: TelegramWorld
    bot: TelegramBot
    params: dict[str, str]
    files: dict[str, Upload]
    fetch: Callable[[str], bytes | None]

    def flag(self, name: str) -> bool:
        return self.params.get(name, "").lower() in ("true", "yes", "1")

    def number(self, name: str, complaint: str) -> int:
        raw = self.params.get(name, "").strip()
        if not raw.lstrip("-").isdigit():
            raise bad(complaint)
        return int(raw)

    def chat(self, name: str = "chat_id") -> Chat:
        """Return the chat that a parameter names, existing and not closed to this bot."""
        raw = self.params.get(name, "").strip()
        if not raw:
            raise bad(f"{name} is empty")
        if raw.isdigit():
            return self._private(int(raw))
        chat = self.world.chat(raw)
        if chat is None:
            raise bad("chat not found")
        if chat.migrated_to:
            raise Refusal(400, "group chat was upgraded to a supergroup chat", {"migrate_to_chat_id": chat.migrated_to})
        rights = self.world.rights(chat, self.bot.id)
        if rights is not None and rights.kicked:
            raise Refusal(403, f"bot was kicked from the {chat.type} chat")
        if (rights is None or not rights.member) and chat.username is None:
            if rights is None:
                raise bad("chat not found")
            raise Refusal(403, f"bot is not a member of the {chat.type} chat")
        return chat

    def _private(self, user_id: int) -> Chat:
        user = self.world.users.get(user_id)
        if user is None and self.world.welcoming:
            user = self.world.add_user(user_id, f"Користувач {user_id}")
        if user is None:
            raise bad("chat not found")
        if self.bot.id in user.blocked:
            raise Refusal(403, "bot was blocked by the user")
        if self.bot.id not in user.started and not self.world.welcoming:
            raise Refusal(403, "bot can't initiate conversation with a user")
        return self.world.private_chat(self.bot.id, user_id)

    def rights(self, chat: Chat) -> Rights:
        """Return this bot's rights in a chat it is a member of."""
        if chat.type == "private":
            return Rights()
        rights = self.world.rights(chat, self.bot.id)
        if rights is None or not rights.member:
            raise Refusal(403, f"bot is not a member of the {chat.type} chat")
        return rights

    def writable(self) -> Chat:
        """Return the chat to write to, with the right to."""
        chat = self.chat()
        rights = self.rights(chat)
        if chat.type == "channel" and not (rights.administrator and rights.can_post):
            raise bad("need administrator rights in the channel chat")
        return chat

    def text(self, *, editing: bool = False) -> Marked:
        return read_text(
            self.params.get("text"),
            self.params.get("parse_mode", ""),
            self.params.get("entities"),
            limit=TEXT_LIMIT,
            too_long="MESSAGE_TOO_LONG" if editing else "message is too long",
            needed=True,
        )

    def caption(self, given: dict[str, Any] | None = None, *, editing: bool = False) -> Marked:
        from_form = self.params if given is None else given
        return read_text(
            from_form.get("caption"),
            from_form.get("parse_mode") or "",
            from_form.get("caption_entities"),
            limit=CAPTION_LIMIT,
            too_long="MEDIA_CAPTION_TOO_LONG" if editing else "message caption is too long",
            needed=False,
        )

    def photo(self, given: str | None) -> StoredPhoto:
        """Return the photo that an upload, a file_id of this bot or an address the sandbox serves stands for."""
        upload = self.files.get("photo") if given is None else None
        if given and given.startswith("attach://"):
            upload = self.files.get(given.removeprefix("attach://"))
        if upload is not None:
            refuse_photo(upload.body, self.world.photos.look(upload.body))
            return self.world.photos.keep(upload.body)
        if not given or given.startswith("attach://"):
            raise bad("there is no photo in the request")
        if given in self.world.file_ids:
            owner, key = self.world.file_ids[given]
            stored = self.world.photos.served(key[:24])
            if owner != self.bot.id or stored is None:
                raise bad("wrong file identifier/HTTP URL specified")
            return stored
        if "." not in given:
            raise bad("wrong remote file identifier specified: can't unserialize it. Wrong last symbol")
        body = self.fetch(given)
        if body is None or len(body) > PHOTO_URL_BYTES:
            raise bad("failed to get HTTP URL content")
        picture = self.world.photos.look(body)
        if not picture.format:
            raise bad("wrong type of the web page content")
        refuse_photo(body, picture)
        return self.world.photos.keep(body)

    def settings(self, chat: Chat) -> dict[str, Any]:
        """Return what every sending method shares: silence, protection, reply, buttons."""
        return {
            "silent": self.flag("disable_notification"),
            "protected": self.flag("protect_content") or chat.protected,
            "reply_markup": refuse_markup(self.params.get("reply_markup"), private=chat.type == "private"),
            "reply_to": self._reply(chat),
        }

    def _reply(self, chat: Chat) -> int | None:
        raw = self.params.get("reply_parameters")
        reply = read_json(raw, dict, "can't parse reply parameters JSON object") if raw else {}
        target = reply.get("message_id") or self.params.get("reply_to_message_id")
        if not target:
            return None
        found = chat.messages.get(int(target))
        if found is None or found.deleted_at is not None:
            if reply.get("allow_sending_without_reply") or self.flag("allow_sending_without_reply"):
                return None
            raise bad("message to be replied not found")
        return found.id

    def found(self, chat: Chat, words: str, name: str = "message_id") -> SandboxPost:
        """Return the message of a chat that a parameter names, or refuse with `words`."""
        post = chat.messages.get(self.number(name, "message identifier is not specified"))
        if post is None or post.deleted_at is not None:
            raise bad(words)
        return post


def send_message(call: BotCall) -> Any:
    marked, preview = call.text(), read_preview(call.params)
    chat = call.writable()
    post = call.world.publish(chat, call.bot.id, marked, link_preview=preview, **call.settings(chat))
    return message(call.world, chat, post, call.bot.id)


def send_photo(call: BotCall) -> Any:
    given, marked = call.params.get("photo"), call.caption()
    if not given and "photo" not in call.files:
        raise bad("there is no photo in the request")
    chat = call.writable()
    settings, photo = call.settings(chat), call.photo(given)
    post = call.world.publish(chat, call.bot.id, marked, photo=photo, caption=True, **settings)
    return message(call.world, chat, post, call.bot.id)


def send_media_group(call: BotCall) -> Any:
    media = read_json(call.params.get("media", ""), list, "can't parse media JSON object")
    if not media:
        raise bad("there are no messages to send")
    if len(media) > 10:
        raise bad("too many messages to send as an album")
    if len({bool(one.get("show_caption_above_media")) for one in media if isinstance(one, dict)}) > 1:
        raise bad("parameter show_caption_above_media must be the same for all messages")
    chat = call.writable()
    settings, ready = call.settings(chat), []
    for number, one in enumerate(media, 1):
        if not isinstance(one, dict) or one.get("type") != "photo":
            raise bad("type of the media must be photo (the sandbox keeps nothing else)")
        try:
            ready.append((call.caption(one), call.photo(str(one.get("media", "")))))
        except Refusal as refusal:
            if refusal.description.isupper():
                words = f'failed to send message #{number} with the error message "{refusal.description}"'
                raise bad(words) from refusal
            raise
    album = str(13_000_000_000_000_000 + next(call.world.ids))
    posts = [
        call.world.publish(chat, call.bot.id, marked, photo=photo, caption=True, album=album, **settings)
        for marked, photo in ready
    ]
    return [message(call.world, chat, post, call.bot.id) for post in posts]


def _editable(call: BotCall) -> tuple[Chat, SandboxPost]:
    chat = call.chat()
    rights = call.rights(chat)
    post = call.found(chat, "message to edit not found")
    own = post.author == call.bot.id
    if post.forwarded_from or (chat.type != "channel" and not own):
        raise bad("message can't be edited")
    if chat.type == "channel" and not (rights.can_edit or (own and rights.can_post)):
        raise bad("message can't be edited")
    return chat, post


def _changed(call: BotCall, chat: Chat, post: SandboxPost, marked: Marked, photo: StoredPhoto | None) -> Any:
    markup = refuse_markup(call.params.get("reply_markup"), private=chat.type == "private")
    now_is = (post.text, post.entities, post.photo, post.reply_markup)
    preview = read_preview(call.params) if post.photo is None else None
    if now_is == (marked.text, marked.entities, photo, markup) and preview in (None, post.link_preview):
        raise bad(
            "message is not modified: specified new message content and reply markup are exactly the same as a current "
            "content and reply markup of the message"
        )
    post.photo, post.reply_markup = photo, markup
    if photo is None:
        post.link_preview = preview
    call.world.change(post, marked)
    return message(call.world, chat, post, call.bot.id)


def edit_message_text(call: BotCall) -> Any:
    marked = call.text(editing=True)
    chat, post = _editable(call)
    if post.photo is not None:
        raise bad("there is no text in the message to edit")
    return _changed(call, chat, post, marked, None)


def edit_message_caption(call: BotCall) -> Any:
    marked = call.caption(editing=True)
    chat, post = _editable(call)
    if post.photo is None:
        raise bad("there is no caption in the message to edit")
    return _changed(call, chat, post, marked, post.photo)


def edit_message_media(call: BotCall) -> Any:
    media = read_json(call.params.get("media", ""), dict, "can't parse InputMedia JSON object")
    marked = call.caption(media, editing=True)
    chat, post = _editable(call)
    photo = call.photo(str(media.get("media", "")))
    post.caption = True
    return _changed(call, chat, post, marked, photo)


def edit_message_reply_markup(call: BotCall) -> Any:
    chat, post = _editable(call)
    return _changed(call, chat, post, Marked(post.text, post.entities), post.photo)


def _refuse_delete(call: BotCall, chat: Chat, post: SandboxPost) -> None:
    rights = call.rights(chat)
    own = post.author == call.bot.id
    allowed = chat.type == "private" or rights.can_delete or (own and rights.can_post)
    if not allowed or call.world.clock() - post.date >= DELETE_WITHIN:
        raise bad("message can't be deleted for everyone" if chat.type == "private" else "message can't be deleted")


def delete_message(call: BotCall) -> Any:
    chat = call.chat()
    post = call.found(chat, "message to delete not found")
    _refuse_delete(call, chat, post)
    call.world.remove(post)
    return True


def delete_messages(call: BotCall) -> Any:
    ids = read_json(call.params.get("message_ids", ""), list, "can't parse message identifiers JSON object")
    if not ids:
        raise bad("message identifiers are not specified")
    if len(ids) > 100:
        raise bad("too many message identifiers specified")
    chat = call.chat()
    posts = [chat.messages[id] for id in ids if id in chat.messages and chat.messages[id].deleted_at is None]
    for post in posts:
        _refuse_delete(call, chat, post)
    for post in posts:
        call.world.remove(post)
    return True


def _source(call: BotCall, words: str) -> tuple[Chat, SandboxPost]:
    source = call.chat("from_chat_id")
    return source, call.found(source, words)


def forward_message(call: BotCall) -> Any:
    source, original = _source(call, "message to forward not found")
    chat = call.writable()
    if original.protected:
        raise bad("message can't be forwarded")
    post = call.world.publish(
        chat,
        call.bot.id,
        Marked(original.text, original.entities),
        photo=original.photo,
        caption=original.caption,
        silent=call.flag("disable_notification"),
        forwarded_from=original.forwarded_from or (source.id, original.id),
        link_preview=original.link_preview,
    )
    return message(call.world, chat, post, call.bot.id)


def copy_message(call: BotCall) -> Any:
    _, original = _source(call, "message to copy not found")
    marked = call.caption() if "caption" in call.params else Marked(original.text, original.entities)
    chat = call.writable()
    if original.protected:
        raise bad("message can't be copied")
    settings = call.settings(chat)
    post = call.world.publish(chat, call.bot.id, marked, photo=original.photo, caption=original.caption, **settings)
    return {"message_id": post.id}
