"""A number that its guest has just proved by a code: it names one member of the brand, and their cards.

A second phone of the guest is another device with the same card, never another card. Call these in the
transaction in which :func:`app.loyalty.codes.check` said that the code was right.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from app.accounts import audit
from app.db import Tx
from app.db.identifiers import BrandId, EnrolmentId, MemberId
from app.errors import BadInput, NotFound, Unavailable
from app.loyalty import enrolment as enrolments
from app.loyalty import habits, merging, programmes, store_consents, store_contacts, store_enrolments
from app.loyalty import store_numbers as store
from app.loyalty.enrolment import Enrolment, EnrolmentRequest

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")  # ITU-T E.164: at most 15 digits
_ROUNDS = 3
"""Others may prove the same number, or end one of the cards, between a look and the lock."""


def prove(
    tx: Tx, enrolment_id: EnrolmentId, number: str, *, now: datetime, actor: str = "service"
) -> Enrolment:
    """Note that the number (E.164) is the guest's; returns the card that lives on.

    Where another member of the brand has proved it, the two are one guest: their cards are merged, the older
    of a programme lives on. Raises :class:`NotFound` for a card that is not there or has ended,
    :class:`BadInput` for what is no number.
    """
    _refuse_no_number(number)
    for _ in range(_ROUNDS):
        card = enrolments.living(tx, enrolments.enrolment(tx, enrolment_id))
        if card.ended_at is not None:
            raise NotFound("no-such-card", "There is no such card, or it has ended.")
        holder = store.holder(tx, card.brand_id, number)
        if holder == card.member_id:
            return card
        if holder is not None:
            living, ending = _older_first(tx, card, holder)
            if merging.unite(tx, living=living, ending=ending, number=number, now=now, actor=actor):
                return enrolments.living(tx, enrolments.enrolment(tx, card.id))
        elif store.set_proved(tx, card.member_id, number, now=now):
            habits.changed(tx, card.brand_id, card.member_id)
            _record(tx, card.brand_id, card.member_id, actor, now)
            return card
    raise Unavailable("this number is being proved by somebody else at this moment: try again")


def enrol_proved(tx: Tx, request: EnrolmentRequest, *, now: datetime) -> Enrolment:
    """The guest's card, whose number ``request.phone`` they have just proved.

    A member of the brand gets the card of the programme that they have: the visit leads to it from now on,
    and what the form newly agrees to is added (an empty box takes nothing back). A member without one, and
    a newcomer, are enrolled as by :func:`app.loyalty.enrolment.enrol`, which says what is raised.
    """
    number = request.phone or ""
    _refuse_no_number(number)
    if request.visit_id and (earlier := enrolments.enrolment_of_visit(tx, request.visit_id)):
        if store_contacts.contact(tx, earlier.member_id).phone == number:
            return earlier
        request = replace(request, visit_id=None)  # the next guest, on the phone of the one before
    enrolments.checked_name(request.name)
    enrolments.refuse_without_consent(request)
    brand_id = programmes.programme(tx, request.programme_id).brand_id
    for _ in range(_ROUNDS):
        holder = store.holder(tx, brand_id, number)
        if holder is None:
            made = _newcomer(tx, request, brand_id, number, now)
        else:
            made = _returning(tx, request, holder, number, now)
        if made is not None:
            return made
    raise Unavailable("this number is being proved by somebody else at this moment: try again")


def _newcomer(
    tx: Tx, request: EnrolmentRequest, brand_id: BrandId, number: str, now: datetime
) -> Enrolment | None:
    """A new member with a card; None where somebody else has proved the number meanwhile."""
    # The number comes before the pass: who waits for it must not hold the tag counter.
    savepoint = tx.begin_nested()
    member_id = store_enrolments.insert_member(
        tx,
        brand_id=brand_id,
        name=enrolments.checked_name(request.name),
        language=request.language,
        now=now,
    )
    if not store.set_proved(tx, member_id, number, now=now):
        savepoint.rollback()
        return None
    made = enrolments.enrol(tx, request, now=now, member_id=member_id)
    if made.member_id != member_id:  # the same visit has enrolled meanwhile
        savepoint.rollback()
        return made
    _record(tx, brand_id, member_id, "guest", now)
    savepoint.commit()
    return made


def _returning(
    tx: Tx, request: EnrolmentRequest, member_id: MemberId, number: str, now: datetime
) -> Enrolment | None:
    """A member's card of the programme, there before or new; None where the number is theirs no more."""
    store_consents.lock_member(tx, member_id)  # two phones of one guest come one after another
    programme = programmes.programme(tx, request.programme_id)
    if store.holder(tx, programme.brand_id, number) != member_id:
        return None
    agreed = replace(request, consents=[given for given in request.consents if given.granted])
    card = store.card_of(tx, member_id, request.programme_id)
    if card is None:
        return enrolments.enrol(tx, agreed, now=now, member_id=member_id)
    if request.visit_id:
        store.add_returning(tx, request.visit_id, card.id, now=now)
    enrolments.add_consents(tx, member_id, agreed, now=now)
    return card


def _older_first(tx: Tx, card: Enrolment, holder: MemberId) -> tuple[MemberId, MemberId]:
    """Who lives on: the member of the older card of the programme, or else who proved the number first."""
    other = store.card_of(tx, holder, card.programme_id)
    if other is not None and (card.enrolled_at, card.id) < (other.enrolled_at, other.id):
        return card.member_id, holder
    return holder, card.member_id


def _record(tx: Tx, brand_id: BrandId, member_id: MemberId, actor: str, now: datetime) -> None:
    audit.record(
        tx,
        at=now,
        actor=actor,
        brand_id=brand_id,
        action="number.proved",
        subject=f"member {member_id}",
        detail={},
    )


def _refuse_no_number(number: str) -> None:
    if not _E164.fullmatch(number):
        raise BadInput(
            "bad-phone", "This is no mobile number: write it with its country code.", field="phone"
        )
