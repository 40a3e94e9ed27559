"""SQL of what is known of recipients: messages on cards, pushes, Google's answers, texts, the guests."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Text, and_, case, func, or_, select

from app.campaigns.tables import recipient
from app.db import Id, Tx, Types, UtcDateTime, among, given
from app.db.identifiers import CampaignId, DeliveryId, MemberId, ProgrammeId, WalletPassId
from app.delivery.google_promises import NOTIFIED
from app.delivery.tables import attempt, delivery, text_message
from app.loyalty.tables import enrolment, member
from app.passes.google_tables import google_object
from app.passes.tables import device, registration

_SAID: Final[Types] = {"of_pass_id": Id, "said_at": UtcDateTime()}
_NUMBERS: Final[Types] = {"of_number": Text()}
_GIVEN_UP: Final = ("refused", "gone", "exhausted")
_NEVER_SENT: Final = ("superseded", "gone", "refused")
_UNDER_WAY: Final = ("pending", "sending")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How the phones of a card, or Google, were told of a message since it was said."""

    accepted_at: datetime | None  # the first push that Apple took; when Google notified the holder
    under_way: bool  # a push, or a change, waits or has no answer yet
    given_up: bool  # one was not taken in the end


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFacts:
    """How a promised text stands."""

    state: str
    reason: str | None
    created_at: datetime
    due_at: datetime
    accepted_at: datetime | None
    parts: int
    price: int | None
    currency: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Whom a recipient's row is about now: the member who lives on, where two became one."""

    id: MemberId
    phone: str | None
    language: str
    removed: bool


def pushes(tx: Tx, said: Mapping[WalletPassId, datetime]) -> dict[WalletPassId, Told]:
    """By card, those alone that are on a phone that pushes reach; ``said``: when each said its message."""
    if not said:
        return {}
    asked = given(tx, [{"of_pass_id": key, "said_at": at} for key, at in sorted(said.items())], _SAID)
    since = _since(asked)
    joined = (
        asked.join(registration, registration.c.pass_id == asked.c.of_pass_id)
        .join(
            device,
            and_(
                device.c.id == registration.c.device_id,
                device.c.push_service == "apple",
                device.c.unreachable_since.is_(None),
            ),
        )
        .outerjoin(delivery, and_(delivery.c.device_id == device.c.id, since))
        .outerjoin(attempt, attempt.c.delivery_id == delivery.c.id)
    )
    accepted = and_(attempt.c.verdict == "accepted", attempt.c.started_at >= asked.c.said_at)
    return _told(tx, asked, joined, accepted, attempt.c.finished_at, over=_GIVEN_UP)


def google_changes(tx: Tx, said: Mapping[WalletPassId, datetime]) -> dict[WalletPassId, Told]:
    """By card, those alone that somebody holds at Google."""
    if not said:
        return {}
    asked = given(tx, [{"of_pass_id": key, "said_at": at} for key, at in sorted(said.items())], _SAID)
    joined = (
        asked.join(
            google_object,
            and_(
                google_object.c.pass_id == asked.c.of_pass_id,
                google_object.c.has_users.is_(True),
                google_object.c.removed_at.is_(None),
            ),
        )
        .outerjoin(delivery, and_(delivery.c.google_object_id == google_object.c.id, _since(asked)))
        .outerjoin(attempt, attempt.c.delivery_id == delivery.c.id)
    )
    notified = and_(
        delivery.c.state == "accepted",
        delivery.c.reason == NOTIFIED,
        attempt.c.started_at >= asked.c.said_at,
    )
    # What Google took without notifying anybody is over as well.
    return _told(tx, asked, joined, notified, delivery.c.settled_at, over=(*_GIVEN_UP, "accepted"))


def _since(asked: Any) -> Any:
    return or_(delivery.c.settled_at.is_(None), delivery.c.settled_at >= asked.c.said_at)


