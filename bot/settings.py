"""Everything an operator can set, read once by `app.py`.

Environment (prefix VISTNYK_, nested by __) wins over `.env`, over files in /run/secrets, over the TOML file. What is
wrong is told in one line each: where, which key, what value, what is allowed. Secrets are told by name only.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from datetime import time, timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv import dotenv_values
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from bot.domain import channel as domain
from bot.domain.editor import Editor, Role
from bot.domain.pace import Rate, parse_rates
from bot.domain.timetable import CatchUp, Daily, Timetable
from bot.errors import SettingsError

SECRETS = Path("/run/secrets")
PREFIX = "VISTNYK_"
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECRETIVE = re.compile(r"token|secret|password|database_url|alert_url", re.IGNORECASE)
_ROOM_FOR_CALL = 0.8  # of a lease; the rest is for the record to be written


def parse_duration(value: object) -> timedelta:
    """Read "500ms", "5s", "5m", "12h" or "2d"."""
    if isinstance(value, timedelta):
        return value
    found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if not found:
        raise ValueError("a duration is written like 500ms, 5s, 5m, 12h or 2d")
    return timedelta(seconds=float(found[1]) * _UNITS[found[2]])


def _rates(value: object) -> object:
    return parse_rates(value) if isinstance(value, str) else value


def _daily(value: object) -> object:
    return Daily.parse(value) if isinstance(value, str) else value


def _zone(value: object) -> object:
    if isinstance(value, ZoneInfo):
        return value
    try:
        return ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("a zone is named like Europe/Kyiv") from error


def _listed(value: object) -> object:
    """Read a list from a variable: JSON, or simply with commas."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except json.JSONDecodeError as error:
            raise ValueError(f"it is no JSON list: {error}") from error
    return [part.strip() for part in value.split(",") if part.strip()]


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Rates = Annotated[tuple[Rate, ...], NoDecode, BeforeValidator(_rates)]
Span = Annotated[Daily, BeforeValidator(_daily)]
Spans = Annotated[tuple[Span, ...], NoDecode, BeforeValidator(_listed)]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_listed)]
Secrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_listed)]
Zone = Annotated[ZoneInfo, BeforeValidator(_zone), PlainSerializer(str)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, hide_input_in_errors=True)


class TelegramSettings(_Strict):
    token: SecretStr | None = None
    api_url: str = "https://api.telegram.org"
    web_url: str = "https://t.me"
    webhook_url: str = ""
    webhook_secret: SecretStr | None = None


class FacebookSettings(_Strict):
    api_url: str = "https://graph.facebook.com"
    api_version: str = "v26.0"
    app_id: str = ""
    app_secret: SecretStr | None = None


class WebSettings(_Strict):
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    public_url: str = ""
    ops_port: int = Field(default=0, ge=0, le=65535)
    trusted_proxies: Networks = ()


class PushSettings(_Strict):
    tokens: Secrets = ()
    token: SecretStr | None = None

    @property
    def accepted(self) -> tuple[str, ...]:
        """All bearer tokens that open the push API."""
        several = [token.get_secret_value() for token in self.tokens]
        one = [self.token.get_secret_value()] if self.token else []
        return tuple(token for token in several + one if token)


class NetworkSettings(_Strict):
    allow_private: Networks = ()


class LogSettings(_Strict):
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    format: Literal["console", "json"] | None = None


class DeliverySettings(_Strict):
    timeout: Duration = timedelta(seconds=8)
    lease: Duration = timedelta(seconds=30)
    settle: Duration = timedelta(seconds=90)
    facebook_settle: Duration = timedelta(minutes=10)
    hold_after: Duration = timedelta(minutes=30)
    gather: Duration = timedelta(minutes=2)

    @model_validator(mode="after")
    def _holds_the_guard(self) -> DeliverySettings:
        if self.lease / 3 + self.timeout > self.lease * _ROOM_FOR_CALL:
            raise ValueError(
                f"lease {self.lease.total_seconds():g}s is too short for timeout {self.timeout.total_seconds():g}s:"
                f" lease/3 + timeout must not exceed {_ROOM_FOR_CALL:g} of the lease"
            )
        return self


class PaceSettings(_Strict):
    chat: Rates = parse_rates("1/s,20/m")
    bot: Rates = parse_rates("30/s")
    page: Rates = parse_rates("1/s")


class DeskSettings(_Strict):
    chat: int = 0
    undo: Duration = timedelta(seconds=10)
    quiet: Spans = (Daily.parse("23:00-07:00"),)
    summary_at: time = time(21)


class _Source(_Strict):
    name: str = Field(pattern=r"^[\w.-]{1,64}$")
    every: Duration = timedelta(seconds=60)
    rubric: str = ""
    first_pass: Literal["baseline", "publish"] = "baseline"
    per_pass: int = Field(default=20, ge=1)


class FeedSettings(_Source):
    kind: Literal["feed"]
    url: str = Field(pattern=r"^https?://")
    full_text: bool = False


