"""Guests of the cafe with cards, receipts, phones and a past: for tests and pictures of their pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from app.db import Tx
from app.db.identifiers import DeviceLibraryIdentifier, MemberId, PushToken
from app.loyalty import card_acts, enrolment, numbers, till
from app.loyalty.enrolment import ConsentGiven, Enrolment, EnrolmentRequest
from app.loyalty.till import ReceiptDraft
from app.passes import evidence, issuing, registrations
from app.passes.evidence import Contact, Fetch, Install, Sighting
from app.places import visits
from tests.web.console.house import House
from tests.web.guests import NOW, Shop

DATA = ConsentGiven(
    purpose="data", granted=True, text_version="1", text="Согласен", language="ru", source="install page"
)


def guest(
    tx: Tx,
    shop: Shop,
    name: str | None,
    phone: str | None = None,
    *,
    venue_id: int | None = None,
    agrees: bool = False,
) -> Enrolment:
    """Somebody who filled in the form; ``agrees``: to advertising as well."""
    visit_id = visits.new_visit_id()
    visits.record(
        tx, visit_id=visit_id, link_id=shop.link.id, kind="scan", at=NOW, device_kind="iphone", language="ru"
    )
    made = enrolment.enrol(
        tx,
        EnrolmentRequest(
            programme_id=shop.programme.id,
            venue_id=venue_id or shop.venue.id,  # type: ignore[arg-type]
            visit_id=visit_id,
            name=name,
            language="ru",
            consents=[DATA, replace(DATA, purpose="advertising")] if agrees else [DATA],
            phone=None,
        ),
        now=NOW,
    )
    return numbers.prove(tx, made.id, phone, now=NOW) if phone else made


def ring_up(tx: Tx, shop: Shop, card: Enrolment, number: str, amount: int = 90_000) -> None:
    """A receipt."""
    till.record_receipt(
        tx,
        ReceiptDraft(card=card.card_code, number=number, amount=amount, currency="RUB", at=NOW),
        brand_id=shop.brand.id,
        venue_id=shop.venue.id,
        now=NOW + timedelta(minutes=5),
    )


def with_phone(tx: Tx, card: Enrolment, device: str = "phone-1") -> None:
    """A phone that installed the card and holds its newest version."""
    known = issuing.wallet_pass(tx, card.pass_id)
    held = registrations.register(
        tx,
        device_library_identifier=DeviceLibraryIdentifier(device),
        pass_type_identifier=known.pass_type_identifier,
        pass_id=known.id,
        push_token=PushToken(f"{device}-token"),
        now=NOW,
    )
    at = NOW + timedelta(minutes=7)
    evidence.record(
        tx,
        [
            Contact(held.device_id, at),
            Sighting(known.id, known.version, at),
            Fetch(known.id, known.version, known.last_modified, at),
            Install(known.id, known.version, at),
        ],
    )


def prepare(house: House) -> None:
    """For pictures: a list of guests, and Anna, who has a whole story."""
    names = ("Мария Ёлкина", "Пётр", "Иван Сергеев", None, "Ольга Ким", "Alexander Montgomery-Featherstone")
    with house.database.write() as tx:
        for number, name in enumerate(names):
            guest(tx, house.cafe, name, f"+7903123{number:04d}" if number % 2 else None)
        anna = guest(tx, house.cafe, "Анна Петрова", "+79031234567")
        ring_up(tx, house.cafe, anna, "R-1042")
        card_acts.correct(
            tx,
            anna.id,
            points=50_00,
            reason="Чек не прошёл, касса была без сети",
            form_key="the-first-form",
            now=NOW + timedelta(minutes=6),
            actor="user:1",
        )
        with_phone(tx, anna)
    house.clock.forward(timedelta(hours=1))


def the_newest(house: House) -> MemberId:
    """Anna's number in a house that was prepared: she came last."""
    return MemberId(7)
