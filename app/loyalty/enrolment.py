"""Enrolment: a guest becomes a member of a programme and gets a card, once per visit."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from app.accounts import brands
from app.db import Tx
from app.db.identifiers import EnrolmentId, MemberId, ProgrammeId, VenueId, VisitId, WalletPassId
from app.errors import BadInput, NotFound
from app.loyalty import content as cards
from app.loyalty import ledger, programmes, store_contacts, store_habits, store_numbers, wording
from app.loyalty import store_enrolments as store
from app.loyalty.card_codes import new_card_code, understood
from app.loyalty.rules import TieredRules, point_rules
from app.loyalty.store_enrolments import ConsentRow, Enrolment
from app.passes import issuing
from app.passes.content import Language, Message
from app.places import venues

__all__ = [
    "ConsentGiven",
    "Enrolment",
    "EnrolmentRequest",
    "enrol",
    "enrolment",
    "enrolment_of_card",
    "enrolment_of_pass",
    "enrolment_of_visit",
    "living",
    "refuse_without_consent",
]

LONGEST_NAME = 60
_UNPRINTABLE = frozenset({"Cc", "Cf", "Co", "Cs"})  # control, format, private use, half a pair
_MAY_JOIN = "\u200c\u200d"  # needed inside Persian words and family emoji
Purpose = Literal["data", "advertising"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentGiven:
    """What the guest was asked, in which words, and whether they agreed: evidence."""

    purpose: Purpose
    granted: bool
    text_version: str
    text: str
    language: Language
    source: str  # "install page", "import", …


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentRequest:
    """What a guest's form says; ``visit_id`` None for one that no visit led to."""

    programme_id: ProgrammeId
    venue_id: VenueId
    visit_id: VisitId | None
    name: str | None
    language: Language
    consents: Sequence[ConsentGiven]
    phone: str | None = None  # E.164, see phone_numbers; nobody proved yet that it is the guest's


def enrol(
    tx: Tx, request: EnrolmentRequest, *, now: datetime, member_id: MemberId | None = None
) -> Enrolment:
    """Make the member, their consents, card, welcome points; the same visit again gives the same enrolment.

    Where the guest is known, by a number that was proved, the card is made for ``member_id``. Raises
    :class:`BadInput` for a bad name or where consent to the processing of data is missing (nobody can be a
    member without it), :class:`NotFound` for an unknown programme or venue, :class:`Conflict` where the
    programme has no published design. Nothing was changed then.
    """
    if request.visit_id and (earlier := enrolment_of_visit(tx, request.visit_id)):
        return earlier
    name = checked_name(request.name)
    refuse_without_consent(request)
    programme = programmes.programme(tx, request.programme_id)
    if venues.venue(tx, request.venue_id).brand_id != programme.brand_id:
        raise NotFound("no-such-venue", "The venue is not one of the programme's brand")
    # Two forms of one visit may both have got this far: who comes second lays everything down again.
    savepoint = tx.begin_nested()
    made = _make(tx, request, name, programme, member_id, now)
    if made is None and request.visit_id:
        savepoint.rollback()
        if earlier := enrolment_of_visit(tx, request.visit_id):
            return earlier
    if made is None:
        raise RuntimeError("an enrolment without a visit met another one")
    savepoint.commit()
    return enrolment(tx, made)


def enrolment(tx: Tx, enrolment_id: EnrolmentId) -> Enrolment:
    """By number; raises NotFound."""
    return _found(store.enrolment(tx, enrolment_id))


def enrolment_of_visit(tx: Tx, visit_id: VisitId) -> Enrolment | None:
    """What a visit led to: a new card, or the one that the guest had; None where its form was not sent."""
    found = store.enrolment_of_visit(tx, visit_id) or store_numbers.enrolment_of_returning(tx, visit_id)
    return living(tx, found) if found else None


def enrolment_of_pass(tx: Tx, pass_id: WalletPassId) -> Enrolment:
    """By its card; raises NotFound."""
    return _found(store.enrolment_of_pass(tx, pass_id))


def enrolment_of_card(tx: Tx, card_code: str) -> Enrolment:
    """By the barcode's code, written in any way a person may; raises NotFound."""
    code = understood(card_code)
    return _found(store.enrolment_of_card(tx, code) if code else None)