class PageSettings(_Source):
    kind: Literal["page"]
    url: str = Field(pattern=r"^https?://")
    links: str


class FolderSettings(_Source):
    kind: Literal["folder"]
    path: Path
    every: Duration = timedelta(seconds=5)
    first_pass: Literal["baseline", "publish"] = "publish"


class TableSettings(_Source):
    kind: Literal["table"]
    database_env: str
    query: str
    columns: dict[str, str] = {}


class PushSourceSettings(_Source):
    kind: Literal["push"]


SourceSettings = Annotated[
    FeedSettings | PageSettings | FolderSettings | TableSettings | PushSourceSettings, Field(discriminator="kind")
]


class CallToActionSettings(_Strict):
    text: str = ""
    url: str = Field(default="", pattern=r"^(https?://.*)?$")


class ScheduleSettings(_Strict):
    windows: Spans = (Daily.parse("07:00-23:00"),)
    blackouts: Spans = (Daily.parse("09:00-09:02"),)
    min_gap: Duration = timedelta(minutes=5)
    max_per_day: int = Field(default=0, ge=0)
    fresh_for: Duration = timedelta(hours=12)
    catch_up: CatchUp = CatchUp.LATEST


class ChannelSettings(_Strict):
    name: str = Field(pattern=r"^[\w.-]{1,64}$")
    platform: domain.Platform
    address: str
    token_env: str = ""
    service_chat: int = 0
    sources: tuple[str, ...] = ()
    rubrics: tuple[str, ...] = ()
    exclude_rubrics: tuple[str, ...] = ()
    template: str = Field(default="default", pattern=r"^[\w-]+$")
    call_to_action: CallToActionSettings = CallToActionSettings()
    photo: domain.PhotoPolicy = domain.PhotoPolicy.REQUIRE_CREDIT
    default_credit: str = ""
    summary: int = Field(default=400, ge=0, le=4000)
    approval: domain.Approval = domain.Approval.NONE
    require_link: bool = True
    check_link: bool = True
    silent: Spans = (Daily.parse("22:00-08:00"),)
    corrections: domain.Corrections = domain.Corrections.EDIT
    retractions: domain.Retractions = domain.Retractions.DELETE
    same_story: domain.SameStory = domain.SameStory.EDIT
    link_parameters: dict[str, str] = {}
    schedule: ScheduleSettings = ScheduleSettings()

    @model_validator(mode="after")
    def _address_fits(self) -> ChannelSettings:
        if self.platform is domain.Platform.TELEGRAM:
            if not re.fullmatch(r"@\w{4,32}|-?\d+", self.address):
                raise ValueError(f"address {self.address!r} is neither @name nor a numeric chat id")
        elif not self.address.isdigit():
            raise ValueError(f"address {self.address!r} is no Facebook page id (digits)")
        elif not self.token_env:
            raise ValueError("a Facebook channel names the variable with its page token in token_env")
        return self

    def channel(self, zone: ZoneInfo, typography: bool) -> domain.Channel:
        """Return the value the rooms work with."""
        elsewhere = {"token_env", "schedule", "call_to_action", "link_parameters"}
        return domain.Channel(
            **{name: getattr(self, name) for name in ChannelSettings.model_fields if name not in elsewhere},
            call_to_action=domain.CallToAction(**self.call_to_action.model_dump()),
            link_parameters=tuple(self.link_parameters.items()),
            typography=typography,
            timetable=Timetable(
                zone=zone, **{name: getattr(self.schedule, name) for name in ScheduleSettings.model_fields}
            ),
        )


class EditorSettings(_Strict):
    telegram_id: int = Field(gt=0)
    name: str = Field(min_length=1)
    role: Literal["viewer", "editor", "chief"]
    channels: tuple[str, ...] = ()

    def editor(self) -> Editor:
        """Return the value the rooms work with."""
        return Editor(telegram_id=self.telegram_id, name=self.name, role=Role.named(self.role), channels=self.channels)


class Settings(BaseSettings):
    """All settings; the last four come from TOML alone."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        arbitrary_types_allowed=True,
        hide_input_in_errors=True,
    )

    database_url: str = "sqlite+aiosqlite:///data/vistnyk.db"
    mode: Literal["publish", "shadow"] = "publish"
    alert_url: SecretStr | None = None
    telegram: TelegramSettings = TelegramSettings()
    facebook: FacebookSettings = FacebookSettings()
    web: WebSettings = WebSettings()
    push: PushSettings = PushSettings()
    network: NetworkSettings = NetworkSettings()
    log: LogSettings = LogSettings()
    delivery: DeliverySettings = DeliverySettings()
    pace: PaceSettings = PaceSettings()
    desk: DeskSettings = DeskSettings()
    timezone: Zone = ZoneInfo("Europe/Kyiv")
    typography: bool = False
    sources: tuple[SourceSettings, ...] = ()
    channels: tuple[ChannelSettings, ...] = ()
    editors: tuple[EditorSettings, ...] = ()

    @model_validator(mode="after")
    def _names_agree(self) -> Settings:
        for what, names in (
            ("sources", [source.name for source in self.sources]),
            ("channels", [channel.name for channel in self.channels]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{what}: the name {twice[0]!r} stands twice; each needs its own")
        known = {source.name for source in self.sources} | {"ingest"}
        for channel in self.channels:
            for name in channel.sources:
                if name not in known:
                    raise ValueError(
                        f"channels.{channel.name}.sources: {name!r} is none of the sources ({', '.join(sorted(known))})"
                    )
        here = {channel.name for channel in self.channels}
        for editor in self.editors:
            for name in editor.channels:
                if name not in here:
                    raise ValueError(f"editors.{editor.name}.channels: there is no channel {name!r}")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # `load` merges the environment, .env, secrets and TOML itself and hands them over as one.
        return (init_settings,)


class _Variables(EnvSettingsSource):
    """Reads settings from variables that are already merged."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = {name.lower(): value for name, value in variables.items()}
        super().__init__(Settings)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return self._variables


