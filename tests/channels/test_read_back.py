"""Looking for a post whose answer was lost, on both platforms: what proves it there, what proves it absent, and what
proves nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.ledger import Attempt, Evidence, LedgerEntry, Presence
from bot.domain.looks import Looks, after_look
from bot.errors import UnansweredError
from bot.sandbox import ReadBack, mishaps
from tests.channels.platforms import Stage

NOW = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)


def link(number: int) -> str:
    return f"https://news.example/{number}"


async def fill(stage: Stage, count: int) -> list[LedgerEntry]:
    """Publish so many other posts; return them newest first."""
    return [await stage.publish(f"Інше {number}", link=link(number)) for number in range(count)][::-1]


async def lose(stage: Stage, known: Sequence[LedgerEntry]) -> Attempt:
    """Publish a post whose answer is lost."""
    post = stage.post("Міст відкрили")
    attempt = stage.attempt(post, known[0].last_id, *known[:5])
    stage.meets("text", mishaps.error_after_publishing)
    with pytest.raises(UnansweredError):
        await stage.publisher.publish(await stage.pack(post, 0))
    return attempt


def fail(stage: Stage, known: Sequence[LedgerEntry]) -> Attempt:
    """Return an attempt that never arrived."""
    return stage.attempt(stage.post("Міст відкрили"), known[0].last_id, *known[:5])


def freeze(stage: Stage, look: ReadBack) -> None:
    stage.sandbox.telegram.read_back = stage.sandbox.facebook.read_back = look


def together(looks: Sequence[Evidence]) -> Looks:
    """Return what some looks in a row amount to."""
    seen = Looks()
    for number, evidence in enumerate(looks):
        if evidence.presence is not Presence.ABSENT:
            seen = Looks()
            continue
        at = NOW + number * timedelta(minutes=1)
        seen = after_look(seen, evidence.shown, at, settled_at=NOW, apart=timedelta(seconds=30))
    return seen


async def test_any_of_the_known_posts_proves_what_the_page_is_worth(stage: Stage) -> None:
    known = await fill(stage, 7)
    attempt = fail(stage, known)
    for gone in range(5):
        evidence = await stage.publisher.read_back(attempt)
        assert evidence.presence is Presence.ABSENT
        await stage.publisher.withdraw(known[gone])
    assert (await stage.publisher.read_back(attempt)).presence is Presence.NO_EVIDENCE  # the sixth is not among them


async def test_posts_that_a_survey_showed_will_do_without_a_watermark(stage: Stage) -> None:
    known = await fill(stage, 3)
    shown = (await stage.publisher.survey((), 10)).posts
    assert [post.remote_id for post in shown[::-1]] == [entry.remote_id for entry in known]
    attempt = stage.attempt(stage.post("Міст відкрили"), None, *known)
    assert (await stage.publisher.read_back(attempt)).presence is Presence.ABSENT
    await stage.publish("Міст відкрили")
    assert (await stage.publisher.read_back(attempt)).presence is Presence.PRESENT


@pytest.mark.parametrize("newer", [0, 18, 19, 45, 130])
async def test_a_post_is_found_however_many_stand_above_it(stage: Stage, newer: int) -> None:
    attempt = await lose(stage, await fill(stage, 3))
    await fill(stage, newer)
    evidence = await stage.publisher.read_back(attempt)
    assert evidence.presence is Presence.PRESENT
    assert evidence.receipt is not None
    assert evidence.receipt.permalink is not None


@pytest.mark.parametrize("hours", [-5, 5])
async def test_a_clock_that_is_hours_wrong_misleads_nobody(stage: Stage, hours: int) -> None:
    off = timedelta(hours=hours)
    known = [replace(entry, published_at=entry.published_at + off) for entry in await fill(stage, 3)]
    await fill(stage, 2)  # by somebody else, before ours
    lost = await lose(stage, known)
    lost = replace(lost, started_at=lost.started_at + off)
    post = stage.post("Інший міст", link="https://news.example/inshyi")
    never = stage.attempt(post, known[0].last_id, *known, started_at=datetime.now(UTC) + off)
    await fill(stage, 30)
    assert (await stage.publisher.read_back(lost)).presence is Presence.PRESENT
    assert (await stage.publisher.read_back(never)).presence is Presence.ABSENT


async def test_looks_agree_although_newer_posts_push_older_ones_off_the_page(stage: Stage) -> None:
    known = await fill(stage, 25)
    attempt = fail(stage, known)
    looks = []
    for _ in range(4):
        looks.append(await stage.publisher.read_back(attempt))
        await fill(stage, 15)
    assert [evidence.presence for evidence in looks] == [Presence.ABSENT] * 4
    assert len({evidence.shown for evidence in looks}) == 1
    ids = {entry.remote_id for entry in known}
    assert len(looks[0].shown) >= 5
    assert set(looks[0].shown) <= ids
    assert together(looks).enough


@pytest.mark.parametrize("before", [2, 12])
@pytest.mark.parametrize("omit", [0.1, 0.4])
async def test_pages_that_leave_posts_out_never_prove_absent_what_is_there(
    stage: Stage, before: int, omit: float
) -> None:
    attempt = await lose(stage, await fill(stage, before))
    freeze(stage, ReadBack(omit=omit, seed=11))
    looks = [await stage.publisher.read_back(attempt) for _ in range(40)]
    assert not any(together(looks[: end + 1]).enough for end in range(len(looks)))
    assert Presence.PRESENT in {evidence.presence for evidence in looks}


async def test_a_frozen_page_that_knows_none_of_the_posts_before_proves_nothing_until_it_thaws(stage: Stage) -> None:
    await fill(stage, 2)
    now = datetime.now(UTC)
    stage.sandbox.telegram.clock = stage.sandbox.facebook.clock = lambda: now.timestamp() + 10
    freeze(stage, ReadBack(stale_after=now.timestamp(), stale_until=now.timestamp() + 60))
    attempt = await lose(stage, await fill(stage, 5))
    assert (await stage.publisher.read_back(attempt)).presence is Presence.NO_EVIDENCE
    stage.sandbox.telegram.clock = stage.sandbox.facebook.clock = lambda: now.timestamp() + 61
    assert (await stage.publisher.read_back(attempt)).presence is Presence.PRESENT


async def test_an_empty_page_proves_nothing(stage: Stage) -> None:
    known = await fill(stage, 1)
    attempt = fail(stage, known)
    await stage.publisher.withdraw(known[0])
    assert (await stage.publisher.read_back(attempt)).presence is Presence.NO_EVIDENCE
    survey = await stage.publisher.survey([known[0].remote_id], 10)
    assert not survey.readable
    assert not survey.for_good
    assert (await stage.publisher.survey((), 10)).readable


async def test_a_survey_reads_back_to_a_known_post_and_says_whether_it_came_there(stage: Stage) -> None:
    known = await fill(stage, 130)
    reached = await stage.publisher.survey([known[110].remote_id], 500)
    assert reached.complete
    assert {entry.remote_id for entry in known[:111]} <= {post.remote_id for post in reached.posts}
    short = await stage.publisher.survey([known[110].remote_id], 50)
    assert not short.complete
    assert [post.remote_id for post in short.posts] == [entry.remote_id for entry in known[:50][::-1]]
    whole = await stage.publisher.survey((), 500)
    assert whole.complete
    assert len(whole.posts) == 130