def living(tx: Tx, known: Enrolment) -> Enrolment:
    """The card itself, or the one that it was merged into."""
    while known.merged_into_id is not None:
        known = enrolment(tx, known.merged_into_id)
    return known


def refuse_without_consent(request: EnrolmentRequest) -> None:
    """Raise :class:`BadInput` where the guest does not let us process their data."""
    if not any(given.purpose == "data" and given.granted for given in request.consents):
        raise BadInput(
            "consent-needed",
            "Without your consent to the processing of your data we cannot make a card. / "
            "Без согласия на обработку данных карту выпустить нельзя.",
            field="consent_data",
        )


def checked_name(name: str | None) -> str | None:
    """A guest's name: composed (NFC), trimmed, single spaces; None for nothing. Raises BadInput."""
    composed = unicodedata.normalize("NFC", name or "")
    # Control characters, and format characters such as the bidirectional overrides, could forge what a
    # cashier reads. What Unicode had not assigned when this Python was built is this year's emoji.
    if any(unicodedata.category(c) in _UNPRINTABLE and c not in _MAY_JOIN for c in composed.strip()):
        raise BadInput("bad-name", "The name holds a control character: take it out.", field="name")
    trimmed = " ".join(composed.split())
    if len(trimmed) > LONGEST_NAME:
        raise BadInput("name-too-long", f"The name may have {LONGEST_NAME} characters.", field="name")
    return trimmed or None


def _make(
    tx: Tx,
    request: EnrolmentRequest,
    name: str | None,
    programme: programmes.Programme,
    known: MemberId | None,
    now: datetime,
) -> EnrolmentId | None:
    """Write everything; None where the visit has enrolled meanwhile."""
    member_id = known or store.insert_member(
        tx, brand_id=programme.brand_id, name=name, language=request.language, now=now
    )
    if known:
        row = store.member(tx, known)
        name = row.name if row and row.name else name
    elif request.phone:
        store_contacts.set_phone(tx, member_id, request.phone)
    add_consents(tx, member_id, request, now=now)
    points = point_rules(programme.rules)
    welcome = points.welcome if points else 0
    tier = programme.rules.tiers[0].key if isinstance(programme.rules, TieredRules) else None
    card_code = new_card_code()
    content = cards.new_content(
        language=request.language,
        card_code=card_code,
        member_name=name,
        balance=welcome,
        tier=cards.tier_name(programme.rules, tier),
        venues=venues.open_venues(tx, programme.brand_id),
        home=request.venue_id,
    )
    if text := wording.message(wording.News(welcome=True, points=welcome, balance=welcome)):
        content = replace(content, messages=(Message(text, now, f"welcome:{card_code}"),))
    wallet_pass = issuing.issue(
        tx,
        pass_type_identifier=brands.brand(tx, programme.brand_id).pass_type_identifier,
        programme_id=programme.id,
        content=content,
        now=now,
    )
    enrolment_id = store.insert_enrolment(
        tx,
        member_id=member_id,
        programme_id=programme.id,
        brand_id=programme.brand_id,
        venue_id=request.venue_id,
        pass_id=wallet_pass.id,
        visit_id=request.visit_id,
        card_code=card_code,
        tier=tier,
        now=now,
    )
    if enrolment_id is not None and welcome and points:
        ledger.accrue(
            tx,
            enrolment_id,
            welcome,
            expires_at=ledger.expiry(points, now),
            venue_id=request.venue_id,
            now=now,
        )
    return enrolment_id


def add_consents(tx: Tx, member_id: MemberId, request: EnrolmentRequest, *, now: datetime) -> None:
    """Note what the form says, word for word."""
    store.insert_consents(tx, member_id, [_evidence(given, now) for given in request.consents])
    store_habits.insert_changes(tx, [member_id])


def _evidence(given: ConsentGiven, now: datetime) -> ConsentRow:
    return ConsentRow(
        purpose=given.purpose,
        granted=given.granted,
        text_version=given.text_version,
        text=given.text,
        language=given.language,
        source=given.source,
        at=now,
    )


def _found(enrolment: Enrolment | None) -> Enrolment:
    if enrolment is None:
        raise NotFound("no-such-card", "There is no such card.")
    return enrolment