def _told(
    tx: Tx, asked: Any, joined: Any, accepted: Any, at: Any, *, over: Sequence[str]
) -> dict[WalletPassId, Told]:
    rows = tx.execute(
        select(
            asked.c.of_pass_id,
            func.min(case((accepted, at)), type_=UtcDateTime()),
            func.max(case((delivery.c.state.in_(_UNDER_WAY), 1), else_=0)),
            func.max(case((delivery.c.state.in_(over), 1), else_=0)),
        )
        .select_from(joined)
        .group_by(asked.c.of_pass_id)
    )
    return {
        WalletPassId(row[0]): Told(accepted_at=row[1], under_way=bool(row[2]), given_up=bool(row[3]))
        for row in rows
    }


def texts(tx: Tx, ids: Collection[DeliveryId]) -> dict[DeliveryId, TextFacts]:
    """How these stand; those that were forgotten are left out."""
    rows = tx.execute(
        select(
            delivery.c.id,
            delivery.c.state,
            delivery.c.reason,
            delivery.c.created_at,
            delivery.c.due_at,
            text_message.c.accepted_at,
            text_message.c.parts,
            text_message.c.price,
            text_message.c.currency,
        )
        .join(text_message, text_message.c.delivery_id == delivery.c.id)
        .where(among(delivery.c.id, sorted(ids)))
    )
    return {
        row.id: TextFacts(**{name: value for name, value in row._mapping.items() if name != "id"})
        for row in rows
    }


def people(tx: Tx, member_ids: Collection[MemberId]) -> dict[MemberId, Person]:
    """Who these are now."""
    known: dict[MemberId, Any] = {}
    wave = set(member_ids)
    while wave:
        columns = (
            member.c.id,
            member.c.merged_into_id,
            member.c.phone,
            member.c.language,
            member.c.removed_at,
        )
        for row in tx.execute(select(*columns).where(among(member.c.id, sorted(wave)))):
            known[row.id] = row
        wave = {row.merged_into_id for row in known.values() if row.merged_into_id} - known.keys()
    found = {}
    for one in member_ids:
        row = known[one]
        while row.merged_into_id:
            row = known[row.merged_into_id]
        found[one] = Person(
            id=row.id, phone=row.phone, language=row.language, removed=row.removed_at is not None
        )
    return found


def same_guest(tx: Tx, member_id: MemberId) -> set[MemberId]:
    """The member and all who were merged into it, directly or by way of another."""
    found = {member_id}
    wave = [member_id]
    while wave:
        wave = list(tx.scalars(select(member.c.id).where(member.c.merged_into_id.in_(wave))))
        found.update(wave)
    return found


def cards(
    tx: Tx, member_ids: Collection[MemberId], programme_id: ProgrammeId | None
) -> dict[MemberId, WalletPassId]:
    """The newest living card of each, of that programme before any other."""
    rows = tx.execute(
        select(enrolment.c.member_id, enrolment.c.pass_id)
        .where(among(enrolment.c.member_id, sorted(member_ids)), enrolment.c.ended_at.is_(None))
        .order_by(
            case((enrolment.c.programme_id == programme_id, 1), else_=0),
            enrolment.c.enrolled_at,
            enrolment.c.id,
        )
    )
    return {row.member_id: row.pass_id for row in rows}  # the last one counts


def numbers_texted(tx: Tx, campaign_id: CampaignId, numbers: Sequence[str]) -> set[str]:
    """Which of these numbers (E.164) the campaign texted already, or is about to."""
    if not numbers:
        return set()
    asked = given(tx, [{"of_number": one} for one in sorted(set(numbers))], _NUMBERS)
    return set(
        tx.scalars(
            select(text_message.c.number)
            .select_from(asked)
            .join(text_message, text_message.c.number == asked.c.of_number)
            .join(delivery, delivery.c.id == text_message.c.delivery_id)
            .join(recipient, recipient.c.delivery_id == delivery.c.id)
            .where(recipient.c.campaign_id == campaign_id, delivery.c.state.not_in(_NEVER_SENT))
        )
    )
