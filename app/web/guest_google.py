"""The way of a guest's card into Google Wallet.

::

    GET /i/{code}/google/{token}   to Google's page that saves the card; the token is the download's

The card is at Google before its link is shown, so that what Google minds is our trouble and not the guest's:
it is promised where the guest gets the card (prepare), the worker inserts it with no transaction open (send)
and writes down that it did (settle); whoever asks for the page meanwhile is kept waiting for a moment at
most, and sees the card in the browser in any case. What Google signs nothing for, we do: our link ends after
a day, and each tap makes a new one of Google's, under 1,800 characters.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Final

import structlog
from flask import Blueprint, Response, redirect, request
from flask_babel import gettext as _

from app.accounts.brands import Brand
from app.db import Tx
from app.db.failures import NO_DATABASE
from app.db.identifiers import BrandId, WalletPassId
from app.errors import Conflict, NotFound
from app.google.save_link import save_link
from app.loyalty.enrolment import Enrolment
from app.passes import google_cards
from app.passes.google_cards import GoogleCard
from app.web.device_kind import device_kind, is_prefetch
from app.web.guest_pages import HEADERS, Designs, Place, address, find_place, notice
from app.web.links import CardToken, Links
from app.web.living_cards import living
from app.web.services import Services

PATIENCE: Final = 2.0
"""Seconds that a page waits for Google: the worker needs some tenths, Google itself seldom more than one."""
_LOOK: Final = 0.05
_DEVICES: Final = ("android", "desktop")
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class GoogleOffer:
    """What a page offers: a link that works, or that there will be one in a moment."""

    href: str  # "": not yet
    added: bool  # somebody holds the card in Google Wallet
    saved_at: int  # milliseconds; 0 where nobody does


class GoogleWay:
    """What guests' pages share about Google Wallet; opens the transactions it needs."""

    def __init__(self, services: Services, links: Links, designs: Designs) -> None:
        """Of the threads that serve pages a quarter may wait for Google at a time: the others go on."""
        self._services, self._links, self._designs = services, links, designs
        self._waiting = threading.BoundedSemaphore(max(1, services.threads // 4))

    def add_to(self, blueprint: Blueprint) -> None:
        """Route the view."""
        blueprint.add_url_rule("/i/<code>/google/<token>", "google", self.follow, methods=["GET"])

    def promise(self, tx: Tx, brand_id: BrandId, pass_id: WalletPassId) -> bool:
        """Have the card made at Google, where this guest may want it; True where the worker is to be rung."""
        google = self._services.google
        issuer = google.accounts.issuer_of(brand_id) if google and _is_for_google() else None
        if issuer is None:
            return False
        try:
            google_cards.ensure(tx, pass_id, brand_id=brand_id, issuer_id=issuer, now=self._services.clock())
        except (Conflict, NotFound):  # it is void, or its design has nothing for Google
            return False
        return True

    def ring(self, brand_id: BrandId) -> None:
        """After the commit of what may have been promised."""
        google = self._services.google
        if google and _is_for_google() and google.accounts.issuer_of(brand_id):
            self._services.wakeup.ring()

    def prepare(self, code: str, named: CardToken | None) -> None:
        """Have the card's link ready, if it can be within :data:`PATIENCE`; before the page is drawn."""
        google = self._services.google
        if google is None or named is None or not _is_for_google() or is_prefetch(request.headers):
            return
        if not google.accounts.issuers():
            return
        with self._services.database.read() as tx:
            place = find_place(tx, code)
            if google.accounts.issuer_of(place.brand.id) is None:
                return
            card = living(tx, place, named)
            known = google_cards.card(tx, card.pass_id)
        if known is None:
            known = self._begun(place.brand, card)
        if known is not None and known.is_begun:
            self._wait(card.pass_id)

    def offer(self, tx: Tx, place: Place, card: Enrolment) -> GoogleOffer | None:
        """What the page says of Google; None where it is silent."""
        google = self._services.google
        if google is None or not _is_for_google() or google.accounts.issuer_of(place.brand.id) is None:
            return None
        known = google_cards.card(tx, card.pass_id)
        if known is None or known.failed is not None:
            return None
        token = self._links.download_token(card.id, card.card_link_version, now=self._services.clock())
        return GoogleOffer(
            address(f"/i/{place.link.code}/google/{token}") if known.link_works else "",
            known.is_held,
            saved_at(known),
        )

    def follow(self, code: str, token: str) -> Response:
        """Google's page that saves this card."""
        named = self._links.read_download(token, now=self._services.clock())
        self.prepare(code, named)
        google = self._services.google
        with self._services.database.read() as tx:
            place = find_place(tx, code)
            look = self._designs.look(tx, place)
            card = living(tx, place, named) if named else None
            known = google_cards.card(tx, card.pass_id) if card else None
        if card is None:
            return notice(
                410,
                _("This link has expired"),
                _("Go back to the card’s page, load it again and press the button there."),
                place=place,
                look=look,
            )
        account = google.accounts.account(place.brand.id) if google and known else None
        if google is None or known is None or account is None or not known.link_works:
            answer = notice(
                503,
                _("Google Wallet is not ready yet"),
                _("Your card works in the browser meanwhile. Please try again in a few minutes."),
                place=place,
                look=look,
                href=address(f"/i/{code}/card/{self._links.card_token(card.id, card.card_link_version)}"),
                action=_("Open the card"),
            )
            answer.headers["Retry-After"] = "120"
            return answer
        link = save_link(account, [known.resource_id], now=self._services.clock(), url=google.save_url)
        away = redirect(link, 303)
        away.headers.update(HEADERS)
        return away  # type: ignore[return-value]

    def _begun(self, brand: Brand, card: Enrolment) -> GoogleCard | None:
        """Promise a card that was made for another device, or before the brand was at Google."""
        try:
            with self._services.database.write() as tx:
                promised = self.promise(tx, brand.id, card.pass_id)
                known = google_cards.card(tx, card.pass_id) if promised else None
        except NO_DATABASE as fault:  # the card itself can be read, and is shown
            log.warning("google_card_not_promised", fault=type(fault).__name__)
            return None
        if promised:
            self._services.wakeup.ring()
        return known

    def _wait(self, pass_id: WalletPassId) -> None:
        if not self._waiting.acquire(blocking=False):
            return
        try:
            until = time.monotonic() + PATIENCE
            while time.monotonic() < until:
                time.sleep(_LOOK)
                with self._services.database.read() as tx:
                    known = google_cards.card(tx, pass_id)
                if known is None or not known.is_begun:
                    return
        finally:
            self._waiting.release()


def saved_at(card: GoogleCard | None) -> int:
    """When somebody first had the card in Google Wallet, in milliseconds; 0 where nobody has it."""
    if card is None or card.first_saved_at is None or not card.is_held:
        return 0
    return int(card.first_saved_at.timestamp() * 1000)


def _is_for_google() -> bool:
    return device_kind(request.headers.get("User-Agent", "")) in _DEVICES
