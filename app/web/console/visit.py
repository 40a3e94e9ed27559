"""Who asks for a page of the console, of which brand, and what they may do there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app.accounts.brands import Brand
from app.accounts.roles import Permission
from app.accounts.sessions import Session
from app.accounts.users import Access, User
from app.errors import Refused
from app.places.venues import Venue
from app.web.language import Language
from app.web.services import Services

Need = Permission | Literal["anyone", "signed-in", "operator"]
"""Beside what a role in the brand allows: nothing, being signed in, running the installation."""


class SignInFirst(Exception):
    """Nobody knows who asks."""


class NotAllowed(Refused):
    """They are known, and their role does not allow it."""

    def __init__(self) -> None:
        super().__init__("not-allowed", "Your role does not allow this")


@dataclass(frozen=True, slots=True)
class Found:
    """What an address led to."""

    brand: Brand
    access: Access
    venue: Venue | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request, admitted. Asking for what its route has not (a brand, say) is a fault of the code."""

    services: Services
    now: datetime
    language: Language
    signed_in: tuple[Session, User] | None
    found: Found | None

    @property
    def user(self) -> User:
        """Who asks."""
        return self._known()[1]

    @property
    def session(self) -> Session:
        """By which session."""
        return self._known()[0]

    @property
    def actor(self) -> str:
        """How the audit log calls them."""
        return self.user.actor

    @property
    def brand(self) -> Brand:
        """The brand in the address, which they have a role in."""
        return self._place().brand

    @property
    def access(self) -> Access:
        """Their role there."""
        return self._place().access

    @property
    def venue(self) -> Venue:
        """The venue in the address: the brand's, and one that they may see."""
        venue = self._place().venue
        if venue is None:
            raise RuntimeError("this route has no <venue>")
        return venue

    @property
    def zone(self) -> str:
        """The time zone to spell moments in: the venue's, else the brand's, else none in particular."""
        if self.found is None:
            return "UTC"
        return self.found.venue.time_zone if self.found.venue else self.found.brand.time_zone

    def may(self, need: Need) -> bool:
        """Whether they could do what needs this, here."""
        if need == "anyone":
            return True
        if need == "signed-in":
            return self.signed_in is not None
        if need == "operator":
            return self.signed_in is not None and self.user.operator
        return self.found is not None and self.access.may(need)

    def _known(self) -> tuple[Session, User]:
        if self.signed_in is None:
            raise RuntimeError("this route is for anyone")
        return self.signed_in

    def _place(self) -> Found:
        if self.found is None:
            raise RuntimeError("this route has no <brand>")
        return self.found
