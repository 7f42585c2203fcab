"""How a bot hears of things: getUpdates by long polling, or a webhook (delivered to loopback addresses only)."""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
import re
from collections import deque
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from bot.sandbox.telegram_methods import BotCall
from bot.sandbox.telegram_rules import Refusal, bad, read_json
from bot.sandbox.telegram_world import TelegramBot

Json = dict[str, Any]
NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
RETRY_AFTER = 0.5


class Inbox:
    """Updates of one bot that it has not confirmed yet."""

    def __init__(self) -> None:
        self.waiting: deque[Json] = deque()
        self.arrived = asyncio.Event()
        self.allowed: frozenset[str] | None = None
        self.poller = 0
        self.by_webhook = 0
        self.webhook: Json = {}
        self.task: asyncio.Task[None] | None = None
        self.numbers = itertools.count(700_000_001)

    def wants(self, kind: str) -> bool:
        return kind in self.allowed if self.allowed else kind not in NOT_BY_DEFAULT

    def put(self, kind: str, content: Json) -> None:
        if self.wants(kind):
            self.waiting.append({"update_id": next(self.numbers), kind: content})
            self.arrived.set()

    def confirm(self, offset: int) -> None:
        while self.waiting and self.waiting[0]["update_id"] < offset:
            self.waiting.popleft()

    def allow(self, raw: str | None) -> None:
        if raw is not None:
            self.allowed = frozenset(read_json(raw, list, "can't parse allowed updates JSON object"))


class Post:
    """The inboxes of all bots, and the tasks that deliver to webhooks."""

    def __init__(self) -> None:
        self._inboxes: dict[int, Inbox] = {}
        self._session: aiohttp.ClientSession | None = None
        self.stopping = asyncio.Event()

    def inbox(self, bot_id: int) -> Inbox:
        return self._inboxes.setdefault(bot_id, Inbox())

    def put(self, bot: TelegramBot, kind: str, content: Json) -> None:
        self.inbox(bot.id).put(kind, content)

    async def get_updates(self, call: BotCall) -> list[Json]:
        """Wait for updates up to `timeout` seconds (at most 50). A newer poller ends an older one with 409."""
        inbox = self.inbox(call.bot.id)
        if inbox.webhook:
            raise Refusal(
                409,
                "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
            )
        inbox.allow(call.params.get("allowed_updates"))
        offset = int(call.params.get("offset") or 0)
        limit = min(max(int(call.params.get("limit") or 100), 1), 100)
        timeout = min(max(float(call.params.get("timeout") or 0), 0.0), 50.0)
        if offset < 0:
            offset = inbox.waiting[offset]["update_id"] if -offset <= len(inbox.waiting) else 0
        inbox.confirm(offset)
        inbox.poller += 1
        mine, by_webhook = inbox.poller, inbox.by_webhook
        inbox.arrived.set()
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        while not inbox.waiting and not self.stopping.is_set():
            inbox.arrived.clear()
            left = end - loop.time()
            if left <= 0:
                break
            try:
                await asyncio.wait_for(inbox.arrived.wait(), left)
            except TimeoutError:
                break
            if inbox.by_webhook != by_webhook:
                raise Refusal(409, "terminated by setWebhook request")
            if inbox.poller != mine:
                inbox.arrived.set()
                raise Refusal(
                    409,
                    "terminated by other getUpdates request; make sure that only one bot instance is running",
                )
        return list(itertools.islice(inbox.waiting, limit))

    def set_webhook(self, call: BotCall) -> bool:
        url = call.params.get("url", "")
        if not url:
            return self.delete_webhook(call)
        secret = call.params.get("secret_token", "")
        if secret and not SECRET.fullmatch(secret):
            raise bad("secret token contains unallowed characters")
        if not _loopback(url):
            raise bad("bad webhook: the sandbox delivers to loopback addresses only")
        inbox = self.inbox(call.bot.id)
        inbox.allow(call.params.get("allowed_updates"))
        self._end(inbox)
        if call.flag("drop_pending_updates"):
            inbox.waiting.clear()
        inbox.webhook = {"url": url, "secret": secret}
        inbox.by_webhook += 1
        inbox.arrived.set()
        inbox.task = asyncio.get_running_loop().create_task(self._deliver(inbox))
        return True

    def delete_webhook(self, call: BotCall) -> bool:
        inbox = self.inbox(call.bot.id)
        self._end(inbox)
        inbox.webhook = {}
        if call.flag("drop_pending_updates"):
            inbox.waiting.clear()
        return True

    def webhook_info(self, call: BotCall) -> Json:
        inbox = self.inbox(call.bot.id)
        info: Json = {
            "url": inbox.webhook.get("url", ""),
            "has_custom_certificate": False,
            "pending_update_count": len(inbox.waiting),
        }
        if inbox.allowed:
            info["allowed_updates"] = sorted(inbox.allowed)
        if "error" in inbox.webhook:
            info |= {"last_error_date": int(call.world.clock()), "last_error_message": inbox.webhook["error"]}
        return info

    async def _deliver(self, inbox: Inbox) -> None:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30), trust_env=False)
        headers = {"X-Telegram-Bot-Api-Secret-Token": inbox.webhook["secret"]} if inbox.webhook["secret"] else {}
        while True:
            while not inbox.waiting:
                inbox.arrived.clear()
                await inbox.arrived.wait()
            update = inbox.waiting[0]
            try:
                async with self._session.post(inbox.webhook["url"], json=update, headers=headers) as answer:
                    taken, words = answer.status < 300, f"Wrong response from the webhook: {answer.status}"
            except (aiohttp.ClientError, TimeoutError) as error:
                taken, words = False, f"Connection failed: {type(error).__name__}"
            if taken:
                inbox.confirm(update["update_id"] + 1)
            else:
                inbox.webhook["error"] = words
                await asyncio.sleep(RETRY_AFTER)

    def _end(self, inbox: Inbox) -> None:
        if inbox.task is not None:
            inbox.task.cancel()
            inbox.task = None

    def forget(self) -> None:
        """Drop every inbox and webhook."""
        for inbox in self._inboxes.values():
            self._end(inbox)
            inbox.arrived.set()
        self._inboxes.clear()

    async def close(self) -> None:
        self.stopping.set()
        tasks = [inbox.task for inbox in self._inboxes.values() if inbox.task is not None]
        self.forget()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None


def _loopback(url: str) -> bool:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return False
    if parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname).is_loopback
    except ValueError:
        return False
