"""What is wrong with a design, in the reader's language, each beside the field that it concerns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from flask_babel import gettext as _

from app.passes.card_warnings import CardWarning
from app.passes.findings import Finding
from app.passes.layout import STYLES
from app.passes.template import Template
from app.web.console.designs_fields import rows
from app.web.console.designs_slots import slot_of_image

Tone = Literal["wrong", "warn", "calm"]
_TONES: dict[str, Tone] = {"refuse": "wrong", "warn": "warn", "inform": "calm"}
_FIELD = re.compile(rf"(?:{'|'.join(STYLES)})\.(\w+)\[(\d+)\]")
_TIER = re.compile(r"tiers\[(\d+)\](\.\w+Color)?")
_ON_TIER = re.compile(r" on (tiers/\d+/strip)\.png$")
_LINE = re.compile(r"\bline (\d+)")
_RATIO = re.compile(r"([\d.]+) : 1")
_UNSEEN = ("translation-unused", "key-unknown", "newer-key", "google-missing")
"""For who writes templates by hand; the editor keeps these in order itself."""


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence beside a field."""

    tone: Tone
    words: str


class Notes:
    """By slot: the name of an input, "picture.logo", or "" for the design as a whole."""

    def __init__(self) -> None:
        self._by_slot: dict[str, list[Note]] = {}

    def add(self, slot: str, note: Note) -> None:
        """Beside this slot, once."""
        there = self._by_slot.setdefault(slot, [])
        if note not in there:
            there.append(note)

    def at(self, slot: str) -> list[Note]:
        """What to say there."""
        return self._by_slot.get(slot, [])

    @property
    def slots(self) -> list[tuple[str, list[Note]]]:
        """All of them."""
        return list(self._by_slot.items())

    def count(self, tone: Tone) -> int:
        """How many there are of a tone."""
        return sum(note.tone == tone for notes in self._by_slot.values() for note in notes)


def notes_of(template: Template, findings: Iterable[Finding], cuts: Iterable[CardWarning]) -> Notes:
    """All notes of a design, by slot."""
    found = Notes()
    for finding in findings:
        if finding.code not in _UNSEEN and not _still_sharp(finding):
            note = Note(_TONES[finding.severity], said(finding))
            found.add(_slot(template, finding.where), note)
    for cut in cuts:
        found.add(_slot(template, cut.where), _cut(cut))
    return found


def _still_sharp(finding: Finding) -> bool:
    """Whether only the largest scale is missing: that of a heavy picture is left out on purpose."""
    return finding.code == "image-scale-missing" and "@2x" not in finding.message


def _cut(cut: CardWarning) -> Note:
    where = {"ru": _("in Russian"), "en": _("in English")}[cut.language]
    phones = _("on every iPhone") if cut.on_large else _("on a small iPhone")
    if cut.verdict == "cut":
        words = _("Cut %(phones)s, %(where)s: “%(shown)s”", phones=phones, where=where, shown=cut.shown)
    elif cut.shown != cut.words:
        words = _(
            "May be cut %(phones)s, %(where)s: “%(shown)s”", phones=phones, where=where, shown=cut.shown
        )
    else:
        words = _(
            "Nearly too long %(phones)s, %(where)s: “%(words)s”", phones=phones, where=where, words=cut.words
        )
        return Note("calm", str(words))
    return Note("warn", str(words))


def _slot(template: Template, where: str) -> str:
    if match := _FIELD.match(where):
        return f"f.{match[1]}.{match[2]}"
    if match := _TIER.match(where):
        return f"tier.{int(match[1]) + 1}{match[2] or ''}"
    if match := _ON_TIER.search(where):
        return f"picture.{match[1]}"
    for colour in ("backgroundColor", "foregroundColor", "labelColor"):
        if where.startswith(colour):
            return f"colour.{colour}"
    if where.startswith("barcodes"):
        return "barcode"
    if where in ("logoText", "text.programme", "text.logo_text"):
        return "text.programme"
    if where.startswith("text."):
        return _slot_of_text(template, where.removeprefix("text."))
    if where == "changeMessage":
        return "group.backFields"
    image = slot_of_image(where)
    return f"picture.{image}" if image else ""


