"""Writing a campaign: one page, on which nothing that was typed is lost, whatever is wrong with it."""

from __future__ import annotations

from typing import Final

from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.campaigns import audiences, giving, lifecycle, limits
from app.campaigns.assignment import MOST_ARMS
from app.campaigns.audience import Audience
from app.campaigns.audiences import Counts
from app.campaigns.store_campaigns import Campaign
from app.db import Tx
from app.db.identifiers import CampaignId
from app.errors import Conflict
from app.loyalty import offers, programmes
from app.loyalty.offers import Offer
from app.sms.book import currency_of
from app.web.code_sending import sender_of
from app.web.console import campaigns_form as forms
from app.web.console import members_filters as filters
from app.web.console.campaigns_preview import guest_of, preview
from app.web.console.forms import Form, digits, done, render, see
from app.web.console.registry import Console, act, page
from app.web.console.visit import Visit
from app.web.language import current_language
from app.web.services import Services

_NEW: Final = "/<brand>/campaigns/new"
_EDIT: Final = "/<brand>/campaigns/<int:campaign_id>/edit"
WORDS: Final = "words"
"""What a script asks for while somebody types: the preview without the count, which takes the longest."""
_SHOWING: Final = ("look", WORDS)


def register(console: Console, _services: Services) -> None:
    """``/console/<brand>/campaigns/new`` and ``…/<campaign>/edit``."""

    @page(console, _NEW, needs="campaign.write")
    def new(visit: Visit) -> ResponseReturnValue:
        return _page(visit, forms.blank(_arm_name(0)), None)

    @act(console, _NEW, needs="campaign.write")
    def create(visit: Visit) -> ResponseReturnValue:
        return _sent(visit, None)

    @page(console, _EDIT, needs="campaign.write")
    def edit(visit: Visit, campaign_id: int) -> ResponseReturnValue:
        found = _draft(visit, campaign_id)
        return _page(visit, forms.filled(found, _currency(visit) or visit.brand.currency), found)

    @act(console, _EDIT, needs="campaign.write")
    def change(visit: Visit, campaign_id: int) -> ResponseReturnValue:
        return _sent(visit, _draft(visit, campaign_id))


def _draft(visit: Visit, campaign_id: int) -> Campaign:
    """A campaign that may be edited; raises NotFound, and Conflict for one that is no draft any more."""
    with visit.services.database.read() as tx:
        found = lifecycle.show(tx, visit.brand.id, CampaignId(campaign_id))
    if found.state != "draft":
        raise Conflict("wrong-state", "The campaign is no draft any more.")
    return found


def _sent(visit: Visit, campaign: Campaign | None) -> ResponseReturnValue:
    form = Form.posted()
    wish, _dot, which = form["do"].partition(".")
    if wish == "add":
        forms.add_arm(form, _arm_name(forms.arms_of(form)))
        return _page(visit, form, campaign)
    if wish == "drop":
        forms.drop_arm(form, -1 if (index := digits(which)) is None else index)
        return _page(visit, form, campaign)
    if wish in _SHOWING:
        return _page(visit, form, campaign, counting=wish != WORDS)
    campaign_id = _save(visit, form, campaign)
    if campaign_id is None:
        return _page(visit, form, campaign)
    done(_("Saved. Nobody has been told anything yet."))
    return see(url_for("console.campaigns_review_review", campaign_id=campaign_id))


def _save(visit: Visit, form: Form, campaign: Campaign | None) -> CampaignId | None:
    """Keep what the form says; None where something is wrong with it, which the form then tells."""
    database = visit.services.database
    with database.read() as tx:
        own = {int(one.id) for one in programmes.programmes_of_brand(tx, visit.brand.id)}
        bring = {int(one.id) for one in _offers(tx, visit)}
    written = forms.read(form, visit.brand, currency=_currency(visit), programmes=own, offers=bring)
    if written is None:
        return None
    name, kind, plan, now, actor = written.name, written.kind, written.plan, visit.now, visit.actor
    saved = campaign.id if campaign else None
    with form.checking(forms.FIELDS), database.write() as tx:
        if campaign is None:
            saved = lifecycle.create(
                tx, visit.brand.id, name, plan, kind=kind, offer_id=written.offer_id, now=now, actor=actor
            )
        else:
            revision = digits(form["revision"], most=9) or 0
            form.values["revision"] = str(campaign.revision)  # who sees the conflict may insist
            lifecycle.edit(
                tx, visit.brand.id, campaign.id, name, plan,
                kind=kind, offer_id=written.offer_id, revision=revision, now=now, actor=actor,
            )  # fmt: skip
    return saved if form.ok else None


def _page(
    visit: Visit, form: Form, campaign: Campaign | None, *, counting: bool = True
) -> ResponseReturnValue:
    audience = _audience(form, campaign)
    counts: Counts | None = None
    sender = sender_of(visit.services, visit.brand)
    with visit.services.database.read() as tx:
        if audience is not None and counting:
            counts = audiences.count(tx, visit.brand.id, audience, visit.now)
        known = _offers(tx, visit)
        chosen = next((one.id for one in known if str(one.id) == form["offer_id"]), None)
        besides = giving.fields_of(tx, visit.brand.id, chosen) if chosen is not None else {}
        guest = guest_of(tx, visit, form["see.guest"].strip(), besides)
        choices = filters.choices(tx, visit)
        allowed = limits.of_brand(tx, visit.brand.id)
    return render(
        visit,
        "campaigns_write.html",
        form=form,
        campaign=campaign,
        counts=counts,
        counting=counting,
        choices=choices,
        presets=filters.preset_words(),
        arms=forms.arms_of(form),
        most_arms=MOST_ARMS,
        seen=preview(visit, form, guest, sender),
        sends_texts=sender is not None,
        currency=_currency(visit) or visit.brand.currency,
        allowed=allowed,
        offers=[(one.id, f"{getattr(one.draft.name, current_language())} · {one.code}") for one in known],
    )


def _offers(tx: Tx, visit: Visit) -> list[Offer]:
    """Those that can still be had, the newest first."""
    known = offers.offers_of_brand(tx, visit.brand.id)
    return sorted((one for one in known if not one.is_over(visit.now)), key=lambda one: -one.id)


def _audience(form: Form, campaign: Campaign | None) -> Audience | None:
    """Whom the form means, which was sent or is a campaign's that is kept."""
    if campaign is not None and "do" not in form.values:
        return campaign.plan.audience
    return forms.audience_of(form)


def _currency(visit: Visit) -> str | None:
    """Of the login that the brand's texts leave by."""
    sender = sender_of(visit.services, visit.brand)
    return currency_of(sender.login) if sender else None


def _arm_name(index: int) -> str:
    return str(_("Text %(letter)s", letter="ABCDEF"[index]))
