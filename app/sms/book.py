"""What the file of logins says, for the rest of the house: accounts, prices, the brands that use them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from pathlib import Path
from typing import Literal

from app.sms.gateway import Price

GatewayKind = Literal["smsc", "twilio", "smpp"]


@dataclass(frozen=True, slots=True)
class PriceRule:
    """What a part costs to numbers that begin with ``prefix``."""

    prefix: str  # "+7"; "+" for everywhere
    amount: int  # minor units of currency, for a part
    currency: str  # ISO 4217


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """One account at one gateway."""

    name: str
    gateway: GatewayKind
    url: str
    ca: Path | None  # certificate authority of url; None: the system's
    sender: str | None
    rate: float  # texts a second, of all processes together
    burst: int
    secrets: Mapping[str, str] = field(repr=False)
    receipts_secret: str | None = field(repr=False)
    prices: tuple[PriceRule, ...]
    low_balance: int | None  # minor units: an alarm below


@dataclass(frozen=True, slots=True, kw_only=True)
class BrandTexts:
    """How a brand sends texts."""

    brand: str  # its slug
    login: str
    countries: tuple[str, ...]  # ISO 3166; codes go nowhere else
    codes_a_day: int
    budget_a_day: int  # minor units of the login's currency
    quiet_from: time = time(21)
    quiet_until: time = time(10)
    codes_per_network_an_hour: int = 60  # of one Wi-Fi, or of whom an operator sends out by one address
    codes_per_network_a_day: int = 200
    refuse: tuple[str, ...] = ()  # "+7940": no codes to numbers that begin so


@dataclass(frozen=True, slots=True)
class SmsBook:
    """The whole file."""

    logins: Mapping[str, Login]
    brands: Mapping[str, BrandTexts]


def price_of(login: Login, number: str, parts: int) -> Price | None:
    """What a text of so many parts costs to ``number`` (E.164): the longest prefix wins; None: no rule."""
    fitting = [rule for rule in login.prices if number.startswith(rule.prefix)]
    if not fitting:
        return None
    rule = max(fitting, key=lambda each: len(each.prefix))
    return Price(amount=rule.amount * parts, currency=rule.currency)


def currency_of(login: Login) -> str:
    """What the account is kept in: that of its prices, roubles where there are none."""
    return login.prices[0].currency if login.prices else "RUB"
