"""What people do in the sandbox's Telegram, and how bots hear of it: talking, pressing buttons, reacting, editing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.sandbox.telegram_markup import Marked, parse_html, tidy, with_automatic
from bot.sandbox.telegram_shapes import bot_user, chat_brief, member, message, person
from bot.sandbox.telegram_world import Chat, Rights, SandboxPost, TelegramBot, TelegramWorld, User

Json = dict[str, Any]


class Telegram(TelegramWorld):
    """The world with its people. `put` hands an update to the inbox of a bot."""

    def _place(self, chat: int | str | Chat, user: User) -> Chat:
        if isinstance(chat, int) and chat in self.by_id:
            user.started.add(chat)
            return self.private_chat(chat, user.id)
        return self.must(chat)

    def _person(self, user: int | User) -> User:
        if isinstance(user, User):
            return user
        if user not in self.users:
            self.add_user(user, f"Користувач {user}")
        return self.users[user]

    def _tell(self, chat: Chat, kind: str, post: SandboxPost) -> None:
        bots = [self.by_id[chat.partner]] if chat.type == "private" else self.bots_in(chat)
        for bot in bots:
            if bot.id != post.author:
                self.put_update(bot, kind, message(self, chat, post, bot.id))

    def put_update(self, bot: TelegramBot, kind: str, content: Json) -> None:
        self.on_update(bot, kind, content)

    def say(
        self,
        user: int | User,
        chat: int | str | Chat,
        text: str = "",
        *,
        html: str = "",
        photo: bytes = b"",
        forwarded: SandboxPost | int | None = None,
        **more: Any,
    ) -> SandboxPost:
        """Let a person write: to a bot (its id), into a group, or a post into a channel. "/start" needs no more.

        Args:
            html: the text with formatting, in its place.
            photo: a picture's bytes; the text is then its caption.
            forwarded: the channel post, or the person, whose message this is; 0 for one who hides the account.
        """
        who = self._person(user)
        place = self._place(chat, who)
        marked = tidy(parse_html(html)) if html else Marked(text, _commands(text))
        if photo:
            more |= {"photo": self.photos.keep(photo), "caption": True}
        if isinstance(forwarded, SandboxPost):
            marked = Marked(forwarded.text, forwarded.entities)
            more |= {"forwarded_from": (forwarded.chat, forwarded.id), "photo": forwarded.photo}
        elif forwarded is not None:
            more |= {"forwarded_from": (forwarded, 0)}
        post = self.publish(place, who.id, with_automatic(marked), **more)
        self._tell(place, "channel_post" if place.type == "channel" else "message", post)
        return post

    def press(self, user: int | User, post: SandboxPost, button: str) -> str:
        """Let a person press a button, named by its callback data or its text; return the query's id.

        Raises:
            KeyError: the post has no such button.
        """
        who = self._person(user)
        rows = (post.reply_markup or {}).get("inline_keyboard", [])
        for one in (one for row in rows for one in row):
            if button in (one.get("callback_data"), one["text"]) and "callback_data" in one:
                return self._pressed(who, post, one["callback_data"])
        raise KeyError(f"no button {button!r} under post {post.id}: {rows}")

    def _pressed(self, who: User, post: SandboxPost, answer: str) -> str:
        bot = self.by_id[post.author]
        chat = self.private_chat(bot.id, post.chat) if (bot.id, post.chat) in self.private else self.must(post.chat)
        query = str(4_000_000_000_000_000 + next(self.ids))
        self.queries[query] = True
        content = {
            "id": query,
            "from": person(who),
            "chat_instance": str(post.chat),
            "data": answer,
            "message": message(self, chat, post, bot.id),
        }
        self.put_update(bot, "callback_query", content)
        return query

    def react(self, chat: int | str | Chat, post_id: int, reactions: Mapping[str, int]) -> None:
        """Set the anonymous reactions of a channel post: numbers by emoji."""
        place = self.must(chat)
        post = place.messages[post_id]
        post.reactions = dict(reactions)
        counts = [
            {"type": {"type": "emoji", "emoji": emoji}, "total_count": count} for emoji, count in reactions.items()
        ]
        for bot in self.bots_in(place):
            content = {
                "chat": chat_brief(place),
                "message_id": post_id,
                "date": int(self.clock()),
                "reactions": counts,
            }
            self.put_update(bot, "message_reaction_count", content)
        self.changed()

    def edit_by_hand(self, chat: int | str | Chat, post_id: int, html: str) -> None:
        """Let a person with rights change a channel post; bots in the channel hear of it."""
        place = self.must(chat)
        post = place.messages[post_id]
        self.change(post, with_automatic(tidy(parse_html(html))))
        for bot in self.bots_in(place):
            self.put_update(bot, "edited_channel_post", message(self, place, post, bot.id))

    def delete_by_hand(self, chat: int | str | Chat, post_id: int) -> None:
        """Let a person with rights delete a post. No bot hears of it."""
        self.remove(self.must(chat).messages[post_id])

    def _forwarded_automatically(self, group: Chat, copy: SandboxPost) -> None:
        for bot in self.bots_in(group):
            self.put_update(bot, "message", message(self, group, copy, bot.id))

    def _rights_changed(self, bot: TelegramBot, chat: Chat, before: Rights, after: Rights) -> None:
        someone = {"id": 1, "is_bot": False, "first_name": "Власник"}
        content = {
            "chat": chat_brief(chat),
            "from": someone,
            "date": int(self.clock()),
            "old_chat_member": member(bot_user(bot), before, chat.type),
            "new_chat_member": member(bot_user(bot), after, chat.type),
        }
        self.put_update(bot, "my_chat_member", content)


def _commands(text: str) -> tuple[Json, ...]:
    first = text.split(maxsplit=1)[0] if text.strip() else ""
    return ({"type": "bot_command", "offset": 0, "length": len(first)},) if first.startswith("/") else ()
