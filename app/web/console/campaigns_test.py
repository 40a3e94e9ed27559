"""A campaign tried on one's own card and phone, without counting: before any guest reads it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerHour

from app.accounts import audit
from app.campaigns import giving, lifecycle, words
from app.campaigns.merge_fields import fill
from app.campaigns.store_campaigns import Campaign
from app.db import Tx
from app.db.identifiers import CampaignId, WalletPassId
from app.delivery import texts
from app.delivery.text_promises import TextDraft
from app.loyalty import enrolment
from app.passes import announcing
from app.passes.announcing import Announcement
from app.reports import members as found_members
from app.reports.members import FoundCard, FoundMember
from app.sms.book import price_of
from app.web.code_sending import sender_of
from app.web.console.forms import Form, digits, done, see
from app.web.console.registry import Console, act
from app.web.console.visit import Visit
from app.web.guest_form import region
from app.web.rate_limits import RateLimits
from app.web.services import Services

_TRIES: Final[tuple[RateLimitItem, ...]] = (RateLimitItemPerHour(60),)
_TEXTS: Final[tuple[RateLimitItem, ...]] = (RateLimitItemPerDay(20),)
"""Of a person: texts cost money, and anybody's number can be typed."""
_TEXT_HOLDS: Final = timedelta(hours=1)
Again = Callable[..., ResponseReturnValue]


def register(console: Console, services: Services, again: Again) -> None:
    """``/console/<brand>/campaigns/<campaign>/test``; ``again`` shows the review with the form."""
    limits = RateLimits(services.rate_limit_storage)

    @act(console, "/<brand>/campaigns/<int:campaign_id>/test", needs="campaign.write")
    def test(visit: Visit, campaign_id: int) -> ResponseReturnValue:
        form, own = Form.posted(), CampaignId(campaign_id)
        asked = form.text("who", longest=60)
        with services.database.read() as tx:
            campaign = lifecycle.show(tx, visit.brand.id, own)
            found = _card(tx, visit, asked, form, campaign)
        if not form.ok or found is None:
            return again(visit, own, form, opened="test")
        member, card = found
        limits.count(_TRIES, "console", "campaign tests", str(visit.user.id))
        texting = form.ticked("text_too")
        if texting:
            limits.count(_TEXTS, "console", "campaign test texts", str(visit.user.id))
        with services.database.write() as tx:
            arm = min(digits(form["arm"], most=1) or 0, len(campaign.plan.arms) - 1)
            pass_id = enrolment.enrolment(tx, card.enrolment_id).pass_id
            if texting:
                _text(tx, visit, campaign, arm, member, pass_id)
            audit.record(
                tx, at=visit.now, actor=visit.actor, brand_id=visit.brand.id,
                action="campaign.tested", subject=campaign.name, detail={"card": card.card_code},
            )  # fmt: skip
            waits = _say(tx, visit, campaign, arm, pass_id)
        services.wakeup.ring()
        if waits:
            done(_("The card says something that no phone has seen yet; the test follows."))
        else:
            done(_("The card %(code)s says it now: look at the phone.", code=card.card_code))
        return see(url_for("console.campaigns_review_review", campaign_id=campaign_id) + "#test")


def _card(
    tx: Tx, visit: Visit, asked: str, form: Form, campaign: Campaign
) -> tuple[FoundMember, FoundCard] | None:
    """The one living card that was meant; notes where there is none, or more than one guest."""
    if not asked:
        return None
    people = found_members.search(
        tx, visit.brand.id, asked, venues=visit.access.venues, region=region(visit.brand.time_zone)
    ).members
    programme = campaign.plan.programme_id
    cards = [
        (member, card)
        for member in people
        for card in member.cards
        if card.ended_at is None and not card.blocked_at and programme in (None, card.programme_id)
    ]
    exact = [one for one in cards if one[1].card_code == asked.replace(" ", "")] or cards
    if not exact:
        form.errors["who"] = _("No card is found: type the phone number, or the code on your card.")
    elif len({member.id for member, _card in exact}) > 1:
        form.errors["who"] = _(
            "That is more than one guest: type the whole number, or the code on your card."
        )
    elif form.ticked("text_too") and exact[0][0].phone is None:
        form.errors["text_too"] = _("This guest has no phone number.")
    else:
        return exact[0]
    return None


def _say(tx: Tx, visit: Visit, campaign: Campaign, arm: int, pass_id: WalletPassId) -> bool:
    """Let the card say the line; whether it has to wait for what the card says already."""
    name = f"campaign:test:{campaign.id}:{int(visit.now.timestamp())}"
    values = words.of_passes(tx, [pass_id], besides=giving.fields(tx, campaign))[pass_id]
    line = words.said(campaign.plan.arms[arm].line, values)
    until = visit.now + campaign.plan.patience
    announcing.announce(tx, [Announcement(pass_id, name, line, until)], now=visit.now)
    told = announcing.known(tx, name, [pass_id]).get(pass_id)
    return told is not None and told.version is None


def _text(
    tx: Tx, visit: Visit, campaign: Campaign, arm: int, member: FoundMember, pass_id: WalletPassId
) -> None:
    """Promise the text, where the brand sends any; no quiet hours, since it was asked for."""
    sender = sender_of(visit.services, visit.brand)
    if sender is None or member.phone is None:
        return
    values = words.of_passes(tx, [pass_id], besides=giving.fields(tx, campaign))[pass_id]
    said = fill(campaign.plan.sms(arm + 1).in_language(visit.language), values[visit.language])
    measured = sender.gateway.measure(said)
    price = price_of(sender.login, member.phone, measured.parts)
    texts.enqueue_text(
        tx,
        TextDraft(
            brand_id=visit.brand.id,
            member_id=member.id,
            login=sender.login.name,
            kind="service",
            number=member.phone,
            text=said,
            sender=sender.login.sender,
            encoding=measured.encoding,
            parts=measured.parts,
            price=price.amount if price else None,
            currency=price.currency if price else None,
            due_at=visit.now,
            not_after=visit.now + _TEXT_HOLDS,
        ),
        now=visit.now,
    )
