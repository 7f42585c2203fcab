"""The Graph API as one page's token sees it: calls, proofs, errors, and how much of the allowance is used.

The token goes into the Authorization header, never into an address. Usage headers:
developers.facebook.com/docs/graph-api/overview/rate-limiting.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from bot.channels.errors_facebook import Aim, meaning
from bot.channels.transport import Answer, Transport, Upload
from bot.errors import AccessLostError, RefusedError, ThrottledError, UnansweredError

_TURNS = ("after", "until", "__paging_token")
_HEEDED = 75.0  # percent of the allowance from which on a page slows down
_LONGEST_REST = timedelta(seconds=60)
_SHARES = ("call_count", "total_time", "total_cputime")


class Graph:
    """Calls of one page.

    Args:
        transport: opened by its owner.
        token: the page's; "" for none: every call then ends in AccessLostError.
        app_id: with `app_secret`, the app's own token for looking at tokens.
        app_secret: where given, each call carries its `appsecret_proof`.
    """

    def __init__(
        self, transport: Transport, token: str, *, api_url: str, api_version: str, app_id: str, app_secret: str
    ) -> None:
        self._transport = transport
        self._token = token.strip()
        self._root = f"{api_url.rstrip('/')}/{api_version.strip('/')}"
        self._secret = app_secret
        self._app_token = f"{app_id}|{app_secret}" if app_id and app_secret else None
        self.usage = 0.0
        self._rests_until = 0.0
        self._banned_until = 0.0

    def __repr__(self) -> str:
        return f"Graph({self._root})"

    @property
    def has_token(self) -> bool:
        return bool(self._token)

    @property
    def rest_for(self) -> timedelta:
        """How long to leave the page alone from now on: it was told to wait, or its allowance has to last."""
        return timedelta(seconds=max(0.0, max(self._rests_until, self._banned_until) - time.monotonic()))

    async def call(
        self,
        method: str,
        path: str,
        *,
        fields: Mapping[str, str] | None = None,
        files: Mapping[str, Upload] | None = None,
        query: Mapping[str, str] | None = None,
        aim: Aim,
    ) -> dict[str, Any]:
        """Make one call and return the object it answers. While Meta wants to be left alone, nothing is read.

        Raises:
            UnansweredError: the call left and no definite answer came.
            NotPublishedError: anything else, as `errors_facebook.meaning` tells it.
        """
        if not self._token:
            raise AccessLostError("Facebook: there is no token for this page")
        left = timedelta(seconds=self._banned_until - time.monotonic())
        if method == "GET" and left > timedelta(0):
            raise ThrottledError(f"Facebook: asked to wait, for {left.total_seconds():.0f} s yet", left, scope="page")
        proof = {"appsecret_proof": self._proof(self._token)} if self._secret else {}
        answer = await self._transport.call(
            method,
            f"{self._root}/{path}",
            query={**(query or {}), **(proof if method != "POST" else {})},
            fields={**(fields or {}), **proof} if method == "POST" else None,
            files=files,
            headers={"Authorization": f"Bearer {self._token}"},
        )
        return self._read(answer, aim)

    async def inspect_token(self) -> dict[str, Any]:
        """Return what Meta says of the page's token: `is_valid`, `expires_at`, `scopes`, `error`…

        The one call whose address holds the token: `debug_token` takes it in no other way. It is asked in the app's
        name, or, where the app's id and secret are not given or not right, in the page's own.
        """
        if self._app_token:
            with suppress(AccessLostError):
                return await self._inspect(self._app_token, {})
        return await self._inspect(self._token, {"appsecret_proof": self._proof(self._token)} if self._secret else {})

    async def _inspect(self, bearer: str, proof: Mapping[str, str]) -> dict[str, Any]:
        answer = await self._transport.call(
            "GET",
            f"{self._root}/debug_token",
            query={"input_token": self._token, **proof},
            headers={"Authorization": f"Bearer {bearer}"},
        )
        told = self._read(answer, Aim.READ).get("data")
        return told if isinstance(told, dict) else {}

    def _proof(self, token: str) -> str:
        return hmac.new(self._secret.encode(), token.encode(), hashlib.sha256).hexdigest()

    def _read(self, answer: Answer, aim: Aim) -> dict[str, Any]:
        regain = self._note_usage(answer.headers)
        content = answer.content()
        if content is None:
            raise meaning(answer.status, None)
        error = content.get("error")
        if not isinstance(error, dict):
            if 200 <= answer.status < 300:
                return content
            raise meaning(answer.status, None)
        fault = meaning(
            answer.status,
            error["code"] if isinstance(error.get("code"), int) else None,
            error["error_subcode"] if isinstance(error.get("error_subcode"), int) else 0,
            str(error.get("message") or "").replace(self._token, "[hidden]"),
            aim=aim,
            regain=regain,
            transient=error.get("is_transient") is True,
        )
        if isinstance(fault, ThrottledError):
            self._banned_until = time.monotonic() + fault.retry_after.total_seconds()
        raise fault

    def _note_usage(self, headers: Mapping[str, str]) -> timedelta | None:
        """Keep the largest share used, percent; return when access comes back where that is told."""
        uses = list(_uses(headers))
        if not uses:
            return None
        self.usage = max(max(_number(use.get(share)) for share in _SHARES) for use in uses)
        minutes = max(_number(use.get("estimated_time_to_regain_access")) for use in uses)
        regain = timedelta(minutes=minutes) if minutes else None
        self._rests_until = time.monotonic() + rest(self.usage, regain).total_seconds()
        return regain


def rest(usage: float, regain: timedelta | None = None) -> timedelta:
    """Return how long to leave a page alone after an answer; pure.

    Args:
        usage: the largest share of the allowance that is used, percent: up to 75 nothing has to be done, at 100 the
            next call is refused.
        regain: when access comes back, where Meta told.
    """
    if regain is not None:
        return regain
    return _LONGEST_REST * min(1.0, max(0.0, (usage - _HEEDED) / (100.0 - _HEEDED)))


def posted_id(content: Mapping[str, Any], key: str) -> str:
    """Return the id under `key` of a success.

    Raises:
        UnansweredError: it is not there, so what happened is not known.
    """
    found = content.get(key)
    if not isinstance(found, str) or not found:
        raise UnansweredError(f"Facebook: answered without {key!r}")
    return found


def done(content: Mapping[str, Any]) -> None:
    """Take a success for one, unless it says that it is none.

    Raises:
        RefusedError: it does.
    """
    if content.get("success") is False:
        raise RefusedError("Facebook: answered that it did not succeed")


def next_page(content: Mapping[str, Any]) -> dict[str, str] | None:
    """Return the parameters that lead to the next page of a list; None where there is none.

    Of the address that Meta names only these are taken: it holds the token, and could lead anywhere.
    """
    paging = content.get("paging")
    address = paging.get("next") if isinstance(paging, dict) else None
    if not isinstance(address, str):
        return None
    try:
        told = dict(parse_qsl(urlsplit(address).query))
    except ValueError:
        told = {}
    turn = {name: told[name] for name in _TURNS if told.get(name)}
    if not turn:
        raise UnansweredError("Facebook: names a next page that cannot be asked for")
    return turn


def _uses(headers: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    for name in ("X-App-Usage", "X-Page-Usage", "X-Business-Use-Case-Usage"):
        try:
            content = json.loads(headers.get(name, "{}"))
        except ValueError:
            continue
        if not isinstance(content, dict):
            continue
        if name == "X-Business-Use-Case-Usage":
            groups = [group for group in content.values() if isinstance(group, list)]
            yield from (use for group in groups for use in group if isinstance(use, dict))
        elif content:
            yield content


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
