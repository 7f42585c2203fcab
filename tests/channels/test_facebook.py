from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.channels.facebook import FacebookPublisher
from bot.channels.transport import Transport
from bot.domain.ledger import Presence
from bot.domain.post import Method
from bot.errors import (
    AccessLostError,
    GoneError,
    PhotoRefusedError,
    RefusedError,
    ThrottledError,
    UnansweredError,
)
from bot.sandbox import mishaps
from tests.channels.platforms import APP_SECRET, LINK, PAGE, PAGE_TOKEN, TIMEOUT, FacebookStage, photos
from tests.channels.rough_server import RoughServer, answering


@asynccontextmanager
async def a_publisher(
    root: str, *, token: str = PAGE_TOKEN, page: str = PAGE, app_secret: str = ""
) -> AsyncIterator[FacebookPublisher]:
    async with Transport(TIMEOUT) as transport:
        app_id = "11" if app_secret else ""
        yield FacebookPublisher(
            transport, page, token, api_url=root, app_id=app_id, app_secret=app_secret, token_name="PAGE_TOKEN"
        )


async def test_a_photo_goes_up_with_its_words_and_what_it_shows(facebook: FacebookStage) -> None:
    await facebook.publish("Фото", photo=True)
    (post,) = facebook.sandbox.facebook.posts(PAGE)
    assert post.message == f"Фото\n\n{LINK}"
    assert post.photos[0].alt == "Міст над річкою"


async def test_an_album_has_its_words_once_and_the_alt_text_on_the_photo_it_describes(facebook: FacebookStage) -> None:
    await facebook.publish("Альбом", photo=3)
    (post,) = facebook.sandbox.facebook.posts(PAGE)
    assert (post.message, post.link) == (f"Альбом\n\n{LINK}", "")
    assert [photo.alt for photo in post.photos] == ["Міст над річкою", "", ""]
    assert [photo.caption for photo in post.photos] == ["", "", ""]


async def test_a_photo_of_an_album_that_facebook_does_not_take_is_left_out(facebook: FacebookStage) -> None:
    first, second, third = photos(3)
    broken = replace(first, jpeg=first.jpeg[:200])
    parcel = await facebook.publisher.prepare(facebook.post("Альбом", photo=3), broken, album=[second, third])
    entry = facebook.entry(parcel.post, await facebook.publisher.publish(parcel))
    assert facebook.photos_of(entry) == [second.jpeg, third.jpeg]
    assert (parcel.post.method, parcel.post.photo_alt) == (Method.ATTACHED_MEDIA, "")


@pytest.mark.parametrize("lost", [2, 3])
async def test_uploads_without_an_answer_are_left_out_and_one_photo_is_posted_alone(
    facebook: FacebookStage, lost: int
) -> None:
    facebook.sandbox.facebook.next("photos", mishaps.error_before_publishing, lost)
    parcel = await facebook.parcel("Альбом", photo=3)
    assert (parcel.post.method, parcel.album, parcel.attached) == (Method.PHOTOS, (), ())
    assert facebook.ever_shown() == 0
    entry = facebook.entry(parcel.post, await facebook.publisher.publish(parcel))
    assert len(facebook.photos_of(entry)) == 1


async def test_lost_access_is_told_while_an_album_is_made_ready(facebook: FacebookStage) -> None:
    facebook.end_token()
    with pytest.raises(AccessLostError):
        await facebook.parcel("Альбом", photo=2)


async def test_a_text_post_carries_the_card_of_its_link(facebook: FacebookStage) -> None:
    await facebook.publish("Текст")
    await facebook.publish("Без посилання", link=None)
    assert [post.link for post in facebook.sandbox.facebook.posts(PAGE)] == [LINK, ""]


