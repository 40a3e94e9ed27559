"""The card drawn in a page: the fields that Wallet shows, in the page's language and the brand's colours.

It is drawn from the very pass.json that the phone gets, so the page promises no other card than it gives.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.colours import PLAIN, Colour, contrast, hexadecimal, more_legible, parse_colour
from app.db.identifiers import PassTypeIdentifier, SerialNumber
from app.errors import NotFound
from app.passes import spelling
from app.passes.content import Language, PassContent, PassIdentity
from app.passes.layout import Design
from app.passes.looks import image_paths, look_number, looks
from app.passes.pass_json import PassTemplate

_NOBODY = PassIdentity(PassTypeIdentifier("page"), SerialNumber("page"), "page")
_GROUNDS: dict[str, Colour] = {"light": (246, 246, 244), "dark": (18, 18, 17)}  # --ground of guest.css
_TEXT_CONTRAST = 4.5  # WCAG 2.2, 1.4.3 (AA)
_SHAPE_CONTRAST = 3.0  # WCAG 2.2, 1.4.11


@dataclass(frozen=True, slots=True)
class FaceField:
    """A label with its value, as words."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Picture:
    """An image of the design in the sizes it has: ``src`` for one pixel a point, ``srcset`` for all."""

    src: str
    srcset: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFace:
    """Everything the template draws."""

    organization: str
    description: str
    logo_text: str
    stylesheet: str
    icon: str
    logo: Picture | None
    strip: Picture | None
    header: tuple[FaceField, ...]
    primary: tuple[FaceField, ...]
    secondary: tuple[FaceField, ...]
    auxiliary: tuple[FaceField, ...]


def draw(design: Design, content: PassContent, language: Language, *, files_at: str) -> CardFace:
    """The face of ``content`` in ``language``; ``files_at`` is the address where the design's files lie."""
    template = PassTemplate(design.layout, language, web_service_url="https://page.invalid")
    document = json.loads(template.render(content, _NOBODY).document)
    fields = document[design.layout.style]
    words = template.own_strings

    def row(group: str) -> tuple[FaceField, ...]:
        return tuple(
            FaceField(words.get(label := str(each.get("label", "")), label), _spell(each, words, language))
            for each in fields.get(group, ())
        )

    def picture(name: str) -> Picture | None:
        found = {
            scale: f"{files_at}/{path}"
            for scale, path in image_paths(design, name, content, language).items()
        }
        sizes = ", ".join(f"{address} {scale}x" for scale, address in found.items())
        return Picture(found[min(found)], sizes) if found else None

    icon, look = picture("icon"), look_number(design.layout, content)
    return CardFace(
        organization=str(document.get("organizationName", "")),
        description=_said(document, "description", words),
        logo_text=_said(document, "logoText", words),
        stylesheet=stylesheet_address(design, look, files_at=files_at),
        icon=icon.src if icon else "",
        logo=picture("logo"),
        strip=picture("strip"),
        header=row("headerFields"),
        primary=row("primaryFields"),
        secondary=row("secondaryFields"),
        auxiliary=row("auxiliaryFields"),
    )


def stylesheet_address(design: Design, look: int = 0, *, files_at: str) -> str:
    """Where :func:`stylesheet` lies."""
    return f"{files_at}/card-{look}.css" if design.layout.tiers else f"{files_at}/card.css"


def stylesheet(design: Design, look: int = 0) -> str:
    """The colours of a look as custom properties: the page's policy allows no inline style.

    Raises :class:`NotFound` for a look that the design has not.
    """
    every = looks(design.layout, {})
    if look >= len(every):
        raise NotFound("no-such-look", "This design has no such look.")
    document = {**design.layout.document, **every[look].colours}
    ground = parse_colour(document.get("backgroundColor")) or PLAIN
    ink = parse_colour(document.get("foregroundColor")) or more_legible(ground)
    label = parse_colour(document.get("labelColor")) or ink
    rules = [
        f":root{{--card:{hexadecimal(ground)};--card-ink:{hexadecimal(ink)};--card-label:{hexadecimal(label)}}}"
    ]
    for theme, page in _GROUNDS.items():
        if accent := _accent((ground, ink, label), page):
            rules.append(f"@media (prefers-color-scheme:{theme}){{:root{{{accent}}}}}")
    return "\n".join(rules) + "\n"


def _accent(colours: tuple[Colour, ...], page: Colour) -> str:
    """Buttons in the first of the card's colours that stands out from the page; else the page's own stay."""
    for colour in colours:
        ink = more_legible(colour)
        if contrast(colour, page) >= _SHAPE_CONTRAST and contrast(colour, ink) >= _TEXT_CONTRAST:
            return f"--accent:{hexadecimal(colour)};--on-accent:{hexadecimal(ink)}"
    return ""


def _said(document: Mapping[str, Any], key: str, words: Mapping[str, str]) -> str:
    said = str(document.get(key, ""))
    return words.get(said, said)


def _spell(field: Mapping[str, Any], words: Mapping[str, str], language: Language) -> str:
    """A field's value as Wallet words it: numbers in the language's own spelling."""
    value = field.get("value", "")
    if isinstance(value, int | float):
        number = Decimal(str(value))
        if currency := field.get("currencyCode"):
            return spelling.money(number, str(currency), language)
        return spelling.number(number, language)
    return words.get(str(value), str(value))
