"""Placements: where in a venue a QR code hangs or lies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast, get_args

from app.accounts import audit, checks
from app.db import Tx
from app.db.identifiers import BrandId, PlacementId, VenueId
from app.errors import BadInput, Conflict, NotFound
from app.places import store_placements as store
from app.places import venues

Kind = Literal["table", "till", "door", "poster", "other"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """``kind`` and ``name`` together tell it apart in its venue: table 7, till "bar"."""

    id: PlacementId
    brand_id: BrandId
    venue_id: VenueId
    kind: Kind
    name: str
    created_at: datetime


def create_placement(
    tx: Tx, *, venue_id: VenueId, kind: str, name: str, now: datetime, actor: str
) -> Placement:
    """Add a placement; raises BadInput, Conflict where the venue has it, NotFound for the venue."""
    if kind not in KINDS:
        raise BadInput("unknown-kind", f"{kind!r}: a placement is one of {', '.join(KINDS)}", field="kind")
    name = checks.name(name)
    venue = venues.venue(tx, venue_id)
    number = store.insert_placement(tx, venue_id=venue_id, kind=kind, name=name, now=now)
    if number is None:
        raise Conflict("placement-taken", f"Venue {venue.slug!r} has the placement {kind} {name!r} already")
    audit.record(
        tx,
        at=now,
        actor=actor,
        brand_id=venue.brand_id,
        action="placement.created",
        subject=f"placement {number}",
        detail={"venue": venue.slug, "kind": kind, "name": name},
    )
    return placement(tx, PlacementId(number))


def placement(tx: Tx, placement_id: PlacementId) -> Placement:
    """The placement; raises NotFound."""
    if row := store.placement(tx, placement_id):
        return _placement(row)
    raise NotFound("no-such-placement", f"There is no placement number {placement_id}")


def placements_of_brand(tx: Tx, brand_id: BrandId) -> list[Placement]:
    """Every placement of a brand, by venue, kind and name."""
    return [_placement(row) for row in store.placements_of_brand(tx, brand_id)]


def placements_of_venue(tx: Tx, venue_id: VenueId) -> list[Placement]:
    """Every placement of a venue, by kind and name."""
    return [_placement(row) for row in store.placements_of_venue(tx, venue_id)]


def find(tx: Tx, venue_id: VenueId, kind: str, name: str) -> Placement:
    """The venue's placement of that kind and name; raises NotFound."""
    if row := store.find(tx, venue_id, kind, name):
        return _placement(row)
    raise NotFound(
        "no-such-placement", f"The venue has no placement {kind} {name!r}. See: perkpass placement list"
    )


def _placement(row: store.PlacementRow) -> Placement:
    return Placement(
        id=PlacementId(row.id),
        brand_id=BrandId(row.brand_id),
        venue_id=VenueId(row.venue_id),
        kind=cast("Kind", row.kind),
        name=row.name,
        created_at=row.created_at,
    )
