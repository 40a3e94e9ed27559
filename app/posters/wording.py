"""What every print says in its language, whatever the brand."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass

from app.posters.poster import Language, Poster, SpotKind

MOST_ADDRESS = 110
"""Characters of an address: the print stands in the venue already."""


@dataclass(frozen=True, slots=True)
class Phrases:
    """One language's."""

    heading: str  # in two lines
    short: str  # the heading where there is hardly any room
    steps: tuple[str, str, str]  # scan, form, show at the till
    invites: str  # with the staff member's name in it
    spots: Mapping[SpotKind, str]  # with the spot's name in it


PHRASES: dict[Language, Phrases] = {
    "ru": Phrases(
        heading="Карта\u00a0в\u00a0телефоне, без\u00a0приложения",
        short="Карта гостя в телефоне",
        steps=(
            "Наведите камеру на код",
            "Заполните форму, получите карту",
            "Покажите карту на кассе",
        ),
        invites="Вас приглашает {name}",
        spots={
            "table": "стол {name}",
            "till": "касса {name}",
            "door": "вход {name}",
            "poster": "плакат {name}",
            "other": "{name}",
        },
    ),
    "en": Phrases(
        heading="A\u00a0card\u00a0in\u00a0your\u00a0phone, no\u00a0app\u00a0needed",
        short="Your card, in your phone",
        steps=(
            "Point your camera at the code",
            "Fill in the form, get the card",
            "Show the card at the till",
        ),
        invites="{name} invites you",
        spots={
            "table": "table {name}",
            "till": "till {name}",
            "door": "door {name}",
            "poster": "poster {name}",
            "other": "{name}",
        },
    ),
}


def place(poster: Poster) -> str:
    """Where the print belongs, in one line: venue, spot or inviting person, address."""
    phrases = PHRASES[poster.words[0].language]
    parts = [poster.venue]
    if poster.spot is not None:
        parts.append(phrases.spots[poster.spot.kind].format(name=poster.spot.name))
    if poster.staff_member is not None:
        parts.append(phrases.invites.format(name=poster.staff_member))
    parts.append(textwrap.shorten(poster.address, MOST_ADDRESS, placeholder=" …"))
    return " · ".join(part for part in parts if part)


def edition(poster: Poster) -> str:
    """Which print it is: its version and the day."""
    return f"v{poster.version} · {poster.printed_on:%d.%m.%Y}"
