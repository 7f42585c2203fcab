"""What each fault between us and a platform means, and whether the post is public behind it: one row a fault."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest

from bot.channels.guard import leave_by
from bot.clock import SystemClock
from bot.domain.delivery import Kind, State, after_error
from bot.errors import BotError, LateError, UnansweredError, UnreachableError
from bot.sandbox import mishaps
from bot.sandbox.mishaps import Mishap
from tests.channels.platforms import DEEDS, TIMEOUT, Stage, deed
from tests.channels.rough_server import RoughServer, a_closed_port, a_full_port, babbling, trickling

every_kind = pytest.mark.parametrize("photo", [0, 1, 3], ids=DEEDS)
LEASE = timedelta(seconds=30)

# On the way: the mishap that the call meets, and whether its post is public all the same.
ON_THE_WAY = {
    "reset before the body is read": (mishaps.drop_before, False),
    "hang": (mishaps.hang, False),
    "HTML 502": (mishaps.html_502, False),
    "empty 404": (mishaps.empty_404, False),
    "500 of the platform": (mishaps.error_before_publishing, False),
    "slow at work": (mishaps.slow(TIMEOUT + 4), False),
    "reset after the body": (mishaps.reset_after_publishing, True),
    "silence": (mishaps.published_but_silent, True),
    "half an answer": (mishaps.half_an_answer, True),
    "HTML 502 after publishing": (mishaps.html_502_after_publishing, True),
    "empty 404 after publishing": (mishaps.empty_404_after_publishing, True),
    "500 of the platform after publishing": (mishaps.error_after_publishing, True),
    "slow answer": (mishaps.slow_answer(TIMEOUT + 4), True),
}


def becomes(error: BotError) -> State:
    """Return the state of a post whose publishing ended so."""
    return after_error(error, Kind.PUBLISH, 1, LEASE).state


@every_kind
@pytest.mark.parametrize(("mishap", "public"), ON_THE_WAY.values(), ids=ON_THE_WAY)
async def test_a_fault_on_the_way_leaves_open_what_happened_and_the_call_is_not_repeated(
    stage: Stage, photo: int, mishap: Mishap, public: bool
) -> None:
    parcel = await stage.parcel("Хтозна", photo=photo)
    before = stage.calls()
    stage.meets(deed(photo), mishap)
    with pytest.raises(UnansweredError) as unanswered:
        await stage.publisher.publish(parcel)
    assert becomes(unanswered.value) is State.UNKNOWN
    assert stage.ever_shown() == (1 if public else 0)
    assert stage.calls() <= before + 1


@every_kind
@pytest.mark.parametrize("port", [a_closed_port, a_full_port], ids=["refused", "connect time-out"])
async def test_without_a_connection_nothing_left_and_the_post_is_tried_again(
    stage: Stage, photo: int, port: Callable[[], AbstractContextManager[int]]
) -> None:
    parcel = await stage.parcel("Пізніше", photo=photo)
    with port() as number:
        async with stage.elsewhere(f"http://127.0.0.1:{number}") as publisher:
            with pytest.raises(UnreachableError) as unreachable:
                await publisher.publish(parcel)
    assert becomes(unreachable.value) is State.PLANNED
    assert stage.ever_shown() == 0
    await stage.publisher.publish(parcel)
    assert stage.ever_shown() == 1


@every_kind
async def test_what_the_guard_stops_never_left_and_costs_no_attempt(stage: Stage, photo: int) -> None:
    parcel = await stage.parcel("Запізно", photo=photo)
    before = stage.calls()
    with leave_by(SystemClock().running() - 0.001), pytest.raises(LateError) as late:
        await stage.publisher.publish(parcel)
    verdict = after_error(late.value, Kind.PUBLISH, 1, LEASE)
    assert (verdict.state, verdict.free) == (State.PLANNED, True)
    with leave_by(SystemClock().running() + 60):
        await stage.publisher.publish(parcel)
    assert stage.ever_shown() == 1
    assert stage.calls() == before + 1


@every_kind
@pytest.mark.parametrize("treat", [babbling, trickling(100, 0.1)], ids=["no HTTP", "an answer without an end"])
async def test_an_answer_that_is_none_leaves_open_what_happened(stage: Stage, photo: int, treat: object) -> None:
    parcel = await stage.parcel("Хтозна", photo=photo)
    async with RoughServer(treat) as server, stage.elsewhere(server.root) as publisher:  # type: ignore[arg-type]
        with pytest.raises(UnansweredError):
            await publisher.publish(parcel)
        assert len(server.requests) == 1


@every_kind
@pytest.mark.parametrize("mishap", [mishaps.slow(0.05), mishaps.slow_answer(0.05)], ids=lambda mishap: mishap.name)
async def test_a_slow_answer_within_the_time_out_is_an_answer(stage: Stage, photo: int, mishap: Mishap) -> None:
    stage.meets(deed(photo), mishap)
    assert (await stage.publish("Згодом", photo=photo)).remote_id
    assert stage.ever_shown() == 1
