"""The page where the holder of a card proves a number, for brands that have numbers proved.

::

    GET  /i/{code}/number/{token}   the number is asked for, or it is said that it is known
    POST /i/{code}/number/{token}   ``step`` as on the code's page: a code is sent, sent again, checked

The token is the card's. A card from before the brand asked, or from a form without a number, becomes the
guest's own for good here; where the number has a card already, the two become one.
"""

from __future__ import annotations

import math
from datetime import datetime

from flask import Blueprint, Response, redirect, request
from flask_babel import gettext as _

from app.errors import BadInput, NotFound, TooMany
from app.loyalty import codes, members, numbers
from app.loyalty.codes import CodeAsked
from app.loyalty.enrolment import Enrolment
from app.loyalty.phone_numbers import checked_phone
from app.passes import issuing
from app.web import card_face
from app.web.code_sending import asks_holders, needed_sender, send_code
from app.web.guest_code import (
    PAUSE,
    asked_at,
    refused_words,
    told_words,
    too_many_words,
    wrong_words,
)
from app.web.guest_form import phone_values, region, spelt
from app.web.guest_limits import GuestLimits
from app.web.guest_pages import (
    CODE_SCRIPT_ADDRESS,
    HEADERS,
    PHONE_SCRIPT_ADDRESS,
    Designs,
    Gone,
    Place,
    address,
    files_at,
    find_place,
    language_switch,
    page,
    remote_address,
)
from app.web.language import current_language
from app.web.links import Links
from app.web.living_cards import living
from app.web.services import Services

MAX_FORM = 4 * 1024


