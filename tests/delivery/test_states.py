"""docs/delivery-states.md is true: each edge in it can be walked, and no other one."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, cast, get_args

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from app.db import Database
from app.db.identifiers import DeviceId
from app.delivery import google_promises, queue, retry
from app.delivery.budget import Policy
from app.delivery.promises import EDGES, Claimed, Outcome, State, Unsent, Verdict
from app.delivery.tables import attempt, delivery
from app.delivery.text_promises import TEXT_EDGES
from tests.delivery.conftest import NOON, TYPE, Devices, deliveries

PAGE = (Path(__file__).parents[2] / "docs" / "delivery-states.md").read_text(encoding="utf-8")
DOCUMENT, OTHERS = PAGE.split("\n# Texts\n")
OF_TEXTS, OF_GOOGLE = OTHERS.split("\n# Google\n")
STATES: tuple[State, ...] = get_args(State)
LEASE = timedelta(seconds=30)
FINAL = [state for state in STATES if not EDGES[state]]


def _claim(database: Database) -> Claimed:
    with database.write() as tx:
        (one,) = queue.claim(tx, owner="me", now=NOON, lease=LEASE, policy=Policy()).claimed
        queue.begin_attempts(tx, [one], now=NOON)
        return one


def _promise(database: Database, phone: DeviceId) -> None:
    with database.write() as tx:
        queue.enqueue_pushes(tx, [phone], pass_type_identifier=TYPE, kind="receipt", now=NOON)


def _settle(database: Database, claimed: Claimed, verdict: Verdict) -> None:
    with database.write() as tx:
        queue.settle(tx, "me", [Outcome(claimed=claimed, verdict=verdict)], now=NOON)


def _wear_out(database: Database, claimed: Claimed) -> None:
    with database.write() as tx:
        tx.execute(update(delivery).values(attempts=retry.MOST_ATTEMPTS))
        queue.rescue(tx, now=NOON + 2 * LEASE)


def _supersede(database: Database, claimed: Claimed) -> None:
    _promise(database, claimed.device_id)
    _settle(database, claimed, "retry")


WALKS: dict[tuple[State, State], Callable[[Database, Claimed], None]] = {
    ("sending", "pending"): lambda database, claimed: _settle(database, claimed, "retry"),
    ("sending", "accepted"): lambda database, claimed: _settle(database, claimed, "accepted"),
    ("sending", "gone"): lambda database, claimed: _settle(database, claimed, "gone"),
    ("sending", "refused"): lambda database, claimed: _settle(database, claimed, "refused"),
    ("sending", "exhausted"): _wear_out,
    ("sending", "superseded"): _supersede,
}


def _edges() -> set[tuple[str, str]]:
    return {(start, end) for start, ends in EDGES.items() for end in ends}


def test_drawing_table_and_code_agree() -> None:
    drawn = set(re.findall(r"^ +(\w+) --> (\w+):", DOCUMENT, re.MULTILINE))
    table = DOCUMENT.split("## Edges")[1].split("##")[0]
    listed = set(re.findall(r"^\| (\w+) \| (\w+) \|", table, re.MULTILINE)) - {("from", "to")}
    assert drawn == listed == _edges()
    assert {*WALKS, ("pending", "sending")} == _edges()
    assert str(retry.MOST_ATTEMPTS) in DOCUMENT


def test_drawing_table_and_code_agree_about_texts() -> None:
    drawn = set(re.findall(r"^ +(\w+) --> (\w+):", OF_TEXTS, re.MULTILINE))
    table = OF_TEXTS.split("## Edges of texts")[1].split("##")[0]
    listed = set(re.findall(r"^\| (\w+) \| (\w+) \|", table, re.MULTILINE)) - {("from", "to")}
    assert drawn == listed == {(start, end) for start, ends in TEXT_EDGES.items() for end in ends}


def test_drawing_table_and_code_agree_about_google() -> None:
    drawn = set(re.findall(r"^ +(\w+) --> (\w+):", OF_GOOGLE, re.MULTILINE))
    table = OF_GOOGLE.split("## Edges of changes at Google")[1].split("##")[0]
    listed = set(re.findall(r"^\| (\w+) \| (\w+) \|", table, re.MULTILINE)) - {("from", "to")}
    assert drawn == listed == _edges()  # a change at Google goes the ways of a push
    assert str(retry.MOST_ATTEMPTS) in OF_GOOGLE


def test_what_people_are_told_of_google_is_what_the_document_says() -> None:
    table = OF_GOOGLE.split("## What people are told")[1].split("##")[0]
    listed = {
        (state, reason.strip("`")): told
        for state, reason, told in re.findall(
            r"^\| (\w+) \| (`\w+`|any) \| ([a-z ]+) \|", table, re.MULTILINE
        )
    }
    for (state, reason), told in listed.items():
        word = google_promises.shown(cast("State", state), "NotFound" if reason == "any" else reason)
        assert str(word).replace("held_by", "held back by").replace("_", " ") == told
    assert {reason for state, reason in listed if state == "accepted"} == {
        google_promises.NOTIFIED, google_promises.SILENT, google_promises.UNCHANGED,
        google_promises.NO_HOLDER, google_promises.HELD_BY_QUOTA,
    }  # fmt: skip
    untold = [state for state in STATES if google_promises.shown(state, None) is None]
    assert {state for state, _ in listed} == set(STATES) - set(untold)
    assert "delivered" not in re.sub(r'the word "delivered" stands nowhere here', "", OF_GOOGLE)


def test_every_constraint_the_document_names_exists() -> None:
    named = set(re.findall(r"`((?:ck|uq)_\w+)`", DOCUMENT))
    known = {str(thing.name) for table in (delivery, attempt) for thing in table.constraints}
    known |= {str(index.name) for table in (delivery, attempt) for index in table.indexes}
    assert named <= known
    assert len(named) == 9


@pytest.mark.parametrize("edge", WALKS, ids="-".join)
def test_each_edge_can_be_walked(database: Database, devices: Devices, edge: tuple[State, State]) -> None:
    (phone,) = devices(1)
    _promise(database, phone)
    assert deliveries(database)[0].state == "pending"
    claimed = _claim(database)
    assert deliveries(database)[0].state == "sending"
    WALKS[edge](database, claimed)
    assert deliveries(database)[0].state == edge[1]


@pytest.mark.parametrize("state", FINAL)
def test_no_verb_leaves_a_final_state(database: Database, devices: Devices, state: State) -> None:
    _promise(database, devices(1)[0])
    claimed = _claim(database)
    with database.write() as tx:
        tx.execute(update(delivery).values(state=state, settled_at=NOON, owner=None, lease_until=None))
    before = deliveries(database)
    verdicts: tuple[Verdict, ...] = get_args(Verdict)
    for verdict in verdicts:
        _settle(database, claimed, verdict)
    with database.write() as tx:
        assert queue.rescue(tx, now=NOON + 10 * LEASE) == 0
        assert queue.claim(tx, owner="me", now=NOON + LEASE, lease=LEASE, policy=Policy()).claimed == ()
        queue.release(tx, "me", [claimed], reason="x", due_at=NOON, now=NOON)
        queue.settle_unsent(tx, "me", [Unsent(claimed=claimed, state="gone", reason="x")], now=NOON)
    assert deliveries(database) == before


@pytest.mark.parametrize("verdict", get_args(Verdict))
def test_a_pending_row_has_no_outcome(database: Database, devices: Devices, verdict: Verdict) -> None:
    _promise(database, devices(1)[0])
    claimed = _claim(database)
    _settle(database, claimed, "retry")
    before = deliveries(database)
    _settle(database, claimed, verdict)
    assert deliveries(database) == before


NONSENSE: dict[str, dict[str, Any]] = {
    "a state that is not drawn": {"state": "delivered", "settled_at": NOON},
    "sending without a lease": {"state": "sending"},
    "sending without an owner": {"state": "sending", "lease_until": NOON},
    "pending with a lease": {"owner": "me", "lease_until": NOON},
    "an end without a time": {"state": "accepted"},
    "a time without an end": {"settled_at": NOON},
    "an end that is still held": {"state": "gone", "settled_at": NOON, "owner": "me", "lease_until": NOON},
    "held and over": {"state": "gone", "settled_at": NOON, "held_since": NOON},
    "a priority that is not its kind's": {"priority": 2},
    "fewer attempts than none": {"attempts": -1},
}


@pytest.mark.parametrize("nonsense", NONSENSE.values(), ids=list(NONSENSE))
def test_the_database_refuses_nonsense(
    database: Database, devices: Devices, nonsense: dict[str, Any]
) -> None:
    _promise(database, devices(1)[0])
    with pytest.raises(IntegrityError), database.write() as tx:
        tx.execute(update(delivery).values(**nonsense))


@pytest.mark.parametrize("state", ["pending", "sending"])
def test_the_database_refuses_two_live_rows_of_a_device_in_one_state(
    database: Database, devices: Devices, state: str
) -> None:
    (phone,) = devices(1)
    lease = {"owner": "me", "lease_until": NOON} if state == "sending" else {}
    row = {
        "channel": "apple", "device_id": phone, "pass_type_identifier": TYPE, "kind": "receipt",
        "priority": 0, "state": state, "due_at": NOON, "created_at": NOON, **lease,
    }  # fmt: skip
    with database.write() as tx:
        tx.execute(insert(delivery).values(row))
    with pytest.raises(IntegrityError), database.write() as tx:
        tx.execute(insert(delivery).values(row))


def test_the_database_refuses_an_attempt_that_is_half_over_or_open_twice(
    database: Database, devices: Devices
) -> None:
    _promise(database, devices(1)[0])
    claimed = _claim(database)
    with pytest.raises(IntegrityError), database.write() as tx:
        queue.begin_attempts(tx, [claimed], now=NOON)
    with pytest.raises(IntegrityError), database.write() as tx:
        tx.execute(update(attempt).values(verdict="accepted"))
    with pytest.raises(IntegrityError), database.write() as tx:
        tx.execute(update(attempt).values(finished_at=NOON))
    with database.read() as tx:
        assert tx.execute(select(attempt.c.verdict, attempt.c.finished_at)).all() == [(None, None)]
