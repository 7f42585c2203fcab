"""From an article to both channels, as their readers see it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.clock import SystemClock
from bot.domain.article import Priority
from bot.domain.delivery import State
from bot.store import channels, deliveries, pace
from tests.factories import an_article
from tests.journeys.outlet import Outlet, ledger, publish, queue

NOW = SystemClock().now()


def a_story(**changes):
    return an_article(**({"published_at": NOW - timedelta(minutes=5)} | changes))


async def test_an_article_reaches_both_channels_with_credit_link_and_call_to_action(outlet: Outlet):
    article = a_story(title="Міст відкрили")
    async with outlet.open() as service:
        await publish(service, article)
        lines = await ledger(service)
    (telegram,), (facebook,) = outlet.telegram, outlet.facebook
    for text, call in ((telegram.text, "наш Telegram"), (facebook.message, "нашу сторінку")):
        assert text.startswith("Міст відкрили")
        assert "Рух мостом відновили зранку." in text
        assert text.count("Фото: міська рада") == 1
        assert text.count("Підписуйтесь") == 1
        assert call in text
    assert article.url in telegram.html
    assert article.url in facebook.message
    assert {line["state"] for line in lines} == {"published"}
    assert {line["permalink"] for line in lines} == {
        f"{outlet.sandbox.url}/outlet_main/{telegram.id}",
        f"https://www.facebook.com/{facebook.id}",
    }


async def test_an_article_told_twice_is_published_once(either_outlet: Outlet):
    article = a_story()
    async with either_outlet.open() as service:
        await publish(service, article)
        await publish(service, article)
        await publish(service, replace(article, url=article.url), source="site")
    assert len(either_outlet.telegram) == len(either_outlet.facebook) == 1


async def test_articles_go_out_in_the_order_in_which_they_were_published(outlet: Outlet):
    stories = [a_story(title=f"Новина {number}", published_at=NOW - timedelta(hours=number)) for number in range(5)]
    async with outlet.open() as service:
        await publish(service, *stories)
    titles = [post.text.splitlines()[0] for post in outlet.telegram]
    assert titles == [f"Новина {number}" for number in (4, 3, 2, 1, 0)]


async def test_breaking_news_overtakes_what_waits(outlet: Outlet):
    ordinary = a_story(title="Звичайна", published_at=NOW - timedelta(hours=1))
    urgent = a_story(title="Термінова", priority=Priority.BREAKING)
    async with outlet.open() as service:
        await publish(service, ordinary, urgent)
    assert "Термінова" in outlet.telegram[0].text


async def test_an_embargo_is_kept(outlet: Outlet):
    async with outlet.open() as service:
        await publish(service, a_story(published_at=NOW + timedelta(hours=1)))
        (waiting, _) = await queue(service)
    assert outlet.telegram == []
    assert waiting["state"] == "planned"


async def test_an_article_too_old_at_its_turn_expires_and_why_says_so(outlet: Outlet):
    old = a_story(published_at=NOW - timedelta(hours=13))
    async with outlet.open() as service:
        await publish(service, old)
    assert outlet.telegram == []
    lines = await outlet.json("why", old.url)
    assert [line["decision"] for line in lines if line["channel"] == "telegram-main"] == ["queued", "expired"]
    assert "fresh_for" in lines[-1]["detail"]


async def test_the_same_story_under_another_address_edits_the_first_post(outlet: Outlet):
    words = "У громаді відкрили оновлений міст через річку після трьох місяців ремонту, повідомили в міській раді. "
    words += "Роботи виконали коштом громади, а рух тролейбусів відновили того ж ранку за новим розкладом."
    first = a_story(title="Міст відкрили", lead=words, body="")
    again = a_story(title="Оновлений міст запрацював", lead=words, body="")
    async with outlet.open() as service:
        await publish(service, first)
        await publish(service, again)
    (post,) = outlet.telegram
    assert post.text.startswith("Оновлений міст запрацював")


async def test_stories_that_differ_in_a_number_are_two_stories(outlet: Outlet):
    words = "Служба порятунку повідомила про підсумки минулої доби у громаді: рятувальники виїжджали на виклики, "
    words += "гасили пожежі, допомагали людям і прибирали повалені вітром дерева з доріг та подвір'їв міста."
    async with outlet.open() as service:
        await publish(service, a_story(title="Доба: 12 викликів", lead=words, body=""))
        await publish(service, a_story(title="Доба: 15 викликів", lead=words, body=""))
    assert len(outlet.telegram) == 2


async def test_shadow_mode_does_everything_but_the_calls(outlet: Outlet):
    outlet.variables["VISTNYK_MODE"] = "shadow"
    article = a_story()
    async with outlet.open() as service:
        await publish(service, article)
        lines = await ledger(service)
    assert outlet.telegram == outlet.facebook == []
    assert all("shadow" in line["error"] and article.title in line["text"] for line in lines)


async def test_a_post_without_a_photo_shows_a_large_card_of_its_article(outlet: Outlet):
    article = a_story()
    async with outlet.open() as service:
        await publish(service, article)
    (post,) = outlet.telegram
    assert post.link_preview["url"] == article.url
    assert post.link_preview["prefer_large_media"] is True


async def test_words_that_aged_wait_for_the_editor_who_approves_and_go_when_pinned(outlet: Outlet):
    outlet.write(telegram='approval = "editor"', schedule='fresh_for = "7d"')
    yesterday = a_story(lead="Міст відкрили сьогодні зранку.", published_at=NOW - timedelta(days=2))
    async with outlet.open() as service:
        await publish(service, yesterday)
        (proposed,) = await queue(service)
        assert proposed["state"] == "proposed"
        database = service.house.database
        lane = next(lane for lane in service.lanes.values() if lane.channel.name == "telegram-main")
        for pinned_at in (None, NOW):
            async with database.write() as tx:
                delivery = await deliveries.get(tx, proposed["delivery"])
                await deliveries.move(tx, delivery, State.PLANNED, NOW, pinned_at=pinned_at)
                await channels.wake(tx, [lane.id], NOW)
            await service.worker.drain()
            if pinned_at is None:
                (held,) = await queue(service)
                assert (held["state"], held["held_reason"]) == ("held", "stale-words")
    (post,) = outlet.telegram
    assert "сьогодні" in post.text


async def test_a_command_under_another_configuration_takes_nothing_from_a_channel_that_waits(outlet: Outlet):
    async with outlet.open() as service:
        await publish(service, a_story(published_at=NOW + timedelta(hours=1)))
    whole = outlet.toml.read_text("utf-8")
    outlet.toml.write_text(whole[: whole.rindex("[[channels]]")], "utf-8")
    story = outlet.place / "story.json"
    story.write_text('{"url": "https://news.example/other", "title": "Інша"}', "utf-8")
    assert (await outlet.command("ingest", str(story)))[0] == 0
    outlet.toml.write_text(whole, "utf-8")
    assert {line["state"] for line in await outlet.json("queue")} == {"planned"}


async def test_a_channel_that_the_service_no_longer_serves_is_told_of_by_why(outlet: Outlet):
    article = a_story(published_at=NOW + timedelta(hours=1))
    async with outlet.open() as service:
        await publish(service, article)
    whole = outlet.toml.read_text("utf-8")
    outlet.toml.write_text(whole[: whole.rindex("[[channels]]")], "utf-8")
    async with outlet.open():
        pass
    last = [line for line in await outlet.json("why", article.url) if line["channel"] == "facebook-main"][-1]
    assert (last["decision"], last["detail"]) == ("cancelled", "the channel is gone from the configuration")


async def test_a_page_whose_allowance_runs_low_is_left_alone_by_every_replica_and_no_other_channel_waits(
    either_outlet: Outlet,
):
    either_outlet.variables["VISTNYK_PACE__PAGE"] = "9/s"
    async with either_outlet.open() as service:
        either_outlet.sandbox.facebook.page_usage.update(total_time=80)  # percent; 75 are let pass
        await publish(service, a_story())
        await publish(service, a_story(url="https://news.example/2", title="Друга новина"))
    assert (len(either_outlet.telegram), len(either_outlet.facebook)) == (2, 1)
    either_outlet.sandbox.facebook.page_usage.update(total_time=0)
    async with either_outlet.open() as another:
        await another.worker.drain()
        assert len(either_outlet.facebook) == 1
        (waiting,) = await queue(another)
        assert waiting["channel"] == "facebook-main"
        async with another.house.database.read() as tx:
            now = await another.house.database.now(tx)
            lane = next(lane for lane in another.lanes.values() if lane.channel.name == "facebook-main")
            left = await pace.earliest(tx, lane.limits, now) - now
    assert timedelta(seconds=5) < left < timedelta(seconds=13)
