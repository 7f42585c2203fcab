"""What every channel's adapter must do, on both platforms, against the sandbox."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.delivery import DeliveryId
from bot.domain.ledger import Presence, unknown_id
from bot.domain.post import Method
from bot.errors import (
    AccessLostError,
    GoneError,
    NotPublishedError,
    PhotoRefusedError,
    RefusedError,
    ThrottledError,
    UnansweredError,
    UnreachableError,
)
from bot.sandbox import ReadBack, mishaps
from bot.sandbox.mishaps import Mishap
from tests.channels.platforms import DEEDS, Stage, a_photo, deed, other_id, photos, renamed

BEFORE = [
    mishaps.drop_before,
    mishaps.hang,
    mishaps.html_502,
    mishaps.empty_404,
    mishaps.error_before_publishing,
]
AFTER = [
    mishaps.published_but_silent,
    mishaps.reset_after_publishing,
    mishaps.error_after_publishing,
    mishaps.html_502_after_publishing,
    mishaps.empty_404_after_publishing,
    mishaps.half_an_answer,
    mishaps.slow_answer(5),
]
every_kind = pytest.mark.parametrize("photo", [0, 1, 3], ids=DEEDS)


@every_kind
async def test_a_post_becomes_public_once_and_its_receipt_names_it(stage: Stage, photo: int) -> None:
    entry = await stage.publish("Міст відкрили: «рух» & затори <0>", photo=photo)
    (shown,) = stage.shown()
    assert shown.startswith("Міст відкрили: «рух» & затори <0>")
    assert entry.permalink is not None
    assert entry.permalink.endswith(entry.remote_id)
    assert stage.ever_shown() == 1


@every_kind
async def test_an_edit_rewrites_the_words(stage: Stage, photo: int) -> None:
    entry = await stage.publish("Було", photo=photo)
    await stage.publisher.edit(entry, await stage.parcel("Стало", photo=photo))
    (shown,) = stage.shown()
    assert shown.startswith("Стало")


@every_kind
async def test_a_withdrawal_takes_the_post_down(stage: Stage, photo: int) -> None:
    entry = await stage.publish("Зникне", photo=photo)
    await stage.publish("Лишиться")
    await stage.publisher.withdraw(entry)
    assert [words.split("\n")[0] for words in stage.shown()] == ["Лишиться"]


async def test_what_is_not_there_is_gone_for_edits_and_withdrawals(stage: Stage) -> None:
    entry = await stage.publish("Є")
    nowhere = renamed(entry, other_id(entry.remote_id))
    with pytest.raises(GoneError):
        await stage.publisher.edit(nowhere, await stage.parcel("Немає"))
    with pytest.raises(GoneError):
        await stage.publisher.withdraw(nowhere)
    await stage.publisher.withdraw(entry)
    with pytest.raises(GoneError):
        await stage.publisher.withdraw(entry)


async def test_a_post_whose_id_was_never_learnt_is_gone_without_a_call(stage: Stage) -> None:
    entry = renamed(await stage.publish("Є"), unknown_id(DeliveryId(17)))
    parcel = await stage.parcel("Немає")
    calls = stage.calls()
    with pytest.raises(GoneError):
        await stage.publisher.edit(entry, parcel)
    with pytest.raises(GoneError):
        await stage.publisher.withdraw(entry)
    assert stage.calls() == calls


@pytest.mark.parametrize("mishap", BEFORE + AFTER, ids=lambda mishap: mishap.name)
async def test_an_edit_and_a_withdrawal_without_an_answer_are_unanswered_too(stage: Stage, mishap: Mishap) -> None:
    entry = await stage.publish("Було")
    before = stage.calls()
    stage.meets("edit text", mishap)
    with pytest.raises(UnansweredError):
        await stage.publisher.edit(entry, await stage.parcel("Стало"))
    assert stage.shown()[0].startswith("Стало" if mishap in AFTER else "Було")
    stage.meets("withdraw", mishap)
    with pytest.raises(UnansweredError):
        await stage.publisher.withdraw(entry)
    assert len(stage.shown()) == (0 if mishap in AFTER else 1)
    assert stage.calls() == before + 2


async def test_a_platform_that_is_down_is_unreachable_and_nothing_was_published(stage: Stage) -> None:
    parcel = await stage.parcel("Пізніше")
    await stage.sandbox.__aexit__(None, None, None)
    with pytest.raises(UnreachableError):
        await stage.publisher.publish(parcel)
    await stage.sandbox.__aenter__()
    assert stage.ever_shown() == 0
    await stage.publisher.publish(parcel)
    assert stage.ever_shown() == 1


async def test_a_throttle_says_how_long_to_wait_and_publishes_nothing(stage: Stage) -> None:
    stage.meets("text", mishaps.throttle(120))
    with pytest.raises(ThrottledError) as throttled:
        await stage.publish("Зачекає")
    assert throttled.value.retry_after == timedelta(seconds=120)
    assert stage.ever_shown() == 0


@every_kind
async def test_a_post_the_platform_does_not_take_is_refused(stage: Stage, photo: int) -> None:
    with pytest.raises(RefusedError) as refused:
        await stage.publish("д" * 64_000, photo=photo)
    assert not isinstance(refused.value, PhotoRefusedError)
    assert stage.ever_shown() == 0


async def test_a_post_of_the_other_platform_is_refused_before_it_leaves(stage: Stage) -> None:
    post = stage.post("Не туди")
    other = {"telegram": "feed", "facebook": "sendMessage"}[post.platform]
    strange = replace(post, method=Method(other))
    with pytest.raises(RefusedError):
        await stage.publisher.prepare(strange, None)
    assert stage.calls() == 0


async def test_a_photo_post_without_its_photo_asks_for_a_lower_rung(stage: Stage) -> None:
    with pytest.raises(PhotoRefusedError):
        await stage.publisher.prepare(stage.post("Без фото", photo=True), None)


async def test_a_photo_that_the_platform_cannot_read_is_refused_apart_from_the_words(stage: Stage) -> None:
    photo = a_photo()
    broken = replace(photo, jpeg=photo.jpeg[:200])
    parcel = await stage.publisher.prepare(stage.post("Зіпсоване", photo=True), broken)
    with pytest.raises(PhotoRefusedError):
        await stage.publisher.publish(parcel)
    assert stage.ever_shown() == 0


async def test_an_album_shows_all_its_photos_and_nothing_before_it_is_published(stage: Stage) -> None:
    parcel = await stage.parcel("Три фото", photo=3)
    assert stage.ever_shown() == 0
    before = stage.calls()
    entry = stage.entry(parcel.post, await stage.publisher.publish(parcel))
    assert stage.calls() == before + 1
    assert stage.photos_of(entry) == [photo.jpeg for photo in photos(3)]


@pytest.mark.parametrize("loss", ["lose_rights", "end_token"])
async def test_lost_access_stops_publishing_and_is_told_by_the_check(stage: Stage, loss: str) -> None:
    assert all(finding.ok for finding in await stage.publisher.check())
    getattr(stage, loss)()
    with pytest.raises(AccessLostError):
        await stage.publish("Не вийде")
    findings = await stage.publisher.check()
    assert [finding.ok for finding in findings] == [True] * (len(findings) - 1) + [False]
    assert findings[-1].detail
    assert stage.ever_shown() == 0


async def test_an_edit_and_a_withdrawal_find_a_dead_token_too(stage: Stage) -> None:
    entry = await stage.publish("Є")
    stage.end_token()
    with pytest.raises(AccessLostError):
        await stage.publisher.edit(entry, await stage.parcel("Ні"))
    with pytest.raises(AccessLostError):
        await stage.publisher.withdraw(entry)


async def test_the_check_makes_nothing_public(stage: Stage) -> None:
    findings = await stage.publisher.check()
    assert findings[0].name == "token"
    assert findings[-1].name == "read-back"
    assert stage.ever_shown() == 0


async def test_the_check_of_a_platform_that_is_down_says_so(stage: Stage) -> None:
    await stage.sandbox.__aexit__(None, None, None)
    (finding,) = await stage.publisher.check()
    assert not finding.ok
    assert "cannot be asked" in finding.detail
    await stage.sandbox.__aenter__()


@every_kind
async def test_a_post_whose_answer_was_lost_is_found_again(stage: Stage, photo: int) -> None:
    known = await stage.publish("Раніше", link="https://news.example/ranishe")
    post = stage.post("Міст ⚠️ відкрили", photo=photo)
    attempt = stage.attempt(post, known.remote_id)
    stage.meets(deed(photo), mishaps.published_but_silent)
    with pytest.raises(UnansweredError):
        await stage.publisher.publish(await stage.pack(post, photo))
    evidence = await stage.publisher.read_back(attempt)
    assert evidence.presence is Presence.PRESENT
    assert evidence.receipt is not None
    assert evidence.receipt.remote_id != known.remote_id
    await stage.publisher.withdraw(stage.entry(post, evidence.receipt))
    assert len(stage.shown()) == 1


@every_kind
async def test_a_post_that_never_arrived_is_absent_beside_its_known_neighbour(stage: Stage, photo: int) -> None:
    known = await stage.publish("Раніше", photo=photo, link="https://news.example/ranishe")
    attempt = stage.attempt(stage.post("Міст відкрили"), known.last_id)
    assert (await stage.publisher.read_back(attempt)).presence is Presence.ABSENT


async def test_without_a_known_neighbour_absence_proves_nothing(stage: Stage) -> None:
    known = await stage.publish("Раніше", link="https://news.example/ranishe")
    await stage.publisher.withdraw(known)
    await stage.publish("Інше", link="https://news.example/inshe")
    for watermark in (known.remote_id, None):
        attempt = stage.attempt(stage.post("Міст відкрили"), watermark)
        assert (await stage.publisher.read_back(attempt)).presence is Presence.NO_EVIDENCE


async def test_our_link_under_words_of_an_editor_proves_nothing(stage: Stage) -> None:
    known = await stage.publish("Раніше", link="https://news.example/ranishe")
    attempt = stage.attempt(stage.post("Міст відкрили"), known.remote_id)
    await stage.publish("Дивіться самі")
    assert (await stage.publisher.read_back(attempt)).presence is Presence.NO_EVIDENCE


@pytest.mark.parametrize("trouble", ["broken", "redirect", "lag", "down"])
async def test_reading_back_what_cannot_be_read_is_no_evidence_and_no_error(stage: Stage, trouble: str) -> None:
    known = await stage.publish("Раніше")
    attempt = stage.attempt(stage.post("Міст відкрили"), known.remote_id)
    look = {"broken": ReadBack(broken=True), "redirect": ReadBack(redirect=True), "lag": ReadBack(lag=3600)}
    stage.sandbox.telegram.read_back = stage.sandbox.facebook.read_back = look.get(trouble, ReadBack())
    if trouble == "down":
        await stage.sandbox.__aexit__(None, None, None)
    assert (await stage.publisher.read_back(attempt)).presence is Presence.NO_EVIDENCE
    if trouble in ("redirect", "down"):
        assert not (await stage.publisher.survey((), 5)).readable
    if trouble == "down":
        await stage.sandbox.__aenter__()


async def test_the_newest_posts_come_newest_last_with_their_links(stage: Stage) -> None:
    for number in range(5):
        await stage.publish(f"Новина {number}", link=f"https://news.example/{number}")
    newest = (await stage.publisher.survey((), 3)).posts
    assert [post.plain.split("\n")[0] for post in newest] == ["Новина 2", "Новина 3", "Новина 4"]
    assert "https://news.example/4" in newest[-1].links


def test_only_errors_of_one_family_say_that_nothing_was_published() -> None:
    assert not issubclass(UnansweredError, NotPublishedError)
