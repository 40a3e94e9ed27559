"""Before it is sent: what it comes to, a test to oneself, and the one button."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_timedelta
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.campaigns import lifecycle, limits
from app.campaigns.merge_fields import fill
from app.campaigns.plan import Plan
from app.db.identifiers import CampaignId
from app.errors import BadInput
from app.passes.content import Language
from app.reports.campaign_outlook import Outlook, outlook
from app.web.code_sending import Sender, sender_of
from app.web.console import campaigns_test, sums
from app.web.console import campaigns_words as words
from app.web.console.campaigns_form import filled
from app.web.console.campaigns_preview import Guest, guest_of, preview
from app.web.console.forms import Form, done, render, see
from app.web.console.registry import Console, act, page
from app.web.console.visit import Visit
from app.web.language import current_language
from app.web.services import Services

_AT: Final = "/<brand>/campaigns/<int:campaign_id>"
_LONGEST_TEXT: Final = 10  # parts: what is longer no gateway takes


def register(console: Console, services: Services) -> None:
    """``/console/<brand>/campaigns/<campaign>/review`` and what it does."""

    @page(console, f"{_AT}/review", needs="campaign.write")
    def review(visit: Visit, campaign_id: int) -> ResponseReturnValue:
        return review_page(visit, CampaignId(campaign_id), Form())

    @act(console, f"{_AT}/send", needs="campaign.write")
    def send(visit: Visit, campaign_id: int) -> ResponseReturnValue:
        own = CampaignId(campaign_id)
        with services.database.write() as tx:
            lifecycle.begin(tx, visit.brand.id, own, now=visit.now, actor=visit.actor)
        services.wakeup.ring()
        done(_("It is on its way."))
        return see(url_for("console.campaigns_one", campaign_id=campaign_id))

    @act(console, f"{_AT}/schedule", needs="campaign.write")
    def schedule(visit: Visit, campaign_id: int) -> ResponseReturnValue:
        form, own = Form.posted(), CampaignId(campaign_id)
        starts_at = _moment(form, visit.brand.time_zone)
        if starts_at is not None:
            with form.checking({"wrong-state": ""}), services.database.write() as tx:
                lifecycle.schedule(tx, visit.brand.id, own, starts_at, now=visit.now, actor=visit.actor)
        if not form.ok:
            return review_page(visit, own, form, opened="schedule")
        done(_("Scheduled."))
        return see(url_for("console.campaigns_review_review", campaign_id=campaign_id))

    @act(console, f"{_AT}/delete", needs="campaign.write")
    def delete(visit: Visit, campaign_id: int) -> ResponseReturnValue:
        with services.database.write() as tx:
            lifecycle.delete(tx, visit.brand.id, CampaignId(campaign_id), now=visit.now, actor=visit.actor)
        done(_("The draft is gone."))
        return see(url_for("console.campaigns_every"))

    campaigns_test.register(console, services, review_page)


def review_page(
    visit: Visit, campaign_id: CampaignId, form: Form, *, opened: str = ""
) -> ResponseReturnValue:
    """The page; ``form`` is one of its forms that came back, ``opened`` which."""
    services, sender = visit.services, sender_of(visit.services, visit.brand)
    with services.database.read() as tx:
        found = lifecycle.show(tx, visit.brand.id, campaign_id)
        if found.state not in ("draft", "scheduled"):
            return see(url_for("console.campaigns_one", campaign_id=campaign_id))
        guest = guest_of(tx, visit, "")
        coming = outlook(
            tx, visit.brand.id, found.plan,
            kind=found.kind, own=found.id, at=found.starts_at or visit.now, now=visit.now,
            prices=sender.login.prices if sender else (),
            parts=_parts(found.plan, guest, sender),
            google_rate=services.google_rate,
        )  # fmt: skip
        allowed = limits.of_brand(tx, visit.brand.id)
    currency = (coming.texts.currency if coming.texts else None) or visit.brand.currency
    return render(
        visit,
        "campaigns_review.html",
        form=form,
        opened=opened,
        campaign=found,
        state=words.state_words(found),
        coming=coming,
        allowed=allowed,
        takes=_duration(coming),
        price=_price(coming),
        facts=words.plan_words(found.plan),
        seen=preview(visit, filled(found, currency), guest, sender),
        sends_texts=sender is not None,
        earliest=_local(visit.now, visit.brand.time_zone),
    )


def _parts(plan: Plan, guest: Guest | None, sender: Sender | None) -> Mapping[Language, int]:
    """Of the longest text in each language, with the data of a guest."""
    if sender is None:
        return {}
    found: dict[Language, int] = {}
    languages: tuple[Language, ...] = ("ru", "en")
    for language in languages:
        for index in range(len(plan.arms)):
            said = plan.sms(index + 1).in_language(language)
            try:
                parts = sender.gateway.measure(fill(said, guest.values[language] if guest else {})).parts
            except BadInput:
                parts = _LONGEST_TEXT
            found[language] = max(found.get(language, 0), parts)
    return found


def _moment(form: Form, zone: str) -> datetime | None:
    """The moment that was typed by the brand's clock, in UTC; notes what is wrong with it."""
    typed = form.text("starts_at", longest=40)
    if not form.ok:
        return None
    try:
        local = datetime.fromisoformat(typed).replace(tzinfo=ZoneInfo(zone))
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        form.errors["starts_at"] = _("A date and a time, like 2026-07-01T18:00.")
        return None


def _local(moment: datetime, zone: str) -> str:
    """For a field of date and time."""
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%dT%H:%M}"


def _duration(coming: Outlook) -> str:
    if coming.google_takes is None:
        return ""
    return format_timedelta(coming.google_takes, threshold=1.5, locale=current_language())


def _price(coming: Outlook) -> str:
    """What texts may cost: a range."""
    texts = coming.texts
    if texts is None or texts.currency is None or texts.price_most is None or texts.price_least is None:
        return ""
    if texts.price_least == texts.price_most:
        return sums.money(texts.price_most, texts.currency)
    return f"{sums.money(texts.price_least, texts.currency)} – {sums.money(texts.price_most, texts.currency)}"
