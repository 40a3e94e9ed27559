"""The breaker opens when we are wrong, not when a phone is; all workers see it; a probe closes it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.db import Database
from app.db.identifiers import DeliveryId, DeviceId
from app.delivery import breaker, queue
from app.delivery.breaker import Answer, Signal, Watch
from app.delivery.promises import Claimed
from tests.delivery.conftest import NOON, TYPE

MINUTE = timedelta(minutes=1)


BAD: list[Signal] = ["bad_token"] * 19  # one too few
GOOD: list[Signal] = ["proof"] * 10
OTHER: list[Signal] = ["other"] * 10


def answers(*signals: Signal, group: int | None = None) -> list[Answer]:
    return [
        Answer(
            Claimed(DeliveryId(number), DeviceId(number), TYPE, "receipt", 1, NOON, None),
            signal,
            signal,
            number if group is None else group,
            NOON,
        )
        for number, signal in enumerate(signals)
    ]


def opens(*signals: Signal) -> bool:
    return Watch().hear(TYPE, answers(*signals), NOON).opening is not None


def test_half_bad_tokens_of_twenty_open_it() -> None:
    assert opens(*OTHER, *BAD[:10])
    assert not opens(*OTHER, "other", *BAD[:9])


def test_half_bad_tokens_open_it_also_where_the_others_were_accepted() -> None:
    assert opens(*GOOD, *BAD[:10])
    assert not opens(*GOOD, "proof", *BAD[:9])
    assert not opens(*GOOD, *BAD[:9])


def test_a_few_bad_tokens_are_phones_not_us() -> None:
    assert not opens(*BAD)


def test_many_devices_of_one_guest_are_one_bad_token() -> None:
    watch = Watch()
    assert watch.hear(TYPE, answers(*BAD * 20, group=99), NOON).opening is None
    assert watch.hear(TYPE, answers(*BAD[:18]), NOON).opening is None
    opening = watch.hear(TYPE, answers(*BAD), NOON).opening
    assert opening is not None
    assert opening.reason == "bad_token: 20 of 20 guests"


@pytest.mark.parametrize("signal", ["bad_token", "wrong_topic"])
def test_with_proof_the_bad_tokens_of_few_guests_are_the_devices_own_fault(signal: Signal) -> None:
    watch = Watch()
    watch.hear(TYPE, answers("proof"), NOON)
    judged = watch.hear(TYPE, answers(*[signal] * 18), NOON + breaker.WINDOW)
    assert judged.opening is None
    assert [answer.claimed.id for answer in judged.faulty] == list(range(18))
    assert watch.hear(TYPE, answers("proof"), NOON + breaker.WINDOW).faulty == ()


def test_tokens_that_were_called_bad_are_doubted_again_when_half_of_the_guests_have_one() -> None:
    watch = Watch()
    mixed = answers(*GOOD, *BAD[:9], "bad_token")
    for one in mixed[:10] + mixed[10:-1]:
        assert watch.hear(TYPE, [one], NOON).opening is None
    opening = watch.hear(TYPE, mixed[-1:], NOON + MINUTE).opening
    assert opening is not None
    assert opening.reason == "bad_token: 10 of 20 guests"
    assert list(opening.doubted) == mixed[10:-1]


def test_a_probe_that_got_through_explains_bad_tokens_for_an_hour() -> None:
    watch = Watch()
    half = answers(*GOOD, *BAD[:10])
    opening = watch.hear(TYPE, half, NOON).opening
    assert opening is not None
    watch.closed(TYPE, opening.reason, NOON + MINUTE)
    explained = watch.hear(TYPE, half, NOON + MINUTE)
    assert (explained.opening, len(explained.faulty)) == (None, 10)
    assert watch.hear(TYPE, half, NOON + MINUTE + breaker.EXPLAINED_FOR).opening is not None


@pytest.mark.parametrize("signal", ["fatal", "wrong_topic"])
def test_a_breaker_that_was_open_for_something_else_explains_no_bad_tokens(signal: Signal) -> None:
    watch = Watch()
    opening = watch.hear(TYPE, answers(signal), NOON).opening
    assert opening is not None
    watch.closed(TYPE, opening.reason, NOON + MINUTE)
    assert watch.hear(TYPE, answers(*GOOD, *BAD[:10]), NOON + 2 * MINUTE).opening is not None


def test_another_workers_probe_explains_nothing_to_one_that_never_gets_through() -> None:
    watch = Watch()
    watch.closed(TYPE, "bad_token: 20 of 20 guests", NOON)
    assert watch.hear(TYPE, answers(*BAD, "bad_token"), NOON + MINUTE).opening is not None


def test_proof_explains_the_bad_tokens_before_it() -> None:
    watch = Watch()
    watch.hear(TYPE, answers(*BAD), NOON)
    assert len(watch.hear(TYPE, answers("proof"), NOON + MINUTE).faulty) == len(BAD)


def test_proof_from_long_ago_proves_nothing() -> None:
    watch = Watch()
    watch.hear(TYPE, answers("proof"), NOON)
    later = NOON + breaker.WINDOW + MINUTE
    assert watch.hear(TYPE, answers(*BAD, "bad_token"), later).opening is not None


def test_no_device_is_to_blame_where_we_are_not_let_in() -> None:
    judged = Watch().hear(TYPE, answers("proof", *BAD, "fatal"), NOON)
    assert judged.opening is not None
    assert judged.faulty == ()


def test_small_batches_add_up() -> None:
    watch = Watch()
    bad = answers(*BAD, "bad_token")
    for second, one in enumerate(bad[:19]):
        assert watch.hear(TYPE, [one], NOON + timedelta(seconds=second)).opening is None
    opening = watch.hear(TYPE, bad[19:], NOON + timedelta(seconds=19)).opening
    assert opening is not None
    assert len(opening.doubted) == 19
    assert "20 of 20" in opening.reason


def test_what_was_heard_long_ago_does_not_count() -> None:
    watch = Watch()
    watch.hear(TYPE, answers(*BAD), NOON)
    fresh = answers(*BAD, "bad_token")[-1:]
    assert watch.hear(TYPE, fresh, NOON + breaker.WINDOW + MINUTE).opening is None


def test_one_refusal_of_our_certificate_opens_it() -> None:
    assert opens(*GOOD * 10, "fatal")


@pytest.mark.parametrize(("before", "expected"), [("proof", False), ("nothing", True)])
def test_a_token_of_another_topic_opens_it_unless_others_prove_us_right(
    before: Signal, expected: bool
) -> None:
    assert opens(before, "wrong_topic") is expected


def test_an_open_breaker_is_seen_by_all_and_told_once(database: Database) -> None:
    with database.write() as tx:
        assert breaker.trip(tx, TYPE, reason="BadCertificate", now=NOON)
        assert not breaker.trip(tx, TYPE, reason="BadCertificate", now=NOON + MINUTE)
    with database.read() as tx:
        (row,) = breaker.all_open(tx)
        assert queue.snapshot(tx, NOON).open_breakers == (f"apple:{TYPE}",)
    assert (row.subject, row.opened_at, row.probe_at) == (f"apple:{TYPE}", NOON, NOON + MINUTE)
    assert breaker.pass_type_of(row.subject) == TYPE


def test_one_worker_probes_a_minute_later_and_success_closes(database: Database) -> None:
    with database.write() as tx:
        breaker.trip(tx, TYPE, reason="BadCertificate", now=NOON)
        assert not breaker.take_probe(tx, TYPE, now=NOON + MINUTE / 2)
    with database.write() as tx:
        assert breaker.take_probe(tx, TYPE, now=NOON + MINUTE)
    with database.write() as tx:
        assert not breaker.take_probe(tx, TYPE, now=NOON + MINUTE)
        assert breaker.close(tx, TYPE)
        assert not breaker.close(tx, TYPE)
        assert breaker.all_open(tx) == []


def test_a_probe_without_anything_to_send_is_given_back(database: Database) -> None:
    with database.write() as tx:
        breaker.trip(tx, TYPE, reason="BadCertificate", now=NOON)
    with database.write() as tx:
        assert breaker.take_probe(tx, TYPE, now=NOON + MINUTE)
        breaker.give_back_probe(tx, TYPE, now=NOON + MINUTE)
    with database.write() as tx:
        assert not breaker.take_probe(tx, TYPE, now=NOON + MINUTE)
        assert breaker.take_probe(tx, TYPE, now=NOON + MINUTE + breaker.LOOK_AGAIN_AFTER)
