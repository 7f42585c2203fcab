"""The Graph API over HTTP: `/graph/[vNN.N/]…`, with tokens, mishaps, usage headers and the record."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from typing import Any

from aiohttp import web

from bot.sandbox import facebook_edges as edges
from bot.sandbox import facebook_reads as reads
from bot.sandbox.facebook_rules import GraphRefusal, wrong
from bot.sandbox.facebook_world import FacebookWorld, Token
from bot.sandbox.mishaps import Fault, Mishap
from bot.sandbox.telegram_updates import Post
from bot.sandbox.wire import Call, Form, FormError, act_out, from_afar, json_answer, read_form, reset

VERSION = re.compile(r"v(\d+)\.\d+")
VERSIONS = range(20, 27)
REMOVED_IN_26 = ("pretty", "debug", "date_format")
LISTS = frozenset({"feed", "posts", "published_posts", "scheduled_posts"})


class FacebookHttp:
    """Handler of the Graph API's routes. `fetch` returns the bytes the sandbox itself serves at an address."""

    def __init__(
        self, world: FacebookWorld, post: Post, fetch: Callable[[str], bytes | None], base: Callable[[], str]
    ) -> None:
        self.world, self.post, self.fetch, self.base = world, post, fetch, base
        self._traces = itertools.count(1)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one call: planned mishap, version, token, then the edge itself."""
        return await from_afar(self.world.latency, self._answer(request))

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        parts = [part for part in request.match_info["path"].split("/") if part]
        version = VERSION.fullmatch(parts[0]) if parts else None
        if version:
            parts = parts[1:]
        edge = self._edge(request.method, parts)
        if self.world.script.drops_unread(edge):
            self._record(edge, None, parts, Form(), "drop_before: not read")
            return reset(request)
        try:
            form = await read_form(request)
        except FormError as error:
            return self._refused(wrong(str(error)), None)
        if request.method == "POST" and form.params.get("method", "").upper() == "DELETE":
            edge = "delete"
        if edge in LISTS and request.method == "GET" and self.world.read_back.redirect:
            return web.Response(status=302, headers={"Location": self.base() + "/"})
        mishap = self.world.script.take(edge, (self._page_id(parts),))

        async def carry_out() -> web.Response:
            return self._carry_out(request, edge, parts, version, form, f"{mishap.name}: " if mishap else "")

        if mishap is None:
            return await carry_out()
        if not mishap.after and mishap.fault is not Fault.LATE:
            told = f"{mishap.name}: not carried out"
            self._record(edge, None, parts, form, told, banned_for=mishap.retry_after)
        return await act_out(mishap, request, self.post.stopping, carry_out, lambda met: self._worded(met, parts))

    @staticmethod
    def _edge(method: str, parts: list[str]) -> str:
        if method == "DELETE":
            return "delete"
        last = parts[-1] if parts else ""
        if len(parts) == 1 and last not in ("me", "debug_token"):
            return "post" if method == "POST" else "object"
        return last

    @staticmethod
    def _page_id(parts: list[str]) -> str:
        return parts[0].partition("_")[0] if parts else ""

    def _carry_out(
        self,
        request: web.Request,
        edge: str,
        parts: list[str],
        version: re.Match[str] | None,
        form: Form,
        met: str,
    ) -> web.Response:
        token: Token | None = None
        made = len(self.world.created)
        try:
            number = int(version[1]) if version else VERSIONS[0]
            if number not in VERSIONS:
                raise GraphRefusal(2500, f"Unknown path components: /v{number}.0")
            if number >= 26:
                self._refuse_removed(request, parts, form)
            token = self.world.token(self._token(request, form), form.params.get("appsecret_proof"))
            self._check_pace(parts)
            call = edges.GraphCall(
                self.world,
                token,
                form.params,
                form.files,
                self.fetch,
                self.base(),
                "/" + request.match_info["path"],
                request.method.lower(),
            )
            result = self._run(request.method, edge, parts, call)
        except GraphRefusal as refusal:
            told = f"{met}{refusal.http_status} {refusal.message}"
            banned_for, inside_ban = refusal.banned_for, refusal.inside_ban
            self._record(edge, token, parts, form, told, banned_for=banned_for, inside_ban=inside_ban)
            return self._refused(refusal, self._page_id(parts))
        self._record(edge, token, parts, form, f"{met}ok", public=len(self.world.created) > made)
        return json_answer(result, headers=self._headers(self._page_id(parts)))

    def _run(self, method: str, edge: str, parts: list[str], call: edges.GraphCall) -> Any:
        if (
            parts
            and parts[0] == "me"
            and len(parts) > 1
            and call.token.page
            and parts[1] not in ("permissions", "accounts")
        ):
            parts = [call.token.page, *parts[1:]]
        if edge == "delete" and len(parts) == 1:
            return edges.delete_object(call, parts[0])
        match method, parts:
            case "GET", ["me"]:
                return reads.me(call)
            case "GET", ["me", "accounts"]:
                return reads.my_accounts(call)
            case "GET", ["me", "permissions"]:
                return reads.my_permissions(call)
            case "GET", ["debug_token"]:
                return reads.debug_token(call)
            case "GET", [page, name] if name in LISTS:
                return reads.list_posts(call, page, name)
            case "GET", [thing, "insights"]:
                return reads.insights(call, thing)
            case "GET", [thing]:
                return reads.show_object(call, thing)
            case "POST", [page, "feed"]:
                return edges.publish_feed(call, page)
            case "POST", [page, "photos"]:
                return edges.publish_photo(call, page)
            case "POST", [thing]:
                return edges.change_post(call, thing)
        raise GraphRefusal(2500, f"Unknown path components: /{'/'.join(parts)}")

    @staticmethod
    def _refuse_removed(request: web.Request, parts: list[str], form: Form) -> None:
        gone = [name for name in REMOVED_IN_26 if name in form.params]
        if not parts and "ids" in form.params:
            gone.append("ids")
        if "If-None-Match" in request.headers:
            gone.append("If-None-Match")
        if gone:
            raise wrong(f"{gone[0]} is not supported in v26.0 and higher")  # worded here: no source has Meta's text

    @staticmethod
    def _token(request: web.Request, form: Form) -> str:
        kind, _, value = request.headers.get("Authorization", "").partition(" ")
        return value.strip() if kind.lower() in ("bearer", "oauth") else form.params.get("access_token", "")

    def _check_pace(self, parts: list[str]) -> None:
        key, now = f"page:{self._page_id(parts)}", self.world.clock()
        left = self.world.meter.banned_for([key], now, 0.0)
        if left:
            self.world.calls_inside_ban += 1
            raise _rate(32, left, inside_ban=True)
        wait = self.world.meter.spend(key, self.world.rate, now)
        if wait:
            raise _rate(32, wait)

    def _worded(self, mishap: Mishap, parts: list[str]) -> web.Response:
        page = self._page_id(parts)
        if mishap.fault is Fault.ERROR:
            words = "An unknown error has occurred."
            return self._refused(GraphRefusal(1, words, transient=True, status=500), page)
        if mishap.retry_after:
            code = 32 if mishap.code == 429 else mishap.code
            self.world.meter.ban(f"page:{page}", self.world.clock() + mishap.retry_after)
            # Meta tells whole minutes; below one a fraction is told here, so that tests need not wait so long.
            minutes = -(-mishap.retry_after // 60) if mishap.retry_after >= 60 else mishap.retry_after / 60
            usage = {**self.world.page_usage, "call_count": 100, "estimated_time_to_regain_access": minutes}
            return self._refused(_rate(code, mishap.retry_after), page, usage)
        refusal = GraphRefusal(
            mishap.code, mishap.description or f"(#{mishap.code}) Refused", mishap.subcode, status=mishap.status
        )
        refusal.transient = mishap.code in (1, 2)
        return self._refused(refusal, page)

    def _headers(self, page: str | None, usage: dict[str, float] | None = None) -> dict[str, str]:
        headers = {
            "X-App-Usage": json.dumps(self.world.app_usage),
            "facebook-api-version": "v26.0",
            "X-FB-Trace-ID": f"T{next(self._traces)}",
        }
        if page in self.world.pages:
            use = {"type": "pages", **(usage or self.world.page_usage)}
            headers["X-Business-Use-Case-Usage"] = json.dumps({page: [use]})
        return headers

    def _refused(self, refusal: GraphRefusal, page: str | None, usage: dict[str, float] | None = None) -> web.Response:
        body = refusal.envelope(f"A{next(self._traces):012d}")
        return json_answer(body, refusal.http_status, self._headers(page, usage))

    def _record(self, edge: str, token: Token | None, parts: list[str], form: Form, outcome: str, **more: Any) -> None:
        kept = {name: value for name, value in form.params.items() if name not in ("access_token", "appsecret_proof")}
        caller = token.app_id if token else ""
        target = "/".join(parts)
        call = Call(self.world.clock(), edge, caller, target, kept, outcome, agent=form.agent, **more)
        self.world.calls.append(call)


def _rate(code: int, seconds: int, *, inside_ban: bool = False) -> GraphRefusal:
    words = {
        4: "(#4) Application request limit reached",
        17: "(#17) User request limit reached",
        32: "(#32) Page request limit reached",
        613: "(#613) Calls to this api have exceeded the rate limit.",
        80001: "(#80001) There have been too many calls to this Page account. Wait a bit and try again.",
        368: "(#368) The action attempted has been deemed abusive or is otherwise disallowed",
    }
    told = words.get(code, f"(#{code}) Request limit reached")
    return GraphRefusal(code, told, transient=True, banned_for=seconds, inside_ban=inside_ban)
