"""The operator's file of logins: which gateways texts leave by, what they cost, and which brand uses which.

``docs/sms.md`` explains every key. Every fault is told at once. The file holds secrets, so that it must not
be readable by everybody; nothing of a secret is in a message or a ``repr``.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import stat
import tomllib
from collections.abc import Mapping
from datetime import time
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final, Self
from urllib.parse import SplitResult, urlsplit

import phonenumbers
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from app.errors import Misconfigured
from app.sms import smsc, twilio
from app.sms.book import BrandTexts, GatewayKind, Login, PriceRule, SmsBook, currency_of, price_of
from app.sms.gateway import Gateway

__all__ = [
    "BrandTexts",
    "Login",
    "PriceRule",
    "SmsBook",
    "currency_of",
    "open_gateway",
    "price_of",
    "read",
    "receipts_address",
]

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
_LOOPBACK: Final = {"127.0.0.1", "::1", "localhost"}
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_LEAST_SECRET: Final = 16


def read(path: Path) -> SmsBook:
    """The file at ``path``; raises Misconfigured with every fault."""
    try:
        if path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
            raise Misconfigured(
                f"{path}: it holds passwords, and everybody here may read or write it: chmod 640 {path}"
            )
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise Misconfigured(f"{path}: cannot read it: {fault.strerror}") from None
    except UnicodeDecodeError as fault:
        raise Misconfigured(f"{path}: byte {fault.start} is not UTF-8: save the file as UTF-8") from None
    except tomllib.TOMLDecodeError as fault:
        raise Misconfigured(f"{path}: not TOML: {fault}") from None
    faults = _loose_ends(document)
    book = None
    try:
        book = _Book.model_validate(document)
    except ValidationError as invalid:
        # Never fault["input"]: it may be a secret.
        faults += [
            f"{'.'.join(str(step) for step in fault['loc']) or 'the file'}: "
            f"{fault['msg'].removeprefix('Value error, ')}"
            for fault in invalid.errors(include_input=False, include_context=False)
        ]
    logins = {name: part.login(name, path.parent) for name, part in book.logins.items()} if book else {}
    for login in logins.values():
        if login.gateway == "smpp":
            from app.sms import smpp_address  # who has no centre need not keep the protocol in memory

            faults += [f"logins.{login.name}: {fault}" for fault in smpp_address.faults_of(login)]
    if book is None or faults:
        raise Misconfigured(*(f"{path}: {fault}" for fault in faults))
    brands = {slug: part.texts(slug) for slug, part in book.brands.items()}
    if faults := _unpriced(logins, brands):
        raise Misconfigured(*(f"{path}: {fault}" for fault in faults))
    return SmsBook(MappingProxyType(logins), MappingProxyType(brands))


def _unpriced(logins: Mapping[str, Login], brands: Mapping[str, BrandTexts]) -> list[str]:
    """Countries whose texts no price is known of: a day's budget would not see them."""
    return [
        f"brands.{brand.brand}: login {brand.login!r} names no price for {country} ({prefix}…), so that its"
        " texts would escape budget_a_day: add one to its prices, or take the country out"
        for brand in brands.values()
        for country in brand.countries
        if price_of(logins[brand.login], prefix := f"+{phonenumbers.country_code_for_region(country)}", 1)
        is None
    ]


def open_gateway(login: Login, *, receipts_url: str | None) -> Gateway:
    """The adapter of ``login``. ``receipts_url``: where we hear its receipts, as the gateway reaches us.

    Raises Misconfigured where the certificate authority cannot be read.
    """
    try:
        match login.gateway:
            case "smsc":
                return smsc.SmscGateway(
                    url=login.url,
                    ca=login.ca,
                    secrets=login.secrets,
                    sender=login.sender,
                    currency=currency_of(login),
                    receipts_secret=login.receipts_secret,
                    receipts_key=_receipts_key(login),
                )
            case "twilio":
                # Twilio refuses a text whose receipts it could not deliver (error 21609).
                heard = receipts_url if receipts_url and _reaches_us(login.url, receipts_url) else None
                return twilio.TwilioGateway(
                    url=login.url,
                    ca=login.ca,
                    secrets=login.secrets,
                    sender=login.sender,
                    receipts_url=heard,
                )
            case "smpp":
                from app.sms.smpp import SmppGateway

                return SmppGateway(login)
    except OSError as fault:  # ssl.SSLError is one
        raise Misconfigured(
            f"login {login.name}: cannot read its authority {login.ca}: {fault.strerror or fault}"
        ) from None


def receipts_address(login: Login, receipts_url: str) -> str | None:
    """What to enter in the gateway's cabinet so that it tells us of texts; None where it needs no entry."""
    match login.gateway:
        case "smsc" if key := _receipts_key(login):
            return f"{receipts_url}?charset=utf-8&key={key}"
        case "twilio":
            return receipts_url  # of a number or a messaging service: for incoming texts
        case _:
            return None


def _receipts_key(login: Login) -> str | None:
    """The key in the address of receipts: made from the secret, which a log of addresses must not tell."""
    if login.receipts_secret is None:
        return None
    made = hmac.new(login.receipts_secret.encode(), f"receipts:{login.name}".encode(), hashlib.sha256)
    return made.hexdigest()[:32]


def _has_port(address: SplitResult) -> bool:
    """Whether its port is one, or absent."""
    try:
        return address.port != 0
    except ValueError:
        return False


def _reaches_us(gateway: str, receipts: str) -> bool:
    return urlsplit(receipts).hostname not in _LOOPBACK or urlsplit(gateway).hostname in _LOOPBACK


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
        elif address.scheme == "http" and address.hostname not in _LOOPBACK:
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


class _Book(_Part):
    logins: Annotated[dict[str, _LoginPart], Field(min_length=1)]
    brands: dict[str, _BrandPart] = Field(default_factory=dict)


def _loose_ends(document: dict[str, Any]) -> list[str]:
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
