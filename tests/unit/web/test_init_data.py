"""What Telegram signs is believed; nothing else is."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode

import pytest

from bot.errors import DeskError
from bot.web.init_data import Signed, read, require_fresh
from tests.factories import NOON
from tests.journeys.outlet import BOT_TOKEN
from tests.web.newsroom import EDITOR, SECOND_TOKEN, signature, signed

TOKENS = [BOT_TOKEN, SECOND_TOKEN]


def believed(init_data: str) -> Signed:
    signed = read(init_data, TOKENS)
    require_fresh(signed, NOON)
    return signed


@pytest.mark.parametrize("token", TOKENS)
def test_what_any_of_the_bots_signed_names_a_person(token: str) -> None:
    assert read(signed(EDITOR, token=token), TOKENS).telegram_id == EDITOR


@pytest.mark.parametrize("age", [timedelta(0), timedelta(minutes=5), timedelta(seconds=-20)])
def test_data_are_good_for_five_minutes(age: timedelta) -> None:
    assert believed(signed(EDITOR, NOON - age)).signed_at == NOON - age


def test_the_same_data_have_the_same_name_in_whatever_order_they_come() -> None:
    data = signed(EDITOR)
    backwards = urlencode(list(reversed(parse_qsl(data))))
    assert read(data, TOKENS).signature == read(backwards, TOKENS).signature


def test_fields_that_telegram_may_add_are_no_hindrance() -> None:
    assert read(signed(EDITOR, signature="abc", chat_type="private", new=""), TOKENS).telegram_id == EDITOR


@pytest.mark.parametrize(
    "init_data",
    [
        pytest.param(signed(EDITOR, token="100000009:AAE-a-token-of-somebody-else-altogether"), id="another bot's"),
        pytest.param(signed(EDITOR).replace("1002", "1001"), id="another person's name put in"),
        pytest.param(signed(EDITOR).replace("hash=", "Hash="), id="a hash under another name"),
        pytest.param(signed(EDITOR).replace("hash=", "signature="), id="a signature alone"),
        pytest.param(signed(EDITOR) + "&start_param=x", id="a field added"),
        pytest.param(signed(EDITOR).replace("hash=", "hash=0"), id="a hash too long"),
        pytest.param(re.sub("hash=.*", "hash=", signed(EDITOR)), id="an empty hash"),
        pytest.param(re.sub("&hash=.*", "", signed(EDITOR)), id="no hash"),
        pytest.param(signed(EDITOR) + "&user=%7B%22id%22%3A1001%7D", id="a second person behind the first"),
        pytest.param("user=%7B%22id%22%3A1001%7D&" + signed(EDITOR), id="a second person before the first"),
        pytest.param(signed(EDITOR) + "&auth_date=9999999999", id="a second date"),
        pytest.param(signed(None), id="no person"),
        pytest.param(signed(user="[]"), id="a person who is a list"),
        pytest.param(signed(user='{"id": "1001"}'), id="a number in quotes"),
        pytest.param(signed(user='{"id": true}'), id="a truth for a number"),
        pytest.param(signed(user='{"id": 1e3}'), id="a fraction for a number"),
        pytest.param(signed(user='{"id": -1002}'), id="a number below zero"),
        pytest.param(signed(user='{"id": ' + "9" * 4000 + "}"), id="a number without end"),
        pytest.param(signed(user="[" * 3000), id="brackets without end"),
        pytest.param(signed(EDITOR, auth_date="now"), id="a date in words"),
        pytest.param(signed(EDITOR, auth_date="-1"), id="a date before all dates"),
        pytest.param(signed(EDITOR, auth_date=""), id="no date"),
        pytest.param(signed(EDITOR, NOON - timedelta(minutes=5, seconds=1)), id="older than five minutes"),
        pytest.param(signed(EDITOR, NOON + timedelta(minutes=2)), id="from the future"),
        pytest.param(signed(EDITOR, chat="x" * 9000), id="too long"),
        pytest.param("", id="nothing"),
        pytest.param("a=b", id="something else"),
        pytest.param("&&&===%00%ff%", id="rubbish"),
        pytest.param("&".join(f"a{number}=1" for number in range(500)), id="fields without end"),
        pytest.param(signed(EDITOR, start_param="x\ny=z"), id="a line end in a field"),
    ],
)
def test_data_that_are_not_exactly_right_name_nobody(init_data: str) -> None:
    with pytest.raises(DeskError, match=r"[а-яі]"):
        believed(init_data)


def test_no_bot_vouches_for_nobody() -> None:
    with pytest.raises(DeskError):
        read(signed(EDITOR), [])


def test_one_signature_never_vouches_for_two_readings() -> None:
    # Signed for a stranger; read with other line ends it would be the chief's.
    told = {"auth_date": str(int(NOON.timestamp())), "chat": '1\nuser={"id": 1001}\nz=', "user": '{"id": 6666}'}
    split = {"auth_date": told["auth_date"], "chat": "1", "user": '{"id": 1001}', "z": '\nuser={"id": 6666}'}
    assert signature(told, BOT_TOKEN) == signature(split, BOT_TOKEN)
    for fields in (told, split):
        with pytest.raises(DeskError):
            read(urlencode(fields | {"hash": signature(told, BOT_TOKEN)}), TOKENS)
