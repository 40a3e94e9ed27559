"""How guests are reached, as it is kept for counting: what their tables say, whatever happens."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from app.campaigns import audiences
from app.campaigns.audience import Audience
from app.db import Database, Tx
from app.db.identifiers import (
    DeviceLibraryIdentifier,
    GoogleIssuerId,
    MemberId,
    PassTypeIdentifier,
    PushToken,
)
from app.loyalty import card_acts, consents, habits, members, numbers
from app.loyalty.enrolment import Enrolment, enrol, enrolment, living
from app.loyalty.habit_tables import habit, habit_change
from app.passes import google_cards, registrations, store_google
from app.passes.tables import device, holder_change
from app.worker import ticks
from bench.plans import plan, statements_of
from tests.loyalty import town
from tests.loyalty.town import ADVERTISING, NOW, Town

EVERYBODY = Audience()
STATES = tuple(Audience(wallet=(state,)) for state in ("added", "silent", "removed", "none"))
LATER = NOW + timedelta(seconds=1)
PASS_TYPE = PassTypeIdentifier("pass.com.example.cup")


def newcomer(tx: Tx, place: Town) -> Enrolment:
    asked = town.request(place, town.visit(tx, place.link.id))
    return enrol(tx, replace(asked, consents=[*asked.consents, replace(ADVERTISING, granted=True)]), now=NOW)


def step(tx: Tx, dice: random.Random, place: Town, cards: list[Enrolment]) -> None:
    """Something that changes how a guest is reached."""
    card = now_of(tx, dice.choice(cards))
    number = f"+7900000000{dice.randrange(4)}"
    what = dice.choice(
        ["phone", "phone", "phone", "google", "withdraw", "stop", "prove", "reissue", "remove"]
    )
    if what == "phone":
        turn_phone(tx, dice, card)
    elif what == "google":
        turn_google(tx, dice, place, card)
    elif what == "withdraw":
        consents.withdraw(
            tx, card.member_id, source="card page", text="no", text_version="1", language="ru", now=NOW
        )
    elif what == "stop":
        consents.withdraw_by_number(tx, place.brand.id, number, source="sms", text="STOP", now=NOW)
    elif what == "prove":
        numbers.prove(tx, card.id, number, now=NOW)
    elif what == "reissue":
        card_acts.reissue(tx, card.id, reason="lost", form_key=f"{dice.random()}", now=NOW, actor="test")
    elif dice.random() < 0.3:
        members.remove(tx, card.member_id, now=NOW)
    cards[:] = [one for one in cards if now_of(tx, one).ended_at is None]


def now_of(tx: Tx, card: Enrolment) -> Enrolment:
    """The card as it is, or the one that it was merged into."""
    return living(tx, enrolment(tx, card.id))


def turn_phone(tx: Tx, dice: random.Random, card: Enrolment) -> None:
    """One registers the card, lets go of it, or is found dead."""
    library = DeviceLibraryIdentifier(f"phone-{dice.randrange(5)}")
    dead = tx.scalar(select(device.c.id).where(device.c.device_library_identifier == library))
    what = dice.choice(["register", "register", "unregister", "gone", "aside", "doubt"])
    service: registrations.PushService = "other" if dice.random() < 0.3 else "apple"
    if what == "register":
        registrations.register(
            tx, device_library_identifier=library, pass_type_identifier=PASS_TYPE, pass_id=card.pass_id,
            push_token=PushToken("x"), push_service=service, now=NOW,
        )  # fmt: skip
    elif what == "unregister":
        registrations.unregister(
            tx, device_library_identifier=library, pass_type_identifier=PASS_TYPE, pass_id=card.pass_id,
            now=NOW,
        )  # fmt: skip
    elif dead and what == "gone":
        registrations.forget_unreachable(tx, dead, unregistered_at=LATER)
    elif dead:
        registrations.set_aside(tx, dead, asked_at=LATER)
        if what == "doubt":
            registrations.take_back(tx, dead, asked_at=LATER)


def turn_google(tx: Tx, dice: random.Random, place: Town, card: Enrolment) -> None:
    """Somebody holds it there, or nobody any more."""
    row = store_google.object_of_pass(tx, card.pass_id)
    if row is None:
        store_google.add_object(
            tx, pass_id=card.pass_id, brand_id=place.brand.id, issuer_id=GoogleIssuerId("1"),
            resource_id=f"1.{card.pass_id}", now=NOW,
        )  # fmt: skip
        row = store_google.object_of_pass(tx, card.pass_id)
    assert row is not None
    held, _ = google_cards.with_holders(row, has_users=dice.random() < 0.6, now=NOW)
    store_google.write_objects(tx, [held])


def seen(tx: Tx, place: Town) -> list[tuple[Any, ...]]:
    """Each guest as a campaign meets them, by the true tables alone."""
    frozen = audiences.freeze(tx, place.brand.id, EVERYBODY, NOW)
    return [
        (
            one.member_id, one.consenting, one.texts,
            any(card.apple for card in one.cards), any(card.google for card in one.cards),
        )
        for one in audiences.walk(tx, frozen, MemberId(0), 1000)
    ]  # fmt: skip


def states_walked(tx: Tx, place: Town) -> list[int]:
    frozen = [audiences.freeze(tx, place.brand.id, one, NOW) for one in STATES]
    return [len(audiences.walk(tx, one, MemberId(0), 1000)) for one in frozen]


def states_counted(tx: Tx, place: Town) -> list[int]:
    return [audiences.count(tx, place.brand.id, one, NOW).all for one in STATES]


def fold_all(tx: Tx) -> None:
    while habits.fold(tx, limit=7):
        pass


def test_what_is_kept_is_what_the_tables_say_in_any_order(database: Database) -> None:
    """Folded now and then, counted at every moment; in the end nothing is left to mend."""
    dice = random.Random(9)
    kinds: set[tuple[Any, ...]] = set()
    for _ in range(2):
        with database.write() as tx:
            place = town.build(tx, town.BONUS, slug=f"cup{len(kinds)}{dice.random()}"[:20].replace(".", ""))
            cards = [newcomer(tx, place) for _ in range(9)]
        for number in range(40):
            with database.write() as tx:
                if not cards:
                    break
                step(tx, dice, place, cards)
                if dice.random() < 0.2:
                    habits.fold(tx, limit=dice.randrange(1, 9))
                if number % 5:
                    continue
                true = seen(tx, place)
                kinds |= {tuple(row[3:5]) for row in true}
                counts = audiences.count(tx, place.brand.id, EVERYBODY, NOW)
                _, consenting, texts, apple, google = zip(*true, strict=True) if true else [()] * 5
                assert (counts.all, counts.consenting, counts.texts, counts.apple, counts.google) == (
                    len(true), sum(consenting), sum(texts), sum(apple), sum(google),
                )  # fmt: skip
                assert states_counted(tx, place) == states_walked(tx, place)
        with database.write() as tx:
            fold_all(tx)
            for notes in (habit_change, holder_change):
                assert not tx.execute(select(notes)).all()
            kept = tx.execute(
                select(habit.c.member_id, habit.c.consenting, habit.c.texts, habit.c.apple, habit.c.google)
                .where(habit.c.brand_id == place.brand.id)
                .order_by(habit.c.member_id)
            )
            assert [tuple(row) for row in kept] == seen(tx, place)
            before = tx.execute(select(habit).order_by(habit.c.member_id)).all()
            assert habits.mend(tx, limit=1000) == habits.Mended(None, 0)
            assert tx.execute(select(habit).order_by(habit.c.member_id)).all() == before
    assert len(kinds) == 4


def test_who_is_silent_is_counted_to_the_day_and_walked_to_the_moment(database: Database) -> None:
    """Phones are heard without a note: a count learns it overnight, a walk asks at that moment."""
    with database.write() as tx:
        place = town.build(tx, town.BONUS)
        for number in range(3):
            registrations.register(
                tx, device_library_identifier=DeviceLibraryIdentifier(f"phone-{number}"),
                pass_type_identifier=PASS_TYPE, pass_id=newcomer(tx, place).pass_id,
                push_token=PushToken("x"), now=NOW - timedelta(days=40),
            )  # fmt: skip
        fold_all(tx)
        silent = Audience(wallet=("silent",))
        assert audiences.count(tx, place.brand.id, silent, NOW).all == 3
        tx.execute(
            update(device).where(device.c.device_library_identifier == "phone-1").values(contacted_at=NOW)
        )
        frozen = audiences.freeze(tx, place.brand.id, silent, NOW)
        assert len(audiences.walk(tx, frozen, MemberId(0), 10)) == 2
        assert audiences.count(tx, place.brand.id, silent, NOW).all == 3
        anew = ticks.habits_tick(limit=2)
        assert [anew.step(tx, NOW) for _ in range(4)] == [True, False, True, False]  # and begins again
        assert audiences.count(tx, place.brand.id, silent, NOW).all == 2
        assert habits.mend(tx, limit=100) == habits.Mended(None, 0)


def test_a_count_reads_no_history(database: Database) -> None:
    """Where all is folded it asks one table, once."""
    everything = Audience(
        activity=("new", "never"), check=("low",), monetary=(1, 2), wallet=("silent", "removed"), consent=True
    )
    with database.write() as tx:
        place = town.build(tx, town.BONUS)
        newcomer(tx, place)
        fold_all(tx)
        with statements_of(database) as heard:
            audiences.count(tx, place.brand.id, everything, NOW)
        (said,) = [one for one in heard if "FILTER (WHERE" in one]
        assert "JOIN" not in said
        assert "EXISTS" not in said
        lines = plan(tx, said, heard[said])
        if database.is_sqlite:
            assert lines == ["SEARCH habit USING PRIMARY KEY (brand_id=? AND member_id>? AND member_id<?)"]
