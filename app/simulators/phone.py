"""An iPhone with Wallet: installs passes like a guest, keeps them up to date like iOS, shows a lock screen.

Everything runs in one event loop. The order of things is passd's: register, list at once, keep the tag before
the download, store Last-Modified only after the card was written.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import httpx
from cryptography import x509

from app.simulators.guest_browser import Guest, find_pass
from app.simulators.lock_screen import Banner
from app.simulators.pass_service import PassService, WebService
from app.simulators.passd import Passd
from app.simulators.phone_clock import PhoneClock
from app.simulators.phone_patience import Patience, Thresholds
from app.simulators.pkpass import InvalidPass, Language, Pkpass, open_pkpass
from app.simulators.push_line import PushLine

# iOS's own lengths are unknown; these grow as its ten levels are said to.
BACK_OFF = (5.0, 15.0, 60.0, 180.0, 600.0, 1800.0, 3600.0, 7200.0, 14400.0, 28800.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneSettings:
    """What phones are like. Seconds are those of the phone's clock."""

    root: Path  # PEM of the authority that passes must chain to
    push_service: str = ""  # control URL of the push simulator; empty: pushes never come
    language: Language = "ru"
    allow_http: bool = False  # the developer switch that tolerates an http webServiceURL
    clock_factor: float = 1.0
    thresholds: Thresholds = field(default_factory=Thresholds)
    limit_rate: bool = True  # the developer switch that disables iOS's rate limit
    back_off: tuple[float, ...] = BACK_OFF
    time_out: float = 30.0  # true seconds


@dataclass(slots=True)
class Card:
    """A pass in Wallet."""

    wallet_pass: Pkpass
    installed_at: datetime
    authentication_token: str  # as installed: an update cannot change it
    service: WebService | None  # None: the pass has no web service
    last_modified: str | None = None  # verbatim, of what is installed
    changed_at: float = 0.0
    registered: bool = False
    updates_on: bool = True
    page: str = ""  # its address in the browser, where it came from a page

    @property
    def key(self) -> tuple[str, str]:
        """(pass type identifier, serial number): what makes it one and the same pass."""
        return self.wallet_pass.pass_type_identifier, self.wallet_pass.serial_number

    @property
    def code(self) -> str:
        """What a till reads; empty where the card shows none."""
        barcode = self.wallet_pass.barcode
        return str(barcode["message"]) if barcode else ""


