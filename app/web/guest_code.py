"""The code that proves a number, for brands that ask for it: a text message, six digits, the card.

Between the form and the code what the guest wrote is nowhere but in their page: the code's page carries the
form's words along, and all of them are judged again. Nothing that is said depends on whether the number is a
member's. ``step`` tells what was pressed; without it the form was sent for the first time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from flask import Response, request
from flask_babel import gettext as _
from flask_babel import ngettext

from app.db import Tx
from app.delivery import texts
from app.delivery.texts import TextDraft
from app.errors import BadInput, Misconfigured, TooMany
from app.loyalty import codes, numbers
from app.loyalty.codes import CodeAsked, CodeLimits
from app.loyalty.enrolment import Enrolment
from app.sms.book import BrandTexts, Login, price_of
from app.sms.gateway import Gateway
from app.web import card_face, consent_texts, sms_budget
from app.web.code_text import code_text
from app.web.guest_enrolling import Enrolling, newcomers_card
from app.web.guest_form import FilledForm, spelt
from app.web.guest_pages import CODE_SCRIPT_ADDRESS, Designs, Place, address, files_at, page, remote_address
from app.web.language import current_language
from app.web.links import FormToken, Links
from app.web.services import Services

PAUSE = timedelta(minutes=1)
"""Until a guest may have another code sent: most messages take seconds."""
_MINUTE = 60

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Sender:
    """How a brand's texts leave."""

    brand: BrandTexts
    login: Login
    gateway: Gateway


