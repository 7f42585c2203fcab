"""`vistnyk check` names whatever would keep a post from going out, each in a line of its own, and touches nothing."""

from __future__ import annotations

import pytest

from bot.clock import SystemClock
from bot.sandbox.server import SitePage
from bot.store import editors
from tests.factories import an_article
from tests.journeys.outlet import BOT_ID, BOT_TOKEN, PAGE_TOKEN, Outlet, publish
from tests.journeys.shell import Said, told, vistnyk

EDITOR = """
[[editors]]
telegram_id = 1001
name = "Ярина"
role = "editor"
"""
FEED = """
[[sources]]
name = "site"
kind = "feed"
url = "{url}/site/rss"
"""
RSS = (
    "<rss version='2.0'><channel><title>Видання</title>"
    "<item><title>Новина</title><link>https://news.example/1</link></item></channel></rss>"
)


@pytest.fixture
async def ready(outlet: Outlet) -> Outlet:
    """An outlet with an editor and a feed where all is well."""
    outlet.write(more=FEED.format(url=outlet.sandbox.url) + EDITOR)
    outlet.sandbox.site["/rss"] = SitePage(RSS.encode(), "application/rss+xml")
    outlet.sandbox.telegram.add_user(1001, "Ярина", started=[BOT_ID])
    await outlet.migrate()
    return outlet


async def failing(outlet: Outlet) -> list[str]:
    """Run the check, which must fail, and return its failing lines as `check: detail`."""
    said = await vistnyk(outlet, "check", "--json")
    assert (said.code, said.err) == (1, "")
    assert all(set(line) == {"check", "ok", "detail"} for line in said.lines)
    for secret in (BOT_TOKEN, PAGE_TOKEN):
        assert secret not in said.out
    return [f"{line['check']}: {line['detail']}" for line in said.lines if line["ok"] is not True]


async def test_all_is_well_and_nothing_was_touched(ready: Outlet) -> None:
    lines = await told(ready, "check")
    assert {line["ok"] for line in lines} == {True}
    names = {line["check"] for line in lines}
    assert {"configuration", "templates", "database", "editor Ярина", "source site", "source push"} <= names
    assert {f"channel telegram-main: {part}" for part in ("token", "address", "rights", "read-back")} <= names
    assert {f"channel facebook-main: {part}" for part in ("token", "scopes", "address", "read-back")} <= names
    people = await vistnyk(ready, "check")
    assert (people.code, people.err) == (0, "")
    assert len(people.out.splitlines()) == len(lines)
    assert all(line.startswith("ok ") for line in people.out.splitlines())
    assert ready.telegram == ready.facebook == []
    assert await told(ready, "queue") == []


async def test_a_missing_token_is_named_with_its_variable(ready: Outlet) -> None:
    del ready.variables["VISTNYK_TELEGRAM__TOKEN"], ready.variables["PAGE_TOKEN"]
    telegram, facebook, editors = await failing(ready)
    assert telegram.startswith("channel telegram-main: ")
    assert "VISTNYK_TELEGRAM__TOKEN" in telegram
    assert facebook.startswith("channel facebook-main: ")
    assert "the variable PAGE_TOKEN is not set" in facebook
    assert "VISTNYK_TELEGRAM__TOKEN" in editors


async def test_a_wrong_token_is_named_and_never_shown(ready: Outlet) -> None:
    ready.variables["VISTNYK_TELEGRAM__TOKEN"] = wrong = BOT_TOKEN.replace("sandbox", "unknown")
    lines = await failing(ready)
    assert lines[0].startswith("channel telegram-main: token: Telegram does not accept the token")
    assert "VISTNYK_TELEGRAM__TOKEN" in lines[0]
    assert wrong not in str(lines)
    assert wrong.partition(":")[2] not in str(lines)


async def test_a_wrong_page_token_is_named_and_never_shown(ready: Outlet) -> None:
    ready.variables["PAGE_TOKEN"] = wrong = "a-page-token-that-nobody-gave"
    (line,) = await failing(ready)
    assert line.startswith("channel facebook-main: ")
    assert "PAGE_TOKEN" in line
    assert wrong not in line


async def test_a_bot_that_is_no_administrator_is_named(ready: Outlet) -> None:
    ready.sandbox.telegram.set_rights("@outlet_main", BOT_ID, administrator=False)
    (line,) = await failing(ready)
    assert line.startswith("channel telegram-main: rights: the bot is not an administrator of @outlet_main")
    ready.sandbox.telegram.set_rights("@outlet_main", BOT_ID, can_post=False)
    (line,) = await failing(ready)
    assert line.startswith(
        "channel telegram-main: rights: the bot, administrator of @outlet_main, has no right to post"
    )
    ready.sandbox.telegram.kick("@outlet_main", BOT_ID)
    (line,) = await failing(ready)
    assert line.startswith("channel telegram-main: address: @outlet_main: add the bot to the channel")


async def test_an_expired_page_token_is_named(ready: Outlet) -> None:
    ready.sandbox.facebook.expire(PAGE_TOKEN)
    (line,) = await failing(ready)
    assert line.startswith("channel facebook-main: token: ")
    assert "PAGE_TOKEN" in line
    assert "expired" in line


async def test_a_database_that_is_not_there_is_named_and_not_made(outlet: Outlet) -> None:
    (line,) = await failing(outlet)
    assert line.startswith("database: database not migrated")
    assert "vistnyk db upgrade" in line
    assert list(outlet.place.glob("*.db*")) == []
    assert (await vistnyk(outlet, "db", "upgrade")).code == 0
    assert (await vistnyk(outlet, "check")).code == 0


