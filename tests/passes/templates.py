"""The templates that we ship, made into designs of the card's brand."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Literal

from app.db.identifiers import DesignId, ProgrammeId
from app.passes.assembly import assemble
from app.passes.content import LocalizedText, PassContent
from app.passes.layout import BrandValues, Design
from app.passes.template import read_template
from tests.passes import card

FOLDER = Path(__file__).parents[2] / "pass_templates"
Name = Literal["bonus_card", "stamp_card", "tiered_card"]
NAMES: tuple[Name, ...] = ("bonus_card", "stamp_card", "tiered_card")
TIERS = (
    LocalizedText("Гость", "Guest"),
    LocalizedText("Друг", "Friend"),
    LocalizedText("Родня", "Family"),
)
FOR_REWARD = 6
_RULES: dict[Name, dict[str, Any]] = {
    "bonus_card": {},
    "stamp_card": {"for_reward": FOR_REWARD},
    "tiered_card": {"tiers": TIERS},
}
_OWN: dict[Name, dict[str, Any]] = {
    "bonus_card": {"tier": None, "stamps": 0},
    "stamp_card": {"tier": None, "balance": 0, "stamps": 3},
    "tiered_card": {"tier": TIERS[1], "stamps": 0},
}
PAGES = {
    name: LocalizedText(f"https://example.com/ru/{name}", f"https://example.com/en/{name}")
    for name in ("offers_url", "benefits_url", "terms_url", "privacy_url")
}


def values(name: Name, **changes: Any) -> BrandValues:
    """A brand that has every text, and the rules of a programme that the template is for."""
    texts = PAGES | {
        "rules": LocalizedText("5 % с каждого чека", "5 % of every receipt"),
        "support": LocalizedText("Пишите нам", "Write to us"),
    }
    rules = _RULES[name]
    named = {"texts": texts, "logo_text": LocalizedText("Берёзка бонус", "Berezka bonus")}
    return card.values(**(named | rules | changes))


@cache
def design(name: Name) -> Design:
    """As it would be published."""
    return made(name, values(name))


def made(name: Name, brand: BrandValues, folder: Path = FOLDER) -> Design:
    """The same for another brand, or from a changed copy of the folder."""
    template, findings = read_template(folder / name)
    assert findings == []
    whole = assemble(template, brand)
    return Design(
        id=DesignId(1),
        programme_id=ProgrammeId(1),
        version=1,
        template=name,
        layout=whole.layout,
        files=whole.files,
        created_at=card.NOW,
    )


def guest(name: Name, **changes: Any) -> PassContent:
    """Who has everything that such a programme gives, and is known by it."""
    own = _OWN[name]
    return card.content(**(own | changes))
