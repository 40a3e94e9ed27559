"""When a worker looks and settles: at once where it is quiet, together where it is not."""

from __future__ import annotations

import pytest

from app.worker.agenda import APART, Agenda

SOON = APART / 4


def _agenda() -> Agenda:
    agenda = Agenda(poll_seconds=1.0, batch=200)
    agenda.looked(10.0, more=False)
    return agenda


def test_a_ring_in_the_quiet_is_followed_at_once() -> None:
    agenda = _agenda()
    assert not agenda.must_look(10.5)
    agenda.rang(10.5)
    assert agenda.must_look(10.5)


def test_a_ring_soon_after_a_look_waits_for_others() -> None:
    agenda = _agenda()
    agenda.rang(10.0 + SOON)
    assert not agenda.must_look(10.0 + SOON)
    assert agenda.pause(10.0 + SOON, answered=0, unanswered=0, full=False) == pytest.approx(APART - SOON)
    assert agenda.must_look(10.0 + APART)


def test_without_a_bell_there_is_a_poll() -> None:
    agenda = _agenda()
    assert agenda.pause(10.0, answered=0, unanswered=0, full=False) == 1.0
    assert agenda.must_look(11.0)


def test_a_look_that_found_its_fill_is_followed_by_the_next() -> None:
    agenda = _agenda()
    agenda.looked(10.5, more=True)
    assert agenda.must_look(10.5)
    assert (
        agenda.pause(10.5, answered=0, unanswered=0, full=True) > 0
    )  # nothing could be sent: no turn for nothing


def test_answers_are_settled_when_all_are_there_or_enough_or_after_a_while() -> None:
    agenda = _agenda()
    agenda.settled(10.0)
    assert not agenda.must_settle(10.5, answered=0, unanswered=0)
    assert agenda.must_settle(10.0, answered=3, unanswered=0)
    assert agenda.must_settle(10.0, answered=200, unanswered=900)
    assert not agenda.must_settle(10.0 + SOON, answered=3, unanswered=1)
    assert agenda.pause(10.0 + SOON, answered=3, unanswered=1, full=False) == pytest.approx(APART - SOON)
    assert agenda.must_settle(10.0 + APART, answered=3, unanswered=1)


def test_what_was_settled_makes_room_for_the_next_promise_of_its_phone() -> None:
    agenda = _agenda()
    agenda.settled(10.5)
    assert agenda.must_look(10.5)


def test_enough_answers_are_settled_at_once_though_all_hands_are_full() -> None:
    agenda = _agenda()
    agenda.settled(10.0)
    assert agenda.pause(10.0, answered=200, unanswered=1800, full=True) == 0
