"""What can be set, by what, in which order, and what is refused."""

from __future__ import annotations

from datetime import time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.configuration import Surroundings, load, read
from bot.domain.pace import parse_rates
from bot.domain.timetable import Daily
from bot.errors import SettingsError
from bot.settings import Settings, parse_duration

CHANNEL = """
[[channels]]
name = "main"
platform = "telegram"
address = "@example"
"""
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
DEFAULTS: list[tuple[str, Any]] = [
    ("database_url", "sqlite+aiosqlite:///data/vistnyk.db"),
    ("telegram.token", None),
    ("telegram.api_url", "https://api.telegram.org"),
    ("telegram.web_url", "https://t.me"),
    ("telegram.webhook_url", ""),
    ("telegram.webhook_secret", None),
    ("facebook.api_url", "https://graph.facebook.com"),
    ("facebook.api_version", "v26.0"),
    ("facebook.app_id", ""),
    ("facebook.app_secret", None),
    ("web.host", "127.0.0.1"),
    ("web.port", 8080),
    ("web.public_url", ""),
    ("web.ops_port", 0),
    ("web.trusted_proxies", ()),
    ("push.tokens", ()),
    ("push.accepted", ()),
    ("network.allow_private", ()),
    ("log.level", "INFO"),
    ("log.format", None),
    ("delivery.timeout", 8 * SECOND),
    ("delivery.lease", 30 * SECOND),
    ("delivery.settle", 90 * SECOND),
    ("delivery.facebook_settle", 10 * MINUTE),
    ("delivery.hold_after", 30 * MINUTE),
    ("delivery.gather", 2 * MINUTE),
    ("pace.chat", parse_rates("1/s,20/m")),
    ("pace.bot", parse_rates("30/s")),
    ("pace.page", parse_rates("1/s")),
    ("desk.chat", 0),
    ("desk.undo", 10 * SECOND),
    ("desk.quiet", (Daily.parse("23:00-07:00"),)),
    ("desk.summary_at", time(21)),
    ("alert_url", None),
    ("mode", "publish"),
    ("timezone", ZoneInfo("Europe/Kyiv")),
    ("typography", False),
    ("channels.0.token_env", ""),
    ("channels.0.service_chat", 0),
    ("channels.0.sources", ()),
    ("channels.0.rubrics", ()),
    ("channels.0.exclude_rubrics", ()),
    ("channels.0.template", "default"),
    ("channels.0.photo", "require-credit"),
    ("channels.0.default_credit", ""),
    ("channels.0.summary", 400),
    ("channels.0.approval", "none"),
    ("channels.0.require_link", True),
    ("channels.0.check_link", True),
    ("channels.0.silent", (Daily.parse("22:00-08:00"),)),
    ("channels.0.corrections", "edit"),
    ("channels.0.retractions", "delete"),
    ("channels.0.same_story", "edit"),
    ("channels.0.link_parameters", {}),
    ("channels.0.schedule.windows", (Daily.parse("07:00-23:00"),)),
    ("channels.0.schedule.blackouts", (Daily.parse("09:00-09:02"),)),
    ("channels.0.schedule.min_gap", 5 * MINUTE),
    ("channels.0.schedule.max_per_day", 0),
    ("channels.0.schedule.fresh_for", timedelta(hours=12)),
    ("channels.0.schedule.catch_up", "latest"),
    ("sources.0.every", 60 * SECOND),
    ("sources.0.rubric", ""),
    ("sources.0.full_text", False),
    ("sources.0.first_pass", "baseline"),
    ("sources.0.per_pass", 20),
    ("sources.1.every", 5 * SECOND),
    ("sources.1.first_pass", "publish"),
]
SOURCES = """
[[sources]]
name = "site"
kind = "feed"
url = "https://news.example/rss"
[[sources]]
name = "drop"
kind = "folder"
path = "/articles"
"""


def settings(place: Path, toml: str = CHANNEL, **variables: str) -> Settings:
    """Read settings from a folder that may hold `.env` and `secrets/`, a TOML text and variables."""
    file = place / "vistnyk.toml"
    file.write_text(toml, "utf-8")
    return load(Surroundings(variables, dotenv=place / ".env", secrets=place / "secrets"), config=file)


def refusal(place: Path, toml: str = CHANNEL, **variables: str) -> str:
    with pytest.raises(SettingsError) as refused:
        settings(place, toml, **variables)
    return str(refused.value)


