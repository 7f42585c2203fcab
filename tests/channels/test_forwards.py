"""Reading a Telegram channel back through a service chat, where there is no public page or none to be trusted."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from bot.channels.telegram import TelegramPublisher
from bot.channels.telegram_bot import TelegramBot
from bot.domain.ledger import Attempt, LedgerEntry, Presence
from bot.errors import UnansweredError
from bot.sandbox import Rates, ReadBack, mishaps
from tests.channels.platforms import BOT_ID, DEEDS, TIMEOUT, TOKEN, TelegramStage

PRIVATE, SERVICE = -1005555555555, -1006666666666
every_kind = pytest.mark.parametrize("photo", [0, 1, 3], ids=DEEDS)


@asynccontextmanager
async def a_channel(
    telegram: TelegramStage, address: str = str(PRIVATE), service_chat: int = SERVICE
) -> AsyncIterator[TelegramStage]:
    """Another channel of the same sandbox, by default a private one with a service chat."""
    async with TelegramBot(TOKEN, api_url=telegram.sandbox.url, timeout=TIMEOUT) as bot:
        publisher = TelegramPublisher(bot, address, web_url=telegram.sandbox.url, service_chat=service_chat)
        yield TelegramStage(telegram.sandbox, publisher, telegram.secrets)


@pytest.fixture
async def private(telegram: TelegramStage) -> AsyncIterator[TelegramStage]:
    telegram.sandbox.telegram.add_channel(None, PRIVATE, "Закритий", {BOT_ID: None})
    telegram.sandbox.telegram.add_group(SERVICE, "Службовий", {BOT_ID: None})
    async with a_channel(telegram) as stage:
        yield stage


@pytest.fixture
async def public(telegram: TelegramStage) -> AsyncIterator[TelegramStage]:
    telegram.sandbox.telegram.add_group(SERVICE, "Службовий", {BOT_ID: None})
    async with a_channel(telegram, "@news") as stage:
        yield stage


async def fill(stage: TelegramStage, count: int, photo: int = 0) -> list[LedgerEntry]:
    """Publish so many posts; return them newest first."""
    posts = [
        await stage.publish(f"Інше {number}", photo=photo, link=f"https://news.example/{number}")
        for number in range(count)
    ]
    return posts[::-1]


async def lose(stage: TelegramStage, known: Sequence[LedgerEntry], photo: int = 0) -> Attempt:
    post = stage.post("Міст відкрили", photo=photo)
    attempt = stage.attempt(post, known[0].last_id, *known[:5])
    stage.meets(DEEDS[min(photo, 2)], mishaps.error_after_publishing)
    with pytest.raises(UnansweredError):
        await stage.publisher.publish(await stage.pack(post, photo))
    return attempt


def fail(stage: TelegramStage, known: Sequence[LedgerEntry]) -> Attempt:
    return stage.attempt(stage.post("Міст відкрили"), known[0].last_id, *known[:5])


def forwards(stage: TelegramStage) -> list[int]:
    """Return the numbers that were tried, in order."""
    calls = stage.sandbox.telegram.calls
    return [int(call.params["message_id"]) for call in calls if call.method == "forwardMessage"]


@every_kind
async def test_a_post_of_a_private_channel_is_found_with_its_link_and_ids(private: TelegramStage, photo: int) -> None:
    attempt = await lose(private, await fill(private, 2), photo)
    await fill(private, 3)
    evidence = await private.publisher.read_back(attempt)
    assert evidence.presence is Presence.PRESENT
    assert evidence.receipt is not None
    assert evidence.receipt.remote_id == "4"
    assert evidence.receipt.permalink == f"{private.sandbox.url}/c/5555555555/4"
    assert evidence.receipt.more_ids == (("5", "6") if photo == 3 else ())
    await private.publisher.withdraw(private.entry(private.post("Міст відкрили", photo=photo), evidence.receipt))
    assert len(private.sandbox.telegram.posts(PRIVATE)) == 5


async def test_the_copies_make_no_sound_and_do_not_stay(private: TelegramStage) -> None:
    attempt = await lose(private, await fill(private, 2))
    await private.publisher.read_back(attempt)
    copies = private.sandbox.telegram.history(SERVICE)
    assert copies
    assert all(copy.silent and copy.deleted_at is not None for copy in copies)


@every_kind
async def test_a_post_that_never_arrived_is_absent_after_twenty_empty_numbers(
    private: TelegramStage, photo: int
) -> None:
    known = await fill(private, 2, photo)
    evidence = await private.publisher.read_back(fail(private, known))
    assert (evidence.presence, evidence.shown) == (Presence.ABSENT, (known[0].last_id,))
    mark = int(known[0].last_id)
    assert forwards(private) == [*range(mark + 1, mark + 21), mark]


async def test_numbers_of_deleted_messages_are_passed_over(private: TelegramStage) -> None:
    known = await fill(private, 1)
    for entry in await fill(private, 19):
        await private.publisher.withdraw(entry)
    attempt = await lose(private, known)
    assert (await private.publisher.read_back(attempt)).presence is Presence.PRESENT


async def test_any_of_the_known_posts_shows_that_forwarding_works(private: TelegramStage) -> None:
    known = await fill(private, 3)
    attempt = fail(private, known)
    for entry in known[:2]:
        await private.publisher.withdraw(entry)
    evidence = await private.publisher.read_back(attempt)
    assert (evidence.presence, evidence.shown) == (Presence.ABSENT, (known[2].remote_id,))
    await private.publisher.withdraw(known[2])
    assert (await private.publisher.read_back(attempt)).presence is Presence.NO_EVIDENCE


async def test_posts_that_a_survey_showed_will_do_without_a_watermark(private: TelegramStage) -> None:
    known = await fill(private, 2)
    attempt = private.attempt(private.post("Міст відкрили"), None, *known)
    assert (await private.publisher.read_back(attempt)).presence is Presence.ABSENT


async def test_where_no_earlier_post_is_known_there_is_nothing_to_count_from(private: TelegramStage) -> None:
    evidence = await private.publisher.read_back(private.attempt(private.post("Міст відкрили"), None))
    assert (evidence.presence, evidence.for_good) == (Presence.NO_EVIDENCE, True)
    assert forwards(private) == []
    survey = await private.publisher.survey((), 10)
    assert (survey.readable, survey.for_good) == (False, True)


async def test_protected_content_can_never_be_read_this_way(private: TelegramStage) -> None:
    known = await fill(private, 1)
    channel = private.sandbox.telegram.must(PRIVATE)
    channel.protected = True
    attempt = await lose(private, known)
    for evidence in (await private.publisher.read_back(attempt), await private.publisher.survey(["2"], 10)):
        assert evidence.for_good
        assert "protected" in evidence.detail
    finding = (await private.publisher.check())[-1]
    assert (finding.name, finding.ok) == ("read-back", False)
    assert "restricts saving content" in finding.detail


async def test_a_message_that_cannot_be_forwarded_by_itself_is_no_post_of_ours(private: TelegramStage) -> None:
    known = await fill(private, 1)
    pinned = private.sandbox.telegram.say(1, PRIVATE, "закріплено")
    pinned.protected = True  # as a message of the service is: this one, not the channel
    assert (await private.publisher.read_back(fail(private, known))).presence is Presence.ABSENT
    attempt = await lose(private, known)
    assert (await private.publisher.read_back(attempt)).presence is Presence.PRESENT


async def test_our_link_under_words_of_an_editor_proves_nothing(private: TelegramStage) -> None:
    attempt = fail(private, await fill(private, 1))
    await private.publish("Дивіться самі")
    evidence = await private.publisher.read_back(attempt)
    assert (evidence.presence, evidence.for_good) == (Presence.NO_EVIDENCE, False)


async def test_told_to_wait_the_bot_looks_no_further_until_the_time_is_over(private: TelegramStage) -> None:
    attempt = await lose(private, await fill(private, 1))
    private.sandbox.telegram.next("forwardMessage", mishaps.throttle(2))
    evidence = await private.publisher.read_back(attempt)
    assert (evidence.presence, evidence.for_good) == (Presence.NO_EVIDENCE, False)
    before = len(private.sandbox.telegram.calls)
    assert "wait" in (await private.publisher.read_back(attempt)).detail
    assert not (await private.publisher.survey(["2"], 10)).readable
    assert [call.method for call in list(private.sandbox.telegram.calls)[before:]] == ["getChat", "getChat"]
    deadline = time.monotonic() + 20
    while (await private.publisher.read_back(attempt)).presence is not Presence.PRESENT:
        assert time.monotonic() < deadline
    assert private.sandbox.telegram.calls_inside_ban == 0


@pytest.mark.parametrize("mishap", [mishaps.html_502, mishaps.hang, mishaps.refuse(403, "bot was kicked")])
async def test_any_other_trouble_is_no_evidence_for_now(private: TelegramStage, mishap: mishaps.Mishap) -> None:
    attempt = await lose(private, await fill(private, 1))
    private.sandbox.telegram.next("forwardMessage", mishap)
    evidence = await private.publisher.read_back(attempt)
    assert (evidence.presence, evidence.for_good) == (Presence.NO_EVIDENCE, False)
    assert (await private.publisher.read_back(attempt)).presence is Presence.PRESENT


async def test_a_look_keeps_to_the_rates_and_is_bounded(private: TelegramStage) -> None:
    known = await fill(private, 1)
    private.sandbox.telegram.rates = Rates()
    assert (await private.publisher.read_back(fail(private, known))).presence is Presence.ABSENT
    private.sandbox.telegram.rates = Rates.off()
    for number in range(6):
        private.sandbox.telegram.say(1, PRIVATE, f"чуже {number}")
        private.sandbox.telegram.must(PRIVATE).last_id += 19  # nineteen numbers empty
    before = len(forwards(private))
    evidence = await private.publisher.read_back(fail(private, known))
    assert (evidence.presence, evidence.for_good) == (Presence.NO_EVIDENCE, False)
    assert "more than 120" in evidence.detail
    assert len(forwards(private)) - before == 121


async def test_an_old_attempt_is_not_looked_for_among_much_younger_posts(private: TelegramStage) -> None:
    known = await fill(private, 1)
    long_ago = datetime.now(UTC) - timedelta(days=3)
    attempt = private.attempt(private.post("Міст відкрили"), None, *known, started_at=long_ago)
    await fill(private, 30)
    before = len(forwards(private))
    assert (await private.publisher.read_back(attempt)).presence is Presence.ABSENT
    assert len(forwards(private)) - before == 2


async def test_a_survey_counts_on_from_the_newest_known_post(private: TelegramStage) -> None:
    known = await fill(private, 3)
    ids = [entry.remote_id for entry in known]
    newer = [*(await fill(private, 2)), *(await fill(private, 1, photo=3))]
    survey = await private.publisher.survey(ids, 100)
    assert (survey.readable, survey.complete) == (True, True)
    assert [post.remote_id for post in survey.posts] == [ids[0], *sorted(one.remote_id for one in newer)]
    assert survey.posts[-1].more_ids == newer[-1].more_ids
    assert survey.posts[1].links == ("https://news.example/0",)
    short = await private.publisher.survey(ids, 2)
    assert (short.readable, short.for_good) == (False, False)  # what is newest is not known
    for entry in known:
        await private.publisher.withdraw(entry)
    gone = await private.publisher.survey(ids, 100)
    assert (gone.readable, gone.for_good) == (False, False)


async def test_a_lost_right_is_told_by_a_survey(private: TelegramStage) -> None:
    await fill(private, 1)
    private.sandbox.telegram.kick(PRIVATE, BOT_ID)
    assert (await private.publisher.survey(["2"], 10)).access_lost


async def test_the_check_names_the_ways_of_reading_back(private: TelegramStage, public: TelegramStage) -> None:
    assert (await private.publisher.check())[-1].detail == f"by forwarding to {SERVICE}"
    assert (await public.publisher.check())[-1].detail == f"{public.sandbox.url}/s/news, by forwarding to {SERVICE}"
    assert private.sandbox.telegram.history(PRIVATE) == []
    private.sandbox.telegram.kick(SERVICE, BOT_ID)
    for stage in (private, public):
        finding = (await stage.publisher.check())[-1]
        assert (finding.name, finding.ok) == ("read-back", False)
        assert str(SERVICE) in finding.detail


async def test_a_public_page_that_shows_the_post_spares_forwarding(public: TelegramStage) -> None:
    attempt = await lose(public, await fill(public, 2))
    assert (await public.publisher.read_back(attempt)).presence is Presence.PRESENT
    assert forwards(public) == []


@pytest.mark.parametrize("look", ["stale", "lag", "redirect", "broken"])
async def test_a_public_page_that_is_an_old_copy_or_none_is_corrected_by_forwarding(
    public: TelegramStage, look: str
) -> None:
    known = await fill(public, 2)
    now = time.time()
    public.sandbox.telegram.read_back = {
        "stale": ReadBack(stale_after=now),
        "lag": ReadBack(lag=3600),
        "redirect": ReadBack(redirect=True),
        "broken": ReadBack(broken=True),
    }[look]
    never = fail(public, known)
    lost = await lose(public, known)
    found = await public.publisher.read_back(lost)
    assert found.presence is Presence.PRESENT
    assert found.receipt is not None
    await public.publisher.withdraw(public.entry(public.post("Міст відкрили"), found.receipt))
    assert (await public.publisher.read_back(never)).presence is Presence.ABSENT


async def test_protected_content_of_a_public_channel_is_judged_by_its_page_alone(public: TelegramStage) -> None:
    known = await fill(public, 2)
    public.sandbox.telegram.must("@news").protected = True
    for post in public.sandbox.telegram.posts("@news"):
        post.protected = True
    evidence = await public.publisher.read_back(fail(public, known))
    assert (evidence.presence, evidence.for_good) == (Presence.ABSENT, False)
