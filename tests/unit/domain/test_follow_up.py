"""What a changed or retracted article does to its public post."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.channel import Approval, Corrections, Retractions
from bot.domain.delivery import Kind, State, Turn
from bot.domain.follow_up import correction, retraction
from tests.unit.domain.test_channel import CHANNEL

GATHER = timedelta(minutes=2)


@pytest.mark.parametrize(
    ("setting", "kind"), [(Corrections.EDIT, Kind.EDIT), (Corrections.NOTICE, Kind.PUBLISH), (Corrections.OFF, None)]
)
def test_a_correction_follows_the_channels_setting(setting, kind):
    assert correction(replace(CHANNEL, corrections=setting), headline_changed=True, gather=GATHER).kind is kind


def test_quick_corrections_are_gathered_before_an_edit_goes_out():
    assert correction(CHANNEL, headline_changed=False, gather=GATHER).wait == GATHER


def test_an_edit_asks_the_editor_only_where_it_changes_the_headline():
    asking = replace(CHANNEL, approval=Approval.EDITOR)
    assert correction(asking, headline_changed=True, gather=GATHER).state is State.PROPOSED
    assert correction(asking, headline_changed=False, gather=GATHER).state is State.PLANNED


@pytest.mark.parametrize(
    ("setting", "kind", "rung"),
    [
        (Retractions.DELETE, Kind.WITHDRAW, 0),
        (Retractions.NOTICE, Kind.WITHDRAW, 1),
        (Retractions.OFF, None, 0),
    ],
)
def test_a_retraction_follows_the_channels_setting(setting, kind, rung):
    change = retraction(replace(CHANNEL, retractions=setting))
    assert (change.kind, change.rung) == (kind, rung)


def test_a_withdrawal_goes_before_all_else():
    assert retraction(CHANNEL).turn is Turn.WITHDRAWAL
