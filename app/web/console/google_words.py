"""How long Google takes, in words."""

from __future__ import annotations

import math

from flask_babel import gettext as _
from flask_babel import ngettext

from app.reports.google_outlook import GoogleOutlook


def outlook_words(outlook: GoogleOutlook | None) -> str:
    """What a change of all cards takes at Google; empty where none is there."""
    if outlook is None:
        return ""
    cards = ngettext("%(num)s card in Google Wallet", "%(num)s cards in Google Wallet", outlook.cards)
    said: str = _(
        "%(cards)s: Google takes at most %(rate)s changes a second, so all of them need %(time)s.",
        cards=cards,
        rate=f"{outlook.rate:g}",
        time=_duration(outlook.takes.total_seconds()),
    )
    return said


def _duration(seconds: float) -> str:
    """Rounded up, since it is a promise: minutes below two hours, then hours."""
    minutes = math.ceil(seconds / 60)
    hours = math.ceil(minutes / 60)
    said: str
    if minutes <= 1:
        said = _("less than a minute")
    elif minutes < 120:
        said = ngettext("about %(num)s minute", "about %(num)s minutes", minutes)
    else:
        said = ngettext("about %(num)s hour", "about %(num)s hours", hours)
    return said
