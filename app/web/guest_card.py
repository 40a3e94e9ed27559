"""The card's page and its download.

The page's address is the guest's key to the card: a second phone that opens it gets the same card. It lives
as long as the card, and ends with it or with a new link version. The page is drawn anew whenever the card
has changed, and only then: a page that is open asks every few seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, request
from flask_babel import gettext as _

from app.loyalty.enrolment import Enrolment
from app.passes import issuing
from app.passes.content import Message
from app.passes.issuing import WalletPass
from app.passes.layout import Design
from app.passes.looks import look_number
from app.web import card_app, card_face, qr
from app.web.card_poll import PAGE_HEADERS, etag_of, is_known
from app.web.code_sending import asks_holders
from app.web.device_kind import device_kind
from app.web.guest_google import GoogleOffer, GoogleWay
from app.web.guest_pages import (
    HEADERS,
    Designs,
    Gone,
    Place,
    address,
    files_at,
    find_place,
    language_switch,
    notice,
    page,
)
from app.web.language import current_language, spell_moment
from app.web.links import Links
from app.web.living_cards import living
from app.web.services import Services

PKPASS = "application/vnd.apple.pkpass"
"""Apple, "Distributing and updating a pass": Safari opens Wallet for this type alone."""


@dataclass(frozen=True, slots=True)
class _ShownMessage:
    at: str
    when: str
    text: str


class CardPage:
    """The views; each opens the transactions it needs."""

    def __init__(self, services: Services, links: Links, designs: Designs, google: GoogleWay) -> None:
        self._services, self._links, self._designs, self._google = services, links, designs, google

    def add_to(self, blueprint: Blueprint) -> None:
        """Route the views."""
        blueprint.add_url_rule("/i/<code>/card/<token>", "card", self.show, methods=["GET"])
        blueprint.add_url_rule("/i/<code>/pass/<token>.pkpass", "pkpass", self.download, methods=["GET"])

    def show(self, code: str, token: str) -> Response:
        """What the card says now, with the way into this device."""
        if card_app.is_home(token):
            return self._lost(code)
        named, now = self._links.read_card(token), self._services.clock()
        self._google.prepare(code, named)
        with self._services.database.read() as tx:
            place = find_place(tx, code)
            card = living(tx, place, named)
            # Before what is drawn: a change between the two makes the page newer than its name, never older.
            etag = etag_of(tx, place.link.code, named, request.environ, now=now) if named else None
            wallet_pass = issuing.wallet_pass(tx, card.pass_id)
            design = self._designs.design(tx, wallet_pass.design_id)
            proves = asks_holders(tx, self._services, place.brand, card.member_id)
            google = self._google.offer(tx, place, card)
        if etag is None:
            raise Gone(place.brand, place)
        if is_known(etag, request.environ):
            answer = Response(status=304)
        else:
            answer = self._drawn(place, card, wallet_pass, design, etag, proves, google, now=now)
        answer.headers.update(PAGE_HEADERS)
        answer.headers["ETag"] = etag
        return answer

    def _drawn(
        self,
        place: Place,
        card: Enrolment,
        wallet_pass: WalletPass,
        design: Design,
        etag: str,
        proves: bool,
        google: GoogleOffer | None,
        *,
        now: datetime,
    ) -> Response:
        language, content, code = current_language(), wallet_pass.content, place.link.code
        device = device_kind(request.headers.get("User-Agent", ""))
        elsewhere = device in ("desktop", "ipad")
        token = self._links.card_token(card.id, card.card_link_version)
        own = address(self._links.card_url(code, card.id, card.card_link_version))
        download = self._links.download_token(card.id, card.card_link_version, now=now)
        home = card_app.home(code, token)
        return page(
            "card",
            brand=place.brand,
            scripted=True,
            switch=language_switch(f"/i/{code}/card/{token}"),
            app={
                "style": card_app.STYLE_ADDRESS,
                "script": card_app.SCRIPT_ADDRESS,
                "worker": card_app.worker_address(code),
                "home": home,
                # Safari puts the page's own address on the home screen, where no worker of Safari's would be.
                "manifest": f"{home}.webmanifest?lang={language}" if device not in ("iphone", "ipad") else "",
                "edition": etag,
                "colour": card_app.colour(design, look_number(design.layout, content)),
                "icon": card_app.icon_address(code, design, card_app.ICON_SIZES[0]),
            },
            face=card_face.draw(design, content, language, files_at=files_at(place, design)),
            device=device,
            google=google,
            code_svg="" if content.blocked else qr.inline_svg(content.card_code),
            card_code="" if content.blocked else content.card_code,
            hand_over_svg=qr.inline_svg(own) if elsewhere else "",
            own=own,
            next=address(f"/i/{code}/next/{token}"),
            next_state=address(f"/i/{code}/next/{token}/state"),
            download=address(f"/i/{code}/pass/{download}.pkpass"),
            number_page=address(f"/i/{code}/number/{token}") if proves else "",
            stop=address(self._links.stop_path(wallet_pass.id, wallet_pass.key_version)),
            messages=[self._message(message, place) for message in content.messages],
        )

    def _lost(self, code: str) -> Response:
        """The home screen's icon leads here where the worker, and with it the card, is no longer kept."""
        with self._services.database.read() as tx:
            place = find_place(tx, code)
            look = self._designs.look(tx, place)
        return notice(
            404,
            _("The card is not on this device any more"),
            _("Open its link once more, or scan the code in the venue again."),
            place=place,
            look=look,
            href=address(f"/i/{place.link.code}"),
            action=_("Go to the start"),
        )

    def download(self, code: str, token: str) -> Response:
        """The signed pass as it is now, for Wallet."""
        named = self._links.read_download(token, now=self._services.clock())
        with self._services.database.read() as tx:
            place = find_place(tx, code)
            if named is None:
                return notice(
                    410,
                    _("This download has expired"),
                    _("Go back to the card’s page, load it again and press the button there."),
                    place=place,
                    look=self._designs.look(tx, place),
                )
            card = living(tx, place, named)
            bundle = self._services.build_pass(tx, card.pass_id)
        headers = HEADERS | {"Content-Disposition": f'attachment; filename="{place.brand.slug}.pkpass"'}
        return Response(bundle, 200, headers, mimetype=PKPASS)

    def _message(self, message: Message, place: Place) -> _ShownMessage:
        language = current_language()
        return _ShownMessage(
            message.at.isoformat(timespec="seconds"),
            spell_moment(message.at, language, place.brand.time_zone),
            message.text.in_language(language),
        )
