"""Refusals of the rooms below in the reader's language: a room speaks English and gives a code.

Each area adds the sentences for the codes that its forms meet.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from flask_babel import gettext as _

from app.errors import Refused, TooMany

Sentence = Callable[[Refused], str]
_sentences: dict[str, Sentence] = {}


def explain(sentences: Mapping[str, Sentence]) -> None:
    """Add sentences by the refusal's code: ``{"slug-taken": lambda _fault: _("…")}``, called in a request."""
    _sentences.update(sentences)


def sentence(fault: Refused) -> str:
    """What to say to the reader; the room's own words where nobody has translated them."""
    told = _sentences.get(fault.code)
    return told(fault) if told else fault.message


def later(fault: TooMany) -> str:
    """When it may be tried again."""
    minutes = max(1, round(math.ceil(fault.retry_after.total_seconds()) / 60))
    return str(_("Please try again in about %(minutes)s min.", minutes=minutes))


explain(
    {
        "empty": lambda _fault: _("Please fill this in."),
        "too-long": lambda _fault: _("This is too long."),
        "unprintable": lambda _fault: _("This holds a line break or a control character: take it out."),
        "bad-slug": lambda _fault: _("Lower-case Latin letters, digits and single hyphens, like north-pier."),
        "other-brand": lambda _fault: _("This belongs to another brand."),
        "bad-email": lambda _fault: _("This does not look like an e-mail address."),
        "email-taken": lambda _fault: _("This address has an account already: sign in with it."),
        "password-short": lambda _fault: _("This one is shorter than 10 characters."),
        "password-long": lambda _fault: _("At most 200 characters."),
        "password-known": lambda _fault: _(
            "This is among the first that are tried. Take a few words of your own."
        ),
        "no-venues": lambda _fault: _("Choose the venues that the manager is to see."),
        "last-owner": lambda _fault: _("A brand needs an owner: make somebody else one first."),
        "owner-already": lambda _fault: _("You own this brand already: the link is for somebody else."),
        "more-already": lambda _fault: _("You may do more in this brand than the link gives."),
        "role-since": lambda _fault: _("This person was given a role here since: nothing was changed."),
        "no-such-invitation": lambda _fault: _(
            "This link was used, has expired or was withdrawn. Ask for a new one."
        ),
        "no-such-session": lambda _fault: _("This device is signed out already."),
    }
)
