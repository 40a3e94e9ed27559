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
from app.web.guest_of_card import MAX_FORM, PageOfCard
from app.web.guest_pages import (
    CODE_SCRIPT_ADDRESS,
    HEADERS,
    PHONE_SCRIPT_ADDRESS,
    Gone,
    Place,
    address,
    language_switch,
    page,
    remote_address,
)
from app.web.language import current_language


class NumberPage(PageOfCard):
    """The views."""

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
        with self._services.database.read() as tx:
            return self._place_and_card(tx, code, token)

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
            face = self._face(tx, place, card)
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
            face=face,
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
        with self._services.database.read() as tx:
            face = self._face(tx, place, card)
        rest = math.ceil((sent_at + PAUSE - now).total_seconds()) if sent_at else 0
        return page(
            "code",
            status,
            brand=place.brand,
            scripted=True,
            face=face,
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
