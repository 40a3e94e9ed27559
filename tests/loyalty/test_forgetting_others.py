"""Whose number it is decides: what a guest did not prove is not theirs to take away, nor to take along."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select

from app.db import Database, Tx
from app.delivery import texts
from app.delivery.tables import text_message as texts_table
from app.delivery.text_promises import TextDraft
from app.loyalty import codes, consents, enrolment, members, numbers
from app.loyalty.codes import CodeAsked
from app.loyalty.guest_tables import silenced_number
from app.loyalty.tables import phone_code
from app.places import visits
from app.reports.member_file import member_file
from tests.loyalty import town as towns
from tests.loyalty.test_codes import KEY, LIMITS
from tests.loyalty.town import BONUS, NOW, Town

PHONE, OTHER = "+79031112233", "+79035557788"


def _code(tx: Tx, town: Town, number: str, *, card: enrolment.Enrolment | None = None) -> None:
    """A code on its way, asked for on a page or with a card."""
    visit = None if card else towns.visit(tx, town.link.id)
    if visit:
        visits.record_event(tx, visit_id=visit, kind="page", at=NOW)
    asked = CodeAsked(
        brand_id=town.brand.id,
        venue_id=town.venue.id,
        visit_id=visit,
        enrolment_id=card.id if card else None,
        number=number,
        address="127.0.0.1",
    )
    made = codes.ask(tx, asked, limits=LIMITS, key=KEY, now=NOW)
    draft = TextDraft(
        brand_id=town.brand.id,
        member_id=None,
        login="main",
        kind="code",
        number=number,
        text=f"Код {made.digits}",
        sender=None,
        encoding="ucs2",
        parts=1,
        price=None,
        currency=None,
        due_at=NOW,
        not_after=None,
    )
    codes.sent_as(tx, made.id, texts.enqueue_text(tx, draft, now=NOW))


def _guest(tx: Tx, town: Town, number: str, *, proved: bool) -> enrolment.Enrolment:
    request = replace(towns.request(town, towns.visit(tx, town.link.id)), phone=number)
    card = enrolment.enrol(tx, request, now=NOW)
    return numbers.prove(tx, card.id, number, now=NOW) if proved else card


def test_another_brands_codes_are_not_in_a_guests_file(database: Database) -> None:
    with database.write() as tx:
        ours, theirs = towns.build(tx, BONUS), towns.build(tx, BONUS, slug="tea")
        card = _guest(tx, ours, PHONE, proved=True)
        _code(tx, theirs, PHONE)
        assert member_file(tx, card.member_id)["phone_code"] == []
        _code(tx, ours, PHONE)
        assert len(member_file(tx, card.member_id)["phone_code"]) == 1


def test_an_unproved_number_takes_nothing_of_its_holder_along_or_away(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        holder = _guest(tx, town, PHONE, proved=True)
        stranger = _guest(tx, town, PHONE, proved=False)
        _code(tx, town, PHONE)
        consents.hear_stop(tx, "main", [town.brand.id], PHONE, text="Стоп", now=NOW)
        file = member_file(tx, stranger.member_id)
        assert (file["phone_code"], file["text_message"], file["silenced_number"]) == ([], [], [])
        members.remove(tx, stranger.member_id, now=NOW)
        assert [row.number for row in tx.execute(select(silenced_number))] == [PHONE]
        assert [row.ended_at for row in codes.codes_of_number(tx, town.brand.id, PHONE)] == [None]
        members.remove(tx, holder.member_id, now=NOW)
        assert tx.execute(select(silenced_number)).all() == []


def test_a_code_asked_for_with_a_card_is_in_its_file_and_forgotten_with_it(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        card = _guest(tx, town, PHONE, proved=True)
        _code(tx, town, OTHER, card=card)  # never entered
        file = member_file(tx, card.member_id)
        assert [row["number"] for row in file["phone_code"]] == [OTHER]
        assert [row["number"] for row in file["text_message"]] == [OTHER]
        members.remove(tx, card.member_id, now=NOW)
        assert OTHER not in {row.number for row in tx.execute(select(phone_code))}
        assert OTHER not in {row.number for row in tx.execute(select(texts_table))}
