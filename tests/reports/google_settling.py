"""A card at Google whose promises are carried by hand: each ends as the test says, without any wire."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from app.db import Database
from app.db.identifiers import GoogleIssuerId, GoogleObjectId, WalletPassId
from app.delivery import google
from app.delivery.google_promises import GoogleKind, GoogleOutcome, GooglePromise, GoogleVerdict
from app.delivery.pace import Pace
from app.passes import store_google
from app.passes.google_cards import with_holders
from app.passes.store_google import ObjectRow

ISSUER = GoogleIssuerId("3388000000022141777")


def at_google(database: Database, pass_id: WalletPassId, brand_id: int, *, now: datetime) -> ObjectRow:
    """An object that nothing was promised for yet."""
    with database.write() as tx:
        store_google.add_object(
            tx,
            pass_id=pass_id,
            brand_id=brand_id,  # type: ignore[arg-type]
            issuer_id=ISSUER,
            resource_id=f"{ISSUER}.card-{pass_id}",
            now=now,
        )
        made = store_google.object_of_pass(tx, pass_id)
    assert made is not None
    return made


def promise(
    database: Database,
    one: GoogleObjectId,
    kind: GoogleKind,
    *,
    now: datetime,
) -> None:
    """A change waits."""
    with database.write() as tx:
        brand_id = store_google.lock_objects(tx, [one])[one].brand_id
        google.promise(tx, [GooglePromise(brand_id=brand_id, target=one, kind=kind, due_at=now)], now=now)


def told(
    database: Database,
    one: GoogleObjectId,
    verdict: GoogleVerdict,
    reason: str,
    *,
    now: datetime,
    kind: GoogleKind = "receipt",
) -> None:
    """A change that was promised, tried, and came to this."""
    promise(database, one, kind, now=now)
    with database.write() as tx:
        brand_id = store_google.lock_objects(tx, [one])[one].brand_id
        claimed = google.claim(
            tx, owner="w", issuer_id=ISSUER, brands=[brand_id], pace=Pace(100), now=now,
            lease=timedelta(seconds=30), limit=10,
        )  # fmt: skip
        google.begin_attempts(tx, claimed, now=now)
    assert [each.object_id for each in claimed] == [one]
    with database.write() as tx:
        google.settle(tx, "w", [GoogleOutcome(claimed=claimed[0], verdict=verdict, reason=reason)], now=now)


def held(database: Database, one: ObjectRow, *, by_somebody: bool, now: datetime) -> None:
    """Google said, when it was read, whether anybody holds the card."""
    with database.write() as tx:
        [row] = store_google.lock_objects(tx, [one.id]).values()
        row, _ = with_holders(replace(row, inserted_at=now), has_users=by_somebody, now=now)
        store_google.write_objects(tx, [row])
