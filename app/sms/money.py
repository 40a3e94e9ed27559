"""Money in a gateway's words as minor units."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from typing import Any, Final

_MINOR: Final = Decimal(100)
"""Every currency of our gateways has hundredths (ISO 4217)."""
_MOST: Final = Decimal(10) ** 15


def minor_units(words: Any, *, up: bool) -> int | None:
    """``"4.1"`` as 410; None where it is no amount. Fractions of a hundredth: prices go up, balances down."""
    if words is None or isinstance(words, bool):
        return None
    try:
        amount = Decimal(str(words).strip()) * _MINOR
    except InvalidOperation:
        return None
    if not amount.is_finite() or abs(amount) > _MOST:
        return None
    return int(amount.to_integral_value(ROUND_CEILING if up else ROUND_FLOOR))
