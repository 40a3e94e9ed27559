"""Google's promises: one pending and one on its way for each object, found by index, apart from others."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, select, text
from sqlalchemy.exc import IntegrityError

from app.accounts.tables import brand
from app.db import Database, Tx
from app.db.identifiers import BrandId, GoogleIssuerId, GoogleObjectId, WalletPassId
from app.delivery import google, queue, retry, store_google_quota
from app.delivery.budget import Policy
from app.delivery.google_promises import (
    ClaimedGoogle,
    GoogleKind,
    GoogleOutcome,
    GooglePromise,
    GoogleVerdict,
)
from app.delivery.google_tables import google_notification
from app.delivery.pace import Pace
from app.delivery.store_google_quota import Noted
from app.delivery.tables import attempt, delivery
from app.passes import issuing, store_google, store_passes
from app.passes.google_tables import google_object
from app.passes.issuing import Revision
from app.passes.tables import wallet_pass
from tests.delivery.conftest import NOON, deliveries
from tests.passes.shop import TYPE, Shop, content, open_shop, pending, register, saying

ISSUER = GoogleIssuerId("3388000000000000001")
LEASE, HOUR, SECOND = timedelta(seconds=30), timedelta(hours=1), timedelta(seconds=1)
FAST = Pace(1e6)


@pytest.fixture
def shop(database: Database) -> Shop:
    return open_shop(database)


def objects(
    database: Database, shop: Shop, count: int, brand_id: BrandId | None = None
) -> list[GoogleObjectId]:
    """Of new passes, of the shop's brand or of another one of its issuer."""
    with database.write() as tx:
        brand_id = brand_id or _own(tx)
        card: dict[str, Any] = {
            "pass_type_identifier": TYPE, "design_id": shop.design_id, "content": content(0).to_json(),
            "version": 1, "tag": 1, "last_modified": NOON, "created_at": NOON,
        }  # fmt: skip
        made = insert(wallet_pass).returning(wallet_pass.c.id, sort_by_parameter_order=True)
        rows = [card | {"serial_number": f"{brand_id}-{number}"} for number in range(count)]
        passes = tx.scalars(made, rows).all()
        own = {"brand_id": brand_id, "issuer_id": ISSUER, "created_at": NOON}
        found = insert(google_object).returning(google_object.c.id, sort_by_parameter_order=True)
        named = [{"pass_id": one, "resource_id": f"{ISSUER}.{one}"} | own for one in passes]
        return [GoogleObjectId(one) for one in tx.scalars(found, named)]


def _own(tx: Tx) -> BrandId:
    return BrandId(tx.scalars(select(brand.c.id).where(brand.c.slug == "cafe")).one())


def another(database: Database) -> BrandId:
    """A brand beside the shop's."""
    with database.write() as tx:
        row = dict(tx.execute(select(brand)).mappings().one()) | {"slug": "bar"}
        row.pop("id")
        return BrandId(tx.execute(insert(brand).values(**row).returning(brand.c.id)).scalar_one())


def promise(
    database: Database,
    ids: list[GoogleObjectId],
    kind: GoogleKind = "silent",
    *,
    brand_id: BrandId | None = None,
    at: timedelta = timedelta(0),
) -> None:
    with database.write() as tx:
        own = brand_id or _own(tx)
        google.promise(
            tx,
            [GooglePromise(brand_id=own, target=one, kind=kind, due_at=NOON + at) for one in ids],
            now=NOON,
        )


def claim(
    database: Database,
    owner: str = "me",
    *,
    at: timedelta = timedelta(0),
    limit: int = 500,
    pace: Pace = FAST,
    brands: Sequence[BrandId] = (),
) -> list[ClaimedGoogle]:
    with database.write() as tx:
        claimed = google.claim(
            tx, owner=owner, issuer_id=ISSUER, brands=brands or [_own(tx)], pace=pace, now=NOON + at,
            lease=LEASE, limit=limit,
        )  # fmt: skip
        google.begin_attempts(tx, claimed, now=NOON + at)
        return claimed


def came(claimed: ClaimedGoogle, verdict: GoogleVerdict, **more: Any) -> GoogleOutcome:
    return GoogleOutcome(claimed=claimed, verdict=verdict, reason=verdict, **more)


def settle(database: Database, *outcomes: GoogleOutcome, at: timedelta = timedelta(0)) -> list[str]:
    with database.write() as tx:
        return list(google.settle(tx, "me", outcomes, now=NOON + at).values())


def test_what_waits_for_an_object_is_one_row_of_the_most_urgent_kind(database: Database, shop: Shop) -> None:
    (one, two) = objects(database, shop, 2)
    promise(database, [one], "silent", at=SECOND)
    promise(database, [one, one, two], "campaign")
    promise(database, [one], "receipt", at=SECOND)
    promise(database, [one], "level")
    rows = deliveries(database)
    assert [(row.google_object_id, row.kind, row.due_at) for row in rows] == [
        (one, "receipt", NOON),
        (two, "campaign", NOON),
    ]
    assert [each.object_id for each in claim(database)] == [one, two]


