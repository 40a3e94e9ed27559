"""What a print says, as its makers know it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from app.colours import Colour

Language = Literal["ru", "en"]
SpotKind = Literal["table", "till", "door", "poster", "other"]


@dataclass(frozen=True, slots=True)
class Words:
    """A brand's words in one language."""

    language: Language
    programme: str  # what the card is called
    promise: str  # one sentence: what the guest gets


@dataclass(frozen=True, slots=True)
class Spot:
    """Where in the venue it stands."""

    kind: SpotKind
    name: str  # "7"


@dataclass(frozen=True, slots=True, kw_only=True)
class Poster:
    """One print. Its words are drawn as they are: nothing in them is markup."""

    words: tuple[Words, ...]  # one language or two, the first one large
    brand: str
    venue: str
    address: str
    spot: Spot | None = None
    staff_member: str | None = None
    url: str  # what the code says; never changes, so that every print scans for ever
    ground: Colour
    ink: Colour
    label: Colour
    logo: bytes | None  # PNG
    version: str  # of the print: which design it shows, in which layout
    printed_on: date
