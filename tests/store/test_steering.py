"""What editors do to the queue, on both databases: each step, each refusal, and two who press at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from bot.agenda import refusals, steering
from bot.domain.channel import ChannelId
from bot.domain.delivery import Delivery, DeliveryId, HeldReason, Kind, State, Turn
from bot.domain.ledger import Attempt, Receipt, is_unknown
from bot.domain.plan import FOREVER
from bot.domain.post import Method
from bot.errors import DeskError
from bot.store import articles, channels, deliveries, house, ledger
from bot.store.database import Database
from bot.store.decisions import acts, why
from bot.store.deliveries import NewDelivery
from bot.store.tables import deliveries as rows
from tests.factories import NOON, a_channel, an_article

OLENA, PETRO = "Олена (1001)", "Петро (1002)"
HOUR = timedelta(hours=1)
SERVED = {ChannelId(1): a_channel()}


async def queued(database: Database, channel_id: ChannelId, **more: Any) -> DeliveryId:
    async with database.write() as tx:
        stored = (await articles.store(tx, an_article(), source="site", authority=["site"], now=NOON)).stored
        values: dict[str, Any] = {
            "kind": Kind.PUBLISH,
            "channel_id": channel_id,
            "article_id": stored.id,
            "revision": 1,
            "state": State.PLANNED,
            "turn": Turn.ORDINARY,
            "turn_at": NOON,
        }
        made = await deliveries.queue(tx, NewDelivery(**(values | more)), NOON)
    assert made is not None
    return made


async def unproven(database: Database, channel_id: ChannelId) -> DeliveryId:
    """Queue a post whose call left without an answer, and for which there is no evidence."""
    delivery_id = await queued(database, channel_id, state=State.HELD, held_reason=HeldReason.NO_EVIDENCE)
    async with database.write() as tx:
        attempt = Attempt(
            delivery_id=delivery_id,
            method=Method.SEND_PHOTO,
            text="<b>Міст відкрили</b>",
            plain="Міст відкрили",
            link=None,
            watermark=None,
            started_at=NOON - HOUR,
        )
        await ledger.begin_attempt(tx, attempt, fence=1, payload_hash="x")
    return delivery_id


async def act(database: Database, channel_id: ChannelId, step: Callable[..., Awaitable[Any]], *given, **more) -> Any:
    """Take a step as an editor does: in a transaction of its own, the channel's row locked."""
    async with channels.turn(database, [channel_id]) as (tx, _):
        return await step(tx, *given, **({"who": OLENA, "now": NOON} | more))


async def delivery(database: Database, delivery_id: DeliveryId) -> Delivery:
    async with database.read() as tx:
        return await deliveries.get(tx, delivery_id)


async def test_a_step_moves_the_delivery_wakes_the_channel_and_is_written_down(database, channel_id):
    delivery_id = await queued(database, channel_id)
    async with database.write() as tx:
        await channels.change(tx, channel_id, wake_at=None)
    after = await act(database, channel_id, steering.pin, delivery_id, NOON + HOUR)
    assert after == await delivery(database, delivery_id)
    assert (after.state, after.pinned_at) == (State.PLANNED, NOON + HOUR)
    async with database.read() as tx:
        (row,) = await acts(tx)
        channel = await channels.get(tx, channel_id)
        told = await why(tx, after.article_id)
    assert channel is not None
    assert channel.wake_at == NOON
    assert (row["who"], row["action"], row["subject"]) == (OLENA, "pin", f"delivery {delivery_id}")
    assert (row["before"]["pinned_at"], row["after"]["pinned_at"]) == (None, (NOON + HOUR).isoformat())
    assert told[-1]["decision"] == "pin"
    assert OLENA in told[-1]["detail"]


