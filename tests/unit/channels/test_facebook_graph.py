from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.channels.facebook_graph import next_page, rest
from bot.errors import UnansweredError


@pytest.mark.parametrize(
    ("usage", "seconds"), [(0, 0), (74.9, 0), (75, 0), (80, 12), (87.5, 30), (95, 48), (100, 60), (250, 60)]
)
def test_a_page_slows_down_the_more_the_nearer_its_allowance_is_to_its_end(usage: float, seconds: float) -> None:
    assert rest(usage) == timedelta(seconds=seconds)


@pytest.mark.parametrize("usage", [0.0, 80.0, 100.0])
def test_where_meta_tells_when_access_comes_back_that_is_how_long_a_page_rests(usage: float) -> None:
    assert rest(usage, timedelta(minutes=7)) == timedelta(minutes=7)


@pytest.mark.parametrize(
    ("content", "turn"),
    [
        ({}, None),
        ({"paging": {}}, None),
        ({"paging": []}, None),
        ({"paging": {"cursors": {"before": "a", "after": "b"}}}, None),
        ({"paging": {"next": "https://graph.facebook.com/v26.0/1/posts?after=b&limit=100"}}, {"after": "b"}),
        ({"paging": {"next": "https://elsewhere.example/?access_token=secret&after=b%3D"}}, {"after": "b="}),
        (
            {"paging": {"next": "https://graph.facebook.com/1/posts?until=17&__paging_token=x&fields=id"}},
            {"until": "17", "__paging_token": "x"},
        ),
    ],
)
def test_of_the_address_of_a_next_page_only_the_place_in_the_list_is_taken(
    content: dict[str, Any], turn: dict[str, str] | None
) -> None:
    assert next_page(content) == turn


@pytest.mark.parametrize("address", ["https://graph.facebook.com/1/posts?limit=25", "https://[bad", ""])
def test_a_next_page_that_cannot_be_asked_for_makes_the_list_no_answer(address: str) -> None:
    with pytest.raises(UnansweredError):
        next_page({"paging": {"next": address}})
