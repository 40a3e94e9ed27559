"""What comes after the card: is it in the phone, when is the birthday, which other phone shall have it.

::

    GET  /i/{code}/next/{token}           the page; ``later`` leaves the birthday out
    GET  /i/{code}/next/{token}/state     when a phone last registered the card: a number that grows
    POST /i/{code}/next/{token}/birthday  month and day; then 303 to the page, as GET gives it at once

The token is the card's. Nothing here is needed for the card to work, so every step can be left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from babel.dates import format_date, get_month_names
from flask import Blueprint, Response, redirect, request

from app.db import Tx
from app.db.identifiers import WalletPassId
from app.errors import BadInput, NotFound
from app.loyalty import members
from app.loyalty.enrolment import Enrolment
from app.passes import google_cards, holders
from app.web import qr
from app.web.card_face import CardFace
from app.web.device_kind import device_kind
from app.web.guest_google import GoogleOffer, GoogleWay, saved_at
from app.web.guest_limits import GuestLimits
from app.web.guest_of_card import MAX_FORM, PageOfCard
from app.web.guest_pages import (
    HEADERS,
    Designs,
    Gone,
    Place,
    address,
    language_switch,
    page,
    remote_address,
)
from app.web.language import Language, current_language
from app.web.links import Links
from app.web.services import Services

_LEAP_YEAR = 2024  # one that has every day


@dataclass(frozen=True, slots=True)
class _Known:
    """What the page is drawn from."""

    place: Place
    card: Enrolment
    added: bool  # some phone holds the card, though maybe not the one that asks
    google: GoogleOffer | None
    birthday: str | None  # "MM-DD"
    face: CardFace


class NextPage(PageOfCard):
    """The views."""

    def __init__(
        self, services: Services, links: Links, limits: GuestLimits, designs: Designs, google: GoogleWay
    ) -> None:
        super().__init__(services, links, limits, designs)
        self._google = google

    def add_to(self, blueprint: Blueprint) -> None:
        """Route the views."""
        path = "/i/<code>/next/<token>"
        blueprint.add_url_rule(path, "next", self.show, methods=["GET"])
        blueprint.add_url_rule(f"{path}/state", "next_state", self.state, methods=["GET"])
        blueprint.add_url_rule(f"{path}/birthday", "birthday", self.keep_birthday, methods=["POST"])
        blueprint.add_url_rule(f"{path}/birthday", "birthday_again", self.show_again, methods=["GET"])

    def show(self, code: str, token: str) -> Response:
        """Where the guest is now, and what can be done next."""
        return self._page(self._known(code, token), token)

    def state(self, code: str, token: str) -> Response:
        """When the card last came into a wallet, in milliseconds; 0 where it is in none.

        Guests' pages ask again and again, and compare: of the phones that hold the card, the one that asks
        is known only by a registration that came after it had asked before.
        """
        with self._services.database.read() as tx:
            _place, card = self._place_and_card(tx, code, token)
            newest = _newest_registration(tx, card.pass_id)
        return Response(str(newest), 200, HEADERS, mimetype="text/plain")

    def show_again(self, code: str, token: str) -> Response:
        """Whoever loads the address of the form once more, or follows it from elsewhere, finds the page."""
        with self._services.database.read() as tx:
            place, _card = self._place_and_card(tx, code, token)
        return _see_other(address(_path(place, token)) + "#birthday")

    def keep_birthday(self, code: str, token: str) -> Response:
        """Month and day, however often they are sent."""
        request.max_content_length = MAX_FORM
        said = {name: request.form.get(name, "") for name in ("month", "day")}
        known = self._known(code, token)
        self._limits.count_form(remote_address())
        try:
            month, day = (int(each) if each.isdecimal() and len(each) < 3 else 0 for each in said.values())
            with self._services.database.write() as tx:
                members.set_birthday(tx, known.card.member_id, month=month, day=day)
        except BadInput:
            return self._page(known, token, said=said, status=422)
        except NotFound:  # forgotten since the card was read
            raise Gone(known.place.brand, known.place) from None
        return _see_other(address(_path(known.place, token), done="1") + "#birthday")

    def _known(self, code: str, token: str) -> _Known:
        self._google.prepare(code, self._links.read_card(token))
        with self._services.database.read() as tx:
            place, card = self._place_and_card(tx, code, token)
            google = self._google.offer(tx, place, card)
            added = _newest_registration(tx, card.pass_id) > 0
            birthday = members.birthday(tx, card.member_id)
            return _Known(place, card, added, google, birthday, self._face(tx, place, card))

    def _page(
        self, known: _Known, token: str, *, said: dict[str, str] | None = None, status: int = 200
    ) -> Response:
        code, card, language = known.place.link.code, known.card, current_language()
        own = address(self._links.card_url(code, card.id, card.card_link_version))
        download = self._links.download_token(card.id, card.card_link_version, now=self._services.clock())
        path = _path(known.place, token)
        return page(
            "next",
            status,
            brand=known.place.brand,
            scripted=True,
            switch=language_switch(path),
            card_page=address(f"/i/{code}/card/{token}"),
            state_address=address(f"{path}/state"),
            added=known.added,
            google=known.google,
            device=device_kind(request.headers.get("User-Agent", "")),
            download=address(f"/i/{code}/pass/{download}.pkpass"),
            face=known.face,
            own=own,
            own_svg=qr.inline_svg(own),
            birthday={
                "action": address(f"{path}/birthday"),
                "said": said,
                "kept": _spell_day(known.birthday, language) if known.birthday else "",
                "later": "later" in request.args,
                "leave_out": address(path, later="1"),
                "months": _months(language),
            },
        )


def _path(place: Place, token: str) -> str:
    return f"/i/{place.link.code}/next/{token}"


def _see_other(location: str) -> Response:
    answer = redirect(location, 303)
    answer.headers.update(HEADERS)
    return answer  # type: ignore[return-value]


def _newest_registration(tx: Tx, pass_id: WalletPassId) -> int:
    """When a device last registered the pass, or Google took it in, in milliseconds; 0 where none has it."""
    held = holders.of_passes(tx, [pass_id])
    apple = max((int(one.registered_at.timestamp() * 1000) for one in held), default=0)
    return max(apple, saved_at(google_cards.card(tx, pass_id)))


def _months(language: Language) -> list[str]:
    names = get_month_names("wide", context="stand-alone", locale=language)
    return [names[number].capitalize() for number in range(1, 13)]


def _spell_day(birthday: str, language: Language) -> str:
    month, day = birthday.split("-")
    return str(format_date(date(_LEAP_YEAR, int(month), int(day)), "d MMMM", locale=language))
