"""Promises join while they wait, are claimed once, settled by their holder, and taken back from dead ones."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import Row

from app.db import Database
from app.delivery import queue, retry
from app.delivery.budget import Policy
from app.delivery.promises import Claim, Claimed, Outcome, Unsent, Verdict
from app.delivery.tables import push_budget
from tests.delivery.conftest import NOON, TYPE, Devices, attempts, deliveries

LEASE = timedelta(seconds=30)
SECOND = timedelta(seconds=1)


def enqueue(database: Database, devices: Any, kind: Any = "receipt", after: timedelta = timedelta()) -> None:
    with database.write() as tx:
        queue.enqueue_pushes(tx, devices, pass_type_identifier=TYPE, kind=kind, now=NOON + after)


def claim(database: Database, owner: str = "me", after: timedelta = timedelta(), **more: Any) -> Claim:
    with database.write() as tx:
        taken = queue.claim(tx, owner=owner, now=NOON + after, lease=LEASE, policy=Policy(), **more)
        queue.begin_attempts(tx, taken.claimed, now=NOON + after)
        return taken


def settle(
    database: Database, claimed: Claimed, verdict: Verdict, after: timedelta = timedelta(), **more: Any
) -> dict[Any, Any]:
    owner = more.pop("owner", "me")
    with database.write() as tx:
        outcome = Outcome(claimed=claimed, verdict=verdict, **more)
        return dict(queue.settle(tx, owner, [outcome], now=NOON + after))


def states(database: Database) -> list[str]:
    return [row.state for row in deliveries(database)]


def only(rows: list[Row[Any]]) -> Row[Any]:
    assert len(rows) == 1
    return rows[0]


def test_a_promise_is_claimed_tried_and_accepted(database: Database, devices: Devices) -> None:
    enqueue(database, devices(1))
    (claimed,) = claim(database).claimed
    assert (claimed.attempts, claimed.kind, claimed.pass_type_identifier) == (1, "receipt", TYPE)
    assert states(database) == ["sending"]
    begun = only(attempts(database))
    assert (begun.number, begun.started_at, begun.finished_at) == (1, NOON, None)
    reached = settle(database, claimed, "accepted", SECOND, status=200, provider_id="id-1")
    assert reached == {claimed.id: "accepted"}
    row, tried = only(deliveries(database)), only(attempts(database))
    assert (row.state, row.settled_at, row.owner, row.lease_until) == ("accepted", NOON + SECOND, None, None)
    assert (tried.verdict, tried.status, tried.provider_id) == ("accepted", 200, "id-1")


def test_promises_to_one_device_join_into_one_row(database: Database, devices: Devices) -> None:
    (phone,) = devices(1)
    enqueue(database, [phone], "silent", 5 * SECOND)
    enqueue(database, [phone, phone], "receipt", 9 * SECOND)
    enqueue(database, [phone], "campaign", 1 * SECOND)
    row = only(deliveries(database))
    assert (row.kind, row.priority, row.due_at) == ("receipt", 0, NOON + SECOND)


def test_promises_from_many_threads_join_into_one_row(database: Database, devices: Devices) -> None:
    phones = devices(5)
    start = Barrier(4)

    def promise(order: int) -> None:
        start.wait()
        for _ in range(20):
            enqueue(database, phones if order else list(reversed(phones)))

    threads = [Thread(target=promise, args=(number % 2,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert states(database) == ["pending"] * 5


def test_two_workers_never_hold_the_same_row(database: Database, devices: Devices) -> None:
    enqueue(database, devices(200))
    start = Barrier(4)
    taken: list[int] = []

    def work(owner: str) -> None:
        start.wait()
        while batch := claim(database, owner, limit=7).claimed:
            taken.extend(one.id for one in batch)

    threads = [Thread(target=work, args=(f"worker-{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 200
    assert len(set(taken)) == 200


def test_receipts_are_claimed_before_campaigns_before_silent_ones(
    database: Database, devices: Devices
) -> None:
    first, second, third = devices(3)
    enqueue(database, [first], "silent")
    enqueue(database, [second], "campaign", SECOND)
    enqueue(database, [third], "receipt", 2 * SECOND)
    order = [claim(database, after=3 * SECOND, limit=1).claimed[0].device_id for _ in range(3)]
    assert order == [third, second, first]


def test_what_is_not_due_is_not_claimed(database: Database, devices: Devices) -> None:
    enqueue(database, devices(1), after=SECOND)
    assert claim(database).claimed == ()
    assert len(claim(database, after=SECOND).claimed) == 1


def test_a_blocked_pass_type_waits_and_its_probe_takes_only_its_own(
    database: Database, devices: Devices
) -> None:
    enqueue(database, devices(1))
    assert claim(database, blocked={TYPE}).claimed == ()
    assert claim(database, only="pass.example.other").claimed == ()
    assert len(claim(database, only=TYPE, limit=1).claimed) == 1


def test_a_device_is_not_pushed_again_before_its_last_push_is_answered(
    database: Database, devices: Devices
) -> None:
    phones = devices(1)
    enqueue(database, phones)
    (first,) = claim(database).claimed
    enqueue(database, phones, after=SECOND)
    assert claim(database, "other", SECOND).claimed == ()
    settle(database, first, "gone", SECOND)
    assert len(claim(database, "other", SECOND).claimed) == 1


def test_changes_within_ten_seconds_share_one_trailing_push(database: Database, devices: Devices) -> None:
    phones = devices(1)
    enqueue(database, phones)
    settle(database, claim(database).claimed[0], "accepted")
    for second in (1, 4, 9):
        enqueue(database, phones, after=second * SECOND)
        assert claim(database, after=second * SECOND).held == 1
    row = deliveries(database)[-1]
    assert (row.state, row.due_at, row.held_since) == ("pending", NOON + 10 * SECOND, None)
    assert len(claim(database, after=10 * SECOND).claimed) == 1
    assert len(deliveries(database)) == 2


def test_a_campaign_waits_for_the_phones_budget_and_says_so(database: Database, devices: Devices) -> None:
    phones = devices(1)
    enqueue(database, phones)
    settle(database, claim(database).claimed[0], "accepted")
    enqueue(database, phones, "campaign", 60 * SECOND)
    assert claim(database, after=60 * SECOND) == Claim((), 1)
    row = deliveries(database)[-1]
    assert row.held_since == NOON + 60 * SECOND
    with database.read() as tx:
        seen = queue.snapshot(tx, NOON + 60 * SECOND)
    assert (seen.held, seen.due, seen.waiting, seen.sending) == (1, 0, 0, 0)
    # 0.3 is left: x³ = 0.3, so x = 0.669 and the push may leave after 0.331 of two hours.
    assert timedelta(minutes=39) < row.due_at - NOON < timedelta(minutes=40)
    assert len(claim(database, after=row.due_at - NOON).claimed) == 1


def test_a_receipt_that_joins_a_held_campaign_leaves_at_once(database: Database, devices: Devices) -> None:
    phones = devices(1)
    enqueue(database, phones)
    settle(database, claim(database).claimed[0], "accepted")
    enqueue(database, phones, "campaign", 60 * SECOND)
    claim(database, after=60 * SECOND)
    enqueue(database, phones, "receipt", 61 * SECOND)
    (taken,) = claim(database, after=61 * SECOND).claimed
    assert taken.kind == "receipt"


def test_a_silent_push_waits_until_it_leaves_no_trace(database: Database, devices: Devices) -> None:
    phones = devices(1)
    enqueue(database, phones)
    settle(database, claim(database).claimed[0], "accepted")
    enqueue(database, phones, "silent", 60 * SECOND)
    assert claim(database, after=60 * SECOND).claimed == ()
    assert deliveries(database)[-1].due_at == NOON + timedelta(hours=2)


def test_more_passes_on_the_phone_shorten_the_wait(database: Database, devices: Devices) -> None:
    phones = devices(1)
    enqueue(database, phones)
    settle(database, claim(database).claimed[0], "accepted", passes=4)
    enqueue(database, phones, "silent", 60 * SECOND)
    claim(database, after=60 * SECOND)
    assert deliveries(database)[-1].due_at == NOON + timedelta(minutes=30)


@pytest.mark.parametrize("verdict", ["retry", "lost"])
def test_a_failed_attempt_is_made_again_after_the_schedule(
    database: Database, devices: Devices, verdict: Verdict
) -> None:
    enqueue(database, devices(1))
    settle(database, claim(database).claimed[0], verdict, status=503, reason="ServiceUnavailable")
    row = only(deliveries(database))
    assert (row.state, row.attempts, row.reason) == ("pending", 1, "ServiceUnavailable")
    assert retry.SCHEDULE[0] <= row.due_at - NOON <= retry.SCHEDULE[0] * 1.25


def test_retry_after_is_honoured_and_a_newcomer_does_not_shorten_it(
    database: Database, devices: Devices
) -> None:
    phones = devices(1)
    enqueue(database, phones)
    settle(database, claim(database).claimed[0], "retry", status=429, retry_after=timedelta(minutes=5))
    due = only(deliveries(database)).due_at
    assert due >= NOON + timedelta(minutes=5)
    enqueue(database, phones, after=SECOND)
    assert only(deliveries(database)).due_at == due


def test_attempts_are_bounded(database: Database, devices: Devices) -> None:
    enqueue(database, devices(1))
    after = timedelta()
    for _ in range(retry.MOST_ATTEMPTS):
        (claimed,) = claim(database, after=after).claimed
        settle(database, claimed, "retry", after, reason="InternalServerError")
        after += timedelta(days=1)
    row = only(deliveries(database))
    assert (row.state, row.attempts, row.reason) == (
        "exhausted",
        retry.MOST_ATTEMPTS,
        "InternalServerError",
    )
    assert [tried.number for tried in attempts(database)] == list(range(1, retry.MOST_ATTEMPTS + 1))


def test_an_attempt_that_was_not_its_fault_does_not_wear_a_promise_out(
    database: Database, devices: Devices
) -> None:
    enqueue(database, devices(1))
    settle(database, claim(database).claimed[0], "retry", reason="BadCertificate", counts=False)
    assert only(deliveries(database)).attempts == 0


def test_a_retry_is_superseded_by_a_newer_promise_that_takes_over_its_urgency(
    database: Database, devices: Devices
) -> None:
    phones = devices(1)
    enqueue(database, phones, "receipt")
    (claimed,) = claim(database).claimed
    enqueue(database, phones, "silent", SECOND)
    assert settle(database, claimed, "retry", SECOND) == {claimed.id: "superseded"}
    old, new = deliveries(database)
    assert (old.state, old.settled_at) == ("superseded", NOON + SECOND)
    assert (new.state, new.kind, new.due_at) == ("pending", "receipt", NOON + SECOND)


def test_a_newer_promise_takes_over_the_wait_that_the_provider_asked_for(
    database: Database, devices: Devices
) -> None:
    phones = devices(1)
    enqueue(database, phones)
    (claimed,) = claim(database).claimed
    enqueue(database, phones, after=SECOND)
    wait = timedelta(minutes=5)
    settle(database, claimed, "retry", SECOND, status=429, retry_after=wait)
    enqueue(database, phones, after=2 * SECOND)  # neither does a third one shorten it
    old, new = deliveries(database)
    assert (old.state, new.state, new.due_at) == ("superseded", "pending", NOON + SECOND + wait)
    assert claim(database, after=wait).claimed == ()
    assert len(claim(database, after=SECOND + wait).claimed) == 1


def test_a_wait_of_an_open_breaker_is_not_the_devices(database: Database, devices: Devices) -> None:
    phones = devices(1)
    enqueue(database, phones)
    (claimed,) = claim(database).claimed
    enqueue(database, phones, after=SECOND)
    settle(database, claimed, "retry", SECOND, retry_after=timedelta(minutes=1), counts=False)
    assert deliveries(database)[1].due_at == NOON + SECOND


def test_a_receipt_that_joins_a_campaign_held_after_a_retry_leaves_at_once(
    database: Database, devices: Devices
) -> None:
    phones = devices(1)
    enqueue(database, phones, "campaign")
    settle(database, claim(database).claimed[0], "accepted")
    enqueue(database, phones, "campaign", timedelta(hours=2))
    (claimed,) = claim(database, after=timedelta(hours=2)).claimed
    settle(database, claimed, "retry", timedelta(hours=2), status=503)
    with database.write() as tx:  # meanwhile another push used the phone's patience up
        pushed = NOON + timedelta(hours=2)
        tx.execute(push_budget.update().values(score=1.0, last_push_at=pushed))
    assert claim(database, after=timedelta(hours=2, minutes=1)).held == 1
    enqueue(database, phones, "receipt", timedelta(hours=2, minutes=2))
    assert len(claim(database, after=timedelta(hours=2, minutes=2)).claimed) == 1


def test_a_dead_owners_rows_come_back_after_the_lease(database: Database, devices: Devices) -> None:
    enqueue(database, devices(2))
    assert len(claim(database, "dead").claimed) == 2
    with database.write() as tx:
        assert queue.rescue(tx, now=NOON + LEASE) == 0
    assert claim(database, "alive", LEASE).claimed == ()
    with database.write() as tx:
        assert queue.rescue(tx, now=NOON + LEASE + SECOND) == 2
    assert {tried.verdict for tried in attempts(database)} == {"lost"}
    assert [one.attempts for one in claim(database, "alive", LEASE + SECOND).claimed] == [2, 2]


def test_a_rescued_row_gives_way_to_a_newer_promise(database: Database, devices: Devices) -> None:
    phones = devices(1)
    enqueue(database, phones)
    claim(database, "dead")
    enqueue(database, phones, after=SECOND)
    with database.write() as tx:
        queue.rescue(tx, now=NOON + LEASE + SECOND)
    assert states(database) == ["superseded", "pending"]


def test_a_row_that_kills_every_worker_is_exhausted(database: Database, devices: Devices) -> None:
    enqueue(database, devices(1))
    after = timedelta()
    for _ in range(retry.MOST_ATTEMPTS):
        assert len(claim(database, "victim", after).claimed) == 1
        after += LEASE + SECOND
        with database.write() as tx:
            assert queue.rescue(tx, now=NOON + after) == 1
    assert only(deliveries(database)).state == "exhausted"


def test_an_owner_that_lost_its_lease_changes_nothing(database: Database, devices: Devices) -> None:
    enqueue(database, devices(1))
    (stale,) = claim(database, "slow").claimed
    later = LEASE + SECOND
    with database.write() as tx:
        queue.rescue(tx, now=NOON + later)
    claim(database, "quick", later)
    before = deliveries(database), attempts(database)
    verdicts: tuple[Verdict, ...] = ("accepted", "retry", "gone", "refused", "lost")
    for verdict in verdicts:
        assert settle(database, stale, verdict, later, owner="slow") == {}
    with database.write() as tx:
        queue.release(tx, "slow", [stale], reason="Stopped", due_at=NOON, now=NOON)
        queue.settle_unsent(tx, "slow", [Unsent(claimed=stale, state="gone", reason="x")], now=NOON)
    assert (deliveries(database), attempts(database)) == before


def test_a_promise_without_anybody_to_send_it_to_ends_without_an_attempt(
    database: Database, devices: Devices
) -> None:
    enqueue(database, devices(1))
    with database.write() as tx:
        (claimed,) = queue.claim(tx, owner="me", now=NOON, lease=LEASE, policy=Policy()).claimed
        unsent = Unsent(claimed=claimed, state="gone", reason="NotRegistered")
        queue.settle_unsent(tx, "me", [unsent], now=NOON)
    row = only(deliveries(database))
    assert (row.state, row.reason, row.attempts) == ("gone", "NotRegistered", 0)
    assert attempts(database) == []


def test_a_released_promise_is_due_again_and_not_worn(database: Database, devices: Devices) -> None:
    enqueue(database, devices(1))
    with database.write() as tx:
        (claimed,) = queue.claim(tx, owner="me", now=NOON, lease=LEASE, policy=Policy()).claimed
        queue.release(tx, "me", [claimed], reason="BreakerOpen", due_at=NOON + SECOND, now=NOON)
    row = only(deliveries(database))
    assert (row.state, row.attempts, row.due_at, row.owner) == ("pending", 0, NOON + SECOND, None)


def test_settled_rows_are_purged_when_old_and_live_ones_never(database: Database, devices: Devices) -> None:
    first, second, third = devices(3)
    enqueue(database, [first])
    settle(database, claim(database).claimed[0], "accepted")
    enqueue(database, [second], after=SECOND)
    settle(database, claim(database, after=SECOND).claimed[0], "accepted", SECOND)
    enqueue(database, [third])
    with database.write() as tx:
        assert queue.purge(tx, settled_before=NOON + SECOND) == 1
        assert queue.purge(tx, settled_before=NOON + SECOND) == 0
    assert [row.device_id for row in deliveries(database)] == [second, third]
    assert len(attempts(database)) == 1


def test_the_snapshot_counts_what_is_due_waiting_and_on_its_way(database: Database, devices: Devices) -> None:
    first, second, third = devices(3)
    enqueue(database, [first])
    claim(database)
    enqueue(database, [second])
    enqueue(database, [third], after=100 * SECOND)
    with database.read() as tx:
        seen = queue.snapshot(tx, NOON + 7 * SECOND)
    assert (seen.due, seen.waiting, seen.held, seen.sending) == (1, 1, 0, 1)
    assert seen.oldest_due_seconds == 7
    assert seen.open_breakers == ()
