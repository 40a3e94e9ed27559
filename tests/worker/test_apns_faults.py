"""What Apple or the wire does wrong, and what becomes of the promise: the table of docs/apns-faults.md."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.db.identifiers import PassTypeIdentifier
from app.delivery import breaker
from app.simulators.authority import Authority
from tests.apns.scripted import judging_by_openssl, server_tls
from tests.passes.shop import TYPE
from tests.worker.conftest import TEAM, Rig, now, token

SECOND = timedelta(seconds=1)


def _sent(rig: Rig) -> Counter[str]:
    """How often each token was answered by the push service."""
    return Counter(rig.apns.ask(lambda simulator: [entry.token for entry in simulator.post.entries]))


def _open(rig: Rig) -> list[str]:
    with rig.database.read() as tx:
        return [row.reason for row in breaker.all_open(tx)]


@pytest.mark.parametrize(
    "knobs", [{"goaway_after": 15}, {"goaway_after": 15, "goaway_unprocessed": 3}], ids=str
)
def test_goaway_costs_no_promise_an_attempt(rig: Rig, knobs: dict[str, Any]) -> None:
    rig.apns.turn(**knobs)
    rig.promise(rig.phones(40))
    with rig.working():
        rig.until(lambda: rig.states() == ["accepted"] * 40)
    assert _sent(rig) == Counter(token(number) for number in range(40))
    assert [tried.status for tried in rig.attempts()] == [200] * 40


@pytest.mark.parametrize("knobs", [{"drop_after": 0}, {"reset_rate": 1.0}, {"goaway_after": 0}], ids=str)
def test_a_wire_that_always_breaks_costs_an_attempt_and_the_promise_is_kept_later(
    rig: Rig, knobs: dict[str, Any]
) -> None:
    rig.apns.turn(**knobs)
    rig.promise(rig.phones(3))
    with rig.working(rig.channel(push_timeout=2 * SECOND)):
        rig.until(lambda: [tried.verdict for tried in rig.attempts()][:3] == ["lost"] * 3)
        rig.until(lambda: "sending" not in rig.states())
        assert all((row.reason or "").startswith("WireBroken: ") for row in rig.rows())
        rig.apns.ask(lambda simulator: simulator.heal())
        rig.until(lambda: rig.states() == ["accepted"] * 3)
    assert _open(rig) == []


@pytest.mark.parametrize("knobs", [{"drop_after": 9}, {"reset_rate": 0.2}], ids=str)
def test_a_wire_that_breaks_now_and_then_is_mended_before_the_promise_hears_of_it(
    rig: Rig, knobs: dict[str, Any]
) -> None:
    rig.apns.turn(**knobs)
    phones = rig.phones(40)
    with rig.working():
        for count in range(4, 41, 4):
            rig.promise(phones[count - 4 : count])
            rig.until(lambda c=count: rig.states() == ["accepted"] * c)  # type: ignore[misc]
    assert [tried.status for tried in rig.attempts()] == [200] * 40
    assert set(_sent(rig)) == {token(number) for number in range(40)}
    spoilt = rig.apns.ask(lambda simulator: simulator.statistics.drops + simulator.statistics.resets)
    assert spoilt >= 3


@pytest.mark.parametrize("style", ["empty", "not-json"])
@pytest.mark.parametrize(("status", "after"), [(503, "pending"), (400, "refused"), (410, "gone")])
def test_an_error_without_a_readable_body_is_settled_by_its_status(
    rig: Rig, style: str, status: int, after: str
) -> None:
    answer = {"status": status, "reason": "unreadable", "count": 1, "retry_after": 60}
    rig.apns.turn(error_bodies=style, next_answers=[answer])
    rig.promise(rig.phones(1))
    with rig.working():
        rig.until(lambda: [tried.status for tried in rig.attempts()] == [status])
        rig.until(lambda: rig.states() == [after])
    assert _open(rig) == []


def test_a_403_without_a_readable_body_opens_the_breaker(rig: Rig) -> None:
    rig.apns.turn(error_bodies="empty", next_answers=[{"status": 403, "reason": "x", "count": 1}])
    rig.promise(rig.phones(1))
    with rig.working():
        rig.until(lambda: len(_open(rig)) == 1 and rig.states() == ["pending"])
    assert rig.rows()[0].attempts == 0


def test_a_slow_answer_is_waited_for(rig: Rig) -> None:
    rig.apns.turn(answer_delay_ms=1_500)
    rig.promise(rig.phones(3))
    with rig.working():
        rig.until(lambda: rig.states() == ["accepted"] * 3)
    assert set(_sent(rig).values()) == {1}


def test_an_answer_slower_than_our_patience_is_asked_for_again(rig: Rig) -> None:
    rig.apns.turn(answer_delay_ms=1_500)
    rig.promise(rig.phones(1))
    with rig.working(rig.channel(push_timeout=SECOND)):
        rig.until(lambda: [tried.verdict for tried in rig.attempts()] == ["lost"])
        rig.apns.turn(answer_delay_ms=0)
        rig.until(lambda: rig.states() == ["accepted"])
    assert "did not answer in 1 s" in str(rig.attempts()[0].reason)


def test_429_holds_back_its_own_token_alone(rig: Rig) -> None:
    rig.apns.turn(token_answers={token(1): {"status": 429, "reason": "TooManyRequests", "retry_after": 60}})
    rig.promise(rig.phones(3))
    with rig.working():
        rig.until(lambda: rig.states() == ["accepted", "pending", "accepted"])
    (row,) = [row for row in rig.rows() if row.state == "pending"]
    assert row.due_at - now() > timedelta(seconds=50)
    assert _open(rig) == []


@pytest.mark.parametrize(
    ("status", "reason"), [(500, "InternalServerError"), (503, "ServiceUnavailable"), (503, "Shutdown")]
)
@pytest.mark.parametrize(("asked", "least", "most"), [(None, 0, 3), (90, 80, 120)])
def test_a_push_service_in_trouble_is_asked_again_when_it_says_so(
    rig: Rig, status: int, reason: str, asked: int | None, least: int, most: int
) -> None:
    rig.apns.turn(next_answers=[{"status": status, "reason": reason, "count": 1, "retry_after": asked}])
    rig.promise(rig.phones(1))
    ahead = timedelta(0)
    with rig.working(clock=lambda: now() + ahead):
        rig.until(lambda: [row.reason for row in rig.rows()] == [reason])
        (row,), (tried,) = rig.rows(), rig.attempts()
        assert timedelta(seconds=least) <= row.due_at - tried.finished_at <= timedelta(seconds=most)
        ahead = timedelta(seconds=most)
        rig.until(lambda: rig.states() == ["accepted"])
    assert [tried.verdict for tried in rig.attempts()] == ["retry", "accepted"]


def test_an_expired_certificate_stops_pushes_and_a_renewed_one_lets_them_go(rig: Rig, tmp_path: Path) -> None:
    expired = rig.authority.pass_credentials(
        tmp_path / "expired", pass_type_identifier=TYPE, team_identifier=TEAM, organization="Кафе",
        begins=datetime.now(UTC) - timedelta(days=400),
    )  # fmt: skip
    paths = rig.authority.server_certificate(tmp_path / "judge")
    with judging_by_openssl(server_tls(*paths, rig.authority.root, rig.authority.wwdr)) as judge:

        def pems(_pass_type: PassTypeIdentifier) -> tuple[bytes, bytes]:
            return (expired / "certificate.pem").read_bytes(), (expired / "key.pem").read_bytes()

        rig.promise(rig.phones(3))
        with capture_logs() as logs, rig.working(rig.channel(credentials=pems, url=judge)):
            rig.until(lambda: len(_open(rig)) == 1 and "sending" not in rig.states())
    assert "CERTIFICATE_EXPIRED" in _open(rig)[0]
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["breaker_opened"]
    assert [(row.state, row.attempts) for row in rig.rows()] == [("pending", 0)] * 3
    with rig.working(clock=lambda: now() + 2 * breaker.PROBE_AFTER):
        rig.until(lambda: rig.states() == ["accepted"] * 3)
    assert _open(rig) == []


def test_a_push_service_that_is_not_trusted_opens_the_breaker(rig: Rig, tmp_path: Path) -> None:
    stranger = Authority.create(tmp_path / "stranger", now=datetime.now(UTC))
    rig.promise(rig.phones(1))
    with rig.working(rig.channel(ca=stranger.root)):
        rig.until(lambda: len(_open(rig)) == 1 and rig.states() == ["pending"])
    assert "is not trusted" in _open(rig)[0]
    assert _sent(rig) == Counter()


def test_a_name_that_does_not_resolve_costs_an_attempt(rig: Rig) -> None:
    rig.promise(rig.phones(1))
    with rig.working(rig.channel(url="https://apns.perkpass.invalid", push_timeout=SECOND)):
        rig.until(lambda: [tried.verdict for tried in rig.attempts()] == ["lost"])
    assert "cannot be resolved" in str(rig.attempts()[0].reason)
    with rig.working():
        rig.until(lambda: rig.states() == ["accepted"])


def test_an_idle_connection_that_died_costs_nothing(rig: Rig) -> None:
    phones = rig.phones(2)
    rig.promise(phones[:1])
    with rig.working():
        rig.until(lambda: rig.states() == ["accepted"])
        for connection in rig.apns.ask(lambda simulator: list(simulator.connections)):
            rig.apns.ask(lambda _, dying=connection: dying.drop())  # type: ignore[misc]
        rig.promise(phones[1:])
        rig.until(lambda: rig.states() == ["accepted"] * 2)
    assert [tried.status for tried in rig.attempts()] == [200, 200]
