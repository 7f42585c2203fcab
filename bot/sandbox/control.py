"""The control API: what tests do in the same process by Python calls, other processes do here by HTTP and JSON.

| route | does |
| --- | --- |
| `GET /control/posts?platform=&channel=` | what readers see now, oldest first |
| `GET /control/history?platform=&channel=` | everything that was ever visible, deleted posts too |
| `GET /control/calls?platform=` | every call: at, method, caller, target, params, outcome, public, bans |
| `GET /control/state` | bots, chats, pages, how many posts each has shown so far, calls inside a ban |
| `POST /control/mishaps` | `{platform, method, mishap, count, chat, …its numbers}`; `method`: a Facebook edge, too |
| `POST /control/trouble` | `{platform, seed, rates: {mishap: probability}, methods}`; `rates: [{mishap, chance, …}]` |
| `POST /control/rates` | `{platform, chat, bot, group: {calls, seconds, burst} or null}`; `{platform, off: true}` |
| `POST /control/latency` | `{platform, seconds}`: how far away the platform is, there and back |
| `POST /control/read_back` | `{platform, lag, omit, stale_after, stale_until, broken, redirect}` |
| `POST /control/telegram/bots` | `{token, username, id}` |
| `POST /control/telegram/channels` | `{username, id, title, bots: [ids], linked_group, protected}` |
| `POST /control/telegram/groups` | `{id, title, bots}` |
| `POST /control/telegram/users` | `{id, name, started: [bot ids]}` |
| `POST /control/telegram/rights` | `{chat, bot_id, member, can_post, can_edit, can_delete}`; `{…, kicked: true}` |
| `POST /control/telegram/revoke` | `{token}` |
| `POST /control/telegram/say` | `{user, chat, text}`; `chat` is a bot's id, a group or a channel |
| `POST /control/telegram/press` | `{user, chat, message_id, button}` |
| `POST /control/telegram/react` | `{chat, post_id, reactions: {emoji: count}}` |
| `POST /control/telegram/edit`, `…/delete` | `{chat, post_id, html}`: a person changes or deletes a post |
| `POST /control/facebook/pages` | `{id, name, token, scopes, app_id}` |
| `POST /control/facebook/apps` | `{app_id, secret}` |
| `POST /control/facebook/expire` | `{token, subcode}` |
| `POST /control/facebook/usage` | `{call_count, total_time, total_cputime}`: percent of a page's allowance |
| `POST /control/facebook/insights` | `{post_id, figures}`; `{gone: [metrics]}`: these exist no more |
| `POST /control/links` | `{url, title, description, photo}`: what the card of a link shows |
| `POST /control/reset` | forgets everything |
Wrong use answers 400 `{"error": …}`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from typing import Any

from aiohttp import web

from bot.sandbox import mishaps
from bot.sandbox.facebook_world import FacebookPost, FacebookWorld
from bot.sandbox.rates import Rate, Rates
from bot.sandbox.read_back import ReadBack
from bot.sandbox.telegram_people import Telegram
from bot.sandbox.telegram_world import SandboxPost

Json = dict[str, Any]


class Control:
    """Handlers of `/control/…`."""

    def __init__(
        self, telegram: Telegram, facebook: FacebookWorld, links: dict[str, Json], empty: Callable[[], None]
    ) -> None:
        self.telegram, self.facebook, self.links, self.empty = telegram, facebook, links, empty
        self._posts: dict[str, Callable[[Json], Any]] = {
            "mishaps": self._mishaps,
            "trouble": self._trouble,
            "rates": self._rates,
            "latency": self._latency,
            "read_back": self._read_back,
            "telegram/bots": lambda given: telegram.add_bot(**given).id,
            "telegram/channels": lambda given: telegram.add_channel(**given).id,
            "telegram/groups": lambda given: telegram.add_group(**given).id,
            "telegram/users": lambda given: telegram.add_user(**given).id,
            "telegram/rights": self._rights,
            "telegram/revoke": lambda given: telegram.revoke(**given),
            "telegram/say": lambda given: telegram.say(**given).id,
            "telegram/press": self._press,
            "telegram/react": lambda given: telegram.react(**given),
            "telegram/edit": lambda given: telegram.edit_by_hand(**given),
            "telegram/delete": lambda given: telegram.delete_by_hand(**given),
            "facebook/pages": lambda given: facebook.add_page(**given).id,
            "facebook/apps": lambda given: facebook.add_app(**given),
            "facebook/expire": lambda given: facebook.expire(**given),
            "facebook/usage": lambda given: facebook.page_usage.update(given),
            "facebook/insights": self._insights,
            "links": lambda given: links.update({given["url"]: given}),
            "reset": lambda given: empty(),
        }

    async def post(self, request: web.Request) -> web.Response:
        act = self._posts.get(request.match_info["path"].strip("/"))
        if act is None:
            return web.json_response({"error": f"no such control; known: {sorted(self._posts)}"}, status=404)
        try:
            given = json.loads(await request.read() or b"{}")
            done = act(given)
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)
        return web.json_response({"ok": True, "result": done})

    async def get(self, request: web.Request) -> web.Response:
        try:
            return web.json_response(self._look(request.match_info["path"].strip("/"), dict(request.query)))
        except LookupError as error:
            return web.json_response({"error": str(error)}, status=404)

    def _world(self, given: Json) -> Telegram | FacebookWorld:
        worlds: dict[str, Telegram | FacebookWorld] = {"telegram": self.telegram, "facebook": self.facebook}
        if given.get("platform") not in worlds:
            raise ValueError(f"platform must be telegram or facebook, got {given.get('platform')!r}")
        return worlds[given["platform"]]

    def _look(self, path: str, query: dict[str, str]) -> Any:
        if path == "state":
            return {
                "telegram": {
                    "bots": [bot.id for bot in self.telegram.by_id.values()],
                    "chats": [
                        {"id": c.id, "username": c.username, "type": c.type} for c in self.telegram.chats.values()
                    ],
                    "posts": {c.username or str(c.id): len(c.messages) for c in self.telegram.channels()},
                    "calls_inside_ban": self.telegram.calls_inside_ban,
                },
                "facebook": {
                    "pages": list(self.facebook.pages),
                    "posts": {page: len(self.facebook.history(page)) for page in self.facebook.pages},
                    "calls_inside_ban": self.facebook.calls_inside_ban,
                },
            }
        world = self._world(query) if query.get("platform") in ("telegram", "facebook") else None
        if world is None:
            raise LookupError("platform must be telegram or facebook")
        if path == "calls":
            return [asdict(call) for call in world.calls]
        channel = query.get("channel", "")
        if path not in ("posts", "history") or not channel:
            raise LookupError("known: posts, history (with channel=), calls, state")
        found = world.posts(channel) if path == "posts" else world.history(channel)
        return [as_json(post) for post in found]

    def _mishaps(self, given: Json) -> None:
        world, method = self._world(given), given["method"]
        mishap = _mishap(given, "platform", "method", "count", "chat", "page")
        where = given.get("chat") or given.get("page")
        world.next(method, mishap, int(given.get("count", 1)), where)

    def _trouble(self, given: Json) -> None:
        more = [given["methods"]] if given.get("methods") else []
        rates = given["rates"]
        if isinstance(rates, list):
            rates = {_mishap(one, "chance"): one["chance"] for one in rates}
        self._world(given).trouble(int(given["seed"]), rates, *more)

    def _rates(self, given: Json) -> None:
        if isinstance(self._world(given), FacebookWorld):
            self.facebook.rate = Rate(**given["page"]) if given.get("page") else None
        elif given.get("off"):
            self.telegram.rates = Rates.off()
        else:
            made: Json = {
                name: Rate(**value) if isinstance(value, dict) else value
                for name, value in given.items()
                if name not in ("platform", "off")
            }
            self.telegram.rates = replace(self.telegram.rates, **made)

    def _latency(self, given: Json) -> None:
        self._world(given).latency = float(given["seconds"])

    def _read_back(self, given: Json) -> None:
        known = {field.name for field in fields(ReadBack)} - {"chance"}
        asked = {name: value for name, value in given.items() if name != "platform"}
        if asked.keys() - known:
            raise ValueError(f"unknown: {sorted(asked.keys() - known)}; known: {sorted(known)}")
        self._world(given).read_back = ReadBack(**asked)

    def _rights(self, given: Json) -> None:
        if given.pop("kicked", False):
            self.telegram.kick(given["chat"], given["bot_id"])
        else:
            self.telegram.set_rights(**given)

    def _insights(self, given: Json) -> None:
        if "gone" in given:
            self.facebook.gone_metrics = frozenset(given["gone"])
        else:
            self.facebook.set_insights(given["post_id"], given["figures"])

    def _press(self, given: Json) -> str:
        chat = given["chat"]
        found = [post for post in self.telegram.posts(chat) if post.id == given["message_id"]]
        if not found:
            raise LookupError(f"no message {given['message_id']} in {chat}")
        return self.telegram.press(given["user"], found[-1], given["button"])


def _mishap(given: Json, *others: str) -> mishaps.Mishap:
    """Return the mishap that a JSON object names, its numbers beside the name; `others` are no numbers of it."""
    numbers = {name: value for name, value in given.items() if name not in ("mishap", *others)}
    return mishaps.named(given["mishap"], **numbers)


def as_json(post: SandboxPost | FacebookPost) -> Json:
    """Return a post of either platform as the control API shows it."""
    common: Json = {
        "id": post.id,
        "edited": post.edited,
        "deleted_at": post.deleted_at,
        "versions": [{"at": at, "text": text} for at, text in post.versions],
    }
    if isinstance(post, FacebookPost):
        return common | {
            "date": post.public_at,
            "text": post.message,
            "link": post.link or None,
            "photos": [photo.stored.path for photo in post.photos],
            "alt": [photo.alt for photo in post.photos],
        }
    return common | {
        "date": post.date,
        "text": post.text,
        "html": post.html,
        "entities": [dict(entity) for entity in post.entities],
        "photo": post.photo.path if post.photo else None,
        "caption": post.caption,
        "silent": post.silent,
        "link_preview": post.link_preview,
        "reply_markup": post.reply_markup,
        "album": post.album or None,
    }
