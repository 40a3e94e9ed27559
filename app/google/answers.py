"""What Google answered, as a value: its own words, and one verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """What an answer means, in one word."""

    ACCEPTED = "accepted"  # done; nothing is known of anybody having seen it
    EXISTS = "exists"  # 409 to an insert: patch it instead
    MISSING = "missing"  # 404: no such object, or, to the insert of one, no such class
    QUOTA = "quota"  # the notifications of a day are used up: without one it would be taken
    RETRY = "retry"  # nothing was done: later
    DENIED = "denied"  # nothing of this account: key, permission, sign-in; tell the operator
    REFUSED = "refused"  # this body never
    LOST = "lost"  # nobody knows whether it was done


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to one call. ``body`` has its enums in UPPER_SNAKE, whatever casing Google chose."""

    verdict: Verdict
    status: int | None = None  # None: there was no answer
    reason: str = ""  # Google's own code, or ours in small letters with hyphens
    words: str = ""  # Google's own sentence, at most 500 characters
    body: Mapping[str, Any] | None = None
    retry_after: timedelta | None = None

    @property
    def resource(self) -> Mapping[str, Any] | None:
        """The class or object itself: ``addMessage`` wraps it."""
        if self.body is not None and isinstance(wrapped := self.body.get("resource"), dict):
            return wrapped
        return self.body

    @property
    def has_users(self) -> bool | None:
        """Whether anybody holds the card; None where Google left it out, as it was seen to do for false."""
        known = (self.resource or {}).get("hasUsers")
        return known if isinstance(known, bool) else None
