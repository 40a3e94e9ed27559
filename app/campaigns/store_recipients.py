"""SQL of recipients until they were spoken to: planned in bulk, taken when their moment comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Boolean, ColumnElement, FromClause, Integer, Text, literal, select, update

from app.campaigns.tables import IS_WAITING, recipient
from app.db import Id, Tx, Types, UtcDateTime, given, insert
from app.db.identifiers import CampaignId, MemberId, WalletPassId

HeldBack = Literal["no_consent", "cap", "no_way", "left", "too_late", "no_offer"]
"""Why a guest of the audience is not spoken to: no consent to advertising, spoken to often enough lately, no
card in a wallet and no text allowed, gone meanwhile, no allowed hour before the end, an offer that the guest
has had or cannot have."""
WaitingFor = Literal["held_out", "held_back", "waiting"]

_ROW: Types = {
    "member_id": Id,
    "arm": Integer(),
    "canary": Boolean(),
    "state": Text(),
    "because": Text(),
    "pass_id": Id,
    "google": Boolean(),
    "contact_at": UtcDateTime(),
    "settled_at": UtcDateTime(),
}
# Each row names its campaign: told once beside them, SQLite would go through all of its recipients.
_OF: Types = {"of_campaign_id": Id, "of_member_id": Id}
_SAID: Types = {**_OF, "of_pass_id": Id, "is_google": Boolean()}
_PUT_OFF: Types = {**_OF, "until": UtcDateTime()}
_ENDED: Types = {**_OF, "why": Text()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A guest of the audience, as the campaign means to treat them."""

    member_id: MemberId
    arm: int | None  # 0: held out; None: held back before the assignment
    canary: bool = False
    state: WaitingFor
    because: HeldBack | None = None
    pass_id: WalletPassId | None = None
    google: bool = False
    contact_at: datetime | None = None
    settled_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A recipient whose moment has come, locked."""

    member_id: MemberId
    arm: int
    pass_id: WalletPassId | None  # None: no card speaks, a text does
    google: bool
    contact_at: datetime


def add(tx: Tx, campaign_id: CampaignId, rows: Sequence[Planned], *, now: datetime) -> None:
    """Write them; who is there already stays as they are."""
    if not rows:
        return
    new = given(tx, [{name: getattr(row, name) for name in _ROW} for row in rows], _ROW)
    chosen = select(
        *(_literal(campaign_id, "campaign_id"), _literal(now, "assigned_at")), *(new.c[name] for name in _ROW)
    ).where(new.c.member_id.is_not(None))
    tx.execute(
        insert(tx, recipient)
        .from_select(["campaign_id", "assigned_at", *_ROW], chosen)
        .on_conflict_do_nothing()
    )


def due(tx: Tx, campaign_id: CampaignId, *, now: datetime, before: datetime | None, limit: int) -> list[Due]:
    """Those whose moment has come, the earliest first, locked; ``before``: and is before that."""
    asked = select(
        recipient.c.member_id,
        recipient.c.arm,
        recipient.c.pass_id,
        recipient.c.google,
        recipient.c.contact_at,
    ).where(
        recipient.c.campaign_id == campaign_id,
        IS_WAITING,
        recipient.c.contact_at <= now,
    )
    if before is not None:
        asked = asked.where(recipient.c.contact_at < before)
    asked = asked.order_by(recipient.c.contact_at, recipient.c.member_id).limit(limit).with_for_update()
    return [Due(**row._mapping) for row in tx.execute(asked)]


def said(
    tx: Tx,
    campaign_id: CampaignId,
    cards: Mapping[MemberId, tuple[WalletPassId, bool]],
    *,
    look_at: datetime,
    now: datetime,
) -> None:
    """Their cards speak now; by member the card, and whether Google alone holds it."""
    if cards:
        rows = [
            {
                "of_campaign_id": campaign_id,
                "of_member_id": member_id,
                "of_pass_id": pass_id,
                "is_google": google,
            }
            for member_id, (pass_id, google) in sorted(cards.items())
        ]
        new = given(tx, rows, _SAID)
        tx.execute(
            update(recipient)
            .where(*_is(new))
            .values(
                state="said",
                pass_id=new.c.of_pass_id,
                google=new.c.is_google,
                contact_at=now,
                look_at=look_at,
            )
        )


def put_off(tx: Tx, campaign_id: CampaignId, until: Mapping[MemberId, datetime]) -> None:
    """Their moment comes later."""
    if until:
        rows = [
            {"of_campaign_id": campaign_id, "of_member_id": key, "until": value}
            for key, value in sorted(until.items())
        ]
        new = given(tx, rows, _PUT_OFF)
        tx.execute(update(recipient).where(*_is(new)).values(contact_at=new.c.until))


def hold_back(tx: Tx, campaign_id: CampaignId, why: Mapping[MemberId, HeldBack], *, now: datetime) -> None:
    """They are not spoken to after all; those of an arm stay in its analysis."""
    if why:
        rows = [
            {"of_campaign_id": campaign_id, "of_member_id": key, "why": value}
            for key, value in sorted(why.items())
        ]
        new = given(tx, rows, _ENDED)
        tx.execute(
            update(recipient)
            .where(*_is(new))
            .values(state="held_back", because=new.c.why, contact_at=None, settled_at=now)
        )


def call_off(tx: Tx, campaign_id: CampaignId, *, now: datetime, limit: int) -> int:
    """Nobody who waits is spoken to any more, some at a time; returns how many were called off."""
    some = (
        select(recipient.c.member_id)
        .where(recipient.c.campaign_id == campaign_id, IS_WAITING)
        .order_by(recipient.c.contact_at, recipient.c.member_id)
        .limit(limit)
    )
    ended = tx.execute(
        update(recipient)
        .where(
            recipient.c.campaign_id == campaign_id,
            IS_WAITING,
            recipient.c.member_id.in_(some.scalar_subquery()),
        )
        .values(state="cancelled", contact_at=None, settled_at=now)
        .returning(recipient.c.member_id)
    )
    return len(ended.all())


def look_now(tx: Tx, campaign_id: CampaignId, *, now: datetime, limit: int) -> list[WalletPassId]:
    """The cascade is to look at some at once that it would look at later; their cards, if they have."""
    if limit < 1:
        return []
    later = (
        recipient.c.campaign_id == campaign_id,
        recipient.c.state == "said",  # texts are called off at their claim
        recipient.c.look_at > now,
    )
    some = select(recipient.c.member_id).where(*later).order_by(recipient.c.member_id).limit(limit)
    hurried = tx.scalars(
        update(recipient)
        .where(*later, recipient.c.member_id.in_(some.scalar_subquery()))
        .values(look_at=now)
        .returning(recipient.c.pass_id)
    )
    return sorted(pass_id for pass_id in hurried if pass_id is not None)


def _is(row: FromClause) -> tuple[ColumnElement[bool], ...]:
    return (
        recipient.c.campaign_id == row.c.of_campaign_id,
        recipient.c.member_id == row.c.of_member_id,
    )


def _literal(value: Any, name: str) -> Any:
    return literal(value, recipient.c[name].type).label(name)