@pytest.mark.parametrize(("key", "value"), DEFAULTS, ids=[key for key, _ in DEFAULTS])
def test_what_is_not_set_is_as_the_contract_says(tmp_path: Path, key: str, value: Any) -> None:
    found: Any = settings(tmp_path, SOURCES + CHANNEL)
    for step in key.split("."):
        found = found[int(step)] if step.isdigit() else getattr(found, step)
    assert found == value


def test_environment_wins_over_dotenv_over_secrets_over_toml(tmp_path: Path) -> None:
    toml = 'mode = "shadow"\n[web]\nport = 1\nhost = "0.0.0.1"\n' + CHANNEL
    assert settings(tmp_path, toml).web.port == 1
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "vistnyk_web__port").write_text("2\n")
    assert settings(tmp_path, toml).web.port == 2
    (tmp_path / ".env").write_text("VISTNYK_WEB__PORT=3\n")
    assert settings(tmp_path, toml).web.port == 3
    found = settings(tmp_path, toml, VISTNYK_WEB__PORT="4")
    assert (found.web.port, found.web.host, found.mode) == (4, "0.0.0.1", "shadow")


def test_a_secret_file_gives_a_nested_setting_and_variables_that_toml_names(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    for name, text in (
        ("vistnyk_telegram__token", "1:from-a-file\n"),
        ("page_token", "page\n"),
        ("store.p12", b"\xff\x00"),
    ):
        file = tmp_path / "secrets" / name
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    file = tmp_path / "vistnyk.toml"
    file.write_text(
        CHANNEL + '[[channels]]\nname = "fb"\nplatform = "facebook"\naddress = "1"\ntoken_env = "PAGE_TOKEN"\n'
    )
    around = Surroundings({}, dotenv=tmp_path / ".env", secrets=tmp_path / "secrets")
    configuration = read(around, config=file)
    telegram, facebook = configuration.settings.channels
    assert configuration.token_for(telegram) == "1:from-a-file"
    assert configuration.token_for(facebook) == "page"
    assert {"1:from-a-file", "page"} <= set(configuration.secrets())
    (tmp_path / ".env").write_text("PAGE_TOKEN=newer\n")
    around = Surroundings({}, dotenv=tmp_path / ".env", secrets=tmp_path / "secrets")
    assert read(around, config=file).token_for(facebook) == "newer"


def test_a_setting_in_a_secret_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "vistnyk_telegram__token").write_bytes(b"\xff\xfe\x00")
    assert "vistnyk_telegram__token: cannot be read as text" in refusal(tmp_path)


def test_the_file_that_vistnyk_config_names_is_read(tmp_path: Path) -> None:
    (tmp_path / "here.toml").write_text(CHANNEL)
    around = Surroundings(
        {"VISTNYK_CONFIG": str(tmp_path / "here.toml")}, dotenv=tmp_path / "no", secrets=tmp_path / "no"
    )
    assert [channel.name for channel in load(around).channels] == ["main"]
    assert read(around).file == tmp_path / "here.toml"
    gone = Surroundings(
        {"VISTNYK_CONFIG": str(tmp_path / "gone.toml")}, dotenv=tmp_path / "no", secrets=tmp_path / "no"
    )
    with pytest.raises(SettingsError, match=r"VISTNYK_CONFIG: .*gone\.toml is no file"):
        load(gone)


def test_the_commented_example_is_valid_and_holds_no_channel() -> None:
    example = Path(__file__).parents[2] / "config" / "vistnyk.toml"
    found = load(Surroundings({}, dotenv=Path("no"), secrets=Path("no")), config=example)
    assert (found.channels, found.sources, found.editors) == ((), (), ())
    assert found == Settings()


def test_every_key_of_the_commented_example_is_a_key_with_its_default(tmp_path: Path) -> None:
    example = (Path(__file__).parents[2] / "config" / "vistnyk.toml").read_text("utf-8")
    lines = [line.removeprefix("# ") for line in example.splitlines()]
    toml = "\n".join(line for line in lines if line.startswith("[") or (" = " in line and line[0].isalpha()))
    found = settings(tmp_path, toml)
    assert [source.kind for source in found.sources] == ["feed", "page", "folder", "table", "push"]
    assert [channel.platform for channel in found.channels] == ["telegram", "facebook"]
    by_default, _ = settings(tmp_path, CHANNEL + CHANNEL.replace('"main"', '"other"')).channels
    shown = found.channels[0].model_copy(update={"name": "main", "call_to_action": by_default.call_to_action})
    assert shown == by_default


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("500ms", timedelta(milliseconds=500)),
        ("5s", timedelta(seconds=5)),
        ("0s", timedelta(0)),
        ("1.5m", timedelta(seconds=90)),
        ("12h", timedelta(hours=12)),
        (" 2d ", timedelta(days=2)),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text: str, span: timedelta) -> None:
    assert parse_duration(text) == span


