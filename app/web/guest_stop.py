"""The page behind the link on the back of the pass, where its guest ends their consent to advertising.

::

    GET  /i/-/stop/{token}   what will end, and one button
    POST /i/-/stop/{token}   ends it; then 303 to the page

The token is the pass's own. Whoever only looks changes nothing: mail programs and messengers open links too.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from flask import Blueprint, Response, redirect
from flask_babel import gettext as _

from app.accounts import brands
from app.accounts.brands import Brand
from app.db import Tx
from app.errors import NotFound
from app.loyalty import consents, members
from app.loyalty.enrolment import Enrolment, enrolment, enrolment_of_pass
from app.passes import issuing
from app.web.guest_limits import GuestLimits
from app.web.guest_pages import HEADERS, Gone, address, language_switch, page, remote_address
from app.web.language import choose_language, current_language
from app.web.links import STOP_PATH, Links, StopToken
from app.web.services import Services

SOURCE = "link on the card"
"""How the evidence names this page."""


@dataclass(frozen=True, slots=True)
class _Known:
    """Whose consent it is about."""

    brand: Brand
    card: Enrolment
    agreed: bool


class StopPage:
    """The views; each opens the transactions it needs."""

    def __init__(self, services: Services, links: Links, limits: GuestLimits) -> None:
        self._services, self._links, self._limits = services, links, limits

    def add_to(self, blueprint: Blueprint) -> None:
        """Route the views."""
        path = f"{STOP_PATH}/<token>"
        blueprint.add_url_rule(path, "stop", self.show, methods=["GET"])
        blueprint.add_url_rule(path, "stop_now", self.stop, methods=["POST"])

    def show(self, token: str) -> Response:
        """What will end with one tap, or that it has ended."""
        named = self._links.read_stop(token)
        with self._services.database.read() as tx:
            known = _known(tx, named)
        path = f"{STOP_PATH}/{token}"
        return page(
            "stop",
            brand=known.brand,
            switch=language_switch(path),
            agreed=known.agreed,
            action=address(path),
            words=_words(known.brand),
        )

    def stop(self, token: str) -> Response:
        """End the consent, however often it is asked for."""
        named = self._links.read_stop(token)
        with self._services.database.read() as tx:
            known = _known(tx, named)
        self._limits.count_form(remote_address())
        if known.agreed:
            words = _words(known.brand)
            now = self._services.clock()
            with self._services.database.write() as tx:
                consents.withdraw(
                    tx,
                    known.card.member_id,
                    purpose="advertising",
                    source=SOURCE,
                    text=words,
                    text_version=f"stop-{hashlib.sha256(words.encode()).hexdigest()[:12]}",
                    language=current_language(),
                    now=now,
                )
                # The guest may have another card with this number: the page promises no more texts to it.
                if number := members.proved_phone(tx, known.card.member_id):
                    consents.withdraw_by_number(
                        tx, known.brand.id, number, source=SOURCE, text=words, now=now
                    )
        answer = redirect(address(f"{STOP_PATH}/{token}"), 303)
        answer.headers.update(HEADERS)
        return answer  # type: ignore[return-value]


def _known(tx: Tx, named: StopToken | None) -> _Known:
    """NotFound where the link is none of ours, Gone where its card has ended or its key moved on."""
    if named is None:
        raise NotFound("no-such-card", "There is no such card.")
    wallet_pass = issuing.wallet_pass(tx, named.pass_id)
    card = enrolment_of_pass(tx, named.pass_id)
    brand = brands.brand(tx, card.brand_id)
    choose_language(brand.language)
    while card.merged_into_id is not None:  # the guest's other card lives on, and its consents with it
        card = enrolment(tx, card.merged_into_id)
    if card.ended_at is not None or wallet_pass.key_version != named.key_version:
        raise Gone(brand)
    agreed = bool(consents.allowing(tx, [card.member_id], "advertising"))
    return _Known(brand, card, agreed)


def _words(brand: Brand) -> str:
    """What the guest reads above the button: evidence."""
    words: str = _(
        "%(brand)s will send you no more offers and news, neither on the card nor by text message. The card"
        " stays as it is, with everything on it.",
        brand=brand.name,
    )
    return words
