"""What a brand's offers did: guests who got one, guests who redeemed it, what those receipts brought in."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, func, select

from app.db import Tx
from app.db.identifiers import BrandId, OfferId
from app.loyalty.offer_tables import offer, offer_grant, offer_redemption
from app.loyalty.tables import receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferNumbers:
    """Of one offer; receipts that were refunded count nowhere."""

    granted: int  # guests
    redeemed: int  # guests
    paid: int  # minor units that their receipts brought in, after the offer
    discount: int  # minor units that it took off them

    @property
    def share(self) -> float | None:
        """Of those who got it who redeemed it, from 0 to 1; None where nobody got it."""
        return self.redeemed / self.granted if self.granted else None


NOTHING = OfferNumbers(granted=0, redeemed=0, paid=0, discount=0)


def of_brand(tx: Tx, brand_id: BrandId) -> dict[OfferId, OfferNumbers]:
    """By offer; one that nobody got is not in it."""
    granted = (
        select(offer.c.id, func.count().label("granted"))
        .join(offer_grant, offer_grant.c.offer_id == offer.c.id)
        .where(offer.c.brand_id == brand_id, offer_grant.c.same_as_id.is_(None))
        .group_by(offer.c.id)
    )
    used = (
        select(
            offer.c.id,
            func.count().label("redeemed"),
            func.coalesce(func.sum(receipt.c.amount), 0).label("paid"),
            func.coalesce(func.sum(offer_redemption.c.discount), 0).label("discount"),
        )
        .join(offer_grant, offer_grant.c.offer_id == offer.c.id)
        .join(offer_redemption, offer_redemption.c.grant_id == offer_grant.c.id)
        .join(receipt, and_(receipt.c.id == offer_redemption.c.receipt_id, receipt.c.refunded_at.is_(None)))
        .where(offer.c.brand_id == brand_id, offer_redemption.c.returned_at.is_(None))
        .group_by(offer.c.id)
    )
    redeemed = {row.id: row for row in tx.execute(used)}
    found = {}
    for row in tx.execute(granted):
        one = redeemed.get(row.id)
        found[OfferId(row.id)] = OfferNumbers(
            granted=row.granted,
            redeemed=one.redeemed if one else 0,
            paid=int(one.paid) if one else 0,
            discount=int(one.discount) if one else 0,
        )
    return found