async def test_an_embedded_database_that_is_not_migrated_is_named_and_left_so(outlet: Outlet) -> None:
    (outlet.place / "vistnyk.db").touch()
    for _ in range(2):
        (line,) = await failing(outlet)
        assert "is not migrated" in line
        assert "vistnyk db upgrade" in line


@pytest.mark.postgres
async def test_a_postgresql_that_is_not_migrated_or_not_there_is_named(outlet: Outlet, postgres_url: str) -> None:
    outlet.variables["VISTNYK_DATABASE_URL"] = postgres_url
    for _ in range(2):
        (line,) = await failing(outlet)
        assert "is not migrated" in line
        assert "vistnyk db upgrade" in line
    outlet.variables["VISTNYK_DATABASE_URL"] = "postgresql+asyncpg://me:geheimnis@127.0.0.1:9/x"
    (line,) = await failing(outlet)
    assert line.startswith("database: postgresql+asyncpg://me:***@127.0.0.1:9/x")
    assert "geheimnis" not in line


async def test_an_unknown_key_is_named_with_its_file(ready: Outlet) -> None:
    text = ready.toml.read_text("utf-8")
    ready.toml.write_text(
        text.replace("check_link", "chek_link").replace('kind = "push"', 'kind = "push"\nevry = "5s"'), "utf-8"
    )
    lines = await failing(ready)
    assert len(lines) == 2 + 1
    assert all(line.startswith(f"configuration: {ready.toml}: ") for line in lines)
    assert any("channels[0].chek_link: there is no such key" in line for line in lines)


async def test_a_source_that_cannot_be_had_is_named(ready: Outlet) -> None:
    del ready.sandbox.site["/rss"]
    (line,) = await failing(ready)
    assert line.startswith("source site: ")
    assert "404" in line


async def test_an_editor_who_has_not_started_the_bot_is_named(ready: Outlet) -> None:
    ready.sandbox.telegram.block(1001, BOT_ID)
    (line,) = await failing(ready)
    assert line.startswith("editor Ярина: ")
    assert "/start" in line


async def test_every_fault_at_once_is_every_line_at_once(ready: Outlet) -> None:
    ready.sandbox.telegram.kick("@outlet_main", BOT_ID)
    ready.sandbox.telegram.block(1001, BOT_ID)
    ready.sandbox.facebook.expire(PAGE_TOKEN)
    del ready.sandbox.site["/rss"], ready.variables["VISTNYK_PUSH__TOKEN"]
    (ready.place / "vistnyk.db").unlink()
    named = [line.partition(":")[0] for line in await failing(ready)]
    channels = ["channel telegram-main", "channel facebook-main"]
    assert sorted(named) == sorted(["database", *channels, "editor Ярина", "source push", "source site"])
    said: Said = await vistnyk(ready, "check")
    assert [line[:4] for line in said.out.splitlines()].count("FAIL") == len(named)


async def test_platforms_that_do_not_answer_are_named(ready: Outlet) -> None:
    ready.variables["VISTNYK_TELEGRAM__API_URL"] = "http://127.0.0.1:9"
    ready.variables["VISTNYK_FACEBOOK__API_URL"] = "http://127.0.0.1:9"
    telegram, facebook, editor = await failing(ready)
    assert telegram.startswith("channel telegram-main: token: Telegram cannot be asked")
    assert facebook.startswith("channel facebook-main: token: Facebook cannot be asked")
    assert editor.startswith("editor Ярина: ")


async def test_no_channel_at_all_is_named(outlet: Outlet) -> None:
    outlet.toml.write_text('timezone = "Europe/Kyiv"\n', "utf-8")
    await outlet.migrate()
    (line,) = await failing(outlet)
    assert line == f"configuration: {outlet.toml}: there is no channel; name at least one under [[channels]]"


async def test_a_page_token_that_may_not_read_figures_is_named_and_stops_no_post(ready: Outlet) -> None:
    token = ready.sandbox.facebook.tokens[PAGE_TOKEN]
    token.scopes = token.scopes - {"read_insights"}
    (line,) = await failing(ready)
    assert line.startswith("channel facebook-main: insights: the token lacks read_insights")
    async with ready.open() as service:
        async with service.house.database.write() as tx:
            await tx.exec_driver_sql("UPDATE channels SET access_lost_at = 1, access_detail = 'x'")
        await service.reconciler.reconcile()
        await publish(service, an_article(published_at=SystemClock().now()))
    assert len(ready.facebook) == 1, "access came back all the same"


async def test_an_editor_who_was_added_in_telegram_and_never_started_the_bot_is_named(ready: Outlet) -> None:
    ready.sandbox.telegram.add_user(1005, "Гліб")
    async with ready.open() as service, service.house.database.write() as tx:
        await tx.exec_driver_sql(
            "INSERT INTO editors (telegram_id, name, role, channels, from_config) VALUES (1005, 'Гліб', 2, '[]', false)"
        )
        assert [one.name for one in await editors.unstarted(tx)] == ["Гліб", "Ярина"]
        await editors.note_start(tx, 1001, SystemClock().now())
        assert [one.name for one in await editors.unstarted(tx)] == ["Гліб"]
    (line,) = await failing(ready)
    assert line == "editor Гліб: Гліб (1005) has not pressed /start in the chat with the bot"
