"""Accounts at gateways and texts, as the command line tells of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict

from app import texting
from app.commands.answers import Record
from app.delivery.texts import TextRow
from app.errors import Misconfigured, PerkpassError
from app.settings import Settings
from app.sms.book import Login, SmsBook
from app.sms.gateway import Balance, Gateway

_SECONDS = 20


def the_book(settings: Settings) -> SmsBook:
    """The file that the settings name; raises :class:`Misconfigured` where there is none."""
    book = texting.read_book(settings)
    if book is None:
        raise Misconfigured("PERKPASS_SMS_FILE is not set: name the file of logins in it (docs/sms.md)")
    return book


def balances(settings: Settings, book: SmsBook) -> Mapping[str, Balance | Exception | None]:
    """What every gateway says is left, asked side by side; None where it does not say, else what is wrong."""
    gateways: dict[str, Gateway] = {}
    answers: dict[str, Balance | Exception | None] = {}
    for name, login in book.logins.items():
        try:
            gateways |= texting.open_gateways(settings, SmsBook({name: login}, {}))
        except PerkpassError as fault:
            answers[name] = fault

    async def one(gateway: Gateway) -> Balance | None:
        try:
            return await asyncio.wait_for(gateway.balance(), _SECONDS)
        finally:
            await gateway.close()

    async def everyone() -> list[Balance | BaseException | None]:
        return await asyncio.gather(*map(one, gateways.values()), return_exceptions=True)

    for name, answer in zip(gateways, asyncio.run(everyone()), strict=True):
        if isinstance(answer, TimeoutError):
            answers[name] = TimeoutError(f"no answer within {_SECONDS} seconds")
        elif isinstance(answer, BaseException) and not isinstance(answer, PerkpassError):
            raise answer
        else:
            answers[name] = answer
    return {name: answers[name] for name in book.logins}


def is_low(login: Login, left: Balance) -> bool:
    """Whether it is time to pay."""
    return login.low_balance is not None and left.amount < login.low_balance


def in_money(amount: int, currency: str) -> str:
    """1234 of RUB as 12.34 RUB; ISO 4217 has currencies without minor units, which no gateway here keeps."""
    sign, (whole, rest) = "-" if amount < 0 else "", divmod(abs(amount), 100)
    return f"{sign}{whole}.{rest:02} {currency}"


def shortened(number: str) -> str:
    """+79123456789 as +7…6789: enough to tell which of two it was."""
    return f"{number[:2]}…{number[-4:]}"


def text_record(found: TextRow) -> Record:
    """A text for whoever looks after it; its words stay where they are, and so does most of the number."""
    left_out = ("text", "number", "member_id", "brand_id", "price", "currency")
    record = {key: value for key, value in asdict(found).items() if key not in left_out}
    price = in_money(found.price, found.currency) if found.price is not None and found.currency else None
    return {"id": record.pop("id"), "number": shortened(found.number), "price": price, **record}
