"""What Google would refuse or cut in a card, as far as google.toml tells.

Limits are those of the descriptions in Google's discovery document and of its brand guidelines; the API
itself would tell most of them only when the first card is saved.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from app.passes.content import Language
from app.passes.findings import Finding, refuse, warn
from app.passes.google_layout import GoogleLayout, LoyaltyClass, LoyaltyObject, TextModule
from app.passes.layout import GUEST_VALUES, LANGUAGES, PLACEHOLDER
from app.passes.lint_rules_images import is_whole, size_of

SMALLEST_LOGO = 660  # pixels, square: Google masks it to a circle
SMALLEST_HERO = (1032, 336)
WIDEST_HERO = 3.0  # "3:1 or wider"
LINK_SCHEMES = ("http:", "https:", "geo:", "tel:", "mailto:")
LONGEST_POINTS_LABEL, LONGEST_TIER_LABEL, LONGEST_ACCOUNT_LABEL = 9, 9, 15
LONGEST_HEADER, LONGEST_BODY = 35, 500
_FIELDS = {
    "class.programName", "class.rewardsTier", "class.rewardsTierLabel", "object.accountName",
    "object.accountId", "object.loyaltyPoints.balance", "object.loyaltyPoints.label",
    "object.secondaryLoyaltyPoints.balance", "object.secondaryLoyaltyPoints.label",
}  # fmt: skip
_MODULE = re.compile(r"(class|object)\.textModulesData\['([A-Za-z0-9_-]+)'\]")


def check_google(
    google: GoogleLayout, strings: Mapping[Language, Mapping[str, str]], files: Mapping[str, bytes]
) -> Iterator[Finding]:
    """Everything that can be told of a file that has the right shape."""
    common, own = google.loyalty_class, google.loyalty_object
    yield from _rows(common, own)
    yield from _modules("loyaltyClass", common)
    yield from _modules("loyaltyObject", own)
    yield from _lengths(common, own, strings)
    yield from _images(google, files)
    for where, text in _texts(google):
        yield from _placeholders(where, text)
    words = {text for where, text in _words(google) if not PLACEHOLDER.search(text)}
    for language in LANGUAGES:
        known = strings[language]
        for text in sorted(words - known.keys()) if known else ():
            yield warn(
                "not-translated",
                f"{language}.lproj/pass.strings",
                f'"{text}" of google.toml has no line here; add "{text}" = "…";',
            )


def _rows(common: LoyaltyClass, own: LoyaltyObject) -> Iterator[Finding]:
    modules = {
        "class": {module.id for module in common.text_modules_data},
        "object": {module.id for module in own.text_modules_data},
    }
    for number, row in enumerate(common.rows):
        for path in row:
            match = _MODULE.fullmatch(path)
            if path not in _FIELDS and not (match and match[2] in modules[match[1]]):
                yield refuse(
                    "google-row",
                    _at(f"loyaltyClass.rows[{number}]"),
                    f"no field {path}; write object.loyaltyPoints.balance, "
                    "object.textModulesData['ID'] with the ID of a module of this file, …",
                )


def _modules(table: str, part: LoyaltyClass | LoyaltyObject) -> Iterator[Finding]:
    for name, entries in (
        ("textModulesData", part.text_modules_data),
        ("linksModuleData", part.links_module_data),
    ):
        identifiers = [entry.id for entry in entries]
        for identifier in sorted({each for each in identifiers if identifiers.count(each) > 1}):
            yield refuse("google-id-twice", _at(f"{table}.{name}"), f"{identifier!r} is there twice")
    for link in part.links_module_data:
        if not PLACEHOLDER.search(link.uri) and not link.uri.startswith(LINK_SCHEMES):
            yield refuse(
                "google-uri",
                _at(f"{table}.linksModuleData.{link.id}"),
                f"must begin with one of {', '.join(LINK_SCHEMES)}",
            )


def _lengths(
    common: LoyaltyClass, own: LoyaltyObject, strings: Mapping[Language, Mapping[str, str]]
) -> Iterator[Finding]:
    """Words as guests see them, in both languages: what is longer is cut."""
    points = [each for each in (own.loyalty_points, own.secondary_loyalty_points) if each]
    limited = [
        ("loyaltyClass.rewardsTierLabel", common.rewards_tier_label, LONGEST_TIER_LABEL),
        ("loyaltyClass.accountNameLabel", common.account_name_label, LONGEST_ACCOUNT_LABEL),
        ("loyaltyClass.accountIdLabel", common.account_id_label, LONGEST_ACCOUNT_LABEL),
        *(("loyaltyObject.loyaltyPoints.label", each.label, LONGEST_POINTS_LABEL) for each in points),
    ]
    for table, modules in (
        ("loyaltyClass", common.text_modules_data),
        ("loyaltyObject", own.text_modules_data),
    ):
        limited += [(f"{table}.textModulesData.{m.id}.header", m.header, LONGEST_HEADER) for m in modules]
        limited += [(f"{table}.textModulesData.{m.id}.body", m.body, LONGEST_BODY) for m in modules]
    for where, text, longest in limited:
        for language in LANGUAGES:
            said = strings[language].get(text, text)
            if not PLACEHOLDER.search(said) and len(said) > longest:
                yield warn(
                    "google-too-long", _at(where), f"{said!r} is cut: Google shows {longest} characters"
                )


def _images(google: GoogleLayout, files: Mapping[str, bytes]) -> Iterator[Finding]:
    common = google.loyalty_class
    named = {
        "programLogo": common.program_logo,
        "wideProgramLogo": common.wide_program_logo,
        "heroImage": common.hero_image,
        "object.heroImage": google.loyalty_object.hero_image,
    }
    for role, path in named.items():
        if path is None:
            continue
        if path not in files:
            yield refuse("google-image-missing", path, f"{role} names it, and it is not in the folder")
        elif (size := size_of(files[path])) is None or not is_whole(files[path]):
            yield refuse("image-unreadable", path, "is not a whole PNG; save it as PNG")
        elif fault := _size_fault(role, size):
            yield warn("image-size", path, f"is {size[0]} by {size[1]} pixels; {fault}")
    for path in sorted(path for path in files if path.startswith("google/") and path not in named.values()):
        yield warn("image-unused", path, "google.toml names it nowhere; leave it out")


def _size_fault(role: str, size: tuple[int, int]) -> str | None:
    width, height = size
    if role == "programLogo" and (width != height or width < SMALLEST_LOGO):
        return f"Google wants a square of {SMALLEST_LOGO} or more and masks it to a circle"
    if role.endswith("heroImage") and (width < SMALLEST_HERO[0] or width / height < WIDEST_HERO):
        return f"Google wants {SMALLEST_HERO[0]} by {SMALLEST_HERO[1]}, three times as wide as high or wider"
    return None


def _placeholders(where: str, text: str) -> Iterator[Finding]:
    for name in PLACEHOLDER.findall(text):
        if name.startswith("text."):
            continue
        if name not in GUEST_VALUES:
            known = ", ".join(f"{{{each}}}" for each in GUEST_VALUES)
            yield refuse(
                "placeholder", where, f"nothing fills {{{name}}}; there are {known} and {{text.NAME}}"
            )
        elif "loyaltyClass" in where and name != "tier":
            yield refuse("google-shared", where, f"{{{name}}} is one guest's own, the class is everybody's")
        elif text != f"{{{name}}}":
            yield refuse("placeholder", where, f"{{{name}}} must be the whole value of a field")


def _texts(google: GoogleLayout) -> Iterator[tuple[str, str]]:
    """Every value that may hold a placeholder, with its place."""
    common, own = google.loyalty_class, google.loyalty_object
    yield _at("loyaltyClass.programName"), common.program_name
    yield _at("loyaltyClass.rewardsTier"), common.rewards_tier
    yield _at("loyaltyObject.accountName"), own.account_name
    yield _at("loyaltyObject.accountId"), own.account_id
    for name, points in (
        ("loyaltyPoints", own.loyalty_points),
        ("secondaryLoyaltyPoints", own.secondary_loyalty_points),
    ):
        if points:
            yield _at(f"loyaltyObject.{name}.balance"), points.balance
    if own.barcode:
        yield _at("loyaltyObject.barcode.value"), own.barcode.value
        yield _at("loyaltyObject.barcode.alternateText"), own.barcode.alternate_text
    for table, part in (("loyaltyClass", common), ("loyaltyObject", own)):
        for module in part.text_modules_data:
            yield _at(f"{table}.textModulesData.{module.id}"), module.body
        for link in part.links_module_data:
            yield _at(f"{table}.linksModuleData.{link.id}"), link.uri
    yield from _words(google)


def _words(google: GoogleLayout) -> Iterator[tuple[str, str]]:
    """The file's own words, which both languages must have."""
    common, own = google.loyalty_class, google.loyalty_object
    for key, text in (
        ("rewardsTierLabel", common.rewards_tier_label),
        ("accountNameLabel", common.account_name_label),
        ("accountIdLabel", common.account_id_label),
    ):
        if text:
            yield _at(f"loyaltyClass.{key}"), text
    for points in (own.loyalty_points, own.secondary_loyalty_points):
        if points:
            yield _at("loyaltyObject.loyaltyPoints.label"), points.label
    for table, part in (("loyaltyClass", common), ("loyaltyObject", own)):
        modules: tuple[TextModule, ...] = part.text_modules_data
        yield from ((_at(f"{table}.textModulesData.{m.id}.header"), m.header) for m in modules)
        yield from (
            (_at(f"{table}.linksModuleData.{link.id}.description"), link.description)
            for link in part.links_module_data
        )


def _at(where: str) -> str:
    return f"google.toml: {where}"
