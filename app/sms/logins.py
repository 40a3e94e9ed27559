"""The operator's file of logins: which gateways texts leave by, what they cost, and which brand uses which.

``docs/sms.md`` explains every key. Every fault is told at once. The file holds secrets, so that it must not
be readable by everybody; nothing of a secret is in a message or a ``repr``.
"""

from __future__ import annotations

import hashlib
import hmac
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

import phonenumbers
from pydantic import ValidationError

from app.errors import Misconfigured
from app.sms import smsc, twilio
from app.sms.book import BrandTexts, Login, PriceRule, SmsBook, currency_of, price_of
from app.sms.gateway import Gateway
from app.sms.logins_file import LOOPBACK, Book, loose_ends

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
    faults = loose_ends(document)
    book = None
    try:
        book = Book.model_validate(document)
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


def _reaches_us(gateway: str, receipts: str) -> bool:
    return urlsplit(receipts).hostname not in LOOPBACK or urlsplit(gateway).hostname in LOOPBACK
