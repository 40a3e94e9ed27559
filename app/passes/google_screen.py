"""The card as Google Wallet shows it, drawn from the very bodies that would be sent; Google decides the rest.

Under the card what is behind it: messages, texts, links. Letters are of our own font, so that nothing here
says whether words have room on a phone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from app.colours import parse_colour
from app.passes import barcode_shapes
from app.passes.content import Language
from app.passes.drawing import Box, Image, Mark, Modules, Picture, line
from app.passes.lettering import wrap

Body = Mapping[str, Any]
_PAD: Final = 16.0
_LOGO: Final = 40.0
_QR: Final = 150.0
_BARS: Final = (220.0, 74.0)
_HERO: Final = 336 / 1032
_GROUNDS: Final = {"light": ("#ffffff", "#1f1f1f", "#5f6368"), "dark": ("#131314", "#e3e3e3", "#9aa0a6")}
_FORMATS: Final = {
    "QR_CODE": "PKBarcodeFormatQR", "AZTEC": "PKBarcodeFormatAztec",
    "PDF_417": "PKBarcodeFormatPDF417", "CODE_128": "PKBarcodeFormatCode128",
}  # fmt: skip


def draw_google(
    card: Body, common: Body, images: Mapping[str, bytes], *, width: float, theme: str, reader: Language
) -> Picture:
    """``card`` is an object with its messages, ``common`` its class; ``images`` by their addresses."""
    return _Sheet(card, common, images, width, theme, reader).drawn()


class _Sheet:
    def __init__(
        self,
        card: Body,
        common: Body,
        images: Mapping[str, bytes],
        width: float,
        theme: str,
        reader: Language,
    ) -> None:
        self.card, self.common, self.images, self.reader = card, common, images, reader
        self.width, self.room = width, width - 4 * _PAD
        self.ground, self.ink, self.quiet = _GROUNDS[theme]
        self.marks: list[Mark] = []
        self.says: list[str] = []

    def drawn(self) -> Picture:
        """Card, then what is behind it."""
        bottom = self._front()
        front = self.marks
        colour = str(self.common.get("hexBackgroundColor", "#ffffff"))
        self.marks = []
        end = self._behind(bottom + 24)
        ground = Box(x=0, y=0, width=self.width, height=end, fill=self.ground)
        sheet = Box(x=_PAD, y=_PAD, width=self.width - 2 * _PAD, height=bottom - _PAD, fill=colour, radius=20)
        return Picture(
            width=self.width, height=end, marks=(ground, sheet, *front, *self.marks), says=tuple(self.says)
        )

    def _front(self) -> float:
        """Draw it; returns where it ends."""
        ink = _readable(str(self.common.get("hexBackgroundColor", "#ffffff")))
        left, y = 2 * _PAD, 2 * _PAD
        if logo := self._image(self.common.get("programLogo")):
            self.marks.append(Image(x=left, y=y, width=_LOGO, height=_LOGO, data=logo, radius=_LOGO / 2))
        self._line(self._said(self.common, "issuerName"), left + _LOGO + 12, y + 26, 15, ink, self.room - 60)
        y += _LOGO + 36
        self._line(self._said(self.common, "programName"), left, y, 22, ink, self.room, weight="Medium")
        y += 20
        for row in self._rows():
            each = self.room / len(row)
            for place, (label, value) in enumerate(row):
                x = left + place * each
                self._line(label, x, y + 16, 12, ink, each - 10)
                self._line(value, x, y + 36, 17, ink, each - 10)
            y += 52
        y = self._code(y + 8)
        if hero := self._image(self.card.get("heroImage") or self.common.get("heroImage")):
            wide = self.width - 2 * _PAD
            self.marks.append(Image(x=_PAD, y=y, width=wide, height=wide * _HERO, data=hero))
            y += wide * _HERO
        return y + 12

    def _code(self, y: float) -> float:
        code = self.card.get("barcode")
        if not code:
            return y
        kind = _FORMATS.get(str(code["type"]), "PKBarcodeFormatCode128")
        shape = barcode_shapes.shape(kind, str(code["value"]))
        wide, high = (_QR, _QR) if kind in barcode_shapes.SQUARE else _BARS
        x = (self.width - wide) / 2
        box = Box(x=x - 14, y=y, width=wide + 28, height=high + 44, fill="#ffffff", radius=12)
        black = Modules(
            x=x, y=y + 14, width=wide, height=high, columns=shape.columns, rows=shape.rows, path=shape.path
        )
        self.marks += [box, black]
        said = str(code.get("alternateText", ""))
        self.marks.append(
            line(said, x=self.width / 2, y=y + high + 34, size=12, ink="#1f1f1f", room=wide, anchor="middle")
        )
        self.says.append(said)
        return y + high + 60

    def _behind(self, y: float) -> float:
        """Draw what is under the card; returns where the whole ends."""
        for message in self.card.get("messages") or ():
            y = self._text(self._said(message, "header"), self._said(message, "body"), y)
        for owner in (self.card, self.common):
            for module in owner.get("textModulesData") or ():
                y = self._text(self._said(module, "header"), self._said(module, "body"), y)
        for owner in (self.card, self.common):
            for link in (owner.get("linksModuleData") or {}).get("uris", ()):
                self._line(self._said(link, "description"), 2 * _PAD, y + 14, 15, "#1a73e8", self.room)
                y += 34
        return y + _PAD

    def _text(self, header: str, body: str, y: float) -> float:
        self._line(header, 2 * _PAD, y + 12, 13, self.quiet, self.room)
        y += 34
        for words in wrap(body, 15, self.room):
            self.marks.append(line(words, x=2 * _PAD, y=y, size=15, ink=self.ink, room=self.room))
            y += 21
        self.says.append(body)
        return y + 14

    def _rows(self) -> Iterator[list[tuple[str, str]]]:
        """What the front says, as ``classTemplateInfo`` orders it; a row without words is left out."""
        override = (self.common.get("classTemplateInfo") or {}).get("cardTemplateOverride") or {}
        for row in override.get("cardRowTemplateInfos", ()):
            [items] = row.values()
            paths = [
                items[place]["firstValue"]["fields"][0]["fieldPath"]
                for place in ("item", "startItem", "middleItem", "endItem")
                if place in items
            ]
            if told := [found for path in paths if (found := self._field(path))]:
                yield told

    def _field(self, path: str) -> tuple[str, str] | None:
        """The label and the value that a ``fieldPath`` leads to."""
        owner_name, _, field = path.partition(".")
        owner = self.card if owner_name == "object" else self.common
        name, _, rest = field.partition("['")
        if rest:
            key = rest.removesuffix("']")
            module = next((each for each in owner.get(name) or () if each["id"] == key), None)
            return (self._said(module, "header"), self._said(module, "body")) if module else None
        name = field.partition(".")[0]
        if isinstance(points := owner.get(name), Mapping):
            return self._said(points, "label"), str(points["balance"]["string"])
        value = self._said(owner, name)
        return (self._said(self.common, f"{name}Label"), value) if value else None

    def _said(self, owner: Body, field: str) -> str:
        """The words in the reader's language, as a phone chooses them."""
        told = owner.get(f"localized{field[0].upper()}{field[1:]}")
        if told:
            choices: Sequence[Body] = [told["defaultValue"], *told.get("translatedValues", ())]
            for choice in choices:
                if choice["language"].startswith(self.reader):
                    return str(choice["value"])
        return str(owner.get(field, ""))

    def _image(self, image: Body | None) -> bytes | None:
        return self.images.get(image["sourceUri"]["uri"]) if image else None

    def _line(
        self, words: str, x: float, y: float, size: float, ink: str, room: float, *, weight: Any = "Regular"
    ) -> None:
        if words:
            self.marks.append(line(words, x=x, y=y, size=size, ink=ink, room=room, weight=weight))
            self.says.append(words)


def _readable(colour: str) -> str:
    """White or black, as Google sets letters on a colour."""
    red, green, blue = parse_colour(f"#{colour.removeprefix('#')}") or (255, 255, 255)
    return "#ffffff" if 0.299 * red + 0.587 * green + 0.114 * blue < 150 else "#1f1f1f"
