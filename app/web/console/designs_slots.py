"""The pictures of a card that can be exchanged in the editor, and what each is for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import gettext as _

from app.passes.template import Template

_SCALE = re.compile(r"(?:@[23]x)?\.png$")
_LOCALIZED = re.compile(r"^(?:ru|en)\.lproj/")


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for a picture."""

    name: str  # "logo", "tiers/2/strip", "stamps/earned": what app.passes.pictures takes
    label: str
    hint: str
    shown: bytes | None  # the picture that is there now
    may_go: bool  # the card is whole without it


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
    return [Slot(name, label, hint, now(name), may_go) for name, label, hint, may_go in wanted]
