"""A second builder as witness: for the keys that both know, wallet-py3k says the same."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from wallet.models import Barcode, BarcodeFormat, NumberField, Pass, StoreCard

from app.passes.bundle import PreparedDesign, build
from tests.passes import card


def by_wallet_py3k(credentials: Path, files: dict[str, bytes]) -> dict[str, bytes]:
    """The card of :mod:`tests.passes.card`, written down a second time in the other builder's words."""
    face = StoreCard()
    face.addHeaderField("tier", "Золотой", "Tier")
    face.primaryFields.append(NumberField("balance", 1250.5, "Points"))
    face.addSecondaryField("member", "Алёна Ж.", "Member")
    face.addAuxiliaryField("stamps", 3, "Stamps")
    face.addBackField("latest_message", 'Кофе "за так" 50 %', "News")
    face.backFields[0].changeMessage = "%@"
    face.addBackField(
        "messages", '21.11.2026 — Кофе "за так" 50 %\n\n21.11.2026 — Начислено 12,5 балла', "Latest messages"
    )
    face.addBackField("support", "Пишите: help@example.com", "Contact")
    made = Pass(face, passTypeIdentifier=card.PASS_TYPE, organizationName="Берёзка", teamIdentifier=card.TEAM)
    made.serialNumber = card.IDENTITY.serial_number
    made.authenticationToken = card.IDENTITY.authentication_token
    made.webServiceURL = card.SERVICE
    made.description = "Карта гостя «Берёзки»"
    made.backgroundColor = "rgb(38, 28, 22)"
    made.foregroundColor = "rgb(255, 255, 255)"
    made.labelColor = "rgb(214, 190, 160)"
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
    document = {
        key: value
        for key, value in document.items()
        if key not in ("locations", "suppressStripShine", "barcode", "barcodes")
    } | {"code": document.get("barcode") or document["barcodes"][0]}
    document["storeCard"] = {
        group: [
            {key: value for key, value in field.items() if value != "" and key != "textAlignment"}
            for field in fields
        ]
        for group, fields in document["storeCard"].items()
    }
    return document


def test_a_second_builder_makes_the_same_card(prepared: PreparedDesign, credentials: Path) -> None:
    ours = card.unpacked(build(card.content(), card.IDENTITY, prepared, signing_time=card.NOW))
    shared = {name: data for name, data in ours.items() if name.endswith((".png", ".strings"))}
    theirs = by_wallet_py3k(credentials, shared)
    assert theirs.keys() == ours.keys()
    assert common(json.loads(theirs["pass.json"])) == common(json.loads(ours["pass.json"]))
    manifests = [json.loads(files["manifest.json"]) for files in (ours, theirs)]
    for manifest in manifests:
        manifest.pop("pass.json")
    assert manifests[0] == manifests[1]
