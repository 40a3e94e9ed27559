"""The pictures of a card that can be exchanged in the editor, and what each is for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from flask_babel import gettext as _

from app.passes.template import Template

_SCALE = re.compile(r"(?:@[23]x)?\.png$")
PICTURES = ("logo", "strip", "icon")
"""Of every card; tiers and languages may have others in their place."""
_IN_PLACE = re.compile(r"(tiers/\d+/|(?:ru|en)\.lproj/)([^/]+)")
_LOCALIZED = re.compile(r"^(?:ru|en)\.lproj/")


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for a picture."""

    name: str  # "logo", "tiers/2/strip", "stamps/earned": what app.passes.pictures takes
    label: str
    hint: str
    shown: bytes | None  # the picture that is there now
    may_go: bool  # the card is whole without it
    covered: bool = False  # some cards show another picture in its place


def slot_of_image(where: str) -> str | None:
    """ "strip" for "strip@2x.png"; None for what is no image."""
    found = _LOCALIZED.sub("", where)
    return _SCALE.sub("", found) if _SCALE.search(found) else None


def slots(template: Template, *, tiers: Mapping[int, str], stamps: bool) -> list[Slot]:
    """In the order of the card; ``tiers`` are names by the number of their look."""

    def now(name: str) -> bytes | None:
        for suffix in ("@2x", "@3x", ""):
            if found := template.files.get(f"{name}{suffix}.png"):
                return found
        return None

    wanted = [
        ("logo", _("Logo"), _("Top left, up to 160 × 50 points; transparent PNG looks best."), True),
        ("strip", _("Picture"), _("Across the card, 375 × 144 points; calm on its left."), True),
        ("icon", _("Icon"), _("A square for the lock screen, from 87 pixels."), False),
    ]
    wanted += [
        (
            f"tiers/{number}/strip",
            _("Picture of “%(tier)s”", tier=name),
            _("In place of the picture above."),
            True,
        )
        for number, name in tiers.items()
    ]
    if stamps:
        square = _("A square from 96 pixels, transparent around the stamp.")
        wanted += [
            ("stamps/earned", _("Stamp"), square, False),
            ("stamps/empty", _("Empty place"), square, False),
            ("stamps/reward", _("Gift"), square, True),
            ("stamps/reward_earned", _("Gift, earned"), square, True),
        ]
    if template.google is not None:
        wanted.append(
            ("google/logo", _("Logo in Google Wallet"), _("A square from 660 pixels; shown round."), False)
        )
        wanted.append(("google/hero", _("Picture in Google Wallet"), _("Wide, 1032 × 336 pixels."), True))
    return [
        Slot(name, label, hint, now(name), may_go, bool(_own(template, name)))
        for name, label, hint, may_go in wanted
    ]


def without_own(template: Template, name: str) -> Template:
    """Every card shows the slot's picture: tiers and languages have none of their own any more."""
    gone = {path for paths in _own(template, name).values() for path in paths}
    return replace(template, files={path: data for path, data in template.files.items() if path not in gone})


def covered_words(template: Template, name: str, tiers: Mapping[int, str]) -> str:
    """Where the slot's picture is not seen, and why; empty where all cards show it. ``tiers`` as above."""
    own = _own(template, name)
    if not own:
        return ""
    folders = {f"tiers/{number}/": words for number, words in tiers.items()}
    named = [f"“{folders[each]}”" for each in sorted(own) if each in folders]
    named += [words for folder, words in _languages() if folder in own]
    if folders and folders.keys() <= own.keys():
        return str(_("No card shows it: every tier has a picture of its own. Change those below."))
    if not named:
        return ""
    return str(_("Not seen on: %(cards)s. They have a picture of their own.", cards=", ".join(named)))


def _languages() -> tuple[tuple[str, str], ...]:
    return ("ru.lproj/", _("cards in Russian")), ("en.lproj/", _("cards in English"))


def _own(template: Template, name: str) -> dict[str, list[str]]:
    """The pictures that stand in the slot's place, by their folder: a tier's, a language's."""
    found: dict[str, list[str]] = {}
    for path in template.files:
        if (match := _IN_PLACE.fullmatch(path)) and _SCALE.sub("", match[2]) == name:
            found.setdefault(match[1], []).append(path)
    return found
