"""Publishing on a Facebook Page in two steps: unseen first, then by its id, which can be asked about and repeated."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from unittest.mock import patch

import pytest

from bot.channels.facebook import FacebookPublisher
from bot.channels.transport import Transport
from bot.domain.ledger import Attempt, Presence
from bot.errors import (
    AccessLostError,
    NotPublishedError,
    PhotoRefusedError,
    RefusedError,
    ThrottledError,
    UnansweredError,
    UnreachableError,
)
from bot.sandbox import ReadBack, mishaps
from bot.sandbox.facebook_world import FacebookPost
from bot.sandbox.mishaps import Mishap
from tests.channels.platforms import DEEDS, LINK, PAGE, PAGE_TOKEN, TIMEOUT, FacebookStage, a_photo, photos

every_kind = pytest.mark.parametrize("photo", [0, 1, 3], ids=DEEDS)
LOST = [
    mishaps.drop_before,
    mishaps.hang,
    mishaps.error_before_publishing,
    mishaps.error_after_publishing,
    mishaps.reset_after_publishing,
    mishaps.half_an_answer,
]


@pytest.fixture
async def stage(facebook: FacebookStage) -> AsyncIterator[FacebookStage]:
    async with Transport(TIMEOUT) as transport:
        publisher = FacebookPublisher(
            transport, PAGE, PAGE_TOKEN, api_url=f"{facebook.sandbox.url}/graph", two_step=True
        )
        yield FacebookStage(facebook.sandbox, publisher, facebook.secrets)


def unseen(stage: FacebookStage) -> list[FacebookPost]:
    """Return the posts that are there and that readers do not see."""
    posts = stage.sandbox.facebook.pages[PAGE].posts.values()
    return [post for post in posts if post.public_at is None and post.deleted_at is None]


def attempt(stage: FacebookStage, handle: str | None) -> Attempt:
    return replace(stage.attempt(stage.post("Міст відкрили"), None), handle=handle)


@every_kind
async def test_nobody_sees_a_post_until_it_is_published_and_then_it_looks_as_ever(
    stage: FacebookStage, photo: int
) -> None:
    parcel = await stage.parcel("Міст відкрили", photo=photo)
    assert (stage.ever_shown(), len(unseen(stage))) == (0, 1)
    assert parcel.handle is not None
    before = stage.calls()
    entry = stage.entry(parcel.post, await stage.publisher.publish(parcel))
    assert stage.calls() == before + 1
    assert entry.remote_id == parcel.handle
    (post,) = stage.sandbox.facebook.posts(PAGE)
    assert post.message == f"Міст відкрили\n\n{LINK}"
    assert post.link == ("" if photo else LINK)
    assert stage.photos_of(entry) == [one.jpeg for one in photos(photo)]
    assert [one.alt for one in post.photos] == ["Міст над річкою", "", ""][:photo]
    await stage.publisher.edit(entry, replace(parcel, post=stage.post("Стало")))
    assert stage.shown()[0].startswith("Стало")
    await stage.publisher.withdraw(entry)
    assert stage.shown() == []


@pytest.mark.parametrize("mishap", LOST, ids=lambda mishap: mishap.name)
async def test_a_lost_answer_is_asked_for_again_and_makes_no_second_post(stage: FacebookStage, mishap: Mishap) -> None:
    parcel = await stage.parcel("Міст відкрили")
    stage.sandbox.facebook.next("post", mishap)
    assert (await stage.publisher.publish(parcel)).remote_id == parcel.handle
    assert (stage.ever_shown(), unseen(stage)) == (1, [])


@pytest.mark.parametrize("second", [mishaps.hang, mishaps.throttle(60), mishaps.refuse(190, "expired")])
@pytest.mark.parametrize("first", [mishaps.error_before_publishing, mishaps.error_after_publishing])
async def test_where_nothing_is_answered_twice_the_posts_id_tells_later(
    stage: FacebookStage, first: Mishap, second: Mishap
) -> None:
    stage.sandbox.facebook.read_back = ReadBack(broken=True)  # the list is not needed
    parcel = await stage.parcel("Міст відкрили")
    for mishap in (first, second):
        stage.sandbox.facebook.next("post", mishap)
    with pytest.raises(UnansweredError):
        await stage.publisher.publish(parcel)
    stage.sandbox.facebook.meter.clear()
    if second.retry_after:  # told to wait, nothing is even read
        assert (await stage.publisher.read_back(attempt(stage, parcel.handle))).presence is Presence.NO_EVIDENCE
        return
    evidence = await stage.publisher.read_back(attempt(stage, parcel.handle))
    assert evidence.presence is (Presence.PRESENT if first.after else Presence.ABSENT)
    if first.after:
        assert evidence.receipt is not None
        assert (evidence.receipt.remote_id, stage.ever_shown()) == (parcel.handle, 1)
        assert evidence.receipt.permalink is not None
    else:
        assert evidence.shown == (parcel.handle,)


async def test_a_post_that_is_gone_is_absent_and_one_that_cannot_be_asked_about_is_no_evidence(
    stage: FacebookStage,
) -> None:
    parcel = await stage.parcel("Міст відкрили")
    for mishap in (mishaps.hang, mishaps.html_502, mishaps.refuse(190, "expired")):
        stage.sandbox.facebook.next("object", mishap)
        evidence = await stage.publisher.read_back(attempt(stage, parcel.handle))
        assert (evidence.presence, evidence.for_good) == (Presence.NO_EVIDENCE, False)
    assert parcel.handle is not None
    stage.sandbox.facebook.remove(stage.sandbox.facebook.must(parcel.handle))
    assert (await stage.publisher.read_back(attempt(stage, parcel.handle))).presence is Presence.ABSENT


@pytest.mark.parametrize(
    ("mishap", "error"),
    [
        (mishaps.throttle(60), ThrottledError),
        (mishaps.refuse(190, "Error validating access token"), AccessLostError),
        (mishaps.refuse(100, "Invalid parameter"), RefusedError),
    ],
)
async def test_a_definite_refusal_stays_one_and_the_unseen_post_is_deleted_with_the_next(
    stage: FacebookStage, mishap: Mishap, error: type[NotPublishedError]
) -> None:
    parcel = await stage.parcel("Міст відкрили")
    stage.sandbox.facebook.next("post", mishap)
    with pytest.raises(error):
        await stage.publisher.publish(parcel)
    assert stage.ever_shown() == 0
    stage.sandbox.facebook.meter.clear()
    again = await stage.parcel("Міст відкрили")
    assert [post.id for post in unseen(stage)] == [again.handle]


async def test_an_unseen_post_that_somebody_deleted_is_made_anew(stage: FacebookStage) -> None:
    parcel = await stage.parcel("Міст відкрили")
    assert parcel.handle is not None
    stage.sandbox.facebook.remove(stage.sandbox.facebook.must(parcel.handle))
    with pytest.raises(NotPublishedError) as gone:
        await stage.publisher.publish(parcel)
    assert not isinstance(gone.value, RefusedError)
    await stage.publish("Міст відкрили")
    assert stage.ever_shown() == 1


async def test_a_post_whose_fate_is_not_known_is_never_deleted(stage: FacebookStage) -> None:
    parcel = await stage.parcel("Міст відкрили")
    for mishap in (mishaps.error_after_publishing, mishaps.hang):
        stage.sandbox.facebook.next("post", mishap)
    with pytest.raises(UnansweredError):
        await stage.publisher.publish(parcel)
    await stage.parcel("Інше")
    assert len(stage.shown()) == 1


@pytest.mark.parametrize("edge", ["feed", "photos"])
@pytest.mark.parametrize("mishap", [mishaps.hang, mishaps.error_after_publishing], ids=lambda mishap: mishap.name)
async def test_an_unseen_post_without_an_answer_is_simply_tried_again(
    stage: FacebookStage, edge: str, mishap: Mishap
) -> None:
    stage.sandbox.facebook.next(edge, mishap)
    with pytest.raises(UnreachableError):
        await stage.parcel("Міст відкрили", photo=1)
    assert stage.ever_shown() == 0
    await stage.publish("Міст відкрили", photo=1)
    assert stage.ever_shown() == 1


async def test_a_photo_that_facebook_does_not_take_is_known_before_the_post_is_due(stage: FacebookStage) -> None:
    broken = replace(a_photo(), jpeg=a_photo().jpeg[:200])
    with pytest.raises(PhotoRefusedError):
        await stage.publisher.prepare(stage.post("Зіпсоване", photo=1), broken)


async def prove(stage: FacebookStage) -> tuple[bool, str]:
    assert isinstance(stage.publisher, FacebookPublisher)
    finding = await stage.publisher.prove_two_step(patience=0.5)
    return finding.ok, finding.detail


async def test_a_page_is_proved_by_a_post_that_does_not_stay(facebook: FacebookStage) -> None:
    assert (await prove(facebook))[0]
    assert (facebook.ever_shown(), facebook.shown(), unseen(facebook)) == (1, [], [])


@pytest.mark.parametrize("fault", ["lag", "no rights", "public at once", "twice", "stays"])
async def test_a_page_where_it_does_not_work_is_told_with_the_reason(facebook: FacebookStage, fault: str) -> None:
    world = facebook.sandbox.facebook
    match fault:
        case "lag":
            world.lag, words = 60, "lists the published post 0 times"
        case "no rights":
            facebook.lose_rights()
            words = "cannot be done on this page"
        case "public at once":
            real = world.publish
            words = "should not be published"
            with patch.object(world, "publish", lambda *given, **named: real(*given, **{**named, "public": True})):
                assert not (await prove(facebook))[0]
            assert facebook.shown() == []
            return
        case "twice":
            world.publish(world.pages[PAGE], "11", "Перевірка зв’язку: цей допис зникне за мить.")
            words = "2 times"
        case "stays":
            world.next("delete", mishaps.error_before_publishing)
            words = "by hand"
    well, detail = await prove(facebook)
    assert not well
    assert words in detail
    assert len(facebook.shown()) == (1 if fault in ("twice", "stays") else 0)
