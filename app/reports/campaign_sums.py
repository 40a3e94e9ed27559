"""What the guests of a campaign spent, added up by arm, some thousand guests at a time.

A part is a short statement, so that a worker may read a million guests between other people's transactions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Float, and_, case, cast, exists, func, or_, select

from app.campaigns.lift import Sums
from app.campaigns.readings import BEFORE
from app.campaigns.tables import recipient
from app.db import Tx
from app.db.identifiers import CampaignId, MemberId
from app.loyalty.tables import enrolment, receipt
from app.passes.google_tables import google_object
from app.passes.tables import device, registration

ByArm = Mapping[int, tuple[Sums, int]]
"""By arm (0: the holdout) the sums, and how many who had a card in a wallet have none any more."""


@dataclass(frozen=True, slots=True)
class Part:
    """Of guests up to ``upto``."""

    found: ByArm
    upto: MemberId
    is_last: bool


def part(
    tx: Tx, campaign_id: CampaignId, *, begins: datetime, ends: datetime, after: MemberId, size: int
) -> Part:
    """The next ``size`` assigned guests after this one; receipts count that were rung up in the period.

    What was refunded since does not count. Receipts of the 90 days before ``begins`` are the earlier ones.
    """
    ids = (
        select(recipient.c.member_id)
        .where(
            recipient.c.campaign_id == campaign_id,
            recipient.c.member_id > after,
            recipient.c.arm.is_not(None),
        )
        .order_by(recipient.c.member_id)
        .limit(size)
        .subquery()
    )
    upto, count = tx.execute(select(func.max(ids.c.member_id), func.count()).select_from(ids)).one()
    if not count:
        return Part({}, after, is_last=True)
    found = _by_arm(tx, campaign_id, begins, ends, after, upto)
    return Part(found, MemberId(upto), is_last=count < size)


def added(one: ByArm, other: ByArm) -> dict[int, tuple[Sums, int]]:
    """Both together."""
    whole = dict(one)
    for arm, (sums, removed) in other.items():
        before = whole.get(arm)
        whole[arm] = (before[0] + sums, before[1] + removed) if before else (sums, removed)
    return whole


def _by_arm(
    tx: Tx, campaign_id: CampaignId, begins: datetime, ends: datetime, after: int, upto: int
) -> dict[int, tuple[Sums, int]]:
    mine = and_(
        recipient.c.campaign_id == campaign_id,
        recipient.c.member_id > after,
        recipient.c.member_id <= upto,
        recipient.c.arm.is_not(None),
    )
    since = func.coalesce(func.sum(case((receipt.c.at >= begins, receipt.c.amount), else_=0)), 0)
    before = func.coalesce(func.sum(case((receipt.c.at < begins, receipt.c.amount), else_=0)), 0)
    each = (
        select(
            recipient.c.arm,
            recipient.c.member_id,
            cast(since, Float).label("y"),
            cast(before, Float).label("x"),
        )
        .outerjoin(enrolment, enrolment.c.member_id == recipient.c.member_id)
        .outerjoin(
            receipt,
            and_(
                receipt.c.enrolment_id == enrolment.c.id,
                receipt.c.at >= begins - BEFORE,
                receipt.c.at < ends,
                receipt.c.refunded_at.is_(None),
            ),
        )
        .where(mine)
        .group_by(recipient.c.arm, recipient.c.member_id)
        .subquery()
    )
    y, x = each.c.y, each.c.x
    rows = tx.execute(
        select(
            each.c.arm,
            func.count(),
            func.sum(case((y > 0, 1), else_=0)),
            *(
                func.sum(term)
                for term in (y, x, y * y, x * y, x * x, y * y * y, y * y * x, y * x * x, x * x * x)
            ),
        ).group_by(each.c.arm)
    ).all()
    removed = {
        row.arm: row.guests
        for row in tx.execute(
            select(recipient.c.arm, func.count().label("guests"))
            .where(mine, recipient.c.pass_id.is_not(None), ~in_a_wallet())
            .group_by(recipient.c.arm)
        )
    }
    return {row[0]: (_sums(*row[1:]), removed.get(row[0], 0)) for row in rows}


def in_a_wallet() -> ColumnElement[bool]:
    """The recipient's card is on a phone that is reached, or somebody holds it at Google."""
    phone = exists().where(
        registration.c.pass_id == recipient.c.pass_id,
        registration.c.device_id == device.c.id,
        device.c.unreachable_since.is_(None),
    )
    google = exists().where(
        google_object.c.pass_id == recipient.c.pass_id,
        google_object.c.has_users.is_(True),
        google_object.c.removed_at.is_(None),
    )
    return or_(phone, google)


def _sums(guests: int, buyers: int, *powers: float) -> Sums:
    names = ("y", "x", "yy", "xy", "xx", "yyy", "yyx", "yxx", "xxx")
    values = dict(zip(names, map(float, powers), strict=True))
    return Sums(guests=guests, buyers=int(buyers), **values)
