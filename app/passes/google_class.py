"""The body of a loyalty class: what all holders of a programme's cards, or of one tier, have in common. Pure.

Source: the discovery document (walletobjects v1, revision 20260806), ``LoyaltyClass``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.db.identifiers import DesignId, ProgrammeId
from app.passes.content import MOST_LOCATIONS, Language, LocalizedText
from app.passes.google_addresses import Addresses, image_digest
from app.passes.google_layout import GoogleLayout, Link, TextModule, background, parse
from app.passes.google_words import Words, both, localized, same
from app.passes.layout import Design, Layout

REVIEW: Final = "UNDER_REVIEW"
"""Sent with every class, also one that Google approved: APPROVED is refused, and DRAFT is no way back."""

CLASS_FIELDS: Final = (
    "issuerName", "localizedIssuerName", "programName", "localizedProgramName", "programLogo",
    "wideProgramLogo", "heroImage", "hexBackgroundColor", "accountNameLabel", "localizedAccountNameLabel",
    "accountIdLabel", "localizedAccountIdLabel", "rewardsTierLabel", "localizedRewardsTierLabel",
    "rewardsTier", "localizedRewardsTier", "textModulesData", "linksModuleData", "merchantLocations",
    "classTemplateInfo", "callbackOptions", "countryCode", "multipleDevicesAndHoldersAllowedStatus",
)  # fmt: skip
"""What a class of ours may have beside its id and review status; what is absent is cleared."""

_NO_COUNTRY: Final = ("EU", "X")


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleDesign:
    """A design version as Google's cards need it, taken apart once."""

    id: DesignId
    programme_id: ProgrammeId
    layout: Layout
    google: GoogleLayout
    words: Words
    images: Mapping[str, str]  # "google/logo.png" to its digest

    def tier(self, name: LocalizedText | None) -> LocalizedText | None:
        """The tier that a class is made for; None where the class says nothing of tiers."""
        return name if self.google.loyalty_class.rewards_tier and self.layout.tiers else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """What a class says that is not the design's."""

    brand_name: str
    language: Language  # the brand's: the default of every string
    currency: str  # ISO 4217: its first two letters are a country
    places: Sequence[tuple[float, float]] = ()  # latitude, longitude of the open venues
    addresses: Addresses


def prepare(design: Design) -> GoogleDesign | None:
    """None where the design has no google.toml that can be read: its cards are not Google's."""
    google, _ = parse(design.layout.google) if design.layout.google else (None, [])
    if google is None:
        return None
    return GoogleDesign(
        id=design.id,
        programme_id=design.programme_id,
        layout=design.layout,
        google=google,
        words=Words(design.layout),
        images={
            path: image_digest(data) for path, data in design.files.items() if path.startswith("google/")
        },
    )


def class_body(
    design: GoogleDesign, sharing: Sharing, *, resource_id: str, tier: LocalizedText | None
) -> dict[str, Any]:
    """A whole ``LoyaltyClass``, for ``tier`` where the programme has tiers."""
    common, words, language = design.google.loyalty_class, design.words, sharing.language
    look = next((each for each in design.layout.tiers if each.name == tier), None)
    name = words.shared(common.program_name) or same(sharing.brand_name)
    body: dict[str, Any] = {
        "id": resource_id,
        "reviewStatus": REVIEW,
        **both("issuerName", same(sharing.brand_name), language),
        **both("programName", name, language),
        "programLogo": _image(design, common.program_logo, name, sharing),
        "wideProgramLogo": _image(design, common.wide_program_logo, name, sharing),
        "heroImage": _image(design, common.hero_image, name, sharing),
        "hexBackgroundColor": background(design.layout, design.google, look),
        "textModulesData": text_modules(
            [(each, words.shared(each.header), words.shared(each.body)) for each in common.text_modules_data],
            language,
        ),
        "linksModuleData": links(
            [
                (each, words.link(words.shared(each.uri), language), words.shared(each.description))
                for each in common.links_module_data
            ],
            language,
        ),
        "merchantLocations": locations(sharing.places),
        "countryCode": _country(sharing.currency),
        "multipleDevicesAndHoldersAllowedStatus": "MULTIPLE_HOLDERS",
    }
    if sharing.addresses.callbacks:
        body["callbackOptions"] = {"url": sharing.addresses.callbacks}
    for field, said in (
        ("accountNameLabel", common.account_name_label),
        ("accountIdLabel", common.account_id_label),
    ):
        if text := words.shared(said):
            body |= both(field, text, language)
    # A label without its tier would stand there alone.
    if tier is not None and (text := words.shared(common.rewards_tier, tier)):
        body |= both("rewardsTier", text, language)
        if label := words.shared(common.rewards_tier_label):
            body |= both("rewardsTierLabel", label, language)
    body["classTemplateInfo"] = _template(common.rows, body)
    return {field: value for field, value in body.items() if value is not None}


