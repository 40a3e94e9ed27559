"""What is left on the accounts at gateways."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from app import texting
from app.errors import PerkpassError
from app.settings import Settings
from app.sms.book import Login, SmsBook
from app.sms.gateway import Balance, Gateway

_SECONDS = 20


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
