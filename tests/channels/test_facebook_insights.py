"""What a page's posts may be asked for, against the sandbox's Graph API."""

from __future__ import annotations

import pytest

from bot.channels.facebook import FacebookPublisher
from bot.channels.facebook_insights import FacebookInsights
from bot.channels.transport import Transport
from bot.domain.figures import CLICKS, REACTION, VIEWERS, VIEWS
from bot.errors import AccessLostError, GoneError, RefusedError, ThrottledError, UnansweredError
from bot.sandbox import mishaps
from tests.channels.platforms import PAGE, PAGE_TOKEN, TIMEOUT, FacebookStage
from tests.channels.rough_server import RoughServer, answering


def insights(facebook: FacebookStage) -> FacebookInsights:
    assert isinstance(facebook.publisher, FacebookPublisher)
    return facebook.publisher.insights


async def a_post(facebook: FacebookStage, **figures: object) -> str:
    entry = await facebook.publish("Слова")
    facebook.sandbox.facebook.set_insights(entry.remote_id, figures)
    return entry.remote_id


async def test_every_metric_tells_its_figure(facebook: FacebookStage) -> None:
    post = await a_post(
        facebook,
        post_media_view=900,
        post_total_media_view_unique=640,
        post_clicks=31,
        post_reactions_by_type_total={"like": 8, "love": 3, "haha": 1},
    )
    asker = insights(facebook)
    told: dict[str, int] = {}
    for metric in asker.metrics:
        told |= await asker.ask(post, metric)
    assert {name: count for name, count in told.items() if count} == {
        VIEWS: 900,
        VIEWERS: 640,
        CLICKS: 31,
        f"{REACTION}👍": 8,
        f"{REACTION}❤": 3,
        f"{REACTION}😆": 1,
    }


async def test_each_metric_is_a_call_of_its_own(facebook: FacebookStage) -> None:
    post, asker = await a_post(facebook), insights(facebook)
    for metric in asker.metrics:
        await asker.ask(post, metric)
    asked = [call.params["metric"] for call in facebook.sandbox.facebook.calls if call.method == "insights"]
    assert asked == list(asker.metrics)
    assert not any("," in metric for metric in asked)


async def test_reactions_that_nobody_holds_any_more_are_told_as_none(facebook: FacebookStage) -> None:
    post, asker = await a_post(facebook, post_reactions_by_type_total={"love": 2}), insights(facebook)
    assert (await asker.ask(post, asker.metrics[0]))[f"{REACTION}❤"] == 2
    facebook.sandbox.facebook.set_insights(post, {"post_reactions_by_type_total": {"like": 1}})
    told = await asker.ask(post, asker.metrics[0])
    assert (told[f"{REACTION}❤"], told[f"{REACTION}👍"]) == (0, 1)


@pytest.mark.parametrize("metric", ["post_impressions", "post_engaged_users", ""])
async def test_a_metric_that_is_gone_is_refused(facebook: FacebookStage, metric: str) -> None:
    with pytest.raises(RefusedError):
        await insights(facebook).ask(await a_post(facebook), metric)


async def test_a_post_that_is_gone_is_told_apart_from_a_metric_that_is(facebook: FacebookStage) -> None:
    entry = await facebook.publish("Слова")
    await facebook.publisher.withdraw(entry)
    with pytest.raises(GoneError):
        await insights(facebook).ask(entry.remote_id, "post_clicks")


async def test_a_token_without_the_right_to_figures_is_lost_access(facebook: FacebookStage) -> None:
    post = await a_post(facebook)
    token = facebook.sandbox.facebook.tokens[PAGE_TOKEN]
    token.scopes = token.scopes - {"read_insights"}
    with pytest.raises(AccessLostError):
        await insights(facebook).ask(post, "post_clicks")


async def test_a_page_out_of_its_allowance_says_so(facebook: FacebookStage) -> None:
    post = await a_post(facebook)
    facebook.sandbox.facebook.next("insights", mishaps.throttle(600, 80001))
    with pytest.raises(ThrottledError) as throttled:
        await insights(facebook).ask(post, "post_clicks")
    assert throttled.value.retry_after.total_seconds() == 600
    assert insights(facebook).usage == 100


@pytest.mark.parametrize(
    "mishap", [mishaps.html_502, mishaps.hang, mishaps.error_before_publishing, mishaps.half_an_answer]
)
async def test_a_call_without_an_answer_tells_nothing(facebook: FacebookStage, mishap: mishaps.Mishap) -> None:
    post = await a_post(facebook)
    facebook.sandbox.facebook.next("insights", mishap)
    with pytest.raises(UnansweredError):
        await insights(facebook).ask(post, "post_clicks")


@pytest.mark.parametrize(
    "body",
    [
        '{"data": []}',
        "{}",
        '{"data": [{"name": "post_clicks", "values": []}]}',
        '{"data": [{"name": "post_clicks", "values": [{}]}]}',
        '{"data": [{"name": "post_clicks", "values": [{"value": {"like": 3}}]}]}',
        '{"data": [{"name": "post_clicks", "values": [{"value": "7"}]}]}',
        '{"data": [{"name": "post_clicks", "values": [{"value": -7}]}]}',
        '{"data": [{"name": "post_clicks", "values": [{"value": true}]}]}',
        '{"data": [{"name": "other", "values": [{"value": 3}]}]}',
        '{"data": ["post_clicks", null]}',
        '{"data": {"post_clicks": 3}}',
    ],
)
async def test_a_page_below_a_hundred_likes_and_odd_answers_tell_nothing(body: str) -> None:
    async with RoughServer(answering(body.encode())) as server, Transport(TIMEOUT) as transport:
        publisher = FacebookPublisher(transport, PAGE, PAGE_TOKEN, api_url=server.root)
        assert await publisher.insights.ask("1_2", "post_clicks") == {}


async def test_reactions_in_an_odd_form_tell_nothing() -> None:
    body = b'{"data": [{"name": "post_reactions_by_type_total", "values": [{"value": 3}]}]}'
    async with RoughServer(answering(body)) as server, Transport(TIMEOUT) as transport:
        publisher = FacebookPublisher(transport, PAGE, PAGE_TOKEN, api_url=server.root)
        assert await publisher.insights.ask("1_2", "post_reactions_by_type_total") == {}
