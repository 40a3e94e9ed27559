"""The currencies that a brand can have: money in use, the commonest here first."""

from __future__ import annotations

from babel.core import get_global

_FIRST = ("RUB", "KZT", "BYN", "AMD", "GEL", "UZS", "KGS", "RSD", "TRY", "AED", "EUR", "USD", "GBP")


def _in_use() -> list[str]:
    rows = get_global("territory_currencies").values()
    codes = {code for row in rows for code, _begin, end, tender in row if tender and end is None}
    return [*_FIRST, *sorted(codes - set(_FIRST))]


CURRENCIES: list[tuple[str, str]] = [(code, code) for code in _in_use()]
"""For a select: value and words."""
