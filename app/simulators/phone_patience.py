"""How iOS loses its patience with a pass type that pushes too often, per phone.

The score and the delays are what is known of iOS; the four thresholds are not, so they are settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Mood = Literal["calm", "mild", "moderate", "severe", "cut-off"]
DELAYS: dict[Mood, float] = {"calm": 0, "mild": 120, "moderate": 600, "severe": 3600, "cut-off": 0}
"""Seconds that must lie between two list calls."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The score above which each mood begins."""

    mild: float = 3.0
    moderate: float = 6.0
    severe: float = 9.0
    cut_off: float = 12.0


@dataclass(slots=True)
class Patience:
    """The state of one pass type on one phone. Times are seconds of the phone's own clock."""

    thresholds: Thresholds
    score: float = 0.0
    last_push: float | None = None
    last_list: float | None = None

    def push(self, now: float, passes: int) -> Mood:
        """A push came while the phone holds ``passes`` of the type: the mood it leaves behind."""
        if self.last_push is not None:
            zero = max(1800.0, 7200.0 / max(passes, 1))
            distance = (zero - (now - self.last_push)) / zero
            self.score = max(0.0, self.score + (distance**3 if distance > 0 else distance))
        self.last_push = now
        return self.mood

    @property
    def mood(self) -> Mood:
        """How the phone feels about the next push."""
        limits = self.thresholds
        steps: tuple[tuple[float, Mood], ...] = (
            (limits.cut_off, "cut-off"),
            (limits.severe, "severe"),
            (limits.moderate, "moderate"),
            (limits.mild, "mild"),
        )
        return next((mood for limit, mood in steps if self.score > limit), "calm")

    def wait(self, now: float) -> float:
        """Seconds until the phone will ask what changed."""
        if self.last_list is None:
            return 0.0
        return max(0.0, self.last_list + DELAYS[self.mood] - now)
