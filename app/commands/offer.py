"""``perkpass offer``: what guests may redeem once, put on their cards."""

from __future__ import annotations

from datetime import date, datetime

import click
from babel.numbers import get_currency_precision

from app.accounts import brands
from app.accounts.brands import Brand
from app.commands.answers import json_option, show, show_list
from app.commands.shell import opened
from app.db import Tx
from app.errors import BadInput
from app.loyalty import enrolment, granting, offer_days, offers, programmes
from app.loyalty.offers import Gives, Offer, OfferDraft
from app.passes.content import LocalizedText
from app.places import venues
from app.reports import offer_numbers
from app.reports.offer_numbers import NOTHING

_DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.group()
def offer() -> None:
    """Offers: what guests may redeem once at a till."""


@offer.command()
@click.argument("brand")
@click.argument("code")
@click.option("--name-ru", required=True)
@click.option("--name-en", required=True)
@click.option("--terms-ru", default="", help="what guests are told of it")
@click.option("--terms-en", default="")
@click.option("--percent", type=float, help="off the receipt")
@click.option("--amount", type=float, help="off the receipt, in the brand's currency")
@click.option("--points", type=float, help="on top of what the receipt earns")
@click.option("--gift-ru", help="what is handed over")
@click.option("--gift-en")
@click.option("--minimum", type=float, default=0, help="smallest receipt, in the brand's currency")
@click.option("--programme", help="cards of this programme alone")
@click.option("--venue", "slugs", multiple=True, help="in this venue alone; may be given again")
@click.option("--from", "first", type=_DAY, help="first day; today where not given")
@click.option("--until", "last", type=_DAY, help="last day; until you end it where not given")
@json_option
def create(
    brand: str,
    code: str,
    name_ru: str,
    name_en: str,
    terms_ru: str,
    terms_en: str,
    percent: float | None,
    amount: float | None,
    points: float | None,
    gift_ru: str | None,
    gift_en: str | None,
    minimum: float,
    programme: str | None,
    slugs: tuple[str, ...],
    first: datetime | None,
    last: datetime | None,
    as_json: bool,
) -> None:
    """Add the offer CODE to BRAND; nobody has it yet."""
    with opened() as shell:
        with shell.database.write() as tx:
            owner = brands.brand_by_slug(tx, brand)
            units = int(10 ** get_currency_precision(owner.currency))
            gives, worth = _gives(percent, amount, points, gift_ru or gift_en, units)
            today = offer_days.first_day(shell.now, owner.time_zone)
            draft = OfferDraft(
                code=code,
                name=LocalizedText(name_ru, name_en),
                terms=LocalizedText(terms_ru, terms_en),
                gives=gives,
                worth=worth,
                gift=LocalizedText(gift_ru or "", gift_en or "") if gives == "gift" else None,
                minimum=round(minimum * units),
                programme_id=programmes.programme_by_slug(tx, owner.id, programme).id if programme else None,
                venue_ids=frozenset(venues.venue_by_slug(tx, owner.id, slug).id for slug in slugs),
                from_at=offer_days.first_moment(first.date() if first else today, owner.time_zone),
                until_at=offer_days.after(last.date(), owner.time_zone) if last else None,
            )
            made = offers.create(tx, owner.id, draft, now=shell.now, actor=shell.actor)
        show(_told(made, owner), as_json=as_json)


@offer.command("list")
@click.argument("brand")
@json_option
def list_offers(brand: str, as_json: bool) -> None:
    """Every offer of BRAND, and what it did."""
    with opened() as shell, shell.database.read() as tx:
        owner = brands.brand_by_slug(tx, brand)
        numbers = offer_numbers.of_brand(tx, owner.id)
        found = offers.offers_of_brand(tx, owner.id)
    show_list(
        [
            _told(one, owner)
            | {
                "granted": numbers.get(one.id, NOTHING).granted,
                "redeemed": numbers.get(one.id, NOTHING).redeemed,
                "paid": numbers.get(one.id, NOTHING).paid,
            }
            for one in found
        ],
        as_json=as_json,
        empty=f"{brand} has no offer yet. Add one: perkpass offer create {brand} --help",
    )


@offer.command()
@click.argument("brand")
@click.argument("code")
@json_option
def end(brand: str, code: str, as_json: bool) -> None:
    """Let nobody redeem CODE any more; it leaves the cards within minutes."""
    with opened() as shell:
        with shell.database.write() as tx:
            owner = brands.brand_by_slug(tx, brand)
            known = offers.offer_by_code(tx, owner.id, code)
            ended = offers.end(tx, known.id, now=shell.now, actor=shell.actor)
        show(_told(ended, owner), as_json=as_json)


@offer.command()
@click.argument("brand")
@click.argument("code")
@click.option("--card", "cards", multiple=True, required=True, help="a card's code; may be given again")
@click.option("--until", "last", type=_DAY, help="last day; the offer's own where not given")
@json_option
def grant(brand: str, code: str, cards: tuple[str, ...], last: datetime | None, as_json: bool) -> None:
    """Put the offer CODE of BRAND on cards, silently; a guest gets it once."""
    with opened() as shell:
        with shell.database.write() as tx:
            owner = brands.brand_by_slug(tx, brand)
            known = offers.offer_by_code(tx, owner.id, code)
            wanted = [_card(tx, each) for each in cards]
            until = offer_days.after(last.date(), owner.time_zone) if last else None
            given = granting.give(
                tx, known.id, [each.id for each in wanted], until=until, now=shell.now, actor=shell.actor
            )
        fresh = sum(each.fresh for each in given)
        show(
            {"code": known.code, "granted": fresh, "had it": len(given) - fresh,
             "left out": len(wanted) - len(given)},
            as_json=as_json,
        )  # fmt: skip


def _card(tx: Tx, code: str) -> enrolment.Enrolment:
    found = enrolment.enrolment_of_card(tx, code)
    return enrolment.living(tx, found)


def _gives(
    percent: float | None, amount: float | None, points: float | None, gift: str | None, units: int
) -> tuple[Gives, int]:
    """What it gives, and how much of it as it is kept."""
    said: list[tuple[Gives, int]] = []
    if percent is not None:
        said.append(("percent", round(percent * 100)))
    if amount is not None:
        said.append(("amount", round(amount * units)))
    if points is not None:
        said.append(("points", round(points * 100)))
    if gift is not None:
        said.append(("gift", 0))
    if len(said) != 1:
        raise BadInput("bad-gives", "Say one of --percent, --amount, --points and --gift-ru with --gift-en.")
    return said[0]


def _told(one: Offer, owner: Brand) -> dict[str, object]:
    draft = one.draft
    return {
        "code": one.code,
        "name": draft.name.en,
        "gives": draft.gives,
        "worth": draft.worth,
        "from": _day(offer_days.first_day(draft.from_at, owner.time_zone)),
        "until": _day(offer_days.last_day(draft.until_at, owner.time_zone)) if draft.until_at else None,
        "ended": one.ended_at is not None,
    }


def _day(day: date) -> str:
    return day.isoformat()
