"""What a campaign is told to have earned: every assigned guest counts, each day once, and columns add up."""

from __future__ import annotations

import csv
import io
import random
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from app.campaigns import lifecycle, readings
from app.campaigns import store_campaigns as store
from app.campaigns.assignment import arm_of, in_canary
from app.campaigns.canary import CanaryNumbers, stopped_because
from app.campaigns.plan import Arm, Plan
from app.campaigns.store_campaigns import Campaign
from app.db import Database, Tx
from app.db.identifiers import CampaignId, MemberId
from app.delivery.quiet_hours import QuietHours
from app.loyalty import till
from app.passes.content import LocalizedText
from app.reports import campaign_export, campaign_sums, sheets
from app.reports.campaign_report import CampaignReport, campaign_report
from app.reports.canary import canary_numbers
from app.worker.campaign_measuring import LATE, reading_tick
from app.worker.campaign_sending import canary_tick
from app.worker.ticks import Tick
from tests.campaigns.guests import ACTOR, HOUR, LINE, add, begun, fetch, plan, recipients, work_at
from tests.loyalty import town
from tests.loyalty.town import BONUS, NOW, Town

DAY = timedelta(days=1)
ARMS = (Arm(name="coffee", line=LINE), Arm(name="=tea", line=LocalizedText("Чай", "Tea")))


@pytest.fixture
def place(database: Database) -> Town:
    with database.write() as tx:
        return town.build(tx, BONUS)


def _run(database: Database, tick: Tick, now: datetime) -> int:
    """The tick's work at that moment; returns how many steps it took."""
    steps = 0
    while True:
        with database.write() as tx:
            if tick.due is not None and not tick.due(tx, now):
                return steps
            if not tick.step(tx, now):
                return steps
        steps += 1


def _stands(tx: Tx, campaign_id: CampaignId) -> Campaign:
    found = store.by_id(tx, campaign_id)
    assert found is not None
    return found


def _report(database: Database, campaign_id: CampaignId) -> CampaignReport:
    with database.read() as tx:
        return campaign_report(tx, _stands(tx, campaign_id))


def test_each_day_is_read_once_and_stays_as_it_was_told(database: Database, place: Town) -> None:
    chance = random.Random(3)
    bought: list[tuple[MemberId, datetime, int, str]] = []
    with database.write() as tx:
        guests = [add(tx, place, agrees=number % 9 > 0) for number in range(90)]
        for serial in range(150):
            one, amount = chance.choice(guests), chance.randint(1, 90_000)
            at = NOW + chance.uniform(-120, 3) * DAY
            bought.append((one.member_id, at, amount, str(serial)))
            draft = till.ReceiptDraft(
                card=one.card_code, number=str(serial), amount=amount, currency="RUB", at=at
            )
            till.record_receipt(tx, draft, brand_id=place.brand.id, venue_id=place.venue.id, now=at)
        refunded = {"3", "77"}
        for number in refunded:
            till.refund_receipt(tx, number, brand_id=place.brand.id, venue_id=place.venue.id, now=NOW)
        made = begun(tx, place.brand.id, plan(arms=ARMS, holdout=3_000, days=2))
    work_at(database, NOW)
    tick = reading_tick()
    assert _run(database, tick, NOW + DAY) == 0, "a day is read some time after its end"
    assert _run(database, tick, NOW + 5 * DAY + LATE) >= 2
    with database.read() as tx:
        seen, days = recipients(tx, made), readings.of_campaign(tx, made)
    assert [(read.day, read.arm) for read in days] == [(day, arm) for day in (1, 2) for arm in (0, 1, 2)]
    for read in days:
        mine = [key for key, guest in seen.items() if guest.arm == read.arm]
        paid = {key: [0, 0] for key in mine}
        for member_id, at, amount, number in bought:
            if member_id in paid and number not in refunded and NOW - 90 * DAY <= at < NOW + read.day * DAY:
                paid[member_id][at >= NOW] += amount
        assert read.sums.guests == len(mine)
        assert read.sums.buyers == sum(since > 0 for _, since in paid.values())
        assert read.sums.y == sum(since for _, since in paid.values())
        assert read.sums.x == sum(before for before, _ in paid.values())
        assert read.sums.yyx == pytest.approx(sum(since**2 * before for before, since in paid.values()))
        assert read.sums.xxx == pytest.approx(sum(before**3 for before, _ in paid.values()))
        assert (read.told is None) == (read.arm == 0)
        assert read.told is None or read.told.verdict == (
            "cannot_tell_yet" if read.day == 1 else "cannot_tell"
        )
    with database.write() as tx:  # a receipt of the first day that comes very late
        draft = till.ReceiptDraft(
            card=guests[1].card_code, number="late", amount=5, currency="RUB", at=NOW + HOUR
        )
        till.record_receipt(tx, draft, brand_id=place.brand.id, venue_id=place.venue.id, now=NOW + 6 * DAY)
        store.change(tx, made, next_reading_at=NOW + DAY)
    _run(database, tick, NOW + 6 * DAY)
    with database.read() as tx:
        assert readings.of_campaign(tx, made) == days
        assert _stands(tx, made).next_reading_at is None


