"""What an operator types and reads: every command, its fields, its exit codes."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.app import open_service
from bot.clock import SystemClock
from bot.sandbox.server import SitePage
from bot.store.database import Database
from tests.factories import an_article
from tests.fakes import FakeClock
from tests.journeys.outlet import Outlet, publish
from tests.journeys.shell import told, vistnyk

NOW = SystemClock().now()
SOON = NOW.replace(microsecond=0) + timedelta(hours=2)
FRESH, EMBARGO, OLD = (f"https://news.example/{name}" for name in ("fresh", "embargo", "old"))
LINE = {
    *("delivery", "kind", "channel", "platform", "article_url", "title", "revision", "state", "held_reason"),
    *("pinned_at", "due_at", "published_at", "withdrawn_at", "remote_id", "permalink", "attempts", "text", "error"),
}
PREVIEW = {
    *("channel", "platform", "method", "text", "plain", "length", "limit", "photo_url", "album", "credit"),
    *("credit_kind", "credit_source", "illustrative", "link", "call_to_action", "teasers", "warnings"),
}
PAGE = """<!doctype html><html lang="uk"><head><title>Сад</title>
<meta property="og:title" content="У громаді висадили сад">
<link rel="canonical" href="https://news.example/garden"></head><body><article><h1>У громаді висадили сад</h1>
<p>Сто двадцять яблунь висадили біля школи у суботу вранці. Допомагали батьки, учні та працівники лісництва.</p>
<p>Дерева поливатимуть по черзі всі класи. Перший врожай чекають за три роки.</p></article></body></html>"""


def moment(text: str) -> datetime:
    """Read a time, which has to be ISO 8601 in UTC with its offset."""
    at = datetime.fromisoformat(text)
    assert at.utcoffset() == timedelta(0)
    return at


@pytest.fixture
async def busy(outlet: Outlet) -> Outlet:
    """An outlet that has published one article, waits with another, and was too late for a third."""
    async with outlet.open() as service:
        await publish(
            service,
            an_article(url=FRESH, title="Міст відкрили", published_at=NOW - timedelta(minutes=5)),
            an_article(url=EMBARGO, title="Парк відкриють", published_at=SOON),
            an_article(url=OLD, title="Рік минув", published_at=NOW - timedelta(days=4)),
        )
    return outlet


async def test_the_ledger_shows_what_was_published_and_what_was_not(busy: Outlet) -> None:
    lines = await told(busy, "ledger")
    assert all(set(line) == LINE for line in lines)
    assert [line["delivery"] for line in lines] == sorted(line["delivery"] for line in lines)
    published = [line for line in lines if line["state"] == "published"]
    (expired, _) = [line for line in lines if line["state"] == "expired"]
    assert {line["channel"]: line["platform"] for line in published} == {
        "telegram-main": "telegram",
        "facebook-main": "facebook",
    }
    for line in published:
        assert (line["kind"], line["article_url"], line["title"]) == ("publish", FRESH, "Міст відкрили")
        assert (line["revision"], line["attempts"], line["held_reason"], line["withdrawn_at"]) == (1, 1, None, None)
        assert NOW - timedelta(minutes=1) < moment(line["published_at"]) <= SystemClock().now()
        assert "Фото: міська рада" in line["text"]
    (telegram,) = [line for line in published if line["platform"] == "telegram"]
    assert (telegram["remote_id"], telegram["text"]) == (str(busy.telegram[0].id), busy.telegram[0].html)
    assert (expired["article_url"], expired["permalink"], expired["published_at"]) == (OLD, None, None)
    assert "fresh_for" in expired["error"]


async def test_the_ledger_can_be_narrowed_to_a_channel_and_a_time(busy: Outlet) -> None:
    assert {line["channel"] for line in await told(busy, "ledger", "--channel", "facebook-main")} == {"facebook-main"}
    assert await told(busy, "ledger", "--since", (NOW + timedelta(hours=1)).isoformat()) == []
    assert len(await told(busy, "ledger", "--since", (NOW - timedelta(hours=1)).isoformat())) == 4


async def test_the_queue_and_the_plan_say_when_what_waits_will_go(busy: Outlet) -> None:
    waiting = await told(busy, "queue")
    assert all(set(line) == LINE for line in waiting)
    assert {(line["article_url"], line["state"], line["published_at"]) for line in waiting} == {
        (EMBARGO, "planned", None)
    }
    assert [moment(line["due_at"]) for line in waiting] == [SOON, SOON]
    (line,) = await told(busy, "plan", "--channel", "telegram-main")
    assert {"delivery", "channel", "article_url", "at"} <= set(line)
    assert (line["article_url"], moment(line["at"])) == (EMBARGO, SOON)
    assert line["delivery"] in {one["delivery"] for one in waiting}
    later = SOON + timedelta(hours=1)
    assert {moment(line["at"]) for line in await told(busy, "plan", "--now", later.isoformat())} == {later}
    too_late = await told(busy, "plan", "--now", (SOON + timedelta(days=2)).isoformat())
    assert {(line["at"], line["note"]) for line in too_late} == {(None, "too old by its turn")}
    assert len(busy.telegram) == 1


async def test_why_tells_every_decision_oldest_first_whatever_tracks_the_address(busy: Outlet) -> None:
    tracked = f"{FRESH.replace('news.example', 'NEWS.example:443')}?utm_source=telegram&fbclid=x#top"
    lines = await told(busy, "why", tracked)
    assert all(set(line) == {"at", "channel", "decision", "detail"} for line in lines)
    assert [moment(line["at"]) for line in lines] == sorted(moment(line["at"]) for line in lines)
    assert [line["decision"] for line in lines] == ["stored", "queued", "queued", "published", "published"]
    assert lines[0]["channel"] is None
    only = await told(busy, "why", FRESH, "--channel", "facebook-main")
    assert {line["channel"] for line in only} == {None, "facebook-main"}
    unknown = await vistnyk(busy, "why", "https://news.example/nowhere", "--json")
    assert (unknown.code, unknown.out) == (1, "")
    assert unknown.err == "no article is known at https://news.example/nowhere\n"


async def test_tables_for_people_have_one_line_a_delivery(busy: Outlet) -> None:
    ledger = await vistnyk(busy, "ledger")
    assert len(ledger.out.splitlines()) == 1 + 4
    assert busy.sandbox.url in ledger.out
    for words, count in ((("queue",), 2), (("plan",), 2), (("why", FRESH), 5), (("audit",), 0)):
        said = await vistnyk(busy, *words)
        assert (said.code, said.err, len(said.out.splitlines())) == (0, "", 1 + count), words


async def test_a_channel_that_is_gone_keeps_its_ledger_and_an_unknown_one_is_refused(busy: Outlet) -> None:
    text = busy.toml.read_text("utf-8")
    busy.toml.write_text(text.replace('name = "telegram-main"', 'name = "telegram-new"'), "utf-8")
    async with busy.open():
        pass
    lines = await told(busy, "ledger", "--channel", "telegram-main")
    assert sorted(line["state"] for line in lines) == ["cancelled", "expired", "published"]
    assert "gone from the configuration" in next(line for line in lines if line["state"] == "cancelled")["error"]
    for words in (("ledger",), ("queue",), ("plan",), ("why", FRESH)):
        said = await vistnyk(busy, *words, "--channel", "nobody", "--json")
        assert (said.code, said.out) == (2, "")
        assert "--channel 'nobody'" in said.err
        assert "facebook-main, telegram-main, telegram-new" in said.err


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("why",),
        ("ingest",),
        ("queue", "--nonsense"),
        ("plan", "--now", "tomorrow"),
        ("plan", "--now", "2026-06-01T12:00:00"),
        ("ledger", "--since", "2026-13-01T12:00:00+00:00"),
        ("ingest", "a.txt", "--published-at", "2026-06-01"),
        ("ingest", "a.txt", "b.txt", "--url", "https://news.example/1"),
        ("prune", "--older-than", "90"),
        ("prune", "--older-than", "99999999999d"),
        ("prune",),
        ("db", "downgrade"),
        ("run", "--port", "1"),
    ],
)
async def test_wrong_usage_ends_with_2_and_says_what_is_allowed(outlet: Outlet, words: tuple[str, ...]) -> None:
    said = await vistnyk(outlet, *words)
    assert (said.code, said.out) == (2, "")
    assert said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("change", "told_of"),
    [
        (("min_gap", "minimal_gap"), ["vistnyk.toml", "channels[0].schedule.minimal_gap", "no such key"]),
        (('"0s"', '"5 minutes"'), ["vistnyk.toml", "channels[0].schedule.min_gap", "'5 minutes'", "500ms, 5s, 5m"]),
        (('"telegram"', '"telegraph"'), ["vistnyk.toml", "platform", "'telegraph'", "'telegram' or 'facebook'"]),
        (('"push"\n\n', '"pull"\n\n'), ["vistnyk.toml", "sources[0]", "'feed', 'page', 'folder', 'table', 'push'"]),
        (("[[channels]]", "[[channels"), ["vistnyk.toml", "TOML", "line"]),
        (('"@outlet_main"', '"outlet"'), ["vistnyk.toml", "channels[0]", "'outlet'", "@name"]),
    ],
)
async def test_wrong_configuration_names_file_key_value_and_what_is_allowed(
    outlet: Outlet, change: tuple[str, str], told_of: list[str]
) -> None:
    outlet.toml.write_text(outlet.toml.read_text("utf-8").replace(*change), "utf-8")
    said = await vistnyk(outlet, "queue", "--json")
    assert (said.code, said.out) == (2, "")
    for part in told_of:
        assert part in said.err
    assert "Traceback" not in said.err


async def test_a_variable_that_names_no_file_or_a_wrong_value_ends_with_2(outlet: Outlet) -> None:
    variables = dict(outlet.variables)
    for name, value, part in (
        ("VISTNYK_CONFIG", "/nowhere/vistnyk.toml", "is no file"),
        ("VISTNYK_WEB__PORT", "high", "'high'"),
        ("VISTNYK_MODE", "loud", "'publish' or 'shadow'"),
        ("VISTNYK_DATABASE_URL", "mysql://root:geheimnis@localhost/x", "sqlite+aiosqlite://"),
        ("VISTNYK_DATABASE_URL", "postgresql+asyncpg://x:geheimnis@localhost:port/x", "sqlite+aiosqlite://"),
        ("VISTNYK_DELIVERY__LEASE", "9s", "too short for timeout 8s"),
    ):
        outlet.variables = variables | {name: value}
        said = await vistnyk(outlet, "ledger")
        assert (said.code, said.out) == (2, ""), name
        assert part in said.err
        assert (name in said.err) or name == "VISTNYK_DELIVERY__LEASE"
        assert "geheimnis" not in said.err


async def test_preview_shows_each_channels_post_and_leaves_no_trace(outlet: Outlet) -> None:
    story = outlet.place / "story.json"
    fields = {
        "url": FRESH,
        "title": "Міст відкрили",
        "lead": "Рух відновили зранку.",
        "photo_credit": "Скріншот з відео СБУ",
    }
    story.write_text(json.dumps(fields | {"photo_url": "https://news.example/1.jpg"}), "utf-8")
    lines = await told(outlet, "preview", str(story))
    assert all(set(line) == PREVIEW for line in lines)
    assert {line["channel"]: (line["method"], line["limit"]) for line in lines} == {
        "telegram-main": ("sendPhoto", 1024),
        "facebook-main": ("photos", 63206),
    }
    for line in lines:
        assert line["plain"].startswith("Міст відкрили")
        assert line["length"] <= len(line["plain"]) + 8
        assert (line["credit"], line["credit_kind"]) == ("Скриншот з відео СБУ", "screenshot")
        assert (line["link"], line["teasers"], line["illustrative"]) == (FRESH, [], False)
    people = await vistnyk(outlet, "preview", str(story), "--channel", "telegram-main")
    assert "sendPhoto" in people.out
    assert "facebook" not in people.out
    assert not (outlet.place / "vistnyk.db").exists()
    assert outlet.telegram == outlet.facebook == []


async def test_preview_opens_an_address_too(outlet: Outlet) -> None:
    outlet.sandbox.site["/garden"] = SitePage(PAGE.encode())
    lines = await told(outlet, "preview", f"{outlet.sandbox.url}/site/garden", "--channel", "telegram-main")
    assert [line["plain"].splitlines()[0] for line in lines] == ["У громаді висадили сад"]
    assert "Перший врожай" in lines[0]["plain"] or "Сто двадцять яблунь" in lines[0]["plain"]
    for words in ((f"{outlet.sandbox.url}/site/nowhere",), ("nowhere.txt",)):
        said = await vistnyk(outlet, "preview", *words, "--json")
        assert (said.code, said.out, len(said.err.splitlines())) == (1, "", 1)
        assert words[0] in said.err


async def test_ingest_takes_every_form_and_no_bad_one_stops_the_good_ones(outlet: Outlet) -> None:
    place = outlet.place
    (place / "page.html").write_text(PAGE, "utf-8")
    (place / "printed.txt").write_text(f"URL: {OLD}\n\nРік минув\n\nПершим абзацом стоїть те, що сталося.\n", "utf-8")
    (place / "one.json").write_text(json.dumps({"url": FRESH, "title": "Міст відкрили"}), "utf-8")
    lines = [{"url": EMBARGO, "title": "Парк", "published_at": SOON.isoformat()}, {"url": EMBARGO + "/2"}]
    (place / "more.jsonl").write_text("\n".join([*(json.dumps(line) for line in lines), "{broken", ""]), "utf-8")
    (place / "broken.json").write_text('{"title": ', "utf-8")
    (place / "picture.png").write_bytes(b"\x89PNG")
    names = ("broken.json", "page.html", "nowhere.txt", "printed.txt", "picture.png", "more.jsonl", "one.json")
    said = await vistnyk(outlet, "ingest", *(str(place / name) for name in names))
    assert (said.code, said.err) == (1, "")
    words = [line.split(maxsplit=1) for line in said.out.splitlines()]
    assert [word for word, _ in words].count("rejected") == 5
    assert {rest.split()[0] for word, rest in words if word == "stored"} == {
        *(FRESH, EMBARGO, OLD),
        "https://news.example/garden",
    }
    for part in (
        "broken.json",
        "nowhere.txt: no such file",
        "picture.png",
        "more.jsonl:2: title",
        "more.jsonl:3: not JSON",
    ):
        assert part in said.out
    again = await vistnyk(outlet, "ingest", str(place / "one.json"))
    assert (again.code, again.out) == (0, f"unchanged  {FRESH} (revision 1)\n")
    (place / "one.json").write_text(json.dumps({"url": FRESH, "title": "Міст таки відкрили"}), "utf-8")
    changed = await vistnyk(outlet, "ingest", str(place / "one.json"))
    assert (changed.code, changed.out) == (0, f"updated    {FRESH} (revision 2)\n")
    assert len(await told(outlet, "queue")) == 2 * 4


async def test_ingest_reads_lines_from_standard_input(outlet: Outlet) -> None:
    good = json.dumps({"url": FRESH, "title": "Міст відкрили"}).encode()
    said = await vistnyk(outlet, "ingest", "-", stdin=b'\xef\xbb\xbf{"title": "\xff"}\n\n[]\n' + good + b"\n")
    assert said.code == 1
    rejected = [line for line in said.out.splitlines() if line.startswith("rejected")]
    assert [line.split()[1] for line in rejected] == ["stdin:1:", "stdin:3:"]
    assert f"stored     {FRESH} (revision 1)" in said.out
    flagged = await vistnyk(
        outlet, "ingest", "-", "--url", OLD, "--published-at", SOON.isoformat(), stdin=b'{"title": "A"}'
    )
    assert (flagged.code, flagged.out) == (0, f"stored     {OLD} (revision 1)\n")
    due = {line["article_url"]: line["due_at"] for line in await told(outlet, "queue")}
    assert moment(due[OLD]) == SOON


async def test_a_backup_is_whole_while_others_write_and_never_overwrites(busy: Outlet) -> None:
    copy = busy.place / "copy.db"
    database = Database(busy.variables["VISTNYK_DATABASE_URL"], SystemClock())
    async with database, database.write() as tx:
        await tx.exec_driver_sql("DELETE FROM ledger")
        said = await vistnyk(busy, "backup", str(copy))
        await tx.rollback()
    assert (said.code, said.err) == (0, "")
    assert str(copy) in said.out
    before = await told(busy, "ledger")
    size = copy.stat().st_size
    for target, why in ((copy, "never overwrites"), (busy.place / "no" / "copy.db", "cannot be written")):
        refused = await vistnyk(busy, "backup", str(target))
        assert (refused.code, refused.out, len(refused.err.splitlines())) == (1, "", 1)
        assert why in refused.err
    assert copy.stat().st_size == size
    with sqlite3.connect(copy) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    opened.close()
    busy.variables["VISTNYK_DATABASE_URL"] = f"sqlite+aiosqlite:///{copy}"
    assert await told(busy, "ledger") == before
    assert sorted(path.name for path in busy.place.glob("copy*.part")) == []


async def test_pruning_forgets_bodies_but_not_what_was_published(outlet: Outlet) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=100)
    article = an_article(url=OLD, body="Довге речення про те, що сталося. " * 5, published_at=long_ago)
    await outlet.migrate()
    async with open_service(outlet.configuration(), clock=FakeClock(long_ago), serve_web=False) as service:
        await service.reconciler.recover()
        await publish(service, article)
    before = await told(outlet, "ledger")
    assert [line["state"] for line in before] == ["published", "published"]
    kept = await vistnyk(outlet, "prune", "--older-than", "120d")
    assert kept.out.startswith("0 bodies")
    said = await vistnyk(outlet, "prune", "--older-than", "90d")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("1 bodies")
    assert await told(outlet, "ledger") == before
    with sqlite3.connect(outlet.place / "vistnyk.db") as opened:
        assert "Довге речення" not in str(opened.execute("SELECT content FROM articles").fetchall())
        assert "Довге речення" not in str(opened.execute("SELECT content FROM revisions").fetchall())
    opened.close()
    async with outlet.open() as service:
        await publish(service, article)
        await publish(service, replace(article, published_at=NOW))
    assert len(outlet.telegram) == len(outlet.facebook) == 1
    assert [line for line in await told(outlet, "ledger") if line["kind"] == "publish"] == before


async def test_the_schema_is_brought_up_by_db_upgrade_and_checked_by_db_check(outlet: Outlet) -> None:
    missing = await vistnyk(outlet, "db", "check")
    assert (missing.code, missing.out) == (1, "")
    assert "db upgrade" in missing.err
    assert not (outlet.place / "vistnyk.db").exists()
    for words in (("db", "upgrade"), ("db", "upgrade"), ("db", "check")):
        said = await vistnyk(outlet, *words)
        assert (said.code, said.err) == (0, ""), words
        assert "schema" in said.out


async def test_a_database_that_is_none_is_one_clear_line(outlet: Outlet) -> None:
    (outlet.place / "vistnyk.db").write_bytes(b"this is no database at all, but a text of some length" * 100)
    for words in (("queue", "--json"), ("ingest", "-"), ("db", "check"), ("backup", str(outlet.place / "copy"))):
        said = await vistnyk(outlet, *words)
        assert (said.code, said.out, len(said.err.splitlines())) == (1, "", 1), words
        assert "vistnyk.db" in said.err
        assert "Traceback" not in said.err


async def test_audit_is_empty_where_nobody_did_anything(busy: Outlet) -> None:
    said = await vistnyk(busy, "audit", "--json", "--since", NOW.isoformat())
    assert (said.code, said.out, said.err) == (0, "", "")


@pytest.mark.postgres
async def test_an_unmigrated_postgresql_is_refused_with_what_to_do(outlet: Outlet, postgres_url: str) -> None:
    outlet.variables["VISTNYK_DATABASE_URL"] = postgres_url
    for words in (("queue", "--json"), ("ledger",), ("ingest", "-"), ("prune", "--older-than", "1d"), ("db", "check")):
        said = await vistnyk(outlet, *words, stdin=b"")
        assert (said.code, said.out, len(said.err.splitlines())) == (1, "", 1), words
        assert "is not migrated" in said.err
        assert "vistnyk db upgrade" in said.err
    upgraded = await vistnyk(outlet, "db", "upgrade")
    assert upgraded.code == 0
    assert (await vistnyk(outlet, "db", "check")).code == 0
    async with open_service(outlet.configuration(), serve_web=False) as service:
        await service.reconciler.recover()
        await publish(service, an_article(url=FRESH, published_at=NOW))
    lines = await told(outlet, "ledger")
    assert [line["state"] for line in lines] == ["published", "published"]
    assert all(moment(line["published_at"]) for line in lines)
    assert len(await told(outlet, "why", FRESH)) == 5
    backup = await vistnyk(outlet, "backup", str(outlet.place / "copy"))
    assert (backup.code, "pg_dump" in backup.out) == (0, True)


@pytest.mark.postgres
async def test_a_postgresql_that_is_not_there_is_one_clear_line(outlet: Outlet, postgres_url: str) -> None:
    name = postgres_url.partition("/?")[0].rpartition("@/")[2].partition("?")[0]
    for url in (postgres_url.replace(name, "nowhere"), "postgresql+asyncpg://me:geheimnis@127.0.0.1:9/x"):
        outlet.variables["VISTNYK_DATABASE_URL"] = url
        said = await vistnyk(outlet, "queue", "--json")
        assert (said.code, said.out, len(said.err.splitlines())) == (1, "", 1)
        assert "geheimnis" not in said.err
