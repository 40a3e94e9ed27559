"""Money and numbers as a language spells them, alike on pages, cards and in Google Wallet."""

from __future__ import annotations

import re
from decimal import Decimal

from babel import Locale
from babel.numbers import format_currency, format_decimal

_LETTER_BESIDE_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)")


def money(amount: Decimal, currency: str, language: str, *, whole: bool = False) -> str:
    """Units of a currency as its language spells them: "880,00 ₽", "RUB 880.00"; ``whole``: without decimals.

    Where letters stand before the digits, a no-break space is between them (Unicode TR 35, part 3, section
    2.4, ``currencySpacing``), which Babel leaves out.
    """
    pattern = Locale.parse(language).currency_formats["standard"].pattern
    said = format_currency(
        amount, currency, format=pattern.replace(".00", "") if whole else pattern, locale=language,
        currency_digits=not whole,
    )  # fmt: skip
    return _LETTER_BESIDE_DIGIT.sub("\u00a0", said)


def number(value: Decimal, language: str) -> str:
    """With the language's grouping, and at most two decimals."""
    return str(format_decimal(value, format="#,##0.##", locale=language))