def test_a_day_read_in_parts_is_the_day_read_at_once(database: Database, place: Town) -> None:
    with database.write() as tx:
        for number in range(7):
            one = add(tx, place)
            draft = till.ReceiptDraft(
                card=one.card_code, number=str(number), amount=100 + number, currency="RUB", at=NOW + HOUR
            )
            till.record_receipt(tx, draft, brand_id=place.brand.id, venue_id=place.venue.id, now=NOW + HOUR)
        made = begun(tx, place.brand.id, plan(arms=ARMS))
    work_at(database, NOW)
    found: campaign_sums.ByArm = {}
    after, parts = MemberId(0), 0
    with database.read() as tx:
        period = {"begins": NOW, "ends": NOW + DAY}
        whole = campaign_sums.part(tx, made, **period, after=after, size=100)
        while True:
            part = campaign_sums.part(tx, made, **period, after=after, size=2)
            found, after, parts = campaign_sums.added(found, part.found), part.upto, parts + 1
            if part.is_last:
                break
    assert (parts, found) == (4, whole.found)


def test_the_report_adds_up_to_the_audience_and_files_hold_every_guest(
    database: Database, place: Town, tmp_path: Path
) -> None:
    with database.write() as tx:
        guests = [add(tx, place, name="=1+1") for _ in range(40)]
        apart = [add(tx, place, agrees=False), add(tx, place, phone=False)]
        made = begun(tx, place.brand.id, plan(arms=ARMS, holdout=2_000))
    work_at(database, NOW)
    with database.write() as tx:
        seen = recipients(tx, made)
        came = [one for one in guests if seen[one.member_id].arm == 1][:3]
        for one in came:
            fetch(tx, one, at=NOW + HOUR)
    found = _report(database, made)
    assert found.audience == len(guests) + len(apart)
    held_back = found.arms[None]
    assert held_back.because == {("held_back", "no_consent"): 1, ("held_back", "no_way"): 1}
    by_arm = Counter(seen[one.member_id].arm for one in guests)
    assert {arm: one.guests for arm, one in found.arms.items() if arm is not None} == dict(by_arm)
    assert (found.arms[1].fetched, found.arms[2].fetched) == (3, 0)
    assert [found.arms[arm].contacted for arm in (0, 1, 2)] == [0, by_arm[1], by_arm[2]]
    target, sheet = io.BytesIO(), tmp_path / "guests.xlsx"
    with database.read() as tx:
        campaign = _stands(tx, made)
        sheets.write_csv(target, campaign_export.COLUMNS, campaign_export.rows(tx, campaign))
        campaign_export.fits_a_sheet(tx, campaign)
        sheets.write_xlsx(sheet, "Guests", campaign_export.COLUMNS, campaign_export.rows(tx, campaign))
    lines = list(csv.DictReader(io.StringIO(target.getvalue().decode("utf-8-sig"))))
    assert [int(line["member"]) for line in lines] == sorted(seen)
    assert {line["arm"] for line in lines} == {"holdout", "coffee", "'=tea", ""}
    assert lines[0]["name"] == "'=1+1"
    assert len(CalamineWorkbook.from_path(str(sheet)).get_sheet_by_index(0).to_python()) == len(seen) + 1


@pytest.mark.parametrize(
    ("numbers", "because"),
    [
        ((100, 0, 0, 1000, 0), None),
        ((0, 0, 0, 0, 0), None),
        ((100, 1, 0, 1000, 10), None),
        ((100, 9, 0, 1000, 10), "removals"),
        ((3, 3, 0, 0, 0), None),  # nobody to compare with
        ((10, 0, 3, 0, 0), "errors"),
        ((100, 0, 20, 0, 0), None),
        ((2, 0, 2, 0, 0), None),  # two may be chance
    ],
)
@pytest.mark.once
def test_a_canary_stops_a_campaign_for_what_is_no_chance(
    numbers: tuple[int, int, int, int, int], because: str | None
) -> None:
    told, removed, failed, held_out, held_out_removed = numbers
    found = CanaryNumbers(
        told=told, removed=removed, failed=failed, held_out=held_out, held_out_removed=held_out_removed
    )
    assert stopped_because(found) == because


_TOLD_FIRST = 4


def _salt(written: Plan, guests: list[MemberId]) -> bytes:
    """By which so many of the guests are told first."""
    for number in range(1_000_000):
        salt = number.to_bytes(16, "big")
        few = [one for one in guests if in_canary(salt, one)]
        if len(few) == _TOLD_FIRST and None not in {arm_of(written.split, salt, one) for one in few}:
            return salt
    raise AssertionError("no such salt")


def test_canaries_are_judged_by_the_worker(database: Database, place: Town) -> None:
    written = plan(canary_minutes=10, holdout=4_000)
    with database.write() as tx:
        cards = {(one := add(tx, place)).member_id: one.pass_id for _ in range(40)}
        made = begun(tx, place.brand.id, written)
        store.change(tx, made, salt=_salt(written, list(cards)))
    work_at(database, NOW)
    with database.write() as tx:
        seen = recipients(tx, made)
        few = [key for key, one in seen.items() if one.state == "said"]
        numbers = canary_numbers(tx, made)
        assert (numbers.told, numbers.removed, numbers.failed) == (len(few), 0, 0)
        assert numbers.held_out == sum(one.state == "held_out" for one in seen.values())
        for member_id in few:
            tx.execute(text("DELETE FROM registration WHERE pass_id = :it"), {"it": cards[member_id]})
        assert canary_numbers(tx, made).removed == len(few)
    later = NOW + timedelta(minutes=10)
    assert len(few) == _TOLD_FIRST
    assert _run(database, canary_tick(), later) == 1
    with database.write() as tx:
        assert (_stands(tx, made).state, _stands(tx, made).stopped_because) == ("stopped", "removals")
        lifecycle.resume(tx, place.brand.id, made, now=later, actor=ACTOR)
        assert _stands(tx, made).state == "running"
    assert QuietHours().end(later, "Europe/Moscow") is None
    work_at(database, later)
    with database.read() as tx:
        assert not any(one.state == "waiting" for one in recipients(tx, made).values())
