"""Words of a design that some iPhone has no room for, each with the field that it belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from app.passes.card_front import draw_front
from app.passes.content import Language
from app.passes.drawing import Cut
from app.passes.layout import LANGUAGES, Layout
from app.passes.lettering import Verdict, width
from app.passes.proofs import Proofs
from app.passes.sample_guests import Guest, default_look, sample_guest

SMALL, LARGE = (320.0, 568.0), (430.0, 932.0)
"""The narrowest and the widest iPhone in points: the first SE, and the Plus and Max of today."""

_GUESTS: tuple[Guest, ...] = ("regular", "long")
_OF_GUESTS = ("{member_name}",)
"""What is cut here is a guest's own name: no design can help it."""


@dataclass(frozen=True, slots=True)
class CardWarning:
    """One label, value or name that is cut, or may be."""

    where: str  # as the linter says it: "storeCard.secondaryFields[1].label", "logoText"
    verdict: Verdict
    on_large: bool  # also on the widest phone
    language: Language
    shown: str
    words: str


def card_warnings(layout: Layout, files: Mapping[str, bytes], *, now: datetime) -> list[CardWarning]:
    """The worst of each place, over sample guests, both languages and both ends of the phones' widths."""
    proofs = Proofs(layout, files, now=now)
    found: dict[str, CardWarning] = {}
    for language in LANGUAGES:
        for guest in _GUESTS:
            for look in _looks(layout, files, language):
                content = sample_guest(guest, layout, language, look=look, now=now)
                proof = proofs.pull(content, language)
                large = {(cut.group, cut.key, cut.part): cut for cut in draw_front(proof, LARGE[0]).cuts}
                for cut in draw_front(proof, SMALL[0]).cuts:
                    for where in _where(layout, cut):
                        wide = large.get((cut.group, cut.key, cut.part))
                        on_large = wide is not None and wide.verdict == cut.verdict
                        told = CardWarning(where, cut.verdict, on_large, language, cut.shown, cut.words)
                        found[where] = max(found.get(where, told), told, key=_gravity)
    return list(found.values())


def _looks(layout: Layout, files: Mapping[str, bytes], language: Language) -> list[int]:
    """Those that leave the least room: tiers differ in their names alone, unless one has its own logo."""
    if not layout.tiers:
        return [default_look(layout)]
    widest: dict[str, tuple[float, int]] = {}
    for number, tier in enumerate(layout.tiers, 1):
        own = f"{tier.folder}logo"
        logo = own if any(path.startswith(own) for path in files) else ""
        found = (width(tier.name.in_language(language), 1.0), number)
        widest[logo] = max(widest.get(logo, found), found)
    return sorted(number for _width, number in widest.values())


def _gravity(each: CardWarning) -> tuple[bool, bool, bool]:
    return each.verdict == "cut", each.shown != each.words, each.on_large


def _where(layout: Layout, cut: Cut) -> Iterator[str]:
    """The place in the layout: pass.json leaves fields out, so numbers there say nothing here."""
    if not cut.group:
        yield cut.key
        return
    for index, field in enumerate(layout.document[layout.style].get(cut.group, ())):
        if field.get("key") == cut.key and not (cut.part == "value" and field.get("value") in _OF_GUESTS):
            yield f"{layout.style}.{cut.group}[{index}].{cut.part}"
