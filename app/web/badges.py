"""The wallets' own badges, where the operator has put the artwork: ``perkpass badge add``.

Apple's and Google's artwork may be used but not handed on, so none comes with this service, and the page
shows a plain button with the same words until the operator has fetched it. Their rules that it obeys (Apple,
"Add to Apple Wallet Guidelines"; Google, "Wallet brand guidelines"): the artwork as it is, in the page's
language and never translated; clear space of a tenth of its height (Google: 8 units) and more; on dark ground
the version with an outline; as tall as other buttons (Google: 48 units), one of a kind on a page.
"""

from __future__ import annotations

import hashlib
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import structlog

from app.errors import BadInput
from app.web.language import LANGUAGES, Language

Wallet = Literal["apple", "google"]
WALLETS: tuple[Wallet, ...] = ("apple", "google")
DIRECTORY = "badges"
"""Beneath the data directory."""
LARGEST = 24_000
"""Bytes: the whole page is to stay under 30 KB, and Apple's artwork has 12."""
HEIGHT = 48
"""Units: as tall as the page's other buttons, and what a thumb hits."""

_NAMESPACE = "{http://www.w3.org/2000/svg}"
_ACTIVE = re.compile(rb"<!ENTITY|<\s*script|<\s*foreignObject|\son\w+\s*=|javascript:", re.IGNORECASE)
_REFERENCE = re.compile(r"(?:^|[^\w-])url\(\s*['\"]?(?!#)|@import", re.IGNORECASE)
_NUMBER = re.compile(r"\s*([0-9]*\.?[0-9]+)\s*(?:px|pt|mm)?\s*")
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Artwork:
    """One file of artwork; ``width`` is in units, at :data:`HEIGHT`."""

    data: bytes
    width: int

    @property
    def address(self) -> str:
        """Another content has another address."""
        return f"/i/-/badge-{hashlib.sha256(self.data).hexdigest()[:12]}.svg"


@dataclass(frozen=True, slots=True)
class Badge:
    """What the page shows on light ground, and on dark."""

    light: Artwork
    dark: Artwork


class Badges:
    """The artwork in a directory, read once: ``apple-ru.svg``, and ``apple-ru-dark.svg`` for dark ground."""

    def __init__(self, directory: Path | None) -> None:
        """A file that cannot be used is told in the log, and is as if it were not there."""
        self._badges = dict(self._read(directory)) if directory is not None else {}
        artwork = [one for badge in self._badges.values() for one in (badge.light, badge.dark)]
        self._files = {one.address: one for one in artwork}

    def badge(self, wallet: Wallet, language: Language) -> Badge | None:
        """The badge in this language; None where there is no artwork, since nobody may translate it."""
        return self._badges.get((wallet, language))

    def file(self, address: str) -> bytes | None:
        """What lies at an address that :attr:`Artwork.address` gave."""
        found = self._files.get(address)
        return found.data if found else None

    @staticmethod
    def _read(directory: Path) -> Iterator[tuple[tuple[Wallet, Language], Badge]]:
        for wallet in WALLETS:
            for language in LANGUAGES:
                light, dark = (
                    _artwork(path_of(directory, wallet, language, dark=ground)) for ground in (False, True)
                )
                if light:
                    yield (wallet, language), Badge(light, dark or light)


def path_of(directory: Path, wallet: Wallet, language: Language, *, dark: bool = False) -> Path:
    """Where the artwork lies."""
    return directory / f"{wallet}-{language}{'-dark' if dark else ''}.svg"


def checked_artwork(data: bytes) -> Artwork:
    """The artwork, if it is an SVG picture and nothing else; raises :class:`BadInput`."""
    if len(data) > LARGEST:
        raise BadInput(
            "badge-too-large",
            f"The file has {len(data)} bytes, more than {LARGEST}: take the SVG for the web, not for print",
        )
    try:
        root = ET.fromstring(data)  # noqa: S314 - small, and without entities
    except ET.ParseError:
        root = None
    if root is None or root.tag not in (f"{_NAMESPACE}svg", "svg"):
        raise BadInput(
            "not-svg", "The file is no SVG picture: take the SVG artwork as the wallet's maker gives it"
        )
    if _ACTIVE.search(data) or any(_reaches_out(element) for element in root.iter()):
        raise BadInput(
            "badge-not-plain", "The picture holds scripts or asks for other files: it is not the artwork"
        )
    ratio = _ratio(root)
    if ratio is None or not 1 <= ratio <= 12:
        raise BadInput("badge-without-size", "The picture does not say how wide it is for its height")
    return Artwork(data, round(HEIGHT * ratio))


def _artwork(path: Path) -> Artwork | None:
    try:
        return checked_artwork(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, BadInput) as fault:
        log.error("badge_unusable", file=str(path), fault=str(fault))  # noqa: TRY400
        return None


def _reaches_out(element: ET.Element) -> bool:
    words = [element.text or "", *(v for k, v in element.attrib.items() if not k.endswith("href"))]
    links = [value for key, value in element.attrib.items() if key.rpartition("}")[2] == "href"]
    return any(_REFERENCE.search(each) for each in words) or any(
        not link.startswith(("#", "data:image/")) for link in links
    )


def _ratio(root: ET.Element) -> float | None:
    box = root.get("viewBox", "").replace(",", " ").split()
    try:
        width, height = (float(box[2]), float(box[3])) if len(box) == 4 else _sizes(root)
    except ValueError:
        return None
    return width / height if height > 0 else None


def _sizes(root: ET.Element) -> tuple[float, float]:
    found = [_NUMBER.fullmatch(root.get(name, "")) for name in ("width", "height")]
    width, height = (float(each[1]) if each else 0.0 for each in found)
    return width, height
