"""The linter: refuses what iOS would refuse, warns of what would look wrong, informs of the rest.

It runs when a design is published and when a template is checked, not for every pass: sample guests (one
who has everything, one who has nothing, one who has left, in both languages) stand for all of them, and what
could still differ from guest to guest is refused by :func:`app.passes.pass_json.check_content`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.db.identifiers import CardCode, PassTypeIdentifier, SerialNumber
from app.passes import (
    lint_rules_codes,
    lint_rules_pass,
    lint_rules_places,
    lint_rules_relevance,
    lint_rules_versions,
)
from app.passes.assembly import assemble, is_readable
from app.passes.content import (
    CardOffer,
    Language,
    LocalizedText,
    Location,
    Message,
    PassContent,
    PassIdentity,
)
from app.passes.findings import Finding, refusals
from app.passes.layout import FIELD_GROUPS, LANGUAGES, STYLES, TEXT_PLACEHOLDER, BrandValues, Layout
from app.passes.lint_rules_fields import check_fields
from app.passes.lint_rules_images import check_images
from app.passes.lint_rules_layout import check_structure, check_words
from app.passes.lint_rules_pass import expiration
from app.passes.lint_rules_strip import check_strip
from app.passes.lint_rules_versions import OLDEST_IOS, newer_keys
from app.passes.looks import Look, bundle_files, common_files, look_number, looks
from app.passes.pass_json import PassTemplate
from app.passes.template import read_template

_MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_IDENTITY = PassIdentity(
    PassTypeIdentifier("pass.example"), SerialNumber("sample"), "0" * 32, "https://sample.example/i/-/stop/1"
)
_SERVICE = "https://sample.example/passkit"
_PASS_RULES = (
    *lint_rules_pass.RULES,
    *lint_rules_relevance.RULES,
    *lint_rules_places.RULES,
    *lint_rules_codes.RULES,
    *lint_rules_versions.RULES,
)
_A_FIELD = re.compile(rf"({'|'.join(STYLES)})\.({'|'.join(FIELD_GROUPS)})\[(\d+)\]")
_OF_EVERY_LOOK = ("image-unused", "strip-alone")  # whose picture it is does not matter
_SEVERITIES = {"refuse": 0, "warn": 1, "inform": 2}


def lint_pass(
    document: Mapping[str, Any],
    files: Mapping[str, bytes],
    *,
    now: datetime | None = None,
    oldest_ios: float = OLDEST_IOS,
) -> list[Finding]:
    """What iOS would say to this pass.json with these images.

    ``now`` lets expired cards be noticed; keys newer than ``oldest_ios`` are told.
    """
    found = [*newer_keys(document, oldest_ios)]
    found += [finding for rule in _PASS_RULES for finding in rule(document)]
    found += check_fields(document)
    if now is not None:
        found += expiration(document, now)
    found += check_strip(document, files)
    found += check_images(files, next((style for style in STYLES if style in document), None))
    return _sorted(found)


def lint_layout(
    layout: Layout,
    files: Mapping[str, bytes],
    *,
    now: datetime | None = None,
    oldest_ios: float = OLDEST_IOS,
) -> list[Finding]:
    """What is wrong with a design, whoever its guests are."""
    found = list(check_structure(layout))
    if refusals(found):
        return _sorted(found)
    found += check_words(layout)
    every = looks(layout, files)
    images = [bundle_files(layout, files, number) for number in range(len(every))]
    for language in LANGUAGES:
        template = PassTemplate(layout, language, web_service_url=_SERVICE)
        for content in _guests(language, layout):
            document = json.loads(template.render(content, _IDENTITY).document)
            number = look_number(layout, content)
            judged = lint_pass(document, images[number], now=now, oldest_ios=oldest_ios)
            found += _as_written(_as_stored(judged, every[number], number), document, layout)
    return _sorted(found)


def _as_stored(found: Iterable[Finding], look: Look, number: int) -> Iterator[Finding]:
    """Findings of a tier's own picture and colours with their place in the design, not the common one's."""
    for finding in found:
        before, on, path = finding.where.rpartition(" on ")
        own = look.colours.keys() & {finding.where, "backgroundColor"}
        if own and finding.code == "low-contrast" and not on:
            yield replace(finding, where=f"tiers[{number - 1}].{finding.where}")
            continue
        stored = look.files.get(path, "")
        if stored.startswith("tiers/") and finding.code not in _OF_EVERY_LOOK:
            yield replace(finding, where=f"{before}{on}{stored}")
        else:
            yield finding


def _as_written(found: Iterable[Finding], document: Mapping[str, Any], layout: Layout) -> Iterator[Finding]:
    """Findings with the field's place in the layout: a card leaves out the fields that say nothing."""
    for finding in found:
        match = _A_FIELD.match(finding.where)
        if match is None:
            yield finding
            continue
        style, group, index, rest = match[1], match[2], int(match[3]), finding.where[match.end() :]
        shown = [field.get("key") for field in document[style][group][: index + 1]]
        alike = shown.count(shown[index])
        written = [
            place
            for place, field in enumerate(layout.document[style][group])
            if field.get("key") == shown[index]
        ]
        place = written[alike - 1] if alike <= len(written) else index
        yield replace(finding, where=f"{style}.{group}[{place}]{rest}")