async def test_each_step_leads_where_it_should(database, channel_id):
    one = await queued(database, channel_id)
    assert (await act(database, channel_id, steering.pin, one, None)).pinned_at == NOON
    assert (await act(database, channel_id, steering.unpin, one)).pinned_at is None
    held = await act(database, channel_id, steering.hold, one)
    assert (held.state, held.held_reason) == (State.HELD, HeldReason.EDITOR)
    assert (await act(database, channel_id, steering.release, one)).state is State.PLANNED
    assert (await act(database, channel_id, steering.reword, one, "Свої слова")).words == "Свої слова"
    assert (await act(database, channel_id, steering.cancel, one)).state is State.CANCELLED

    two = await queued(database, channel_id, state=State.PROPOSED)
    agreed = await act(database, channel_id, steering.agree, two, NOON + HOUR)
    assert (agreed.state, agreed.pinned_at) == (State.PLANNED, NOON + HOUR)
    three = await queued(database, channel_id, state=State.PROPOSED)
    assert (await act(database, channel_id, steering.decline, three)).state is State.CANCELLED
    four = await queued(database, channel_id, state=State.PROPOSED)
    assert (await act(database, channel_id, steering.pin, four, None)).state is State.PLANNED, "a pin is consent"
    aged = await queued(database, channel_id, state=State.HELD, held_reason=HeldReason.STALE_WORDS)
    assert (await act(database, channel_id, steering.release, aged)).pinned_at == NOON, "or it would be held again"


async def test_what_is_not_possible_is_said_and_changes_nothing(database, channel_id):
    planned = await queued(database, channel_id)
    embargoed = await queued(database, channel_id, turn_at=NOON + HOUR)
    published = await queued(database, channel_id, state=State.PUBLISHED)
    no_access = await queued(database, channel_id, state=State.HELD, held_reason=HeldReason.ACCESS)
    open_question = await unproven(database, channel_id)
    withdrawal = await queued(database, channel_id, kind=Kind.WITHDRAW, turn=Turn.WITHDRAWAL)
    cases: list[tuple[Callable[..., Awaitable[Any]], tuple[Any, ...], str]] = [
        (steering.pin, (999_999, None), "Публікації №999999 немає."),
        (steering.pin, (planned, NOON - HOUR), refusals.PAST),
        (steering.pin, (planned, NOON + timedelta(days=400)), refusals.TOO_FAR),
        (steering.pin, (embargoed, NOON + HOUR / 2), refusals.EMBARGO),
        (steering.pin, (published, None), f"Уже не вийде: №{published} — опубліковано."),
        (steering.pin, (no_access, None), refusals.NO_ACCESS),
        (steering.pin, (open_question, None), refusals.NO_EVIDENCE),
        (steering.pin, (withdrawal, None), refusals.ONLY_POSTS),
        (steering.unpin, (planned,), refusals.NOT_PINNED),
        (steering.release, (planned,), f"Уже не вийде: №{planned} — чекає своєї черги."),
        (steering.release, (open_question,), refusals.NO_EVIDENCE),
        (steering.agree, (planned,), f"Уже не вийде: №{planned} — чекає своєї черги."),
        (steering.reword, (planned, " \n"), refusals.NO_TEXT),
        (steering.reword, (planned, "х" * 5000), refusals.LONG_TEXT.format(most=4096)),
        (steering.settle_held_again, (no_access,), refusals.KNOWN),
        (steering.pause_channel, (channel_id, NOON), refusals.PAST),
        (steering.resume_channel, (channel_id,), refusals.NOT_PAUSED),
        (steering.resume_channel, (ChannelId(99),), refusals.NO_CHANNEL),
        (steering.resume_all, (), refusals.NOT_STOPPED),
    ]
    async with database.read() as tx:
        before = await deliveries.find(tx, rows.c.id > 0)
    for step, given, words in cases:
        with pytest.raises(DeskError) as refused:
            await act(database, channel_id, step, *given)
        assert str(refused.value) == words, step
    async with database.read() as tx:
        assert await deliveries.find(tx, rows.c.id > 0) == before
        assert await acts(tx) == []


async def test_of_two_editors_at_once_one_decides_and_the_other_reads_who_did(database, channel_id):
    delivery_id = await queued(database, channel_id, state=State.PROPOSED)
    both = await asyncio.gather(
        act(database, channel_id, steering.agree, delivery_id, who=OLENA),
        act(database, channel_id, steering.decline, delivery_id, who=PETRO),
        return_exceptions=True,
    )
    lost = [one for one in both if isinstance(one, DeskError)]
    assert len(lost) == 1, both
    won = (await delivery(database, delivery_id)).state
    winner = "Олена: погоджено" if won is State.PLANNED else "Петро: відхилено"
    assert str(lost[0]).endswith(f"Останнє рішення — {winner}.")
    async with database.read() as tx:
        assert len(await acts(tx)) == 1


