from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.channels.evidence import addresses, fingerprint, judge, known_before, same, unwrapped
from bot.domain.delivery import DeliveryId
from bot.domain.ledger import Attempt, Evidence, Neighbour, Presence, PublicPost
from bot.domain.post import Method

AT = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
LINK = "https://news.example/dam"
WORDS = "Міст відкрили\n\nРух почався о шостій.\n\nЧитати"


def an_attempt(link: str | None = LINK, watermark: str | None = "10") -> Attempt:
    return Attempt(
        delivery_id=DeliveryId(1),
        method=Method.SEND_MESSAGE,
        text=WORDS,
        plain=WORDS,
        link=link,
        watermark=watermark,
        started_at=AT,
    )


def shown(number: int, plain: str = WORDS, links: tuple[str, ...] = (LINK,)) -> PublicPost:
    return PublicPost(remote_id=str(number), plain=plain, links=links, published_at=AT + timedelta(seconds=number))


def judged(*posts: PublicPost, attempt: Attempt | None = None) -> Evidence:
    return judge(attempt or an_attempt(), posts, lambda post: int(post.remote_id) > 10)


def test_a_newer_post_with_our_link_and_our_words_is_ours() -> None:
    evidence = judged(shown(10, "Інше", ()), shown(11))
    assert evidence.presence is Presence.PRESENT
    assert evidence.receipt is not None
    assert evidence.receipt.remote_id == "11"


def test_presence_needs_no_neighbour() -> None:
    assert judged(shown(11)).presence is Presence.PRESENT


def test_the_same_post_from_before_the_attempt_is_not_it() -> None:
    assert judged(shown(9), shown(10, "Інше", ())).presence is Presence.ABSENT


def test_our_link_under_other_words_proves_nothing() -> None:
    evidence = judged(shown(10, "Інше", ()), shown(11, "Редактор написав сам"))
    assert evidence.presence is Presence.NO_EVIDENCE
    assert "other words" in evidence.detail


def test_our_words_without_our_link_are_somebody_elses() -> None:
    assert judged(shown(10, "Інше", ()), shown(11, links=())).presence is Presence.ABSENT


def test_absence_without_the_known_neighbour_in_sight_proves_nothing() -> None:
    assert judged(shown(9, "Інше", ()), shown(12, "Інше", ())).presence is Presence.NO_EVIDENCE


@pytest.mark.parametrize("seen", [10, 9, 6])
def test_any_post_known_before_the_attempt_will_do_and_what_came_before_is_told(seen: int) -> None:
    neighbours = tuple(Neighbour(remote_id=str(number), published_at=AT) for number in (10, 9, 8, 7, 6))
    attempt = replace(an_attempt(), neighbours=neighbours)
    evidence = judged(shown(4, "Давнє", ()), shown(seen, "Інше", ()), shown(12, "Новіше", ()), attempt=attempt)
    assert evidence.presence is Presence.ABSENT
    assert evidence.shown == ("4", str(seen))


def test_an_album_is_seen_by_any_of_its_ids() -> None:
    album = replace(shown(8, "Альбом", ()), more_ids=("9", "10"))
    assert judged(album).presence is Presence.ABSENT


def test_a_post_that_only_an_editor_vouched_for_cannot_be_seen() -> None:
    neighbours = (Neighbour(remote_id="unknown:7", published_at=AT), Neighbour(remote_id="9", published_at=AT))
    assert known_before(replace(an_attempt(watermark="unknown:7"), neighbours=neighbours)) == ["9"]
    assert known_before(replace(an_attempt(), neighbours=neighbours)) == ["10", "9"]


def test_a_post_without_a_link_is_known_by_its_words() -> None:
    assert judged(shown(11, links=()), attempt=an_attempt(link=None)).presence is Presence.PRESENT


def test_spaces_line_ends_and_emoji_selectors_do_not_change_who_a_text_is() -> None:
    assert fingerprint(" ⚠️  Увага\r\n\n\nДим ") == fingerprint("⚠ Увага\n\nДим")
    assert fingerprint("Дим") != fingerprint("Дім")


def test_an_address_is_the_same_however_it_is_escaped() -> None:
    assert same("https://news.example/міст?a=1", "https://news.example/%D0%BC%D1%96%D1%81%D1%82?a=1")
    assert same("https://news.example/a/", "https://news.example/a")
    assert not same("https://news.example/a?x=1", "https://news.example/a?x=2")


def test_addresses_are_found_in_running_text_without_the_marks_around_them() -> None:
    text = "Докладніше (https://news.example/a?b=1), «https://news.example/b»."
    assert addresses(text) == ["https://news.example/a?b=1", "https://news.example/b"]


def test_facebooks_detour_is_taken_off_an_address() -> None:
    assert unwrapped("https://l.facebook.com/l.php?u=https%3A%2F%2Fnews.example%2Fa&h=AT0") == "https://news.example/a"
    assert unwrapped("https://news.example/l.php?u=x") == "https://news.example/l.php?u=x"
