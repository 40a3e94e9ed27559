"""One complete card, with Cyrillic everywhere, for the tests of designs and bundles."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from datetime import UTC, datetime
from typing import Any

from app.db.identifiers import CardCode, DesignId, PassTypeIdentifier, ProgrammeId, SerialNumber
from app.passes.content import LocalizedText, Location, Message, PassContent, PassIdentity
from app.passes.layout import BrandValues, Design, merge

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
PASS_TYPE = PassTypeIdentifier("pass.com.example.berezka")
TEAM = "A1B2C3D4E5"
SERVICE = "https://cards.example.com/passkit"


def png(width: int, height: int) -> bytes:
    """A grey PNG of that size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))

    rows = zlib.compress((b"\0" + b"\x80" * width) * height)
    header = struct.pack(">LLBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def document(**changes: Any) -> dict[str, Any]:
    """A small layout's document."""
    return {
        "backgroundColor": "rgb(38, 28, 22)",
        "foregroundColor": "rgb(255, 255, 255)",
        "labelColor": "rgb(214, 190, 160)",
        "barcodes": [
            {
                "format": "PKBarcodeFormatQR",
                "message": "{card_code}",
                "messageEncoding": "iso-8859-1",
                "altText": "{card_code}",
            }
        ],
        "storeCard": {
            "headerFields": [{"key": "tier", "label": "Tier", "value": "{tier}"}],
            "primaryFields": [
                {
                    "key": "balance",
                    "label": "Points",
                    "value": "{balance}",
                    "numberStyle": "PKNumberStyleDecimal",
                }
            ],
            "secondaryFields": [{"key": "member", "label": "Member", "value": "{member_name}"}],
            "auxiliaryFields": [{"key": "stamps", "label": "Stamps", "value": "{stamps}", "optional": True}],
            "backFields": [
                {
                    "key": "latest_message",
                    "label": "News",
                    "value": "{latest_message}",
                    "empty": "Your news will appear here.",
                    "changeMessage": "%@",
                },
                {"key": "messages", "label": "Latest messages", "value": "{messages}"},
                {"key": "support", "label": "Contact", "value": "{text.support}"},
                {"key": "rules", "label": "Rules", "value": "{text.rules}"},
            ],
        },
    } | changes


LABELS = {
    "Tier": "Уровень",
    "Points": "Баллы",
    "Member": "Гость",
    "Stamps": "Штампы",
    "News": "Новости",
    "Your news will appear here.": "Здесь появятся ваши новости.",
    "Latest messages": "Последние сообщения",
    "Contact": "Связь",
    "Rules": "Правила",
}


def values(**changes: Any) -> BrandValues:
    """A brand with both languages."""
    whole: dict[str, Any] = {
        "organization_name": "Берёзка",
        "description": LocalizedText("Карта гостя «Берёзки»", "Berezka guest card"),
        "pass_type_identifier": PASS_TYPE,
        "team_identifier": TEAM,
        "time_zone": "Europe/Moscow",
        "texts": {"support": LocalizedText("Пишите: help@example.com", "Write: help@example.com")},
    }
    return BrandValues(**(whole | changes))


def design(**changes: Any) -> Design:
    """A published version, without a database."""
    brand = changes.pop("values", None) or values()
    made_of = changes.pop("document", None) or document()
    whole: dict[str, Any] = {
        "id": DesignId(1),
        "programme_id": ProgrammeId(1),
        "version": 1,
        "template": "test",
        "layout": merge(made_of, {"ru": LABELS, "en": {key: key for key in LABELS}}, brand),
        "files": {"icon.png": png(29, 29), "icon@2x.png": png(58, 58), "logo.png": png(160, 50)},
        "created_at": NOW,
    }
    return Design(**(whole | changes))


def content(**changes: Any) -> PassContent:
    """A guest who has everything."""
    whole: dict[str, Any] = {
        "language": "ru",
        "card_code": CardCode("K7Q2M9XA"),
        "member_name": "Алёна Ж.",
        "balance": 125_050,
        "tier": LocalizedText("Золотой", "Gold"),
        "stamps": 3,
        "messages": (
            Message(LocalizedText('Кофе "за так" 50 %', 'Coffee "on us" 50 %'), NOW, "offer:1"),
            Message(LocalizedText("Начислено 12,5 балла", "12.5 points added"), NOW, "receipt:1"),
        ),
        "locations": (
            Location(59.934280, 30.335099, LocalizedText("Мы рядом: Невский, 1", "Near you: Nevsky 1")),
            Location(-33.8688, 151.2093),
        ),
    }
    return PassContent(**(whole | changes))


IDENTITY = PassIdentity(PASS_TYPE, SerialNumber("c7f1.A-b_9"), "0123456789abcdef0123456789abcdef")


def unpacked(bundle: bytes) -> dict[str, bytes]:
    """Name to content, read with the standard library."""
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}
