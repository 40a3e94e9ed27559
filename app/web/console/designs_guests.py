"""A real guest's card in the preview: found as at the counter, shown to who may see them, kept nowhere."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask_babel import gettext as _

from app.db import Tx
from app.db.identifiers import EnrolmentId
from app.loyalty import store_enrolments
from app.loyalty.programmes import Programme
from app.passes import issuing
from app.passes.content import PassContent
from app.reports import members as found_members
from app.reports.members import FoundCard, FoundMember
from app.web.console.forms import Form
from app.web.console.visit import Visit
from app.web.guest_form import region

ASKED = "guest.who"
"""What is looked for. Its name keeps it out of addresses, which only choices of the preview go into."""
_CARD = re.compile(r"c([0-9]{1,9})")
_MOST = 5


@dataclass(frozen=True, slots=True)
class Person:
    """A guest to choose: the card's number in the database tells nobody who it is."""

    value: str  # of "see.guest": "c17"
    name: str
    code: str


@dataclass(frozen=True, slots=True)
class Guests:
    """Who was found, and whose card is shown."""

    found: tuple[Person, ...]
    chosen: PassContent | None
    said: str  # why there is nobody


NOBODY = Guests((), None, "")


def guests_of(visit: Visit, programme: Programme, form: Form) -> Guests:
    """Who ``form`` looks for and has chosen; nobody for who may not see guests and their numbers.

    So trying numbers here tells nobody what they may not know, and has no rate.

    The only one who is found is chosen at once, unless another choice was made since.
    """
    if not (visit.may("member.read") and visit.may("member.phone")):
        return NOBODY
    asked, people = form[ASKED].strip(), []
    with visit.services.database.read() as tx:
        if asked and form["act"] in ("", "show"):
            people = _people(tx, visit, programme, asked)
        chosen = _card(tx, visit, programme, form["see.guest"])
        if form["act"] == "show" and len(people) == 1 and not chosen:
            chosen = _card(tx, visit, programme, people[0].value)
        if chosen is None:
            said = _("No guest with such a card is found.") if asked and not people else ""
            return Guests(tuple(people), None, said)
        person, content = chosen
    return Guests((person, *(each for each in people if each != person)), content, "")


def _people(tx: Tx, visit: Visit, programme: Programme, asked: str) -> list[Person]:
    found = found_members.search(
        tx, visit.brand.id, asked, venues=visit.access.venues, region=region(visit.brand.time_zone)
    )  # fmt: skip
    people = [
        _person(member, card)
        for member in found.members
        for card in member.cards
        if card.programme_id == programme.id and card.ended_at is None
    ]
    return people[:_MOST]


def _card(tx: Tx, visit: Visit, programme: Programme, value: str) -> tuple[Person, PassContent] | None:
    """The chosen card, where who asks may see it; whatever else is chosen is no guest."""
    match = _CARD.fullmatch(value)
    card = store_enrolments.enrolment(tx, int(match[1])) if match else None
    if card is None or card.programme_id != programme.id or card.ended_at is not None:
        return None
    if not found_members.may_see(tx, visit.brand.id, card.member_id, visit.access.venues):
        return None
    for member in found_members.of_ids(tx, [card.member_id], venues=visit.access.venues):
        for each in member.cards:
            if each.enrolment_id == card.id:
                return _person(member, each), issuing.wallet_pass(tx, card.pass_id).content
    return None


def _person(member: FoundMember, card: FoundCard) -> Person:
    return Person(_value(card.enrolment_id), member.name or "", card.card_code)


def _value(card_id: EnrolmentId) -> str:
    return f"c{card_id}"
