"""How long Google needs to take a change of all cards of a programme: for whoever is about to make one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from app.db import Tx
from app.db.identifiers import ProgrammeId
from app.delivery import google
from app.delivery.tables import delivery
from app.loyalty.tables import programme
from app.passes.google_tables import google_account, google_object
from app.passes.tables import design, wallet_pass


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleOutlook:
    """A change without a notification, as a new design is."""

    cards: int  # of the programme, that Google has
    takes: timedelta  # at most, behind what waits already
    rate: float  # requests a second that Google allows the issuer


def google_outlook(tx: Tx, programme_id: ProgrammeId, *, rate: float, now: datetime) -> GoogleOutlook | None:
    """Of all cards of a programme at once; None where none of them is at Google.

    Before it goes what is due already of all brands that share its issuer. What waits of these very cards is
    not counted twice: a change joins it.
    """
    own = (
        select(google_object.c.id)
        .join(wallet_pass, wallet_pass.c.id == google_object.c.pass_id)
        .join(design, design.c.id == wallet_pass.c.design_id)
        .where(
            design.c.programme_id == programme_id,
            google_object.c.inserted_at.is_not(None),
            wallet_pass.c.voided_at.is_(None),
        )
    )
    cards = tx.scalar(select(func.count()).select_from(own.subquery())) or 0
    if not cards:
        return None
    issuer = (
        select(google_account.c.issuer_id)
        .join(programme, programme.c.brand_id == google_account.c.brand_id)
        .where(programme.c.id == programme_id)
    )
    sharing = select(google_account.c.brand_id).where(google_account.c.issuer_id == issuer.scalar_subquery())
    ahead = tx.scalar(
        select(func.count()).where(
            delivery.c.state.in_(("pending", "sending")),
            delivery.c.brand_id.in_(sharing),
            delivery.c.google_object_id.is_not(None),
            delivery.c.google_object_id.not_in(own),
            delivery.c.due_at <= now,
        )
    )
    takes = google.estimate(cards, rate=rate, notifying=False, ahead=ahead or 0)
    return GoogleOutlook(cards=cards, takes=takes, rate=rate)
