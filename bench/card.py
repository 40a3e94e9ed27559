"""The card that builders of passes make in benchmarks: the default design in two languages."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from app.db.identifiers import CardCode, DesignId, PassTypeIdentifier, ProgrammeId, SerialNumber
from app.passes import content, layout, template

TEMPLATE = Path(__file__).parent.parent / "pass_templates" / "tiered_card"
NOW = datetime.now(UTC)
PASS_TYPE, TEAM = PassTypeIdentifier("pass.com.example.bench"), "A1B2C3D4E5"
SERVICE = "https://cards.example.com/passkit"


def both(ru: str, en: str) -> content.LocalizedText:
    return content.LocalizedText(ru, en)


def guest(messages: int, venues: int) -> content.PassContent:
    return content.PassContent(
        language="ru",
        card_code=CardCode("K7Q2M9XA"),
        member_name="Алёна Журавлёва",
        balance=125_050,
        tier=both("Золотой", "Gold"),
        stamps=3,
        messages=tuple(
            content.Message(both(f"Начислено {n},5 балла", f"{n}.5 points added"), NOW, f"receipt:{n}")
            for n in range(messages)
        ),
        locations=tuple(
            content.Location(59.93 + n / 100, 30.33, both(f"Мы рядом: дом {n}", f"We are near: house {n}"))
            for n in range(venues)
        ),
    )


USUAL, FULLEST = guest(messages=2, venues=3), guest(messages=5, venues=10)
IDENTITY = content.PassIdentity(PASS_TYPE, SerialNumber("c7f1a9"), "0123456789abcdef0123456789abcdef")


def design() -> layout.Design:
    folder, findings = template.read_template(TEMPLATE)
    assert not findings
    values = layout.BrandValues(
        organization_name="Берёзка",
        description=both("Карта гостя", "Loyalty card"),
        pass_type_identifier=PASS_TYPE,
        team_identifier=TEAM,
        time_zone="Europe/Moscow",
        logo_text=both("Берёзка", "Berezka"),
        texts={"rules": both("5 % с чека", "5 % of a receipt"), "support": both("Пишите нам", "Write to us")},
    )
    return layout.Design(
        id=DesignId(1),
        programme_id=ProgrammeId(1),
        version=1,
        template="tiered_card",
        layout=layout.merge(folder.document, folder.strings, values),
        files=folder.files,
        created_at=NOW,
    )