async def test_a_post_seen_by_an_editor_enters_the_ledger(database, channel_id):
    known, unknown = await unproven(database, channel_id), await unproven(database, channel_id)
    receipt = Receipt(remote_id="7", permalink="https://t.me/main_example/7")
    after = await act(database, channel_id, steering.settle_held_present, known, receipt, served=SERVED)
    assert after.state is State.PUBLISHED
    await act(database, channel_id, steering.settle_held_present, unknown, None, served=SERVED)
    async with database.read() as tx:
        entry, guessed = await ledger.entry(tx, known), await ledger.entry(tx, unknown)
        channel = await channels.get(tx, channel_id)
    assert entry is not None
    assert guessed is not None
    assert (entry.remote_id, entry.method, entry.text) == ("7", Method.SEND_PHOTO, "<b>Міст відкрили</b>")
    assert entry.published_at == NOON - HOUR
    assert is_unknown(guessed.remote_id)
    assert channel is not None
    assert channel.last_at == NOON - HOUR
    third = await unproven(database, channel_id)
    with pytest.raises(DeskError, match="вже записано за іншою публікацією"):
        await act(database, channel_id, steering.settle_held_present, third, receipt, served=SERVED)
    again = await act(database, channel_id, steering.settle_held_again, third)
    assert (again.state, again.pinned_at) == (State.PLANNED, NOON)


async def test_a_post_seen_by_an_editor_follows_an_article_that_was_retracted_meanwhile(database, channel_id):
    delivery_id = await unproven(database, channel_id)
    article_id = (await delivery(database, delivery_id)).article_id
    assert article_id is not None
    async with database.write() as tx:
        await articles.retract(tx, article_id, "помилка", NOON)
    served = {channel_id: a_channel()}
    await act(database, channel_id, steering.settle_held_present, delivery_id, None, served=served)
    async with database.read() as tx:
        (follows,) = await deliveries.find(tx, rows.c.target_id == delivery_id)
    assert (follows.kind, follows.state) == (Kind.WITHDRAW, State.PLANNED)


async def test_a_declined_correction_is_not_proposed_again(database, channel_id):
    public = await unproven(database, channel_id)
    await act(database, channel_id, steering.settle_held_present, public, Receipt(remote_id="7"), served=SERVED)
    article_id = (await delivery(database, public)).article_id
    assert article_id is not None
    async with database.write() as tx:
        stored = await articles.get(tx, article_id)
        changed = replace(stored.article, title="Інший заголовок")
        await articles.store(tx, changed, source="site", authority=["site"], now=NOON)
    edit = await queued(
        database, channel_id, kind=Kind.EDIT, article_id=article_id, target_id=public, state=State.PROPOSED, revision=2
    )
    await act(database, channel_id, steering.decline, edit)
    async with database.read() as tx:
        entry = await ledger.entry(tx, public)
    assert entry is not None
    assert entry.revision == 2


async def test_pauses_and_the_stop_of_everything(database, channel_id):
    await act(database, channel_id, steering.pause_channel, channel_id, None)
    async with database.read() as tx:
        row = await channels.get(tx, channel_id)
    assert row is not None
    assert row.paused_until == FOREVER
    await act(database, channel_id, steering.resume_channel, channel_id, who=PETRO)
    with pytest.raises(DeskError, match=r"не на паузі\. Останнє рішення — Петро: знято з паузи\."):
        await act(database, channel_id, steering.resume_channel, channel_id)
    await act(database, channel_id, steering.stop_all)
    with pytest.raises(DeskError, match=r"Усе вже зупинено\. Останнє рішення — Олена: зупинено все\."):
        await act(database, channel_id, steering.stop_all, who=PETRO)
    async with database.read() as tx:
        assert await house.fact(tx, steering.STOP) == FOREVER
    await act(database, channel_id, steering.resume_all)
    async with database.read() as tx:
        assert await house.fact(tx, steering.STOP) is None
        done = [(row["action"], row["subject"]) for row in await acts(tx)]
    assert done == [
        ("pause", "channel main"),
        ("resume", "channel main"),
        ("stop all", "everything"),
        ("resume all", "everything"),
    ]


