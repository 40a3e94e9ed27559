"""A design: Apple's pass.json with holes, the texts and images that fill it for one brand.

Three kinds of placeholder stand in a layout:

* ``{balance}`` and the other names of :data:`GUEST_VALUES`, as the whole value of a field: one guest's own;
* ``{card_code}`` anywhere inside ``barcodes``;
* ``{text.NAME}`` anywhere in a string: the brand's text of that name, in the holder's language. What names a
  text that the brand does not have is left out, the field with it.

Two keys of a field are ours and never reach the phone: ``empty`` (what stands there while the guest has no
value) and ``optional`` (leave the field out where the value is zero). So are two tables: ``tiers`` (what a
tier changes) and ``stamps`` (where they are drawn), see :mod:`app.passes.looks`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.db.identifiers import DesignId, PassTypeIdentifier, ProgrammeId
from app.passes.content import Language, LocalizedText

LANGUAGES: tuple[Language, Language] = ("ru", "en")
STYLES = ("storeCard", "eventTicket", "coupon", "boardingPass", "generic")
FIELD_GROUPS = ("headerFields", "primaryFields", "secondaryFields", "auxiliaryFields", "backFields")
GUEST_VALUES = (
    "balance",
    "stamps",
    "stamps_missing",
    "rewards",
    "tier",
    "member_name",
    "card_code",
    "latest_message",
    "messages",
    "offer",
    "offers",
    "withdrawal_url",
)
COUNTS = ("balance", "stamps", "stamps_missing", "rewards")
"""The guest's values that are numbers."""
ANNOUNCING_FIELD = "latest_message"
"""The one field with a ``changeMessage``: two that change at once give a text that says nothing."""
OWN_FIELD_KEYS = ("empty", "optional")
OWN_TABLES = ("tiers", "stamps")
NOT_IN_A_LAYOUT = (
    "passTypeIdentifier",
    "teamIdentifier",
    "serialNumber",
    "authenticationToken",
    "webServiceURL",
    "organizationName",
    "description",
    "voided",
    "locations",
)
"""Keys of pass.json that come from the brand, the guest or the service."""

PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_.]*)\}")
TEXT_PLACEHOLDER = re.compile(r"\{text\.([a-z0-9_]+)\}")


def other(language: Language) -> Language:
    """The language that the holder did not choose."""
    return "en" if language == "ru" else "ru"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrandValues:
    """What a brand puts into a template."""

    organization_name: str  # the title of the banner on the lock screen
    description: LocalizedText  # read aloud by VoiceOver
    pass_type_identifier: str
    team_identifier: str
    time_zone: str  # IANA name: the dates of messages are told in it
    logo_text: LocalizedText | None = None
    texts: Mapping[str, LocalizedText] = field(default_factory=dict)  # "support", "rules", "privacy_url", …
    colours: Mapping[str, str] = field(default_factory=dict)  # "backgroundColor": "rgb(38, 28, 22)", …
    images: Mapping[str, bytes] = field(default_factory=dict)  # "logo@2x.png": in place of the template's
    tiers: tuple[LocalizedText, ...] = ()  # the names of the programme's tiers, lowest first
    for_reward: int | None = None  # how many stamps a reward takes; None: the programme has none
    own_texts: tuple[str, ...] = ()  # names of texts that were given for this design alone: they stay with it


@dataclass(frozen=True, slots=True, kw_only=True)
class TierLook:
    """What a tier changes on the card."""

    name: LocalizedText
    folder: str  # whose images stand in place of the common ones: "tiers/2/"
    colours: Mapping[str, str]  # Apple's key to colour


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Everything of a design but its image files."""

    document: Mapping[str, Any]  # pass.json with placeholders, in Apple's own keys
    texts: Mapping[str, LocalizedText]
    strings: Mapping[Language, Mapping[str, str]]  # translations of the layout's own words
    time_zone: str
    tiers: tuple[TierLook, ...] = ()  # lowest first
    for_reward: int | None = None  # how many stamps a reward takes
    google: Mapping[str, Any] | None = None  # google.toml, see app.passes.google_layout

    def to_json(self) -> dict[str, Any]:
        """For the ``design.layout`` column."""
        return {
            "document": dict(self.document),
            "texts": {name: {"ru": text.ru, "en": text.en} for name, text in self.texts.items()},
            "strings": {language: dict(entries) for language, entries in self.strings.items()},
            "time_zone": self.time_zone,
            "tiers": [
                {"name": tier.name.to_json(), "folder": tier.folder, "colours": dict(tier.colours)}
                for tier in self.tiers
            ],
            "for_reward": self.for_reward,
            "google": self.google and dict(self.google),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Layout:
        """The inverse of :meth:`to_json`."""
        return cls(
            document=document["document"],
            texts={name: LocalizedText(**text) for name, text in document["texts"].items()},
            strings=document["strings"],
            time_zone=document["time_zone"],
            # Versions that were published before there were looks have neither.
            tiers=tuple(
                TierLook(name=LocalizedText(**tier["name"]), folder=tier["folder"], colours=tier["colours"])
                for tier in document.get("tiers", ())
            ),
            for_reward=document.get("for_reward"),
            google=document.get("google"),
        )

    @property
    def style(self) -> str:
        """Which of :data:`STYLES` the pass is."""
        return next(style for style in STYLES if style in self.document)


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """A published version: it never changes, since cards in phones were made with it."""

    id: DesignId
    programme_id: ProgrammeId
    version: int  # counts from one in each programme; 0: a draft, on test cards
    template: str  # the name of the folder it was made from
    layout: Layout
    files: Mapping[str, bytes]  # path inside the bundle to content: the images
    created_at: datetime

    @property
    def pass_type_identifier(self) -> PassTypeIdentifier:
        """The certificate that can sign passes of this design is made for it."""
        return PassTypeIdentifier(self.layout.document["passTypeIdentifier"])

    @property
    def team_identifier(self) -> str:
        """The Apple developer team that owns the pass type identifier."""
        return str(self.layout.document["teamIdentifier"])


def merge(
    document: Mapping[str, Any], strings: Mapping[Language, Mapping[str, str]], values: BrandValues
) -> Layout:
    """A template's layout with the brand's values in it."""
    texts = dict(values.texts) | {"description": values.description}
    brand = {
        "formatVersion": 1,
        "passTypeIdentifier": values.pass_type_identifier,
        "teamIdentifier": values.team_identifier,
        "organizationName": values.organization_name,
        "description": "{text.description}",
    }
    if values.logo_text is not None:
        texts["logo_text"] = values.logo_text
        brand["logoText"] = "{text.logo_text}"
    whole = brand | dict(document) | dict(values.colours)
    return Layout(
        document={key: value for key, value in whole.items() if key not in OWN_TABLES},
        texts=texts,
        strings=strings,
        time_zone=values.time_zone,
        tiers=_tier_looks(document.get("tiers"), values),
        for_reward=values.for_reward,
    )


def _tier_looks(looks: Any, values: BrandValues) -> tuple[TierLook, ...]:
    """The lowest tier has the first look, the highest the last; a brand's own colour stands on every tier."""
    if not isinstance(looks, list) or not looks or not all(isinstance(each, dict) for each in looks):
        return ()
    steps = max(len(values.tiers) - 1, 1)
    numbers = [round(position * (len(looks) - 1) / steps) for position in range(len(values.tiers))]
    return tuple(
        TierLook(
            name=name,
            folder=f"tiers/{number + 1}/",
            colours={key: each for key, each in looks[number].items() if key not in values.colours},
        )
        for name, number in zip(values.tiers, numbers, strict=True)
    )
