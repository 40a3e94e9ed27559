"""All of a person's data, for the person: every row that is theirs, by the name of its table.

Left out is what would let others in (push tokens, digests of codes), and a code's way to the guest's address.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Table, Text, cast, or_, select

from app.accounts.tables import audit_entry, brand
from app.db import Tx
from app.db.identifiers import MemberId
from app.delivery.google_tables import google_notification
from app.delivery.tables import attempt, delivery, push_budget, text_message
from app.errors import NotFound
from app.loyalty.guest_tables import card_act, member_key, returning_visit, silenced_number
from app.loyalty.tables import (
    consent,
    enrolment,
    ledger_entry,
    lot,
    lot_use,
    member,
    phone_code,
    programme,
    receipt,
    till_call,
)
from app.passes.google_tables import google_object
from app.passes.tables import device, device_log, pass_evidence, registration, wallet_pass
from app.places.tables import install_link, placement, venue, visit, visit_event

MemberFile = Mapping[str, Sequence[Mapping[str, Any]]]
"""Rows by table, each by column; moments are aware, points hundredths, money minor units."""

_SECRET: Final[Mapping[str, frozenset[str]]] = {
    "device": frozenset({"push_token"}),
    "phone_code": frozenset({"digest", "address_range"}),
    "wallet_pass": frozenset({"key_version", "tag"}),
    "delivery": frozenset({"owner", "lease_until"}),
}


def member_file(tx: Tx, member_id: MemberId) -> MemberFile:
    """Of this member and of those that were found to be the same guest; raises NotFound."""
    ids = _same_guest(tx, member_id)
    cards = select(enrolment.c.id).where(enrolment.c.member_id.in_(ids))
    passes = select(enrolment.c.pass_id).where(enrolment.c.member_id.in_(ids))
    former = select(card_act.c.former_pass_id).where(
        card_act.c.enrolment_id.in_(cards), card_act.c.former_pass_id.is_not(None)
    )
    of_pass = or_(wallet_pass.c.id.in_(passes), wallet_pass.c.id.in_(former))
    all_passes = select(wallet_pass.c.id).where(of_pass)
    devices = select(registration.c.device_id).where(registration.c.pass_id.in_(all_passes))
    visits = select(enrolment.c.visit_id).where(enrolment.c.member_id.in_(ids))
    back = select(returning_visit.c.visit_id).where(returning_visit.c.enrolment_id.in_(cards))
    of_visit = or_(visit.c.id.in_(visits), visit.c.id.in_(back))
    all_visits = select(visit.c.id).where(of_visit)
    # A number that nobody proved is anybody's: what was sent to it says nothing of this guest.
    numbers = select(member.c.phone).where(member.c.id.in_(ids), member.c.phone_verified_at.is_not(None))
    own_brand = select(member.c.brand_id).where(member.c.id.in_(ids))
    of_code = phone_code.c.brand_id.in_(own_brand) & or_(
        phone_code.c.visit_id.in_(all_visits),
        phone_code.c.enrolment_id.in_(cards),
        phone_code.c.number.in_(numbers),
    )
    of_text = or_(
        text_message.c.member_id.in_(ids),
        text_message.c.delivery_id.in_(select(phone_code.c.delivery_id).where(of_code)),
        text_message.c.member_id.is_(None)
        & text_message.c.number.in_(numbers)
        & text_message.c.brand_id.in_(own_brand),
    )
    all_texts = select(text_message.c.delivery_id).where(of_text)
    at_google = select(google_object.c.id).where(google_object.c.pass_id.in_(all_passes))
    of_delivery = or_(
        delivery.c.device_id.in_(devices),
        delivery.c.id.in_(all_texts),
        delivery.c.google_object_id.in_(at_google),
    )
    links = select(visit.c.install_link_id).where(of_visit)
    entries = select(ledger_entry.c.id).where(ledger_entry.c.enrolment_id.in_(cards))
    wanted: tuple[tuple[Table, ColumnElement[bool]], ...] = (
        (brand, brand.c.id.in_(own_brand)),
        (member, member.c.id.in_(ids)),
        (member_key, member_key.c.member_id.in_(ids)),
        (consent, consent.c.member_id.in_(ids)),
        (programme, programme.c.id.in_(select(enrolment.c.programme_id).where(enrolment.c.id.in_(cards)))),
        (enrolment, enrolment.c.id.in_(cards)),
        (wallet_pass, of_pass),
        (receipt, receipt.c.enrolment_id.in_(cards)),
        (ledger_entry, ledger_entry.c.enrolment_id.in_(cards)),
        (lot, lot.c.enrolment_id.in_(cards)),
        (lot_use, lot_use.c.entry_id.in_(entries)),
        (card_act, card_act.c.enrolment_id.in_(cards)),
        (pass_evidence, pass_evidence.c.pass_id.in_(all_passes)),
        (registration, registration.c.pass_id.in_(all_passes)),
        (device, device.c.id.in_(devices)),
        (push_budget, push_budget.c.device_id.in_(devices)),
        (google_object, google_object.c.id.in_(at_google)),
        (google_notification, google_notification.c.google_object_id.in_(at_google)),
        (delivery, of_delivery),
        (attempt, attempt.c.delivery_id.in_(select(delivery.c.id).where(of_delivery))),
        (text_message, of_text),
        (phone_code, of_code),
        (
            silenced_number,
            silenced_number.c.number.in_(numbers) & silenced_number.c.brand_id.in_(own_brand),
        ),
        (visit, of_visit),
        (visit_event, visit_event.c.visit_id.in_(all_visits)),
        (returning_visit, returning_visit.c.enrolment_id.in_(cards)),
        (install_link, install_link.c.id.in_(links)),
        (
            placement,
            placement.c.id.in_(select(install_link.c.placement_id).where(install_link.c.id.in_(links))),
        ),
        (venue, venue.c.id.in_(_venues(cards, links))),
        (audit_entry, audit_entry.c.subject.in_([f"member {one}" for one in ids])),
    )
    found = {table.name: _rows(tx, table, where) for table, where in wanted}
    found["till_call"] = _answers(tx, found["enrolment"])
    found["device_log"] = _lines(tx, found["wallet_pass"])
    return found


def _same_guest(tx: Tx, member_id: MemberId) -> list[MemberId]:
    if tx.scalar(select(member.c.id).where(member.c.id == member_id)) is None:
        raise NotFound("no-such-member", f"There is no member number {member_id}")
    found, wave = [member_id], [member_id]
    while wave:
        wave = list(tx.scalars(select(member.c.id).where(member.c.merged_into_id.in_(wave))))
        found += wave
    return found


def _venues(cards: Select[Any], links: Select[Any]) -> Select[Any]:
    return select(venue.c.id).where(
        or_(
            venue.c.id.in_(select(enrolment.c.venue_id).where(enrolment.c.id.in_(cards))),
            venue.c.id.in_(select(receipt.c.venue_id).where(receipt.c.enrolment_id.in_(cards))),
            venue.c.id.in_(select(install_link.c.venue_id).where(install_link.c.id.in_(links))),
        )
    )


def _rows(tx: Tx, table: Table, where: ColumnElement[bool]) -> list[dict[str, Any]]:
    secret = _SECRET.get(table.name, frozenset())
    columns = [column for column in table.columns if column.name not in secret]
    order = list(table.primary_key.columns)
    return [dict(row._mapping) for row in tx.execute(select(*columns).where(where).order_by(*order))]


def _answers(tx: Tx, cards: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What tills were told about the cards: kept for thirty days."""
    answer = cast(till_call.c.answer, Text)
    about = [answer.contains(card["card_code"], autoescape=True) for card in cards]
    return _rows(tx, till_call, or_(*about)) if about else []


def _lines(tx: Tx, passes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What phones wrote about the cards into their logs."""
    named = [device_log.c.line.contains(one["serial_number"], autoescape=True) for one in passes]
    return _rows(tx, device_log, or_(*named)) if named else []
