"""Texts as promises: how they are claimed, ended, tried again or never again, and what receipts change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.db import Database
from app.delivery import queue, retry, stopped, texts
from app.delivery.budget import Policy
from app.delivery.tables import delivery, text_message
from app.delivery.text_promises import TEXT_EDGES, ReceiptTold
from app.delivery.texts import ASK_AFTER
from tests.delivery.texting import HOUR, LEASE, MINUTE, NOON, SECOND, Texting, came, open_texting


@pytest.fixture
def texting(database: Database) -> Texting:
    return open_texting(database)


def receipt(texting: Texting, state: str = "delivered", **named: Any) -> ReceiptTold:
    return ReceiptTold(**({"login": texting.login, "state": state, "reason": state} | named))


def hear(texting: Texting, *told: ReceiptTold, now: Any = NOON) -> int:
    with texting.database.write() as tx:
        return texts.hear_receipts(tx, told, now=now)


def test_the_urgent_leaves_first_and_each_has_a_reference_of_its_own(texting: Texting) -> None:
    kinds = ["advertising", "service", "code", "service"]
    ids = texting.promise([texting.draft(n, kind=kind) for n, kind in enumerate(kinds)])
    claimed = texting.claim()
    assert [one.kind for one in claimed] == ["code", "service", "service", "advertising"]
    assert {one.id for one in claimed} == set(ids)
    assert len({one.reference for one in claimed}) == 4
    assert all(0 < one.reference < 2**31 for one in claimed)
    assert [texting.text(one).number for one in ids] == [f"+7900{n:07d}" for n in range(4)]
    assert texting.claim(now=NOON + SECOND) == []


def test_a_number_is_in_no_repr(texting: Texting) -> None:
    (one,) = texting.promise([texting.draft(7)])
    (claimed,) = texting.claim()
    assert "0000007" not in repr(claimed) + repr(texting.text(one)) + repr(texting.draft(7))


def test_pushes_and_texts_do_not_touch_each_other(texting: Texting) -> None:
    texting.promise([texting.draft()])
    with texting.database.write() as tx:
        policy = Policy()
        assert queue.claim(tx, owner="me", now=NOON, lease=LEASE, policy=policy).claimed == ()
        assert queue.snapshot(tx, NOON).due == 0
    texting.claim()
    with texting.database.write() as tx:
        assert queue.rescue(tx, now=NOON + HOUR) == 0
        assert texts.rescue_texts(tx, now=NOON + HOUR, can_ask={"main"}) == 1


def test_a_claim_keeps_the_rate_and_what_is_not_sent_takes_none_of_it(texting: Texting) -> None:
    texting.promise([texting.draft(n) for n in range(40)])
    assert len(texting.claim(rate=10, burst=3)) == 8  # three at once, and five in the next half second
    assert texting.claim(rate=10, burst=3) == []
    assert len(texting.claim(rate=10, burst=3, now=NOON + SECOND)) == 8
    with texting.database.write() as tx:
        later = NOON + 2 * SECOND
        claimed = texts.claim_texts(
            tx, owner="me", login="main", rate=10, burst=3, now=later, lease=LEASE, limit=500
        )
        texts.end_unsent(tx, "me", [(one, "gone", "ConsentWithdrawn") for one in claimed], now=later)
        again = texts.claim_texts(
            tx, owner="me", login="main", rate=10, burst=3, now=later, lease=LEASE, limit=500
        )
    assert len(claimed) == len(again) == 8


def test_another_login_has_a_pace_and_a_queue_of_its_own(texting: Texting) -> None:
    texting.promise([texting.draft(n) for n in range(9)])
    other = replace(texting, login="other")
    other.promise([other.draft(1)])
    assert len(texting.claim(rate=1, burst=5)) == 5
    assert len(other.claim(rate=1, burst=5)) == 1
    with texting.database.read() as tx:
        assert texts.logins_due(tx, ["main", "other", "third"], now=NOON) == ["main"]


def test_an_accepted_text_keeps_what_its_gateway_said(texting: Texting) -> None:
    (one,) = texting.promise([texting.draft()])
    (claimed,) = texting.claim()
    outcome = came(claimed, "accepted", status=200, provider_id="77", parts=2, price=380, currency="RUB")
    assert texting.settle([outcome]) == {one: "accepted"}
    row = texting.text(one)
    assert (row.state, row.provider_id, row.parts, row.price, row.accepted_at) == (
        "accepted",
        "77",
        2,
        380,
        NOON,
    )
    (tried,) = texting.attempts()
    assert (tried.verdict, tried.status, tried.provider_id) == ("accepted", 200, "77")
    assert texting.settle([outcome]) == {}  # nobody holds it any more


def test_without_a_price_the_expected_one_stays(texting: Texting) -> None:
    (one,) = texting.promise([texting.draft(price=90)])
    (claimed,) = texting.claim()
    texting.settle([came(claimed, "accepted", provider_id="77")])
    assert (texting.text(one).price, texting.text(one).currency) == (90, "RUB")


def test_what_was_not_taken_is_tried_again_and_at_last_given_up(texting: Texting) -> None:
    (one,) = texting.promise([texting.draft()])
    now = NOON
    for number in range(1, retry.MOST_ATTEMPTS + 1):
        (claimed,) = texting.claim(now=now)
        assert claimed.attempts == number
        assert not claimed.in_doubt
        texting.settle([came(claimed, "retry", "Throttled")], now=now)
        now = max(texting.text(one).due_at, now)
    assert (texting.text(one).state, texting.text(one).reason) == ("exhausted", "Throttled")
    assert {tried.verdict for tried in texting.attempts()} == {"retry"}


def test_a_retry_that_would_be_too_late_is_none(texting: Texting) -> None:
    (one,) = texting.promise([texting.draft(kind="code", not_after=NOON + MINUTE)])
    (claimed,) = texting.claim()
    texting.settle([came(claimed, "retry", "Throttled", retry_after=2 * MINUTE)])
    row = texting.text(one)
    assert (row.state, row.reason, row.text) == ("exhausted", "Throttled", None)


def test_a_stopped_login_wears_out_nobodys_patience(texting: Texting) -> None:
    (one,) = texting.promise([texting.draft()])
    for minute in range(retry.MOST_ATTEMPTS + 3):
        now = NOON + minute * 2 * MINUTE
        (claimed,) = texting.claim(now=now)
        texting.settle([came(claimed, "retry", "2", retry_after=MINUTE, counts=False)], now=now)
    assert (texting.text(one).state, texting.text(one).attempts) == ("pending", 0)


@pytest.mark.parametrize("can_ask", [True, False])
def test_one_that_may_have_left_is_asked_for_or_given_up(texting: Texting, can_ask: bool) -> None:
    (one,) = texting.promise([texting.draft()])
    (claimed,) = texting.claim()
    texting.settle([came(claimed, "unknown", "OutcomeUnknown: time-out")], can_ask=can_ask)
    row = texting.text(one)
    if not can_ask:
        assert (row.state, row.reason, row.in_doubt) == ("exhausted", "Unknown", False)
        return
    assert (row.state, row.in_doubt) == ("pending", True)
    assert texting.claim(now=NOON + ASK_AFTER - SECOND) == []
    (again,) = texting.claim(now=NOON + 2 * ASK_AFTER)
    assert (again.in_doubt, again.reference) == (True, claimed.reference)
    assert [tried.verdict for tried in texting.attempts()] == ["lost", None]


@pytest.mark.parametrize("can_ask", [True, False])
def test_what_a_dead_worker_held_may_have_left(texting: Texting, can_ask: bool) -> None:
    (one,) = texting.promise([texting.draft()])
    (claimed,) = texting.claim("dead")
    with texting.database.write() as tx:
        asked = {"main"} if can_ask else set[str]()
        assert texts.rescue_texts(tx, now=NOON + LEASE, can_ask=asked) == 0
        assert texts.rescue_texts(tx, now=NOON + LEASE + SECOND, can_ask=asked) == 1
    row = texting.text(one)
    assert (row.state, row.in_doubt) == (("pending", True) if can_ask else ("exhausted", False))
    # It was not dead after all, and the gateway had taken it.
    late = came(claimed, "accepted", provider_id="9", price=100, currency="RUB")
    assert texting.settle([late], "dead", now=NOON + MINUTE) == {one: "accepted"}
    row = texting.text(one)
    assert (row.state, row.in_doubt, row.provider_id, row.price) == ("accepted", False, "9", 100)
    assert texting.claim(now=NOON + HOUR) == []


def test_what_is_put_off_waits_untried(texting: Texting) -> None:
    (one,) = texting.promise([texting.draft()])
    with texting.database.write() as tx:
        claimed = texts.claim_texts(
            tx, owner="me", login="main", rate=9, burst=9, now=NOON, lease=LEASE, limit=9
        )
        texts.put_off(tx, "me", claimed, due_at=NOON + HOUR, reason="QuietHours", now=NOON)
    row = texting.text(one)
    assert (row.state, row.due_at, row.reason, row.attempts) == ("pending", NOON + HOUR, "QuietHours", 0)
    assert texting.attempts() == []


def test_who_lost_its_lease_ends_nothing(texting: Texting) -> None:
    (one,) = texting.promise([texting.draft()])
    claimed = texting.claim("dead")
    with texting.database.write() as tx:
        texts.rescue_texts(tx, now=NOON + HOUR, can_ask={"main"})
        texts.end_unsent(tx, "dead", [(claimed[0], "gone", "ConsentWithdrawn")], now=NOON + HOUR)
        texts.put_off(tx, "dead", claimed, due_at=NOON, reason="QuietHours", now=NOON + HOUR)
    row = texting.text(one)
    assert (row.state, row.in_doubt, row.reason) == ("pending", True, "LeaseExpired")


@pytest.mark.parametrize("verdict", ["accepted", "refused"])
def test_the_words_of_a_code_are_forgotten_once_it_is_over(texting: Texting, verdict: Any) -> None:
    code, other = texting.promise([texting.draft(1, kind="code", text="123456"), texting.draft(2)])
    claimed = texting.claim()
    assert claimed[0].text == "123456"
    texting.settle([came(one, verdict) for one in claimed])
    assert texting.text(code).text is None
    assert texting.text(other).text


# Receipts


def accepted(texting: Texting, **outcome: Any) -> Any:
    (one,) = texting.promise([texting.draft()])
    (claimed,) = texting.claim()
    texting.settle([came(claimed, "accepted", **({"provider_id": "77"} | outcome))])
    return texting.text(one)


@pytest.mark.parametrize("named", ["provider_id", "reference"])
def test_a_receipt_says_what_became_of_a_text(texting: Texting, named: str) -> None:
    row = accepted(texting)
    told = receipt(texting, **{named: getattr(row, named)}, at=NOON + MINUTE, price=120, currency="RUB")
    assert hear(texting, told, now=NOON + HOUR) == 1
    row = texting.text(row.id)
    assert (row.state, row.receipt_at, row.price) == ("delivered", NOON + MINUTE, 120)
    assert hear(texting, told, told, now=NOON + HOUR) == 0


def test_delivered_is_final_and_undelivered_is_not(texting: Texting) -> None:
    row = accepted(texting)
    good, bad = (receipt(texting, state, reference=row.reference) for state in ("delivered", "undelivered"))
    assert hear(texting, bad) == 1
    assert texting.text(row.id).state == "undelivered"
    assert hear(texting, good, bad, bad) == 1
    assert texting.text(row.id).state == "delivered"
    assert hear(texting, bad) == 0


def test_a_receipt_of_another_login_is_a_strangers(texting: Texting) -> None:
    row = accepted(texting)
    stranger = receipt(texting, provider_id="77", login="other")
    with texting.database.write() as tx:
        hearing = texts.hear(tx, [stranger, receipt(texting, reference=row.reference ^ 1)], now=NOON)
    assert hearing.changed == ()
    assert len(hearing.strangers) == 2
    assert texting.text(row.id).state == "accepted"


def test_a_receipt_may_come_before_the_answer(texting: Texting) -> None:
    (one,) = texting.promise([texting.draft()])
    (claimed,) = texting.claim()
    assert hear(texting, receipt(texting, reference=claimed.reference)) == 1
    outcome = came(claimed, "accepted", provider_id="5", parts=2, price=200, currency="RUB")
    assert texting.settle([outcome], now=NOON + SECOND) == {}
    row = texting.text(one)
    assert (row.state, row.provider_id, row.price, row.parts) == ("delivered", "5", 200, 2)
    assert [tried.verdict for tried in texting.attempts()] == ["accepted"]
    assert texting.claim(now=NOON + HOUR) == []


@pytest.mark.parametrize("can_ask", [True, False])
def test_a_receipt_ends_a_doubt(texting: Texting, can_ask: bool) -> None:
    (one,) = texting.promise([texting.draft()])
    (claimed,) = texting.claim()
    texting.settle([came(claimed, "unknown")], can_ask=can_ask)
    assert hear(texting, receipt(texting, reference=claimed.reference)) == 1
    assert (texting.text(one).state, texting.text(one).in_doubt) == ("delivered", False)
    assert texting.claim(now=NOON + HOUR) == []


def test_a_receipt_of_a_text_that_was_never_tried_is_a_strangers(texting: Texting) -> None:
    (one,) = texting.promise([texting.draft()])
    assert hear(texting, receipt(texting, reference=texting.text(one).reference)) == 0
    assert texting.text(one).state == "pending"


def test_who_is_silent_is_asked_once_told_no_more(texting: Texting) -> None:
    ids = texting.promise([texting.draft(n) for n in range(5)])
    claimed = texting.claim()
    texting.settle([came(one, "accepted", provider_id=str(one.id)) for one in claimed])
    hear(texting, receipt(texting, provider_id=str(ids[0])))
    with texting.database.read() as tx:
        later = NOON + MINUTE
        first = texts.to_ask(tx, "main", accepted_before=later, limit=2)
        rest = texts.to_ask(tx, "main", accepted_before=later, limit=9, after=first[-1].id)
        assert [one.id for one in [*first, *rest]] == ids[1:]
        assert texts.to_ask(tx, "main", accepted_before=NOON - SECOND) == []
        assert texts.to_ask(tx, "other", accepted_before=later) == []
        assert texts.to_ask(tx, "main", accepted_before=NOON + timedelta(days=3)) == []


# Books


def test_what_a_brand_spent_counts_what_may_have_left(texting: Texting) -> None:
    texting.promise([texting.draft(n) for n in range(3)], now=NOON - HOUR)  # yesterday's
    other = open_texting(texting.database, slug="bar")
    other.promise([other.draft(1)])
    texting.promise([texting.draft(n, kind="code") for n in range(6)])
    codes = [one for one in texting.claim() if one.kind == "code"]
    verdicts: list[Any] = ["accepted", "refused", "unknown", "retry", "accepted"]
    texting.settle(
        [
            came(one, verdict, price=100, currency="RUB")
            for one, verdict in zip(codes, verdicts, strict=False)
        ],
        can_ask=False,
    )
    with texting.database.read() as tx:
        (spent,) = texts.spent(tx, texting.brand_id, since=NOON)
        everything = texts.spent(tx, texting.brand_id, since=NOON - 2 * HOUR)
        assert texts.spent_on_codes(tx, texting.brand_id, since=NOON - 2 * HOUR) == [spent]
    assert (spent.kind, spent.currency, spent.texts, spent.parts) == ("code", "RUB", 5, 5)
    assert spent.amount == 2 * 100 + 100 + 100 + 90  # taken, unknown, again, on its way
    assert {one.kind: one.texts for one in everything} == {"code": 5, "service": 3}


def test_queues_and_the_texts_of_a_member(texting: Texting) -> None:
    (anna,) = texting.members(1)
    texting.promise([texting.draft(n, member_id=anna) for n in range(3)])
    texting.promise([texting.draft(9, due_at=NOON + HOUR)])
    texting.claim(limit=1)
    with texting.database.read() as tx:
        (seen,) = texts.queues(tx, now=NOON + MINUTE)
        assert (seen.login, seen.due, seen.waiting, seen.sending, seen.in_doubt) == ("main", 2, 1, 1, 0)
        assert seen.oldest_due_seconds == 60
        hers = texts.texts_of_member(tx, anna, limit=2)
    assert [one.number for one in hers] == ["+79000000002", "+79000000001"]


def test_settled_texts_are_purged_with_all_that_they_hold(texting: Texting) -> None:
    texting.promise([texting.draft(n) for n in range(3)])
    texting.settle([came(one, "accepted") for one in texting.claim(limit=2)])
    with texting.database.write() as tx:
        assert queue.purge(tx, settled_before=NOON + MINUTE) == 2
        assert queue.purge(tx, settled_before=NOON + MINUTE) == 0
        assert len(tx.execute(select(text_message)).all()) == 1
    assert texting.attempts() == []


def test_a_stopped_login_is_probed_by_one_worker_a_minute(texting: Texting) -> None:
    with texting.database.write() as tx:
        assert stopped.stop(tx, "main", reason="3", now=NOON)
        assert not stopped.stop(tx, "main", reason="3", now=NOON)
        assert stopped.all_stopped(tx)["main"].reason == "3"
        assert queue.snapshot(tx, NOON).open_breakers == ("sms:main",)
        assert not stopped.take_probe(tx, "main", now=NOON + 59 * SECOND)
        assert stopped.take_probe(tx, "main", now=NOON + MINUTE)
        assert not stopped.take_probe(tx, "main", now=NOON + MINUTE)
        stopped.give_back_probe(tx, "main", now=NOON + MINUTE)
        assert stopped.take_probe(tx, "main", now=NOON + MINUTE + SECOND)
        assert stopped.works(tx, "main")
        assert not stopped.works(tx, "main")


def test_final_states_have_no_way_out() -> None:
    ends = {state for state, out in TEXT_EDGES.items() if not out}
    assert ends == {"delivered", "refused", "gone", "superseded"}
    assert {state for out in TEXT_EDGES.values() for state in out} == set(TEXT_EDGES)


def test_the_database_refuses_a_text_without_a_login(texting: Texting) -> None:
    (one,) = texting.promise([texting.draft()])
    with pytest.raises(Exception, match="addressed_by_channel"), texting.database.write() as tx:
        tx.execute(delivery.update().where(delivery.c.id == one).values(login=None))
