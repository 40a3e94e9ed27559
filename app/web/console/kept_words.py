"""What a form is for, in a few words, to whom it comes back after signing in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from flask_babel import gettext as _

_PURPOSES: Final[Mapping[str, Callable[[], str]]] = {
    "account_rename": lambda: _("Change your name"),
    "account_change_password": lambda: _("Choose a new password"),
    "account_end_": lambda: _("Sign devices out"),
    "account": lambda: _("Your account"),
    "brand_new": lambda: _("Make a brand"),
    "campaigns_limits": lambda: _("Say how often guests may be spoken to"),
    "campaigns_write": lambda: _("Write a campaign"),
    "campaigns_test": lambda: _("Try a campaign on one’s own card"),
    "campaigns": lambda: _("Send a campaign, or change what it does"),
    "certificate_take_back": lambda: _("Use the certificate before again"),
    "certificate_ask": lambda: _("Make a request to Apple"),
    "certificate": lambda: _("Upload a certificate"),
    "designs": lambda: _("Work on a card’s design"),
    "invited": lambda: _("Accept an invitation"),
    "launch": lambda: _("Publish the card’s design"),
    "members_acts_correct": lambda: _("Correct a guest’s balance"),
    "members_acts_block": lambda: _("Block a guest’s card"),
    "members_acts_unblock": lambda: _("Unblock a guest’s card"),
    "members_acts_reissue": lambda: _("Give a guest a new card"),
    "members_data_file": lambda: _("Save what is known of a guest"),
    "members_data_forget": lambda: _("Forget a guest for good"),
    "members": lambda: _("A guest’s page"),
    "offers": lambda: _("Make or change an offer"),
    "people_inviting": lambda: _("Invite somebody to the team"),
    "people_password_link": lambda: _("Make a link to a new password"),
    "people": lambda: _("A change in the team"),
    "places_create": lambda: _("Add a venue"),
    "places_change": lambda: _("Change a venue"),
    "places_close": lambda: _("Close a venue"),
    "places_reopen": lambda: _("Open a venue again"),
    "places_till_new": lambda: _("Make a key for a till"),
    "places_till": lambda: _("Change a till’s key"),
    "places_venue_hang": lambda: _("Hang up codes"),
    "places": lambda: _("Change a code"),
    "settings_programme": lambda: _("Save a programme"),
    "settings": lambda: _("Save the brand’s settings"),
    "staff_add": lambda: _("Add somebody who invites"),
    "staff_plan": lambda: _("Set somebody’s plan"),
    "staff": lambda: _("People who invite"),
}
"""By how the names of routes begin; the longest beginning that fits counts."""

_FIELDS: Final[Mapping[str, Callable[[], str]]] = {
    "name": lambda: _("Name"),
    "names": lambda: _("Which"),
    "email": lambda: _("E-mail"),
    "address": lambda: _("Address"),
    "way": lambda: _("Add or take away"),
    "amount": lambda: _("How many"),
    "reason": lambda: _("Reason"),
    "monthly_target": lambda: _("Plan, cards a month"),
    "welcome": lambda: _("Given with the card"),
    "programme_ru": lambda: _("Name of the card, in Russian"),
    "programme_en": lambda: _("Name of the card, in English"),
    "promise_ru": lambda: _("One sentence: what the guest gets, in Russian"),
    "promise_en": lambda: _("The same in English"),
    "reward_ru": lambda: _("The gift, in Russian"),
    "reward_en": lambda: _("The gift, in English"),
    "relevant_text_ru": lambda: _("What the lock screen says, in Russian"),
    "relevant_text_en": lambda: _("What the lock screen says, in English"),
}
"""Fields by which somebody knows their form again; what others hold is counted."""
_PASSED_ON: Final = frozenset({"expected", "form_key", "kind", "next", "note", "revision", "username"})
"""Hidden fields, which nobody typed."""
_WAYS: Final[Mapping[str, Callable[[], str]]] = {
    "add": lambda: _("Add"),
    "take": lambda: _("Take away"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """Names of fields with what was typed there, and how many more were filled in."""

    known: list[tuple[str, str]]
    more: int


def told(fields: Iterable[tuple[str, str]]) -> Told:
    """What was typed, as far as it can be called by a name."""
    filled = [(name, " ".join(value.split())) for name, value in fields if value.strip()]
    typed = [(name, _WAYS[value]() if name == "way" and value in _WAYS else value) for name, value in filled]
    known = [(_FIELDS[name](), value) for name, value in typed if name in _FIELDS]
    passed_on = sum(name in _PASSED_ON for name, _value in filled)
    return Told(known, len(filled) - len(known) - passed_on)


def purpose(endpoint: str) -> str:
    """What the act with this name is for."""
    name = endpoint.partition(".")[2]
    fitting = [beginning for beginning in _PURPOSES if name.startswith(beginning)]
    return _PURPOSES[max(fitting, key=len)]() if fitting else _("A form of the console")