def test_one_of_an_object_is_on_its_way_and_the_next_waits_for_its_answer(
    database: Database, shop: Shop
) -> None:
    (one,) = objects(database, shop, 1)
    promise(database, [one])
    (first,) = claim(database)
    promise(database, [one])
    assert claim(database) == []
    assert settle(database, came(first, "accepted")) == ["accepted"]
    (second,) = claim(database)
    promise(database, [one], "receipt")
    assert settle(database, came(second, "retry", retry_after=60 * SECOND)) == ["superseded"]
    (row,) = [row for row in deliveries(database) if row.state == "pending"]
    assert row.kind == "receipt"
    assert row.due_at >= NOON + 60 * SECOND, "Google asked for it"


def test_a_step_that_must_be_followed_is_due_at_once_and_wears_out_in_the_end(
    database: Database, shop: Shop
) -> None:
    (one,) = objects(database, shop, 1)
    promise(database, [one])
    for _ in range(retry.MOST_ATTEMPTS - 1):
        (claimed,) = claim(database)
        assert settle(database, came(claimed, "next")) == ["pending"]
    (claimed,) = claim(database)
    assert settle(database, came(claimed, "next")) == ["exhausted"]


def test_who_lost_its_lease_settles_nothing_and_the_dead_are_followed(database: Database, shop: Shop) -> None:
    ids = objects(database, shop, 3)
    promise(database, ids)
    claimed = claim(database, "dead")
    with database.write() as tx:
        dead = google.lost(tx, now=NOON + 2 * LEASE)
        google.take_back(tx, dead, now=NOON + 2 * LEASE)
        assert queue.rescue(tx, now=NOON + 2 * LEASE) == 0, "none of Apple's"
    assert [one.object_id for one in dead] == ids
    assert settle(database, came(claimed[0], "accepted")) == []
    assert len(claim(database, at=2 * LEASE)) == 3
    with database.read() as tx:
        verdicts = tx.scalars(select(attempt.c.verdict).order_by(attempt.c.id)).all()
    assert verdicts == ["lost"] * 3 + [None] * 3


def test_claims_keep_to_their_channel_and_brand(database: Database, shop: Shop) -> None:
    other = another(database)
    mine, theirs = objects(database, shop, 1), objects(database, shop, 1, other)
    promise(database, mine)
    promise(database, theirs, brand_id=other)
    with database.write() as tx:
        claimed = queue.claim(tx, owner="me", now=NOON, lease=LEASE, policy=Policy())
        assert claimed.claimed == ()
        own = _own(tx)
        assert google.brands_due(tx, [own, other, BrandId(99)], now=NOON) == sorted([own, other])
    assert [one.object_id for one in claim(database)] == mine
    with database.read() as tx:
        (left,) = google.queues(tx, [other], now=NOON + SECOND)
    assert (left.due, left.sending, left.oldest_due_seconds) == (1, 0, 1.0)


def test_a_receipt_overtakes_another_brands_campaign_and_equals_share(database: Database, shop: Shop) -> None:
    other = another(database)
    mine, theirs = objects(database, shop, 8), objects(database, shop, 8, other)
    promise(database, mine, "campaign")
    promise(database, theirs[:2], "receipt", brand_id=other)
    promise(database, theirs[2:], "campaign", brand_id=other, at=HOUR)
    with database.read() as tx:
        both = [_own(tx), other]
    assert [one.object_id for one in claim(database, limit=4, brands=both)] == [*theirs[:2], *mine[:2]]
    later = {one.object_id for one in claim(database, limit=4, at=HOUR, brands=both)}
    assert later == {*mine[2:4], *theirs[2:4]}, "as urgent, half each"
    rest = {one.object_id for one in claim(database, limit=9, at=HOUR, brands=both)}
    assert rest == {*mine[4:], *theirs[4:]}, "what one does not need the other takes"


def test_no_more_is_claimed_than_may_leave_soon(database: Database, shop: Shop) -> None:
    promise(database, objects(database, shop, 30))
    slow = Pace(20.0)
    first = claim(database, pace=slow)
    assert len(first) == 11  # half a second's, and the one that may leave at once
    with database.write() as tx:
        departures = google.depart(tx, ISSUER, 11, pace=slow, now=NOON)
    assert departures[-1] == NOON + timedelta(seconds=0.5)
    assert claim(database, pace=slow) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "code", "priority": 10},
        {"kind": "receipt", "priority": 0},
        {"google_object_id": None},
        {"brand_id": None},
        {"login": "main"},
        {"kind": "class", "priority": 20},
        {"state": "delivered", "settled_at": NOON},
    ],
)
def test_the_database_refuses_nonsense(database: Database, shop: Shop, changed: dict[str, Any]) -> None:
    (one,) = objects(database, shop, 1)
    with database.read() as tx:
        own = _own(tx)
    row = {
        "channel": "google", "brand_id": own, "google_object_id": one, "kind": "receipt", "priority": 21,
        "state": "pending", "due_at": NOON, "created_at": NOON,
    }  # fmt: skip
    with pytest.raises(IntegrityError), database.write() as tx:
        tx.execute(insert(delivery).values(**(row | changed)))


