"""What is said of one thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "fault"]


@dataclass(frozen=True, slots=True)
class Look:
    """One thing that was looked at; ``words`` say what is, and for a fault what to do.

    ``subject`` and ``words`` are :class:`app.sentences.Sentence` where our own words; ``brand`` is the slug
    of the brand that it concerns, None for the installation.
    """

    subject: str
    verdict: Verdict
    words: str
    brand: str | None = None
