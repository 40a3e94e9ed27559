"""Things of a brand that the role matrix and the pictures ask for: its codes, people, keys and programme."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from app.accounts import keys, staff
from app.loyalty import till
from app.places import links, placing, visits
from app.places.visits import VisitEventKind
from tests.web.console.house import House
from tests.web.guests import Shop


def _person(house: House, shop: Shop) -> int:
    with house.database.write() as tx:
        for there in staff.staff_of_brand(tx, shop.brand.id):
            if there.name == "Vera":
                return there.id
        return staff.create_staff_member(
            tx, brand_id=shop.brand.id, venue_id=shop.venue.id, name="Vera", now=house.clock(), actor="test"
        ).id


def _key(house: House, shop: Shop) -> int:
    with house.database.write() as tx:
        for there in keys.keys_of_brand(tx, shop.brand.id):
            if there.venue_id == shop.venue.id and there.works(house.clock()):
                return there.id
        made, _ = keys.create_key(
            tx, brand_id=shop.brand.id, venue_id=shop.venue.id, name="till", now=house.clock(), actor="test"
        )
        return made.id


SAMPLES: dict[str, Callable[[House, Shop], object]] = {
    "code": lambda _house, shop: shop.table.code,
    "person": _person,
    "key": _key,
    "programme_id": lambda _house, shop: shop.programme.id,
}


def furnish(house: House) -> None:
    """A cafe in use, for pictures: tables, people with plans, keys, scans and receipts."""
    shop, now = house.cafe, house.clock()
    with house.database.write() as tx:
        laid = placing.place(
            tx, venue_id=shop.venue.id, programme_id=shop.programme.id, kind="table",
            names=placing.names("1-6"), now=now, actor="test",
        )  # fmt: skip
        links.note_printed(tx, laid.links[:4], now=now)
        links.retire_link(tx, laid.links[5].id, now=now, actor="test")
        for name, target in (("Анна Смирнова", 40), ("Борис", None)):
            person = staff.create_staff_member(
                tx, brand_id=shop.brand.id, venue_id=shop.venue.id, name=name, monthly_target=target,
                now=now, actor="test",
            )  # fmt: skip
            link = links.create_link(
                tx, programme_id=shop.programme.id, venue_id=shop.venue.id, staff_member_id=person.id,
                now=now, actor="test",
            )  # fmt: skip
            for n in range(12):
                _visit(house, tx, link.id, "added" if n % 3 else "page")
        for place, link in enumerate(laid.links[:3]):
            for n in range(30 - 8 * place):
                _visit(house, tx, link.id, "added" if n % 3 == 0 else "scan")
        keys.create_key(tx, brand_id=shop.brand.id, venue_id=shop.venue.id, name="bar", now=now, actor="test")


def _visit(house: House, tx: object, link_id: int, last: VisitEventKind) -> None:
    visit_id = visits.new_visit_id()
    for kind in ("scan", "page", "form", "added"):
        visits.record(
            tx, visit_id=visit_id, link_id=link_id, kind=kind, at=house.clock() - timedelta(hours=3),  # type: ignore[arg-type]
            device_kind="iphone", language="ru",
        )  # fmt: skip
        if kind == last:
            break


def receipt(house: House, card: str, number: str = "test-1") -> None:
    """A receipt of the cafe's till."""
    shop = house.cafe
    with house.database.write() as tx:
        draft = till.ReceiptDraft(card=card, number=number, amount=500_00, currency="RUB", at=house.clock())
        till.record_receipt(tx, draft, brand_id=shop.brand.id, venue_id=shop.venue.id, now=house.clock())
