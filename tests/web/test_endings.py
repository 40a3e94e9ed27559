"""After a venue has closed no guest enrols there and no till rings, over HTTP as they would try."""

from __future__ import annotations

from sqlalchemy import func, select

from app.db import Database
from app.loyalty.tables import member
from app.places import endings
from tests.loyalty import town as towns
from tests.loyalty.town import BONUS
from tests.web import till_api
from tests.web.guests import NOW, open_world


def test_the_page_of_a_closed_venue_has_no_form_and_takes_none(database: Database) -> None:
    world = open_world(database)
    guest = world.phone()
    waiting = guest.scan(world.cafe)
    assert waiting.status_code == 200
    with database.write() as tx:
        closed = endings.close_venue(tx, world.cafe.venue.id, now=NOW, actor="test")
    assert {link.id for link in closed.links} == {world.cafe.link.id, world.cafe.table.id}
    for path in (world.cafe.path, f"/i/{world.cafe.table.code}"):
        page = guest.client.get(path, follow_redirects=True)
        assert page.status_code == 410
        assert "<form" not in page.text
    assert guest.send(waiting, data="yes", name="Анна").status_code == 410
    with database.read() as tx:
        assert tx.scalar(select(func.count()).select_from(member)) == 0
    assert guest.scan(world.bakery).status_code == 200


def test_the_till_of_a_closed_venue_is_signed_out(database: Database) -> None:
    bell = till_api.Bell()
    app = till_api.application(till_api.services(database, bell))
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        guest = towns.guest(tx, town)
    till = till_api.Till(app, town.secret, bell)
    assert till.post("/receipts", till_api.receipt(guest.card_code, "1")).status_code == 201
    with database.write() as tx:
        closed = endings.close_venue(tx, town.venue.id, now=towns.NOW, actor="test")
    assert [key.id for key in closed.keys] == [town.key.id]
    assert till.post("/receipts", till_api.receipt(guest.card_code, "2")).status_code == 401
    assert till.get(f"/cards/{guest.card_code}").status_code == 401
