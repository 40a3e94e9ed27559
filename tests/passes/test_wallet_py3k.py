"""A second builder as witness: for the keys that both know, wallet-py3k says the same."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from wallet.models import Barcode, BarcodeFormat, Field, NumberField, Pass, StoreCard

from app.passes.bundle import PreparedDesign, build, prepare
from app.passes.signing import Signer
from tests.passes import card, templates
from tests.passes.said import BACK, FRONT, GROUPS, guest

COLOURS = {
    "bonus_card": ("rgb(18, 52, 45)", "rgb(250, 242, 226)", "rgb(226, 190, 124)"),
    "stamp_card": ("rgb(250, 243, 232)", "rgb(66, 40, 27)", "rgb(160, 74, 38)"),
    "tiered_card": ("rgb(38, 44, 58)", "rgb(255, 250, 240)", "rgb(206, 214, 228)"),
}
OURS_ALONE = ("locations", "sharingProhibited", "featuredActions", "barcodes")
THEIRS_ALONE = ("suppressStripShine", "barcode")


def the_cards_face() -> StoreCard:
    """The card of :mod:`tests.passes.card`, written down a second time in the other builder's words."""
    face = StoreCard()
    face.addHeaderField("tier", "Золотой", "Tier")
    face.primaryFields.append(NumberField("balance", 1250.5, "Points"))
    face.addSecondaryField("member", "Алёна Ж.", "Member")
    face.addAuxiliaryField("stamps", 3, "Stamps")
    face.addBackField("latest_message", 'Кофе "за так" 50 %', "News")
    face.addBackField(
        "messages", '21.11.2026 — Кофе "за так" 50 %\n\n21.11.2026 — Начислено 12,5 балла', "Latest messages"
    )
    face.addBackField("support", "Пишите: help@example.com", "Contact")
    return face


def a_templates_face(name: templates.Name) -> StoreCard:
    """A template's card from the list of what it says; labels are the words that pass.strings translate."""
    face = StoreCard()
    for group in GROUPS:
        values = BACK["ru"] if group == "backFields" else FRONT[name, "ru"].get(group, [])
        labels = BACK["en"] if group == "backFields" else FRONT[name, "en"].get(group, [])
        for (key, _, value), (_, label, _) in zip(values, labels, strict=True):
            made = NumberField(key, value, label) if key == "balance" else Field(key, value, label)
            getattr(face, group).append(made)
    return face


def by_wallet_py3k(
    face: StoreCard, colours: tuple[str, str, str], credentials: Path, files: dict[str, bytes], **more: Any
) -> dict[str, bytes]:
    """Signed and unpacked."""
    face.backFields[0].changeMessage = "%@"
    made = Pass(face, passTypeIdentifier=card.PASS_TYPE, organizationName="Берёзка", teamIdentifier=card.TEAM)
    made.serialNumber = card.IDENTITY.serial_number
    made.authenticationToken = card.IDENTITY.authentication_token
    made.webServiceURL = card.SERVICE
    made.description = "Карта гостя «Берёзки»"
    made.backgroundColor, made.foregroundColor, made.labelColor = colours
    for key, value in more.items():
        setattr(made, key, value)
    made.barcode = Barcode("K7Q2M9XA", BarcodeFormat.QR, "K7Q2M9XA")
    for name, data in files.items():
        made.addFile(name, io.BytesIO(data))
    bundle: io.BytesIO = made.create(
        str(credentials / "certificate.pem"),
        str(credentials / "key.pem"),
        str(credentials / "wwdr.pem"),
        "none",
    )
    return card.unpacked(bundle.getvalue())


def common(document: dict[str, Any]) -> dict[str, Any]:
    """Without what only one of the two can say, or says without being asked."""
    code = document.get("barcode") or document["barcodes"][0]
    document = {key: value for key, value in document.items() if key not in OURS_ALONE + THEIRS_ALONE} | {
        "code": code
    }
    document["storeCard"] = {
        group: [
            {
                key: value
                for key, value in field.items()
                if value != "" and key not in ("textAlignment", "dataDetectorTypes")
            }
            for field in fields
        ]
        for group, fields in document["storeCard"].items()
        if fields
    }
    return document


def agree(ours: dict[str, bytes], theirs: dict[str, bytes]) -> None:
    assert theirs.keys() == ours.keys()
    assert common(json.loads(theirs["pass.json"])) == common(json.loads(ours["pass.json"]))
    manifests = [json.loads(files["manifest.json"]) for files in (ours, theirs)]
    for manifest in manifests:
        manifest.pop("pass.json")
    assert manifests[0] == manifests[1]


def shared(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name: data for name, data in files.items() if name.endswith((".png", ".strings"))}


def test_a_second_builder_makes_the_same_card(prepared: PreparedDesign, credentials: Path) -> None:
    ours = card.unpacked(build(card.content(), card.IDENTITY, prepared, signing_time=card.NOW))
    colours = ("rgb(38, 28, 22)", "rgb(255, 255, 255)", "rgb(214, 190, 160)")
    agree(ours, by_wallet_py3k(the_cards_face(), colours, credentials, shared(ours)))


@pytest.mark.parametrize("name", templates.NAMES)
def test_a_second_builder_makes_the_same_card_of_each_template(
    signer: Signer, credentials: Path, name: templates.Name
) -> None:
    prepared = prepare(templates.design(name), signer, web_service_url=card.SERVICE)
    ours = card.unpacked(build(guest(name, "ru"), card.IDENTITY, prepared, signing_time=card.NOW))
    theirs = by_wallet_py3k(
        a_templates_face(name), COLOURS[name], credentials, shared(ours), logoText="Берёзка бонус"
    )
    agree(ours, theirs)
