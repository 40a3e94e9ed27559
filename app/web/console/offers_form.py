"""An offer's terms as fields of a form, and back."""

from __future__ import annotations

from datetime import date, datetime

from babel.numbers import get_currency_precision
from flask_babel import gettext as _

from app.accounts.brands import Brand
from app.db.identifiers import ProgrammeId, VenueId
from app.loyalty import offer_days
from app.loyalty.checks import MOST_MONEY
from app.loyalty.offer_terms import LONGEST_GIFT, LONGEST_NAME, LONGEST_TERMS, MOST_POINTS, NO_WORDS
from app.loyalty.offers import Gives, OfferDraft
from app.passes.content import LocalizedText
from app.web.console.forms import Form, digits
from app.web.console.sums import decimal, typed

_GIVES: tuple[Gives, ...] = ("percent", "amount", "gift", "points")
_PERCENT = 2
"""Digits after the point of a share, as of points."""
FIELDS = {"until": "until", "code-taken": "code", "code-fixed": "code"}


def newcomer(today: date) -> Form:
    """What a new offer begins with."""
    return Form.of(gives="percent", **{"from": today.isoformat()})


def filled(draft: OfferDraft, brand: Brand) -> Form:
    """The form as these terms fill it."""
    places = get_currency_precision(brand.currency)
    gift = draft.gift or NO_WORDS
    return Form.of(
        code=draft.code,
        name_ru=draft.name.ru,
        name_en=draft.name.en,
        terms_ru=draft.terms.ru,
        terms_en=draft.terms.en,
        gives=draft.gives,
        percent=typed(draft.worth, _PERCENT) if draft.gives == "percent" else "",
        amount=typed(draft.worth, places) if draft.gives == "amount" else "",
        points=typed(draft.worth, _PERCENT) if draft.gives == "points" else "",
        gift_ru=gift.ru,
        gift_en=gift.en,
        minimum=typed(draft.minimum, places) if draft.minimum else "",
        programme=draft.programme_id,
        venues=sorted(draft.venue_ids),
        until=offer_days.last_day(draft.until_at, brand.time_zone) if draft.until_at else "",
        **{"from": offer_days.first_day(draft.from_at, brand.time_zone)},
    )


def understood(form: Form, brand: Brand) -> OfferDraft | None:
    """The terms that were typed; None where something is wrong, which the form then says."""
    places = get_currency_precision(brand.currency)
    wanted = form.choice("gives", _GIVES)
    gives: Gives = next((each for each in _GIVES if each == wanted), "percent")
    worth, gift = 0, None
    if gives == "gift":
        gift = LocalizedText(
            form.text("gift_ru", longest=LONGEST_GIFT), form.text("gift_en", longest=LONGEST_GIFT)
        )
    elif gives == "percent":
        worth = decimal(form, "percent", digits=_PERCENT, least=1, most=10_000) or 0
    elif gives == "amount":
        worth = decimal(form, "amount", digits=places, least=1, most=MOST_MONEY) or 0
    else:
        worth = decimal(form, "points", digits=_PERCENT, least=1, most=MOST_POINTS) or 0
    first, last = _day(form, "from"), _day(form, "until", needed=False)
    draft = OfferDraft(
        code=form.text("code", longest=24),
        name=LocalizedText(
            form.text("name_ru", longest=LONGEST_NAME), form.text("name_en", longest=LONGEST_NAME)
        ),
        terms=LocalizedText(
            form.text("terms_ru", longest=LONGEST_TERMS, needed=False),
            form.text("terms_en", longest=LONGEST_TERMS, needed=False),
        ),
        gives=gives,
        worth=worth,
        gift=gift,
        minimum=decimal(form, "minimum", digits=places, least=0, most=MOST_MONEY, needed=False) or 0,
        programme_id=ProgrammeId(number) if (number := digits(form["programme"])) else None,
        venue_ids=frozenset(
            VenueId(number) for each in form.all("venues") if (number := digits(each)) is not None
        ),
        from_at=offer_days.first_moment(first or date(2000, 1, 1), brand.time_zone),
        until_at=offer_days.after(last, brand.time_zone) if last else None,
    )
    return draft if form.ok else None


def _day(form: Form, name: str, *, needed: bool = True) -> date | None:
    said = form.text(name, needed=needed, longest=10)
    if not said:
        return None
    try:
        day = datetime.strptime(said, "%Y-%m-%d").date()  # noqa: DTZ007 - a day of the brand's own clock
    except ValueError:
        day = None
    if day is None or not 2000 <= day.year <= 2200:
        form.errors.setdefault(name, _("A day, like 2026-11-30."))
        return None
    return day
