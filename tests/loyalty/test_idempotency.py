"""A till's call acts once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.db import Database
from app.errors import BadInput, Conflict
from app.loyalty import idempotency
from app.loyalty.idempotency import Answer, fingerprint, once
from app.loyalty.tables import till_call
from tests.loyalty import town as towns
from tests.loyalty.town import BONUS, NOW


def test_the_first_answer_is_given_again_and_a_second_act_never_happens(database: Database) -> None:
    acts: list[int] = []

    def act() -> Answer:
        acts.append(1)
        return Answer(201, {"number": len(acts), "words": "№"})

    with database.write() as tx:
        venue = towns.build(tx, BONUS).venue.id
        other = towns.build(tx, BONUS, slug="tea").venue.id
    answers = []
    for venue_id in (venue, venue, other):
        with database.write() as tx:
            answers.append(once(tx, venue_id=venue_id, key="k", fingerprint="f", now=NOW, act=act))
    assert answers == [
        Answer(201, {"number": 1, "words": "№"}),
        Answer(201, {"number": 1, "words": "№"}, repeated=True),
        Answer(201, {"number": 2, "words": "№"}),  # keys belong to a venue
    ]
    with pytest.raises(BadInput) as refused, database.write() as tx:
        once(tx, venue_id=venue, key="k", fingerprint="another", now=NOW, act=act)
    assert refused.value.code == "idempotency-key-reused"
    assert len(acts) == 2


def test_a_refused_act_leaves_its_key_free(database: Database) -> None:
    def refuse() -> Answer:
        raise Conflict("no", "No.")

    with database.write() as tx:
        venue = towns.build(tx, BONUS).venue.id
    with pytest.raises(Conflict), database.write() as tx:
        once(tx, venue_id=venue, key="k", fingerprint="f", now=NOW, act=refuse)
    with database.write() as tx:
        answer = once(tx, venue_id=venue, key="k", fingerprint="g", now=NOW, act=lambda: Answer(200, {}))
    assert not answer.repeated


def test_a_fingerprint_knows_words_not_their_order() -> None:
    assert fingerprint("a", {"x": 1, "y": 2}) == fingerprint("a", {"y": 2, "x": 1})
    assert fingerprint("a", {"x": 1}) != fingerprint("b", {"x": 1})
    assert fingerprint("a", {"x": 1}) != fingerprint("a", {"x": "1"})


def test_calls_are_forgotten_after_thirty_days(database: Database) -> None:
    with database.write() as tx:
        venue = towns.build(tx, BONUS).venue.id
        for day in range(5):
            at = NOW + timedelta(days=day)
            once(tx, venue_id=venue, key=f"{day}", fingerprint="f", now=at, act=lambda: Answer(200, {}))
        later = NOW + timedelta(days=33)
        assert idempotency.purge_calls(tx, now=later, limit=2) == 2
        assert idempotency.purge_calls(tx, now=later, limit=2) == 1
        assert idempotency.purge_calls(tx, now=later, limit=2) == 0
        assert tx.scalar(select(func.count()).select_from(till_call)) == 2
