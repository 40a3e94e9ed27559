"""Codes are placed many at once; what was ended by mistake comes back as it was."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert

from app.accounts import keys, staff
from app.accounts.brands import Brand
from app.db import Database, Tx
from app.db.identifiers import ProgrammeId
from app.errors import BadInput, Conflict
from app.loyalty.tables import programme as programme_table
from app.places import endings, links, placements, placing
from tests.accounts.world import NOW, a_brand, a_venue

LATER = NOW + timedelta(minutes=5)


def _a_programme(tx: Tx, brand: Brand, slug: str = "club") -> ProgrammeId:
    row = tx.execute(
        insert(programme_table)
        .values(brand_id=brand.id, slug=slug, kind="bonus", name="Club", rules={}, created_at=NOW)
        .returning(programme_table.c.id)
    )
    return ProgrammeId(row.scalar_one())


def test_names_are_said_as_people_say_them() -> None:
    assert placing.names("1-3, bar, 2, Терраса 5 ") == ["1", "2", "3", "bar", "Терраса 5"]
    assert placing.names("7") == ["7"]
    assert placing.names("9–11") == ["9", "10", "11"]
    for wrong in ("", " , ", "5-2", "1-61", "1-9999"):
        with pytest.raises(BadInput) as refused:
            placing.names(wrong)
        assert refused.value.field == "names"


def test_tables_are_laid_at_once_and_only_once(database: Database) -> None:
    with database.write() as tx:
        brand = a_brand(tx)
        venue, programme = a_venue(tx, brand), _a_programme(tx, brand)

        def lay(said: str, which: ProgrammeId = programme) -> placing.Placed:
            return placing.place(
                tx, venue_id=venue.id, programme_id=which, kind="table", names=placing.names(said),
                now=NOW, actor="t",
            )  # fmt: skip

        first = lay("1-4")
        assert first.new == 4
        again = lay("3-6")
        assert again.new == 2
        assert again.links[:2] == first.links[2:]
        assert sorted(p.name for p in placements.placements_of_venue(tx, venue.id)) == list("123456")
        links.retire_link(tx, first.links[0].id, now=NOW, actor="t")
        anew = lay("1")
        assert anew.new == 1
        assert anew.links[0].code != first.links[0].code
        assert lay("1-6", _a_programme(tx, brand, "stamps")).new == 6  # another card, other codes
        endings.close_venue(tx, venue.id, now=NOW, actor="t")
        with pytest.raises(Conflict):
            lay("99")


def test_a_link_that_was_retired_by_mistake_lives_again(database: Database) -> None:
    with database.write() as tx:
        brand = a_brand(tx)
        venue, programme = a_venue(tx, brand), _a_programme(tx, brand)
        made = links.create_link(tx, programme_id=programme, venue_id=venue.id, now=NOW, actor="t")
        assert links.restore_link(tx, made.id, now=NOW, actor="t") == made
        links.retire_link(tx, made.id, now=NOW, actor="t")
        assert links.restore_link(tx, made.id, now=LATER, actor="t") == made
        endings.close_venue(tx, venue.id, now=LATER, actor="t")
        with pytest.raises(Conflict, match="closed"):
            links.restore_link(tx, made.id, now=LATER, actor="t")


def test_the_first_print_of_a_link_is_remembered(database: Database) -> None:
    with database.write() as tx:
        brand = a_brand(tx)
        venue, programme = a_venue(tx, brand), _a_programme(tx, brand)
        made = links.create_link(tx, programme_id=programme, venue_id=venue.id, now=NOW, actor="t")
        assert made.printed_at is None
        links.note_printed(tx, [made], now=NOW)
        links.note_printed(tx, [made], now=LATER)
        assert links.link(tx, made.id).printed_at == NOW


def test_a_venue_opens_again_with_what_ended_at_its_closing_and_nothing_else(database: Database) -> None:
    with database.write() as tx:
        brand = a_brand(tx)
        venue, programme = a_venue(tx, brand), _a_programme(tx, brand)
        kept, retired = (
            links.create_link(tx, programme_id=programme, venue_id=venue.id, now=NOW, actor="t")
            for _ in range(2)
        )
        key, secret = keys.create_key(
            tx, brand_id=brand.id, venue_id=venue.id, name="till", now=NOW, actor="t"
        )
        links.retire_link(tx, retired.id, now=NOW, actor="t")
        endings.close_venue(tx, venue.id, now=LATER, actor="t")
        assert keys.authenticate(tx, secret, now=LATER) is None
        again = LATER + timedelta(minutes=1)
        assert endings.reopen_venue(tx, venue.id, now=again, actor="t").closed_at is None
        assert {link.id: link.retired_at for link in links.links_of_venue(tx, venue.id)} == {
            kept.id: None,
            retired.id: NOW,
        }
        assert keys.authenticate(tx, secret, now=again) == keys.key(tx, key.id)
        # A day later its links come back, and no secret that lay about meanwhile.
        endings.close_venue(tx, venue.id, now=again, actor="t")
        tomorrow = again + timedelta(days=1)
        endings.reopen_venue(tx, venue.id, now=tomorrow, actor="t")
        assert links.link(tx, kept.id).retired_at is None
        assert keys.authenticate(tx, secret, now=tomorrow) is None


def test_a_key_comes_back_for_a_quarter_of_an_hour_unless_its_name_is_taken(database: Database) -> None:
    with database.write() as tx:
        brand = a_brand(tx)
        venue = a_venue(tx, brand)
        first, _ = keys.create_key(tx, brand_id=brand.id, venue_id=venue.id, name="till", now=NOW, actor="t")
        assert keys.restore_key(tx, first.id, now=NOW, actor="t") == first
        keys.revoke_key(tx, first.id, now=NOW, actor="t")
        assert keys.restore_key(tx, first.id, now=LATER, actor="t").works(LATER)
        keys.revoke_key(tx, first.id, now=LATER, actor="t")
        keys.create_key(tx, brand_id=brand.id, venue_id=venue.id, name="till", now=LATER, actor="t")
        with pytest.raises(Conflict, match="another key"):
            keys.restore_key(tx, first.id, now=LATER, actor="t")
        with pytest.raises(Conflict, match="too long ago"):
            keys.restore_key(tx, first.id, now=LATER + timedelta(minutes=16), actor="t")


def test_who_left_by_mistake_comes_back_with_their_links(database: Database) -> None:
    with database.write() as tx:
        brand = a_brand(tx)
        venue, programme = a_venue(tx, brand), _a_programme(tx, brand)
        anna = staff.create_staff_member(
            tx, brand_id=brand.id, venue_id=venue.id, name="Анна", now=NOW, actor="t"
        )
        own, older = (
            links.create_link(
                tx, programme_id=programme, venue_id=venue.id, staff_member_id=anna.id, now=NOW, actor="t"
            )
            for _ in range(2)
        )
        links.retire_link(tx, older.id, now=NOW, actor="t")
        endings.end_employment(tx, anna.id, now=LATER, actor="t")
        assert endings.resume_employment(tx, anna.id, now=LATER, actor="t").left_at is None
        assert links.link(tx, own.id).retired_at is None
        assert links.link(tx, older.id).retired_at == NOW
        assert endings.resume_employment(tx, anna.id, now=LATER, actor="t").left_at is None