class NumberPage:
    """The views; each opens the transactions it needs."""

    def __init__(self, services: Services, links: Links, limits: GuestLimits, designs: Designs) -> None:
        self._services, self._links, self._limits, self._designs = services, links, limits, designs

    def add_to(self, blueprint: Blueprint) -> None:
        """Route the views."""
        path = "/i/<code>/number/<token>"
        blueprint.add_url_rule(path, "number", self.show, methods=["GET"])
        blueprint.add_url_rule(path, "number_step", self.step, methods=["POST"])

    def show(self, code: str, token: str) -> Response:
        """The form, or that the number is known."""
        place, card = self._known(code, token)
        return self._form(place, card, token)

    def step(self, code: str, token: str) -> Response:
        """A code sent, or entered."""
        request.max_content_length = MAX_FORM
        place, card = self._known(code, token)
        self._limits.count_form(remote_address())
        written, step = request.form.get("phone", ""), request.form.get("step", "")
        if step == "back":
            return self._form(place, card, token, written)
        try:
            number = checked_phone(written, region=region(place.brand.time_zone))
        except BadInput:
            number = None
        if number is None:
            wrong = _("This does not look like a mobile number yet. Include the country code.")
            return self._form(place, card, token, written, wrong)
        if step == "check":
            return self._check(place, card, token, number)
        return self._ask(place, card, token, number, again=step == "again")

    def _ask(self, place: Place, card: Enrolment, token: str, number: str, *, again: bool) -> Response:
        sender, now = needed_sender(self._services, place.brand), self._services.clock()
        with self._services.database.read() as tx:
            since = asked_at(tx, place, number, enrolment_id=card.id, now=now)
        if since is not None and now - since < PAUSE:
            told = told_words("early") if again else ""
            return self._code(place, card, token, number, sent_at=since, told=told)
        try:
            with self._services.database.write() as tx:
                asked = CodeAsked(
                    brand_id=place.brand.id,
                    venue_id=place.link.venue_id,
                    enrolment_id=card.id,
                    number=number,
                    address=remote_address(),
                )
                send_code(tx, self._services, place.brand, sender, asked)
        except BadInput as refused:
            return self._form(place, card, token, spelt(number), refused_words(refused))
        except TooMany as limit:
            seconds = math.ceil(limit.retry_after.total_seconds())
            _heading, words = too_many_words(seconds)
            answer = (
                self._code(place, card, token, number, sent_at=since, told=words, status=429)
                if again
                else self._form(place, card, token, spelt(number), words, status=429)
            )
            answer.headers["Retry-After"] = f"{seconds}"
            return answer
        self._services.wakeup.ring()
        told = told_words("again") if again else ""
        return self._code(place, card, token, number, sent_at=now, told=told)

    def _check(self, place: Place, card: Enrolment, token: str, number: str) -> Response:
        now = self._services.clock()
        proved: Enrolment | None = None
        with self._services.database.write() as tx:
            verdict = codes.check(
                tx,
                brand_id=place.brand.id,
                number=number,
                enrolment_id=card.id,
                digits=request.form.get("digits", ""),
                key=self._services.secret_key,
                now=now,
            )
            if verdict == "right":
                try:
                    proved = numbers.prove(tx, card.id, number, now=now, actor="guest")
                except NotFound:  # forgotten since the page was drawn
                    raise Gone(place.brand, place) from None
        if proved is not None:
            self._services.wakeup.ring()
            own = self._links.card_token(proved.id, proved.card_link_version)
            answer = redirect(address(f"/i/{place.link.code}/card/{own}"), 303)
            answer.headers.update(HEADERS)
            return answer  # type: ignore[return-value]
        with self._services.database.read() as tx:
            since = asked_at(tx, place, number, enrolment_id=card.id, now=now)
        return self._code(place, card, token, number, sent_at=since, wrong=wrong_words(verdict), status=422)

    def _known(self, code: str, token: str) -> tuple[Place, Enrolment]:
        named = self._links.read_card(token)
        with self._services.database.read() as tx:
            place = find_place(tx, code)
            return place, living(tx, place, named)

    def _form(
        self,
        place: Place,
        card: Enrolment,
        token: str,
        written: str = "",
        wrong: str = "",
        *,
        status: int = 0,
    ) -> Response:
        path = f"/i/{place.link.code}/number/{token}"
        with self._services.database.read() as tx:
            known = members.proved_phone(tx, card.member_id)
            asks = asks_holders(tx, self._services, place.brand, card.member_id)
        return page(
            "number",
            status or (422 if wrong else 200),
            brand=place.brand,
            scripted=True,
            switch=language_switch(path),
            action=address(path),
            card_page=address(self._links.card_url(place.link.code, card.id, card.card_link_version)),
            face=self._face(place, card),
            known=spelt(known) if known else "",
            phone=phone_values(place.brand, written) if asks else None,
            phone_script=PHONE_SCRIPT_ADDRESS if asks else "",
            errors={"phone": wrong} if wrong else {},
        )

    def _code(
        self,
        place: Place,
        card: Enrolment,
        token: str,
        number: str,
        *,
        sent_at: datetime | None,
        wrong: str = "",
        told: str = "",
        status: int = 200,
    ) -> Response:
        now = self._services.clock()
        rest = math.ceil((sent_at + PAUSE - now).total_seconds()) if sent_at else 0
        return page(
            "code",
            status,
            brand=place.brand,
            scripted=True,
            face=self._face(place, card),
            action=address(f"/i/{place.link.code}/number/{token}"),
            carried={"lang": current_language(), "phone": number},
            number=spelt(number),
            digits=codes.DIGITS,
            rest=max(0, rest),
            code_script=CODE_SCRIPT_ADDRESS,
            wrong=wrong,
            told=told,
            confirms=True,
        )

    def _face(self, place: Place, card: Enrolment) -> card_face.CardFace:
        with self._services.database.read() as tx:
            wallet_pass = issuing.wallet_pass(tx, card.pass_id)
            design = self._designs.design(tx, wallet_pass.design_id)
        files = files_at(place, design)
        return card_face.draw(design, wallet_pass.content, current_language(), files_at=files)