def lint_template(
    directory: Path, *, now: datetime | None = None, oldest_ios: float = OLDEST_IOS
) -> list[Finding]:
    """What is wrong with a template's folder, with sample words in place of a brand's."""
    template, found = read_template(directory)
    if not is_readable(directory, found):
        common = common_files(template.files)
        return _sorted([*found, *check_images(common, None)] if template.files else found)
    made = assemble(template, sample_values(template.document))
    return _sorted(
        [*found, *made.findings, *lint_layout(made.layout, made.files, now=now, oldest_ios=oldest_ios)]
    )


def sample_values(document: Mapping[str, Any]) -> BrandValues:
    """A brand that has a text for every name the layout asks for."""
    names = set(TEXT_PLACEHOLDER.findall(json.dumps(document, ensure_ascii=False, default=str)))
    looks_of_tiers = tiers if isinstance(tiers := document.get("tiers"), list) else []
    return BrandValues(
        organization_name="Образец",
        description=LocalizedText("Карта гостя", "Loyalty card"),
        pass_type_identifier=_IDENTITY.pass_type_identifier,
        team_identifier="A1B2C3D4E5",
        time_zone="Europe/Moscow",
        logo_text=LocalizedText("Образец", "Sample"),
        texts={
            name: LocalizedText("https://sample.example", "https://sample.example")
            if name.endswith("_url")
            else LocalizedText("Образец текста", "Sample text")
            for name in names
        },
        tiers=tuple(LocalizedText(f"Уровень {n}", f"Tier {n}") for n in range(1, len(looks_of_tiers) + 1)),
        for_reward=6,
    )


_TERMS = LocalizedText("К любому завтраку", "With any breakfast")


def _guests(language: Language, layout: Layout) -> list[PassContent]:
    message = Message(LocalizedText("Скидка 50 %", "50 % off"), _MOMENT, "sample")
    everything = PassContent(
        language=language,
        card_code=CardCode("K7Q2M9XA"),
        member_name="Алёна",
        balance=125_050,
        tier=LocalizedText("Золотой", "Gold"),
        stamps=3,
        messages=(message,) * 5,
        locations=(Location(59.93, 30.33, LocalizedText("Мы рядом", "We are near")),),
        offers=(CardOffer("COFFEE", LocalizedText("Кофе в подарок", "A free coffee"), _TERMS, _MOMENT),),
    )
    nothing = PassContent(
        language=language,
        card_code=CardCode("K7Q2M9XA"),
        member_name=None,
        balance=0,
        tier=None,
        stamps=0,
    )
    voided = PassContent(
        language=language,
        card_code=CardCode("K7Q2M9XA"),
        member_name=None,
        balance=0,
        tier=None,
        stamps=0,
        voided=True,
    )
    of_tiers = [replace(everything, tier=tier.name) for tier in layout.tiers]
    complete = replace(everything, stamps=layout.for_reward or 0)  # the largest picture has all stamps
    return [everything, nothing, voided, *of_tiers, complete]


def _sorted(found: Iterable[Finding]) -> list[Finding]:
    """Each finding once, the worst first."""
    return sorted(dict.fromkeys(found), key=lambda each: _SEVERITIES[each.severity])
