"""Which venues go with a role."""

from __future__ import annotations

from collections.abc import Iterable

from app.accounts.roles import Role
from app.accounts.store_brands import brand_of_venue
from app.db import Tx
from app.db.identifiers import BrandId, VenueId
from app.errors import BadInput


def checked_venues(tx: Tx, brand_id: BrandId, role: Role, venues: Iterable[VenueId]) -> frozenset[VenueId]:
    """The venues that go with a role; raises BadInput where a manager has none, or another brand's."""
    if role != "manager":
        return frozenset()
    wanted = frozenset(venues)
    if not wanted:
        raise BadInput("no-venues", "Say which venues the manager is to see", field="venues")
    if any(brand_of_venue(tx, venue) != brand_id for venue in wanted):
        raise BadInput("other-brand", "The venue is not one of this brand", field="venues")
    return wanted
