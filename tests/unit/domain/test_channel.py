"""Which article a channel wants, and who may steer it."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from bot.domain.article import Article
from bot.domain.channel import Channel, Platform, why_not
from bot.domain.editor import Editor, Role
from bot.domain.timetable import Timetable

CHANNEL = Channel(
    name="main", platform=Platform.TELEGRAM, address="@example", timetable=Timetable(zone=ZoneInfo("Europe/Kyiv"))
)
ARTICLE = Article(url="https://news.example/1", title="Новина", rubric="Спорт")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        ({"sources": ("site",)}, None),
        ({"sources": ("other",)}, "sources"),
        ({"rubrics": ("спорт",)}, None),
        ({"rubrics": ("Політика",)}, "rubrics"),
        ({"exclude_rubrics": ("СПОРТ",)}, "excluded"),
    ],
)
def test_a_channel_says_what_it_does_not_want(changes, why):
    said = why_not(replace(CHANNEL, **changes), ARTICLE, "site")
    assert (said or "") == "" if why is None else why in (said or "")


def test_an_article_without_an_address_is_wanted_only_where_no_link_is():
    nowhere = replace(ARTICLE, url="urn:sha256:00")
    assert "require_link" in (why_not(CHANNEL, nowhere, "site") or "")
    assert why_not(replace(CHANNEL, require_link=False), nowhere, "site") is None


def test_an_editor_may_do_what_the_role_allows_in_the_editors_own_channels():
    editor = Editor(telegram_id=1, name="Чергова", role=Role.EDITOR, channels=("main",))
    assert editor.may(Role.VIEWER, "main")
    assert editor.may(Role.EDITOR, "main")
    assert not editor.may(Role.CHIEF, "main")
    assert not editor.may(Role.EDITOR, "other")
