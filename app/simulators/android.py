"""A phone with Android and Google Wallet: it has nothing of the service's, only what Google holds.

Its card is a class and an object of the Google simulator, its notifications are lines of Google's ledger.
Everything runs in the event loop of the simulator.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from app.simulators.android_browser import save_card
from app.simulators.google_notices import Notice
from app.simulators.google_server import GoogleSimulator
from app.simulators.guest_browser import Guest
from app.simulators.pkpass import Language

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class GoogleCard:
    """What Google has to draw a card."""

    card: Body  # the loyalty object
    common: Body  # its class

    @property
    def id(self) -> str:
        """Of the object."""
        return str(self.card["id"])

    @property
    def key(self) -> tuple[str, str]:
        """What makes it one and the same card."""
        return "google", self.id

    @property
    def code(self) -> str:
        """What a till reads; empty where the card shows none."""
        return str(self.card.get("barcode", {}).get("value", ""))


class AndroidPhone:
    """One phone; every method belongs to the simulator's event loop."""

    def __init__(
        self,
        name: str,
        account: str,
        google: GoogleSimulator,
        *,
        client: httpx.AsyncClient,
        language: Language = "ru",
    ) -> None:
        """``account`` is the Google account that is signed in; ``client`` its way to the network."""
        self.name, self.account, self.language = name, account, language
        self.observers: list[Callable[[], None]] = []  # told after every visible change
        self.journal: list[tuple[datetime, str, str]] = []  # when, what, about what
        self._google, self._client = google, client
        self._images: dict[str, bytes] = {}
        self._seen: dict[str, GoogleCard] = {}
        self._noted = 0.0  # UNIX seconds of the newest notice in the journal
        google.state.observers.append(self._look)

    def stop(self) -> None:
        """Switch off: nothing at Google concerns it any more."""
        if self._look in self._google.state.observers:
            self._google.state.observers.remove(self._look)

    async def save_from_page(self, link: str, guest: Guest) -> None:
        """What a guest does: open ``link``, fill the form, tap the button, save the card at Google.

        Raises :class:`~app.simulators.guest_browser.InstallFailed` or httpx's errors.
        """
        await save_card(self._client, link, guest, self.account)

    @property
    def cards(self) -> list[GoogleCard]:
        """As they stand at Google now, in the order in which they were saved."""
        resources = self._google.state.resources
        return [
            GoogleCard(body := resources.objects[identifier], resources.classes[body["classId"]])
            for identifier, holders in resources.holders.items()
            if self.account in holders
        ]

    def notices(self) -> list[Notice]:
        """Google's ledger of the cards it holds, newest last."""
        mine = {each.id for each in self.cards}
        return [each for each in self._google.state.notices.all if each.target in mine]

    def is_muted(self, card: GoogleCard) -> bool:
        """Whether this card's notifications are switched off."""
        return card.id in self._google.state.notices.muted

    def mute(self, card: GoogleCard, *, muted: bool) -> None:
        """The switch on the card's back."""
        known = self._google.state.notices.muted
        (known.add if muted else known.discard)(card.id)
        self._note("muted" if muted else "unmuted", card.id)
        self.show()

    def remove(self, card: GoogleCard) -> None:
        """The guest deletes the card; Google tells the issuer."""
        self._google.page.remove(card.id, self.account)

    async def image(self, address: str) -> bytes | None:
        """A picture as Google serves it: fetched once, kept for good; None where there is none."""
        if address not in self._images:
            try:
                answer = await self._client.get(address)
            except httpx.HTTPError:
                return None
            if answer.status_code != 200:
                return None
            self._images[address] = answer.content
        return self._images[address]

    def show(self) -> None:
        """Tell the observers that there is something new to see."""
        for observer in tuple(self.observers):
            observer()

    def _look(self) -> None:
        """Something changed at Google: enter what concerns this phone into its journal."""
        now = {each.id: each for each in self.cards}
        if now == self._seen and not self._news():
            return
        for identifier in now.keys() - self._seen.keys():
            self._note("added", identifier)
            before_it = [each.at for each in self.notices() if each.target == identifier]
            self._noted = max(self._noted, *before_it, 0.0)  # those were for nobody
        for identifier in self._seen.keys() - now.keys():
            self._note("removed", identifier)
        for identifier, card in now.items():
            before = self._seen.get(identifier)
            if before is not None and before != card:
                self._note("updated", identifier)
        for notice in self._news():
            self._note(notice.outcome, notice.target)
            self._noted = notice.at
        self._seen = now
        self.show()

    def _news(self) -> list[Notice]:
        return [each for each in self.notices() if each.at > self._noted]

    def _note(self, event: str, detail: str) -> None:
        self.journal.append((datetime.now(UTC), event, detail))
        del self.journal[:-200]
