"""The code that proves a number, for brands that ask for it: a text message, six digits, the card.

Between the form and the code what the guest wrote is nowhere but in their page: the code's page carries the
form's words along, and all of them are judged again. Nothing that is said depends on whether the number is a
member's. ``step`` tells what was pressed; without it the form was sent for the first time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from flask import Response, request
from flask_babel import gettext as _
from flask_babel import ngettext

from app.db import Tx
from app.db.identifiers import EnrolmentId, VisitId
from app.errors import BadInput, NotFound, TooMany
from app.loyalty import codes, numbers
from app.loyalty.codes import CodeAsked
from app.loyalty.enrolment import Enrolment
from app.web import card_face, consent_texts
from app.web.code_sending import needed_sender, send_code
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
        sender, now = needed_sender(self._services, place.brand), self._services.clock()
        number = filled.number or ""
        with self._services.database.read() as tx:
            since = asked_at(tx, place, number, visit_id=form.visit.visit_id, now=now)
        if since is not None and now - since < PAUSE:
            return self._page(place, form, filled, sent_at=since, told="early" if again else "")
        try:
            with self._services.database.write() as tx:
                self._enrolling.record(tx, place, form.visit.visit_id, "form")
                asked = CodeAsked(
                    brand_id=place.brand.id,
                    venue_id=place.link.venue_id,
                    visit_id=form.visit.visit_id,
                    number=number,
                    address=remote_address(),
                )
                send_code(tx, self._services, place.brand, sender, asked)
        except BadInput as refused:
            filled.errors["phone"] = refused_words(refused)
            return self._form_page(place, form, filled, status=422)
        except NotFound:  # no browser showed the page of this visit: it does now, if it is one
            log.info("code_without_a_page", link=place.link.code)
            return self._form_page(place, form, filled, status=409, trouble=_not_shown())
        except TooMany as limit:
            seconds = math.ceil(limit.retry_after.total_seconds())
            if again:
                answer = self._page(place, form, filled, sent_at=since, told="many", wait=seconds, status=429)
            else:
                answer = self._form_page(place, form, filled, status=429, trouble=too_many_words(seconds))
            answer.headers["Retry-After"] = f"{seconds}"
            return answer
        self._services.wakeup.ring()
        return self._page(place, form, filled, sent_at=now, told="again" if again else "")

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
            since = asked_at(tx, place, number, visit_id=form.visit.visit_id, now=now)
        return self._page(place, form, filled, sent_at=since, told=verdict, status=422)

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
            wrong=wrong_words(told),
            told=too_many_words(wait)[1] if wait else told_words(told),
        )


def asked_at(
    tx: Tx,
    place: Place,
    number: str,
    *,
    visit_id: VisitId | None = None,
    enrolment_id: EnrolmentId | None = None,
    now: datetime,
) -> datetime | None:
    """When the code that this visit, or this card, can enter was asked for; None where there is none."""
    mine = [
        code.created_at
        for code in codes.codes_of_number(tx, place.brand.id, number)
        if (code.visit_id, code.enrolment_id) == (visit_id, enrolment_id)
        and code.ended_at is None
        and now < code.expires_at
    ]
    return max(mine, default=None)


def refused_words(refused: BadInput) -> str:
    """Why no code is sent to this number."""
    words = (
        _("We cannot send codes to numbers of this country.")
        if refused.code == "country-not-served"
        else _("We cannot send codes to this number. Please give a mobile number of your own.")
    )
    return str(words)


def wrong_words(told: str) -> str:
    """What is wrong with the code that was entered; nothing where nothing is."""
    match told:
        case "wrong":
            return str(_("This is not the code. Look at the message once more."))
        case "over":
            return str(_("This code does not work any more. Have a new one sent below."))
        case _:
            return ""


def told_words(told: str) -> str:
    """What became of the wish for another code."""
    match told:
        case "again":
            return str(_("A new code is on its way. The one before does not work any more."))
        case "early":
            return str(_("A code was sent a moment ago. It may take a minute to arrive."))
        case _:
            return ""


def _not_shown() -> tuple[str, str]:
    """What is said to a form whose page was never shown in a browser."""
    return str(_("Once more, please")), str(
        _("We could not see that this page was open. Press the button again.")
    )


def too_many_words(seconds: int) -> tuple[str, str]:
    """What is said where no more codes may be sent: a heading, and when to come back."""
    words = ngettext(
        "Too many codes were asked for. Please try again in %(num)s minute, or ask the staff.",
        "Too many codes were asked for. Please try again in %(num)s minutes, or ask the staff.",
        math.ceil(seconds / _MINUTE),
    )
    return str(_("No more codes for now")), words