async def test_an_editor_who_comes_after_the_worker_is_told_so(database, channel_id):
    """Without the look at the state the claimed post would be changed under the worker's hands."""
    delivery_id = await queued(database, channel_id)
    async with database.write() as tx:
        assert await deliveries.claim(tx, delivery_id, NOON + HOUR) is not None
    for step in (steering.hold, steering.cancel):
        with pytest.raises(DeskError, match="готується до виходу"):
            await act(database, channel_id, step, delivery_id)
    with pytest.raises(DeskError, match="готується до виходу"):
        await act(database, channel_id, steering.pin, delivery_id, NOON + HOUR)
    async with database.read() as tx:
        assert (await tx.execute(text("SELECT count(*) FROM audit"))).scalar_one() == 0


async def test_what_was_let_go_can_be_stopped_until_the_worker_has_it(database, channel_id):
    undo = timedelta(seconds=10)
    proposed = await queued(database, channel_id, state=State.PROPOSED)
    after = await act(database, channel_id, steering.publish, proposed, undo)
    assert (after.state, after.pinned_at) == (State.PLANNED, NOON + undo)
    stopped = await act(database, channel_id, steering.stop, proposed, who=PETRO)
    assert (stopped.state, stopped.held_reason, stopped.pinned_at) == (State.HELD, HeldReason.EDITOR, None)
    again = await act(database, channel_id, steering.publish, proposed)
    assert (again.state, again.pinned_at) == (State.PLANNED, NOON)
    async with database.write() as tx:
        assert await deliveries.claim(tx, proposed, NOON + HOUR) is not None
    with pytest.raises(DeskError, match=r"готується до виходу\. Останнє рішення — Олена: відправлено в публікацію\."):
        await act(database, channel_id, steering.stop, proposed, who=PETRO)
    async with database.read() as tx:
        assert [(row["who"], row["action"]) for row in await acts(tx)] == [
            (OLENA, "publish"),
            (PETRO, "stop"),
            (OLENA, "publish"),
        ]


async def test_what_is_stopped_has_the_time_again_that_it_had_before(database, channel_id):
    planned = await queued(database, channel_id, pinned_at=NOON + HOUR)
    await act(database, channel_id, steering.publish, planned, timedelta(seconds=10))
    stopped = await act(database, channel_id, steering.stop, planned)
    assert (stopped.state, stopped.pinned_at) == (State.HELD, NOON + HOUR)
    plain = await queued(database, channel_id)
    held = await act(database, channel_id, steering.stop, plain)  # let go by nobody: an ordinary hold
    assert (held.state, held.held_reason, held.pinned_at) == (State.HELD, HeldReason.EDITOR, None)


async def test_a_change_that_is_let_go_waits_in_its_turn_as_long(database, channel_id):
    public = await queued(database, channel_id, state=State.PUBLISHED)
    edit = await queued(
        database, channel_id, kind=Kind.EDIT, turn=Turn.EDIT, target_id=public, state=State.PROPOSED, article_id=1
    )
    after = await act(database, channel_id, steering.publish, edit, timedelta(seconds=10))
    assert (after.state, after.pinned_at, after.turn_at) == (State.PLANNED, None, NOON + timedelta(seconds=10))


async def test_nothing_is_let_go_before_its_embargo_or_without_knowing_whether_it_is_public(database, channel_id):
    embargoed = await queued(database, channel_id, state=State.PROPOSED, turn_at=NOON + HOUR)
    open_question = await unproven(database, channel_id)
    for one, words in ((embargoed, refusals.EMBARGO), (open_question, refusals.NO_EVIDENCE)):
        with pytest.raises(DeskError) as refused:
            await act(database, channel_id, steering.publish, one, timedelta(seconds=10))
        assert str(refused.value) == words
