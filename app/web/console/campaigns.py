"""Campaigns: those there are, and each one's page while it runs and afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.campaigns import lifecycle, store_campaigns
from app.db.identifiers import CampaignId
from app.reports import campaign_progress
from app.reports.canary import canary_numbers
from app.web.code_sending import sender_of
from app.web.console import campaigns_words as words
from app.web.console import sums
from app.web.console.campaigns_form import filled
from app.web.console.campaigns_preview import guest_of, preview
from app.web.console.forms import digits, done, render, see
from app.web.console.registry import Console, act, page
from app.web.console.visit import Visit
from app.web.services import Services

SHOWN: Final = 20
_ONE: Final = "/<brand>/campaigns/<int:campaign_id>"
_BEGUN: Final = ("canary", "running", "paused", "stopped", "measuring", "done", "cancelled")


def register(console: Console, services: Services) -> None:
    """``/console/<brand>/campaigns``."""

    @page(console, "/<brand>/campaigns", needs="campaign.read")
    def every(visit: Visit) -> ResponseReturnValue:
        before = digits(request.args.get("before", ""))
        with services.database.read() as tx:
            found = store_campaigns.of_brand(
                tx, visit.brand.id, limit=SHOWN + 1, before=CampaignId(before) if before else None
            )
            begun = [one.id for one in found[:SHOWN] if one.state in _BEGUN]
            told = campaign_progress.sums(tx, begun)
        address = url_for("console.campaigns_every")
        return render(
            visit,
            "campaigns_every.html",
            campaigns=found[:SHOWN],
            sums=told,
            state=words.state_words,
            next=words.next_words,
            newer=address if before else "",
            older=f"{address}?before={found[SHOWN - 1].id}" if len(found) > SHOWN else "",
        )

    @page(console, _ONE, needs="campaign.read")
    def one(visit: Visit, campaign_id: int) -> ResponseReturnValue:
        with services.database.read() as tx:
            found = lifecycle.show(tx, visit.brand.id, CampaignId(campaign_id))
            if found.state in ("draft", "scheduled") and visit.may("campaign.write"):
                return see(url_for("console.campaigns_review_review", campaign_id=campaign_id))
            groups = campaign_progress.progress(tx, found.id)
            watched = found.state in ("canary", "stopped") or (
                found.state == "paused" and found.release_at is not None and visit.now < found.release_at
            )
            numbers = canary_numbers(tx, found.id) if watched else None
            guest = guest_of(tx, visit, "")
        sender = sender_of(services, visit.brand)
        currency = sender.login.prices[0].currency if sender and sender.login.prices else visit.brand.currency
        return render(
            visit,
            "campaigns_one.html",
            campaign=found,
            state=words.state_words(found),
            stopped=words.stopped_words(found.stopped_because),
            steps=words.steps(groups),
            met=sum(each.guests for each in groups),
            canary=numbers,
            facts=words.plan_words(found.plan),
            seen=preview(visit, filled(found, currency), guest, sender),
            spent=sums.money(found.spent, currency) if found.texts else "",
        )

    _deed(console, services, "pause", lifecycle.pause, lambda: _("Paused. Nobody more is told meanwhile."))
    _deed(console, services, "resume", lifecycle.resume, lambda: _("It goes on."))
    _deed(console, services, "cancel", lifecycle.cancel, lambda: _("Cancelled. Nobody more is told."))
    _deed(console, services, "unschedule", lifecycle.unschedule, lambda: _("A draft again: nothing is sent."))


def _deed(
    console: Console,
    services: Services,
    name: str,
    do: Callable[..., None],
    said: Callable[[], str],
) -> None:
    """One button of a campaign's page."""

    def deed(visit: Visit, campaign_id: int) -> ResponseReturnValue:
        with services.database.write() as tx:
            do(tx, visit.brand.id, CampaignId(campaign_id), now=visit.now, actor=visit.actor)
        services.wakeup.ring()
        done(said())
        return see(url_for("console.campaigns_one", campaign_id=campaign_id))

    deed.__name__ = name
    act(console, f"{_ONE}/{name}", needs="campaign.write")(deed)
