"""A chain at its busiest: tills, phones and guests, who all insist; and what they were promised."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

import httpx

from app.simulators.guest_browser import Guest, fetch_pass
from app.simulators.phone import Card, Phone, PhoneSettings
from app.simulators.pkpass_rules import GROUPS
from app.simulators.till import amount_of_a_coffee
from tests.flows.installation import Installation
from tests.flows.patience import Line, PatientLine, Weather

# (brand, venue, placement, tills)
SHOPS = (
    ("pechka", "nevsky", "table 1", ("till 1", "till 2")),
    ("zerno", "rubinshteina", "till bar", ("bar",)),
)
CardKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Holder:
    """A card in a phone, and the keys of tills where it is good."""

    phone: Phone
    key: CardKey
    code: str  # what tills read off it
    tills: tuple[str, ...]  # bearer keys
    welcome: int  # hundredths on it when it was issued

    @property
    def card(self) -> Card:
        """As the phone has it now."""
        return self.phone.cards[self.key]

    def shown(self) -> int:
        """The balance on the phone's screen, in hundredths."""
        return balance_on(self.card)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A sale that was answered."""

    holder: Holder
    till: str
    idempotency_key: str
    body: dict[str, Any]
    status: int
    answer: dict[str, Any]
    began: float  # seconds of the monotonic clock
    answered: float
    tries: int

    @property
    def number(self) -> str:
        """The till's own."""
        return str(self.body["number"])

    @property
    def points(self) -> int:
        """Hundredths that it brought."""
        return int(self.answer["points"])

    @property
    def balance(self) -> int:
        """Hundredths on the card afterwards, as the till was told."""
        return int(self.answer["card"]["balance"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How busy it is; seconds between two of each are drawn around these."""

    phones: int = 8
    tills: int = 3
    between_receipts: float = 0.1  # of one till
    between_guests: float = 3.0


@dataclass
class Load:
    """Use as ``async with``: cards are installed first, and at the end nobody is left without an answer."""

    installation: Installation
    phone_settings: PhoneSettings
    luck: random.Random
    pace: Pace = field(default_factory=Pace)
    weather: Weather = field(default_factory=Weather)
    holders: list[Holder] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    guests: list[str] = field(default_factory=list)  # card codes of those who came meanwhile

    async def __aenter__(self) -> Self:
        self._client = httpx.AsyncClient(transport=PatientLine(self.weather), timeout=10)
        self._network = httpx.AsyncClient(transport=Line(self.weather), timeout=10)
        self._phones: list[Phone] = []
        self._closing = asyncio.Event()
        self._promised: dict[CardKey, int] = {}
        self._spared: set[CardKey] = set()
        self._serving: Counter[CardKey] = Counter()
        self._links = {
            (brand, venue): self.installation.link(venue, placement, brand)
            for brand, venue, placement, _ in SHOPS
        }
        for number in range(self.pace.phones):
            await self._move_in(f"phone {number}", SHOPS if number % 4 == 0 else SHOPS[:1])
        for phone in self._phones:
            await phone.settle()
        self._work = [
            asyncio.create_task(self._again_and_again(act, pause))
            for act, pause, count in (
                (self._sell, self.pace.between_receipts, self.pace.tills),
                (self._enrol, self.pace.between_guests, 1),
            )
            for _ in range(count)
        ]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is not None:  # what failed is told; nobody waits for answers any more
                for task in self._work:
                    task.cancel()
                await asyncio.gather(*self._work, return_exceptions=True)
            else:
                await self.close()
        finally:
            for phone in self._phones:
                await phone.stop()
            await self._client.aclose()
            await self._network.aclose()

    async def close(self) -> None:
        """No new customers; those who are being served get their answer. Raises what stopped any of them."""
        self._closing.set()
        await asyncio.gather(*self._work)

    def faulty(self) -> None:
        """Raise what stopped a till or a guest, if anything did."""
        for task in self._work:
            if task.done() and not self._closing.is_set():
                task.result()

    def spare(self, share: float) -> None:
        """Nobody buys with this share of the cards any more: no later push can make up for a lost one."""
        self._spared = set(
            self.luck.sample([holder.key for holder in self.holders], int(len(self.holders) * share))
        )

    def still(self) -> bool:
        """Whether no till is waiting for the answer to a receipt of a card that is spared."""
        return not self._spared & set(self._serving.elements())

    def promised(self) -> dict[CardKey, int]:
        """The balance that tills were last told of each card; nothing but receipts changes it here."""
        return dict(self._promised)

    def promised_to_the_spared(self) -> dict[CardKey, int]:
        """The same of those that are spared."""
        return {key: self._promised[key] for key in self._spared}

    def behind(self, balances: dict[CardKey, int]) -> list[str]:
        """Cards whose phone shows less than ``balances`` says, in words."""
        return [
            f"{holder.phone.name} shows {holder.shown()} of {balances[holder.key]}"
            for holder in self.holders
            if holder.shown() < balances[holder.key]
        ]

    async def repeated(self, receipt: Receipt) -> httpx.Response:
        """The same call again."""
        return await self._post(receipt.till, receipt.idempotency_key, receipt.body)

    async def told(self, holder: Holder) -> int:
        """The balance that a till is told when it looks at the card."""
        answer = await self._client.get(
            f"{self.installation.url}/api/v1/cards/{holder.code}",
            headers={"Authorization": f"Bearer {holder.tills[0]}"},
        )
        answer.raise_for_status()
        return int(answer.json()["balance"])

    async def _again_and_again(self, act: Callable[[], Awaitable[None]], pause: float) -> None:
        while not self._closing.is_set():
            await act()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), self.luck.uniform(0.5, 1.5) * pause)

    async def _move_in(self, name: str, shops: tuple[tuple[str, str, str, tuple[str, ...]], ...]) -> None:
        phone = Phone(name, self.phone_settings, client=self._network)
        await phone.start()
        self._phones.append(phone)
        for brand, venue, _, tills in shops:
            card = phone.install(await self._fetched(brand, venue))
            keys = tuple(self.installation.keys[venue, till] for till in tills)
            holder = Holder(phone, card.key, code_of(card), keys, balance_on(card))
            self.holders.append(holder)
            self._promised[holder.key] = holder.welcome

    async def _fetched(self, brand: str, venue: str) -> bytes:
        return await fetch_pass(self._client, self._links[brand, venue], Guest())

    async def _enrol(self) -> None:
        brand, venue, _, _ = self.luck.choice(SHOPS)
        wallet_pass = self._phones[0].open(await self._fetched(brand, venue))
        assert wallet_pass.barcode is not None
        self.guests.append(wallet_pass.barcode["message"])

    async def _sell(self) -> None:
        holder = self.luck.choice([holder for holder in self.holders if holder.key not in self._spared])
        till, idempotency_key = self.luck.choice(holder.tills), uuid.uuid4().hex
        body = {
            "card": holder.code,
            "number": uuid.uuid4().hex[:16],
            "amount": amount_of_a_coffee(self.luck),
            "currency": "RUB",
            "at": datetime.now(UTC).isoformat(),
        }
        began = time.monotonic()
        self._serving[holder.key] += 1
        answer = await self._post(till, idempotency_key, body)
        self._serving[holder.key] -= 1
        if answer.status_code != 201:
            raise AssertionError(f"a receipt was answered {answer.status_code}: {answer.text[:300]}")
        receipt = Receipt(
            holder, till, idempotency_key, body, answer.status_code, answer.json(),
            began, time.monotonic(), answer.extensions["tries"],
        )  # fmt: skip
        self.receipts.append(receipt)
        self._promised[holder.key] = max(self._promised[holder.key], receipt.balance)

    async def _post(self, till: str, idempotency_key: str, body: dict[str, Any]) -> httpx.Response:
        return await self._client.post(
            f"{self.installation.url}/api/v1/receipts",
            json=body,
            headers={"Authorization": f"Bearer {till}", "Idempotency-Key": idempotency_key},
        )


def code_of(card: Card) -> str:
    """What a till's scanner reads."""
    barcode = card.wallet_pass.barcode
    assert barcode is not None
    return barcode["message"]


def balance_on(card: Card) -> int:
    """The points that the card shows, in hundredths."""
    wallet_pass = card.wallet_pass
    return next(
        round(float(field["value"]) * 100)
        for group in GROUPS
        for field in wallet_pass.document[wallet_pass.style].get(group, [])
        if field["key"] == "balance"
    )
