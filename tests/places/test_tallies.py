"""Tallies are what the events count to: in any order, with erasures, whoever folds, and many at a time."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Table, func, select

from app.db import Database, Tx
from app.db.identifiers import BrandId, InstallLinkId, VisitId
from app.places import store_tallies, tallies, visits
from app.places.store_tallies import COLUMNS, Scope
from app.places.tables import install_link, visit, visit_change, visit_event, visit_tally
from tests.places.test_visits import NOW, brand_with_links

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Fact = tuple[str, VisitId, datetime]


def _begin(tx: Tx, link: InstallLinkId, at: datetime) -> VisitId:
    visit_id = visits.new_visit_id()
    visits.record(
        tx, visit_id=visit_id, link_id=link, kind="scan", at=at, device_kind="iphone", language="en"
    )
    return visit_id


def _write(tx: Tx, fact: Fact) -> None:
    kind, visit_id, at = fact
    match kind:
        case "added":
            visits.card_added(tx, visit_id, at=at)
        case "removed":
            visits.card_removed(tx, visit_id, at=at)
        case "rung":
            visits.receipt_rung(tx, visit_id, at=at)
        case "erase":
            visits.erase(tx, visit_id, now=at)
        case _:
            visits.record_event(tx, visit_id=visit_id, kind=kind, at=at)  # type: ignore[arg-type]


def _counted(tx: Tx) -> Counter[tuple[int, date, str]]:
    """Straight from the events."""
    key = (visit_event.c.install_link_id, visit_event.c.day, visit_event.c.kind)
    rows = tx.execute(select(*key, func.count()).group_by(*key))
    return Counter({(link, day, kind): n for link, day, kind, n in rows})


def _told(tx: Tx, brand_id: BrandId) -> Counter[tuple[int, date, str]]:
    """What tallies answer."""
    scope = Scope(brand_id=brand_id, first=date(2000, 1, 1), last=date(2999, 12, 31))
    found: Counter[tuple[int, date, str]] = Counter()
    for row in store_tallies.days(tx, scope):
        for kind, n in zip(COLUMNS, row.steps, strict=True):
            if n:
                found[row.install_link_id, row.day, kind] = n
    return found


def _rows(tx: Tx, table: Table) -> int:
    return int(tx.execute(select(func.count()).select_from(table)).scalar_one())


@pytest.mark.parametrize("seed", range(6))
def test_tallies_are_a_recount_after_any_order_of_events_and_erasures(database: Database, seed: int) -> None:
    chance = random.Random(seed)
    with database.write() as tx:
        brand_id, links = brand_with_links(tx, "a")
        known = [_begin(tx, chance.choice(links), NOW + chance.randrange(96) * HOUR) for _ in range(12)]
    for _ in range(40):
        with database.write() as tx:
            for _ in range(chance.randint(1, 5)):
                kind = chance.choices(
                    ["page", "in_app", "form", "code", "added", "removed", "rung", "erase", "scan"],
                    [4, 1, 3, 2, 4, 3, 8, 0.5, 1],
                )[0]  # fmt: skip
                _write(tx, (kind, chance.choice(known), NOW + chance.randrange(45 * 24) * HOUR))
            if chance.random() < 0.4:
                tallies.fold(tx, limit=chance.choice([1, 3, 100]))
        if chance.random() < 0.3:
            with database.read() as tx:
                assert _told(tx, brand_id) == _counted(tx)
    with database.write() as tx:
        before = _counted(tx)
        assert before, "a test of nothing"
        assert _told(tx, brand_id) == before
        while tallies.fold(tx, limit=7):
            pass
        assert (_rows(tx, visit_change), tallies.mend(tx)) == (0, 0)
        assert _told(tx, brand_id) == before


def test_active_follows_from_the_other_steps_in_whatever_order_they_are_told(database: Database) -> None:
    """Came again within a month and kept the card: of one set of facts every order says the same."""
    chance = random.Random(5)
    ways: dict[str, list[tuple[str, timedelta]]] = {
        "came again": [("added", HOUR), ("rung", 2 * HOUR), ("rung", 3 * DAY)],
        "gave it up in time": [("added", HOUR), ("rung", HOUR), ("rung", 3 * DAY), ("removed", 9 * DAY)],
        "gave it up later": [("added", HOUR), ("rung", HOUR), ("rung", 3 * DAY), ("removed", 31 * DAY)],
        "same day": [("added", HOUR), ("rung", HOUR), ("rung", 2 * HOUR)],
        "too late": [("added", HOUR), ("rung", HOUR), ("rung", 31 * DAY)],
    }
    active = {"came again": True, "gave it up in time": False, "gave it up later": True,
              "same day": False, "too late": False}  # fmt: skip
    with database.write() as tx:
        _, (link, *_) = brand_with_links(tx, "a")
        for name, facts in ways.items():
            for _ in range(6):
                visit_id = _begin(tx, link, NOW)
                for kind, after in chance.sample(facts, len(facts)):
                    _write(tx, (kind, visit_id, NOW + after))
                assert ("active" in visits.steps(tx, visit_id)) is active[name], name


def test_a_card_that_was_added_again_was_not_given_up(database: Database) -> None:
    with database.write() as tx:
        brand_id, (link, *_) = brand_with_links(tx, "a")
        visit_id = _begin(tx, link, NOW)
        for kind, after in (("added", HOUR), ("rung", HOUR), ("rung", 2 * DAY), ("removed", 3 * DAY)):
            _write(tx, (kind, visit_id, NOW + after))
        assert {"again", "removed"} <= visits.steps(tx, visit_id)
        assert "active" not in visits.steps(tx, visit_id)
        visits.card_added(tx, visit_id, at=NOW + 4 * DAY)
        assert visits.steps(tx, visit_id) == {"scan", "added", "receipt", "again", "active"}
        assert _told(tx, brand_id) == _counted(tx)


def test_a_first_receipt_counts_for_a_week_by_the_tills_own_clock(database: Database) -> None:
    with database.write() as tx:
        _, (link, *_) = brand_with_links(tx, "a")
        for after, counts in ((-2 * HOUR, False), (-HOUR, True), (7 * DAY, True), (7 * DAY + HOUR, False)):
            visit_id = _begin(tx, link, NOW)
            visits.receipt_rung(tx, visit_id, at=NOW + after)
            assert ("receipt" in visits.steps(tx, visit_id)) is counts, after


def test_an_erased_visit_leaves_every_count_and_takes_no_more_steps(database: Database) -> None:
    with database.write() as tx:
        brand_id, (link, *_) = brand_with_links(tx, "a")
        one, other = _begin(tx, link, NOW), _begin(tx, link, NOW)
        visits.record_event(tx, visit_id=one, kind="page", at=NOW)
        tallies.fold(tx)
        visits.erase(tx, one, now=NOW + DAY)
        visits.erase(tx, one, now=NOW + 2 * DAY)
        for kind in ("added", "removed", "rung", "page"):
            _write(tx, (kind, one, NOW + HOUR))
        assert visits.steps(tx, one) == frozenset()
        assert _told(tx, brand_id) == {(link, NOW.date(), "scan"): 1}
        assert visits.steps(tx, other) == {"scan"}
        row = tx.execute(select(visit.c.device_kind, visit.c.language).where(visit.c.id == one)).one()
        assert tuple(row) == ("unknown", "")


def test_the_day_is_that_of_the_venues_clock_when_the_visit_began(database: Database) -> None:
    with database.write() as tx:
        _, (link, *_) = brand_with_links(tx, "a", time_zone="Asia/Kamchatka")
        visit_id = _begin(tx, link, datetime(2026, 7, 9, 12, 30, tzinfo=UTC))
        day = tx.execute(select(visit.c.day).where(visit.c.id == visit_id)).scalar_one()
    assert day == date(2026, 7, 10)


def test_what_somebody_broke_by_hand_is_mended(database: Database) -> None:
    with database.write() as tx:
        brand_id, (link, other, _) = brand_with_links(tx, "a")
        for _ in range(3):
            _begin(tx, link, NOW)
        _begin(tx, other, NOW)
        tallies.fold(tx)
        _begin(tx, link, NOW)
        tx.execute(visit_tally.update().where(visit_tally.c.install_link_id == link).values(scan=40, form=2))
        tx.execute(visit_tally.delete().where(visit_tally.c.install_link_id == other))
        assert tallies.mend(tx) == 3
        assert _told(tx, brand_id) == _counted(tx)
        assert tallies.mend(tx) == 0


def test_two_who_mend_at_once_mend_once(database: Database) -> None:
    def mend() -> int:
        with database.write() as tx:
            return tallies.mend(tx)

    with database.write() as tx:
        brand_id, (link, *_) = brand_with_links(tx, "a")
        _begin(tx, link, NOW)
        tallies.fold(tx)
        tx.execute(visit_tally.update().values(scan=40))
    with ThreadPoolExecutor(1) as threads:
        with database.write() as tx:
            assert tallies.mend(tx) == 1
            second = threads.submit(mend)
            wait([second], timeout=0.5)
            assert not second.done()
        assert second.result() == 0
    with database.read() as tx:
        assert _told(tx, brand_id) == _counted(tx)


def test_guests_and_two_who_fold_at_once_lose_no_step(database: Database) -> None:
    with database.write() as tx:
        brand_id, links = brand_with_links(tx, "a")
        mine = select(install_link.c.id).where(install_link.c.brand_id == brand_id)
        assert len(tx.execute(mine).all()) == 3

    def come(number: int) -> None:
        for _ in range(5):
            with database.write() as tx:
                visit_id = _begin(tx, links[number % 3], NOW)
                visits.record_event(tx, visit_id=visit_id, kind="page", at=NOW)

    def fold(_number: int) -> None:
        for _ in range(6):
            with database.write() as tx:
                tallies.fold(tx, limit=4)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda job: job[0](job[1]), [(come, n) for n in range(6)] + [(fold, 0), (fold, 1)]))
    with database.read() as tx:
        assert _told(tx, brand_id) == _counted(tx)
        assert sum(_counted(tx).values()) == 60


def test_a_guest_waits_for_no_other_guest_of_the_venue(database: Database) -> None:
    """Two transactions that write steps of one link are open at once: neither locks what the other needs."""
    if database.is_sqlite:
        return  # one writer at a time is what SQLite is
    with database.write() as tx:
        _, (link, *_) = brand_with_links(tx, "a")
        _begin(tx, link, NOW)
        tallies.fold(tx)
    with database.write() as one, database.write() as other:
        other.exec_driver_sql("SET LOCAL lock_timeout = '100ms'")
        _begin(one, link, NOW)
        _begin(other, link, NOW)
        tallies.fold(other)
        _begin(one, link, NOW)
