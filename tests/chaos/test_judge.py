"""The judge of the chaos suite sees what must never happen: it is shown made-up records of it."""

from __future__ import annotations

from typing import Any

from tests.chaos.judge import Called, Shown, Verdict, Wanted, judge, judge_bans

GAPS = {"news": 0.2, "sport": 0.0}


def an_article(number: int, **changes: Any) -> Wanted:
    made: dict[str, Any] = {
        "number": number,
        "rank": float(number),
        "sent_at": 10.0 * number,
        "accepted_at": 10.0 * number + 1,
        "newest": f"Title {number}",
    }
    return Wanted(**made | changes)


def a_post(article: int | None, at: float, channel: str = "news", **changes: Any) -> Shown:
    made: dict[str, Any] = {"gone_at": None, "text": f"Title {article}", "id": f"{channel}/{at}"}
    return Shown(channel=channel, article=article, at=at, **made | changes)


def everywhere(*posts: Shown) -> list[Shown]:
    """The same posts in the other channel, where all is well."""
    first = {post.article: a_post(post.article, post.at, "sport") for post in reversed(posts)}
    return [*posts, *first.values()]


def kinds(verdict: Verdict) -> list[str]:
    return [one.kind for one in verdict.violations]


def test_articles_that_every_channel_shows_once_and_in_order_are_well():
    verdict = judge([an_article(1), an_article(2)], everywhere(a_post(1, 15), a_post(2, 25)), GAPS)
    assert kinds(verdict) == []
    assert (verdict.wanted, verdict.once, verdict.smallest_gap, verdict.required_gap) == (4, 4, 10.0, 0.2)


def test_a_post_that_is_nowhere_is_lost():
    verdict = judge([an_article(1)], [a_post(1, 15)], GAPS)
    assert [(one.kind, one.channel, one.article) for one in verdict.violations] == [("lost", "sport", 1)]


def test_a_post_that_was_taken_down_unasked_is_lost():
    verdict = judge([an_article(1)], [a_post(1, 15, gone_at=20.0), a_post(1, 15, "sport")], GAPS)
    assert kinds(verdict) == ["lost"]


def test_two_posts_of_an_article_side_by_side_are_a_double():
    verdict = judge([an_article(1)], everywhere(a_post(1, 15), a_post(1, 90)), GAPS)
    assert kinds(verdict) == ["doubled"]
    assert verdict.once == 1


def test_two_posts_one_after_the_other_are_a_double_unless_the_first_was_asked_back():
    posts = everywhere(a_post(1, 15, gone_at=50.0), a_post(1, 90))
    assert kinds(judge([an_article(1)], posts, GAPS)) == ["doubled"]
    late = an_article(1, retracted_at=60.0)
    assert "doubled" in kinds(judge([late], posts, GAPS))


def test_a_retracted_post_may_come_back_for_a_while_only_with_an_older_database():
    posts = [a_post(1, 15, gone_at=50.0), a_post(1, 90, gone_at=95.0), a_post(1, 15, "sport", gone_at=50.0)]
    retracted = [an_article(1, retracted_at=40.0)]
    assert kinds(judge(retracted, posts, GAPS)) == ["doubled"]
    assert kinds(judge(retracted, posts, GAPS, restored_at=[70.0])) == []
    assert kinds(judge(retracted, posts, GAPS, restored_at=[10.0])) == ["doubled"]


def test_a_retracted_post_must_be_gone_and_need_never_have_been_there():
    retracted = [an_article(1, retracted_at=40.0)]
    gone, there = a_post(1, 15, gone_at=50.0), a_post(1, 15)
    verdict = judge(retracted, [gone], GAPS)
    assert (kinds(verdict), verdict.once, verdict.spared) == ([], 1, 1)
    assert kinds(judge(retracted, [there], GAPS)) == ["not taken back"]


def test_a_correction_must_have_arrived():
    corrected = [an_article(1, newest="Title 1 (2)")]
    verdict = judge(corrected, [a_post(1, 15), a_post(1, 15, "sport", text="Title 1 (2)")], GAPS)
    assert [(one.kind, one.channel) for one in verdict.violations] == [("not corrected", "news")]


def test_a_post_of_no_article_is_noticed():
    assert kinds(judge([an_article(1)], [*everywhere(a_post(1, 15)), a_post(None, 30)], GAPS)) == ["foreign"]


def test_an_article_that_overtakes_an_earlier_one_known_with_it_is_out_of_order():
    articles = [an_article(1, sent_at=10.0), an_article(2, sent_at=10.0)]
    posts = everywhere(a_post(2, 15), a_post(1, 25))
    assert kinds(judge(articles, posts, GAPS)) == ["out of order", "out of order"]
    assert kinds(judge(articles, posts, GAPS, ever_held={("news", 1)})) == ["out of order"]
    assert kinds(judge(articles, posts, GAPS, ever_held={("news", 1), ("sport", 1)})) == []


def test_an_article_that_was_known_before_goes_before():
    posts = everywhere(a_post(2, 35), a_post(1, 45))
    assert kinds(judge([an_article(1), an_article(2)], posts, GAPS)) == ["out of order", "out of order"]


def test_what_came_in_late_may_go_out_late_and_breaking_news_early():
    late = [an_article(1, sent_at=30.0, accepted_at=31.0), an_article(2)]
    assert kinds(judge(late, everywhere(a_post(2, 25), a_post(1, 35)), GAPS)) == []
    breaking = [an_article(1), an_article(2, breaking=True)]
    assert kinds(judge(breaking, everywhere(a_post(2, 25), a_post(1, 35)), GAPS)) == []


def test_posts_nearer_than_the_gap_are_seen_in_channels_that_keep_one():
    posts = everywhere(a_post(1, 15.0), a_post(2, 15.1))
    verdict = judge([an_article(1), an_article(2)], posts, GAPS)
    assert [(one.kind, one.channel) for one in verdict.violations] == [("too near", "news")]
    breaking = [an_article(1), an_article(2, breaking=True)]
    assert kinds(judge(breaking, posts, GAPS)) == []


def test_held_and_refused_posts_are_told_apart_from_lost_ones():
    verdict = judge([an_article(1)], [], GAPS, still_held={("news", 1)}, ended={("sport", 1): "refuse: 400"})
    assert (kinds(verdict), verdict.held, verdict.ended) == ([], 1, 1)


def test_an_excuse_hides_no_double():
    verdict = judge([an_article(1)], everywhere(a_post(1, 15), a_post(1, 90)), GAPS, still_held={("news", 1)})
    assert kinds(verdict) == ["doubled"]


def test_a_call_inside_a_ban_is_seen_unless_the_worker_that_was_told_cannot_have_heard_of_it():
    calls = [
        Called(at=10.0, key="page", worker="one", banned_for=3),
        Called(at=11.0, key="page", worker="other", inside_ban=True),
        Called(at=11.0, key="elsewhere"),
    ]

    def judged(interrupted: dict[str, list[float]]) -> Verdict:
        verdict = Verdict()
        judge_bans(verdict, calls, interrupted, hearing=0.5)
        return verdict

    assert kinds(judged({})) == ["inside a ban"]
    assert kinds(judged({"one": [5.0, 10.8]})) == ["inside a ban"]
    assert kinds(judged({"other": [10.2]})) == ["inside a ban"]
    unheard = judged({"one": [10.2]})
    assert (kinds(unheard), unheard.unheard) == ([], 1)
