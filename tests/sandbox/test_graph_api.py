"""The Graph API as plain HTTP meets it."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import aiohttp
import pytest

from bot.sandbox import ReadBack, Sandbox
from bot.sandbox import facebook_rules as rules
from tests.sandbox.conftest import PAGE, PAGE_TOKEN, Asker, Clock, picture

TEXT = "Міст відкрили\n\nРух відновлено.\nhttps://news.example/1"


async def feed(ask: Asker, **params: Any) -> str:
    """Post and return the id, or fail with the answer."""
    status, answer = await ask.graph("POST", f"{PAGE}/feed", **params)
    assert status == 200, answer
    return str(answer["id"])


def refused(answer: tuple[int, dict[str, Any]]) -> tuple[int, int, int]:
    """Return HTTP status, code and subcode of an error."""
    status, body = answer
    return status, body["error"]["code"], body["error"].get("error_subcode", 0)


async def test_a_post_with_a_link_reaches_its_readers(ask: Asker, sandbox: Sandbox) -> None:
    post_id = await feed(ask, message=TEXT, link="https://news.example/1")
    (post,) = sandbox.facebook.posts(PAGE)
    assert (post.id, post.message, post.link, post.app_id) == (post_id, TEXT, "https://news.example/1", "9")
    assert post_id.startswith(f"{PAGE}_")


async def test_a_photo_post_answers_with_both_ids_and_keeps_the_bytes(ask: Asker, sandbox: Sandbox) -> None:
    body = picture()
    status, answer = await ask.graph("POST", f"{PAGE}/photos", source=body, caption=TEXT, alt_text_custom="Міст")
    assert status == 200
    (post,) = sandbox.facebook.posts(PAGE)
    assert answer == {"id": post.photos[0].id, "post_id": post.id}
    assert (post.photos[0].stored.body, post.photos[0].alt, post.message) == (body, "Міст", TEXT)
    _, photo = await ask.graph("GET", answer["id"], fields="page_story_id,width,alt_text_custom")
    assert photo == {"id": answer["id"], "page_story_id": post.id, "width": 640, "alt_text_custom": "Міст"}


async def test_unpublished_photos_become_one_post(ask: Asker, sandbox: Sandbox) -> None:
    ids = []
    for side in (100, 200):
        _, answer = await ask.graph("POST", f"{PAGE}/photos", source=picture(side, side), published="false")
        assert answer.keys() == {"id"}
        ids.append(answer["id"])
    assert sandbox.facebook.posts(PAGE) == []
    media = {f"attached_media[{n}]": json.dumps({"media_fbid": photo}) for n, photo in enumerate(ids)}
    await feed(ask, message="Дві світлини", **media)
    (post,) = sandbox.facebook.posts(PAGE)
    assert [photo.id for photo in post.photos] == ids
    assert refused(await ask.graph("POST", f"{PAGE}/feed", message="знову", **media))[1] == 100


async def test_a_post_created_unpublished_is_published_by_id_once(ask: Asker, sandbox: Sandbox) -> None:
    post_id = await feed(ask, message=TEXT, published="false")
    assert sandbox.facebook.posts(PAGE) == []
    for _ in range(2):
        assert await ask.graph("POST", post_id, is_published="true") == (200, {"success": True})
    assert [post.id for post in sandbox.facebook.history(PAGE)] == [post_id]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({}, 100),
        ({"message": "x", "link": "not a link"}, 100),
        ({"message": "x", "link": "https://a.b", "attached_media": '[{"media_fbid": "1"}]'}, 100),
        ({"message": "x", "colour": "red"}, 100),
        ({"message": "x", "published": "maybe"}, 100),
        ({"message": "x", "attached_media": "oops"}, 100),
        ({"message": "x" * 63_207}, 100),
    ],
)
async def test_wrong_content_is_refused_and_judged_alike_without_http(
    ask: Asker, sandbox: Sandbox, params: dict[str, str], code: int
) -> None:
    assert refused(await ask.graph("POST", f"{PAGE}/feed", **params))[:2] == (400, code)
    found = rules.refusal("feed", params)
    assert found is not None
    assert found[0] == code
    assert sandbox.facebook.history(PAGE) == []


async def test_the_longest_message_passes() -> None:
    assert rules.refusal("feed", {"message": "ї" * 63_206}) is None
    assert rules.refusal("photos", {"caption": "x"}, picture()) is None


@pytest.mark.parametrize("body", [b"<html>", picture()[:1500], b""])
async def test_what_is_no_photo_is_refused(ask: Asker, body: bytes) -> None:
    status, answer = await ask.graph("POST", f"{PAGE}/photos", source=body, caption="x")
    assert (status, answer["error"]["code"]) == (400, 324)
    assert answer["error"]["message"] == "(#324) Missing or invalid image file"


async def test_a_photo_of_more_than_ten_mebibytes_is_refused() -> None:
    assert rules.refusal("photos", {}, picture().ljust(rules.PHOTO_BYTES, b"\0")) is None
    assert rules.refusal("photos", {}, picture().ljust(rules.PHOTO_BYTES + 1, b"\0")) is not None


@pytest.mark.parametrize(("ahead", "passes"), [(599, False), (600, True), (2_592_000, True), (2_592_001, False)])
async def test_scheduling_has_a_window(ask: Asker, sandbox: Sandbox, clock: Clock, ahead: int, passes: bool) -> None:
    at = int(clock.now) + ahead
    status, _ = await ask.graph("POST", f"{PAGE}/feed", message="x", published="false", scheduled_publish_time=at)
    assert (status == 200) is passes
    assert sandbox.facebook.posts(PAGE) == []
    clock.now += ahead
    assert len(sandbox.facebook.posts(PAGE)) == int(passes)


async def test_editing_changes_the_message_only_and_only_of_the_same_app(ask: Asker, sandbox: Sandbox) -> None:
    post_id = await feed(ask, message="Було")
    assert await ask.graph("POST", post_id, message="Стало") == (200, {"success": True})
    assert [text for _, text in sandbox.facebook.posts(PAGE)[0].versions] == ["Було", "Стало"]
    assert refused(await ask.graph("POST", post_id, link="https://a.b"))[1] == 100
    sandbox.facebook.add_token("EAAother", page=PAGE, app_id="10")
    status, answer = await ask.graph("POST", post_id, token="EAAother", message="x")
    assert (status, answer["error"]["message"]) == (403, "(#200) App cannot edit non-app posts")


async def test_deleting_works_once_and_then_the_object_is_not_there(ask: Asker, sandbox: Sandbox) -> None:
    post_id = await feed(ask, message=TEXT)
    assert await ask.graph("DELETE", post_id) == (200, {"success": True})
    assert refused(await ask.graph("DELETE", post_id)) == (400, 100, 33)
    assert refused(await ask.graph("GET", post_id)) == (400, 100, 33)
    assert refused(await ask.graph("POST", post_id, message="x")) == (400, 100, 33)
    assert sandbox.facebook.posts(PAGE) == []
    assert [post.id for post in sandbox.facebook.history(PAGE)] == [post_id]


async def test_the_list_of_posts_is_newest_first_with_cursors(ask: Asker, clock: Clock) -> None:
    ids = []
    for number in range(5):
        ids.append(await feed(ask, message=f"допис {number}"))
        clock.now += 60
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        _, answer = await ask.graph("GET", f"{PAGE}/published_posts", fields="id,message", limit="2", **after)
        seen += [post["id"] for post in answer["data"]]
        if "next" not in answer["paging"]:
            break
        after = {"after": answer["paging"]["cursors"]["after"]}
    assert seen == ids[::-1]


async def test_the_list_of_posts_can_be_cut_by_time_and_shows_links_and_pictures(ask: Asker, clock: Clock) -> None:
    await feed(ask, message="раніше")
    clock.now += 3600
    since = int(clock.now)
    with_link = await feed(ask, message=TEXT, link="https://news.example/1")
    fields = "id,message,created_time,permalink_url,attachments{unshimmed_url,target{url}}"
    _, answer = await ask.graph("GET", f"{PAGE}/published_posts", fields=fields, since=str(since))
    (post,) = answer["data"]
    assert (post["id"], post["message"]) == (with_link, TEXT)
    assert post["created_time"].endswith("+0000")
    assert post["permalink_url"].startswith("https://www.facebook.com/")
    assert post["attachments"]["data"][0]["unshimmed_url"] == "https://news.example/1"


async def test_reading_more_than_100_posts_or_an_unknown_field_is_refused(ask: Asker) -> None:
    assert refused(await ask.graph("GET", f"{PAGE}/published_posts", limit="101"))[1] == 100
    status, answer = await ask.graph("GET", PAGE, fields="shoe_size")
    assert (status, answer["error"]["message"]) == (
        400,
        "(#100) Tried accessing nonexisting field (shoe_size) on node type (Page)",
    )


async def test_reading_back_can_be_late_forgetful_stale_broken_or_led_away(
    ask: Asker, sandbox: Sandbox, clock: Clock
) -> None:
    async def seen() -> int:
        return len((await ask.graph("GET", f"{PAGE}/published_posts"))[1]["data"])

    sandbox.facebook.lag = 30
    await feed(ask, message=TEXT)
    assert await seen() == 0
    clock.now += 30
    assert await seen() == 1
    sandbox.facebook.read_back = ReadBack(omit=1.0)
    assert await seen() == 0
    sandbox.facebook.read_back = ReadBack(stale_after=clock.now - 60)
    assert await seen() == 0
    sandbox.facebook.read_back = ReadBack(broken=True)
    assert await seen() == 0
    sandbox.facebook.read_back = ReadBack(redirect=True)
    address = f"{ask.url}/graph/v26.0/{PAGE}/published_posts"
    async with ask.session.get(address, allow_redirects=False) as answer:
        assert answer.status == 302
    assert len(sandbox.facebook.posts(PAGE)) == 1


async def test_a_frozen_list_shows_what_was_there_then_until_it_thaws(
    ask: Asker, sandbox: Sandbox, clock: Clock
) -> None:
    async def seen() -> list[str]:
        return [one["message"] for one in (await ask.graph("GET", f"{PAGE}/published_posts"))[1]["data"]]

    first = await feed(ask, message="раз")
    sandbox.facebook.read_back = ReadBack(stale_after=clock.now, stale_until=clock.now + 60)
    clock.now += 1
    await feed(ask, message="два")
    assert (await ask.graph("DELETE", first))[0] == 200
    assert await seen() == ["раз"]
    clock.now += 58
    assert await seen() == ["раз"]
    clock.now += 1
    assert await seen() == ["два"]


@pytest.mark.parametrize(
    ("token", "error"),
    [("", (400, 104, 0)), ("EAAunknown", (400, 190, 0)), (PAGE_TOKEN, (400, 190, 463))],
)
async def test_a_missing_unknown_or_expired_token_is_refused(
    ask: Asker, sandbox: Sandbox, token: str, error: tuple[int, int, int]
) -> None:
    sandbox.facebook.expire(PAGE_TOKEN)
    assert refused(await ask.graph("POST", f"{PAGE}/feed", token=token, message="x")) == error


async def test_a_token_ends_at_its_time(ask: Asker, sandbox: Sandbox, clock: Clock) -> None:
    sandbox.facebook.add_token("EAAshort", page=PAGE, expires_at=int(clock.now) + 60)
    assert (await ask.graph("GET", "me", token="EAAshort"))[0] == 200
    clock.now += 60
    assert refused(await ask.graph("GET", "me", token="EAAshort")) == (400, 190, 463)


async def test_scopes_and_pages_decide_what_a_token_may_do(ask: Asker, sandbox: Sandbox) -> None:
    sandbox.facebook.add_page("666", "Інша", "EAA666", scopes=["pages_read_engagement"])
    sandbox.facebook.add_token("EAAuser", pages=[PAGE])
    assert refused(await ask.graph("POST", "666/feed", token="EAA666", message="x"))[:2] == (403, 200)
    assert (await ask.graph("GET", "666/published_posts", token="EAA666"))[0] == 200
    assert refused(await ask.graph("POST", "666/feed", message="x"))[:2] == (403, 200)
    assert refused(await ask.graph("GET", "666/published_posts"))[:2] == (403, 10)
    assert refused(await ask.graph("POST", f"{PAGE}/feed", token="EAAuser", message="x")) == (400, 190, 2069032)
    _, accounts = await ask.graph("GET", "me/accounts", token="EAAuser")
    assert [(one["id"], one["access_token"]) for one in accounts["data"]] == [(PAGE, PAGE_TOKEN)]


async def test_a_token_can_be_looked_at_dead_or_alive(ask: Asker, sandbox: Sandbox) -> None:
    _, answer = await ask.graph("GET", "debug_token", input_token=PAGE_TOKEN)
    seen = answer["data"]
    assert (seen["is_valid"], seen["type"], seen["profile_id"], seen["app_id"]) == (True, "PAGE", PAGE, "9")
    assert "pages_manage_posts" in seen["scopes"]
    sandbox.facebook.add_token("EAAold", page=PAGE).ended = 460
    _, answer = await ask.graph("GET", "debug_token", input_token="EAAold")
    assert (answer["data"]["is_valid"], answer["data"]["error"]["subcode"]) == (False, 460)
    _, me = await ask.graph("GET", "me", fields="id,name")
    assert me == {"id": PAGE, "name": "Новини Тихої"}


async def test_an_app_may_look_at_tokens_and_do_nothing_else(ask: Asker, sandbox: Sandbox) -> None:
    sandbox.facebook.add_app("9", "tajemnyci")
    _, answer = await ask.graph("GET", "debug_token", token="9|tajemnyci", input_token=PAGE_TOKEN)
    assert answer["data"]["is_valid"] is True
    assert refused(await ask.graph("GET", "debug_token", token="9|hadka", input_token=PAGE_TOKEN))[1] == 190
    assert refused(await ask.graph("POST", f"{PAGE}/feed", token="9|tajemnyci", message="x"))[1] == 200


async def test_a_welcoming_sandbox_takes_any_page_and_token(clock: Clock) -> None:
    async with Sandbox(welcoming=True, clock=clock) as open_house, aiohttp.ClientSession() as session:
        anyone = Asker(session, open_house.url)
        _, told = await anyone.graph("GET", "debug_token", token="demo-1001", input_token="demo-1001")
        assert (told["data"]["is_valid"], told["data"]["profile_id"]) == (True, "1001")
        _, me = await anyone.graph("GET", "me", token="demo-1001", fields="id")
        assert me == {"id": "1001"}
        status, _ = await anyone.graph("POST", "1001/feed", token="demo-1001", message="x")
        assert (status, len(open_house.facebook.posts("1001"))) == (200, 1)


async def test_a_proof_may_be_demanded(ask: Asker, sandbox: Sandbox) -> None:
    sandbox.facebook.require_proof("tajemnyci")
    status, answer = await ask.graph("GET", "me")
    assert (status, answer["error"]["message"]) == (
        400,
        "API calls from the server require an appsecret_proof argument",
    )
    assert refused(await ask.graph("GET", "me", appsecret_proof="0" * 64))[1] == 100
    proof = hmac.new(b"tajemnyci", PAGE_TOKEN.encode(), hashlib.sha256).hexdigest()
    assert (await ask.graph("GET", "me", appsecret_proof=proof))[0] == 200
    assert PAGE_TOKEN not in repr(sandbox.facebook.calls)
    assert proof not in repr(sandbox.facebook.calls)


@pytest.mark.parametrize(("version", "status"), [("v20.0", 200), ("v26.0", 200), ("v19.0", 400), ("v27.0", 400)])
async def test_versions_come_and_go(ask: Asker, version: str, status: int) -> None:
    assert (await ask.graph("GET", "me", version=version))[0] == status


async def test_what_v26_removed_is_refused_there_only(ask: Asker) -> None:
    assert refused(await ask.graph("GET", "me", pretty="1"))[1] == 100
    assert (await ask.graph("GET", "me", version="v25.0", pretty="1"))[0] == 200
    assert refused(await ask.graph("GET", "", ids="1,2"))[1] == 100


async def test_usage_stands_in_the_headers(ask: Asker, sandbox: Sandbox) -> None:
    sandbox.facebook.app_usage["call_count"] = 83
    sandbox.facebook.page_usage["call_count"] = 91
    async with ask.session.get(f"{ask.url}/graph/v26.0/{PAGE}", params={"access_token": PAGE_TOKEN}) as answer:
        assert json.loads(answer.headers["X-App-Usage"])["call_count"] == 83
        assert json.loads(answer.headers["X-Business-Use-Case-Usage"])[PAGE][0]["call_count"] == 91


async def test_insights_are_shown_and_one_bad_metric_fails_the_call(ask: Asker, sandbox: Sandbox) -> None:
    post_id = await feed(ask, message=TEXT)
    sandbox.facebook.set_insights(post_id, {"post_media_view": 120, "post_reactions_by_type_total": {"like": 4}})
    asked = "post_media_view,post_reactions_by_type_total,post_clicks"
    _, answer = await ask.graph("GET", f"{post_id}/insights", metric=asked)
    assert [one["values"][0]["value"] for one in answer["data"]] == [120, {"like": 4}, 0]
    assert refused(await ask.graph("GET", f"{post_id}/insights", metric=asked + ",post_impressions"))[1] == 100
    assert refused(await ask.graph("GET", f"{post_id}/insights")) == (400, 3001, 1504028)


async def test_a_metric_can_go_and_a_page_of_few_likes_tells_nothing(ask: Asker, sandbox: Sandbox) -> None:
    post_id = await feed(ask, message=TEXT)
    async with ask.session.post(f"{ask.url}/control/facebook/insights", json={"gone": ["post_clicks"]}) as answer:
        assert answer.status == 200
    assert refused(await ask.graph("GET", f"{post_id}/insights", metric="post_clicks"))[1] == 100
    sandbox.facebook.pages[PAGE].likes = 99
    assert await ask.graph("GET", f"{post_id}/insights", metric="post_media_view") == (200, {"data": []})


async def test_twins_are_refused_where_that_is_switched_on(ask: Asker, sandbox: Sandbox) -> None:
    await feed(ask, message=TEXT)
    await feed(ask, message=TEXT)
    sandbox.facebook.refuse_duplicates = True
    assert refused(await ask.graph("POST", f"{PAGE}/feed", message=TEXT)) == (400, 506, 1455006)


async def test_the_sandbox_never_fetches_a_photo_from_outside(ask: Asker, sandbox: Sandbox) -> None:
    assert refused(await ask.graph("POST", f"{PAGE}/photos", url="https://example.org/a.jpg"))[1] == 324
    await ask.graph("POST", f"{PAGE}/photos", source=picture())
    path = sandbox.facebook.posts(PAGE)[0].photos[0].stored.path
    assert (await ask.graph("POST", f"{PAGE}/photos", url=sandbox.url + path))[0] == 200


async def test_an_unknown_page_or_path_is_refused(ask: Asker) -> None:
    assert refused(await ask.graph("POST", "404404/feed", message="x")) == (400, 100, 33)
    assert refused(await ask.graph("POST", f"{PAGE}/dreams", message="x"))[1] == 2500
