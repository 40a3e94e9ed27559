"""Arithmetic of points: what a receipt earns, what points are worth, which lots are used first. Pure.

A point is worth one major unit of the brand's currency; points are counted in hundredths whatever the
currency's own minor unit is (a yen has none, a dinar has thousandths).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from babel.numbers import get_currency_precision

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Lot:
    """Points that were accrued together and expire together."""

    id: int
    entry_id: int
    points: int
    remaining: int
    expires_at: datetime | None  # None: never


@dataclass(frozen=True, slots=True)
class LotUse:
    """How many points are taken out of which lot."""

    lot_id: int
    points: int


def earned(amount: int, cashback: int, *, currency: str) -> int:
    """Points in hundredths for a receipt of ``amount`` minor units, rounded down."""
    return amount * cashback * 100 // (10_000 * _minor_units(currency))


def worth(points: int, *, currency: str) -> int | None:
    """Minor units that ``points`` hundredths pay; None where that is no whole number of them."""
    paid, rest = divmod(points * _minor_units(currency), 100)
    return None if rest else paid


def most_payable(amount: int, share: int, *, currency: str) -> int:
    """The most points (hundredths) that may pay ``share`` basis points of ``amount``; rounded down."""
    return amount * share * 100 // (10_000 * _minor_units(currency))


def in_order_of_use(lots: Iterable[Lot]) -> list[Lot]:
    """The lot that expires first is used first; those that never expire last; the older of equals first."""
    return sorted(lots, key=lambda lot: (lot.expires_at or _NEVER, lot.id))


def taken(lots: Iterable[Lot], points: int) -> list[LotUse]:
    """Which lots give ``points``, in the order given; raises :class:`ValueError` if they have less."""
    uses: list[LotUse] = []
    for lot in lots:
        part = min(lot.remaining, points)
        if part > 0:
            uses.append(LotUse(lot.id, part))
            points -= part
    if points > 0:
        raise ValueError(f"the lots lack {points} hundredths of a point")
    return uses


def _minor_units(currency: str) -> int:
    return int(10 ** get_currency_precision(currency))
