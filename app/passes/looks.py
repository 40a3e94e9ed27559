"""Looks: what cards of one design do not have in common, though it is none of the guest's own words.

A card of a stamp programme shows its stamps in the strip, a card of a tiered one has the colours and the
strip of its tier. A design has one look for every number of stamps, or for every tier; a bundle carries the
images of its own look and of no other. In a design's files the images of looks lie in folders::

    strip.png                 common: in every bundle, unless the look has its own
    stamps/3/strip.png        three stamps: drawn when the design is published (app.passes.stamp_strips)
    tiers/2/strip.png         the template's second tier
    stamps/earned.png         what stamps are drawn from; in no bundle
    google/logo.png           Google's; in no bundle
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.passes.content import Language, PassContent
from app.passes.layout import Design, Layout

_IN_A_LOOK = re.compile(r"((?:stamps|tiers)/\d+/)([^/]+)")
_IN_NO_BUNDLE = ("stamps/", "tiers/", "google/")
_SCALES = ((1, ""), (2, "@2x"), (3, "@3x"))
_SCALE = re.compile(r"@[23]x(?=\.png$)")


@dataclass(frozen=True, slots=True)
class Look:
    """The images and colours of one look."""

    files: Mapping[str, str]  # path inside the bundle to path in the design
    colours: Mapping[str, str]  # Apple's key to colour, in place of the design's


def look_number(layout: Layout, content: PassContent) -> int:
    """Which of :func:`looks` a card has; a voided one has the first, which tells nothing of its guest."""
    if content.voided:
        return 0
    if layout.tiers:
        if content.tier is None:
            return 0
        return next((n for n, tier in enumerate(layout.tiers, 1) if tier.name == content.tier), 0)
    return min(max(content.stamps, 0), layout.for_reward or 0)


def looks(layout: Layout, files: Mapping[str, bytes]) -> tuple[Look, ...]:
    """Every look of a design: for no tier and each tier, or for no stamp up to all of them; at least one."""
    by_folder: dict[str, dict[str, str]] = {}
    for path in sorted(files):
        if match := _IN_A_LOOK.fullmatch(path):
            by_folder.setdefault(match[1], {})[match[2]] = path
    if layout.tiers:
        return (
            Look({}, {}),
            *(Look(by_folder.get(tier.folder, {}), tier.colours) for tier in layout.tiers),
        )
    numbers = range((layout.for_reward or 0) + 1)
    return tuple(Look(by_folder.get(f"stamps/{number}/", {}), {}) for number in numbers)


def common_files(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The images that are in a bundle whatever its look, as far as the look has none of that picture."""
    return {path: data for path, data in files.items() if not path.startswith(_IN_NO_BUNDLE)}


def bundle_paths(look: Look, files: Iterable[str]) -> dict[str, str]:
    """The images of a look's bundle: path inside it to path in the design.

    A look's own picture takes the common one's place in every scale: beside the tier's strip.png, the common
    strip@2x.png would be what iPhones show.
    """
    own = {_unscaled(path) for path in look.files}
    common = {
        path: path for path in files if not path.startswith(_IN_NO_BUNDLE) and _unscaled(path) not in own
    }
    return common | dict(look.files)


def bundle_files(layout: Layout, files: Mapping[str, bytes], number: int) -> dict[str, bytes]:
    """The images in the bundle of a card with that look."""
    paths = bundle_paths(looks(layout, files)[number], files)
    return {path: files[source] for path, source in paths.items()}


def _unscaled(path: str) -> str:
    return _SCALE.sub("", path)


def image_paths(design: Design, name: str, content: PassContent, language: Language) -> dict[int, str]:
    """Where in ``design.files`` this card's image lies, by scale: ``{1: "stamps/3/strip.png", 2: …}``.

    ``name`` is "strip", "logo", "icon"; empty where the card has no such image. Like iOS it prefers the
    image of the phone's language.
    """
    look = looks(design.layout, design.files)[look_number(design.layout, content)]
    carried = bundle_paths(look, design.files)
    for folder in (f"{language}.lproj/", ""):
        names = {scale: f"{folder}{name}{suffix}.png" for scale, suffix in _SCALES}
        if there := {scale: carried[path] for scale, path in names.items() if path in carried}:
            return there
    return {}
