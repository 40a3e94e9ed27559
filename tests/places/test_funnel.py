"""The funnel against a model of it, in every grouping; and what it dares to say."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from app.accounts import staff
from app.accounts.brands import Brand
from app.db import Database, Tx
from app.db.identifiers import InstallLinkId, ProgrammeId
from app.errors import BadInput
from app.loyalty.tables import programme as programme_table
from app.places import funnel, links, placements, store_tallies, tallies, venues, visits
from app.places.funnel import Counts
from app.places.links import InstallLink
from app.places.tables import visit, visit_event
from app.places.venues import Venue, VenueDraft
from tests.accounts.world import NOW, a_brand

DAY = timedelta(days=1)
LATER = datetime(2026, 12, 1, tzinfo=UTC)
FIRST, LAST = date(2026, 7, 10), date(2026, 7, 12)
WAY: tuple[visits.VisitEventKind, ...] = ("scan", "page", "form", "added", "removed")


@dataclass(frozen=True)
class Town:
    brand: Brand
    venues: list[Venue]
    links: list[InstallLink]


def _town(tx: Tx, slug: str = "pier") -> Town:
    """Three venues far apart, each with a link of its own, one of a table and one of a staff member."""
    brand = a_brand(tx, slug)
    row = tx.execute(
        programme_table.insert()
        .values(brand_id=brand.id, slug="club", kind="bonus", name="Club", rules={}, created_at=NOW)
        .returning(programme_table.c.id)
    )
    programme = ProgrammeId(row.scalar_one())
    town = Town(brand, [], [])
    for zone in ("Europe/Kaliningrad", "Europe/Moscow", "Asia/Kamchatka"):
        draft = VenueDraft(
            brand_id=brand.id, slug=zone[-4:].lower(), name=zone, address="Street 1", time_zone=zone
        )
        venue = venues.create_venue(tx, draft, now=NOW, actor="t")
        spot = placements.create_placement(tx, venue_id=venue.id, kind="table", name="7", now=NOW, actor="t")
        person = staff.create_staff_member(
            tx, brand_id=brand.id, venue_id=venue.id, name=f"Anna {zone}", now=NOW, actor="t"
        )
        town.venues.append(venue)
        for more in ({}, {"placement_id": spot.id}, {"staff_member_id": person.id}):
            made = links.create_link(
                tx, programme_id=programme, venue_id=venue.id, now=NOW, actor="t", **more
            )  # fmt: skip
            town.links.append(made)
    return town


def _come(tx: Tx, link: InstallLinkId, *kinds: visits.VisitEventKind, at: datetime) -> None:
    visit_id = visits.new_visit_id()
    for minute, kind in enumerate(kinds):
        visits.record(
            tx, visit_id=visit_id, link_id=link, kind=kind, at=at + timedelta(minutes=minute),
            device_kind="iphone", language="en",
        )  # fmt: skip


def _many(tx: Tx, link: InstallLinkId, counts: Counts, at: datetime, *, mend: bool = True) -> None:
    """Visits that together took these steps, written at once."""
    rows = [
        {"id": visits.new_visit_id(), "install_link_id": link, "device_kind": "iphone", "language": "en",
         "created_at": at, "day": at.date()}
        for _ in range(counts.scan)
    ]  # fmt: skip
    tx.execute(visit.insert(), rows)
    steps = [
        {"visit_id": row["id"], "kind": kind, "at": at, "install_link_id": link, "day": at.date()}
        for kind in WAY
        for row in rows[: getattr(counts, kind)]
    ]
    tx.execute(visit_event.insert(), steps)
    if mend:
        tallies.mend(tx)


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


@pytest.mark.parametrize("seed", range(3))
def test_the_funnel_is_what_a_model_counts(database: Database, seed: int) -> None:
    chance = random.Random(seed)
    with database.write() as tx:
        town, stranger = _town(tx), _town(tx, "other")
        zones = {venue.id: ZoneInfo(venue.time_zone) for venue in town.venues}
        model: dict[str, dict[int, dict[str, int]]] = defaultdict(
            lambda: defaultdict(lambda: defaultdict(int))
        )
        for _ in range(120):
            link = chance.choice(town.links)
            at = datetime(2026, 7, 9, 6, tzinfo=UTC) + timedelta(hours=chance.randrange(120))
            kinds = list(WAY[: chance.randint(1, 5)])
            if chance.random() < 0.2:
                kinds.insert(min(2, len(kinds)), "in_app")
            _come(tx, link.id, *kinds, at=at)
            if FIRST <= at.astimezone(zones[link.venue_id]).date() <= LAST:
                for by, group in (
                    ("venue", link.venue_id), ("link", link.id), ("placement", link.placement_id),
                    ("staff_member", link.staff_member_id),
                ):  # fmt: skip
                    for kind in kinds if group is not None else ():
                        model[by][int(group or 0)][kind] += 1
        for link in stranger.links:
            _come(tx, link.id, *WAY, at=_noon(FIRST))
    period = funnel.period(FIRST, LAST)
    with database.read() as tx:
        for by in funnel.GROUPS:
            found = funnel.funnel(tx, town.brand.id, by=by, period=period, now=LATER)
            assert {e.id: e.counts for e in found.entries} == {g: Counts(**n) for g, n in model[by].items()}
            assert found.total.now.scan == sum(counts["scan"] for counts in model[by].values())
            one = town.venues[1].id
            alone = funnel.funnel(tx, town.brand.id, by=by, period=period, now=LATER, venue_id=one)
            here = {getattr(link, f"{by}_id", link.id) for link in town.links if link.venue_id == one}
            assert {e.id: e.counts for e in alone.entries} == {
                g: Counts(**n) for g, n in model[by].items() if g in here
            }


def test_a_visit_counts_in_the_day_in_which_it_began_whenever_it_went_on(database: Database) -> None:
    with database.write() as tx:
        town = _town(tx)
        _come(tx, town.links[0].id, "scan", "page", at=_noon(FIRST))
        visit_id = visits.new_visit_id()
        visits.record(
            tx, visit_id=visit_id, link_id=town.links[0].id, kind="scan", at=_noon(FIRST),
            device_kind="iphone", language="en",
        )  # fmt: skip
        assert visits.record_event(tx, visit_id=visit_id, kind="added", at=_noon(FIRST) + 5 * DAY)
        (day,) = funnel.funnel(
            tx, town.brand.id, by="link", period=funnel.period(FIRST, FIRST), now=LATER
        ).entries
        assert (day.counts.scan, day.counts.added) == (2, 1)
        later = funnel.period(FIRST + DAY, FIRST + 9 * DAY)
        assert funnel.funnel(tx, town.brand.id, by="link", period=later, now=LATER).entries == []


def test_a_day_is_the_venues_own(database: Database) -> None:
    """23:30 UTC on the 9th is the 10th in Moscow and in Kamchatka, and in Kaliningrad too, by two hours."""
    with database.write() as tx:
        town = _town(tx)
        for link in town.links[::3]:
            _come(tx, link.id, "scan", at=datetime(2026, 7, 9, 21, 30, tzinfo=UTC))
        ninth, tenth = (
            [
                entry.name
                for entry in funnel.funnel(
                    tx, town.brand.id, by="venue", period=funnel.period(day, day), now=LATER
                ).entries
            ]
            for day in (date(2026, 7, 9), date(2026, 7, 10))
        )
    assert (ninth, tenth) == (["grad"], ["atka", "scow"])


def test_names_tell_the_groups_apart_and_stand_in_their_natural_order(database: Database) -> None:
    with database.write() as tx:
        town = _town(tx)
        venue = town.venues[0]
        for number in ("10", "2"):
            spot = placements.create_placement(
                tx, venue_id=venue.id, kind="table", name=number, now=NOW, actor="t"
            )
            made = links.create_link(
                tx, programme_id=town.links[0].programme_id, venue_id=venue.id, placement_id=spot.id,
                now=NOW, actor="t",
            )  # fmt: skip
            _come(tx, made.id, "scan", at=_noon(FIRST))
        for link in town.links[:3]:
            _come(tx, link.id, "scan", at=_noon(FIRST))
        names = {
            by: [e.name for e in funnel.funnel(
                tx, town.brand.id, by=by, period=funnel.period(FIRST, FIRST), now=LATER).entries]
            for by in funnel.GROUPS
        }  # fmt: skip
    assert names["placement"] == ["grad, table 2", "grad, table 7", "grad, table 10"]
    assert names["venue"] == ["grad"]
    assert names["staff_member"] == ["Anna Europe/Kaliningrad"]
    assert len(names["link"]) == 5


@pytest.mark.parametrize(
    ("counts", "verdicts"),
    [
        ([Counts(scan=500, page=450, form=300, added=280)], ["alone"]),
        # Seven scans and all of them cards: a leader of nothing.
        (
            [Counts(scan=7, page=7, form=7, added=7), Counts(scan=500, page=450, form=300, added=200)],
            ["too_few", "too_few"],
        ),
        (
            [Counts(scan=40, page=38, form=30, added=20), Counts(scan=500, page=450, form=300, added=220)],
            ["too_few", "too_few"],  # 50 % may be anything between 35 and 65
        ),
        (
            [
                Counts(scan=900, page=800, form=500, added=400),
                Counts(scan=900, page=800, form=500, added=405),
            ],
            ["no_difference", "no_difference"],
        ),
        (
            [Counts(scan=400, page=380, form=100, added=90), Counts(scan=400, page=380, form=300, added=270)],
            ["worse", "better"],
        ),
    ],
)
def test_better_and_worse_are_said_only_where_it_is_no_chance(
    database: Database, counts: list[Counts], verdicts: list[str]
) -> None:
    with database.write() as tx:
        town = _town(tx)
        for link, each in zip(town.links[::3], counts, strict=False):
            _many(tx, link.id, each, _noon(FIRST))
        found = funnel.funnel(tx, town.brand.id, by="link", period=funnel.period(FIRST, FIRST), now=LATER)
    told = {entry.id: entry for entry in found.entries}
    assert [told[link.id].verdict for link, _ in zip(town.links[::3], counts, strict=False)] == verdicts
    for entry in found.entries:
        assert entry.loses_at == ("form" if entry.verdict == "worse" else None)


def test_equal_tables_are_not_ranked_however_many_there_are(database: Database) -> None:
    """Nine groups with one true share: by chance alone at most one in twenty times anything is said."""
    chance, said = random.Random(11), 0
    with database.write() as tx:
        town = _town(tx)
    for week in range(12):
        day = FIRST + week * 7 * DAY
        with database.write() as tx:
            for link in town.links:
                added = sum(chance.random() < 0.5 for _ in range(60))
                _many(tx, link.id, Counts(scan=60, page=60, form=added, added=added), _noon(day))
            found = funnel.funnel(tx, town.brand.id, by="link", period=funnel.period(day, day), now=LATER)
        said += any(entry.verdict in ("better", "worse") for entry in found.entries)
    assert said <= 2


def test_wrong_periods_are_refused() -> None:
    for first, last in ((LAST, FIRST), (date(2000, 1, 1), date(2020, 1, 1)), (date.min, date.min),
                        (date.max - DAY, date.max)):  # fmt: skip
        with pytest.raises(BadInput):
            funnel.period(first, last)
    assert funnel.last_days(1, time_zone="Asia/Kamchatka", now=datetime(2026, 7, 9, 13, tzinfo=UTC)) == (
        funnel.Period(first=FIRST, last=FIRST)
    )


@pytest.mark.parametrize("by", funnel.GROUPS)
def test_the_funnel_reads_days_of_its_links_and_no_visit(database: Database, by: funnel.Group) -> None:
    with database.write() as tx:
        town = _town(tx)
        for number, link in enumerate(town.links):
            for day in range(0, 900, 30):
                _many(
                    tx,
                    link.id,
                    Counts(scan=10, page=8, form=5, added=number % 5),
                    _noon(FIRST) - day * DAY,
                    mend=False,
                )
        tallies.mend(tx)
        while tallies.fold(tx):
            pass
        tx.execute(text("ANALYZE"))
        if not database.is_sqlite:
            tx.execute(text("SET LOCAL enable_seqscan = off"))
        scope = store_tallies.Scope(brand_id=town.brand.id, first=FIRST, last=LAST)
        parts = [store_tallies.Part(FIRST, LAST)]
        if not database.is_sqlite:
            parts.append(store_tallies.Part(FIRST - 30 * DAY, LAST, ("added",)))
        query = store_tallies.sums_query(tx.dialect.name, scope, by=by, parts=parts)
        query = query.params(store_tallies.values(scope, parts))
        compiled = query.compile(tx, compile_kwargs={"literal_binds": True})
        explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
        plan = "\n".join(str(row[-1]) for row in tx.exec_driver_sql(f"{explain} {compiled}"))
    assert re.search("SEARCH visit_tally USING PRIMARY KEY|pk_visit_tally", plan), plan
    assert "visit_event" not in plan, plan
