"""What the pages about places call things, and what they make of what people type."""

from __future__ import annotations

import re
from collections.abc import Collection

from flask_babel import gettext as _

from app.places.hangings import Hanging, Purpose
from app.posters.sizes import Size
from app.web.console.wording import explain

MOST_PAGES = 60
"""Of one file of prints, so that a thread waits for seconds: of more there are parts."""

_LATIN = str.maketrans(
    {
        **dict(zip("абвгдеёзийклмнопрстуфхцыэ", "abvgdeezijklmnoprstufhcye", strict=True)),
        "ж": "zh", "ч": "ch", "ш": "sh", "щ": "sch", "ю": "yu", "я": "ya", "ь": "", "ъ": "",
    }
)  # fmt: skip
_BETWEEN = re.compile(r"[^a-z0-9]+")
_LONGEST = 40


def slug_for(name: str, taken: Collection[str]) -> str:
    """A short name for addresses out of what people call a thing: «Печка на Невском» is pechka-na-nevskom."""
    plain = _BETWEEN.sub("-", name.lower().translate(_LATIN)).strip("-")[:_LONGEST].strip("-") or "place"
    number, found = 1, plain
    while found in taken:
        number += 1
        found = f"{plain}-{number}"
    return found


def hanging_words(hanging: Hanging) -> str:
    """What people call a code: table 7, the code of Anna."""
    name = hanging.name
    match hanging.purpose:
        case "venue":
            return str(_("The venue’s own code"))
        case "table":
            return str(_("Table %(name)s", name=name))
        case "till":
            return str(_("Till %(name)s", name=name))
        case "door":
            return str(_("Door %(name)s", name=name))
        case "poster":
            return str(_("Poster %(name)s", name=name))
        case "staff":
            return str(_("%(name)s invites", name=name))
        case _:
            return name


def purpose_words(purpose: Purpose) -> str:
    """The heading above all codes of one purpose."""
    words: dict[Purpose, str] = {
        "venue": _("The whole venue"),
        "table": _("Tables"),
        "till": _("Tills"),
        "door": _("Doors"),
        "poster": _("Posters"),
        "other": _("Elsewhere"),
        "staff": _("People who invite"),
    }
    return words[purpose]


def size_words(size: Size) -> tuple[str, str]:
    """A print's name, and what it is for."""
    return {
        "a4": (_("A4 sheet"), _("wall, door, beside the till")),
        "a5": (_("A5 sheet"), _("beside the till")),
        "tent": (_("Table tent"), _("A5, folded once, reads from both sides")),
        "sticker": (_("Round sticker"), _("50 mm, for a print shop")),
        "square": (_("Square sticker"), _("50 mm, for a print shop")),
    }[size]


explain(
    {
        "slug-taken": lambda _fault: _("This short name is taken already: choose another."),
        "half-coordinates": lambda _fault: _("Give both numbers or neither."),
        "not-on-earth": lambda _fault: _("This is no place on Earth: degrees, like 59.9343."),
        "null-island": lambda _fault: _("Leave both empty where you do not know them."),
        "not-degrees": lambda _fault: _("Degrees as a number, like 59.9343."),
        "unknown-time-zone": lambda _fault: _("A time zone like Europe/Moscow."),
        "unknown-currency": lambda _fault: _("Three capital letters, like RUB."),
        "bad-web-address": lambda _fault: _("An address like https://example.com/privacy."),
        "venue-closed": lambda _fault: _("The venue is closed. Open it again first."),
        "placement-taken": lambda _fault: _("The venue has this place already."),
        "bad-run": lambda _fault: _("Begin with the smaller number, like 1-20."),
        "too-many": lambda _fault: _("That is too many at once: at most 60."),
        "name-taken": lambda _fault: _("Somebody here has this name already: add what tells them apart."),
        "bad-target": lambda _fault: _("From 1 to 10,000 cards a month, or nothing."),
        "staff-member-left": lambda _fault: _("They do not work here any more."),
        "key-name-taken": lambda _fault: _("This venue has a key of this name already."),
        "key-ended": lambda _fault: _("The key ended too long ago to come back: make a new one."),
        "key-rotated": lambda _fault: _("This key was replaced or ended before."),
        "kind-fixed": lambda _fault: _("The kind stays: make another programme for another kind."),
        "identifier-fixed": lambda _fault: _("It stays: guests hold cards that were issued under it."),
    }
)
