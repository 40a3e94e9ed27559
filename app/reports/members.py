"""Finding a guest at the counter: by name, by a number or its last four digits, by the card's code or serial.

A manager sees the members of their own venues: those who enrolled there, and those with a receipt there.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, exists, func, literal, or_, select, union

from app.db import Tx, among
from app.db.identifiers import BrandId, CardCode, EnrolmentId, MemberId, ProgrammeId, VenueId
from app.errors import BadInput
from app.loyalty import card_codes, search_keys
from app.loyalty.guest_tables import card_act, member_key
from app.loyalty.phone_numbers import checked_phone
from app.loyalty.tables import enrolment, member, programme, receipt
from app.passes.tables import tag_counter, wallet_pass

MOST_FOUND = 30
LONGEST_QUERY = 100
FEWEST_LETTERS = 2
_LAST = "\U0010ffff"
_card = enrolment.alias("seen_card")
Venues = Collection[VenueId] | None
"""Whose guests may be seen; None: everybody's."""
_FEW = 2000
_FEW_RECEIPTS = 30_000
"""Of a venue, read to know whose they are: some milliseconds."""


@dataclass(frozen=True, slots=True)
class _Sight:
    """What somebody sees who does not see all."""

    places: list[VenueId]
    members: list[int] | None  # who they are, where those are few


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundCard:
    """A card of a member, enough to tell it from others."""

    enrolment_id: EnrolmentId
    member_id: MemberId
    programme_id: ProgrammeId
    programme: str
    kind: str
    card_code: CardCode
    balance: int  # hundredths of a point
    stamps: int
    tier: str | None
    venue_id: VenueId  # where the guest enrolled
    enrolled_at: datetime
    ended_at: datetime | None
    blocked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundMember:
    """A member as a list shows them."""

    id: MemberId
    name: str | None
    phone: str | None  # E.164: mask it for who may not see it
    proved: bool  # the guest proved that the number is theirs
    created_at: datetime
    removed_at: datetime | None
    cards: tuple[FoundCard, ...]  # those that live first


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What was found."""

    members: tuple[FoundMember, ...]
    more: bool  # there are more than these: type more of the name


def search(
    tx: Tx, brand_id: BrandId, query: str, *, venues: Venues, region: str, any_end: bool = True
) -> Search:
    """The brand's members that ``query`` may mean; with nothing to look for, those who came last.

    ``region`` (ISO 3166-1 alpha-2) is where a number without its country code is from. Without ``any_end``
    the last four digits or the whole number are looked for: who may not see numbers would otherwise have
    one told digit by digit.
    """
    text, sight = query.strip()[:LONGEST_QUERY], _sight(venues)
    by_card = _of_card(tx, brand_id, text, sight)
    if by_card is not None:
        ids = [by_card]
    elif search_keys.looks_like_phone(text):
        sight = _narrowed(tx, brand_id, sight)
        e164 = _e164(text, region)
        ends = tuple(map(search_keys.reversed_digits, search_keys.phone_ends(text, e164=e164)))
        if any_end or (ends and len(ends[-1]) == len(search_keys.reversed_digits("0000"))):
            found = _by_keys(brand_id, [ends], sight)
        else:
            found = _by_number(brand_id, e164, sight)
        ids = _ids(tx, found)
    elif (words := search_keys.words(text)) and len(max(words, key=len)) >= FEWEST_LETTERS:
        # The longest word is likely the rarest: the others are asked for of those that have it.
        rarest_first = sorted(words, key=len, reverse=True)
        sight = _narrowed(tx, brand_id, sight)
        ids = _ids(tx, _by_keys(brand_id, [(word,) for word in rarest_first], sight))
    elif text:
        ids = []
    else:
        ids = _ids(tx, _newest(brand_id, sight))
    return Search(members=tuple(of_ids(tx, ids[:MOST_FOUND], venues=venues)), more=len(ids) > MOST_FOUND)


def may_see(tx: Tx, brand_id: BrandId, member_id: MemberId, venues: Venues) -> bool:
    """Whether the member is the brand's, and one of these venues'."""
    there = select(member.c.id).where(member.c.id == member_id, member.c.brand_id == brand_id)
    return tx.execute(_seen(there, member.c.id, _sight(venues))).first() is not None


def of_ids(tx: Tx, member_ids: Sequence[MemberId], *, venues: Venues) -> list[FoundMember]:
    """These members in this order, with those of their cards that belong to these venues."""
    people: Any = tx.execute(
        select(
            member.c.id,
            member.c.name,
            member.c.phone,
            member.c.phone_verified_at.is_not(None).label("proved"),
            member.c.created_at,
            member.c.removed_at,
        ).where(member.c.id.in_(member_ids))
    )
    known = {row.id: row for row in people}
    cards: dict[MemberId, list[FoundCard]] = {}
    reached = cards_of(tx, member_ids, venues)
    for card in _cards(tx, member_ids):
        if reached is not None and card.enrolment_id not in reached:
            continue
        cards.setdefault(card.member_id, []).append(card)
    return [
        FoundMember(**known[one]._mapping, cards=tuple(cards.get(one, ())))
        for one in member_ids
        if one in known
    ]


def cards_of(tx: Tx, member_ids: Sequence[MemberId], venues: Venues) -> frozenset[EnrolmentId] | None:
    """The members' cards from these venues or with a receipt of theirs; None: all. A card takes along what
    it was merged into.
    """
    if venues is None:
        return None
    places = sorted(venues)
    bought = exists().where(receipt.c.enrolment_id == enrolment.c.id, receipt.c.venue_id.in_(places))
    rows = tx.execute(
        select(enrolment.c.id, enrolment.c.merged_into_id)
        .where(enrolment.c.member_id.in_(member_ids), or_(enrolment.c.venue_id.in_(places), bought))
    )  # fmt: skip
    return frozenset(one for row in rows for one in row if one is not None)


def _cards(tx: Tx, member_ids: Sequence[MemberId]) -> list[FoundCard]:
    fields = set(FoundCard.__dataclass_fields__) - {"enrolment_id", "programme", "kind"}
    rows = tx.execute(
        select(
            enrolment.c.id.label("enrolment_id"),
            programme.c.name.label("programme"),
            programme.c.kind,
            *(enrolment.c[name] for name in sorted(fields)),
        )
        .join(programme, programme.c.id == enrolment.c.programme_id)
        .where(enrolment.c.member_id.in_(member_ids), enrolment.c.merged_into_id.is_(None))
        .order_by(enrolment.c.ended_at.is_not(None), enrolment.c.id)
    )
    return [FoundCard(**row._mapping) for row in rows]


def _of_card(tx: Tx, brand_id: BrandId, text: str, venues: _Sight | None) -> MemberId | None:
    """Whose card has this code or this serial number, also one that was issued anew since."""
    code = card_codes.understood(text)
    if code:
        former = select(card_act.c.enrolment_id).where(card_act.c.former_card_code == code)
        living = select(enrolment.c.id).where(enrolment.c.card_code == code)
    elif text.isascii() and text.isalnum() and len(text) >= 20:
        # Serial numbers are found within a pass type; those that ever had a card are few.
        types = select(tag_counter.c.pass_type_identifier)
        passes = select(wallet_pass.c.id).where(
            wallet_pass.c.pass_type_identifier.in_(types), wallet_pass.c.serial_number == text
        )
        former = select(card_act.c.enrolment_id).where(card_act.c.former_pass_id.in_(passes))
        living = select(enrolment.c.id).where(enrolment.c.pass_id.in_(passes))
    else:
        return None
    # One or the other, each by its index: for "or" PostgreSQL reads every card.
    named = enrolment.c.id.in_(union(living, former))
    found = select(enrolment.c.member_id).where(named, enrolment.c.brand_id == brand_id)
    member_id: MemberId | None = tx.scalar(_seen(found, enrolment.c.member_id, venues))
    return member_id


def _by_keys(brand_id: BrandId, wanted: Sequence[tuple[str, ...]], venues: _Sight | None) -> Select[Any]:
    """Members with a key that begins with one of each; read in the order of ``ix_member_key_search``."""
    first, *others = wanted
    found = select(member_key.c.member_id).where(or_(*(_begins(member_key.c.key, start) for start in first)))
    if venues is None or venues.members is None:
        found = found.where(member_key.c.brand_id == brand_id)  # else the members are, read by their own keys
    for starts in others:
        other = member_key.alias()
        found = found.where(
            exists().where(
                other.c.member_id == member_key.c.member_id,
                or_(*(_begins(other.c.key, start) for start in starts)),
            )
        )
    found = _seen(found, member_key.c.member_id, venues)
    return found.order_by(member_key.c.key, member_key.c.member_id)


def _by_number(brand_id: BrandId, e164: str | None, venues: _Sight | None) -> Select[Any]:
    """Members of exactly this number; nobody where it is none."""
    key = search_keys.keys(None, e164)
    found = select(member_key.c.member_id).where(
        member_key.c.brand_id == brand_id, member_key.c.key.in_(sorted(key))
    )
    return _seen(found, member_key.c.member_id, venues).order_by(member_key.c.member_id)


def _newest(brand_id: BrandId, venues: _Sight | None) -> Select[Any]:
    """Who came last; in some venues, who enrolled there last."""
    if venues is None:
        found = select(member.c.id).where(member.c.brand_id == brand_id, member.c.removed_at.is_(None))
        return found.order_by(member.c.id.desc())
    return (
        select(_card.c.member_id)
        .where(_card.c.venue_id.in_(venues.places), _card.c.brand_id == brand_id, _card.c.ended_at.is_(None))
        .order_by(_card.c.id.desc())
    )


def _sight(venues: Venues) -> _Sight | None:
    return None if venues is None else _Sight(sorted(venues), None)


def _narrowed(tx: Tx, brand_id: BrandId, sight: _Sight | None) -> _Sight | None:
    """The same, having looked up the few guests of a venue: no key of another guest is read then."""
    if sight is None:
        return None
    own, there = _card.c.brand_id == brand_id, _card.c.venue_id.in_(sight.places)
    enrolled = tx.scalars(select(_card.c.member_id).where(own, there).limit(_FEW + 1)).all()
    if len(enrolled) > _FEW:
        return sight
    rung = select(receipt.c.enrolment_id).where(receipt.c.venue_id.in_(sight.places))
    some = rung.limit(_FEW_RECEIPTS + 1).subquery()
    found = tx.execute(select(some.c.enrolment_id, func.count().label("times")).group_by(some.c.enrolment_id))
    times = {row.enrolment_id: row.times for row in found}
    if len(times) > _FEW or sum(times.values()) > _FEW_RECEIPTS:
        return sight
    bought = tx.scalars(select(_card.c.member_id).where(own, among(_card.c.id, sorted(times))))
    return _Sight(sight.places, sorted({*enrolled, *bought}))


def _seen(found: Select[Any], member_id: ColumnElement[Any], venues: _Sight | None) -> Select[Any]:
    """Only who enrolled in one of the venues, or has a receipt there."""
    if venues is None:
        return found
    if venues.members is not None:
        return found.where(among(member_id, venues.members))
    of_member, there = _card.c.member_id == member_id, _card.c.venue_id.in_(venues.places)
    bought = (
        exists()
        .select_from(_card.join(receipt, receipt.c.enrolment_id == _card.c.id))
        .where(of_member, receipt.c.venue_id.in_(venues.places))
    )
    return found.where(or_(exists().where(of_member, there), bought))


def _ids(tx: Tx, found: Select[Any]) -> list[MemberId]:
    """The first few, each once: several words of one name may begin alike."""
    limit = 2 * MOST_FOUND + 2
    while True:
        rows = tx.scalars(found.limit(limit)).all()
        ids = list(dict.fromkeys(rows))
        if len(ids) > MOST_FOUND or len(rows) < limit:
            return ids
        limit *= 2


def _begins(column: ColumnElement[str], start: str) -> ColumnElement[bool]:
    # Bound as plain text: a parameter brings no collation along, the column has its own.
    return column.between(literal(start, Text()), literal(start + _LAST, Text()))


def _e164(text: str, region: str) -> str | None:
    try:
        return checked_phone(text, region=region)
    except BadInput:
        return None