class Phone:
    """One phone. :meth:`start` first, :meth:`stop` last; every method belongs to the same event loop."""

    def __init__(
        self, name: str, settings: PhoneSettings, *, client: httpx.AsyncClient | None = None
    ) -> None:
        """``client`` (of httpx) brings its own trust; without one the system's is used."""
        self.name = name
        self.settings = settings
        self.language: Language = settings.language
        self.clock = PhoneClock(settings.clock_factor)
        self.cards: dict[tuple[str, str], Card] = {}
        self.services: dict[tuple[str, str, str], WebService] = {}
        self.patience: dict[str, Patience] = {}
        self.push_tokens: dict[str, str] = {}
        self.banners: list[Banner] = []  # newest last
        self.alerts: list[str] = []
        self.journal: list[tuple[datetime, str, str]] = []  # when, what, about what
        self.offline = False
        self.observers: list[Callable[[], None]] = []  # told after every visible change
        self._root = x509.load_pem_x509_certificate(settings.root.read_bytes())
        self._own_client = client is None
        self._client = client or httpx.AsyncClient(timeout=settings.time_out)
        self._line = PushLine(settings.push_service, self._heard) if settings.push_service else None
        self.requests = PassService(self._client, lambda: not self.offline)
        self.passd = Passd(self)

    async def start(self) -> None:
        """Switch on: pushes come from now on."""
        if self._line is not None:
            self._line.start()

    async def stop(self) -> None:
        """Switch off; what it holds stays in memory."""
        await self.passd.stop()
        if self._line is not None:
            await self._line.stop()
        if self._own_client:
            await self._client.aclose()

    async def install_from_page(self, link: str, guest: Guest) -> Card:
        """What a guest does: open ``link``, fill the form, tap the button, add the pass.

        Raises :class:`~app.simulators.guest_browser.InstallFailed`, :class:`InvalidPass` or httpx's errors.
        """
        found = await find_pass(self._client, link, guest)
        card = self.install(found.data)
        card.page = found.page
        return card

    def install(self, data: bytes) -> Card:
        """Add a .pkpass; raises :class:`InvalidPass`. The same pass again replaces the old one."""
        wallet_pass = self.open(data)
        document = wallet_pass.document
        service = None
        if url := document.get("webServiceURL"):
            topic = wallet_pass.pass_type_identifier
            record = (topic, str(document["teamIdentifier"]), url)
            service = self.services.get(record)
            if service is None:
                service = self.services[record] = WebService(topic, url, self._push_token(topic))
        key = (wallet_pass.pass_type_identifier, wallet_pass.serial_number)
        card = Card(
            wallet_pass, self.clock.now(), str(document.get("authenticationToken", "")), service,
            changed_at=self.clock.seconds(),
        )  # fmt: skip
        self.cards[key] = card
        self.note("added", wallet_pass.serial_number)
        if service is not None:
            self.passd.register(card)
        self.show()
        return card

    def open(self, data: bytes) -> Pkpass:
        """Verify and read a .pkpass as this phone does; raises :class:`InvalidPass`."""
        return open_pkpass(data, root=self._root, now=self.clock.now(), allow_http=self.settings.allow_http)

    def pull_to_refresh(self, card: Card) -> None:
        """The holder pulls the pass down: it is asked for directly, without a list call."""
        self.note("refreshed", card.key[1])
        self.passd.refresh(card)

    def delete(self, card: Card) -> None:
        """Remove the pass from Wallet; the service is told, now or when there is a network again."""
        if self.cards.get(card.key) is card:
            del self.cards[card.key]
        self.note("removed", card.key[1])
        self.passd.unregister(card)
        self.show()

    def switch_updates(self, card: Card, *, on: bool) -> None:
        """The switch "Automatic Updates" on the back of the pass."""
        if card.updates_on == on:
            return
        card.updates_on = on
        self.note("updates_on" if on else "updates_off", card.key[1])
        if card.service is not None:
            self.passd.register(card) if on else self.passd.unregister(card)
        self.show()

    async def switch_network(self, *, on: bool) -> None:
        """Flight mode: without a network nothing is sent and Apple keeps the newest push."""
        if self.offline == (not on):
            return
        self.offline = not on
        self.note("network_on" if on else "network_off")
        if self._line is not None:
            if on:
                self._line.start()
            else:
                await self._line.stop()
        self.show()

    def cut_off(self, pass_type_identifier: str) -> None:
        """iOS had enough: updates go off for every pass of the type, and the holder is told."""
        cards = [card for card in self.cards.values() if card.key[0] == pass_type_identifier]
        name = cards[0].wallet_pass.document["organizationName"] if cards else pass_type_identifier
        words = {
            "ru": f"«{name}» присылает слишком много обновлений. Автообновление выключено.",
            "en": f"“{name}” sends too many updates. Automatic updates were switched off.",
        }
        self.alerts.append(words[self.language])
        for card in cards:
            self.switch_updates(card, on=False)
        self.patience.pop(pass_type_identifier, None)
        self.show()

    def pushed(self, topic: str) -> None:
        """A push for ``topic`` reached the phone."""
        self.note("pushed", topic)
        self.passd.pushed(topic)

    async def settle(self, seconds: float = 10.0) -> None:
        """Wait until nothing is under way; raises TimeoutError after so many true seconds."""
        await self.passd.settle(seconds)

    @property
    def log_lines(self) -> list[str]:
        """Every line that the phone wrote into the service's log so far, sent or not."""
        return self.passd.log_lines

    def note(self, event: str, detail: str = "") -> None:
        """Enter something into the journal that the phone's page shows; it has the words for ``event``."""
        self.journal.append((self.clock.now(), event, detail))
        del self.journal[:-200]

    def show(self) -> None:
        """Tell the observers that there is something new to see."""
        for observer in tuple(self.observers):
            observer()

    def _push_token(self, topic: str) -> str:
        token = self.push_tokens.get(topic)
        if token is None:
            token = self.push_tokens[topic] = secrets.token_hex(32)
            if self._line is not None:
                self._line.add(token, topic)
        return token

    def _heard(self, token: str, topic: str) -> None:
        if self.push_tokens.get(topic) == token:
            self.pushed(topic)


__all__ = ["BACK_OFF", "Card", "InvalidPass", "Phone", "PhoneSettings"]
