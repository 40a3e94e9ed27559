"""A field's value as Wallet words it: numbers and moments in the phone's own spelling."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, get_args

from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_percent, format_scientific

from app.passes import spelling
from app.passes.proofs import Proof

_Length = Literal["short", "medium", "long", "full"]
_LENGTHS = {f"PKDateStyle{name.capitalize()}": name for name in get_args(_Length)}


def spelt(field: Mapping[str, Any], proof: Proof) -> str:
    """What stands on the card for ``field["value"]``."""
    value, language = field.get("value", ""), proof.language
    if isinstance(value, int | float):
        return _number(Decimal(str(value)), field, language)
    if field.get("dateStyle") or field.get("timeStyle"):
        return _moment(str(value), field, language)
    return proof.said(value)


def _number(value: Decimal, field: Mapping[str, Any], language: str) -> str:
    if currency := field.get("currencyCode"):
        return spelling.money(value, str(currency), language)
    match field.get("numberStyle"):
        case "PKNumberStylePercent":
            return str(format_percent(value, locale=language))
        case "PKNumberStyleScientific":
            return str(format_scientific(value, locale=language))
    return spelling.number(value, language)


def _moment(value: str, field: Mapping[str, Any], language: str) -> str:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return value
    day = _LENGTHS.get(str(field.get("dateStyle")))
    hour = _LENGTHS.get(str(field.get("timeStyle")))
    if day and hour:
        return str(format_datetime(moment, format=day, locale=language))
    if hour:
        return str(format_time(moment, format=hour, locale=language))
    return str(format_date(moment, format=day or "medium", locale=language))
