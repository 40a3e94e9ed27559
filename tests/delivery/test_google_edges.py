"""Each edge that docs/delivery-states.md draws for Google can be walked, and no verb walks another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

from sqlalchemy import select, update

from app.db import Database
from app.db.identifiers import GoogleObjectId
from app.delivery import google, retry
from app.delivery.google_promises import ClaimedGoogle, GoogleVerdict
from app.delivery.promises import EDGES, State
from app.delivery.tables import delivery
from tests.delivery.conftest import NOON
from tests.delivery.test_google_queue import HOUR, LEASE, came, claim, objects, promise, settle
from tests.passes.shop import open_shop

Walk = Callable[[Database, ClaimedGoogle], Any]


def _comes(verdict: GoogleVerdict) -> Walk:
    return lambda database, claimed: settle(database, came(claimed, verdict))


def _gone(database: Database, claimed: ClaimedGoogle) -> None:
    with database.write() as tx:
        google.end_untried(tx, "me", {claimed: "NoGoogleDesign"}, state="gone", now=NOON)


def _supersede(database: Database, claimed: ClaimedGoogle) -> None:
    assert claimed.object_id is not None
    promise(database, [claimed.object_id])
    settle(database, came(claimed, "retry"))


def _wear_out(database: Database, claimed: ClaimedGoogle) -> None:
    with database.write() as tx:
        tx.execute(update(delivery).where(delivery.c.id == claimed.id).values(attempts=retry.MOST_ATTEMPTS))
        dead = google.lost(tx, now=NOON + 2 * LEASE)
        google.take_back(tx, dead, now=NOON + 2 * LEASE)


WALKS: dict[State, Walk] = {
    "pending": _comes("retry"),
    "accepted": _comes("accepted"),
    "superseded": _supersede,
    "gone": _gone,
    "refused": _comes("refused"),
    "exhausted": _wear_out,
}


def _claimed(database: Database, card: GoogleObjectId) -> ClaimedGoogle:
    promise(database, [card])
    (claimed,) = claim(database)
    return claimed


def _state(database: Database, claimed: ClaimedGoogle) -> str:
    with database.read() as tx:
        return str(tx.execute(select(delivery.c.state).where(delivery.c.id == claimed.id)).scalar_one())


def test_each_edge_of_a_change_can_be_walked_and_no_final_state_is_left(database: Database) -> None:
    cards = objects(database, open_shop(database), len(WALKS))
    verdicts: tuple[GoogleVerdict, ...] = get_args(GoogleVerdict)
    assert set(WALKS) == EDGES["sending"]
    for card, (end, walk) in zip(cards, WALKS.items(), strict=True):
        claimed = _claimed(database, card)
        assert _state(database, claimed) == "sending"
        walk(database, claimed)
        assert _state(database, claimed) == end
        for verdict in verdicts:  # of somebody who holds it no more
            settle(database, came(claimed, verdict))
        with database.write() as tx:
            google.put_off(tx, "me", [claimed], due_at=NOON, reason="x", now=NOON)
            google.end_untried(tx, "me", {claimed: "x"}, now=NOON)
            assert google.lost(tx, now=NOON + HOUR) == []
        assert _state(database, claimed) == end
        with database.write() as tx:  # out of the next one's way
            tx.execute(update(delivery).where(delivery.c.state == "pending").values(due_at=NOON + 24 * HOUR))
