"""A guest lives by the clock of the venue where the newest living card was made."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update

from app.campaigns import home_zones
from app.db import Database
from app.db.identifiers import MemberId
from app.loyalty import programmes
from app.loyalty.tables import enrolment
from app.places import venues
from tests.loyalty import town


def test_the_newest_living_card_tells_the_zone(database: Database) -> None:
    with database.write() as tx:
        made = town.build(tx, town.BONUS)
        guest = town.guest(tx, made)
        far = venues.create_venue(
            tx,
            venues.VenueDraft(
                brand_id=made.brand.id, slug="far", name="Far", address="-", time_zone="Asia/Vladivostok"
            ),
            now=town.NOW,
            actor="test",
        )
        tx.execute(update(enrolment).where(enrolment.c.id == guest.id).values(venue_id=far.id))
        assert home_zones.of_members(tx, [guest.member_id]) == {guest.member_id: "Asia/Vladivostok"}

        other = programmes.create_programme(
            tx,
            programmes.ProgrammeDraft(brand_id=made.brand.id, slug="other", name="Other", rules=town.STAMPS),
            now=town.NOW,
            actor="test",
        )
        newer = town.guest(tx, made)
        tx.execute(
            update(enrolment)
            .where(enrolment.c.id == newer.id)
            .values(
                member_id=guest.member_id,
                programme_id=other.id,
                enrolled_at=town.NOW + timedelta(days=1),
            )
        )
        asked = [guest.member_id, newer.member_id, MemberId(10**9)]
        assert home_zones.of_members(tx, asked) == {
            guest.member_id: "Europe/Moscow",
            newer.member_id: "Europe/Moscow",  # no card: the brand's
        }
        tx.execute(update(enrolment).where(enrolment.c.id == newer.id).values(ended_at=town.NOW))
        assert home_zones.of_members(tx, [guest.member_id]) == {guest.member_id: "Asia/Vladivostok"}
