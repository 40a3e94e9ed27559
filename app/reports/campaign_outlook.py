"""What sending a campaign would come to: for whoever is about to press the button. Changes nothing.

Guests are left out in the order in which :mod:`app.campaigns.expansion` leaves them out. Who is held out and
who comes first is chance, so that those numbers are what is to be expected.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, func, literal, select

from app.accounts import brands
from app.campaigns import audiences, limits, store_audience, store_reach
from app.campaigns.assignment import CANARY, WHOLE
from app.campaigns.limits import Limits
from app.campaigns.plan import Plan
from app.campaigns.store_campaigns import Kind
from app.campaigns.store_reach import Span
from app.campaigns.tables import campaign, recipient
from app.db import Tx
from app.db.identifiers import BrandId, CampaignId
from app.delivery import google
from app.loyalty import habits
from app.loyalty.tables import enrolment
from app.passes.content import Language
from app.passes.tables import device
from app.places import venues
from app.sms.book import PriceRule

_NO_RULE: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class TextsOutlook:
    """Texts, at most; money in minor units."""

    certain: int  # to guests without a card: nothing else reaches them
    most: int
    price_least: int | None  # None: the login has no price for some of these numbers
    price_most: int | None
    currency: str | None
    bounded: bool  # the budget, or the number of texts, ends them before everybody had one


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """Where it is quiet when the campaign begins, and until when."""

    time_zone: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Guests of the audience: those who are left out, and the others by how they are told."""

    audience: int
    no_consent: int
    no_way: int  # no card in a wallet, and no text
    capped: int  # spoken to as often as the limits allow
    held_out: int
    arms: tuple[int, ...]  # guests of each
    canary: int  # of those, who get it first; 0: everybody at once
    apple: int
    google: int
    cardless: int  # texted straight away
    texts: TextsOutlook | None
    google_takes: timedelta | None
    quiet: tuple[Quiet, ...]
    behind: int  # receipts too new to be counted

    @property
    def told(self) -> int:
        """Guests of all arms."""
        return sum(self.arms)


@dataclass(frozen=True, slots=True)
class _Group:
    """Guests who are alike in all that matters here."""

    consenting: bool
    textable: bool
    apple: bool
    google: bool
    capped: bool
    numbered: bool
    language: Language
    rule: int  # index of the price rule of their number
    guests: int


def outlook(
    tx: Tx,
    brand_id: BrandId,
    plan: Plan,
    *,
    kind: Kind,
    own: CampaignId | None,
    at: datetime,
    now: datetime,
    prices: Sequence[PriceRule] = (),
    parts: Mapping[Language, int] | None = None,
    google_rate: float = google.RATE,
) -> Outlook:
    """As if the campaign began ``at`` that moment; ``own``: the campaign itself, which is not in its own way.

    ``prices``: of the login that the brand's texts leave by; ``parts``: of the longest text by language.
    """
    allowed = limits.of_brand(tx, brand_id)
    fresh = habits.fresh(tx, brand_id)
    asked = audiences.asked_now(tx, brand_id, plan.audience, now)
    chosen = store_audience.chosen(tx, Span(tx.dialect.name, brand_id, 0, audiences.EVERY), asked, fresh)
    groups = _groups(tx, chosen, brand_id, plan, kind, own, allowed, at, prices)
    told = [one for one in groups if _why_not(one, plan) is None]
    whole = sum(one.guests for one in told)
    held_out = round(whole * plan.holdout / WHOLE)
    arms = _shared(whole - held_out, plan.split.weights)
    part = (whole - held_out) / whole if whole else 0.0
    at_google = round(sum(one.guests for one in told if one.google and not one.apple) * part)
    cardless = round(sum(one.guests for one in told if not one.google and not one.apple) * part)
    why = {
        each: sum(one.guests for one in groups if _why_not(one, plan) == each)
        for each in ("no_consent", "no_way", "cap")
    }
    takes = google.estimate(at_google, rate=google_rate) if at_google else None
    return Outlook(
        audience=sum(one.guests for one in groups),
        no_consent=why["no_consent"],
        no_way=why["no_way"],
        capped=why["cap"],
        held_out=held_out,
        arms=arms,
        canary=round(sum(arms) * CANARY / WHOLE) if plan.canary_minutes else 0,
        apple=max(0, whole - held_out - at_google - cardless),
        google=at_google,
        cardless=cardless,
        texts=_texts(told, plan, part, prices, parts or {}) if plan.texts_to != "nobody" else None,
        google_takes=takes,
        quiet=_quiet(tx, brand_id, allowed, at) if kind == "advertising" else (),
        behind=fresh.left,
    )


