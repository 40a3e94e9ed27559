"""Members: who they were, what happened to them, and how they are forgotten."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from app.accounts import audit
from app.db import Tx
from app.db.identifiers import BrandId, EnrolmentId, MemberId
from app.delivery import history, store_forgetting
from app.delivery.history import LastPush
from app.errors import BadInput, NotFound
from app.loyalty import (
    habits,
    store_card_acts,
    store_consents,
    store_contacts,
    store_grants,
    store_ledger,
    store_traces,
    store_ways,
)
from app.loyalty import store_enrolments as store
from app.loyalty.store_enrolments import ConsentRow, Enrolment
from app.loyalty.store_ledger import Entry, Receipt
from app.passes import evidence, holders, issuing
from app.passes.evidence import PassEvidence
from app.passes.holders import Holder
from app.places import visits

_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)  # of each month, in the year that has most


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """A device that holds one of the cards, and what became of the last push to it."""

    holder: Holder
    last_push: LastPush | None  # None where none was promised lately


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Everything that is known of a member, each list oldest first."""

    id: MemberId
    brand_id: BrandId
    name: str | None
    language: str
    phone: str | None  # E.164, as the guest wrote it
    birthday: str | None  # "MM-DD"
    created_at: datetime
    removed_at: datetime | None
    enrolments: list[Enrolment]
    consents: list[ConsentRow]
    receipts: list[Receipt]
    entries: list[Entry]
    proofs: list[PassEvidence]  # by card, what phones proved; a card that no phone asked for is left out
    phones: list[Phone]


def show(tx: Tx, member_id: MemberId) -> Timeline:
    """The member with all that happened; raises NotFound."""
    row = _member(tx, member_id)
    contact = store_contacts.contact(tx, member_id)
    enrolments = store.enrolments_of_member(tx, member_id)
    ids = [one.id for one in enrolments]
    pass_ids = [one.pass_id for one in enrolments]
    proofs = evidence.of_passes(tx, pass_ids)
    holding = holders.of_passes(tx, pass_ids)
    pushes = history.last_pushes(tx, [one.device_id for one in holding])
    return Timeline(
        id=row.id,
        brand_id=row.brand_id,
        name=row.name,
        language=row.language,
        phone=contact.phone,
        birthday=contact.birthday,
        created_at=row.created_at,
        removed_at=row.removed_at,
        enrolments=enrolments,
        consents=store.consents(tx, member_id),
        receipts=store_ledger.receipts(tx, ids),
        entries=store_ledger.entries(tx, ids),
        proofs=[proofs[key] for key in pass_ids if key in proofs],
        phones=[Phone(holder=one, last_push=pushes.get(one.device_id)) for one in holding],
    )


def revoke_card_link(tx: Tx, enrolment_id: EnrolmentId, *, now: datetime, actor: str) -> Enrolment:
    """Let every address of the card's page and of its download lead nowhere; the card itself lives on.

    For a guest whose link went astray: whoever has it could put the card into another phone. Raises NotFound
    for an enrolment that is not there or has ended.
    """
    known = store.lock(tx, enrolment_id)
    if known is None or known.ended_at is not None:
        raise NotFound("no-such-card", "There is no such card, or its member was forgotten.")
    store.raise_card_link_version(tx, enrolment_id)
    audit.record(
        tx,
        at=now,
        actor=actor,
        brand_id=known.brand_id,
        action="card.link-revoked",
        subject=f"member {known.member_id}",
        detail={"card_link_version": known.card_link_version + 1},
    )
    return replace(known, card_link_version=known.card_link_version + 1)


def phone(tx: Tx, member_id: MemberId) -> str | None:
    """The number (E.164) that the guest gave, proved or not."""
    return store_contacts.contact(tx, member_id).phone


def proved_phone(tx: Tx, member_id: MemberId) -> str | None:
    """The number (E.164), where the guest proved that it is theirs."""
    contact = store_contacts.contact(tx, member_id)
    return contact.phone if contact.phone_verified_at else None


def birthday(tx: Tx, member_id: MemberId) -> str | None:
    """The month and day that the guest named ("MM-DD"), or None."""
    return store_contacts.contact(tx, member_id).birthday


def set_birthday(tx: Tx, member_id: MemberId, *, month: int, day: int) -> None:
    """Keep the month and day, in place of an earlier one.

    Raises BadInput for a day that no year has, NotFound where the member is unknown or was forgotten.
    """
    if not (1 <= month <= 12 and 1 <= day <= _DAYS[month - 1]):
        raise BadInput("bad-birthday", f"No year has the day {day} of month {month}.", field="day")
    if not store_contacts.set_birthday(tx, member_id, f"{month:02d}-{day:02d}"):
        raise NotFound("no-such-member", f"There is no member number {member_id}, or not any more")


def remove(tx: Tx, member_id: MemberId, *, now: datetime, actor: str = "service") -> None:
    """Forget a member: name, number, birthday and the way to the card go; it is voided, no till can use it.

    So do what they are found by, the texts and codes sent to them, what people wrote about their card, and
    what tills were answered about it. The ledger and the consents stay: they are the brand's books and its
    evidence, and name nobody now.
    A member who was merged is the one who lives on. Doing it twice changes nothing. Raises NotFound.
    """
    row = store_consents.lock_member(tx, member_id) or _member(tx, member_id)
    every = store.enrolments_of_member(tx, member_id)
    for known in every:
        if known.ended_at is None:  # tills wait; the others are never locked
            store.lock(tx, known.id)
    if row.merged_into_id is not None:
        remove(tx, row.merged_into_id, now=now, actor=actor)
    if row.removed_at is not None:
        return
    every = store.enrolments_of_member(tx, member_id)
    cards = [one for one in every if one.ended_at is None]
    for known in cards:
        store.end(tx, known.id, now=now)
    # A number that was not proved may be somebody else's: theirs is not taken away with this guest.
    number, ids = proved_phone(tx, member_id), [one.id for one in every]
    merged = store_contacts.merged_into(tx, member_id)
    carriers = store_traces.forget_codes(tx, row.brand_id, number, ids, now=now)
    store_forgetting.forget_texts(tx, row.brand_id, [member_id, *merged], number, carriers, now=now)
    store_traces.forget_answers(tx, ids)
    store_card_acts.forget_reasons(tx, ids)
    store_grants.end_of_cards(tx, ids, now=now)
    if number is not None:
        store_consents.forget_silence(tx, row.brand_id, number)
        habits.number_heard(tx, row.brand_id, number)
    store_contacts.forget(tx, member_id)
    habits.forget(tx, row.brand_id, member_id)
    store.blank_member(tx, member_id, now=now)
    audit.record(
        tx,
        at=now,
        actor=actor,
        brand_id=row.brand_id,
        action="member.removed",
        subject=f"member {member_id}",
        detail={},
    )
    # Last, since whoever changes a card of this type waits for it.
    issuing.tombstone(tx, *(known.pass_id for known in cards), now=now)
    # After the passes: a phone that registers one holds its pass when it writes a step of its visit.
    for visit_id in store_ways.visits_to_cards(tx, ids):
        visits.erase(tx, visit_id, now=now)


def _member(tx: Tx, member_id: MemberId) -> store.MemberRow:
    if row := store.member(tx, member_id):
        return row
    raise NotFound("no-such-member", f"There is no member number {member_id}")
