"""Numbers and shares as the funnel says them. What was spelt is kept: a chain's table says thousands."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from babel.numbers import format_decimal, format_percent

from app.web.language import current_language


def percent(value: float | None) -> str:
    """Whole percent, or a dash for nothing."""
    return "–" if value is None else _percent(round(value * 100), current_language())


@lru_cache(512)
def _percent(whole: int, language: str) -> str:
    return str(format_percent(Decimal(whole) / 100, locale=language))


def between(low: float, high: float) -> str:
    """An interval of shares."""
    return f"{round(low * 100)}–{percent(high)}"


def points(gap: float) -> str:
    """A difference of shares, with its sign."""
    whole = round(gap * 100)
    return f"+{whole}" if whole > 0 else f"−{-whole}" if whole else "0"


def number(value: float) -> str:
    """Whole, grouped."""
    return _number(round(value), current_language())


@lru_cache(4096)
def _number(whole: int, language: str) -> str:
    return str(format_decimal(whole, locale=language))
