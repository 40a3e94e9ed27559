"""The card that a link in a guest's hands names, as long as it lives."""

from __future__ import annotations

from app.db import Tx
from app.errors import NotFound
from app.loyalty.enrolment import Enrolment, enrolment
from app.web.guest_pages import Gone, Place
from app.web.links import CardToken


def living(tx: Tx, place: Place, named: CardToken | None) -> Enrolment:
    """The enrolment that a link names; NotFound where it is none of ours, Gone where it has ended."""
    if named is None:
        raise NotFound("no-such-card", "There is no such card.")
    card = enrolment(tx, named.enrolment_id)
    if card.programme_id != place.link.programme_id:
        raise NotFound("no-such-card", "There is no such card here.")
    if card.ended_at is not None or card.card_link_version != named.card_link_version:
        raise Gone(place.brand, place)
    return card
