"""Guests that a design is tried on before real ones have it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from app.db.identifiers import CardCode
from app.passes.content import Language, LocalizedText, Location, Message, PassContent
from app.passes.layout import Layout

Guest = Literal["regular", "new", "long"]
GUESTS: tuple[Guest, ...] = ("regular", "new", "long")

_NAMES = {"ru": ("Анна", "Александра Воскресенская"), "en": ("Anna", "Alexandra Featherstone")}
_NEWS = LocalizedText(
    "Спасибо за визит! Вам начислено 45 баллов, всего 1 250.", "Thank you! 45 points added, 1,250 in all."
)
_NEAR = LocalizedText("Вы рядом: покажите карту на кассе", "You are near: show your card at the till")


def sample_guest(
    guest: Guest, layout: Layout, language: Language, *, look: int, now: datetime
) -> PassContent:
    """``regular`` has a bit of everything, ``new`` nothing yet, ``long`` more than most cards have room for.

    ``look`` counts as :func:`app.passes.looks.look_number` does: tiers from 1, or stamps.
    """
    tier = layout.tiers[look - 1].name if 0 < look <= len(layout.tiers) else None
    stamps = min(max(look, 0), layout.for_reward) if layout.for_reward else 0
    code = CardCode("K7Q2M9XA")
    if guest == "new":
        return PassContent(
            language=language, card_code=code, member_name=None, balance=0, tier=tier, stamps=0
        )
    many = guest == "long"
    return PassContent(
        language=language,
        card_code=code,
        member_name=_NAMES[language][many],
        balance=10_254_050 if many else 125_000,
        tier=tier,
        stamps=stamps,
        messages=(Message(_NEWS, now - timedelta(hours=2), "sample:1"),),
        locations=(Location(59.93, 30.33, _NEAR),),
    )


def default_look(layout: Layout) -> int:
    """The look that shows most: the middle tier, or half of the stamps."""
    if layout.tiers:
        return (len(layout.tiers) + 1) // 2
    return (layout.for_reward or 0) // 2
