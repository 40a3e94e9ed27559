"""Promises reach Apple's push service, and what it answers becomes of them; over real connections."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from app.delivery import breaker, queue
from app.delivery.budget import Policy
from app.delivery.tables import push_budget
from app.errors import Misconfigured
from app.passes.tables import device
from tests.passes.shop import TYPE, register
from tests.worker.conftest import Rig, now, token

SECOND = timedelta(seconds=1)


def test_promises_are_pushed_and_accepted(rig: Rig) -> None:
    phones = rig.phones(50)
    rig.promise(phones)
    with rig.working():
        rig.until(lambda: rig.states() == ["accepted"] * 50)
    pushed = rig.apns.ask(lambda simulator: [(entry.token, entry.topic) for entry in simulator.post.entries])
    assert sorted(pushed) == [(token(number), TYPE) for number in range(50)]
    assert {(tried.status, tried.verdict) for tried in rig.attempts()} == {(200, "accepted")}
    assert len({tried.provider_id for tried in rig.attempts()} - {None}) == 50
    with rig.database.read() as tx:
        assert tx.execute(select(push_budget.c.score, push_budget.c.passes)).all() == [(0.0, 1)] * 50


def test_the_bell_wakes_an_idle_worker(rig: Rig) -> None:
    (phone,) = rig.phones(1)
    bell = rig.bell()
    with rig.working(poll_seconds=5.0):
        time.sleep(0.3)  # it sleeps by now
        began = time.monotonic()
        rig.promise([phone])
        bell.ring()
        rig.until(lambda: rig.states() == ["accepted"])
        assert time.monotonic() - began < 3
    bell.close()


def test_a_phone_without_a_registration_is_gone_without_a_push(rig: Rig) -> None:
    (phone,) = rig.phones(1)
    rig.promise([phone])
    with rig.database.write() as tx:
        tx.execute(device.update().values(unreachable_since=now()))
    with rig.working():
        rig.until(lambda: rig.states() == ["gone"])
    assert rig.rows()[0].reason == "NotRegistered"
    assert rig.attempts() == []
    assert rig.apns.ask(lambda simulator: simulator.post.total) == 0


def test_410_forgets_the_phone_and_tells_which_card_left(rig: Rig) -> None:
    (phone,) = rig.phones(1)
    rig.apns.ask(lambda simulator: simulator.post.forget(token(0), "Unregistered"))
    rig.promise([phone])
    with rig.working():
        rig.until(lambda: rig.states() == ["gone"])
    with rig.database.read() as tx:
        assert tx.scalar(select(device.c.unreachable_since)) is not None
    assert len(rig.gone) == 1


def test_410_from_before_the_last_registration_forgets_nothing_and_is_tried_again(rig: Rig) -> None:
    (phone,) = rig.phones(1)
    long_ago = now() - timedelta(days=1)
    rig.apns.ask(lambda simulator: simulator.post.forget(token(0), "Unregistered", long_ago))
    rig.promise([phone])
    with rig.working():
        rig.until(lambda: [row.reason for row in rig.rows()] == ["Unregistered"])
        with rig.database.write() as tx:
            assert tx.scalar(select(device.c.unreachable_since)) is None
            card = rig.shop.issue(tx)
            register(tx, card, "phone-0", token=token(77), now=now())
        rig.until(lambda: rig.states() == ["accepted"])
    assert rig.gone == []
    assert [tried.status for tried in rig.attempts()] == [410, 200]


def test_503_is_tried_again_and_then_accepted(rig: Rig) -> None:
    rig.apns.turn(next_answers=[{"status": 503, "reason": "ServiceUnavailable", "count": 1}])
    rig.promise(rig.phones(1))
    with rig.working():
        rig.until(lambda: rig.states() == ["accepted"])
    assert [(tried.status, tried.verdict) for tried in rig.attempts()] == [(503, "retry"), (200, "accepted")]


def test_429_waits_as_long_as_it_says(rig: Rig) -> None:
    answer = {"status": 429, "reason": "TooManyRequests", "count": 1, "retry_after": 600}
    rig.apns.turn(next_answers=[answer])
    rig.promise(rig.phones(1))
    with rig.working():
        rig.until(lambda: [row.reason for row in rig.rows()] == ["TooManyRequests"])
    (row,) = rig.rows()
    assert row.state == "pending"
    assert row.due_at - now() > timedelta(minutes=9)


def test_one_bad_token_is_refused_and_its_log_line_does_not_tell_it(rig: Rig) -> None:
    phones = rig.phones(2)
    rig.apns.turn(token_answers={token(1): {"status": 400, "reason": "BadDeviceToken"}})
    rig.promise(phones)
    with capture_logs() as logs, rig.working():
        rig.until(lambda: rig.states() == ["accepted", "refused"])
    (refused,) = [line for line in logs if line["event"] == "push_refused"]
    assert refused["reason"] == "BadDeviceToken"
    assert token(1) not in str(logs)
    with rig.database.read() as tx:
        assert breaker.all_open(tx) == []


def test_a_refused_certificate_opens_the_breaker_and_loses_nothing(rig: Rig) -> None:
    phones = rig.phones(30)
    rig.apns.turn(refuse_certificate=True)
    rig.promise(phones)
    with capture_logs() as logs, rig.working():
        rig.until(lambda: any(line["event"] == "breaker_opened" for line in logs))
        rig.until(lambda: set(rig.states()) == {"pending"})
        assert {row.attempts for row in rig.rows()} == {0}
        with rig.database.read() as tx:
            (row,) = breaker.all_open(tx)
        assert row.reason == "BadCertificate"
        answered = rig.apns.ask(lambda simulator: simulator.post.total)
        late = rig.phones(31)[-1:]
        rig.promise(late)
        time.sleep(0.5)
        assert rig.apns.ask(lambda simulator: simulator.post.total) == answered
        (alarm,) = [line for line in logs if line["event"] == "breaker_opened"]
        assert (alarm["log_level"], alarm["reason"]) == ("error", "BadCertificate")


def test_the_breaker_closes_after_a_probe_gets_through(rig: Rig) -> None:
    phones = rig.phones(30)
    rig.apns.turn(refuse_certificate=True)
    rig.promise(phones)
    with rig.working():
        rig.until(lambda: set(rig.states()) == {"pending"} and len(rig.attempts()) == 30)
    rig.apns.turn(refuse_certificate=False)
    with rig.working(clock=lambda: now() + timedelta(minutes=5)):
        rig.until(lambda: set(rig.states()) == {"accepted"})
    with rig.database.read() as tx:
        assert breaker.all_open(tx) == []


def test_bad_tokens_in_bulk_are_our_fault_and_none_is_refused(rig: Rig) -> None:
    phones = rig.phones(40)
    bad = {token(number): {"status": 400, "reason": "BadDeviceToken"} for number in range(40)}
    rig.apns.turn(token_answers=bad)
    rig.promise(phones)
    with rig.working():
        rig.until(lambda: len([tried for tried in rig.attempts() if tried.finished_at]) == 40)
        rig.until(lambda: "sending" not in rig.states())
    assert {row.state for row in rig.rows() if row.settled_at is None} == {"pending"}
    waiting = {row.device_id for row in rig.rows() if row.state == "pending"}
    assert waiting == set(phones)
    with rig.database.read() as tx:
        assert [row.subject for row in breaker.all_open(tx)] == [f"apple:{TYPE}"]
        assert tx.scalar(select(device.c.id).where(device.c.unreachable_since.is_not(None))) is None


def test_credentials_that_cannot_be_read_open_the_breaker(rig: Rig) -> None:
    def missing(_pass_type: str) -> tuple[bytes, bytes]:
        raise Misconfigured("certificate.pem is missing")

    rig.promise(rig.phones(1))
    with rig.working(rig.channel(credentials=missing)):
        rig.until(lambda: [row.reason for row in rig.rows()] == ["Misconfigured: certificate.pem is missing"])
    assert rig.states() == ["pending"]
    with rig.database.read() as tx:
        assert len(breaker.all_open(tx)) == 1


def test_a_push_service_that_is_away_costs_a_retry(rig: Rig, free_port: int) -> None:
    rig.promise(rig.phones(3))
    away = rig.channel(url=f"https://127.0.0.1:{free_port}", push_timeout=SECOND)
    with rig.working(away):
        rig.until(lambda: {tried.verdict for tried in rig.attempts()} == {"lost"})
    assert set(rig.states()) == {"pending"}
    with rig.working():
        rig.until(lambda: set(rig.states()) == {"accepted"})


def test_a_silent_push_service_is_given_up_in_time(rig: Rig) -> None:
    rig.apns.turn(silent=True)
    rig.promise(rig.phones(2))
    with rig.working(rig.channel(push_timeout=SECOND)):
        rig.until(lambda: [tried.verdict for tried in rig.attempts()] == ["lost", "lost"])
    assert set(rig.states()) == {"pending"}


def test_stopping_finishes_what_is_under_way(rig: Rig) -> None:
    rig.apns.turn(answer_delay_ms=700)
    rig.promise(rig.phones(20))
    with rig.working():
        rig.until(lambda: set(rig.states()) == {"sending"})
    assert set(rig.states()) == {"accepted"}


def test_two_workers_push_everything_once(rig: Rig) -> None:
    rig.promise(rig.phones(300))
    with rig.working(), rig.working():
        rig.until(lambda: set(rig.states()) == {"accepted"})
    assert rig.apns.ask(lambda simulator: simulator.post.total) == 300


def test_what_a_phones_patience_holds_back_stays_pending(rig: Rig) -> None:
    rig.policy = Policy()
    phones = rig.phones(1)
    rig.promise(phones)
    with rig.working():
        rig.until(lambda: rig.states() == ["accepted"])
        rig.promise(phones, "campaign")
        rig.until(lambda: rig.rows()[-1].held_since is not None)
    assert rig.states() == ["accepted", "pending"]


def test_an_expired_lease_is_rescued_by_a_living_worker(rig: Rig) -> None:
    rig.promise(rig.phones(5))
    with rig.database.write() as tx:
        dead = queue.claim(
            tx, owner="dead", now=now() - timedelta(minutes=1), lease=30 * SECOND, policy=Policy()
        )
        assert dead.claimed == ()
        claimed = queue.claim(tx, owner="dead", now=now(), lease=SECOND / 10, policy=Policy()).claimed
        queue.begin_attempts(tx, claimed, now=now())
    assert set(rig.states()) == {"sending"}
    with rig.working():
        rig.until(lambda: set(rig.states()) == {"accepted"})
    assert {row.attempts for row in rig.rows()} == {2}


def test_a_short_lease_of_the_dead_is_noticed_soon_after_its_end(rig: Rig) -> None:
    rig.promise(rig.phones(5))
    with rig.database.write() as tx:
        claimed = queue.claim(tx, owner="dead", now=now(), lease=SECOND, policy=Policy()).claimed
        queue.begin_attempts(tx, claimed, now=now())
    with rig.working(lease=SECOND):
        rig.until(lambda: set(rig.states()) == {"accepted"}, seconds=4)


@pytest.mark.parametrize("size", [1, 40])
def test_a_batch_of_any_size_is_settled(rig: Rig, size: int) -> None:
    rig.promise(rig.phones(size))
    with rig.working():
        rig.until(lambda: rig.states() == ["accepted"] * size)
