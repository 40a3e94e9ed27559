"""A guest who is forgotten has left no trace: every table is read, whatever it is called."""

from __future__ import annotations

from datetime import timedelta

from app.db import Database, Tx
from app.delivery import texts
from app.delivery.text_promises import TextDraft
from app.loyalty import card_acts, codes, enrolment, members, numbers, till
from app.loyalty.codes import CodeAsked, CodeLimits
from app.loyalty.enrolment import Enrolment
from app.loyalty.till import Answer, ReceiptDraft
from app.places import visits
from tests.loyalty.town import EXPIRING, NOW, Town, build, request, visit
from tests.tables import every_row

NAME, PHONE = "Евпраксия Скоробогатова", "+79035557788"
LATER = NOW + timedelta(hours=1)
TRACES = ("евпраксия", "скоробогатова", "5557788", "8877555", "ветхий")
LIMITS = CodeLimits(countries=("RU",), brand_a_day=100)


def a_past(tx: Tx, town: Town) -> Enrolment:
    """A card with everything that remembers its guest."""
    seen = visit(tx, town.link.id)
    visits.record_event(tx, visit_id=seen, kind="page", at=NOW)
    asked = CodeAsked(
        brand_id=town.brand.id, venue_id=town.venue.id, visit_id=seen, number=PHONE, address="127.0.0.1"
    )
    made_code = codes.ask(tx, asked, limits=LIMITS, key=b"k", now=NOW)
    _text(tx, town, None, f"Код {made_code.digits}")
    card = enrolment.enrol(tx, request(town, seen, name=NAME), now=NOW)
    numbers.prove(tx, card.id, PHONE, now=NOW)
    _text(tx, town, card, f"{NAME}, приходите")
    members.set_birthday(tx, card.member_id, month=5, day=9)

    def rung_up() -> Answer:
        draft = ReceiptDraft(card=card.card_code, number="R-1", amount=900_00, currency="RUB", at=NOW)
        told = till.record_receipt(tx, draft, brand_id=town.brand.id, venue_id=town.venue.id, now=NOW)
        return Answer(201, {"card": told.card.code, "name_initial": NAME, "points": told.points})

    till.once(tx, venue_id=town.venue.id, key="k1", fingerprint="f", now=NOW, act=rung_up)
    given = {"reason": f"ветхий чек, {NAME} {PHONE}", "now": LATER, "actor": "user:1"}
    card_acts.correct(tx, card.id, points=100, form_key="form-0001", **given)  # type: ignore[arg-type]
    card_acts.reissue(tx, card.id, form_key="form-0002", **given)  # type: ignore[arg-type]
    return card


def test_no_table_holds_a_trace_of_who_was_forgotten(database: Database) -> None:
    with database.write() as tx:
        town = build(tx, EXPIRING)
        card = a_past(tx, town)
        other = enrolment.enrol(tx, request(town, visit(tx, town.link.id), name="Пётр"), now=NOW)
    assert set(_traces(database)) >= {
        *("member", "member_key", "wallet_pass", "card_act", "text_message", "phone_code", "till_call"),
    }

    with database.write() as tx:
        members.remove(tx, card.member_id, now=LATER, actor="user:1")
    assert _traces(database) == {}
    with database.read() as tx:
        states = {text.state for text in texts.texts_of_member(tx, card.member_id)}
        assert states == {"gone"}
        assert till.card(tx, other.card_code, brand_id=town.brand.id, now=LATER).name_initial == "П"


def test_those_who_were_found_to_be_the_guest_are_forgotten_as_well(database: Database) -> None:
    with database.write() as tx:
        town = build(tx, EXPIRING)
        older = enrolment.enrol(tx, request(town, visit(tx, town.link.id), name=NAME), now=NOW)
        _text(tx, town, older, f"{NAME}, приходите")
        newer = enrolment.enrol(tx, request(town, visit(tx, town.link.id), name="Яна"), now=LATER)
        numbers.prove(tx, newer.id, PHONE, now=LATER)
        numbers.prove(tx, older.id, PHONE, now=LATER)
        _text(tx, town, newer, f"{NAME}, ещё раз")
        members.remove(tx, newer.member_id, now=LATER)
    assert _traces(database) == {}


def _text(tx: Tx, town: Town, card: Enrolment | None, words: str) -> None:
    texts.enqueue_text(
        tx,
        TextDraft(
            brand_id=town.brand.id,
            member_id=card.member_id if card else None,
            login="main",
            kind="service" if card else "code",
            number=PHONE,
            text=words,
            sender=None,
            encoding="ucs2",
            parts=1,
            price=None,
            currency=None,
            due_at=NOW,
            not_after=None,
        ),
        now=NOW,
    )


def _traces(database: Database) -> dict[str, list[str]]:
    """By table, the rows that still tell of the guest, logs of phones included."""
    found: dict[str, list[str]] = {}
    for table, rows in every_row(database, without=frozenset()).items():
        told = [repr(row) for row in rows if any(trace in repr(row).casefold() for trace in TRACES)]
        if told:
            found[table] = told
    return found
