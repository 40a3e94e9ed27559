"""Campaigns are sent: to the right guests, once, at allowed hours, within limits, by whoever works at it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from threading import Thread
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text

from app.campaigns import lifecycle, limits, work
from app.campaigns import store_campaigns as store
from app.campaigns.assignment import in_canary
from app.campaigns.audience import Audience
from app.campaigns.limits import Limits
from app.campaigns.plan import Arm
from app.campaigns.tables import campaign as campaign_table
from app.campaigns.tables import recipient
from app.db import Database, Tx
from app.db.identifiers import CampaignId, MemberId
from app.delivery.quiet_hours import QuietHours
from app.errors import BadInput, Conflict, NotFound
from app.loyalty import consents, granting, members, offers, till
from app.loyalty.offer_terms import OfferDraft
from app.passes import announcing, issuing
from app.passes.content import LocalizedText
from app.places import venues
from tests.campaigns.guests import (
    ACTOR,
    HOUR,
    LINE,
    add,
    begun,
    no_texts,
    plan,
    recipients,
    salt_with_canaries,
    work_at,
)
from tests.loyalty import town
from tests.loyalty.town import BONUS, NOW, Town

DAY = timedelta(days=1)
NEVER_QUIET = QuietHours(time(0), time(0))


@pytest.fixture
def place(database: Database) -> Town:
    with database.write() as tx:
        return town.build(tx, BONUS)


def _states(database: Database, campaign_id: CampaignId) -> dict[MemberId, tuple[str, str | None]]:
    with database.read() as tx:
        return {key: (one.state, one.because) for key, one in recipients(tx, campaign_id).items()}


def _stands(database: Database, campaign_id: CampaignId) -> store.Campaign:
    with database.read() as tx:
        found = store.by_id(tx, campaign_id)
    assert found is not None
    return found


def test_everybody_of_the_audience_is_a_recipient_once_and_guests_read_their_own_words(
    database: Database, place: Town
) -> None:
    with database.write() as tx:
        guests = [add(tx, place, name=name) for name in ("Анна", "Пётр", None)]
        apart = add(tx, place, agrees=False), add(tx, place, phone=False)
        made = begun(tx, place.brand.id, plan())
        late = add(tx, place)
    assert work_at(database, NOW, limit=2) >= 3
    states = _states(database, made)
    assert {states[one.member_id] for one in guests} == {("said", None)}
    assert states[apart[0].member_id] == ("held_back", "no_consent")
    assert states[apart[1].member_id] == ("held_back", "no_way")
    assert late.member_id not in states, "who comes after the beginning is not in it"
    with database.read() as tx:
        said = [issuing.wallet_pass(tx, one.pass_id).content.messages[0].text for one in guests]
    assert [one.ru for one in said] == [f"{name}, кофе за полцены" for name in ("Анна", "Пётр", "Гость")]
    assert said[2].en == "Guest, coffee at half price"
    assert work_at(database, NOW + HOUR) == 0, "there is nothing left to do"


def test_arms_and_holdout_share_the_audience_and_a_repeated_step_changes_nobody(
    database: Database, place: Town
) -> None:
    arms = (Arm(name="a", line=LINE), Arm(name="b", line=LocalizedText("Чай", "Tea"), weight=2))
    with database.write() as tx:
        guests = [add(tx, place) for _ in range(60)]
        made = begun(tx, place.brand.id, plan(arms=arms, holdout=2_000))
    work_at(database, NOW)
    with database.read() as tx:
        first = recipients(tx, made)
        tea = {
            one.member_id
            for one in guests
            if any(said.text.en == "Tea" for said in issuing.wallet_pass(tx, one.pass_id).content.messages)
        }
    assert {one.arm for one in first.values()} == {0, 1, 2}
    assert tea == {key for key, one in first.items() if one.arm == 2}
    assert all((one.state == "held_out") == (one.arm == 0) for one in first.values())
    with database.write() as tx:  # a worker died before it could write how far it came
        store.change(tx, made, cursor=0, expanded_at=None)
    work_at(database, NOW + HOUR)
    with database.read() as tx:
        assert recipients(tx, made) == first


def test_the_cap_counts_every_campaign_and_what_is_planned_but_no_service_message(
    database: Database, place: Town
) -> None:
    with database.write() as tx:
        limits.save(tx, place.brand.id, Limits(1, 7, NEVER_QUIET), now=NOW, actor=ACTOR)
        one = add(tx, place).member_id
        service = begun(tx, place.brand.id, plan(), name="Closed on Monday", kind="service")
        first = begun(tx, place.brand.id, plan(), name="First")
    work_at(database, NOW)
    with database.write() as tx:
        second = begun(tx, place.brand.id, plan(), name="Second", now=NOW + 6 * DAY)
        notice = begun(tx, place.brand.id, plan(), name="Open", kind="service", now=NOW + 6 * DAY)
    work_at(database, NOW + 6 * DAY)
    with database.write() as tx:
        third = begun(tx, place.brand.id, plan(), name="Third", now=NOW + 7 * DAY)
    work_at(database, NOW + 7 * DAY)
    found = {made: _states(database, made)[one] for made in (service, first, second, notice, third)}
    assert found == {
        service: ("said", None),
        first: ("said", None),
        second: ("held_back", "cap"),
        notice: ("said", None),
        third: ("said", None),
    }


def test_quiet_hours_are_those_of_the_home_venue_and_end_before_anybody_is_spoken_to(
    database: Database, place: Town
) -> None:
    night = datetime.combine(NOW.date(), time(22), ZoneInfo("Europe/Moscow"))
    with database.write() as tx:
        here = add(tx, place).member_id
        far = venues.create_venue(
            tx,
            venues.VenueDraft(
                brand_id=place.brand.id, slug="far", name="Far", address="1", latitude=43.1, longitude=131.9,
                time_zone="Asia/Kamchatka",
            ),
            now=NOW, actor=ACTOR,
        )  # fmt: skip
        there = add(tx, replace(place, venue=far)).member_id
        made = begun(tx, place.brand.id, plan(), now=night)
    work_at(database, night)
    with database.read() as tx:
        seen = recipients(tx, made)
    assert (seen[here].state, seen[there].state) == ("waiting", "waiting")
    morning = [seen[one].contact_at for one in (here, there)]
    assert morning[0] == datetime.combine(NOW.date() + DAY, time(10), ZoneInfo("Europe/Moscow"))
    assert morning[1] == datetime.combine(NOW.date() + DAY, time(10), ZoneInfo("Asia/Kamchatka"))
    work_at(database, NOW + 11 * HOUR)  # ten in the morning in Kamchatka
    assert [_states(database, made)[one][0] for one in (here, there)] == ["waiting", "said"]
    work_at(database, NOW + 19 * HOUR)
    assert _states(database, made)[here] == ("said", None)


def test_who_withdrew_or_left_or_removed_the_card_before_the_moment_is_held_back_with_the_arm_kept(
    database: Database, place: Town
) -> None:
    night = datetime.combine(NOW.date(), time(22), ZoneInfo("Europe/Moscow"))
    with database.write() as tx:
        guests = [add(tx, place) for _ in range(4)]
        made = begun(tx, place.brand.id, plan(), now=night)
    work_at(database, night)
    with database.write() as tx:
        consents.withdraw(
            tx, guests[0].member_id, source="card page", text="no", text_version="1", language="ru", now=night
        )
        members.remove(tx, guests[1].member_id, now=night)
        tx.execute(text("DELETE FROM registration WHERE pass_id = :it"), {"it": guests[2].pass_id})
    work_at(database, night + 13 * HOUR)
    with database.read() as tx:
        seen = recipients(tx, made)
    assert [(seen[one.member_id].because, seen[one.member_id].arm) for one in guests] == [
        ("no_consent", 1),
        ("left", 1),
        ("no_way", 1),
        (None, 1),
    ]
    assert seen[guests[3].member_id].state == "said"


def test_the_canary_goes_first_and_the_others_when_it_is_released(database: Database, place: Town) -> None:
    with database.write() as tx:
        guests = [add(tx, place) for _ in range(20)]
        made = begun(tx, place.brand.id, plan(canary_minutes=30))
        salt = salt_with_canaries([one.member_id for one in guests], 2)
        store.change(tx, made, salt=salt)
    work_at(database, NOW)
    few = {one.member_id for one in guests if in_canary(salt, one.member_id)}
    said = {key for key, (state, _) in _states(database, made).items() if state == "said"}
    assert said == few
    later = NOW + timedelta(minutes=30)
    assert work_at(database, later) == 0, "nobody else before it is judged"
    with database.write() as tx:
        assert store.canary_over(tx, later) is not None
        lifecycle.release(tx, made, now=later, actor="canary")
    work_at(database, later)
    assert sum(state == "said" for state, _ in _states(database, made).values()) == len(guests)


def test_a_paused_campaign_rests_and_a_cancelled_one_leaves_nobody_waiting(
    database: Database, place: Town
) -> None:
    with database.write() as tx:
        for _ in range(5):
            add(tx, place)
        made = begun(tx, place.brand.id, plan())
        assert work.step(tx, no_texts, now=NOW, limit=2)
        lifecycle.pause(tx, place.brand.id, made, now=NOW, actor=ACTOR)
    assert work_at(database, NOW) == 0
    with database.write() as tx:
        lifecycle.resume(tx, place.brand.id, made, now=NOW, actor=ACTOR)
        assert work.step(tx, no_texts, now=NOW, limit=2)
        lifecycle.cancel(tx, place.brand.id, made, now=NOW, actor=ACTOR)
    work_at(database, NOW)
    assert sorted(state for state, _ in _states(database, made).values()) == ["said"] * 4
    with database.write() as tx:
        assert tx.scalars(select(recipient.c.look_at).distinct()).all() == [NOW], "the cascade looks at once"
        waits = [add(tx, place) for _ in range(2)]
        night = NOW + 8 * HOUR
        other = begun(tx, place.brand.id, plan(audience=Audience()), name="Other", now=night)
    work_at(database, night)
    with database.write() as tx:
        lifecycle.cancel(tx, place.brand.id, other, now=night, actor=ACTOR)
    work_at(database, night)
    states = _states(database, other)
    assert {states[one.member_id] for one in waits} == {("cancelled", None)}


def test_an_announcement_that_waits_for_its_turn_is_unsaid_when_the_campaign_is_cancelled(
    database: Database, place: Town
) -> None:
    with database.write() as tx:
        limits.save(tx, place.brand.id, Limits(9, 7, NEVER_QUIET), now=NOW, actor=ACTOR)
        one = add(tx, place)
        first = begun(tx, place.brand.id, plan(), name="First")
        second = begun(tx, place.brand.id, plan(), name="Second")
    work_at(database, NOW)
    with database.write() as tx:
        lifecycle.cancel(tx, place.brand.id, second, now=NOW, actor=ACTOR)
    work_at(database, NOW)
    with database.read() as tx:
        ends = [
            announcing.known(tx, f"campaign:{made}", [one.pass_id])[one.pass_id].ending
            for made in (first, second)
        ]
    assert ends == [None, "cancelled"]


def test_a_scheduled_one_begins_by_itself_and_states_allow_what_they_allow(
    database: Database, place: Town
) -> None:
    brand = place.brand.id
    with database.write() as tx:
        add(tx, place)
        made = lifecycle.create(tx, brand, "Soon", plan(), now=NOW, actor=ACTOR)
        with pytest.raises(BadInput, match="between now"):
            lifecycle.schedule(tx, brand, made, NOW, now=NOW, actor=ACTOR)
        lifecycle.schedule(tx, brand, made, NOW + HOUR, now=NOW, actor=ACTOR)
        for refused in (lifecycle.pause, lifecycle.resume, lifecycle.delete):
            with pytest.raises(Conflict, match="is scheduled"):
                refused(tx, brand, made, now=NOW, actor=ACTOR)
        with pytest.raises(Conflict, match="already"):
            lifecycle.create(tx, brand, "Soon", plan(), now=NOW, actor=ACTOR)
    assert work_at(database, NOW) == 0
    work_at(database, NOW + HOUR)
    assert _stands(database, made).state == "running"
    with database.write() as tx:
        stranger = town.build(tx, BONUS, slug="other", venue="else").brand.id
        for reached in (lifecycle.pause, lifecycle.cancel, lifecycle.begin):
            with pytest.raises(NotFound):
                reached(tx, stranger, made, now=NOW, actor=ACTOR)


def test_words_that_no_guest_can_read_are_refused(database: Database, place: Town) -> None:
    for line, fault in (
        ("{surname}, come", "no {surname}"),
        ("{name}, come", "have no name"),
        ("{offer} today", "belongs to an offer"),
        ("{balance today", "stands alone"),
    ):
        written = plan(arms=(Arm(name="one", line=LocalizedText("Да", line)),))
        with database.write() as tx, pytest.raises(BadInput, match=fault) as refused:
            lifecycle.create(tx, place.brand.id, "Bad", written, now=NOW, actor=ACTOR)
        assert refused.value.field == "arms.0.line.en"


def _buy(tx: Tx, place: Town, card: str, number: str, at: datetime) -> None:
    draft = till.ReceiptDraft(card=card, number=number, amount=10_000, currency="RUB", at=at)
    till.record_receipt(tx, draft, brand_id=place.brand.id, venue_id=place.venue.id, now=at)


def test_best_hours_come_from_the_guests_receipts_and_for_newcomers_from_the_venues(
    database: Database, place: Town
) -> None:
    moscow = ZoneInfo("Europe/Moscow")
    with database.write() as tx:
        regular, newcomer = add(tx, place), add(tx, place)
        for day in range(1, 6):  # at six in the evening
            at = datetime.combine(NOW.date() - day * DAY, time(18, 20), moscow)
            _buy(tx, place, regular.card_code, str(day), at)
        for guest in range(20):  # while others come at noon
            other = add(tx, place, agrees=False)
            at = datetime.combine(NOW.date() - DAY, time(12, guest), moscow)
            _buy(tx, place, other.card_code, f"n{guest}", at)
        made = begun(tx, place.brand.id, plan(timing="best_hour"))
    work_at(database, NOW)
    with database.read() as tx:
        seen = recipients(tx, made)
    assert seen[regular.member_id].contact_at == datetime.combine(NOW.date(), time(16), moscow)
    assert seen[newcomer.member_id].contact_at == datetime.combine(NOW.date() + DAY, time(10), moscow)


@pytest.mark.parametrize("seed", range(3))
def test_no_schedule_breaks_a_limit_however_workers_race(database: Database, place: Town, seed: int) -> None:
    """Several campaigns, two workers, a clock that jumps, guests who change their minds."""
    chance = random.Random(seed)
    allowed = Limits(chance.randint(1, 2), chance.randint(1, 3), QuietHours(time(21), time(9)))
    with database.write() as tx:
        limits.save(tx, place.brand.id, allowed, now=NOW, actor=ACTOR)
        guests = [add(tx, place, agrees=chance.random() < 0.8) for _ in range(25)]
    said_no: dict[MemberId, datetime] = {}
    now, sent = NOW, 0
    for _ in range(6):
        now += timedelta(hours=chance.choice((1, 5, 13, 30)))
        with database.write() as tx:
            for _ in range(chance.randint(0, 2)):
                sent += 1
                timing = chance.choice(("at_once", "best_hour"))
                begun(tx, place.brand.id, plan(timing=timing), name=f"Number {sent}", now=now)
            if chance.random() < 0.5:
                one = chance.choice(guests).member_id
                if consents.withdraw(
                    tx, one, source="card page", text="no", text_version="1", language="ru", now=now
                ):
                    said_no[one] = now
        _race(database, now, limit=chance.randint(3, 9))
    with database.read() as tx:
        rows = tx.execute(
            select(recipient.c.member_id, recipient.c.contact_at, recipient.c.campaign_id)
            .join(campaign_table, campaign_table.c.id == recipient.c.campaign_id)
            .where(recipient.c.state == "said")
        ).all()
    assert rows or not sent
    by_guest: dict[MemberId, list[datetime]] = {}
    for row in rows:
        by_guest.setdefault(row.member_id, []).append(row.contact_at)
        assert not allowed.quiet.end(row.contact_at, "Europe/Moscow"), "spoken to at night"
        assert row.contact_at <= said_no.get(row.member_id, row.contact_at), "spoken to without consent"
    for moments in by_guest.values():
        assert all(
            sum(first <= one < first + allowed.window for one in moments) <= allowed.most for first in moments
        )


def _race(database: Database, now: datetime, *, limit: int) -> None:
    faults: list[BaseException] = []

    def worker() -> None:
        try:
            while True:
                with database.write() as tx:
                    if not work.step(tx, no_texts, now=now, limit=limit):
                        return
        except BaseException as fault:
            faults.append(fault)

    threads: Sequence[Thread] = [Thread(target=worker) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert not faults


def test_an_offer_comes_with_the_line_that_tells_it_and_once_for_each_guest(
    database: Database, place: Town
) -> None:
    draft = OfferDraft(
        code="HALF", name=LocalizedText("Кофе за полцены", "Half-price coffee"), gives="percent", worth=5_000,
        from_at=NOW, until_at=NOW + 3 * DAY,
    )  # fmt: skip
    line = LocalizedText("{offer} до {until}, код {code}", "{offer} until {until}, code {code}")
    written = plan(arms=(Arm(name="one", line=line),))
    with database.write() as tx:
        limits.save(tx, place.brand.id, Limits(9, 7, NEVER_QUIET), now=NOW, actor=ACTOR)
        guest, other = add(tx, place), add(tx, place)
        offer = offers.create(tx, place.brand.id, draft, now=NOW, actor=ACTOR)
        granting.give(tx, offer.id, [other.id], now=NOW, actor=ACTOR)
        granting.revoke(tx, offer.id, [other.id], now=NOW)
        made = lifecycle.create(tx, place.brand.id, "Half", written, offer_id=offer.id, now=NOW, actor=ACTOR)
        lifecycle.begin(tx, place.brand.id, made, now=NOW, actor=ACTOR)
        before = issuing.wallet_pass(tx, guest.pass_id).version
    work_at(database, NOW)
    with database.write() as tx:
        card = issuing.wallet_pass(tx, guest.pass_id)
        assert card.version == before + 1, "one change tells it and brings it"
        assert card.content.messages[0].text.ru == "Кофе за полцены до 24.11, код HALF"
        assert [one.code for one in card.content.offers] == ["HALF"]
        later = lifecycle.create(
            tx, place.brand.id, "Again", written, offer_id=offer.id, now=NOW, actor=ACTOR
        )
        lifecycle.begin(tx, place.brand.id, later, now=NOW, actor=ACTOR)
    states = _states(database, made)
    assert states[guest.member_id] == ("said", None)
    assert states[other.member_id] == ("held_back", "no_offer"), "it was taken back from this guest"
    with database.write() as tx:
        offers.end(tx, offer.id, now=NOW, actor=ACTOR)
    work_at(database, NOW)
    assert (_stands(database, later).state, _stands(database, later).stopped_because) == (
        "stopped", "offer_over",
    )  # fmt: skip
    with database.write() as tx, pytest.raises(Conflict, match="over"):
        lifecycle.create(tx, place.brand.id, "Late", written, offer_id=offer.id, now=NOW, actor=ACTOR)
