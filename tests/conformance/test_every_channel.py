"""What every channel promises, whatever it carries and whoever is outside: one suite for all of them."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from tests.conformance.parties import LEASE, TAKEN, Stage
from tests.worker.conftest import now

SECOND = timedelta(seconds=1)


def test_two_workers_keep_each_promise_once_and_count_it(stage: Stage) -> None:
    party = stage.party
    with party.up(), stage.beside.up():
        before = party.settled()
        party.slow(20)
        with stage.working(), stage.working(owner="the other"):
            party.promise(40)
            stage.until(lambda: stage.states() <= TAKEN)
        taken = party.taken()
    assert set(taken.values()) == {1}
    assert len(taken) == 40
    assert [tried.verdict for tried in stage.attempts()] == ["accepted"] * 40
    assert {row.attempts for row in stage.rows()} == {1}
    counted = {state: count - before.get(state, 0) for state, count in party.settled().items()}
    if party.name == "apple":
        assert counted["accepted"] == 40
    else:  # a receipt may be faster than the answer to its text
        assert 0 < counted["accepted"] <= 40


def test_an_attempt_is_written_before_the_call_and_completed_after_it(stage: Stage) -> None:
    party = stage.party
    with party.up(), stage.beside.up():
        party.slow(600)
        with stage.working():
            party.promise(2)
            stage.until(lambda: party.taken().total() == 2 or stage.states() == {"sending"})
            assert [(tried.finished_at, tried.verdict) for tried in stage.attempts()] == [(None, None)] * 2
            assert all(row.owner and row.lease_until > now() for row in stage.rows())
            stage.until(lambda: stage.states() <= TAKEN)
    for tried in stage.attempts():
        assert tried.finished_at >= tried.started_at
        assert (tried.verdict, bool(tried.provider_id)) == ("accepted", True)
    assert {(row.owner, row.lease_until) for row in stage.rows()} == {(None, None)}


def test_refused_is_the_end_of_that_promise_alone(stage: Stage) -> None:
    party = stage.party
    with party.up(), stage.beside.up():
        party.refuse_first()
        with stage.working():
            party.promise(5)
            stage.until(lambda: not stage.states() & {"pending", "sending"})
        assert party.taken().total() == 4
    assert [row.state == "refused" for row in stage.rows()] == [True] + [False] * 4
    assert {tried.verdict for tried in stage.attempts()} == {"accepted", "refused"}


def test_busy_means_later_and_nothing_is_lost(stage: Stage) -> None:
    party = stage.party
    with party.up(), stage.beside.up():
        party.busy(True)
        with stage.working():
            party.promise(1)
            stage.until(lambda: [tried.verdict for tried in stage.attempts()] == ["retry"])
            (row,) = stage.rows()
            assert (row.state, row.attempts) == ("pending", 1)
            assert row.due_at > now()
            party.busy(False)
            stage.until(lambda: stage.states() <= TAKEN)
        assert party.taken().total() == 1
    assert [tried.number for tried in stage.attempts()] == [1, 2]


def test_who_is_gone_gets_nothing_more(stage: Stage) -> None:
    party = stage.party
    with party.up(), stage.beside.up():
        state = party.lose_first()
        with stage.working():
            if party.name == "apple":
                party.promise(1)
            stage.until(lambda: stage.states() == {state})
        assert party.taken().total() == 0


def test_an_outside_party_that_is_away_stops_nobody_else_and_all_is_kept_when_it_is_back(
    stage: Stage,
) -> None:
    party, beside = stage.party, stage.beside
    with beside.up(), stage.working():
        party.promise(3)
        beside.promise(3)
        stage.until(lambda: stage.states(beside) <= TAKEN)
        stage.until(lambda: {(row.state, row.attempts > 0) for row in stage.rows()} == {("pending", True)})
        with party.up():
            stage.until(lambda: stage.states() <= TAKEN, 40)
            assert party.taken().total() == 3
    assert min(row.attempts for row in stage.rows()) > 1


def test_a_worker_that_dies_before_it_sends_loses_nothing_that_can_be_known(stage: Stage) -> None:
    _die(stage, sent=False)
    taken = {"sent again": 1, "asked for": 1, "given up": 0}
    assert stage.party.taken().total() == taken[stage.party.after_a_crash]


def test_a_worker_that_dies_between_sending_and_settling_sends_no_text_twice(stage: Stage) -> None:
    """A push may be repeated; a text is asked for, or given up until its receipt tells."""
    _die(stage, sent=True)
    taken = {"sent again": 2, "asked for": 1, "given up": 1}
    assert stage.party.taken().total() == taken[stage.party.after_a_crash]


def _die(stage: Stage, *, sent: bool) -> None:
    """A worker takes one promise and dies; another takes it back when its lease is over."""
    party = stage.party
    stage.stack.enter_context(party.up())
    party.promise(1)
    dead = party.hands("dead", now)
    ready = dead.take(10).ready
    assert len(ready) == 1
    (held,) = stage.rows()
    assert (held.state, held.owner) == ("sending", "dead")
    if sent:
        party.send(ready)
        time.sleep(0.1)
    assert party.hands("too early", now).rescue() == 0

    def later() -> datetime:
        return now() + LEASE + SECOND

    other = party.hands("other", later)
    assert not other.take(10).ready  # leased still
    assert other.rescue() == 1
    other.settle(other.hear(party.send(other.take(10).ready)))
    (row,) = stage.rows()
    verdicts = [tried.verdict for tried in stage.attempts()]
    assert None not in verdicts
    assert verdicts[0] == "lost"
    if party.after_a_crash == "given up":
        assert (row.state, row.reason, verdicts) == ("exhausted", "Unknown", ["lost"])
        stage.hear()
        if sent and party.name == "twilio":
            assert stage.states() == {"delivered"}  # by our reference in the receipt's address
    else:
        assert row.state in TAKEN
    dead.settle(dead.hear(()))  # whoever was dead and comes back changes nothing
    assert stage.rows()[0].attempts == row.attempts
