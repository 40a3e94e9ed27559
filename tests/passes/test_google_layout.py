"""google.toml: what it may say, what is refused, and what Google would cut."""

from __future__ import annotations

import shutil
import tomllib
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from app.passes import google_layout
from app.passes.findings import Finding, refusals
from app.passes.lint_rules_google import check_google
from app.passes.linter import lint_template
from tests.passes import card, templates

WORDS = {"ru": card.LABELS, "en": {word: word for word in card.LABELS}}
FILES = {"google/logo.png": card.png(660, 660), "google/hero.png": card.png(1032, 336)}
GOOD: dict[str, Any] = {
    "loyaltyClass": {
        "programName": "{text.logo_text}",
        "programLogo": "google/logo.png",
        "heroImage": "google/hero.png",
        "rewardsTierLabel": "Tier",
        "rewardsTier": "{tier}",
        "accountNameLabel": "Member",
        "rows": [["object.loyaltyPoints.balance", "class.rewardsTier"], ["class.textModulesData['rules']"]],
        "textModulesData": [{"id": "rules", "header": "Rules", "body": "{text.rules}"}],
        "linksModuleData": [{"id": "support", "uri": "mailto:a@example.com", "description": "Contact"}],
    },
    "loyaltyObject": {
        "accountName": "{member_name}",
        "accountId": "{card_code}",
        "loyaltyPoints": {"label": "Points", "balance": "{balance}"},
        "barcode": {"type": "QR_CODE", "value": "{card_code}", "alternateText": "{card_code}"},
        "textModulesData": [{"id": "news", "header": "News", "body": "{latest_message}"}],
    },
}


def said(document: dict[str, Any], files: dict[str, bytes] | None = None) -> list[Finding]:
    google, faults = google_layout.parse(document)
    return faults if google is None else list(check_google(google, WORDS, FILES if files is None else files))  # type: ignore[arg-type]


def changed(path: str, value: Any) -> dict[str, Any]:
    document = deepcopy(GOOD)
    target: Any = document
    *parents, last = path.split(".")
    for part in parents:
        target = target[int(part)] if isinstance(target, list) else target[part]
    if isinstance(target, list):
        target[int(last)] = value
    elif value is None:
        del target[last]
    else:
        target[last] = value
    return document


def test_a_good_layout_has_nothing_to_hear() -> None:
    assert said(GOOD) == []


@pytest.mark.parametrize("name", templates.NAMES)
def test_ours_name_a_logo_a_picture_rows_points_and_a_code(name: templates.Name) -> None:
    document = tomllib.loads((templates.FOLDER / name / "google.toml").read_text("utf-8"))
    google, faults = google_layout.parse(document)
    assert faults == []
    assert google is not None
    assert google.loyalty_class.program_logo == "google/logo.png"
    assert google.loyalty_class.hero_image == "google/hero.png"
    assert google.loyalty_class.rows
    assert google.loyalty_object.loyalty_points is not None
    assert google.loyalty_object.barcode is not None
    assert google.loyalty_object.barcode.value == "{card_code}"
    assert templates.design(name).layout.google == document


REFUSED: list[tuple[str, Any, str]] = [
    ("loyaltyClass.programName", None, "google-field"),
    ("loyaltyClass.programLogo", None, "google-field"),
    ("loyaltyClass.programLogo", "logo.png", "google-field"),
    ("loyaltyClass.wordMark", "google/logo.png", "google-field"),
    ("loyaltyClass.id", "3388.x", "google-field"),
    ("loyaltyClass.reviewStatus", "UNDER_REVIEW", "google-field"),
    ("loyaltyClass.hexBackgroundColor", "rgb(1, 2, 3)", "google-field"),
    ("loyaltyClass.rows", [["class.programName"]] * 4, "google-field"),
    ("loyaltyClass.rows.0", [], "google-field"),
    ("loyaltyClass.rows.0", ["class.programName"] * 4, "google-field"),
    ("loyaltyClass.textModulesData.0.id", "the.rules", "google-field"),
    ("loyaltyClass.textModulesData", [{"id": str(n), "header": "Rules", "body": "x"} for n in range(11)],
     "google-field"),
    ("loyaltyObject", None, "google-field"),
    ("loyaltyObject.state", "ACTIVE", "google-field"),
    ("loyaltyObject.loyaltyPoints.balance", 5, "google-field"),
    ("loyaltyObject.barcode.type", "QR", "google-field"),
    ("loyaltyObject.barcode.value", None, "google-field"),
    ("genericObject", {}, "google-field"),
    ("loyaltyClass.rows.0", ["object.points"], "google-row"),
    ("loyaltyClass.rows.0", ["object.textModulesData['rules']"], "google-row"),
    ("loyaltyClass.rows.0", ["object.textModulesData['old']"], "google-row"),
    ("loyaltyObject.textModulesData", [{"id": "a", "header": "News", "body": "x"}] * 2, "google-id-twice"),
    ("loyaltyClass.linksModuleData.0.uri", "example.com", "google-uri"),
    ("loyaltyClass.linksModuleData.0.uri", "javascript:alert(1)", "google-uri"),
    ("loyaltyClass.heroImage", "google/none.png", "google-image-missing"),
    ("loyaltyObject.accountName", "{name}", "placeholder"),
    ("loyaltyObject.accountName", "Гость {member_name}", "placeholder"),
    ("loyaltyClass.programName", "{member_name}", "google-shared"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "code"), REFUSED, ids=str)
