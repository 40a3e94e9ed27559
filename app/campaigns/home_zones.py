"""Which clock a guest lives by: that of the home venue, so that nobody is woken from another time zone."""

from __future__ import annotations

from collections.abc import Collection

from app.campaigns import store_home_zones as store
from app.db import Tx
from app.db.identifiers import MemberId


def of_members(tx: Tx, member_ids: Collection[MemberId]) -> dict[MemberId, str]:
    """The time zone (IANA) of each: of the venue of the newest card that has not ended, else the brand's.

    Who is no member is left out.
    """
    return store.zones(tx, sorted(set(member_ids)))
