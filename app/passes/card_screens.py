"""A card's other screens: its back, and what it puts on the lock screen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from babel.dates import format_date

from app.passes.card_front import MARGIN, draw_front
from app.passes.drawing import Box, Cut, Image, Mark, Picture, Words, line
from app.passes.lettering import ELLIPSIS, shorten, wrap
from app.passes.proofs import Proof
from app.passes.values_on_screen import spelt

Theme = Literal["light", "dark"]
BANNER_LETTERS = 90
"""About so many letters of a message are seen on the lock screen (Loopy Loyalty, "Push messages")."""
_PAD = 16.0
_BACK_LABEL, _BACK_VALUE, _BACK_LINE = 13.0, 16.0, 21.0
_BANNER = 15.0
_SWITCHES = {
    "ru": ("Автообновление", "Уведомления"),
    "en": ("Automatic Updates", "Allow Notifications"),
}


@dataclass(frozen=True, slots=True)
class _System:
    """The colours that are iOS's own."""

    ground: str
    cell: str
    words: str
    quiet: str
    link: str
    wallpaper: str
    banner: str
    on_banner: str


_SYSTEMS: dict[Theme, _System] = {
    "light": _System("#f2f2f7", "#ffffff", "#000000", "#6c6c70", "#0066cc", "#5b7a99", "#f4f4f6", "#000000"),
    "dark": _System("#000000", "#1c1c1e", "#ffffff", "#98989f", "#4aa3ff", "#1d2733", "#2c2c2e", "#ffffff"),
}


def draw_wallet(proof: Proof, device: tuple[float, float], theme: Theme) -> Picture:
    """The front as it lies in Wallet: the card is the same in both themes, what surrounds it is not."""
    width, height = device
    front = draw_front(proof, width)
    system = _SYSTEMS[theme]
    ground = "#ffffff" if theme == "light" else "#000000"
    top = 44.0
    whole = max(height * 0.62, top + front.height + 24)
    moved = tuple(_moved(mark, MARGIN, top) for mark in front.marks)
    status: tuple[Mark, ...] = (
        Box(x=0, y=0, width=width, height=whole, fill=ground),
        Words(x=24, y=25, words="9:41", size=14, ink=system.words, weight="SemiBold"),
        Box(x=width - 48, y=14, width=24, height=11, fill=system.words, radius=3, opacity=0.85),
    )
    return Picture(width=width, height=whole, marks=(*status, *moved), says=front.says, cuts=front.cuts)


def draw_back(proof: Proof, device: tuple[float, float], theme: Theme) -> Picture:
    """The list behind the card: iOS's switches, then the back fields; it scrolls, so nothing is cut."""
    width, system = device[0], _SYSTEMS[theme]
    room = width - 4 * _PAD
    marks: list[Mark] = []
    says: list[str] = []
    y = _PAD
    marks.append(Box(x=_PAD, y=y, width=width - 2 * _PAD, height=88, fill=system.cell, radius=12))
    for number, words in enumerate(_SWITCHES[proof.language]):
        middle = y + 22 + number * 44
        marks.append(
            line(words, x=2 * _PAD, y=middle + 6, size=_BACK_VALUE, ink=system.words, room=room - 60)
        )
        marks.append(
            Box(x=width - 2 * _PAD - 46, y=middle - 14, width=46, height=28, fill="#2f9e44", radius=14)
        )
        marks.append(
            Box(x=width - 2 * _PAD - 26, y=middle - 12, width=24, height=24, fill="#ffffff", radius=12)
        )
    y += 88 + _PAD
    for field in proof.fields("backFields"):
        label, words = proof.said(field.get("label", "")), spelt(field, proof)
        if not words:
            continue
        lines = wrap(words, _BACK_VALUE, room)
        height = (22.0 if label else 6.0) + _BACK_LINE * len(lines) + 12
        marks.append(Box(x=_PAD, y=y, width=width - 2 * _PAD, height=height, fill=system.cell, radius=12))
        inside = y + 20
        if label:
            marks.append(line(label, x=2 * _PAD, y=inside, size=_BACK_LABEL, ink=system.quiet, room=room))
            inside += 20
        linked = words.startswith(("https://", "http://")) and field.get("dataDetectorTypes") != []
        for each in lines:
            ink = system.link if linked else system.words
            marks.append(line(each, x=2 * _PAD, y=inside, size=_BACK_VALUE, ink=ink, room=room))
            inside += _BACK_LINE
        says.append(f"{label}: {words}" if label else words)
        y += height + 8
    whole = max(y + _PAD, device[1] * 0.6)
    ground = Box(x=0, y=0, width=width, height=whole, fill=system.ground)
    return Picture(width=width, height=whole, marks=(ground, *marks), says=tuple(says))


