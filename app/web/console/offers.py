"""Offers: what guests may redeem once; made, changed while nobody has it, ended, and what it did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.db import Tx
from app.db.identifiers import OfferId, VenueId
from app.errors import NotFound
from app.loyalty import offer_days, offers, programmes
from app.loyalty.offers import Offer
from app.places import venues
from app.reports import offer_numbers
from app.reports.offer_numbers import NOTHING, OfferNumbers
from app.web.console import offers_form, sums
from app.web.console.forms import Form, done, render, see
from app.web.console.funnel_numbers import percent
from app.web.console.registry import Console, act, page
from app.web.console.visit import Visit
from app.web.console.wording import explain
from app.web.language import current_language
from app.web.services import Services


@dataclass(frozen=True, slots=True)
class Row:
    """An offer as the list tells it."""

    offer: Offer
    name: str
    gives: str
    where: str
    days: str
    state: str  # "now", "later" or "over"
    numbers: OfferNumbers


def register(console: Console, services: Services) -> None:
    """``/console/<brand>/offers``."""
    _explain()
    _listing(console, services)
    _making(console, services)
    _changing(console, services)


def _listing(console: Console, services: Services) -> None:
    @page(console, "/<brand>/offers", needs="offer.edit")
    def every(visit: Visit) -> ResponseReturnValue:
        with services.database.read() as tx:
            found = offers.offers_of_brand(tx, visit.brand.id)
            numbers = offer_numbers.of_brand(tx, visit.brand.id)
            names = {venue.id: venue.name for venue in venues.all_venues(tx, visit.brand.id)}
        rows = [_row(visit, one, names, numbers.get(one.id, NOTHING)) for one in found]
        return render(
            visit,
            "offers_every.html",
            rows=[row for row in rows if row.state != "over"],
            over=[row for row in rows if row.state == "over"],
            money=sums.money,
            percent=percent,
            currency=visit.brand.currency,
        )


def _making(console: Console, services: Services) -> None:
    @page(console, "/<brand>/offers/new", needs="offer.edit")
    def new(visit: Visit) -> ResponseReturnValue:
        today = offer_days.first_day(visit.now, visit.brand.time_zone)
        return _page(visit, offers_form.newcomer(today), None)

    @act(console, "/<brand>/offers/new", needs="offer.edit")
    def create(visit: Visit) -> ResponseReturnValue:
        form = Form.posted()
        draft = offers_form.understood(form, visit.brand)
        if draft is not None:
            with form.checking(offers_form.FIELDS), services.database.write() as tx:
                offers.create(tx, visit.brand.id, draft, now=visit.now, actor=visit.actor)
        if draft is None or not form.ok:
            return _page(visit, form, None)
        done(_("The offer %(code)s is there. Nobody has it yet.", code=draft.code.strip().upper()))
        return see(url_for("console.offers_every"))


def _changing(console: Console, services: Services) -> None:
    @page(console, "/<brand>/offers/<int:offer_id>", needs="offer.edit")
    def edit(visit: Visit, offer_id: int) -> ResponseReturnValue:
        with services.database.read() as tx:
            found = _of_brand(tx, visit, offer_id)
        return _page(visit, offers_form.filled(found.draft, visit.brand), found)

    @act(console, "/<brand>/offers/<int:offer_id>", needs="offer.edit")
    def change(visit: Visit, offer_id: int) -> ResponseReturnValue:
        with services.database.read() as tx:
            found = _of_brand(tx, visit, offer_id)
        form = Form.posted()
        form.values["code"] = found.code
        draft = offers_form.understood(form, visit.brand)
        if draft is not None:
            with form.checking(offers_form.FIELDS), services.database.write() as tx:
                offers.edit(tx, found.id, draft, now=visit.now, actor=visit.actor)
        if draft is None or not form.ok:
            return _page(visit, form, found)
        done(_("Saved."))
        return see(url_for("console.offers_every"))

    @act(console, "/<brand>/offers/<int:offer_id>/end", needs="offer.edit")
    def end(visit: Visit, offer_id: int) -> ResponseReturnValue:
        with services.database.write() as tx:
            found = _of_brand(tx, visit, offer_id)
            offers.end(tx, found.id, now=visit.now, actor=visit.actor)
        done(_("The offer %(code)s has ended. It leaves the cards within minutes.", code=found.code))
        return see(url_for("console.offers_every"))


def _page(visit: Visit, form: Form, found: Offer | None) -> ResponseReturnValue:
    with visit.services.database.read() as tx:
        cards = programmes.programmes_of_brand(tx, visit.brand.id)
        places = venues.open_venues(tx, visit.brand.id)
        numbers = offer_numbers.of_brand(tx, visit.brand.id).get(found.id, NOTHING) if found else NOTHING
        granted = found is not None and numbers.granted > 0
    return render(
        visit,
        "offers_one.html",
        form=form,
        offer=found,
        row=_row(visit, found, {venue.id: venue.name for venue in places}, numbers) if found else None,
        fixed=found is not None and (granted or found.is_over(visit.now)),
        kinds=[
            ("percent", _("Part of the receipt"), _("A tenth off, say.")),
            ("amount", _("A sum off the receipt"), _("Never more than the receipt.")),
            ("gift", _("A gift"), _("The cashier hands it over.")),
            ("points", _("Points"), _("On top of what the receipt earns.")),
        ],
        programmes=[(card.id, card.name) for card in cards],
        venues=[(venue.id, venue.name) for venue in places],
        currency=visit.brand.currency,
        money=sums.money,
    )


def _row(visit: Visit, one: Offer, venue_names: Mapping[VenueId, str], numbers: OfferNumbers) -> Row:
    draft, brand, language = one.draft, visit.brand, current_language()
    match draft.gives:
        case "percent":
            gives = _("%(share)s %% off", share=sums.typed(draft.worth, 2))
        case "amount":
            gives = _("%(sum)s off", sum=sums.money(draft.worth, brand.currency))
        case "points":
            gives = _("+%(points)s points", points=sums.points(draft.worth))
        case _:
            gives = draft.gift.in_language(language) if draft.gift else ""
    if draft.minimum:
        gives = _("%(gives)s from %(sum)s", gives=gives, sum=sums.money(draft.minimum, brand.currency))
    where = ", ".join(sorted(venue_names.get(each, "…") for each in draft.venue_ids))
    state = "over" if one.is_over(visit.now) else "later" if visit.now < draft.from_at else "now"
    return Row(
        offer=one,
        name=draft.name.in_language(language),
        gives=gives,
        where=where or _("in all venues"),
        days=_days(one, brand.time_zone),
        state=state,
        numbers=numbers,
    )


def _days(one: Offer, time_zone: str) -> str:
    first = offer_days.first_day(one.draft.from_at, time_zone).strftime("%d.%m.%Y")
    if one.draft.until_at is None:
        return str(_("from %(day)s", day=first))
    return f"{first} – {offer_days.last_day(one.draft.until_at, time_zone).strftime('%d.%m.%Y')}"


def _of_brand(tx: Tx, visit: Visit, number: int) -> Offer:
    found = offers.offer(tx, OfferId(number))
    if found.brand_id != visit.brand.id:
        raise NotFound("no-such-offer", "The brand has no such offer")
    return found


def _explain() -> None:
    explain(
        {
            "bad-code": lambda _fault: _("Up to 24 Latin letters, digits and hyphens: COFFEE-10."),
            "code-taken": lambda _fault: _("This code was used before: receipts name it. Take another one."),
            "offer-words": lambda _fault: _("Write it in both languages: guests read one of them."),
            "ends-too-early": lambda _fault: _("The last day lies after the first, and not in the past."),
            "offer-granted": lambda _fault: _("Guests have it on their cards: end it, and make another one."),
            "offer-ended": lambda _fault: _("This offer has ended: make another one."),
        }
    )
