"""The shape of the operator's file of logins, and every fault that it can have by itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final, Self
from urllib.parse import SplitResult, urlsplit

import phonenumbers
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from app.sms import smsc, twilio
from app.sms.book import BrandTexts, GatewayKind, Login, PriceRule

_ADDRESSES: Final[Mapping[GatewayKind, str]] = {"smsc": smsc.URL, "twilio": twilio.URL}
_SCHEMES: Final[Mapping[GatewayKind, tuple[str, ...]]] = {
    "smsc": ("https", "http"),
    "twilio": ("https", "http"),
    "smpp": ("smpps", "smpp"),
}
_SECRETS: Final[Mapping[GatewayKind, tuple[tuple[str, ...], ...]]] = {
    "smsc": (("apikey",), ("login", "password")),
    "twilio": (("account_sid", "auth_token"), ("account_sid", "auth_token", "key_sid", "key_secret")),
    "smpp": (("system_id", "password"), ("system_id", "password", "system_type")),
}
"""What each gateway wants to sign in: one of these sets, whole."""
LOOPBACK: Final = {"127.0.0.1", "::1", "localhost"}
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_LEAST_SECRET: Final = 16


def _has_port(address: SplitResult) -> bool:
    """Whether its port is one, or absent."""
    try:
        return address.port != 0
    except ValueError:
        return False


def _currency(value: str) -> str:
    if not re.fullmatch(r"[A-Z]{3}", value):
        raise ValueError("a currency has three capital letters, like RUB (ISO 4217)")
    return value


def _country(value: str) -> str:
    if value not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"no country is called {value!r}: two capital letters, like RU (ISO 3166)")
    return value


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class _PricePart(_Part):
    prefix: Annotated[str, Field(pattern=r"^\+[0-9]{0,7}$")]
    amount: Annotated[int, Field(ge=0, le=10**7)]
    currency: Annotated[str, AfterValidator(_currency)]


class _LoginPart(_Part):
    gateway: GatewayKind
    url: str = ""
    ca: str | None = None
    sender: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    rate: Annotated[float, Field(gt=0, le=1000)]
    burst: Annotated[int, Field(ge=1, le=1000)] = 1
    secrets: dict[str, Annotated[str, Field(min_length=1)]]
    receipts_secret: str | None = None
    prices: list[_PricePart] = Field(default_factory=list)
    low_balance: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        faults = [*self._faults()]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _faults(self) -> list[str]:
        faults = []
        address = urlsplit(self.address)
        if address.scheme not in _SCHEMES[self.gateway] or not address.hostname or not _has_port(address):
            faults.append(
                f"url: begins with {' or '.join(f'{s}://' for s in _SCHEMES[self.gateway])} and a host"
            )
        elif address.scheme == "http" and address.hostname not in LOOPBACK:
            faults.append("url: passwords and numbers travel over https only")
        options = address.query and self.gateway != "smpp"  # smpp_address judges those of a centre
        if address.username or address.password or options or address.fragment:
            faults.append("url: an address alone; user and password belong under secrets")
        wanted = _SECRETS[self.gateway]
        if set(self.secrets) not in [set(names) for names in wanted]:
            faults.append(
                f"secrets: {self.gateway} wants {', or '.join(' and '.join(names) for names in wanted)}"
            )
        if self.gateway == "twilio" and not self.sender:
            faults.append("sender: Twilio wants a number, a name or the identifier of a messaging service")
        if self.receipts_secret is not None and len(self.receipts_secret) < _LEAST_SECRET:
            faults.append(f"receipts_secret: at least {_LEAST_SECRET} characters, chosen by a machine")
        if len({price.currency for price in self.prices}) > 1:
            faults.append("prices: an account is kept in one currency")
        if len({price.prefix for price in self.prices}) < len(self.prices):
            faults.append("prices: two for the same prefix")
        return faults

    @property
    def address(self) -> str:
        return (self.url or _ADDRESSES.get(self.gateway, "")).rstrip("/")

    def login(self, name: str, directory: Path) -> Login:
        return Login(
            name=name,
            gateway=self.gateway,
            url=self.address,
            ca=directory / self.ca if self.ca else None,
            sender=self.sender,
            rate=self.rate,
            burst=self.burst,
            secrets=MappingProxyType(dict(self.secrets)),
            receipts_secret=self.receipts_secret,
            prices=tuple(PriceRule(each.prefix, each.amount, each.currency) for each in self.prices),
            low_balance=self.low_balance,
        )


class _BrandPart(_Part):
    login: str
    countries: Annotated[list[Annotated[str, AfterValidator(_country)]], Field(min_length=1)]
    codes_a_day: Annotated[int, Field(ge=0, le=10**6)]
    budget_a_day: Annotated[int, Field(ge=0, le=10**12)]
    quiet_from: time = time(21)
    quiet_until: time = time(10)
    codes_per_network_an_hour: Annotated[int, Field(ge=1, le=10**6)] = 60
    codes_per_network_a_day: Annotated[int, Field(ge=1, le=10**6)] = 200
    refuse: list[Annotated[str, Field(pattern=r"^\+[0-9]{1,14}$")]] = Field(default_factory=list)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.quiet_from == self.quiet_until:
            raise ValueError("quiet_from and quiet_until are the same time: nights are quiet")
        return self

    def texts(self, slug: str) -> BrandTexts:
        return BrandTexts(
            brand=slug,
            login=self.login,
            countries=tuple(self.countries),
            codes_a_day=self.codes_a_day,
            budget_a_day=self.budget_a_day,
            quiet_from=self.quiet_from,
            quiet_until=self.quiet_until,
            codes_per_network_an_hour=self.codes_per_network_an_hour,
            codes_per_network_a_day=self.codes_per_network_a_day,
            refuse=tuple(self.refuse),
        )


class Book(_Part):
    """The whole file."""

    logins: Annotated[dict[str, _LoginPart], Field(min_length=1)]
    brands: dict[str, _BrandPart] = Field(default_factory=dict)


def loose_ends(document: dict[str, Any]) -> list[str]:
    """What is wrong between the parts: told beside whatever is wrong within them."""
    logins, brands = document.get("logins"), document.get("brands")
    if not isinstance(logins, dict):
        return []
    faults = [
        f"logins.{name}: small letters, digits and hyphens: it is part of an address"
        for name in logins
        if not _NAME.fullmatch(name)
    ]
    for slug, part in brands.items() if isinstance(brands, dict) else ():
        login = part.get("login") if isinstance(part, dict) else None
        if isinstance(login, str) and login not in logins:
            faults.append(f"brands.{slug}: there is no login {login!r}")
    return faults
