"""google.toml: how a programme's card looks in Google Wallet, in Google's own field names.

Two tables, ``[loyaltyClass]`` (all holders share it) and ``[loyaltyObject]`` (one guest's), with the
placeholders of layout.toml; words are translated by the same ``pass.strings``. Images are roles: paths below
``google/``, which Google fetches by address. ``rows`` are the front of the card: up to three, of one to three
fields each (``classTemplateInfo.cardTemplateOverride``). What comes from the brand, the venues or the service
(id, issuerName, reviewStatus, merchantLocations, messages) has no place here; an unknown field is refused.

Source: the discovery document of the Google Wallet API (walletobjects v1, revision 20260806), LoyaltyClass
and LoyaltyObject.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from app.colours import parse_colour
from app.passes.findings import Finding, refuse
from app.passes.layout import Layout, TierLook

MOST_ROWS, MOST_IN_A_ROW = 3, 3
MOST_TEXT_MODULES = 10  # of the class, and as many of the object

_Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]  # a dot would part it in a fieldPath
_Image = Annotated[str, Field(pattern=r"^google/[A-Za-z0-9_-]+\.png$")]
_Text = Annotated[str, Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, alias_generator=to_camel)


class TextModule(_Part):
    """Words with a heading, on the back and, where a row names it, on the front."""

    id: _Id
    header: _Text
    body: _Text


class Link(_Part):
    """A line on the back that opens a page, a telephone or a letter."""

    id: _Id
    uri: _Text
    description: _Text


class Points(_Part):
    """A number with its label."""

    label: _Text
    balance: _Text


class Barcode(_Part):
    """What the till reads."""

    type: Literal[
        "QR_CODE", "AZTEC", "PDF_417", "CODE_128", "DATA_MATRIX", "CODE_39", "CODABAR", "EAN_8", "EAN_13",
        "ITF_14", "UPC_A",
    ]  # fmt: skip
    value: _Text
    alternate_text: str = ""


class _Modules(_Part):
    text_modules_data: Annotated[tuple[TextModule, ...], Field(max_length=MOST_TEXT_MODULES)] = ()
    links_module_data: tuple[Link, ...] = ()
    hero_image: _Image | None = None


class LoyaltyClass(_Modules):
    """What all holders share."""

    program_name: _Text
    program_logo: _Image
    wide_program_logo: _Image | None = None
    hex_background_color: Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")] | None = None
    account_name_label: str = ""
    account_id_label: str = ""
    rewards_tier_label: str = ""
    rewards_tier: str = ""  # of the class, not of the object: Google's is one class for every tier
    rows: Annotated[
        tuple[Annotated[tuple[str, ...], Field(min_length=1, max_length=MOST_IN_A_ROW)], ...],
        Field(max_length=MOST_ROWS),
    ] = ()


class LoyaltyObject(_Modules):
    """What is one guest's own."""

    account_name: str = ""
    account_id: str = ""
    loyalty_points: Points | None = None
    secondary_loyalty_points: Points | None = None
    barcode: Barcode | None = None


class GoogleLayout(_Part):
    """The whole file."""

    loyalty_class: LoyaltyClass
    loyalty_object: LoyaltyObject


def parse(document: Mapping[str, Any]) -> tuple[GoogleLayout | None, list[Finding]]:
    """The layout, or every reason why it is none."""
    try:
        return GoogleLayout.model_validate_json(_json(document)), []
    except ValidationError as invalid:
        return None, [
            refuse("google-field", f"google.toml: {_place(fault['loc'])}", fault["msg"])
            for fault in invalid.errors()
        ]


def background(layout: Layout, google: GoogleLayout, tier: TierLook | None = None) -> str:
    """``#rrggbb`` behind a card: the file's own, else what Apple's card of this brand and tier has."""
    if google.loyalty_class.hex_background_color:
        return google.loyalty_class.hex_background_color
    own = tier.colours.get("backgroundColor") if tier else None
    red, green, blue = parse_colour(str(own or layout.document.get("backgroundColor"))) or (0, 0, 0)
    return f"#{red:02x}{green:02x}{blue:02x}"


def _json(document: Mapping[str, Any]) -> str:
    # Through JSON, where a list may stand for a tuple while everything else stays strict.
    return json.dumps(document, ensure_ascii=False, default=str)


def _place(location: tuple[int | str, ...]) -> str:
    said = ""
    for part in location:
        said += f"[{part}]" if isinstance(part, int) else f".{part}" if said else str(part)
    return said