async def test_the_token_goes_in_the_header_and_its_proof_with_the_parameters() -> None:
    answers = [answering(b'{"id": "1_2"}'), answering(b'{"success": true}'), answering(b'{"data": []}')]
    async with RoughServer(*answers) as server, a_publisher(server.root, app_secret=APP_SECRET) as publisher:
        stage = FacebookStage(None, publisher, ())  # type: ignore[arg-type]
        entry = await stage.publish("Слова")
        await publisher.withdraw(entry)
        await publisher.survey((), 1)
    for request in server.requests:
        head, _, body = request.partition(b"\r\n\r\n")
        line = head.split(b"\r\n")[0]
        assert f"Authorization: Bearer {PAGE_TOKEN}".encode() in head
        assert PAGE_TOKEN.encode() not in line + body
        assert b"appsecret_proof=" in (body if line.startswith(b"POST") else line)


async def test_a_proof_that_the_page_demands_is_accepted_and_its_lack_stops_the_channel(
    facebook: FacebookStage,
) -> None:
    facebook.sandbox.facebook.require_proof(APP_SECRET)
    await facebook.publish("З доказом")
    assert all(finding.ok for finding in await facebook.publisher.check())
    async with a_publisher(f"{facebook.sandbox.url}/graph") as publisher:
        with pytest.raises(AccessLostError, match="appsecret_proof"):
            await publisher.publish(await facebook.parcel("Без доказу"))
    assert facebook.ever_shown() == 1


async def test_the_largest_share_of_the_allowance_is_known(facebook: FacebookStage) -> None:
    publisher = facebook.publisher
    assert isinstance(publisher, FacebookPublisher)
    facebook.sandbox.facebook.app_usage.update(call_count=12, total_time=3)
    facebook.sandbox.facebook.page_usage.update(total_cputime=71)
    await facebook.publish("Слова")
    assert publisher.usage == 71.0


async def test_a_page_whose_allowance_nears_its_end_rests_for_a_while(facebook: FacebookStage) -> None:
    assert facebook.publisher.rest_for == timedelta(0)
    facebook.sandbox.facebook.app_usage.update(call_count=75)
    await facebook.publish("Слова")
    assert facebook.publisher.rest_for == timedelta(0)
    facebook.sandbox.facebook.page_usage.update(total_cputime=90)
    await facebook.publish("Ще")
    assert timedelta(seconds=30) < facebook.publisher.rest_for <= timedelta(seconds=36)
    facebook.sandbox.facebook.page_usage.update(estimated_time_to_regain_access=3)
    await facebook.publish("І ще")
    assert timedelta(minutes=2) < facebook.publisher.rest_for <= timedelta(minutes=3)


async def test_while_meta_wants_to_be_left_alone_nothing_is_read(facebook: FacebookStage) -> None:
    known = await facebook.publish("Раніше")
    attempt = facebook.attempt(facebook.post("Міст відкрили"), known.remote_id, known)
    facebook.meets("text", mishaps.throttle(60))
    with pytest.raises(ThrottledError):
        await facebook.publish("Швидко")
    before = facebook.calls()
    evidence = await facebook.publisher.read_back(attempt)
    assert (evidence.presence, evidence.for_good) == (Presence.NO_EVIDENCE, False)
    assert "asked to wait" in evidence.detail
    assert not (await facebook.publisher.survey((), 10)).readable
    assert facebook.calls() == before
    assert facebook.sandbox.facebook.calls_inside_ban == 0


_POST = '{"id": "1_2", "message": "Раніше", "created_time": "2026-06-01T09:00:00+0000"}'


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        '{"data": null}',
        '{"data": ["1_2"]}',
        '{"data": [{"id": "1_2", "message": "Раніше"}]}',
        '{"data": [{"id": "1_2", "created_time": "2026-06-01T09:00:00"}]}',
        '{"data": [{"message": "Раніше", "created_time": "2026-06-01T09:00:00+0000"}]}',
        f'{{"data": [{_POST}], "paging": {{"next": "https://graph.facebook.com/"}}}}',
        f"<html>{_POST}",
    ],
)
async def test_a_list_that_cannot_be_read_in_full_is_no_evidence(facebook: FacebookStage, body: str) -> None:
    attempt = facebook.attempt(facebook.post("Міст відкрили"), "1_2")
    answers = [answering(body.encode()) for _ in range(2)]
    async with RoughServer(*answers) as server, a_publisher(server.root) as publisher:
        assert (await publisher.read_back(attempt)).presence is Presence.NO_EVIDENCE
        survey = await publisher.survey((), 10)
    assert (survey.readable, survey.for_good) == (False, False)