def test_what_google_would_refuse_is_refused(path: str, value: Any, code: str) -> None:
    found = refusals(said(changed(path, value)))
    assert code in {each.code for each in found}
    assert all(each.where.startswith(("google.toml: ", "google/")) and each.message for each in found)


def test_a_picture_that_is_none_is_refused() -> None:
    found = said(GOOD, FILES | {"google/logo.png": b"GIF89a"})
    assert ("refuse", "image-unreadable", "google/logo.png") in {(f.severity, f.code, f.where) for f in found}


WARNED: list[tuple[str, Any, str]] = [
    ("loyaltyObject.loyaltyPoints.label", "Points and more", "google-too-long"),
    ("loyaltyClass.rewardsTierLabel", "Tier or level", "google-too-long"),
    ("loyaltyClass.accountNameLabel", "The holder of this card", "google-too-long"),
    ("loyaltyClass.textModulesData.0.header", "R" * 36, "google-too-long"),
    ("loyaltyClass.textModulesData.0.body", "x" * 501, "google-too-long"),
    ("loyaltyClass.linksModuleData.0.description", "A page", "not-translated"),
]


@pytest.mark.parametrize(("path", "value", "code"), WARNED, ids=str)
def test_what_google_would_cut_is_warned_of(path: str, value: Any, code: str) -> None:
    found = said(changed(path, value))
    assert ("warn", code) in {(each.severity, each.code) for each in found}
    assert refusals(found) == []


@pytest.mark.parametrize(
    ("path", "size", "code"),
    [
        ("google/logo.png", (600, 600), "image-size"),
        ("google/logo.png", (800, 700), "image-size"),
        ("google/hero.png", (1032, 400), "image-size"),
        ("google/hero.png", (900, 300), "image-size"),
        ("google/spare.png", (10, 10), "image-unused"),
    ],
)
def test_google_images_are_looked_at(path: str, size: tuple[int, int], code: str) -> None:
    found = said(GOOD, FILES | {path: card.png(*size)})
    assert [(each.severity, each.code, each.where) for each in found] == [("warn", code, path)]


def test_a_template_without_googles_file_is_for_apple_alone(tmp_path: Path) -> None:
    folder = tmp_path / "apple"
    shutil.copytree(templates.FOLDER / "bonus_card", folder)
    (folder / "google.toml").unlink()
    found = {(each.severity, each.code) for each in lint_template(folder)}
    assert ("inform", "google-missing") in found
    assert templates.made("bonus_card", templates.values("bonus_card")).layout.google is not None


def test_a_broken_file_of_googles_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(templates.FOLDER / "bonus_card", folder)
    (folder / "google.toml").write_text("[loyaltyClass\n", "utf-8")
    assert [each.where for each in refusals(lint_template(folder))] == ["google.toml"]
    (folder / "google.toml").write_text("[loyaltyClass]\nprogramname = 'x'\n", "utf-8")
    assert {each.code for each in refusals(lint_template(folder))} == {"google-field"}


def test_googles_card_has_the_ground_of_apples() -> None:
    layout = templates.design("tiered_card").layout
    google, _ = google_layout.parse(GOOD)
    assert google is not None
    assert google_layout.background(layout, google) == "#1e202c"
    assert google_layout.background(layout, google, layout.tiers[0]) == "#342420"
    own, _ = google_layout.parse(changed("loyaltyClass.hexBackgroundColor", "#123456"))
    assert own is not None
    assert google_layout.background(layout, own, layout.tiers[0]) == "#123456"