def _slot_of_text(template: Template, name: str) -> str:
    for among in rows(template).values():
        for row in among:
            if row.field.text_name == name:
                return row.name
    return ""


def _ratio(finding: Finding) -> str:
    match = _RATIO.search(finding.message)
    return match[1] if match else "?"


def _contrast(finding: Finding) -> str:
    ratio = _ratio(finding)
    if " on strip" in finding.where:
        words = _(
            "Hard to read on the picture: contrast %(ratio)s : 1. Calm the picture on its left, or change "
            "the colour.",
            ratio=ratio,
        )
    else:
        words = _(
            "Hard to read on this background: contrast %(ratio)s : 1. Choose a lighter or darker colour.",
            ratio=ratio,
        )
    return str(words)


def _unreadable(finding: Finding) -> str:
    if match := _LINE.search(finding.message):
        return str(_("This file cannot be read: look at line %(line)s.", line=match[1]))
    return str(_("This file cannot be read: take it as an export has it."))


_SENTENCES: dict[str, Callable[[Finding], str]] = {
    "low-contrast": _contrast,
    "not-translated": lambda _finding: _("One language is missing; the other one is shown instead."),
    "too-many-fields": lambda _finding: _(
        "More than four fields in the two rows above the code: iPhones leave some out."
    ),
    "nothing-announced": lambda _finding: _("No field speaks on the lock screen: guests are told nothing."),
    "image-size": lambda _finding: _("This picture has another size than the card wants; it is fitted in."),
    "image-scale-missing": lambda _finding: _(
        "This picture has too few pixels and looks blurred on most iPhones. Take a larger one."
    ),
    "image-too-large": lambda _finding: _(
        "This picture is heavy: every phone fetches it. Take a lighter one."
    ),
    "bundle-large": lambda _finding: _("The card is heavy: every phone fetches it. Take lighter pictures."),
    "image-damaged": lambda _finding: _("This picture is damaged; upload it again."),
    "image-unreadable": lambda _finding: _("This is no PNG picture; upload it again."),
    "image-unused": lambda _finding: _("No card shows this picture."),
    "icon-missing": lambda _finding: _("The icon is missing: without it, no iPhone takes the card."),
    "barcode-missing": lambda _finding: _("There is no code: the till cannot scan the card."),
    "field-value-missing": lambda _finding: _(
        "There is nothing to show here: write something, or remove it."
    ),
    "duplicate-key": lambda _finding: _("Two fields are the same one: remove one of them."),
    "two-announce": lambda _finding: _("Only one field may speak on the lock screen."),
    "stamps-not-drawn": lambda _finding: _(
        "So many stamps cannot be told apart in the picture: the number alone tells them."
    ),
    "stamps-half": lambda _finding: _("Stamps need two pictures: one earned, and one still empty."),
    "strip-alone": lambda _finding: _("The picture has nothing on it: put a field over it, or leave it so."),
    "google-too-long": lambda _finding: _("Too long for Google Wallet: it is cut there."),
    "layout-unreadable": _unreadable,
    "strings-unreadable": _unreadable,
    "image-name": lambda _finding: _("Name the picture in Latin letters, like logo@2x.png."),
    "strings-missing": lambda _finding: _("This file is missing: it holds the words in one language."),
    "text-unreadable": lambda _finding: _(
        'Name a text in small Latin letters, and give it ru = "…" and en = "…".'
    ),
    "google-image-missing": lambda _finding: _("Google Wallet needs its own logo."),
}


def said(finding: Finding) -> str:
    """The finding as a sentence in the reader's language."""
    told = _SENTENCES.get(finding.code)
    return told(finding) if told else finding.message
