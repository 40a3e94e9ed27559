"""What the design editor changes: each edit makes a new template from the present one. Pure.

An edit refuses what could not be stored or understood (:class:`BadInput`, naming the form's field); whether
the card that comes of it is a good one, the linter says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any, Final

from app.colours import hexadecimal, parse_colour
from app.errors import BadInput
from app.passes.content import LocalizedText
from app.passes.layout import STYLES
from app.passes.lint_rules_pass import COLOURS
from app.passes.pictures import paths_of
from app.passes.template import TAKEN_TEXTS, TEXT_NAME, Template

BARCODES: Final = {
    "PKBarcodeFormatQR": "QR_CODE",
    "PKBarcodeFormatPDF417": "PDF_417",
    "PKBarcodeFormatAztec": "AZTEC",
    "PKBarcodeFormatCode128": "CODE_128",
}
"""Kinds of code that every phone knows, in Apple's words and in Google's."""
LONGEST_TEXT: Final = 4000


def style_of(template: Template) -> str:
    """Which of Apple's styles the card is; a store card where the layout does not say."""
    return next((style for style in STYLES if isinstance(template.document.get(style), dict)), "storeCard")


def changed(template: Template, change: Callable[[dict[str, Any]], None]) -> Template:
    """The template with its layout changed by ``change``, which may do with its copy what it likes."""
    document = deepcopy(dict(template.document))
    change(document)
    return replace(template, document=document)


def with_colour(template: Template, key: str, colour: str | None, *, tier: int | None = None) -> Template:
    """One of Apple's colours of the card, or of its ``tier`` counted from 1; None: as it is without."""
    if key not in COLOURS:
        raise BadInput("no-such-colour", f"A card has the colours {', '.join(COLOURS)}.", field=key)
    parsed = parse_colour(colour) if colour else None
    if colour and parsed is None:
        raise BadInput("colour-unreadable", "Write the colour as #4a1c14.", field=key)

    def change(document: dict[str, Any]) -> None:
        where = document if tier is None else _tier(document, tier)
        if parsed is None:
            where.pop(key, None)
        else:
            where[key] = "rgb({}, {}, {})".format(*parsed)

    return changed(template, change)


def colour(template: Template, key: str, *, tier: int | None = None) -> str | None:
    """The same as ``#4a1c14``; None where the layout sets none, or one that cannot be read."""
    where = template.document if tier is None else _tier(dict(template.document), tier)
    parsed = parse_colour(where.get(key))
    return hexadecimal(parsed) if parsed else None


def with_text(template: Template, name: str, text: LocalizedText | None) -> Template:
    """A text of this design's own, in place of the brand's; None or empty: the brand's again."""
    if not TEXT_NAME.fullmatch(name) or name in TAKEN_TEXTS:
        raise BadInput(
            "no-such-text", f"A text's name has small letters, digits and _: not {name!r}.", field=name
        )
    texts = {key: each for key, each in template.texts.items() if key != name}
    if text and (text.ru.strip() or text.en.strip()):
        texts[name] = checked_text(text, name)
    return replace(template, texts=texts)


def with_barcode(template: Template, kind: str | None) -> Template:
    """The kind of code that the till reads, on both wallets; None: no code."""
    if kind is not None and kind not in BARCODES:
        raise BadInput("no-such-barcode", "Choose one of the kinds of code that are listed.", field="barcode")

    def change(document: dict[str, Any]) -> None:
        present = document.get("barcodes")
        first = present[0] if isinstance(present, list) and present and isinstance(present[0], dict) else {}
        document.pop("barcode", None)
        document.pop("barcodes", None)
        if kind is not None:
            whole = {"message": "{card_code}", "messageEncoding": "iso-8859-1", "altText": "{card_code}"}
            document["barcodes"] = [whole | first | {"format": kind}]

    made = changed(template, change)
    if made.google is None or not isinstance(made.google.get("loyaltyObject"), dict):
        return made
    google = deepcopy(dict(made.google))
    if kind is None:
        google["loyaltyObject"].pop("barcode", None)
    else:
        whole = {"value": "{card_code}", "alternateText": "{card_code}"}
        google["loyaltyObject"]["barcode"] = (
            whole | google["loyaltyObject"].get("barcode", {}) | {"type": BARCODES[kind]}
        )
    return replace(made, google=google)


def barcode(template: Template) -> str | None:
    """Which kind the card shows first; None where it shows none."""
    codes = template.document.get("barcodes")
    kind = (
        codes[0].get("format") if isinstance(codes, list) and codes and isinstance(codes[0], dict) else None
    )
    return kind if isinstance(kind, str) else None


def with_images(template: Template, slot: str, images: Mapping[str, bytes]) -> Template:
    """A slot's images as :func:`app.passes.pictures.take` made them, in place of all that were there."""
    return replace(without_images(template, slot), files=_others(template, slot) | dict(images))


def without_images(template: Template, slot: str) -> Template:
    """The card shows nothing there, or what all tiers and languages have in common."""
    return replace(template, files=_others(template, slot))


def checked_text(text: LocalizedText, field: str) -> LocalizedText:
    """Words in both languages with single line ends and nothing that cannot be shown; raises BadInput."""
    return LocalizedText(checked_words(text.ru, field), checked_words(text.en, field))


def checked_words(words: str, field: str) -> str:
    """The same in one language."""
    plain = words.replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(plain) > LONGEST_TEXT:
        raise BadInput("text-too-long", f"At most {LONGEST_TEXT} letters have room here.", field=field)
    if any((letter < " " and letter not in "\n\t") or "\ud800" <= letter <= "\udfff" for letter in plain):
        raise BadInput("bad-text", "The text holds a letter that cannot be shown: take it out.", field=field)
    return plain


def _others(template: Template, slot: str) -> dict[str, bytes]:
    gone = paths_of(slot)
    # A file may bring scales that an upload does not make: nothing of the old picture may stay.
    return {path: data for path, data in template.files.items() if path not in (*gone, f"{slot}@2x.png")}


def _tier(document: dict[str, Any], tier: int) -> dict[str, Any]:
    looks = document.get("tiers")
    if not isinstance(looks, list) or not 1 <= tier <= len(looks) or not isinstance(looks[tier - 1], dict):
        raise BadInput("no-such-tier", "The layout has no such tier.", field="tier")
    found: dict[str, Any] = looks[tier - 1]
    return found
