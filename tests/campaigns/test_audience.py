"""Audiences: against a model that goes through everything in Python, at every end, and by cursor."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, select, update

from app.campaigns import audiences, birthdays
from app.campaigns.audience import PRESETS, Audience
from app.campaigns.audiences import Counts, Frozen
from app.db import Database, Tx
from app.db.identifiers import MemberId
from app.errors import BadInput
from app.loyalty import habits, programmes
from app.loyalty.guest_tables import silenced_number
from app.loyalty.habit_tables import habit
from app.loyalty.tables import consent, enrolment, member, receipt
from app.passes.google_tables import google_object
from app.passes.tables import design, device, pass_evidence, registration, wallet_pass
from app.places import placements, venues
from app.places.tables import install_link, visit
from bench.plans import plan, statements_of
from tests.loyalty import town
from tests.loyalty.town import NOW, Town

ZONES = ("Europe/Moscow", "Asia/Vladivostok", "America/New_York")
TODAY = NOW.astimezone(ZoneInfo("Europe/Moscow")).date()


@dataclass
class Guest:
    """What the model knows of a guest."""

    id: MemberId
    language: str
    birthday: str | None
    phone: str | None
    proved: bool
    said: list[tuple[datetime, bool]]
    cards: list[dict[str, Any]] = field(default_factory=list)
    bought: list[dict[str, Any]] = field(default_factory=list)
    gone: bool = False

    @property
    def visits(self) -> list[tuple[int, date]]:
        return sorted(
            {(one["venue"], one["day"]) for one in self.bought if not one["refunded"]}, key=lambda one: one[1]
        )

    @property
    def paid(self) -> list[int]:
        return [one["amount"] for one in self.bought if not one["refunded"]]

    @property
    def average(self) -> int:
        return sum(self.paid) // len(self.paid)

    @property
    def last(self) -> date:
        return self.visits[-1][1]

    def within(self, days: int) -> int:
        return sum(day > TODAY - timedelta(days=days) for _, day in self.visits)

    @property
    def consents(self) -> bool:
        return bool(self.said) and max(self.said, key=lambda one: (one[0], not one[1]))[1]

    @property
    def granted_at(self) -> datetime:
        return max(at for at, granted in self.said if granted)

    def on(self, wallet: str) -> bool:
        return any(card[wallet] for card in self.cards)


@dataclass
class Street:
    """A brand with random guests, and the model of them."""

    brand: Town
    places: list[venues.Venue]
    guests: list[Guest]
    silenced: dict[str, datetime]
    programmes: list[int]
    links: list[int]


def furnish(tx: Tx, dice: random.Random, guests: int) -> Street:
    home = town.build(tx, town.TIERED)
    other = town.build(tx, town.BONUS, slug="neighbour")
    places = [home.venue] + [
        venues.create_venue(
            tx,
            venues.VenueDraft(
                brand_id=home.brand.id, slug=f"v{n}", name="V", address="V", time_zone=ZONES[n]
            ),
            now=NOW,
            actor="test",
        )
        for n in (1, 2)
    ]
    table = placements.create_placement(
        tx, venue_id=home.venue.id, kind="table", name="7", now=NOW, actor="test"
    )
    tx.execute(update(install_link).where(install_link.c.id == home.link.id).values(placement_id=table.id))
    design_id = tx.scalar(select(design.c.id).where(design.c.programme_id == home.programme.id))
    second = programmes.create_programme(
        tx,
        programmes.ProgrammeDraft(brand_id=home.brand.id, slug="second", name="Second", rules=town.BONUS),
        now=NOW,
        actor="test",
    )
    street = Street(home, places, [], {}, [home.programme.id, second.id], [home.link.id])
    for number in range(guests):
        _add_guest(tx, dice, street, number, design_id or 0)
    outsider = tx.execute(
        insert(member).values(brand_id=other.brand.id, language="ru", created_at=NOW).returning(member.c.id)
    ).scalar_one()
    assert outsider
    return street


def _add_guest(tx: Tx, dice: random.Random, street: Street, number: int, design_id: int) -> None:
    phone = f"+7900{number:07d}" if dice.random() < 0.6 else None
    proved = phone is not None and dice.random() < 0.5
    birthday = dice.choice([None, "02-29", "11-20", "11-21", "11-28", "11-29", "01-03", "12-31"])
    language = dice.choice(["ru", "en"])
    gone = dice.random() < 0.05
    member_id = tx.execute(
        insert(member)
        .values(
            brand_id=street.brand.brand.id,
            language=language,
            birthday=birthday,
            phone=phone,
            phone_verified_at=NOW if proved else None,
            created_at=NOW,
            removed_at=NOW if gone else None,
        )
        .returning(member.c.id)
    ).scalar_one()
    said = [(NOW - timedelta(hours=dice.randrange(4)), dice.random() < 0.6) for _ in range(dice.randrange(4))]
    for at, granted in said:
        tx.execute(
            insert(consent).values(
                member_id=member_id, purpose="advertising", granted=granted, text_version="1", text="x",
                language="ru", source="test", at=at,
            )
        )  # fmt: skip
    if phone and dice.random() < 0.3:
        street.silenced[phone] = NOW - timedelta(hours=dice.randrange(4))
        tx.execute(
            insert(silenced_number).values(
                brand_id=street.brand.brand.id, number=phone, at=street.silenced[phone], source="x", text="x"
            )
        )
    guest = Guest(MemberId(member_id), language, birthday, phone, proved, said, gone=gone)
    street.guests.append(guest)
    for programme_id in street.programmes[: dice.choice([1, 1, 2])]:
        _add_card(tx, dice, street, guest, programme_id, design_id)
    for _ in range(dice.choice([0, 1, 2, 3, 9, 12])):
        _buy(tx, dice, street, guest)
    habits.changed(tx, street.brand.brand.id, guest.id)


def _add_card(
    tx: Tx, dice: random.Random, street: Street, guest: Guest, programme_id: int, design_id: int
) -> None:
    serial = f"s{guest.id}-{programme_id}"
    pass_id = tx.execute(
        insert(wallet_pass)
        .values(
            pass_type_identifier="pass.x", serial_number=serial, design_id=design_id, content={}, version=1,
            tag=1, last_modified=NOW, created_at=NOW,
        )
        .returning(wallet_pass.c.id)
    ).scalar_one()  # fmt: skip
    venue = dice.choice(street.places)
    tier = dice.choice(["guest", "friend", None])
    linked = dice.random() < 0.5
    visit_id = f"{guest.id:016d}{programme_id:016d}" if linked else None
    if linked:
        tx.execute(
            insert(visit).values(
                id=visit_id, install_link_id=street.links[0], device_kind="iphone", language="ru",
                created_at=NOW, day=TODAY,
            )
        )  # fmt: skip
    ended = dice.random() < 0.1
    enrolment_id = tx.execute(
        insert(enrolment)
        .values(
            member_id=guest.id, programme_id=programme_id, brand_id=street.brand.brand.id, venue_id=venue.id,
            pass_id=pass_id, visit_id=visit_id, card_code=serial, tier=tier, enrolled_at=NOW,
            ended_at=NOW if ended else None,
        )
        .returning(enrolment.c.id)
    ).scalar_one()  # fmt: skip
    card = {
        "id": enrolment_id, "programme": programme_id, "venue": venue.id, "tier": tier, "linked": linked,
        "ended": ended, "apple": False, "other": False, "google": False, "had": False, "heard": [],
    }  # fmt: skip
    for kind in dice.sample(["apple", "other", "lost"], dice.choice([0, 0, 1, 2])):
        heard = NOW - timedelta(days=dice.choice([1, 29, 30, 31, 50]), hours=dice.choice([-1, 0, 1]))
        asked = dice.random() < 0.7
        device_id = tx.execute(
            insert(device)
            .values(
                device_library_identifier=f"{serial}-{kind}", pass_type_identifier="pass.x", push_token="x",
                push_service="other" if kind == "other" else "apple", held_at=NOW,
                registered_at=NOW - timedelta(days=40) if asked else heard,
                contacted_at=heard if asked else None,
                unreachable_since=NOW if kind == "lost" else None,
            )
            .returning(device.c.id)
        ).scalar_one()  # fmt: skip
        tx.execute(
            insert(registration).values(
                device_id=device_id, pass_id=pass_id, created_at=NOW, registered_at=NOW
            )
        )
        card["had"] = True
        if not ended and kind != "lost":
            card[kind] = True
            card["heard"].append(heard)
    if dice.random() < 0.2:
        tx.execute(insert(pass_evidence).values(pass_id=pass_id, listed_at=NOW, listed_version=1))
        card["had"] = True
    if dice.random() < 0.3:
        held, let_go = dice.random() < 0.6, dice.random() < 0.3
        saved = held or dice.random() < 0.5
        tx.execute(
            insert(google_object).values(
                pass_id=pass_id, brand_id=street.brand.brand.id, issuer_id="1", resource_id=serial,
                has_users=held, removed_at=NOW if let_go else None, first_saved_at=NOW if saved else None,
                created_at=NOW,
            )
        )  # fmt: skip
        card["google"] = held and not let_go and not ended
        card["had"] = card["had"] or saved
    guest.cards.append(card)


def _buy(tx: Tx, dice: random.Random, street: Street, guest: Guest) -> None:
    """Mostly about the ends of what is asked for, at hours at which one zone's day is another's yesterday."""
    venue = dice.choice(street.places)
    ago = dice.choice([0, 1, 2, 3, 5, 8, 13, 21, 28, 29, 30, 31, 60, 178, 179, 180, 181, 400])
    at = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC) - timedelta(
        days=ago, hours=dice.randrange(-8, 24)
    )
    amount = dice.randrange(1, 8) * 100_00
    refunded = dice.random() < 0.2
    tx.execute(
        insert(receipt).values(
            venue_id=venue.id, enrolment_id=dice.choice(guest.cards)["id"], amount=amount, currency="RUB",
            number=f"{guest.id}-{len(guest.bought)}", at=at, recorded_at=at,
            refunded_at=NOW if refunded else None,
        )
    )  # fmt: skip
    guest.bought.append(
        {
            "venue": venue.id, "amount": amount, "refunded": refunded,
            "day": at.astimezone(ZoneInfo(venue.time_zone)).date(),
        }
    )  # fmt: skip


def fold_all(tx: Tx) -> None:
    while habits.fold(tx):
        pass


def wanted(street: Street, audience: Audience, *, to_the_day: bool = False) -> list[Guest]:
    """The model's answer; ``to_the_day``: who is silent is known no better, as a count knows it."""
    living = [one for one in street.guests if not one.gone]
    lately = [one for one in living if one.visits and one.last > TODAY - timedelta(days=180)]

    def ends(values: Sequence[Any], parts: int) -> list[Any]:
        ordered = sorted(values)
        return [ordered[-(-len(ordered) * part // parts) - 1] for part in range(1, parts)] if ordered else []

    def part(value: Any, cut: list[Any]) -> int | None:
        return sum(value > end for end in cut) + 1 if cut else None

    cuts = {
        "check": ends([one.average for one in lately], 3),
        "recency": ends([one.last for one in lately], 5),
        "frequency": ends([len(one.visits) for one in lately], 5),
        "monetary": ends([sum(one.paid) for one in lately], 5),
    }

    def active(one: Guest, preset: str) -> bool:
        count = one.within(audience.activity_days)
        return {
            "new": 1 <= len(one.visits) <= audience.new_most,
            "regular": audience.regular_from <= count <= audience.regular_most,
            "constant": count > audience.regular_most,
            "asleep": bool(one.visits) and not one.within(audience.asleep_days),
            "never": not one.visits,
        }[preset]

    def state(one: Guest, name: str) -> bool:
        added = one.on("apple") or one.on("other") or one.on("google")
        heard = [at for card in one.cards for at in card["heard"]]
        since = NOW - timedelta(days=audience.silent_days)

        def silent(at: datetime) -> bool:
            return at.date() <= since.date() if to_the_day else at < since

        return {
            "added": added,
            "silent": bool(heard) and not one.on("google") and all(silent(at) for at in heard),
            "removed": not added and one.on("had"),
            "none": not added and not one.on("had"),
        }[name]

    def card(one: dict[str, Any]) -> bool:
        sourced = audience.placements or audience.links
        return (
            not one["ended"]
            and (not audience.programmes or one["programme"] in audience.programmes)
            and (not audience.tiers or one["tier"] in audience.tiers)
            and (not audience.home_venues or one["venue"] in audience.home_venues)
            and (not sourced or one["linked"])
            and (not audience.placements or "table" in audience.placements)
        )

    def fits(one: Guest) -> bool:
        bought = bool(one.visits)
        if audience.birthday_days is not None:
            days = {f"{TODAY + timedelta(days=n):%m-%d}" for n in range(audience.birthday_days + 1)}
            if one.birthday not in days | ({"02-29"} if "02-28" in days else set()):
                return False
        number = "none" if not one.phone else "verified" if one.proved else "given"
        about_cards = (
            audience.programmes, audience.tiers, audience.home_venues, audience.placements, audience.links,
        )  # fmt: skip
        since = TODAY - timedelta(days=audience.visited_days)
        return (
            (not audience.activity or any(active(one, each) for each in audience.activity))
            and (
                not audience.check
                or (
                    bought
                    and (
                        part(one.average, cuts["check"])
                        in [("", "low", "middle", "high").index(c) for c in audience.check]
                    )
                )
            )
            and (audience.check_from is None or (bought and one.average >= audience.check_from))
            and (audience.check_to is None or (bought and one.average <= audience.check_to))
            and (not audience.recency or (bought and part(one.last, cuts["recency"]) in audience.recency))
            and (
                not audience.frequency
                or (bought and part(len(one.visits), cuts["frequency"]) in audience.frequency)
            )
            and (
                not audience.monetary
                or (bought and part(sum(one.paid), cuts["monetary"]) in audience.monetary)
            )
            and (not any(about_cards) or any(card(each) for each in one.cards))
            and (
                not audience.visited
                or any(venue in audience.visited and day > since for venue, day in one.visits)
            )
            and (not audience.languages or one.language in audience.languages)
            and (not audience.wallet or any(state(one, each) for each in audience.wallet))
            and (not audience.phone or number in audience.phone)
            and (not audience.consent or one.consents)
        )

    return [one for one in living if fits(one)]


def counted(street: Street, guests: Sequence[Guest]) -> Counts:
    texts = [
        one
        for one in guests
        if one.phone
        and one.consents
        and (one.phone not in street.silenced or street.silenced[one.phone] < one.granted_at)
    ]
    return Counts(
        all=len(guests),
        consenting=sum(one.consents for one in guests),
        apple=sum(one.on("apple") for one in guests),
        google=sum(one.on("google") for one in guests),
        neither=sum(not one.on("apple") and not one.on("google") for one in guests),
        texts=len(texts),
        behind=0,
    )


def some_audience(dice: random.Random, street: Street, number: int) -> Audience:
    """Each filter in its turn, with some of the others."""

    def some(*values: Any) -> tuple[Any, ...]:
        return tuple(dice.sample(values, dice.randint(1, len(values))))

    places = [one.id for one in street.places]
    asked: dict[str, Any] = {
        "activity": some("new", "regular", "constant", "asleep", "never"),
        "activity_days": dice.choice([7, 29, 30, 31, 180]),
        "asleep_days": dice.choice([29, 30, 31]),
        "regular_from": dice.randint(1, 3),
        "regular_most": dice.randint(3, 8),
        "check": some("low", "middle", "high"),
        "check_from": dice.choice([100_00, 300_00]),
        "check_to": dice.choice([300_00, 500_00]),
        "recency": some(1, 2, 3, 4, 5),
        "frequency": some(1, 2, 3, 4, 5),
        "monetary": some(1, 2, 3, 4, 5),
        "programmes": some(*street.programmes),
        "tiers": some("guest", "friend"),
        "home_venues": some(*places),
        "placements": ("door", "table") if dice.random() < 0.5 else ("table",),
        "links": (street.links[0],),
        "visited": some(*places),
        "visited_days": dice.choice([1, 29, 30, 31, 200]),
        "birthday_days": dice.choice([0, 7, 8, 43, 100, 366]),
        "languages": some("ru", "en"),
        "wallet": some("added", "silent", "removed", "none"),
        "silent_days": dice.choice([29, 30, 31]),
        "phone": some("verified", "given", "none"),
        "consent": True,
    }
    chosen = {
        sorted(asked)[number % len(asked)],
        *dice.sample(sorted(asked), dice.choice([0, 0, 1, 1, 2, 4])),
    }
    return Audience(**{name: asked[name] for name in chosen})


def ids(tx: Tx, frozen: Frozen, limit: int) -> list[MemberId]:
    found: list[MemberId] = []
    while part := audiences.walk(tx, frozen, found[-1] if found else MemberId(0), limit):
        found += [one.member_id for one in part]
    return found


def test_every_audience_is_what_a_model_says(database: Database) -> None:
    """Random filters over random guests: counted with and without what is folded, walked in steps."""
    dice = random.Random(8)
    with database.write() as tx:
        street = furnish(tx, dice, 90)
        brand_id = street.brand.brand.id
    reached: set[str] = set()
    wide = 0  # audiences that are neither nobody nor everybody
    with database.write() as tx:
        # What guests are compared with is what is kept; the newest receipts are counted besides.
        fold_all(tx)
        for one in dice.sample(street.guests, 30):
            habits.changed(tx, brand_id, one.id)
        tx.execute(habit.delete().where(habit.c.member_id == street.guests[0].id))
        habits.changed(tx, brand_id, street.guests[0].id)
    asked = [some_audience(dice, street, number) for number in range(36)] + list(PRESETS.values())
    with database.read() as tx:
        waiting = [audiences.count(tx, brand_id, one, NOW) for one in asked[:18]]
    with database.write() as tx:
        fold_all(tx)
    with database.read() as tx:
        for number, audience in enumerate(asked):
            expected = wanted(street, audience, to_the_day=True)
            said = audience.to_json()
            assert audiences.count(tx, brand_id, audience, NOW) == counted(street, expected), said
            if number < len(waiting) and not {"check", "recency", "frequency", "monetary"} & said.keys():
                assert waiting[number] == counted(street, expected), said
            frozen = Frozen.from_json(audiences.freeze(tx, brand_id, audience, NOW).to_json())
            expected = wanted(street, audience)
            limit = 7 if number % 9 == 0 else 1000
            assert ids(tx, frozen, limit) == [one.id for one in expected], said
            assert Audience.from_json(said) == audience
            wide += 0 < len(expected) < 80
            reached |= said.keys() if expected else set()
    assert wide > 20
    assert reached >= {one for one in Audience.__dataclass_fields__ if one not in ("new_most", "staff")}


def test_an_audience_is_frozen_by_its_last_member(database: Database) -> None:
    with database.write() as tx:
        street = furnish(tx, random.Random(3), 12)
        fold_all(tx)
        frozen = audiences.freeze(tx, street.brand.brand.id, Audience(), NOW)
        known = [one.id for one in street.guests if not one.gone]
        design_id = tx.scalar(select(design.c.id)) or 0
        _add_guest(tx, random.Random(4), street, 99, design_id)
        assert ids(tx, frozen, 5) == known
        recipients = audiences.walk(tx, frozen, MemberId(0), 1000)
        by_id = {one.id: one for one in street.guests}
        for one in recipients:
            living = [card for card in by_id[one.member_id].cards if not card["ended"]]
            assert [(card.programme_id, card.apple, card.google) for card in one.cards] == [
                (card["programme"], card["apple"], card["google"]) for card in living
            ]
            assert one.phone == by_id[one.member_id].phone
        assert any(len(one.cards) == 2 for one in recipients)
        with pytest.raises(ValueError, match="1000"):
            audiences.walk(tx, frozen, MemberId(0), 1001)


def test_no_receipt_is_read_but_of_those_who_are_not_folded_yet(database: Database) -> None:
    with database.write() as tx:
        street = furnish(tx, random.Random(2), 10)
        brand_id = street.brand.brand.id
        fold_all(tx)
    everything = Audience(
        activity=("regular",), check=("low",), recency=(1, 2), visited=(street.places[0].id,), consent=True
    )

    def read(tx: Tx) -> list[tuple[str, Any]]:
        with statements_of(database) as heard:
            audiences.count(tx, brand_id, everything, NOW)
            frozen = audiences.freeze(tx, brand_id, everything, NOW)
            audiences.walk(tx, frozen, MemberId(0), 10)
        return [(said, values) for said, values in heard.items() if "receipt.amount" in said]

    with database.write() as tx:
        assert read(tx) == []
        habits.changed(tx, brand_id, street.guests[0].id)
        if not database.is_sqlite:
            tx.exec_driver_sql("SET LOCAL enable_seqscan = off")  # ten guests are read at a glance
        ((said, values),) = read(tx)
        lines = " ".join(plan(tx, said, values))
        assert "receipt_enrolment_at" in lines
        assert not re.search(r"SCAN receipt|Seq Scan on receipt", lines)


@pytest.mark.once
@pytest.mark.parametrize(
    ("today", "days", "inside", "outside"),
    [
        (date(2026, 2, 28), 0, ["02-28", "02-29"], ["02-27", "03-01"]),
        (date(2028, 2, 28), 0, ["02-28"], ["02-29"]),
        (date(2028, 2, 28), 1, ["02-29"], ["03-01"]),
        (date(2026, 2, 21), 7, ["02-28", "02-29"], ["02-20", "03-01"]),
        (date(2026, 3, 1), 7, ["03-01", "03-08"], ["02-29", "03-09"]),
        (date(2026, 12, 28), 7, ["12-28", "12-31", "01-01", "01-04"], ["12-27", "01-05"]),
        (date(2027, 12, 1), 90, ["02-28", "02-29"], ["03-01"] * (date(2028, 2, 29) < date(2028, 3, 1))),
        (date(2026, 3, 1), 364, ["02-28", "02-29", "03-01"], []),
        (date(2026, 3, 1), 366, ["02-29", "12-31", "01-01"], []),
    ],
)
def test_birthdays_go_over_the_years_end_and_the_day_that_not_every_year_has(
    today: date, days: int, inside: list[str], outside: list[str]
) -> None:
    ranges = birthdays.window(today, days)
    assert all(any(first <= one <= last for first, last in ranges) for one in inside)
    assert not any(first <= one <= last for one in outside for first, last in ranges)


@pytest.mark.once
@pytest.mark.parametrize(
    ("value", "field"),
    [
        ([], "audience"), ({"mood": 1}, "mood"), ({"activity": ["often"]}, "activity"),
        ({"activity": "new"}, "activity"), ({"regular_most": 40}, "regular_most"),
        ({"regular_from": 9}, "regular_most"), ({"check_from": 5, "check_to": 4}, "check_to"),
        ({"check_from": -1}, "check_from"), ({"recency": [6]}, "recency"), ({"recency": [True]}, "recency"),
        ({"tiers": ["\x00"]}, "tiers"), ({"tiers": [3]}, "tiers"), ({"links": [0]}, "links"),
        ({"links": [2**63]}, "links"), ({"visited": list(range(1, 502))}, "visited"),
        ({"birthday_days": 367}, "birthday_days"), ({"activity_days": None}, "activity_days"),
        ({"consent": 1}, "consent"), ({"asleep_days": True}, "asleep_days"), ({"wallet": [[]]}, "wallet"),
    ],
)  # fmt: skip
def test_what_no_audience_can_be_is_refused_by_name(value: Any, field: str) -> None:
    with pytest.raises(BadInput) as refused:
        Audience.from_json(value)
    assert refused.value.field == field
