"""What a till reads off a card: barcodes and NFC."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.passes.findings import Finding, inform, refuse, warn
from app.passes.lint_rules_values import compact_key_fault, encoding_fault

LONGEST_NFC_MESSAGE = 64  # bytes
FORMATS = ("PKBarcodeFormatQR", "PKBarcodeFormatPDF417", "PKBarcodeFormatAztec", "PKBarcodeFormatCode128")
FORMATS_IOS_27 = (
    "PKBarcodeFormatCode39",
    "PKBarcodeFormatCodabar",
    "PKBarcodeFormatEAN13",
    "PKBarcodeFormatI2of5",
)


def barcodes(document: Mapping[str, Any]) -> Iterator[Finding]:
    """A fault in the legacy key costs the card; a faulty entry of the list is skipped without a word."""
    legacy = document.get("barcode")
    if isinstance(legacy, dict):
        yield from _barcode(legacy, "barcode")
        yield warn("barcode-legacy", "barcode", "use barcodes: a fault in this key costs the whole card")
    entries = document.get("barcodes")
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        where = f"barcodes[{index}]"
        if isinstance(entry, dict):
            yield from _barcode(entry, where)
        else:
            yield refuse("barcode", where, "must be a table with format, message and messageEncoding")
    listed = entries if isinstance(entries, list) else []
    kinds = [entry.get("format") for entry in listed if isinstance(entry, dict)]
    if kinds and all(kind in FORMATS_IOS_27 for kind in kinds):
        yield warn(
            "barcode-new-alone", "barcodes", "iPhones before iOS 27 show no code; put a QR code after it"
        )
    for index, kind in enumerate(kinds):
        if kind in FORMATS_IOS_27 and any(earlier in FORMATS for earlier in kinds[:index]):
            yield warn(
                "barcode-unused",
                f"barcodes[{index}]",
                "iOS shows the first code that it knows; put the new kinds first",
            )
    if not legacy and not entries and not document.get("voided"):
        yield warn("barcode-missing", "barcodes", "a till cannot read this card; add a QR code")


def _barcode(entry: Mapping[str, Any], where: str) -> Iterator[Finding]:
    for key in ("format", "message", "messageEncoding"):
        if not isinstance(entry.get(key), str):
            yield refuse("barcode", f"{where}.{key}", "must be text; without it the card has no code")
    if "altText" in entry and not isinstance(entry["altText"], str):
        yield refuse("barcode", f"{where}.altText", "must be text, or left out")
    kind, message, encoding = (entry.get(key) for key in ("format", "message", "messageEncoding"))
    if kind in FORMATS_IOS_27:
        yield inform("barcode-ios-27", f"{where}.format", "iPhones before iOS 27 skip it")
    elif isinstance(kind, str) and kind not in FORMATS:
        yield refuse("barcode", f"{where}.format", f"must be one of {', '.join(FORMATS)}")
    if isinstance(message, str) and isinstance(encoding, str):
        if fault := encoding_fault(message, encoding):
            yield refuse("barcode", f"{where}.messageEncoding", fault)
        elif not message.isascii():
            yield warn("barcode-not-ascii", f"{where}.message", "many scanners show garbage; keep it ASCII")


def nfc(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Contactless reading; needs a certificate that Apple grants for it."""
    entry = document.get("nfc")
    if not isinstance(entry, dict):
        return
    message, key = entry.get("message"), entry.get("encryptionPublicKey")
    if not isinstance(message, str) or len(message.encode()) > LONGEST_NFC_MESSAGE:
        yield refuse("nfc", "nfc.message", f"must be text of at most {LONGEST_NFC_MESSAGE} bytes")
    if fault := compact_key_fault(key) if isinstance(key, str) else "must be text":
        yield refuse("nfc", "nfc.encryptionPublicKey", fault)
    if not isinstance(entry.get("requiresAuthentication", False), bool):
        yield refuse("nfc", "nfc.requiresAuthentication", "must be true or false, or left out")
    yield inform("nfc-certificate", "nfc", "works with a certificate that Apple grants for NFC passes alone")


RULES = (barcodes, nfc)