def _groups(
    tx: Tx,
    chosen: Any,
    brand_id: BrandId,
    plan: Plan,
    kind: Kind,
    own: CampaignId | None,
    allowed: Limits,
    at: datetime,
    prices: Sequence[PriceRule],
) -> list[_Group]:
    """One statement, so that the numbers are of one moment."""
    found = chosen.cte("chosen")
    each = Span(tx.dialect.name, brand_id, 0, audiences.EVERY).about("chosen.id")
    advertising = kind == "advertising"

    def has(members: Any) -> ColumnElement[bool]:
        return each.has(members, found.c.id)

    def of_programme(members: Any) -> Any:
        return members.where(enrolment.c.programme_id == plan.programme_id)

    yes = literal(1) == literal(1)
    apple, google_ = found.c.apple, found.c.google
    if plan.programme_id is not None:
        phones = store_reach.with_phone(each).where(device.c.push_service == "apple")
        apple = and_(apple, has(of_programme(phones)))
        google_ = and_(google_, has(of_programme(store_reach.with_google(each))))
    marked = select(
        (found.c.consenting if advertising else yes).label("consenting"),
        (found.c.texts if advertising else yes).label("textable"),
        apple.label("apple"),
        google_.label("google"),
        (found.c.id.in_(_capped(brand_id, own, allowed, at)) if advertising else ~yes).label("capped"),
        found.c.phone.is_not(None).label("numbered"),
        found.c.language.label("language"),
        _rule(found.c.phone, prices).label("rule"),
    ).cte("marked")
    columns = list(marked.c)
    rows = tx.execute(select(*columns, func.count().label("guests")).group_by(*columns))
    return [
        _Group(
            consenting=bool(row.consenting),
            textable=bool(row.textable),
            apple=bool(row.apple),
            google=bool(row.google),
            capped=bool(row.capped),
            numbered=bool(row.numbered),
            language=row.language,
            rule=row.rule,
            guests=row.guests,
        )
        for row in rows
    ]


def _capped(brand_id: BrandId, own: CampaignId | None, allowed: Limits, at: datetime) -> Any:
    """Members who were spoken to, or are about to be, as often as the limits allow around that moment."""
    return (
        select(recipient.c.member_id)
        .join(campaign, campaign.c.id == recipient.c.campaign_id)
        .where(
            campaign.c.brand_id == brand_id,
            campaign.c.kind == "advertising",
            campaign.c.id != (own or 0),
            recipient.c.contact_at > at - allowed.window,
            recipient.c.contact_at < at + allowed.window,
        )
        .group_by(recipient.c.member_id)
        .having(func.count() >= allowed.most)
    )


def _rule(number: ColumnElement[Any], prices: Sequence[PriceRule]) -> ColumnElement[int]:
    """Which price is a number's: the longest prefix wins."""
    if not prices:
        return literal(_NO_RULE)
    by_length = sorted(enumerate(prices), key=lambda one: -len(one[1].prefix))
    return case(
        *((func.substr(number, 1, len(rule.prefix)) == rule.prefix, index) for index, rule in by_length),
        else_=_NO_RULE,
    )


def _why_not(one: _Group, plan: Plan) -> str | None:
    by_text = plan.texts_to == "unreached_and_cardless" and one.numbered
    if not one.consenting:
        return "no_consent"
    if not (one.apple or one.google or by_text):
        return "no_way"
    return "cap" if one.capped else None


def _texts(
    told: Sequence[_Group],
    plan: Plan,
    part: float,
    prices: Sequence[PriceRule],
    parts: Mapping[Language, int],
) -> TextsOutlook:
    """Of those who have a number that was not silenced: for sure, and if no card of theirs is reached."""
    able = [one for one in told if one.textable and one.numbered]
    alone = [one for one in able if not one.apple and not one.google]
    certain, most = (round(sum(one.guests for one in some) * part) for some in (alone, able))
    currencies = {rule.currency for rule in prices}
    known = len(currencies) == 1 and all(one.rule != _NO_RULE for one in able)

    def price(some: Sequence[_Group]) -> int:
        whole = sum(one.guests * prices[one.rule].amount * parts.get(one.language, 1) for one in some)
        return round(whole * part)

    least, dearest = (price(alone), price(able)) if known else (None, None)
    bounded = plan.most_texts is not None and plan.most_texts < most
    if plan.most_texts is not None and plan.most_texts < most:
        share = plan.most_texts / most
        least = min(least, round((dearest or 0) * share)) if least is not None else None
        dearest = round(dearest * share) if dearest is not None else None
        certain, most = min(certain, plan.most_texts), plan.most_texts
    if plan.budget is not None and dearest is not None and plan.budget < dearest:
        bounded, dearest = True, plan.budget
        least = min(least or 0, plan.budget)
    return TextsOutlook(
        certain=certain,
        most=most,
        price_least=least,
        price_most=dearest,
        currency=currencies.pop() if len(currencies) == 1 else None,
        bounded=bounded,
    )


def _quiet(tx: Tx, brand_id: BrandId, allowed: Limits, at: datetime) -> tuple[Quiet, ...]:
    zones = {one.time_zone for one in venues.all_venues(tx, brand_id)} | {
        brands.brand(tx, brand_id).time_zone
    }
    ends = {zone: allowed.spoken_at(at, zone) for zone in sorted(zones)}
    return tuple(Quiet(time_zone=zone, until=end) for zone, end in ends.items() if end > at)


def _shared(whole: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Divided by weight; nobody is left over."""
    ends, so_far = [0], 0
    for weight in weights:
        so_far += weight
        ends.append(whole * so_far // sum(weights))
    return tuple(end - begin for begin, end in itertools.pairwise(ends))
