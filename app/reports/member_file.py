"""All of a person's data, for the person: every row that is theirs, by the name of its table.

Left out is what would let others in (push tokens, digests of codes), and a code's way to the guest's address.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Table, Text, cast, or_, select, union

from app.accounts.tables import audit_entry, brand
from app.db import Tx, among
from app.db.identifiers import MemberId
from app.delivery import store_google_quota
from app.delivery.google_tables import google_notification
from app.delivery.tables import attempt, delivery, push_budget, text_message
from app.errors import NotFound
from app.loyalty.guest_tables import card_act, member_key, returning_visit, silenced_number
from app.loyalty.offer_tables import offer, offer_grant, offer_redemption
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
from app.passes.google_tables import google_broadcast, google_object
from app.passes.tables import device, device_log, pass_evidence, registration, wallet_pass
from app.places.tables import install_link, placement, venue, visit, visit_event

Row = Mapping[str, Any]
"""By column; moments are aware, points hundredths, money minor units."""
MemberFile = Mapping[str, Sequence[Row]]
"""Rows by table."""

AT_ONCE = 500
"""Rows that are in memory at a time."""
_SECRET: Final[Mapping[str, frozenset[str]]] = {
    "device": frozenset({"push_token"}),
    "phone_code": frozenset({"digest", "address_range"}),
    "wallet_pass": frozenset({"key_version", "tag"}),
    "delivery": frozenset({"owner", "lease_until"}),
}


def member_file(tx: Tx, member_id: MemberId) -> MemberFile:
    """Of this member and of those that were found to be the same guest; raises NotFound."""
    return {table: list(rows) for table, rows in tables_of_member(tx, member_id)}


def tables_of_member(tx: Tx, member_id: MemberId) -> Iterator[tuple[str, Iterator[Row]]]:
    """The same table by table, each read some rows at a time, so that a long past is never in memory.

    Its identifiers are, of cards, phones, visits, codes, texts and pushes: a number each. A table's rows are
    to be read before the next table is asked for. Raises NotFound, at the first.
    """
    # What is few is read first: for "of these or of those" in one statement PostgreSQL reads whole tables.
    ids = _same_guest(tx, member_id)
    cards = _all(tx, select(enrolment.c.id).where(enrolment.c.member_id.in_(ids)))
    by_card = card_act.c.enrolment_id.in_(cards)
    passes = _all(
        tx,
        select(enrolment.c.pass_id).where(enrolment.c.id.in_(cards)),
        select(card_act.c.former_pass_id).where(by_card, card_act.c.former_pass_id.is_not(None)),
    )
    devices = _all(tx, select(registration.c.device_id).where(registration.c.pass_id.in_(passes)))
    visits = _all(
        tx,
        select(enrolment.c.visit_id).where(enrolment.c.id.in_(cards)),
        select(returning_visit.c.visit_id).where(returning_visit.c.enrolment_id.in_(cards)),
    )
    links = _all(tx, select(visit.c.install_link_id).where(visit.c.id.in_(visits)))
    own_brand = _all(tx, select(member.c.brand_id).where(member.c.id.in_(ids)))
    # A number that nobody proved is anybody's: what was sent to it says nothing of this guest.
    proved = member.c.phone_verified_at.is_not(None)
    numbers = _all(tx, select(member.c.phone).where(member.c.id.in_(ids), proved))
    coded = select(phone_code.c.id).where(phone_code.c.brand_id.in_(own_brand))
    codes = _all(
        tx,
        coded.where(phone_code.c.visit_id.in_(visits)),
        coded.where(phone_code.c.enrolment_id.in_(cards)),
        coded.where(phone_code.c.number.in_(numbers)),
    )
    sent = select(text_message.c.delivery_id)
    texts = _all(
        tx,
        sent.where(text_message.c.member_id.in_(ids)),
        sent.where(
            text_message.c.delivery_id.in_(select(phone_code.c.delivery_id).where(phone_code.c.id.in_(codes)))
        ),
        sent.where(
            text_message.c.number.in_(numbers),
            text_message.c.member_id.is_(None),
            text_message.c.brand_id.in_(own_brand),
        ),
    )
    at_google = _all(tx, select(google_object.c.id).where(google_object.c.pass_id.in_(passes)))
    pushes = _all(
        tx,
        select(delivery.c.id).where(delivery.c.device_id.in_(devices)),
        select(delivery.c.id).where(delivery.c.google_object_id.in_(at_google)),
    )
    deliveries = sorted({*pushes, *texts})
    entries = select(ledger_entry.c.id).where(ledger_entry.c.enrolment_id.in_(cards))
    wanted: tuple[tuple[Table, ColumnElement[bool]], ...] = (
        (brand, brand.c.id.in_(own_brand)),
        (member, member.c.id.in_(ids)),
        (member_key, member_key.c.member_id.in_(ids)),
        (consent, consent.c.member_id.in_(ids)),
        (programme, programme.c.id.in_(select(enrolment.c.programme_id).where(enrolment.c.id.in_(cards)))),
        (enrolment, enrolment.c.id.in_(cards)),
        (wallet_pass, wallet_pass.c.id.in_(passes)),
        (receipt, receipt.c.enrolment_id.in_(cards)),
        (ledger_entry, ledger_entry.c.enrolment_id.in_(cards)),
        (lot, lot.c.entry_id.in_(entries)),  # each is of an entry; by the card only open ones are indexed
        (lot_use, lot_use.c.entry_id.in_(entries)),
        (card_act, by_card),
        (offer, offer.c.id.in_(select(offer_grant.c.offer_id).where(offer_grant.c.enrolment_id.in_(cards)))),
        (offer_grant, offer_grant.c.enrolment_id.in_(cards)),
        (
            offer_redemption,
            offer_redemption.c.grant_id.in_(
                select(offer_grant.c.id).where(offer_grant.c.enrolment_id.in_(cards))
            ),
        ),
        (pass_evidence, pass_evidence.c.pass_id.in_(passes)),
        (registration, registration.c.pass_id.in_(passes)),
        (device, device.c.id.in_(devices)),
        (push_budget, push_budget.c.device_id.in_(devices)),
        (google_object, google_object.c.id.in_(at_google)),
        (google_broadcast, google_broadcast.c.id.in_(_said_to_all(at_google))),
        (delivery, among(delivery.c.id, deliveries)),
        (attempt, among(attempt.c.delivery_id, deliveries)),
        (text_message, among(text_message.c.delivery_id, texts)),
        (phone_code, among(phone_code.c.id, codes)),
        (
            silenced_number,
            silenced_number.c.number.in_(numbers) & silenced_number.c.brand_id.in_(own_brand),
        ),
        (visit, visit.c.id.in_(visits)),
        (visit_event, visit_event.c.visit_id.in_(visits)),
        (returning_visit, returning_visit.c.enrolment_id.in_(cards)),
        (install_link, install_link.c.id.in_(links)),
        (
            placement,
            placement.c.id.in_(select(install_link.c.placement_id).where(install_link.c.id.in_(links))),
        ),
        (venue, venue.c.id.in_(_venues(tx, cards, links))),
        (audit_entry, audit_entry.c.subject.in_([f"member {one}" for one in ids])),
    )
    for table, where in wanted:
        yield table.name, _rows(tx, table, where)
    yield google_notification.name, _notifications(tx, at_google)
    yield till_call.name, _answers(tx, cards)
    yield device_log.name, _lines(tx, passes)


def _same_guest(tx: Tx, member_id: MemberId) -> list[MemberId]:
    if tx.scalar(select(member.c.id).where(member.c.id == member_id)) is None:
        raise NotFound("no-such-member", f"There is no member number {member_id}")
    found, wave = [member_id], [member_id]
    while wave:
        wave = list(tx.scalars(select(member.c.id).where(member.c.merged_into_id.in_(wave))))
        found += wave
    return found


def _all(tx: Tx, *found: Select[Any]) -> list[Any]:
    """What any of the statements finds, each once and in order."""
    return sorted({value for each in found for value in tx.scalars(each) if value is not None})


def _venues(tx: Tx, cards: list[Any], links: list[Any]) -> list[Any]:
    return _all(
        tx,
        select(enrolment.c.venue_id).where(enrolment.c.id.in_(cards)),
        select(receipt.c.venue_id).where(receipt.c.enrolment_id.in_(cards)).distinct(),
        select(install_link.c.venue_id).where(install_link.c.id.in_(links)),
    )


def _rows(tx: Tx, table: Table, where: ColumnElement[bool]) -> Iterator[Row]:
    secret = _SECRET.get(table.name, frozenset())
    columns = [column for column in table.columns if column.name not in secret]
    found = select(*columns).where(where).order_by(*table.primary_key.columns)
    for row in tx.execute(found, execution_options={"yield_per": AT_ONCE}):
        yield dict(row._mapping)


def _said_to_all(at_google: list[Any]) -> Select[Any]:
    """Messages to whole classes that were counted for these cards."""
    return (
        select(delivery.c.google_broadcast_id)
        .join(google_notification, google_notification.c.delivery_id == delivery.c.id)
        .where(
            google_notification.c.google_object_id.in_(at_google),
            delivery.c.google_broadcast_id.is_not(None),
        )
    )


def _notifications(tx: Tx, at_google: list[Any]) -> Iterator[Row]:
    """What Google was asked to notify of. Of a message to all it is written once what came of it."""
    ledger = google_notification.c
    asked = (
        select(*ledger, delivery.c.kind, delivery.c.state, delivery.c.reason, delivery.c.settled_at)
        .join(delivery, delivery.c.id == ledger.delivery_id)
        .where(ledger.google_object_id.in_(at_google))
        .order_by(ledger.delivery_id, ledger.google_object_id)
    )
    for row in tx.execute(asked, execution_options={"yield_per": AT_ONCE}):
        outcome = store_google_quota.fate_of_broadcast(row) if row.kind == "broadcast" else row.outcome
        yield {column.name: row._mapping[column] for column in ledger} | {"outcome": outcome}


def _answers(tx: Tx, cards: list[Any]) -> Iterator[Row]:
    """What tills were told about the cards: kept for thirty days.

    An answer names its card in its text alone: those of the moments at which something happened to the cards
    are looked at, by their index.
    """
    own = receipt.c.enrolment_id.in_(cards)
    moments = union(
        select(receipt.c.recorded_at).where(own),
        select(receipt.c.refunded_at).where(own, receipt.c.refunded_at.is_not(None)),
        select(ledger_entry.c.at).where(ledger_entry.c.enrolment_id.in_(cards)),
    ).subquery()
    codes = union(
        select(enrolment.c.card_code).where(enrolment.c.id.in_(cards)),
        select(card_act.c.former_card_code).where(
            card_act.c.enrolment_id.in_(cards), card_act.c.former_card_code.is_not(None)
        ),
    )
    answer = cast(till_call.c.answer, Text)
    about = [answer.contains(code, autoescape=True) for code in tx.scalars(codes)]
    if about:
        yield from _rows(tx, till_call, till_call.c.at.in_(select(moments.c[0])) & or_(*about))


def _lines(tx: Tx, passes: list[Any]) -> Iterator[Row]:
    """What phones wrote about the cards into their logs, which are short."""
    serials = tx.scalars(select(wallet_pass.c.serial_number).where(wallet_pass.c.id.in_(passes)))
    named = [device_log.c.line.contains(serial, autoescape=True) for serial in serials]
    if named:
        yield from _rows(tx, device_log, or_(*named))