async def test_the_next_page_of_a_list_is_asked_for_at_the_same_place(facebook: FacebookStage) -> None:
    first = f'{{"data": [{_POST}], "paging": {{"next": "http://127.0.0.1:9/elsewhere?access_token=x&after=zzz"}}}}'
    last = f'{{"data": [{_POST.replace("1_2", "1_1")}]}}'
    answers = [answering(body.encode()) for body in (first, last)]
    async with RoughServer(*answers) as server, a_publisher(server.root) as publisher:
        survey = await publisher.survey((), 500)
    assert [post.remote_id for post in survey.posts] == ["1_1", "1_2"]
    assert survey.complete
    line = server.requests[1].split(b"\r\n")[0]
    assert line.startswith(f"GET /v26.0/{PAGE}/published_posts?".encode())
    assert b"after=zzz" in line
    assert b"access_token" not in line


async def test_a_list_whose_next_page_never_ends_is_given_up(facebook: FacebookStage) -> None:
    attempt = facebook.attempt(facebook.post("Міст відкрили"), "1_2")
    endless = answering(b'{"data": [], "paging": {"next": "https://graph.facebook.com/?after=x"}}')
    async with RoughServer(*[endless] * 100) as server, a_publisher(server.root) as publisher:
        assert (await publisher.read_back(attempt)).presence is Presence.NO_EVIDENCE
    assert len(server.requests) <= 30


async def test_an_old_attempt_is_looked_for_among_the_posts_of_its_time_alone(facebook: FacebookStage) -> None:
    world = facebook.sandbox.facebook
    known = await facebook.publish("Раніше", link="https://news.example/ranishe")
    started_at = known.published_at - timedelta(days=5)
    world.must(known.remote_id).created = started_at.timestamp() - 60
    known = replace(known, published_at=started_at - timedelta(minutes=1))
    attempt = facebook.attempt(facebook.post("Міст відкрили"), None, known, started_at=started_at)
    await facebook.publish("Міст відкрили")  # five days later: another post
    assert (await facebook.publisher.read_back(attempt)).presence is Presence.ABSENT
    world.posts(PAGE)[-1].created = started_at.timestamp() + 30
    assert (await facebook.publisher.read_back(attempt)).presence is Presence.PRESENT


@pytest.mark.parametrize("code", [4, 17, 32, 341, 613, 80001])
async def test_a_rate_limit_waits_as_the_usage_header_says(facebook: FacebookStage, code: int) -> None:
    facebook.meets("photo", mishaps.throttle(600, code))
    with pytest.raises(ThrottledError) as throttled:
        await facebook.publish("Швидко", photo=True)
    assert (throttled.value.retry_after, throttled.value.scope) == (timedelta(minutes=10), "page")


async def test_a_block_for_posting_too_fast_waits_long(facebook: FacebookStage) -> None:
    facebook.meets("text", mishaps.refuse(368, "The action attempted has been deemed abusive"))
    with pytest.raises(ThrottledError) as throttled:
        await facebook.publish("Швидко")
    assert throttled.value.retry_after >= timedelta(hours=1)


async def test_a_duplicate_is_neither_success_nor_sent_again(facebook: FacebookStage) -> None:
    facebook.meets("text", mishaps.refuse(506, "Duplicate status message", subcode=1455006))
    with pytest.raises(UnansweredError, match="read back"):
        await facebook.publish("Вдруге")


