"""Reads the settings: environment over `.env` over files in /run/secrets over the TOML file.

What is wrong is told in one line each: where, which key, what value, what is allowed. Secrets are told by name only.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from dotenv import dotenv_values
from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import EnvSettingsSource

from bot.domain.channel import Platform
from bot.errors import SettingsError
from bot.settings import PREFIX, ChannelSettings, Settings, TableSettings

SECRETS = Path("/run/secrets")
_EXAMPLE = Path("config/vistnyk.toml")
_SECRETIVE = re.compile(r"token|secret|password|database_url|alert_url", re.IGNORECASE)


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
        for name, value in [*_secret_files(secrets), *_dotenv(dotenv)]:
            merged[name.upper()] = value
        merged |= {name.upper(): value for name, value in (os.environ if environment is None else environment).items()}
        self.variables: Mapping[str, str] = merged

    @property
    def config(self) -> Path:
        """The TOML file that VISTNYK_CONFIG names, or the default one."""
        return Path(self.variables.get(f"{PREFIX}CONFIG") or _EXAMPLE)

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
    path = config or surroundings.config
    if path != _EXAMPLE and not path.is_file():
        raise SettingsError(f"{PREFIX}CONFIG: {path} is no file; name a TOML file like {_EXAMPLE}")
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
        raise SettingsError(f"{path}: cannot be read as TOML ({error})") from error
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
    if isinstance(toml.get("database_url"), str) and _password(toml["database_url"]) is not None:
        found.append(("database_url", "DATABASE_URL"))
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
    if _is_among(variables, steps):
        where = PREFIX + "__".join(str(step) for step in steps if not isinstance(step, int)).upper()
    else:
        key = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip(".")
        where = f"{path}: {key}" if key else str(path)
    if fault["type"] == "extra_forbidden":
        return f"{where}: there is no such key; see config/vistnyk.toml for those there are"
    value = fault.get("input")
    shown = "" if _SECRETIVE.search(where) or isinstance(value, dict | list) or value is None else f" = {value!r}"
    return f"{where}{shown}: {fault['msg'].removeprefix('Value error, ')}"


def _is_among(variables: Any, steps: list[Any]) -> bool:
    """Whether what stands at these steps came from a variable rather than from TOML."""
    for place, step in enumerate(steps):
        if not isinstance(variables, dict):
            return place > 0
        if step not in variables:
            return False
        variables = variables[step]
    return bool(steps)


def _secret_files(place: Path) -> Iterator[tuple[str, str]]:
    """Yield the name and content of each secret; what others keep there need not be text."""
    try:
        files = [file for file in place.iterdir() if file.is_file()] if place.is_dir() else []
    except OSError:
        files = []
    for file in files:
        try:
            yield file.name, file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            if file.name.upper().startswith(PREFIX):
                raise SettingsError(f"{file}: cannot be read as text ({type(error).__name__})") from None


def _dotenv(file: Path) -> Iterator[tuple[str, str]]:
    try:
        values = dotenv_values(file)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: cannot be read as text ({type(error).__name__})") from None
    yield from ((name, value) for name, value in values.items() if value is not None)


def _plain(error: Exception) -> str:
    return str(error).splitlines()[0]


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings, the variables that they name, and the TOML file they are completed by."""

    settings: Settings
    surroundings: Surroundings
    file: Path = _EXAMPLE

    def secret_for(self, place: str, name: str) -> str:
        """Return the secret in a variable that TOML names.

        Raises:
            SettingsError: it is not set.
        """
        found = self.surroundings.lookup(name)
        if found is None:
            raise SettingsError(f"{place} = {name!r}: the variable {name} is not set")
        return found.get_secret_value()

    def token_for(self, channel: ChannelSettings) -> str:
        """Return the token that a channel is served with.

        Raises:
            SettingsError: it is not set.
        """
        if channel.token_env:
            return self.secret_for(f"channels.{channel.name}.token_env", channel.token_env)
        if self.settings.telegram.token is None:
            raise SettingsError(f"channels.{channel.name}: there is no token; set {PREFIX}TELEGRAM__TOKEN")
        return self.settings.telegram.token.get_secret_value()

    def bot_tokens(self) -> set[str]:
        """Return the tokens of all Telegram bots, the desk's own and those of single channels.

        Raises:
            SettingsError: one that a channel names is not set.
        """
        own = self.settings.telegram.token
        named = [one for one in self.settings.channels if one.platform is Platform.TELEGRAM]
        tokens = {self.token_for(channel) for channel in named}
        return tokens | ({own.get_secret_value()} if own is not None else set())

    def secrets(self) -> list[str]:
        """Return every secret this process knows, for the scrubber of the logs."""
        settings = self.settings
        telegram, facebook = settings.telegram, settings.facebook
        own = [telegram.token, telegram.webhook_secret, facebook.app_secret, settings.push.token, settings.alert_url]
        named = [channel.token_env for channel in settings.channels if channel.token_env]
        named += [source.database_env for source in settings.sources if isinstance(source, TableSettings)]
        found = [*own, *settings.push.tokens, *(self.surroundings.lookup(name) for name in named)]
        secrets = [secret.get_secret_value() for secret in found if secret is not None]
        passwords = [password for url in (settings.database_url, *secrets) if (password := _password(url))]
        return [*secrets, *passwords, *(unquote(password) for password in passwords)]


def read(surroundings: Surroundings | None = None, *, config: Path | None = None) -> Configuration:
    """Read all there is to configure; as `load`."""
    surroundings = surroundings or Surroundings()
    return Configuration(load(surroundings, config=config), surroundings, config or surroundings.config)


def _password(url: str) -> str | None:
    try:
        return urlsplit(url).password
    except ValueError:
        return None
