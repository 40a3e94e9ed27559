"""The front of a card as an iPhone draws it, at the width of that phone.

Apple publishes the places and the sizes of images (reference "Pass Design and Creation"), not those of words.
Sizes of words here are measured on screenshots and rounded to the careful side; how much a primary value
shrinks before it is cut is the reach of the about twenty letters that developers report for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from app.passes import barcode_shapes
from app.passes.card_measures import Column, columns, inks, within
from app.passes.drawing import Box, Cut, Image, Mark, Modules, Picture, judged, line
from app.passes.lettering import Weight, width
from app.passes.proofs import Proof
from app.passes.values_on_screen import spelt

MARGIN = 8.0  # between the card and the edge of the screen
_PAD = 14.0
_TOP = 62.0  # height of the row with logo, name and header fields
_LOGO = (160.0, 50.0)  # Apple's room for a logo
_GAP = 12.0  # between fields in a row
_HEADER_SHARE = 0.62  # of the room beside the logo, where a name needs some too
_LABEL, _VALUE, _HEADER_VALUE, _NAME = 11.0, 18.0, 18.0, 18.0
_PRIMARY, _PRIMARY_LABEL = 50.0, 13.0
_SMALLEST_PRIMARY = 0.6  # of its size: before that, iOS shrinks rather than cuts
_STRIPS = {"storeCard": 144 / 375, "coupon": 144 / 375, "eventTicket": 98 / 375}
_QR, _BARS = 150.0, (270.0, 72.0)
_SHORTEST = 1.25  # of its width: a card with nothing on it
_RADIUS = 12.0


class _Front:
    """One drawing; what is drawn is added from the top down."""

    def __init__(self, proof: Proof, card: float) -> None:
        self.proof, self.card, self.inks = proof, card, inks(proof.document)
        self.marks: list[Mark] = []
        self.says: list[str] = []
        self.cuts: list[Cut] = []
        self.y = 0.0

    def top(self) -> None:
        """Logo, the name beside it, header fields against the right edge."""
        self.says.append(str(self.proof.document.get("organizationName", "")))
        x = _PAD - 2
        if logo := self.proof.image("logo"):
            drawn = within(logo, _LOGO)
            self.marks.append(
                Image(x=x, y=(_TOP - drawn[1]) / 2, width=drawn[0], height=drawn[1], data=logo, whole=True)
            )
            x += drawn[0] + 8
        right, fields = self.card - _PAD, self.proof.fields("headerFields")
        share = (right - x) * (_HEADER_SHARE if "logoText" in self.proof.document else 1.0)
        found = columns(
            self._naturals(fields, _HEADER_VALUE), left=right - share, room=share, gap=_GAP, spread=False
        )
        for each, column in zip(fields, found, strict=True):
            self._field(each, "headerFields", column, 13.0, _HEADER_VALUE)
        if name := self.proof.said(self.proof.document.get("logoText", "")):
            room = (found[0].left - _GAP if found else right) - x
            self.marks.append(
                line(name, x=x, y=_TOP / 2 + 6, size=_NAME, ink=self.inks.words, room=room, weight="Medium")
            )
            self.says.append(name)
            self.cuts += judged(
                name, size=_NAME, room=room, weight="Medium", group="", key="logoText", part="value"
            )
        self.y = _TOP

    def strip(self) -> None:
        """The picture, and the primary field on it: the value above its label."""
        height = self.card * _STRIPS[self.proof.style]
        if picture := self.proof.image("strip"):
            self.marks.append(Image(x=0, y=self.y, width=self.card, height=height, data=picture))
        for each in self.proof.fields("primaryFields")[:1]:
            room = self.card - 2 * _PAD
            words, label = spelt(each, self.proof), self._label(each)
            size = max(
                min(_PRIMARY, _PRIMARY * room / max(width(words, _PRIMARY), 1)), _PRIMARY * _SMALLEST_PRIMARY
            )
            middle = self.y + height / 2 + (size * 0.36 if not label else size * 0.22)
            self.marks.append(line(words, x=_PAD, y=middle, size=size, ink=self.inks.words, room=room))
            self._judge(words, each, "primaryFields", "value", _PRIMARY * _SMALLEST_PRIMARY, room)
            if label:
                self.marks.append(
                    line(
                        label,
                        x=_PAD,
                        y=middle + 20,
                        size=_PRIMARY_LABEL,
                        ink=self.inks.words,
                        room=room,
                        weight="Medium",
                    )
                )
                self._judge(label, each, "primaryFields", "label", _PRIMARY_LABEL, room)
            self.says.append(f"{label}: {words}" if label else words)
        self.y += height

    def primary(self) -> None:
        """On a card without a strip: the label above its value, a thumbnail on the right."""
        right = self.card - _PAD
        if thumbnail := self.proof.image("thumbnail"):
            drawn = within(thumbnail, (90.0, 90.0))
            right -= drawn[0]
            self.marks.append(
                Image(
                    x=right,
                    y=self.y + 8,
                    width=drawn[0],
                    height=drawn[1],
                    data=thumbnail,
                    whole=True,
                    radius=4,
                )
            )
            right -= _GAP
        for each in self.proof.fields("primaryFields")[:1]:
            column = Column(_PAD, right - _PAD, right - _PAD, "start")
            self._field(each, "primaryFields", column, self.y + 10, 30.0)
        self.y += 100 if thumbnail else 70

    def row(self, *groups: str) -> None:
        """Fields side by side, the first at the left edge and the last at the right one."""
        fields = [(group, each) for group in groups for each in self.proof.fields(group)]
        if not fields:
            return
        naturals = self._naturals([each for _, each in fields], _VALUE)
        found = columns(naturals, left=_PAD, room=self.card - 2 * _PAD, gap=_GAP, spread=True)
        for (group, each), column in zip(fields, found, strict=True):
            right = each.get("textAlignment") == "PKTextAlignmentRight"
            self._field(each, group, replace(column, anchor="end") if right else column, self.y + 12, _VALUE)
        self.y += 58

    def code(self, least: float) -> None:
        """The code in its white box at the bottom."""
        entry = next(iter(self.proof.document.get("barcodes", ())), None)
        if entry is None:
            self.y = max(self.y + _PAD, least)
            return
        shape = barcode_shapes.shape(str(entry["format"]), str(entry["message"]))
        square = entry["format"] in barcode_shapes.SQUARE
        wide, high = (_QR, _QR) if square else _BARS
        wide = min(wide, self.card - 4 * _PAD)
        text = self.proof.said(entry.get("altText", ""))
        box = (wide + 20, high + 20 + (16 if text else 0))
        top = max(self.y + 18, least - box[1] - 22)
        left = (self.card - box[0]) / 2
        self.marks.append(Box(x=left, y=top, width=box[0], height=box[1], fill="#ffffff", radius=5))
        self.marks.append(
            Modules(
                x=left + 10,
                y=top + 10,
                width=wide,
                height=high,
                columns=shape.columns,
                rows=shape.rows,
                path=shape.path,
            )
        )
        if text:
            self.marks.append(
                line(
                    text,
                    x=self.card / 2,
                    y=top + high + 26,
                    size=13,
                    ink="#000000",
                    room=wide,
                    anchor="middle",
                )
            )
            self.says.append(text)
        self.y = top + box[1] + 22

    def picture(self) -> Picture:
        """All of it, on the card's ground."""
        ground = Box(x=0, y=0, width=self.card, height=self.y, fill=self.inks.ground, radius=_RADIUS)
        return Picture(
            width=self.card,
            height=self.y,
            marks=(ground, *self.marks),
            says=tuple(filter(None, self.says)),
            cuts=tuple(self.cuts),
        )

    def _label(self, field: Mapping[str, Any]) -> str:
        return self.proof.said(field.get("label", ""))

    def _naturals(self, fields: list[Mapping[str, Any]], size: float) -> list[float]:
        return [
            max(width(spelt(each, self.proof), size), width(self._label(each).upper(), _LABEL, "Medium"))
            for each in fields
        ]

    def _field(self, field: Mapping[str, Any], group: str, column: Column, top: float, size: float) -> None:
        """A label in capitals, as Wallet writes it, above its value."""
        words, label = spelt(field, self.proof), self._label(field)
        x = column.left + (column.width if column.anchor == "end" else 0)
        at: Any = {"x": x, "room": column.width, "anchor": column.anchor}
        self.marks.append(
            line(label.upper(), y=top + 9, size=_LABEL, ink=self.inks.label, weight="Medium", **at)
        )
        self.marks.append(line(words, y=top + 11 + size, size=size, ink=self.inks.words, **at))
        self._judge(label, field, group, "label", _LABEL, column.most)
        self._judge(words, field, group, "value", size, column.most)
        self.says.append(f"{label}: {words}" if label else words)

    def _judge(
        self,
        words: str,
        field: Mapping[str, Any],
        group: str,
        part: Literal["label", "value"],
        size: float,
        room: float,
    ) -> None:
        said = words.upper() if part == "label" and group != "primaryFields" else words
        weight: Weight = "Medium" if part == "label" else "Regular"
        key = str(field.get("key", ""))
        self.cuts += judged(said, size=size, room=room, weight=weight, group=group, key=key, part=part)


def draw_front(proof: Proof, device_width: float) -> Picture:
    """The card on a phone whose screen is so many points wide."""
    card = device_width - 2 * MARGIN
    front = _Front(proof, card)
    front.top()
    if proof.style in _STRIPS:
        front.strip()
    else:
        front.primary()
    if proof.style in ("storeCard", "coupon"):
        front.row("secondaryFields", "auxiliaryFields")
    else:
        front.row("secondaryFields")
        front.row("auxiliaryFields")
    front.code(card * _SHORTEST)
    return front.picture()
