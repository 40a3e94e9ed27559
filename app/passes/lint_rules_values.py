"""What iOS takes for a colour, a date, a URL: None where the value is good, else how to put it right."""

from __future__ import annotations

import base64
import binascii
import codecs
import math
import re
from datetime import datetime
from typing import TypeGuard
from urllib.parse import urlsplit
from uuid import UUID

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from app.colours import parse_colour

_W3C_DATE = re.compile(
    r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)"
)
LEAST_CONTRAST = 3.0  # WCAG 2.1, success criterion 1.4.3, for large text
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def is_number(value: object) -> TypeGuard[float]:
    """A number of JSON: finite, and true is none."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def has_type(value: object, wanted: type) -> bool:
    """One of JSON's types; ``float`` stands for any number."""
    return is_number(value) if wanted is float else isinstance(value, wanted)


def colour_fault(value: str) -> str | None:
    """Apple, "Pass": a colour is a CSS-style RGB triple."""
    if parse_colour(value) is None:
        return "write the colour as rgb(38, 28, 22), each number in 0…255"
    return None


def date_fault(value: str) -> str | None:
    """A W3C date with hours, minutes and zone; seconds may follow, fractions must not."""
    try:
        datetime.fromisoformat(value)
        real = _W3C_DATE.fullmatch(value) is not None
    except ValueError:
        real = False
    if not real:
        return "write the moment as 2026-12-31T23:59+03:00, with a zone and without fractions of a second"
    return None


def url_fault(value: str) -> str | None:
    """Any absolute URL."""
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return "write a whole URL such as https://example.com/rules"
    opaque = parts.scheme in ("tel", "mailto", "sms") and parts.path
    if not (parts.scheme and (parts.netloc or opaque)) or re.search(r"\s", value):
        return "write a whole URL such as https://example.com/rules"
    return None


def web_service_url_fault(value: str) -> str | None:
    """iOS takes https alone; http is for a phone simulator beside the service on one machine."""
    if fault := url_fault(value):
        return fault
    parts = urlsplit(value)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        return "iOS refuses a card whose web service is not https; set PERKPASS_PUBLIC_URL to https://…"
    if parts.path.rstrip("/").endswith("/v1"):
        return "leave /v1 out, the phone appends it"
    return None


def uuid_fault(value: str) -> str | None:
    """A beacon's proximityUUID."""
    try:
        UUID(value)
    except ValueError:
        return "write the UUID as 8-4-4-4-12 hexadecimal digits"
    return None


def change_message_fault(value: str) -> str | None:
    """Exactly one ``%@``, no other format code; ``%%`` is a percent sign."""
    codes = re.findall(r"%(.?)", value.replace("%%", ""), re.DOTALL)
    if codes.count("@") != 1 or any(code != "@" for code in codes):
        return "write %@ exactly once, where the new value goes, and %% for a percent sign"
    return None


def encoding_fault(message: str, encoding: str) -> str | None:
    """An IANA charset that can say the barcode's message."""
    try:
        codecs.lookup(encoding)
        message.encode(encoding)
    except LookupError:
        return f"{encoding!r} is no IANA charset; use iso-8859-1"
    except ValueError:
        return f"the message cannot be said in {encoding}; keep it ASCII and put words into altText"
    return None


def compact_key_fault(value: str) -> str | None:
    """An NFC encryptionPublicKey: base64 of a DER P-256 public key whose point is compressed."""
    fault = "must be base64 of a DER-encoded, compressed P-256 public key"
    try:
        der = base64.b64decode(value, validate=True)
        key = load_der_public_key(der)
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        return fault
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        return fault
    # The uncompressed SubjectPublicKeyInfo of P-256 has 91 bytes, the compressed one 59.
    return None if len(der) < 91 else fault
