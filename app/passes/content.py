"""What a pass says now, and who it is: the values that the rooms above hand down.

A bundle is a pure function of (:class:`PassContent`, the pass's design version, :class:`PassIdentity`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from app.db.identifiers import CardCode, PassTypeIdentifier, SerialNumber

Language = Literal["ru", "en"]
MOST_LOCATIONS = 10  # Apple, "Pass", key `locations`
MOST_MESSAGES = 5  # the last ones stay on the back
MOST_OFFERS = 10  # more would fill the back with nothing else


@dataclass(frozen=True, slots=True)
class LocalizedText:
    """The same words in both languages; the phone's own language decides which is shown."""

    ru: str
    en: str

    def in_language(self, language: Language) -> str:
        """The words in ``language``."""
        return self.ru if language == "ru" else self.en

    def to_json(self) -> dict[str, str]:
        """Both, by language."""
        return {"ru": self.ru, "en": self.en}


@dataclass(frozen=True, slots=True)
class Message:
    """One line that the card says to its holder."""

    text: LocalizedText
    at: datetime  # aware, UTC
    announcement: str  # identifies what is announced: "receipt:17"
    version: int = 0  # of the pass, which said it first; 0: before that was counted
    until: datetime | None = None  # how long it keeps its place unseen; None: as long as is usual
    told: Mapping[str, Any] | None = None  # by which whoever says it combines it with the next

    def to_json(self) -> dict[str, Any]:
        """For the database; what is not there takes no room."""
        document: dict[str, Any] = {
            "text": self.text.to_json(),
            "at": self.at.isoformat(),
            "announcement": self.announcement,
        }
        if self.version:
            document["version"] = self.version
        if self.until:
            document["until"] = self.until.isoformat()
        if self.told is not None:
            document["told"] = dict(self.told)
        return document

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Message:
        """The inverse of :meth:`to_json`."""
        until = document.get("until")
        return cls(
            text=LocalizedText(**document["text"]),
            at=datetime.fromisoformat(document["at"]),
            announcement=document["announcement"],
            version=document.get("version", 0),
            until=datetime.fromisoformat(until) if until else None,
            told=document.get("told"),
        )


@dataclass(frozen=True, slots=True)
class CardOffer:
    """What the card says of an offer that its guest may redeem."""

    code: str  # by which a till knows it
    name: LocalizedText
    terms: LocalizedText  # may be empty
    until: datetime | None  # aware; the first moment at which it is over

    def to_json(self) -> dict[str, Any]:
        """For the database."""
        return {
            "code": self.code,
            "name": self.name.to_json(),
            "terms": self.terms.to_json(),
            "until": self.until and self.until.isoformat(),
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> CardOffer:
        """The inverse of :meth:`to_json`."""
        until = document["until"]
        return cls(
            code=document["code"],
            name=LocalizedText(**document["name"]),
            terms=LocalizedText(**document["terms"]),
            until=datetime.fromisoformat(until) if until else None,
        )


@dataclass(frozen=True, slots=True)
class Location:
    """A place near which iOS may suggest the card (at most ten on a pass)."""

    latitude: float
    longitude: float
    relevant_text: LocalizedText | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PassContent:
    """Everything on a card that can differ from one guest to the next."""

    language: Language  # the holder's; the other one goes into pass.strings
    card_code: CardCode  # ASCII: the barcode's message
    member_name: str | None
    balance: int  # points in hundredths
    tier: LocalizedText | None
    stamps: int
    messages: tuple[Message, ...] = ()  # newest first, at most five; the first is `latest_message`
    locations: tuple[Location, ...] = ()
    voided: bool = False
    blocked: bool = False  # by the brand: shown as void and without its code, until it is unblocked
    offers: tuple[CardOffer, ...] = ()  # that which ends first comes first

    def to_json(self) -> dict[str, Any]:
        """For the ``wallet_pass.content`` column; equal contents give equal JSON.

        Spelt out: ``dataclasses.asdict`` takes ten times as long, and a campaign does this for everyone.
        """
        document = {
            "language": self.language,
            "card_code": self.card_code,
            "member_name": self.member_name,
            "balance": self.balance,
            "tier": self.tier and self.tier.to_json(),
            "stamps": self.stamps,
            "messages": [message.to_json() for message in self.messages],
            "locations": [
                {
                    "latitude": place.latitude,
                    "longitude": place.longitude,
                    "relevant_text": place.relevant_text and place.relevant_text.to_json(),
                }
                for place in self.locations
            ],
            "voided": self.voided,
        }
        if self.blocked:  # of few: it takes no room in the others
            document["blocked"] = True
        if self.offers:
            document["offers"] = [offer.to_json() for offer in self.offers]
        return document

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> PassContent:
        """The inverse of :meth:`to_json`."""
        return cls(
            language=document["language"],
            card_code=CardCode(document["card_code"]),
            member_name=document["member_name"],
            balance=document["balance"],
            tier=LocalizedText(**document["tier"]) if document["tier"] else None,
            stamps=document["stamps"],
            messages=tuple(Message.from_json(message) for message in document["messages"]),
            locations=tuple(
                Location(
                    place["latitude"],
                    place["longitude"],
                    LocalizedText(**place["relevant_text"]) if place["relevant_text"] else None,
                )
                for place in document["locations"]
            ),
            voided=document["voided"],
            blocked=document.get("blocked", False),
            offers=tuple(CardOffer.from_json(offer) for offer in document.get("offers", ())),
        )


@dataclass(frozen=True, slots=True)
class PassIdentity:
    """What never changes on a living pass."""

    pass_type_identifier: PassTypeIdentifier
    serial_number: SerialNumber
    authentication_token: str
    withdrawal_url: str = ""  # where the holder ends their consent to advertising
