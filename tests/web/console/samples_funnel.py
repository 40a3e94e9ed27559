"""A chain in use, for the funnel's pages: venues with their own truth, months of visits, staff with plans."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

from app.accounts import staff
from app.db import Tx
from app.db.identifiers import InstallLinkId
from app.places import links, placements, tallies, venues, visits
from app.places.tables import visit, visit_event
from app.places.venues import Venue, VenueDraft
from tests.web.console.house import House

USUAL = {
    "page": 0.92,
    "form": 0.45,
    "code": 0.71,
    "added": 0.85,
    "receipt": 0.6,
    "again": 0.45,
    "active": 0.9,
}
NAMES = ("Набережная", "Невский, 28", "Новая площадь", "Пушкинская", "Старый город", "Вокзал")


def come(
    tx: Tx, link: InstallLinkId, day: date, scans: int, chance: random.Random, shares: dict[str, float]
) -> None:
    """So many scans of one day, and what became of them; fold or mend afterwards."""
    rows, events = [], []
    for _ in range(scans):
        visit_id = visits.new_visit_id()
        at = _noon(day)
        rows.append({"id": visit_id, "install_link_id": link, "device_kind": "iphone", "language": "ru",
                     "created_at": at, "day": day})  # fmt: skip
        taken = ["scan"]
        for step, share in {**USUAL, **shares}.items():
            if chance.random() >= share:
                break
            taken.append(step)
        if "added" in taken and chance.random() < 0.12:
            taken.append("removed")
        events += [{"visit_id": visit_id, "kind": kind, "at": at, "install_link_id": link, "day": day}
                   for kind in taken]  # fmt: skip
    if rows:
        tx.execute(visit.insert(), rows)
        tx.execute(visit_event.insert(), events)


def furnish(house: House) -> None:
    """Eight venues; the main one loses guests at the code, and one of its tables at the page."""
    chance, shop, today = random.Random(8), house.cafe, house.clock().date()
    with house.database.write() as tx:
        for number, name in enumerate(NAMES):
            draft = VenueDraft(brand_id=shop.brand.id, slug=f"v{number}", name=name, address="Ул. 1")
            place = venues.create_venue(tx, draft, now=house.clock(), actor="t")
            scans = (160, 90, 60, 30, 3, 0)[number]
            _fill(house, tx, place, today, chance, scans // 4 + 1 if scans else 0, {})
        _fill(house, tx, shop.venue, today, chance, 14, {"code": 0.38})
        tallies.mend(tx)
        while tallies.fold(tx):
            pass


def _fill(
    house: House, tx: Tx, place: Venue, today: date, chance: random.Random, a_day: int, own: dict[str, float]
) -> None:
    shop, now = house.cafe, house.clock()
    sources: list[tuple[dict[str, int], float]] = []
    for kind, name, weight in (("till", "1", 0.4), ("table", "1", 0.2), ("table", "2", 0.2)):
        spot = placements.create_placement(
            tx, venue_id=place.id, kind=kind, name=f"{name}a", now=now, actor="t"
        )
        sources.append(({"placement_id": spot.id}, weight))
    for name, target in (("Анна Смирнова", 40), ("Борис Ким", 60)):
        person = staff.create_staff_member(
            tx, brand_id=shop.brand.id, venue_id=place.id, name=f"{name} {place.slug}", now=now, actor="t",
            monthly_target=target,
        )  # fmt: skip
        sources.append(({"staff_member_id": person.id}, 0.1))
    for number, (source, weight) in enumerate(sources):
        link = links.create_link(
            tx, programme_id=shop.programme.id, venue_id=place.id, now=now, actor="t", **source  # type: ignore[arg-type]
        )  # fmt: skip
        shares = {**own, **({"form": 0.2} if number == 2 else {})}
        for back in range(75):
            came = sum(chance.random() < weight for _ in range(a_day))
            come(tx, link.id, today - timedelta(days=back), came, chance, shares)


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