async def test_an_image_that_is_refused_is_told_apart_from_the_words(facebook: FacebookStage) -> None:
    facebook.meets("photo", mishaps.refuse(324, "(#324) Missing or invalid image file"))
    with pytest.raises(PhotoRefusedError):
        await facebook.publish("Фото", photo=True)


async def test_a_post_of_another_app_cannot_be_edited_but_the_channel_goes_on(facebook: FacebookStage) -> None:
    entry = await facebook.publish("Чуже")
    facebook.sandbox.facebook.must(entry.remote_id).app_id = "999"
    with pytest.raises(RefusedError, match="non-app"):
        await facebook.publisher.edit(entry, await facebook.parcel("Моє"))


async def test_a_page_that_is_not_there_is_lost_access_a_post_that_is_not_there_is_gone(
    facebook: FacebookStage,
) -> None:
    entry = await facebook.publish("Є")
    await facebook.publisher.withdraw(entry)
    async with a_publisher(f"{facebook.sandbox.url}/graph", page="404404") as publisher:
        with pytest.raises(AccessLostError):
            await publisher.publish(await facebook.parcel("Куди?"))
    with pytest.raises(GoneError):
        await facebook.publisher.withdraw(entry)


@pytest.mark.parametrize("body", [b"{}", b'{"id": 5}', b'{"id": ""}', b"true", b'{"error": "oops"}'])
async def test_a_success_without_the_posts_id_is_no_answer(body: bytes, facebook: FacebookStage) -> None:
    parcel = await facebook.parcel("Слова")
    async with RoughServer(answering(body)) as server, a_publisher(server.root) as publisher:
        with pytest.raises(UnansweredError):
            await publisher.publish(parcel)


async def test_the_check_names_a_token_that_is_missing_wrong_or_expired(facebook: FacebookStage) -> None:
    world, root = facebook.sandbox.facebook, f"{facebook.sandbox.url}/graph"
    world.add_token("EAAold", page=PAGE, expires_at=int(time.time()) - 60)
    cases = {"": "PAGE_TOKEN is not set", "EAAwrong": "does not accept the token in PAGE_TOKEN", "EAAold": "expired"}
    for token, words in cases.items():
        async with a_publisher(root, token=token) as publisher:
            (finding,) = await publisher.check()
        assert not finding.ok
        assert words in finding.detail


async def test_asked_in_the_apps_name_meta_tells_more_of_an_expired_token(facebook: FacebookStage) -> None:
    world = facebook.sandbox.facebook
    world.add_token(f"11|{APP_SECRET}", app_id="11")
    world.tokens[PAGE_TOKEN].expires_at = int(time.time()) - 60
    (finding,) = await facebook.publisher.check()
    assert not finding.ok
    assert "PAGE_TOKEN is not valid (expired)" in finding.detail


async def test_the_check_tells_when_a_good_token_ends(facebook: FacebookStage) -> None:
    facebook.sandbox.facebook.tokens[PAGE_TOKEN].expires_at = 4_102_444_800
    findings = await facebook.publisher.check()
    assert findings[0].ok
    assert "2100-01-01" in findings[0].detail


@pytest.mark.parametrize("scope", ["pages_manage_posts", "pages_read_engagement"])
async def test_the_check_names_the_scope_that_is_missing(facebook: FacebookStage, scope: str) -> None:
    token = facebook.sandbox.facebook.tokens[PAGE_TOKEN]
    token.scopes = token.scopes - {scope}
    finding = (await facebook.publisher.check())[-1]
    assert (finding.name, finding.ok) == ("scopes", False)
    assert scope in finding.detail


async def test_the_check_names_whose_token_it_is_where_it_is_not_the_pages(facebook: FacebookStage) -> None:
    facebook.sandbox.facebook.add_page("555", "Інша сторінка", "EAAother")
    async with a_publisher(f"{facebook.sandbox.url}/graph", token="EAAother") as publisher:
        finding = (await publisher.check())[-1]
    assert (finding.name, finding.ok) == ("address", False)
    assert "Інша сторінка (555)" in finding.detail