def draw_lock(proof: Proof, device: tuple[float, float], theme: Theme, *, now: datetime) -> Picture:
    """The lock screen: the message that the card announces, and its line when the guest is near a venue."""
    width, system = device[0], _SYSTEMS[theme]
    whole = max(device[1] * 0.62, 400.0)
    day = format_date(now, format="EEEE, d MMMM", locale=proof.language)
    marks: list[Mark] = [
        Box(x=0, y=0, width=width, height=whole, fill=system.wallpaper),
        Words(x=width / 2, y=62, words=day, size=17, ink="#ffffff", weight="Medium", anchor="middle"),
        Words(x=width / 2, y=138, words="9:41", size=76, ink="#ffffff", weight="SemiBold", anchor="middle"),
    ]
    says: list[str] = [day]
    y = 176.0
    title = proof.said(proof.document.get("organizationName", ""))
    for words in (_announced(proof), _near(proof)):
        if not words:
            continue
        room = width - 2 * MARGIN - 74
        shown = words if len(words) <= BANNER_LETTERS else words[: BANNER_LETTERS - 1].rstrip() + ELLIPSIS
        lines = wrap(shown, _BANNER, room)[:4]
        height = 42.0 + 19 * len(lines)
        marks.append(
            Box(
                x=MARGIN,
                y=y,
                width=width - 2 * MARGIN,
                height=height,
                fill=system.banner,
                radius=18,
                opacity=0.94,
            )
        )
        if icon := proof.image("icon"):
            marks.append(
                Image(x=MARGIN + 12, y=y + height / 2 - 19, width=38, height=38, data=icon, radius=9)
            )
        marks.append(
            line(
                title,
                x=MARGIN + 62,
                y=y + 24,
                size=_BANNER,
                ink=system.on_banner,
                room=room,
                weight="SemiBold",
            )
        )
        marks += [
            line(each, x=MARGIN + 62, y=y + 44 + 19 * number, size=_BANNER, ink=system.on_banner, room=room)
            for number, each in enumerate(lines)
        ]
        says.append(f"{title}: {shown}")
        y += height + 10
    return Picture(
        width=width,
        height=max(whole, y + 20),
        marks=tuple(marks),
        says=tuple(says),
        cuts=tuple(_banner_cuts(proof)),
    )


def _announced(proof: Proof) -> str:
    """What iOS says when the announcing field changes: its change message with the value in it."""
    for field in proof.fields("backFields"):
        if "changeMessage" in field:
            return proof.said(field["changeMessage"]).replace("%@", spelt(field, proof))
    return ""


def _near(proof: Proof) -> str:
    for place in proof.document.get("locations", ()):
        return proof.said(place.get("relevantText", ""))
    return ""


def _banner_cuts(proof: Proof) -> list[Cut]:
    """Only the words around the message are the design's own; what is announced is written elsewhere."""
    title = proof.said(proof.document.get("organizationName", ""))
    shown = shorten(title, _BANNER, 220, "SemiBold")
    if shown == title:
        return []
    return [Cut(group="", key="organizationName", part="value", verdict="cut", shown=shown, words=title)]


def _moved(mark: Mark, right: float, down: float) -> Mark:
    return replace(mark, x=mark.x + right, y=mark.y + down)