def text_modules(
    modules: Sequence[tuple[TextModule, LocalizedText | None, LocalizedText | None]], language: Language
) -> list[dict[str, Any]] | None:
    """``textModulesData`` of those that have something to say."""
    return [
        {"id": module.id, **both("header", header, language), **both("body", text, language)}
        for module, header, text in modules
        if header and text
    ] or None


def links(
    found: Sequence[tuple[Link, str | None, LocalizedText | None]], language: Language
) -> dict[str, Any] | None:
    """``linksModuleData`` of those that lead somewhere."""
    uris = [
        {"id": link.id, "uri": uri, **both("description", text, language)}
        for link, uri, text in found
        if uri and text
    ]
    return {"uris": uris} if uris else None


def locations(places: Sequence[tuple[float, float]]) -> list[dict[str, float]] | None:
    """``merchantLocations``: ten at most, Google refuses more."""
    return [
        {"latitude": float(latitude), "longitude": float(longitude)}
        for latitude, longitude in places[:MOST_LOCATIONS]
    ] or None


def image(digest: str, said: LocalizedText, language: Language, addresses: Addresses) -> dict[str, Any]:
    """An ``Image`` that Google fetches from us; ``said`` is read aloud."""
    return {
        "sourceUri": {"uri": addresses.image(digest)},
        "contentDescription": localized(said, language),
    }


def _image(
    design: GoogleDesign, path: str | None, said: LocalizedText, sharing: Sharing
) -> dict[str, Any] | None:
    digest = design.images.get(path) if path else None
    return image(digest, said, sharing.language, sharing.addresses) if digest else None


def _country(currency: str) -> str | None:
    """ISO 4217 makes a currency's code of its country's; some are nobody's own."""
    return None if currency.startswith(_NO_COUNTRY) else currency[:2]


def _template(rows: Sequence[Sequence[str]], body: Mapping[str, Any]) -> dict[str, Any] | None:
    """``classTemplateInfo``: the front of the card, without what the class does not have after all."""
    made = []
    for row in rows:
        items = [_item(path) for path in row if _has(body, path)]
        if len(items) == 1:
            made.append({"oneItem": {"item": items[0]}})
        elif len(items) == 2:
            made.append({"twoItems": {"startItem": items[0], "endItem": items[1]}})
        elif items:
            three = {"startItem": items[0], "middleItem": items[1], "endItem": items[2]}
            made.append({"threeItems": three})
    return {"cardTemplateOverride": {"cardRowTemplateInfos": made}} if made else None


def _has(body: Mapping[str, Any], path: str) -> bool:
    owner, _, field = path.partition(".")
    if owner == "object":
        return True
    name, _, module = field.partition("['")
    if not module:
        return field in body
    return any(each["id"] == module.removesuffix("']") for each in body.get(name) or ())


def _item(path: str) -> dict[str, Any]:
    return {"firstValue": {"fields": [{"fieldPath": path}]}}
