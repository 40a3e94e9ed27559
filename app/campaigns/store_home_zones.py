"""SQL of where guests are at home."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from app.accounts.tables import brand
from app.db import Tx, among
from app.db.identifiers import MemberId
from app.loyalty.tables import enrolment, member
from app.places.tables import venue


def zones(tx: Tx, member_ids: Sequence[MemberId]) -> dict[MemberId, str]:
    """By member: of the venue of the newest living card, of the brand where there is none."""
    brands = (
        select(member.c.id, brand.c.time_zone)
        .join(brand, brand.c.id == member.c.brand_id)
        .where(among(member.c.id, member_ids))
    )
    homes = (
        select(enrolment.c.member_id, venue.c.time_zone)
        .join(venue, venue.c.id == enrolment.c.venue_id)
        .where(among(enrolment.c.member_id, member_ids), enrolment.c.ended_at.is_(None))
        .order_by(enrolment.c.enrolled_at, enrolment.c.id)  # the newest has the last word
    )
    return {row[0]: row[1] for asked in (brands, homes) for row in tx.execute(asked)}
