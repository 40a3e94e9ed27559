"""A point of sale that rings receipts up through the service's public API, with a key of its venue."""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import httpx

from app.simulators.pkpass import Language


@dataclass(frozen=True, slots=True)
class TillKey:
    """One venue's till."""

    venue: str  # its name, for people
    secret: str  # bearer key
    currency: str = "RUB"


@dataclass(frozen=True, slots=True)
class Rung:
    """What the service said to a receipt."""

    number: str
    amount: int  # minor units
    currency: str
    status: int
    answer: str  # the body as it came

    @property
    def accepted(self) -> bool:
        """Whether it counts."""
        return 200 <= self.status < 300

    def redeemed(self, language: Language) -> str:
        """The name of the offer that it redeemed; empty where it redeemed none."""
        found = json.loads(self.answer).get("offer") if self.accepted else None
        return str(found["offer"]["name"][language]) if found else ""


class Holder(Protocol):
    """Whose phone a till is shown, of whatever make."""

    name: str
    language: Language


class ShownCard(Protocol):
    """A card as it is shown to a till, of whatever wallet."""

    @property
    def key(self) -> tuple[str, str]:
        """What makes it one and the same card."""

    @property
    def code(self) -> str:
        """What a till reads; empty where the card shows none."""


class Till:
    """Rings up; a lost answer is asked for again under the same Idempotency-Key, so nothing counts twice."""

    def __init__(self, client: httpx.AsyncClient, base_url: str, *, attempts: int = 4) -> None:
        """``base_url`` is the service's public URL."""
        self._client = client
        self._receipts = f"{base_url.rstrip('/')}/api/v1/receipts"
        self._cards = f"{base_url.rstrip('/')}/api/v1/cards"
        self._attempts = attempts

    async def offer(self, key: TillKey, card: str, amount: int) -> str | None:
        """The code of the first offer on the card that a receipt of ``amount`` may redeem here; or None.

        Raises httpx's error where nobody answers.
        """
        answer = await self._client.get(
            f"{self._cards}/{card}", headers={"authorization": f"Bearer {key.secret}"}
        )
        if answer.status_code != 200:
            return None
        usable = [each["offer"] for each in answer.json()["offers"] if each["usable"]]
        return next((str(each["code"]) for each in usable if amount >= each["minimum"]), None)

    async def ring(
        self, key: TillKey, card: str, amount: int, *, number: str | None = None, offer: str | None = None
    ) -> Rung:
        """A receipt of ``amount`` minor units for ``card`` (its barcode's code); may redeem an ``offer``.

        Raises httpx's error where nobody answers, after the last attempt.
        """
        number = number or f"{datetime.now(UTC):%y%m%d}-{uuid.uuid4().hex[:8]}"
        headers = {"authorization": f"Bearer {key.secret}", "idempotency-key": str(uuid.uuid4())}
        at = datetime.now(UTC).isoformat(timespec="seconds")
        receipt = {"card": card, "number": number, "amount": amount, "currency": key.currency, "at": at}
        if offer is not None:
            receipt["offer"] = offer
        for attempt in range(1, self._attempts + 1):
            try:
                answer = await self._client.post(self._receipts, json=receipt, headers=headers)
            except httpx.TransportError:
                if attempt == self._attempts:
                    raise
            else:
                if answer.status_code not in (429, 503) or attempt == self._attempts:
                    return Rung(number, amount, key.currency, answer.status_code, answer.text)
            await asyncio.sleep(0.3 * 2**attempt)
        raise AssertionError("unreachable: the last attempt returns or raises")


def amount_of_a_coffee(luck: random.Random) -> int:
    """What a guest might spend: 180 to 1,400 roubles, in kopecks, in steps of ten roubles."""
    return luck.randrange(18, 140) * 1000