@pytest.mark.parametrize("text", ["", "5", "s", "-5s", "5 s", "5w", "1h30m", "99999999999999d", 5, None])
def test_anything_else_is_no_duration(text: object) -> None:
    with pytest.raises(ValueError, match="a duration is"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        ({"VISTNYK_PUSH__TOKEN": "one"}, ("one",)),
        ({"VISTNYK_PUSH__TOKENS": '["old", "new"]'}, ("old", "new")),
        ({"VISTNYK_PUSH__TOKENS": "old, new", "VISTNYK_PUSH__TOKEN": "one"}, ("old", "new", "one")),
        ({"VISTNYK_PUSH__TOKENS": "[]", "VISTNYK_PUSH__TOKEN": ""}, ()),
    ],
)
def test_push_tokens_may_be_one_or_several(tmp_path: Path, variables: dict[str, str], found: tuple[str, ...]) -> None:
    assert settings(tmp_path, **variables).push.accepted == found


def test_off_is_no_pace(tmp_path: Path) -> None:
    assert settings(tmp_path, VISTNYK_PACE__CHAT="off").pace.chat == ()


@pytest.mark.parametrize(
    ("toml", "variables", "parts"),
    [
        ("", {"VISTNYK_DELIVERY__LEASE": "15s"}, ["VISTNYK_DELIVERY", "too short for timeout 8s", "0.8 of the lease"]),
        ("[delivery]\nlease = '15s'\n", {}, ["vistnyk.toml: delivery", "too short"]),
        ("", {"VISTNYK_DELIVERY__TIMEOUT": "0s"}, ["VISTNYK_DELIVERY__TIMEOUT", "longer than nothing"]),
        ("", {"VISTNYK_PACE__BOT": "many"}, ["VISTNYK_PACE__BOT", "many"]),
        ("", {"VISTNYK_LOG__LEVEL": "LOUD"}, ["VISTNYK_LOG__LEVEL", "'LOUD'", "'DEBUG', 'INFO', 'WARNING' or 'ERROR'"]),
        ("", {"VISTNYK_WEB__PORT": "70000"}, ["VISTNYK_WEB__PORT", "'70000'", "65535"]),
        ("", {"VISTNYK_WEB__PROT": "1"}, ["VISTNYK_WEB__PROT", "no such key"]),
        ("", {"VISTNYK_NETWORK__ALLOW_PRIVATE": "10.0.0.0/8,here"}, ["VISTNYK_NETWORK__ALLOW_PRIVATE", "here"]),
        ("", {"VISTNYK_DESK__SUMMARY_AT": "late"}, ["VISTNYK_DESK__SUMMARY_AT", "late"]),
        ("[web]\nport = 'x'\n", {"VISTNYK_WEB__HOST": "::1"}, ["vistnyk.toml: web.port", "'x'"]),
        ("timezone = 'Mars/Base'\n", {}, ["vistnyk.toml: timezone", "'Mars/Base'", "Europe/Kyiv"]),
        ("telegram = 1\n", {}, ["vistnyk.toml: telegram"]),
        (CHANNEL + CHANNEL, {}, ["vistnyk.toml", "channels", "'main' stands twice"]),
        (CHANNEL + "summary = -1\n", {}, ["channels[0].summary", "-1", "greater than or equal to 0"]),
        (CHANNEL + "sources = ['site']\n", {}, ["channels.main.sources", "'site'"]),
        (CHANNEL + "silent = ['25:00-26:00']\n", {}, ["channels[0].silent[0]", "25:00-26:00"]),
        (CHANNEL + "template = '../../etc'\n", {}, ["channels[0].template", "../../etc"]),
        (CHANNEL + "call_to_action = { text = 'x', url = 'javascript:x' }\n", {}, ["channels[0].call_to_action.url"]),
        (CHANNEL.replace("telegram", "facebook"), {}, ["channels[0]", "page id"]),
        (CHANNEL.replace("telegram", "facebook").replace("@example", "1"), {}, ["channels[0]", "token_env"]),
        ("[[sources]]\nname = 'a'\nkind = 'feed'\n", {}, ["sources[0].url", "Field required"]),
        ("[[sources]]\nname = 'a'\nkind = 'push'\nevery = '0s'\n", {}, ["sources[0].every", "longer than nothing"]),
        ("[[editors]]\ntelegram_id = 1\nname = 'Ярина'\nrole = 'boss'\n", {}, ["editors[0].role", "'boss'", "'chief'"]),
        ("[[editors]]\ntelegram_id = 1\nname = 'Ярина'\nrole = 'chief'\nchannels = ['x']\n", {}, ["Ярина", "'x'"]),
    ],
)
def test_what_breaks_the_design_is_refused_with_its_place_and_what_is_allowed(
    tmp_path: Path, toml: str, variables: dict[str, str], parts: list[str]
) -> None:
    said = refusal(tmp_path, toml, **variables)
    for part in parts:
        assert part in said, said


