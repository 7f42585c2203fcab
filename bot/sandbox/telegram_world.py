"""The Telegram of the sandbox: bots, chats, people and posts, and the switches a test turns.

Nothing here speaks HTTP. `posts` is what a subscriber sees now, `history` everything that was ever visible: the
ground truth that every test of "once" counts by. Message ids count up per chat from 2 (1 is "channel created").
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.mishaps import Mishap, Script
from bot.sandbox.names import names
from bot.sandbox.photos import PhotoStore, StoredPhoto
from bot.sandbox.rates import Meter, Rates
from bot.sandbox.read_back import ReadBack
from bot.sandbox.telegram_markup import Entity, Marked, to_html
from bot.sandbox.wire import Call

CHAOS_METHODS = names(
    "sendMessage sendPhoto sendMediaGroup editMessageText editMessageCaption editMessageMedia deleteMessage "
    "deleteMessages forwardMessage copyMessage"
)


@dataclass(slots=True)
class Rights:
    """What a bot may do in a chat."""

    member: bool = True
    administrator: bool = True
    can_post: bool = True
    can_edit: bool = True
    can_delete: bool = True
    kicked: bool = False


@dataclass(slots=True)
class TelegramBot:
    """A bot account. `updates` wait for getUpdates or the webhook."""

    token: str = field(repr=False)
    id: int
    username: str
    revoked: bool = False
    commands: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    menu: dict[int, dict[str, Any]] = field(default_factory=dict)

    def offers(self, chat: int) -> list[str]:
        """Return the commands that Telegram offers in a chat: the list of the chat itself, else that of its kind."""
        kind = "all_private_chats" if chat > 0 else "all_group_chats"
        for scope in (f"chat:{chat}:/", f"{kind}::/", "default::/"):
            if scope in self.commands:
                return [one["command"] for one in self.commands[scope]]
        return []


@dataclass(slots=True)
class User:
    """A person. `started` and `blocked` hold bot ids."""

    id: int
    name: str
    started: set[int] = field(default_factory=set)
    blocked: set[int] = field(default_factory=set)


@dataclass(slots=True)
class SandboxPost:
    """A message as its readers see it. Times are Unix seconds; `photo` is None for text.

    `versions` holds every text it ever had, with the time since when; `deleted_at` is None while it is public.
    """

    id: int
    chat: int
    date: float
    text: str
    entities: tuple[Entity, ...]
    author: int
    photo: StoredPhoto | None = None
    caption: bool = False
    edited: float | None = None
    silent: bool = False
    link_preview: dict[str, Any] | None = None
    reply_markup: dict[str, Any] | None = None
    protected: bool = False
    album: str = ""
    reply_to: int | None = None
    forwarded_from: tuple[int, int] | None = None
    deleted_at: float | None = None
    reactions: dict[str, int] = field(default_factory=dict)
    versions: list[tuple[float, str]] = field(default_factory=list)

    @property
    def html(self) -> str:
        return to_html(Marked(self.text, self.entities))


@dataclass(slots=True)
class Chat:
    """A channel, group or private chat. `bots` are the rights by bot id; `partner` is the bot of a private chat."""

    id: int
    type: str
    title: str
    username: str | None = None
    bots: dict[int, Rights] = field(default_factory=dict)
    linked_group: int | None = None
    protected: bool = False
    partner: int = 0
    migrated_to: int = 0
    messages: dict[int, SandboxPost] = field(default_factory=dict)
    last_id: int = 1

    @property
    def names(self) -> tuple[str, ...]:
        return (str(self.id), f"@{self.username}") if self.username else (str(self.id),)


class TelegramWorld:
    """Everything Telegram knows, with the switches for tests."""

    def __init__(self, photos: PhotoStore, clock: Callable[[], float], changed: Callable[[], None]) -> None:
        self.photos, self.clock, self.changed = photos, clock, changed
        self.welcoming = False
        self.on_update: Callable[[TelegramBot, str, dict[str, Any]], None] = lambda bot, kind, content: None
        self.empty()

    def empty(self) -> None:
        """Forget everything: bots, chats, posts, calls, mishaps, rates."""
        self.bots: dict[str, TelegramBot] = {}
        self.by_id: dict[int, TelegramBot] = {}
        self.users: dict[int, User] = {}
        self.chats: dict[int, Chat] = {}
        self.names: dict[str, Chat] = {}
        self.private: dict[tuple[int, int], Chat] = {}
        self.file_ids: dict[str, tuple[int, str]] = {}
        self.calls: deque[Call] = deque(maxlen=200_000)
        self.calls_inside_ban = 0
        self.answers: list[dict[str, str]] = []
        self.queries: dict[str, bool] = {}
        self.script = Script()
        self.rates, self.meter = Rates(), Meter()
        self.latency = 0.0
        self.read_back = ReadBack()
        self.created: list[SandboxPost] = []
        self.ids = itertools.count(1)

    # --- building a world ---------------------------------------------------------------------------------------

    def add_bot(self, token: str, username: str = "", id: int = 0) -> TelegramBot:
        """Register a bot; id and name come from the token where they are not given."""
        id = id or int(token.partition(":")[0])
        bot = TelegramBot(token, id, username or f"sandbox_{id}_bot")
        self.bots[token] = self.by_id[id] = bot
        return bot

    def add_channel(
        self,
        username: str | None = None,
        id: int = 0,
        title: str = "",
        bots: Mapping[int, Rights | None] | Iterable[int] = (),
        linked_group: int | None = None,
        *,
        protected: bool = False,
    ) -> Chat:
        """Add a channel, private where `username` is None. `bots` are its administrators; None means every right."""
        return self._add("channel", username, id, title, bots, linked_group, protected)

    def add_group(
        self, id: int = 0, title: str = "", bots: Mapping[int, Rights | None] | Iterable[int] = (), username: str = ""
    ) -> Chat:
        """Add a supergroup with these bots in it."""
        return self._add("supergroup", username or None, id, title, bots, None, False)

    def _add(
        self,
        kind: str,
        username: str | None,
        id: int,
        title: str,
        bots: Mapping[int, Rights | None] | Iterable[int],
        linked_group: int | None,
        protected: bool,
    ) -> Chat:
        username = username.lstrip("@") if username else None
        id = id or -1_001_000_000_000 - next(self.ids)
        given = dict(bots) if isinstance(bots, Mapping) else dict.fromkeys(bots)
        rights = {bot: right or Rights() for bot, right in given.items()}
        chat = Chat(id, kind, title or username or str(id), username, rights, linked_group, protected)
        self.chats[id] = chat
        if username:
            self.names[username.lower()] = chat
        self.changed()
        return chat

    def add_user(self, id: int, name: str, started: Iterable[int] = ()) -> User:
        """Add a person, who has pressed Start with these bots."""
        user = self.users[id] = User(id, name, set(started))
        return user

    def set_rights(
        self,
        chat: int | str | Chat,
        bot_id: int,
        *,
        member: bool = True,
        administrator: bool = True,
        can_post: bool = True,
        can_edit: bool = True,
        can_delete: bool = True,
    ) -> None:
        """Give a bot exactly these rights in a chat."""
        rights = Rights(member, administrator and member, can_post, can_edit, can_delete)
        self._rights_change(self.must(chat), bot_id, rights)

    def kick(self, chat: int | str | Chat, bot_id: int) -> None:
        self._rights_change(self.must(chat), bot_id, Rights(False, False, False, False, False, kicked=True))

    def _rights_change(self, chat: Chat, bot_id: int, rights: Rights) -> None:
        before, chat.bots[bot_id] = chat.bots.get(bot_id, Rights(member=False, administrator=False)), rights
        bot = self.by_id.get(bot_id)
        if bot is not None:
            self._rights_changed(bot, chat, before, rights)

    def _rights_changed(self, bot: TelegramBot, chat: Chat, before: Rights, after: Rights) -> None:
        """Tell the bot; people do the telling (`telegram_people`)."""

    def _forwarded_automatically(self, group: Chat, copy: SandboxPost) -> None:
        """Tell the bots of a linked group (`telegram_people`)."""

    def block(self, user_id: int, bot_id: int) -> None:
        self.users[user_id].blocked.add(bot_id)

    def revoke(self, token: str) -> None:
        self.bots[token].revoked = True

    def migrate(self, chat: int | str | Chat, new_id: int) -> None:
        """Upgrade a group: its old id answers with `migrate_to_chat_id`."""
        old = self.must(chat)
        old.migrated_to = new_id
        self.add_group(new_id, old.title, dict(old.bots))

    # --- looking ------------------------------------------------------------------------------------------------

    def chat(self, ref: int | str | Chat) -> Chat | None:
        """Find a channel or group by id, "@name" or name; private chats by `private_chat`."""
        if isinstance(ref, Chat):
            return ref
        text = str(ref).strip()
        if text.lstrip("-").isdigit():
            found, number = self.chats.get(int(text)), int(text)
            if found is None and self.welcoming and number < 0:
                bots = dict.fromkeys(self.by_id)
                return self.add_channel(None, number, "Приватний канал", bots)
            return found
        name = text.lstrip("@").lower()
        if name not in self.names and self.welcoming and name.replace("_", "").isalnum():
            return self.add_channel(text.lstrip("@"), 0, text.lstrip("@"), dict.fromkeys(self.by_id))
        return self.names.get(name)

    def must(self, ref: int | str | Chat) -> Chat:
        found = self.chat(ref)
        if found is None:
            raise KeyError(f"no chat {ref!r} in the sandbox")
        return found

    def private_chat(self, bot_id: int, user_id: int) -> Chat:
        key = (bot_id, user_id)
        if key not in self.private:
            self.private[key] = Chat(user_id, "private", self.users[user_id].name, partner=bot_id)
        return self.private[key]

    def posts(self, chat: int | str | Chat) -> list[SandboxPost]:
        """Return what readers of the chat see now, oldest first. A user id: that person's chats with all bots."""
        if isinstance(chat, int) and chat > 0:
            mine = [self.private[key] for key in self.private if key[1] == chat]
            return [post for own in mine for post in own.messages.values() if post.deleted_at is None]
        return [post for post in self.must(chat).messages.values() if post.deleted_at is None]

    def history(self, chat: int | str | Chat) -> list[SandboxPost]:
        """Return everything that was ever visible in the chat, deleted posts too, in order of appearance."""
        return list(self.must(chat).messages.values())

    def channels(self) -> list[Chat]:
        return [chat for chat in self.chats.values() if chat.type == "channel"]

    # --- trouble ------------------------------------------------------------------------------------------------

    def next(self, method: str, mishap: Mishap, count: int = 1, chat: int | str | Chat | None = None) -> None:
        """Let the next `count` calls of `method` ("*" for any) meet `mishap`, of one chat or of all."""
        name = None if chat is None else str(chat.id) if isinstance(chat, Chat) else str(chat)
        self.script.next(method, mishap, count, name)

    def trouble(self, seed: int, rates: Mapping[str | Mishap, float], methods: Iterable[str] = CHAOS_METHODS) -> None:
        """Let calls meet mishaps by chance, the same for the same seed and calls. `rates` are probabilities a call."""
        self.script.trouble(seed, rates, frozenset(methods))

    @property
    def lag(self) -> float:
        """Seconds until a post shows in the public preview."""
        return self.read_back.lag

    @lag.setter
    def lag(self, seconds: float) -> None:
        self.read_back = self.read_back.with_lag(seconds)

    # --- making posts -------------------------------------------------------------------------------------------

    def publish(self, chat: Chat, author: int, marked: Marked, **more: Any) -> SandboxPost:
        """Put a message into a chat, whoever wrote it, and into the linked group of a channel."""
        chat.last_id += 1
        now = self.clock()
        post = SandboxPost(chat.last_id, chat.id, now, marked.text, marked.entities, author, **more)
        post.versions.append((now, post.text))
        chat.messages[post.id] = post
        if chat.type == "channel":
            self.created.append(post)
            self.changed()
            group = self.chats.get(chat.linked_group or 0)
            if group is not None:
                copy = self.publish(group, chat.id, marked, photo=post.photo, forwarded_from=(chat.id, post.id))
                self._forwarded_automatically(group, copy)
        return post

    def change(self, post: SandboxPost, marked: Marked) -> None:
        """Give a post a new text."""
        post.text, post.entities, post.edited = marked.text, marked.entities, self.clock()
        post.versions.append((post.edited, post.text))
        self.changed()

    def remove(self, post: SandboxPost) -> None:
        post.deleted_at = self.clock()
        self.changed()

    def bots_in(self, chat: Chat) -> list[TelegramBot]:
        return [self.by_id[id] for id, rights in chat.bots.items() if rights.member and id in self.by_id]

    def rights(self, chat: Chat, bot_id: int) -> Rights | None:
        """Return a bot's rights in a chat, None where it never was there."""
        return chat.bots.get(bot_id) or (Rights() if self.welcoming else None)
