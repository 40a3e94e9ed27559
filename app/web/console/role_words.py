"""Roles in the reader's language."""

from __future__ import annotations

from flask_babel import gettext as _

from app.accounts.roles import Role


def role_words(role: Role) -> str:
    """What a role is called."""
    words: dict[Role, str] = {
        "owner": _("Owner"),
        "marketer": _("Marketer"),
        "manager": _("Venue manager"),
        "cashier": _("Cashier"),
    }
    return words[role]


def role_deeds(role: Role) -> str:
    """What a role is for, in a sentence."""
    words: dict[Role, str] = {
        "owner": _("Everything: the team, the certificate, the settings and all that others do."),
        "marketer": _("The card’s design, places, guests and figures of all venues."),
        "manager": _("Figures, staff, codes and guests of their own venues; numbers only in part."),
        "cashier": _("Works at the till; here only the training sheet and their own account."),
    }
    return words[role]
