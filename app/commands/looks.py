"""What ``perkpass doctor`` says of one thing that it looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "fault"]


@dataclass(frozen=True, slots=True)
class Look:
    """One thing that was looked at; ``words`` say what is, and for a fault what to do."""

    subject: str
    verdict: Verdict
    words: str