def test_a_change_of_a_pass_is_promised_to_its_phones_and_its_object(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        card = shop.issue(tx)
        register(tx, card)
        issuing.revise(tx, [Revision(card.id, saying(content(1)))], kind="receipt", now=NOON)
        assert pending(tx) == [("phone", "receipt")]
    (one,) = objects(database, shop, 1)
    with database.write() as tx:
        row = tx.execute(select(google_object.c.pass_id).where(google_object.c.id == one)).one()
        issuing.revise(tx, [Revision(row.pass_id, saying(content(2)))], kind="campaign", now=NOON)
        issuing.tombstone(tx, row.pass_id, now=NOON)
    assert [(row.google_object_id, row.kind) for row in deliveries(database) if row.brand_id] == [
        (one, "campaign")
    ]


def test_the_ledger_goes_with_its_promises(database: Database, shop: Shop) -> None:
    (one,) = objects(database, shop, 1)
    promise(database, [one], "receipt")
    (claimed,) = claim(database)
    with database.write() as tx:
        store_google_quota.note(tx, [Noted(claimed.id, one, "message", "asked")], now=NOON)
        store_google_quota.note(tx, [Noted(claimed.id, one, "message", "held")], now=NOON)
        store_google_quota.came(tx, {claimed.id: "notified"}, now=NOON)
        ledger = store_google_quota.ledgers(tx, [one], now=NOON + HOUR)
        assert ledger[one][claimed.id].outcome == "notified"
        assert store_google_quota.ledgers(tx, [one], now=NOON + 25 * HOUR) == {}
    settle(database, came(claimed, "accepted"))
    with database.write() as tx:
        assert queue.purge(tx, settled_before=NOON + HOUR) == 1
        assert tx.execute(select(google_notification)).all() == []


# What is asked all day long reads ranges of indexes.

_MANY = 3000
_WHOLE = re.compile(
    r"SCAN (delivery|google_object|google_notification|attempt|wallet_pass)\b(?! USING (COVERING )?INDEX"
    r" (ix_delivery_due_google|ix_delivery_lease|uq_delivery_one_\w+)\b)"
    r"|Seq Scan on (delivery|google_object|google_notification|attempt|wallet_pass)"
)
ASKED: dict[str, Callable[[Tx, list[GoogleObjectId]], Any]] = {
    "claim": lambda tx, _: google.claim(
        tx, owner="x", issuer_id=ISSUER, brands=[BrandId(1)], pace=FAST, now=NOON, lease=LEASE, limit=9
    ),
    "due": lambda tx, _: google.brands_due(tx, [BrandId(1), BrandId(2)], now=NOON),
    "lost": lambda tx, _: google.lost(tx, now=NOON + HOUR),
    "ledgers": lambda tx, ids: store_google_quota.ledgers(tx, ids, now=NOON),
    "last": google.last_changes,
    "broadcasts": lambda tx, _: google.broadcasts_under_way(tx),
    "wanted": store_google.wanted,
    "locked": store_google.lock_objects,
    "named": lambda tx, ids: store_google.object_named(tx, f"{ISSUER}.{ids[0]}"),
    "who holds it": lambda tx, _: store_passes.holders(tx, [WalletPassId(1), WalletPassId(2)]),
    "of a pass": lambda tx, _: store_google.object_of_pass(tx, WalletPassId(1)),
}


def test_no_question_reads_what_is_settled(database: Database, shop: Shop) -> None:
    ids = objects(database, shop, _MANY)
    with database.read() as tx:
        own = _own(tx)
    over: dict[str, Any] = {
        "channel": "google", "brand_id": own, "kind": "receipt", "priority": 21, "state": "accepted",
        "due_at": NOON, "created_at": NOON, "settled_at": NOON, "reason": "Notified",
    }  # fmt: skip
    with database.write() as tx:
        tx.execute(insert(delivery), [over | {"google_object_id": one} for one in ids])
        rows = tx.execute(select(delivery.c.id, delivery.c.google_object_id)).all()
        line = {"at": NOON - HOUR, "how": "message", "outcome": "notified"}
        tx.execute(
            insert(google_notification),
            [line | {"delivery_id": row[0], "google_object_id": row[1]} for row in rows],
        )
        tx.execute(text("ANALYZE"))
    promise(database, ids[:30])
    claim(database, limit=10)
    asked = ids[5:8]
    for question, ask in ASKED.items():
        plans = _plans(database, lambda tx, ask=ask: ask(tx, asked))  # type: ignore[misc]
        assert plans, question
        for statement, plan in plans:
            assert not _WHOLE.search(plan), f"{question}\n{statement}\n{plan}"


def _plans(database: Database, ask: Callable[[Tx], Any]) -> list[tuple[str, str]]:
    explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
    found: list[tuple[str, str]] = []

    def hear(connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            with closing(connection.connection.cursor()) as own:
                own.execute(f"{explain} {statement}", parameters)
                found.append((statement, "\n".join(str(row[-1]) for row in own.fetchall())))

    event.listen(database.engine, "before_cursor_execute", hear)
    try:
        with database.write() as tx:
            ask(tx)
    finally:
        event.remove(database.engine, "before_cursor_execute", hear)
    return found
