"""What the editor calls the parts of a card."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import gettext as _

from app.loyalty.rules import Rules, StampRules, TieredRules
from app.passes.content import Language
from app.passes.layout import Layout
from app.web.console.designs_form import OWN_WORDS

Choices = list[tuple[str, str]]


def groups() -> list[tuple[str, str, str]]:
    """Where fields stand: Apple's name, ours, and what belongs there."""
    return [
        ("headerFields", _("At the top"), _("Seen even when cards lie stacked: one short number or word.")),
        ("primaryFields", _("On the picture"), _("The one thing that guests look for.")),
        ("secondaryFields", _("Below the picture"), _("Up to four small fields together with the next row.")),
        ("auxiliaryFields", _("Beside them"), _("Shares the row with those above.")),
        ("backFields", _("On the back"), _("Rules, links and messages; there is room for much.")),
    ]


def kinds(rules: Rules) -> Choices:
    """What a field can show, for a programme with these rules."""
    found = [(OWN_WORDS, _("Words of your own")), ("member_name", _("Guest’s name"))]
    if isinstance(rules, StampRules):
        found += [
            ("stamps", _("Stamps")),
            ("stamps_missing", _("Stamps until the gift")),
            ("rewards", _("Gifts waiting")),
        ]
    else:
        found.append(("balance", _("Balance")))
    if isinstance(rules, TieredRules):
        found.append(("tier", _("Tier")))
    return [
        *found,
        ("card_code", _("Card number")),
        ("offer", _("Offer that ends first")),
        ("offers", _("All offers with their terms")),
        ("messages", _("Last five messages")),
        ("latest_message", _("News (speaks on the lock screen)")),
        ("withdrawal_url", _("Link that stops advertising")),
    ]


def barcodes() -> Choices:
    """The kinds of code, the best known first."""
    return [
        ("PKBarcodeFormatQR", _("QR code (any scanner, any camera)")),
        ("PKBarcodeFormatAztec", _("Aztec (square, for tills that ask for it)")),
        ("PKBarcodeFormatPDF417", _("PDF417 (wide)")),
        ("PKBarcodeFormatCode128", _("Code 128 (stripes, for old laser scanners)")),
    ]


def looks(layout: Layout, language: Language) -> Choices:
    """Whose card the preview shows: of which tier, or with how many stamps."""
    if layout.tiers:
        return [(str(number), each.name.in_language(language)) for number, each in enumerate(layout.tiers, 1)]
    if layout.for_reward:
        return [(str(number), str(number)) for number in range(layout.for_reward + 1)]
    return []


def place(slot: str, fields: Mapping[str, str]) -> str:
    """Where in the editor a note belongs; ``fields`` are the card's fields by the name of their inputs."""
    kind = slot.partition(".")[0]
    words = {
        "colour": _("Colours"),
        "tier": _("Colours"),
        "picture": _("Pictures"),
        "text": _("Name and code"),
        "barcode": _("Name and code"),
        "group": _("On the back"),
    }
    return fields.get(slot) or str(words.get(kind, _("The whole card")))
