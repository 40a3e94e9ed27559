"""What a till's words must be; each check raises :class:`BadInput` that names the field. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NoReturn

from app.errors import BadInput

CLOCK_TOLERANCE = timedelta(minutes=5)
OLDEST_RECEIPT = timedelta(days=30)
MOST_MONEY = 10**12


def number(number: str) -> None:
    """A receipt's number: the till's own, and safe in an address."""
    if not 1 <= len(number) <= 64 or not number.isprintable() or number in (".", ".."):
        _bad_number()
    if any(character.isspace() or character == "/" for character in number):
        _bad_number()


def _bad_number() -> NoReturn:
    raise BadInput(
        "bad-number",
        "A receipt's number has 1 to 64 printable characters, without spaces or slashes.",
        field="number",
    )


def money(amount: int, currency: str | None, expected: str) -> None:
    """A positive amount of minor units in the brand's currency."""
    if currency != expected:
        raise BadInput("wrong-currency", f"This brand's currency is {expected}.", field="currency")
    if not 1 <= amount <= MOST_MONEY:
        raise BadInput(
            "bad-amount", "The amount is a whole number of minor units, at least 1.", field="amount"
        )


def time(at: datetime, now: datetime) -> None:
    """When it was rung up: not in the future beyond what clocks differ, and no older than 30 days."""
    if at > now + CLOCK_TOLERANCE:
        raise BadInput(
            "from-the-future", "The receipt is from the future: check the till's clock.", field="at"
        )
    if at < now - OLDEST_RECEIPT:
        raise BadInput("too-old", f"The receipt is older than {OLDEST_RECEIPT.days} days.", field="at")
