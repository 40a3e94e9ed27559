"""From a form to the card's page: the steps of the visit are written, the guest is enrolled."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Response, redirect, request

from app.db import Tx
from app.db.identifiers import CardCode, VisitId
from app.loyalty import content as cards
from app.loyalty import members, programmes
from app.loyalty.enrolment import Enrolment, EnrolmentRequest, enrol, enrolment_of_visit
from app.loyalty.rules import TieredRules, point_rules
from app.passes.content import PassContent
from app.places import visits
from app.web import consent_texts
from app.web.browsers import browser_window
from app.web.device_kind import device_kind
from app.web.guest_form import FilledForm
from app.web.guest_google import GoogleWay
from app.web.guest_pages import HEADERS, Place, address
from app.web.language import current_language
from app.web.links import FormToken, Links
from app.web.services import Services

_NO_CODE = "0"  # a newcomer's card has none yet
EnrolVerb = Callable[..., Enrolment]
"""``enrol(tx, request, now=…)``, or what does the same with a number that was proved."""


class Enrolling:
    """What the install page and the code's page share; takes the open transaction."""

    def __init__(self, services: Services, links: Links, google: GoogleWay) -> None:
        self._services, self._links, self._google = services, links, google

    def enrol(
        self,
        tx: Tx,
        place: Place,
        form: FormToken,
        filled: FilledForm,
        *,
        verb: EnrolVerb = enrol,
        proved: bool = False,
    ) -> Enrolment:
        """The same form twice is one card; the form of a friend who got the page's address is another's.

        ``proved``: the guest has just entered the right code.
        """
        visit_id = form.visit.visit_id
        number = filled.number or "" if proved else ""
        if not visits.claim_form(tx, visit_id, form.mark) or _led_another(tx, visit_id, number):
            visit_id = self._links.friends_visit(form, number)
            self.record(tx, place, visit_id, "scan")
            visits.claim_form(tx, visit_id, form.mark)
        self.record_seen(tx, place, visit_id)
        self.record(tx, place, visit_id, "form")
        if proved:
            self.record(tx, place, visit_id, "code")
        language = current_language()
        texts = consent_texts.consent_texts(place.brand, language)
        wanted = EnrolmentRequest(
            programme_id=place.link.programme_id,
            venue_id=place.link.venue_id,
            visit_id=visit_id,
            name=filled.name,
            phone=filled.number,
            language=language,
            consents=consent_texts.answers(texts, filled.ticked, language),
        )
        enrolment = verb(tx, wanted, now=self._now())
        self._google.promise(tx, place.brand.id, enrolment.pass_id)
        return enrolment

    def earlier(self, tx: Tx, form: FormToken, number: str) -> Enrolment | None:
        """What this very form led to before, with this very number; None where it led to nothing."""
        visit_id = form.visit.visit_id
        if not visits.is_claimed_by(tx, visit_id, form.mark) or _led_another(tx, visit_id, number):
            visit_id = self._links.friends_visit(form, number)
        found = enrolment_of_visit(tx, visit_id)
        return found if found and members.phone(tx, found.member_id) == number else None

    def to_card(self, place: Place, enrolment: Enrolment) -> Response:
        """The browser goes on to the card's page."""
        self._google.ring(place.brand.id)
        card = self._links.card_token(enrolment.id, enrolment.card_link_version)
        answer = redirect(address(f"/i/{place.link.code}/card/{card}"), 303)
        answer.headers.update(HEADERS)
        return answer  # type: ignore[return-value]

    def record_seen(self, tx: Tx, place: Place, visit_id: VisitId) -> None:
        """Whoever sends the form saw it, pictures switched off or not."""
        for kind in seen_in(request.headers.get("User-Agent", "")):
            self.record(tx, place, visit_id, kind)

    def record(self, tx: Tx, place: Place, visit_id: VisitId, kind: visits.VisitEventKind) -> None:
        """Write a step of the visit, once."""
        visits.record(
            tx,
            visit_id=visit_id,
            link_id=place.link.id,
            kind=kind,
            at=self._now(),
            device_kind=device_kind(request.headers.get("User-Agent", "")),
            language=current_language(),
        )

    def _now(self) -> datetime:
        return self._services.clock()


def _led_another(tx: Tx, visit_id: VisitId, proved: str) -> bool:
    """Whether this very form was used before by somebody who proved another number: one phone, two guests."""
    found = enrolment_of_visit(tx, visit_id) if proved else None
    return found is not None and members.phone(tx, found.member_id) != proved


def seen_in(user_agent: str) -> tuple[visits.VisitEventKind, ...]:
    """The steps that are taken by whoever sees the page with this User-Agent."""
    return ("page",) if browser_window(user_agent).keeps_cards else ("page", "in_app")


def newcomers_card(tx: Tx, place: Place) -> PassContent:
    """The card as it would be issued now to somebody who gives no name."""
    rules = programmes.programme(tx, place.link.programme_id).rules
    points = point_rules(rules)
    first = rules.tiers[0].key if isinstance(rules, TieredRules) else None
    return cards.new_content(
        language=current_language(),
        card_code=CardCode(_NO_CODE),
        member_name=None,
        balance=points.welcome if points else 0,
        tier=cards.tier_name(rules, first),
        venues=(),
        home=place.link.venue_id,
    )
