"""SQL of how guests can be reached: sets of members, each a SELECT of their ids, to be asked ``IN``.

A span of members bounds every set, so that a walk pays for its own step and a count for one brand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal_column, or_, select, union_all

from app.campaigns.audience import Wallet
from app.db import Tx, among
from app.db.identifiers import MemberId, ProgrammeId, WalletPassId
from app.loyalty.tables import consent, enrolment, member
from app.passes.google_tables import google_object
from app.passes.tables import device, pass_evidence, registration
from app.places.tables import visit_event


@dataclass(frozen=True, slots=True)
class Span:
    """Members of a brand with ids above ``after`` and up to ``upto``."""

    dialect: str
    brand_id: int
    after: int
    upto: int
    one: str = ""  # the column of the statement around that says which one of them is asked about; "": all

    def about(self, column: str) -> Self:
        """Of each member in turn: SQLite looks one up where it would else put all of a set together first."""
        return replace(self, one=column) if self.dialect == "sqlite" else self

    def has(self, found: Select[Any], one: ColumnElement[int]) -> ColumnElement[bool]:
        """``one`` is among ``found``, a set of this span that shares no table with the statement around."""
        own = select(found.subquery().c[0])
        return own.exists() if self.one else one.in_(own)

    def members(self, column: ColumnElement[Any] = member.c.id) -> Select[Any]:
        """All of them, those who are gone too."""
        return self.bounded(select(column), member.c.brand_id, member.c.id)

    def bounded(
        self, found: Select[Any], brand_id: ColumnElement[int], member_id: ColumnElement[int]
    ) -> Select[Any]:
        """Those of ``found`` whose columns say that they are of the span."""
        if self.one:  # who is asked about is of it
            return found.where(member_id == literal_column(self.one, member.c.id.type))
        return found.where(brand_id == self.brand_id, member_id > self.after, member_id <= self.upto)

    def outside(self, ids: Select[Any], one: ColumnElement[int]) -> ColumnElement[bool]:
        """``one`` is none of ``ids``: PostgreSQL makes a join of NOT EXISTS, and never of NOT IN."""
        if self.dialect == "sqlite":
            return one.not_in(ids)
        found = ids.subquery()
        return ~exists().where(found.c[0] == one)


@dataclass(frozen=True, slots=True)
class Card:
    """A living card of a member, and where it is."""

    member_id: MemberId
    programme_id: ProgrammeId
    pass_id: WalletPassId
    apple: bool
    google: bool


def _with_cards(span: Span) -> Select[Any]:
    """Once for each card that they ever had."""
    return span.bounded(select(enrolment.c.member_id), enrolment.c.brand_id, enrolment.c.member_id)


def with_phone(span: Span) -> Select[Any]:
    """A living registration: on a phone that pushes reach, or of an Android pass app."""
    return (
        _with_cards(span)
        .join(registration, registration.c.pass_id == enrolment.c.pass_id)
        .join(device, device.c.id == registration.c.device_id)
        .where(enrolment.c.ended_at.is_(None), device.c.unreachable_since.is_(None))
    )


def with_google(span: Span) -> Select[Any]:
    """A Google object that somebody holds."""
    return (
        _with_cards(span)
        .join(google_object, google_object.c.pass_id == enrolment.c.pass_id)
        .where(
            enrolment.c.ended_at.is_(None),
            google_object.c.has_users.is_(True),
            google_object.c.removed_at.is_(None),
        )
    )


def in_state(span: Span, states: Sequence[Wallet], *, silent_days: int, now: datetime) -> Select[Any]:
    """In one of these states: added, removed and none are everybody together, silent is a part of added."""
    makers = {"added": _added, "removed": _removed, "none": _none}
    sets = [makers[state](span) for state in states if state != "silent"]
    if "silent" in states and "added" not in states:
        sets.append(_silent(span, now - timedelta(days=silent_days)))
    found = union_all(*sets).subquery()
    return select(found.c[0])


def _added(span: Span) -> Select[Any]:
    found = union_all(with_phone(span), with_google(span)).subquery()
    return select(found.c[0])


def _silent(span: Span, since: datetime) -> Select[Any]:
    """What Google's holders do is not known: they are never silent."""
    heard = with_phone(span).where(func.coalesce(device.c.contacted_at, device.c.registered_at) >= since)
    one = enrolment.c.member_id
    return with_phone(span).where(
        span.outside(_named(heard), one), span.outside(_named(with_google(span)), one)
    )


def _had(span: Span) -> Select[Any]:
    """A card of theirs was in a wallet once; a phone that asked about it had registered for it."""
    cards = _with_cards(span)
    found = union_all(
        cards.join(registration, registration.c.pass_id == enrolment.c.pass_id),
        cards.join(pass_evidence, pass_evidence.c.pass_id == enrolment.c.pass_id).where(
            or_(pass_evidence.c.listed_at.is_not(None), pass_evidence.c.installed_at.is_not(None))
        ),
        cards.join(google_object, google_object.c.pass_id == enrolment.c.pass_id).where(
            google_object.c.first_saved_at.is_not(None)
        ),
        cards.join(
            visit_event,
            and_(visit_event.c.visit_id == enrolment.c.visit_id, visit_event.c.kind == "added"),
        ),
    ).subquery()
    return select(found.c[0])


def _removed(span: Span) -> Select[Any]:
    had = _had(span).subquery()
    return select(had.c[0]).where(span.outside(_added(span), had.c[0]))


def _none(span: Span) -> Select[Any]:
    one = member.c.id
    return span.members().where(span.outside(_added(span), one), span.outside(_had(span), one))


def consenting(span: Span) -> Select[Any]:
    """Whose latest word about advertising is a grant; of two of one moment the stricter counts."""
    later = consent.alias("later")
    return (
        span.members()
        .join(consent, consent.c.member_id == member.c.id)
        .where(
            consent.c.purpose == "advertising",
            consent.c.granted.is_(True),
            ~exists().where(
                later.c.member_id == consent.c.member_id,
                later.c.purpose == "advertising",
                later.c.granted.is_(False),
                later.c.at >= consent.c.at,
            ),
        )
    )


def cards(tx: Tx, member_ids: Sequence[MemberId]) -> list[Card]:
    """Their living cards, by member and programme."""
    rows = tx.execute(
        select(enrolment.c.member_id, enrolment.c.programme_id, enrolment.c.pass_id)
        .where(among(enrolment.c.member_id, member_ids), enrolment.c.ended_at.is_(None))
        .order_by(enrolment.c.member_id, enrolment.c.programme_id)
    ).all()
    pass_ids = [row.pass_id for row in rows]
    apple = select(registration.c.pass_id).where(
        among(registration.c.pass_id, pass_ids),
        registration.c.device_id == device.c.id,
        device.c.push_service == "apple",
        device.c.unreachable_since.is_(None),
    )
    google = select(google_object.c.pass_id).where(
        among(google_object.c.pass_id, pass_ids),
        google_object.c.has_users.is_(True),
        google_object.c.removed_at.is_(None),
    )
    pushed, held = set(tx.scalars(apple)), set(tx.scalars(google))
    return [Card(*row, row.pass_id in pushed, row.pass_id in held) for row in rows]


def _named(found: Select[Any]) -> Select[Any]:
    """A set of its own, that shares no table with the statement around it."""
    return select(found.subquery().c[0])
