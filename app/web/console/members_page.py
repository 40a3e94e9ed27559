"""The page of a guest: who they are, how each card stands, what happened, and what can be done."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.db import Tx
from app.db.identifiers import EnrolmentId, MemberId, PassTypeIdentifier
from app.errors import Misconfigured, NotFound
from app.loyalty import enrolment as enrolments
from app.loyalty import programmes, rules, store_enrolments
from app.loyalty.enrolment import Enrolment
from app.places import links as install_links
from app.reports import campaign_member
from app.reports import members as found_members
from app.reports.members import FoundMember
from app.reports.timeline import CardState, Surroundings, Timeline, timeline
from app.web import qr
from app.web.console.campaigns_words import line_words
from app.web.console.forms import Form, render
from app.web.console.members_google import behind_words, card_at_google
from app.web.console.members_words import (
    TOPICS,
    balance_words,
    clock_times,
    event_words,
    phone_words,
    topic_words,
    verdict_words,
)
from app.web.console.visit import Visit
from app.web.links import Links
from app.web.services import Services

EVENTS_SHOWN = 12
"""Of a timeline at first: a phone's screen and a half."""


def member_page(
    visit: Visit, services: Services, member_id: MemberId, *, form: Form | None = None, opened: str = ""
) -> ResponseReturnValue:
    """The page of a member; ``form`` is one of its forms that came back, ``opened`` which ("correct-7")."""
    asked = request.args.get("topic", "")
    topic = asked if asked in TOPICS else ""
    with services.database.read() as tx:
        member = member_of(tx, visit, member_id)
        story = timeline(
            tx,
            visit.brand.id,
            member.id,
            around=_surroundings(tx, services, visit),
            now=visit.now,
            venues=visit.access.venues,
        )
        shown_cards = {card.enrolment_id for card in member.cards}
        cards = [
            card for card in store_enrolments.enrolments_of_member(tx, member.id) if card.id in shown_cards
        ]
        addresses = _card_addresses(tx, services, cards) if visit.may("member.card") else {}
        at_google = {
            state.enrolment_id: held
            for state in story.cards
            if state.google and state.google.first_saved_at and not state.google.removed_at
            if (held := card_at_google(tx, services, state.pass_id))
        }
        met = campaign_member.lines(tx, member.id) if visit.may("campaign.read") else []
        kinds = {card.programme_id: programmes.programme(tx, card.programme_id).rules for card in cards}
    events = [event for event in story.events if not topic or event.topic == topic]
    shown = events if request.args.get("all") else events[:EVENTS_SHOWN]
    return render(
        visit,
        "members_one.html",
        form=form,
        opened=opened,
        member=member,
        phone=phone_words(member.phone, whole=visit.may("member.phone")),
        cards=[(card, _state(story, card.enrolment_id)) for card in member.cards],
        tiers={card.id: _tier(kinds[card.programme_id], card.tier, visit.language) for card in cards},
        at_google={key: behind_words(card) for key, card in at_google.items()},
        verdict=verdict_words,
        said=event_words,
        balance=balance_words,
        addresses=addresses,
        codes={key: qr.inline_svg(address) for key, address in addresses.items()},
        events=list(zip(shown, clock_times(shown, visit.zone), strict=True)),
        more=len(events) - len(shown),
        campaigns=[(line, line_words(line)) for line in met],
        elsewhere=story.elsewhere,
        topic=topic,
        topic_tabs=[
            (
                url_for("console.members_one", member_id=member.id, topic=each) + "#history",
                topic_words(each),
                each == topic,
            )
            for each in TOPICS
        ],
        form_key=(form["form_key"] if form else "") or secrets.token_hex(16),
    )


def member_of(tx: Tx, visit: Visit, member_id: MemberId) -> FoundMember:
    """A member of the brand and of one of the visitor's venues; raises NotFound."""
    if not found_members.may_see(tx, visit.brand.id, member_id, visit.access.venues):
        raise NotFound("no-such-member", _("There is no such guest here."))
    return found_members.of_ids(tx, [member_id], venues=visit.access.venues)[0]


def card_of(tx: Tx, visit: Visit, member_id: MemberId, card_id: EnrolmentId) -> Enrolment:
    """A card of such a member; raises NotFound."""
    member = member_of(tx, visit, member_id)
    card = enrolments.enrolment(tx, card_id)
    reached = found_members.cards_of(tx, [member.id], visit.access.venues)
    if card.member_id != member.id or (reached is not None and card.id not in reached):
        raise NotFound("no-such-card", _("There is no such card here."))
    return card


def _state(story: Timeline, card_id: EnrolmentId) -> CardState | None:
    return next((state for state in story.cards if state.enrolment_id == card_id), None)


def _tier(known: rules.Rules, key: str | None, language: str) -> str:
    if not isinstance(known, rules.TieredRules):
        return ""
    name = known.tier(key).name
    return name.ru if language == "ru" else name.en


def _surroundings(tx: Tx, services: Services, visit: Visit) -> Surroundings:
    """How the service is reached, and whether the brand's certificate can sign now."""
    fault, expired = None, False
    try:
        signer = services.press.signer(tx, PassTypeIdentifier(visit.brand.pass_type_identifier))
        expired = min(signer.expires_at, signer.wwdr_expires_at) <= visit.now
        fault = _("Its time is over.") if expired else None
    except Misconfigured as wrong:
        # What is wrong may name a file of the server: that is for who can mend it, on the certificate's page.
        fault = _("What is wrong with it stands on the certificate’s page.")
        expired = any("expired" in line for line in wrong.faults)
    https = urlsplit(services.public_url).scheme == "https"
    return Surroundings(https=https, certificate_fault=fault, certificate_expired=expired)


def _card_addresses(tx: Tx, services: Services, cards: list[Enrolment]) -> dict[EnrolmentId, str]:
    """The page of each living card: whoever opens it can put the card into a phone."""
    links, found = Links(services.secret_key, services.public_url), {}
    for card in cards:
        own = install_links.links_of_venue(tx, card.venue_id)
        fitting = [link for link in own if link.programme_id == card.programme_id]
        fitting.sort(key=lambda link: link.retired_at is not None)  # one that hangs somewhere, if there is
        code = fitting[0].code if fitting else None
        if card.ended_at is None and code is not None:
            found[card.id] = links.card_url(code, card.id, card.card_link_version)
    return found
