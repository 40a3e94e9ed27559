"""A seeded town: guests who install cards at a visible pace, and tills that ring receipts up.

It knows nothing but public addresses and the tills' keys; whatever a guest does goes through the public page.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import httpx

from app.simulators.android import AndroidPhone
from app.simulators.google_server import GoogleSimulator
from app.simulators.guest_browser import Guest, InstallFailed
from app.simulators.phone import InvalidPass, Phone, PhoneSettings
from app.simulators.pkpass import Language
from app.simulators.till import Holder, Rung, ShownCard, Till, TillKey, amount_of_a_coffee

NAMES = (
    "Анна", "Борис", "Вера", "Глеб", "Дина", "Егор", "Жанна", "Захар", "Инна", "Кирилл",
    "Лада", "Марк", "Нина", "Олег", "Полина", "Роман", "Света", "Тимур", "Ульяна", "Фёдор",
    "Helen", "Jack", "Kate", "Liam", "Mia", "Noah", "Olivia", "Peter", "Ruth", "Thomas",
)  # fmt: skip
FIRST_ENGLISH_NAME = NAMES.index("Helen")
ANDROID_OF_THREE = 1  # of every three guests the second has Android


@dataclass(frozen=True, slots=True)
class Shop:
    """A venue as its guests and its till know it."""

    install_link: str  # the whole address: http://127.0.0.1:8000/i/CODE
    till: TillKey


@dataclass(frozen=True, slots=True, kw_only=True)
class TownSettings:
    """How the town lives. Seconds are true seconds."""

    base_url: str  # the service's public URL
    shops: tuple[Shop, ...]
    phones: PhoneSettings
    population: int = 30
    install_pause: float = 1.0  # between one guest and the next
    receipt_pause: float = 4.0  # between receipts, all tills together; 0: nobody buys by themselves
    seed: int = 17
    google: GoogleSimulator | None = None  # of the same event loop; without it nobody has Android


@dataclass(slots=True)
class TownNews:
    """What happened so far."""

    installed: int = 0
    failures: list[str] = field(default_factory=list)
    receipts: list[Rung] = field(default_factory=list)


News = Literal["installed", "saved", "receipt", "failed"]  # "saved": in Google Wallet
Said = Callable[[News, str], None]


class Town:
    """Phones, shops and a clock of small events, all in one event loop."""

    def __init__(self, settings: TownSettings, *, said: Said | None = None) -> None:
        """``said`` hears what happens as it happens: for a progress bar or a log."""
        if not settings.shops:
            raise ValueError("a town needs at least one shop")
        self.settings = settings
        self.phones: list[Phone] = []
        self.androids: list[AndroidPhone] = []
        self.news = TownNews()
        self._said_to = said
        self._luck = random.Random(settings.seed)
        self._shops: dict[tuple[str, str], Shop] = {}  # by the guest's name and a card's code
        # 30 phones share one pool of connections, as a city shares one mobile network.
        self._client = httpx.AsyncClient(
            timeout=settings.phones.time_out, limits=httpx.Limits(max_connections=40)
        )
        self.till = Till(self._client, settings.base_url)

    async def run(self) -> None:
        """Everybody installs, then buys until cancelled."""
        await self.settle_in()
        if self.settings.receipt_pause <= 0:
            await asyncio.Event().wait()
        while True:
            await self.buy_something()
            await asyncio.sleep(self.settings.receipt_pause)

    async def settle_in(self) -> None:
        """Each guest scans a code and gets a card, one after another. Failures are news, not exceptions."""
        for number in range(self.settings.population):
            await self._move_in(number)
            await asyncio.sleep(self.settings.install_pause)

    async def _move_in(self, number: int) -> None:
        name = NAMES[number % len(NAMES)]
        if number >= len(NAMES):
            name = f"{name} {number // len(NAMES) + 1}"
        english = number % len(NAMES) >= FIRST_ENGLISH_NAME
        language: Language = "en" if english else "ru"
        shop = self.settings.shops[number % len(self.settings.shops)]
        guest = Guest(name, optional_consents=self._luck.random() < 0.8, language=language)
        try:
            if (google := self.settings.google) and number % 3 == ANDROID_OF_THREE:
                await self._save(google, number, guest, shop, shop.install_link)
                self.news.installed += 1
                return
            page = await self._install(guest, shop)
            if google and number == 0:  # another phone of the same guest, for the same card
                await self._save(google, number, guest, shop, page)
        except (InstallFailed, InvalidPass, httpx.HTTPError) as fault:
            self._fail(f"{name}: {_said_by(fault)}")

    async def _install(self, guest: Guest, shop: Shop) -> str:
        """An iPhone more; the address of the card's own page. Raises as ``install_from_page``."""
        phone = Phone(guest.name, self.settings.phones, client=self._client)
        phone.language = guest.language
        await phone.start()
        self.phones.append(phone)
        self._show_all()
        card = await phone.install_from_page(shop.install_link, guest)
        self._shops[guest.name, card.code] = shop
        self.news.installed += 1
        self._say("installed", f"{guest.name}: {card.wallet_pass.document['organizationName']}")
        return card.page

    async def _save(self, google: GoogleSimulator, number: int, guest: Guest, shop: Shop, link: str) -> None:
        """An Android phone more. Raises as ``save_from_page``."""
        account = f"guest{number + 1}@gmail.example"
        phone = AndroidPhone(guest.name, account, google, client=self._client, language=guest.language)
        self.androids.append(phone)
        self._show_all()
        await phone.save_from_page(link, guest)
        for card in phone.cards:
            self._shops[guest.name, card.code] = shop
            self._say("saved", f"{guest.name}: {card.common['issuerName']}")

    def _show_all(self) -> None:
        everybody: list[Phone | AndroidPhone] = [*self.phones, *self.androids]
        for watched in everybody:
            watched.show()

    async def buy_something(self) -> Rung | None:
        """A guest with a card buys a coffee somewhere of the same brand; None while nobody has one."""
        buyers: list[tuple[Holder, ShownCard]] = [
            *((phone, card) for phone in self.phones for card in phone.cards.values()),
            *((phone, card) for phone in self.androids for card in phone.cards),
        ]
        if not buyers:
            return None
        phone, card = self._luck.choice(buyers)
        return await self.ring(phone, card)

    async def ring(
        self, phone: Holder, card: ShownCard, amount: int | None = None, *, redeems: bool = False
    ) -> Rung | None:
        """A receipt where the card was installed; None if it could not be rung up.

        A cashier who ``redeems`` looks first what the card offers.
        """
        shop = self._shops.get((phone.name, card.code))
        if shop is None or not card.code:
            return None
        try:
            due = amount or amount_of_a_coffee(self._luck)
            offer = await self.till.offer(shop.till, card.code, due) if redeems else None
            rung = await self.till.ring(shop.till, card.code, due, offer=offer)
        except httpx.HTTPError as fault:
            self._fail(f"{shop.till.venue}: {_said_by(fault)}")
            return None
        self.news.receipts.append(rung)
        if rung.accepted:
            self._say("receipt", f"{phone.name}: {rung.amount / 100:.2f} {rung.currency}")
        else:
            self._fail(f"{shop.till.venue}: {rung.status}: {rung.answer[:200]}")
        return rung

    async def ring_for_page(self, phone: Holder, card: ShownCard) -> str:
        """For the till button of the phone's page: what to show below it."""
        rung = await self.ring(phone, card, redeems=True)
        words = {
            "ru": ("чек № {number} на {amount}", "чек не прошёл", "не отвечает"),
            "en": ("receipt {number}, {amount}", "the receipt was refused", "does not answer"),
        }[phone.language]
        if rung is None:
            return words[2]
        if not rung.accepted:
            return f"{words[1]}: {rung.status} {rung.answer[:200]}"
        amount = f"{rung.amount // 100} {rung.currency}"
        told = words[0].format(number=rung.number, amount=amount)
        return f"{told}: {offer}" if (offer := rung.redeemed(phone.language)) else told

    async def stop(self) -> None:
        """Switch every phone off."""
        for phone in self.androids:
            phone.stop()
        await asyncio.gather(*(each.stop() for each in self.phones))
        await self._client.aclose()

    def _fail(self, text: str) -> None:
        self.news.failures.append(text)
        self._say("failed", text)

    def _say(self, kind: News, text: str) -> None:
        if self._said_to is not None:
            self._said_to(kind, text)


def _said_by(fault: Exception) -> str:
    return str(fault) or type(fault).__name__


def shops_from_json(document: Sequence[dict[str, str]]) -> tuple[Shop, ...]:
    """``[{"install_link": …, "venue": …, "key": …, "currency": "RUB"}]`` as :class:`Shop` values."""
    return tuple(
        Shop(
            entry["install_link"],
            TillKey(entry.get("venue", ""), entry["key"], entry.get("currency", "RUB")),
        )
        for entry in document
    )