def test_every_fault_is_named_not_the_first_alone(tmp_path: Path) -> None:
    said = refusal(tmp_path, CHANNEL + "summary = -1\nphoto = 'maybe'\nnonsense = 1\n", VISTNYK_MODE="loud")
    assert len(said.splitlines()) == 4


@pytest.mark.parametrize(
    ("toml", "name"),
    [
        ("[telegram]\ntoken = 'geheimnis'\n", "VISTNYK_TELEGRAM__TOKEN"),
        ("[telegram]\nwebhook_secret = 'geheimnis'\n", "VISTNYK_TELEGRAM__WEBHOOK_SECRET"),
        ("[facebook]\napp_secret = 'geheimnis'\n", "VISTNYK_FACEBOOK__APP_SECRET"),
        ("[push]\ntokens = ['geheimnis']\n", "VISTNYK_PUSH__TOKENS"),
        ("alert_url = 'https://geheimnis.example'\n", "VISTNYK_ALERT_URL"),
        ("database_url = 'postgresql+asyncpg://me:geheimnis@host/x'\n", "VISTNYK_DATABASE_URL"),
    ],
)
def test_a_secret_in_toml_is_refused_and_not_repeated(tmp_path: Path, toml: str, name: str) -> None:
    said = refusal(tmp_path, toml)
    assert name in said
    assert "geheimnis" not in said


@pytest.mark.parametrize(
    ("toml", "variables"),
    [
        (CHANNEL + "token = '12345678:geheimnis-geheimnis-geheimnis-00'\n", {}),
        (CHANNEL + "token_env = '12345678:geheimnis-geheimnis-geheimnis-00'\n", {}),
        (CHANNEL + f"token_env = '{'EAAGgeheimnis' * 12}'\n", {}),
        ("[[sources]]\nname='a'\nkind='table'\nquery='SELECT 1'\ndatabase_env='postgresql://a:geheimnis@b/c'\n", {}),
        ("", {"VISTNYK_DATABASE_URL": "mysql://a:geheimnis@b/c"}),
        ("", {"VISTNYK_DATABASE_URL": "postgresql+asyncpg://a:geheimnis@b:port/c"}),
        ("", {"VISTNYK_TELEGRAM": '{"token": 5, "secret": "geheimnis"}'}),
        ("", {"VISTNYK_PUSH__TOKENS": '["geheimnis"'}),
        ("", {"VISTNYK_PUSH__TOKENS": '[["geheimnis"]]'}),
        ("", {"VISTNYK_TELEGRAM": '{"token": "geheimnis'}),
    ],
)
def test_a_secret_in_the_wrong_place_is_never_repeated(tmp_path: Path, toml: str, variables: dict[str, str]) -> None:
    assert "geheimnis" not in refusal(tmp_path, toml, **variables)


def test_what_a_configuration_shows_of_itself_holds_no_secret(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        VISTNYK_TELEGRAM__TOKEN="geheimnis",
        VISTNYK_PUSH__TOKENS="geheimnis",
        VISTNYK_FACEBOOK__APP_SECRET="geheimnis",
        VISTNYK_ALERT_URL="https://alert.example/geheimnis",
    )
    assert "geheimnis" not in repr(found)
