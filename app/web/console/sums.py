"""Money, points and stamps as the console shows and takes them."""

from __future__ import annotations

from decimal import Decimal

from babel.numbers import get_currency_precision
from flask_babel import gettext as _

from app.loyalty import wording
from app.passes import spelling
from app.web.console.forms import Form
from app.web.language import current_language


def money(amount: int, currency: str) -> str:
    """Minor units as people write them: 500 ₽, RUB 500, without kopecks where there are none."""
    units = Decimal(amount).scaleb(-get_currency_precision(currency))
    is_whole = units == units.to_integral_value()
    return spelling.money(units, currency, current_language(), whole=is_whole)


def points(amount: int) -> str:
    """Hundredths of a point as a number."""
    return wording.number(amount, current_language())


def stamps(count: int) -> str:
    """A number of stamps with its noun."""
    return wording.counted(count, current_language())


def typed(value: int, digits: int) -> str:
    """A whole number of smallest units as it stands in a field: 550 with two digits is 5.5."""
    return f"{Decimal(value).scaleb(-digits).normalize():f}"


def decimal(form: Form, name: str, *, digits: int, least: int, most: int, needed: bool = True) -> int | None:
    """A number with at most ``digits`` decimals, as a whole number of smallest units within the bounds.

    Notes what is wrong with it, and gives None then, or where nothing was typed.
    """
    said = form[name].strip().replace("\u00a0", "").replace(" ", "").replace(",", ".")
    if not said:
        if needed:
            form.errors.setdefault(name, _("Please fill this in."))
        return None
    try:
        exact = Decimal(said).scaleb(digits) if len(said) < 24 else None
    except ArithmeticError:  # not a number, or a power of ten beyond any
        exact = None
    if exact is None or not exact.is_finite() or exact != exact.to_integral_value():
        form.errors.setdefault(name, _("A number, like 5 or 2.5."))
        return None
    if not least <= exact <= most:
        form.errors.setdefault(
            name, _("From %(least)s to %(most)s.", least=typed(least, digits), most=typed(most, digits))
        )
        return None
    return int(exact)