class Surroundings:
    """The variables around the process: environment over `.env` over files in /run/secrets."""

    def __init__(
        self, environment: Mapping[str, str] | None = None, *, dotenv: Path = Path(".env"), secrets: Path = SECRETS
    ) -> None:
        merged: dict[str, str] = {}
        if secrets.is_dir():
            for file in secrets.iterdir():
                if file.is_file():
                    merged[file.name.upper()] = file.read_text("utf-8").strip()
        merged |= {name.upper(): value for name, value in dotenv_values(dotenv).items() if value is not None}
        merged |= {name.upper(): value for name, value in (os.environ if environment is None else environment).items()}
        self.variables: Mapping[str, str] = merged

    def lookup(self, name: str) -> SecretStr | None:
        """Return the variable that TOML names, None where it is not set."""
        value = self.variables.get(name.upper(), "")
        return SecretStr(value) if value else None


def load(surroundings: Surroundings | None = None, *, config: Path | None = None) -> Settings:
    """Read all settings.

    Args:
        surroundings: the variables; those of the process if none are given.
        config: the TOML file; VISTNYK_CONFIG or config/vistnyk.toml if none is given.

    Raises:
        SettingsError: one line for each fault.
    """
    surroundings = surroundings or Surroundings()
    named = surroundings.variables.get(f"{PREFIX}CONFIG", "")
    path = config or Path(named or "config/vistnyk.toml")
    if named and config is None and not path.is_file():
        raise SettingsError(f"VISTNYK_CONFIG: {path} is no file; name a TOML file like config/vistnyk.toml")
    toml = _toml(path) if path.is_file() else {}
    try:
        variables = _Variables(surroundings.variables)()
    except Exception as error:
        raise SettingsError(f"environment: {_plain(error)}") from error
    try:
        return Settings(**_over(toml, variables))
    except ValidationError as error:
        lines = [_complaint(fault, path, variables) for fault in error.errors(include_url=False)]
        raise SettingsError("\n".join(lines)) from None


def _toml(path: Path) -> dict[str, Any]:
    try:
        toml = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"{path}: {error}") from error
    for place, name in _secret_keys(toml):
        raise SettingsError(f"{path}: {place}: secrets never stand in TOML; set {PREFIX}{name} in the environment")
    return toml


def _secret_keys(toml: dict[str, Any]) -> list[tuple[str, str]]:
    """Name the keys of Settings that hold secrets and yet stand in TOML."""
    found = []
    for group, key in (
        ("telegram", "token"),
        ("telegram", "webhook_secret"),
        ("facebook", "app_secret"),
        ("push", "token"),
        ("push", "tokens"),
    ):
        if isinstance(toml.get(group), dict) and key in toml[group]:
            found.append((f"{group}.{key}", f"{group}__{key}".upper()))
    return found + [(key, key.upper()) for key in ("alert_url",) if key in toml]


def _over(low: dict[str, Any], high: dict[str, Any]) -> dict[str, Any]:
    merged = dict(low)
    for key, value in high.items():
        both = isinstance(value, dict) and isinstance(low.get(key), dict)
        merged[key] = _over(low[key], value) if both else value
    return merged


def _complaint(fault: ErrorDetails, path: Path, variables: dict[str, Any]) -> str:
    kinds = {"feed", "page", "folder", "table", "push"}
    steps = [step for step in fault["loc"] if not (step in kinds and len(fault["loc"]) > 2)]
    from_environment = bool(steps) and str(steps[0]) in variables
    if from_environment:
        where = PREFIX + "__".join(str(step) for step in steps if not isinstance(step, int)).upper()
    else:
        key = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip(".")
        where = f"{path}: {key}" if key else str(path)
    if fault["type"] == "extra_forbidden":
        return f"{where}: there is no such key; see config/vistnyk.toml for those there are"
    value = fault.get("input")
    shown = "" if _SECRETIVE.search(where) or isinstance(value, dict | list) or value is None else f" = {value!r}"
    return f"{where}{shown}: {fault['msg'].removeprefix('Value error, ')}"


def _plain(error: Exception) -> str:
    return str(error).splitlines()[0]