class CodePage:
    """Answers the forms of brands that have numbers proved; opens the transactions it needs."""

    def __init__(
        self,
        services: Services,
        links: Links,
        designs: Designs,
        enrolling: Enrolling,
        *,
        form_page: Callable[..., Response],
    ) -> None:
        """``form_page(place, form, filled, status=…, trouble=…)`` shows the form again."""
        self._services, self._links, self._designs = services, links, designs
        self._enrolling, self._form_page = enrolling, form_page

    def answer(self, place: Place, form: FormToken, filled: FilledForm) -> Response:
        """What follows on a form without faults: the code's page, the card, or the form."""
        match request.form.get("step", ""):
            case "back":
                return self._form_page(place, form, filled)
            case "check":
                return self._check(place, form, filled)
            case step:
                return self._ask(place, form, filled, again=step == "again")

    def _ask(self, place: Place, form: FormToken, filled: FilledForm, *, again: bool) -> Response:
        """Have a code sent, unless one has just been."""
        sender, now = self._sender(place), self._services.clock()
        number = filled.number or ""
        with self._services.database.read() as tx:
            since = _asked_at(tx, place, form, number, now=now)
        if since is not None and now - since < PAUSE:
            return self._page(place, form, filled, sent_at=since, told="early" if again else "")
        try:
            with self._services.database.write() as tx:
                self._enrolling.record_seen(tx, place, form.visit.visit_id)
                self._enrolling.record(tx, place, form.visit.visit_id, "form")
                self._send(tx, place, form, number, sender)
        except BadInput as refused:
            filled.errors["phone"] = (
                _("We cannot send codes to numbers of this country.")
                if refused.code == "country-not-served"
                else _("We cannot send codes to this number. Please give a mobile number of your own.")
            )
            return self._form_page(place, form, filled, status=422)
        except TooMany as limit:
            seconds = math.ceil(limit.retry_after.total_seconds())
            if again:
                answer = self._page(place, form, filled, sent_at=since, told="many", wait=seconds, status=429)
            else:
                answer = self._form_page(place, form, filled, status=429, trouble=_too_many(seconds))
            answer.headers["Retry-After"] = f"{seconds}"
            return answer
        self._services.wakeup.ring()
        return self._page(place, form, filled, sent_at=now, told="again" if again else "")

    def _send(self, tx: Tx, place: Place, form: FormToken, number: str, sender: _Sender) -> None:
        """A code and the promise of its text; raises TooMany and BadInput as :func:`codes.ask` does."""
        now, brand = self._services.clock(), place.brand
        code = codes.ask(
            tx,
            CodeAsked(
                brand_id=brand.id,
                venue_id=place.link.venue_id,
                visit_id=form.visit.visit_id,
                number=number,
                address=remote_address(),
            ),
            limits=CodeLimits(countries=sender.brand.countries, brand_a_day=sender.brand.codes_a_day),
            key=self._services.secret_key,
            now=now,
        )
        words, measured = code_text(
            code.digits,
            brand_name=brand.name,
            public_url=self._services.public_url,
            measure=sender.gateway.measure,
        )
        price = price_of(sender.login, number, measured.parts)
        sms_budget.keep_to(tx, brand, sender.brand, price, now=now)
        delivery_id = texts.enqueue_text(
            tx,
            TextDraft(
                brand_id=brand.id,
                member_id=None,
                login=sender.login.name,
                kind="code",
                number=number,
                text=words,
                sender=sender.login.sender,
                encoding=measured.encoding,
                parts=measured.parts,
                price=price.amount if price else None,
                currency=price.currency if price else None,
                due_at=now,
                not_after=code.expires_at,
            ),
            now=now,
        )
        codes.sent_as(tx, code.id, delivery_id)

    def _check(self, place: Place, form: FormToken, filled: FilledForm) -> Response:
        """The card, or the code's page with what is wrong."""
        number, now = filled.number or "", self._services.clock()
        made: Enrolment | None = None
        with self._services.database.write() as tx:
            verdict = codes.check(
                tx,
                brand_id=place.brand.id,
                number=number,
                visit_id=form.visit.visit_id,
                digits=request.form.get("digits", ""),
                key=self._services.secret_key,
                now=now,
            )
            if verdict == "right":
                made = self._enrolling.enrol(tx, place, form, filled, verb=numbers.enrol_proved, proved=True)
            elif verdict == "over":  # or sent twice: the first one has the card
                made = self._enrolling.earlier(tx, form, number)
        if made is not None:
            return self._enrolling.to_card(place, made)
        with self._services.database.read() as tx:
            since = _asked_at(tx, place, form, number, now=now)
        return self._page(place, form, filled, sent_at=since, told=verdict, status=422)

    def _sender(self, place: Place) -> _Sender:
        """Raises :class:`Misconfigured` where the operator forgot whom the brand's texts leave by."""
        book = self._services.sms_book
        brand = book.brands.get(place.brand.slug) if book else None
        if book is None or brand is None:
            raise Misconfigured(
                f'brand {place.brand.slug} has numbers proved (asks_phone = "proved") and sends no texts:'
                " name it in the file of PERKPASS_SMS_FILE"
            )
        return _Sender(brand, book.logins[brand.login], self._services.gateways[brand.login])

    def _page(
        self,
        place: Place,
        form: FormToken,
        filled: FilledForm,
        *,
        sent_at: datetime | None,
        told: str = "",
        wait: int = 0,
        status: int = 200,
    ) -> Response:
        language, code, now = current_language(), place.link.code, self._services.clock()
        with self._services.database.read() as tx:
            design = self._designs.newest(tx, place)
            content = newcomers_card(tx, place)
        carried = {
            "form": self._links.form_token(code, form.visit, form.mark),
            "lang": language,
            "wording": consent_texts.wording(consent_texts.consent_texts(place.brand, language)),
            "name": filled.name,
            "phone": filled.phone,
            **dict.fromkeys(sorted(filled.ticked), "yes"),
        }
        rest = math.ceil((sent_at + PAUSE - now).total_seconds()) if sent_at else 0
        return page(
            "code",
            status,
            brand=place.brand,
            scripted=True,
            face=card_face.draw(design, content, language, files_at=files_at(place, design)),
            action=address(f"/i/{code}"),
            carried=carried,
            number=spelt(filled.number or ""),
            digits=codes.DIGITS,
            rest=max(0, rest),
            code_script=CODE_SCRIPT_ADDRESS,
            wrong=_wrong_words(told),
            told=_too_many(wait)[1] if wait else _told_words(told),
        )


def _asked_at(tx: Tx, place: Place, form: FormToken, number: str, *, now: datetime) -> datetime | None:
    """When the code that this guest can enter was asked for; None where there is none."""
    mine = [
        code.created_at
        for code in codes.codes_of_number(tx, place.brand.id, number)
        if code.visit_id == form.visit.visit_id and code.ended_at is None and now < code.expires_at
    ]
    return max(mine, default=None)


def _wrong_words(told: str) -> str:
    match told:
        case "wrong":
            return str(_("This is not the code. Look at the message once more."))
        case "over":
            return str(_("This code does not work any more. Have a new one sent below."))
        case _:
            return ""


def _told_words(told: str) -> str:
    match told:
        case "again":
            return str(_("A new code is on its way. The one before does not work any more."))
        case "early":
            return str(_("A code was sent a moment ago. It may take a minute to arrive."))
        case _:
            return ""


def _too_many(seconds: int) -> tuple[str, str]:
    """What is said where no more codes may be sent: a heading, and when to come back."""
    words = ngettext(
        "Too many codes were asked for. Please try again in %(num)s minute, or ask the staff.",
        "Too many codes were asked for. Please try again in %(num)s minutes, or ask the staff.",
        math.ceil(seconds / _MINUTE),
    )
    return str(_("No more codes for now")), words
