"""What a picture of a phone is made of: words, boxes and images, placed in points from the top left.

A page draws them as SVG with presentation attributes, since its policy allows no inline style.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from app.passes.lettering import Verdict, Weight, shorten, verdict, width

Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One line."""

    x: float
    y: float  # of the line that letters stand on
    words: str  # as shown: shortened where they are cut
    size: float
    ink: str
    weight: Weight = "Regular"
    anchor: Anchor = "start"
    length: float = 0.0  # as wide as an iPhone sets it, whatever font the page finds; 0: as it comes

    @property
    def left(self) -> float:
        """Where the line begins."""
        return self.x - self.length * {"start": 0.0, "middle": 0.5, "end": 1.0}[self.anchor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle with round corners."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    radius: float = 0.0
    opacity: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A PNG that fills its box; what does not fit is cut off on all sides alike, as iOS does with strips."""

    x: float
    y: float
    width: float
    height: float
    data: bytes
    whole: bool = False  # shrunk to be seen whole, against the left
    radius: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Modules:
    """A code's black squares, as the ``d`` of an SVG path in modules, scaled into its box."""

    x: float
    y: float
    width: float
    height: float
    columns: int
    rows: int
    path: str


Mark = Words | Box | Image | Modules


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Words that an iPhone of this width has no room for, or hardly."""

    group: str  # "primaryFields", or "" for the name beside the logo
    key: str  # of the field, or "logoText"
    part: Literal["label", "value"]
    verdict: Verdict
    shown: str  # with an ellipsis where they are cut
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One screen or card."""

    width: float
    height: float
    marks: tuple[Mark, ...]
    says: tuple[str, ...]  # everything that can be read in it, in reading order
    cuts: tuple[Cut, ...] = ()


def line(
    words: str,
    *,
    x: float,
    y: float,
    size: float,
    ink: str,
    room: float,
    weight: Weight = "Regular",
    anchor: Anchor = "start",
) -> Words:
    """``words`` in one line of at most ``room`` points, cut where they are wider."""
    shown = shorten(words, size, room, weight)
    length = min(width(shown, size, weight), room)
    return Words(
        x=x, y=y, words=shown, size=size, ink=ink, weight=weight, anchor=anchor, length=round(length, 2)
    )


def judged(
    words: str,
    *,
    size: float,
    room: float,
    weight: Weight,
    group: str,
    key: str,
    part: Literal["label", "value"],
) -> Iterator[Cut]:
    """The cut that this line is, or may be; nothing where it surely fits."""
    found = verdict(width(words, size, weight), room)
    if words and found != "fits":
        shown = shorten(words, size, room, weight)
        yield Cut(group=group, key=key, part=part, verdict=found, shown=shown, words=words)
