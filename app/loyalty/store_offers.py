"""SQL of offers and their terms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, exists, select, update
from sqlalchemy import insert as plain_insert

from app.db import Tx, among, insert
from app.db.identifiers import BrandId, OfferId, VenueId
from app.loyalty.offer_tables import offer, offer_grant, offer_venue
from app.loyalty.offer_terms import Offer, OfferDraft
from app.passes.content import LocalizedText


def insert_offer(tx: Tx, brand_id: int, draft: OfferDraft, *, now: datetime) -> OfferId | None:
    """The new row's id; None where the brand has an offer of this code."""
    found: int | None = tx.execute(
        insert(tx, offer)
        .values(brand_id=brand_id, code=draft.code, created_at=now, **_columns(draft))
        .on_conflict_do_nothing(index_elements=["brand_id", "code"])
        .returning(offer.c.id)
    ).scalar()
    if found is None:
        return None
    _add_venues(tx, found, draft.venue_ids)
    return OfferId(found)


def update_offer(tx: Tx, offer_id: int, draft: OfferDraft) -> None:
    """Overwrite everything but the code."""
    tx.execute(update(offer).where(offer.c.id == offer_id).values(**_columns(draft)))
    tx.execute(delete(offer_venue).where(offer_venue.c.offer_id == offer_id))
    _add_venues(tx, offer_id, draft.venue_ids)


def end_offer(tx: Tx, offer_id: int, *, now: datetime) -> None:
    """Nobody may redeem it from now on."""
    tx.execute(update(offer).where(offer.c.id == offer_id).values(ended_at=now))


def lock(tx: Tx, offer_id: int, *, shared: bool = False) -> Offer | None:
    """The offer, as it stays until the transaction ends; ``shared`` with others who change nothing of it."""
    statement = select(offer).where(offer.c.id == offer_id).with_for_update(read=shared)
    return _one(tx, tx.execute(statement).first())


def by_id(tx: Tx, offer_id: int) -> Offer | None:
    """By number."""
    return _one(tx, tx.execute(select(offer).where(offer.c.id == offer_id)).first())


def by_code(tx: Tx, brand_id: int, code: str) -> Offer | None:
    """By brand and code."""
    statement = select(offer).where(offer.c.brand_id == brand_id, offer.c.code == code)
    return _one(tx, tx.execute(statement).first())


def by_ids(tx: Tx, offer_ids: Sequence[int]) -> dict[OfferId, Offer]:
    """These offers."""
    rows = tx.execute(select(offer).where(among(offer.c.id, offer_ids))).all() if offer_ids else []
    return {one.id: one for one in _all(tx, rows)}


def of_brand(tx: Tx, brand_id: int) -> list[Offer]:
    """All of a brand, newest first."""
    statement = select(offer).where(offer.c.brand_id == brand_id).order_by(offer.c.id.desc())
    return _all(tx, tx.execute(statement).all())


def is_granted(tx: Tx, offer_id: int) -> bool:
    """Whether any guest has, or had, it on a card."""
    return bool(tx.scalar(select(exists().where(offer_grant.c.offer_id == offer_id))))


def _columns(draft: OfferDraft) -> dict[str, Any]:
    return {
        "programme_id": draft.programme_id,
        "name_ru": draft.name.ru,
        "name_en": draft.name.en,
        "terms_ru": draft.terms.ru,
        "terms_en": draft.terms.en,
        "gives": draft.gives,
        "worth": draft.worth,
        "gift_ru": draft.gift and draft.gift.ru,
        "gift_en": draft.gift and draft.gift.en,
        "minimum": draft.minimum,
        "from_at": draft.from_at,
        "until_at": draft.until_at,
    }


def _add_venues(tx: Tx, offer_id: int, venue_ids: Iterable[int]) -> None:
    values = [{"offer_id": offer_id, "venue_id": one} for one in sorted(venue_ids)]
    if values:
        tx.execute(plain_insert(offer_venue), values)


def _one(tx: Tx, row: Row[Any] | None) -> Offer | None:
    return _all(tx, [row])[0] if row else None


def _all(tx: Tx, rows: Sequence[Row[Any]]) -> list[Offer]:
    """With their venues: one statement more, where there are offers at all."""
    venues: dict[int, set[VenueId]] = {}
    if rows:
        found = tx.execute(
            select(offer_venue.c.offer_id, offer_venue.c.venue_id).where(
                among(offer_venue.c.offer_id, [row.id for row in rows])
            )
        )
        for each in found:
            venues.setdefault(each.offer_id, set()).add(each.venue_id)
    return [_offer(row, frozenset(venues.get(row.id, ()))) for row in rows]


def _offer(row: Row[Any], venue_ids: frozenset[VenueId]) -> Offer:
    return Offer(
        id=OfferId(row.id),
        brand_id=BrandId(row.brand_id),
        draft=OfferDraft(
            code=row.code,
            name=LocalizedText(row.name_ru, row.name_en),
            terms=LocalizedText(row.terms_ru, row.terms_en),
            gives=row.gives,
            worth=row.worth,
            gift=LocalizedText(row.gift_ru, row.gift_en) if row.gift_ru is not None else None,
            minimum=row.minimum,
            programme_id=row.programme_id,
            venue_ids=venue_ids,
            from_at=row.from_at,
            until_at=row.until_at,
        ),
        created_at=row.created_at,
        ended_at=row.ended_at,
    )
