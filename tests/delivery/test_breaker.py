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


BAD: list[Signal] = ["bad_token"] * 19
GOOD: list[Signal] = ["proof"] * 10


def answers(*signals: Signal) -> list[Answer]:
    return [
        Answer(Claimed(DeliveryId(number), DeviceId(number), TYPE, "receipt", 1, NOON, None), signal, signal)
        for number, signal in enumerate(signals)
    ]


def opens(*signals: Signal) -> bool:
    return Watch().hear(TYPE, answers(*signals), NOON) is not None


def test_half_bad_tokens_of_twenty_open_it() -> None:
    assert opens(*GOOD, *BAD[:10])
    assert not opens(*GOOD, "proof", *BAD[:9])


def test_a_few_bad_tokens_are_phones_not_us() -> None:
    assert not opens(*BAD)


def test_small_batches_add_up() -> None:
    watch = Watch()
    for second in range(19):
        assert watch.hear(TYPE, answers("bad_token"), NOON + timedelta(seconds=second)) is None
    opening = watch.hear(TYPE, answers("bad_token"), NOON + timedelta(seconds=19))
    assert opening is not None
    assert len(opening.doubted) == 19
    assert "20 of 20" in opening.reason


def test_what_was_heard_long_ago_does_not_count() -> None:
    watch = Watch()
    watch.hear(TYPE, answers(*BAD), NOON)
    assert watch.hear(TYPE, answers("bad_token"), NOON + breaker.WINDOW + MINUTE) is None


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
