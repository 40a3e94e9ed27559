"""The rate that Google allows: 20 calls a second, those within a batch counted one by one."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

_ROUNDING = 1e-4  # of UNIX seconds as floats, times a rate


@dataclass(slots=True)
class Bucket:
    """A token bucket a project; it holds what one second fills."""

    refused: int = 0
    _level: dict[str, tuple[float, float]] = field(default_factory=dict)  # project → tokens, since when
    _taken: deque[float] = field(default_factory=lambda: deque(maxlen=200_000))

    def take(self, project: str, now: float, rate: float | None) -> bool:
        """One call at UNIX second ``now``; False: too fast."""
        if rate is not None:
            level, since = self._level.get(project, (rate, now))
            level = min(rate, level + (now - since) * rate)
            if level < 1 - _ROUNDING:
                self._level[project] = (level, now)
                self.refused += 1
                return False
            self._level[project] = (level - 1, now)
        self._taken.append(now)
        return True

    def busiest_second(self) -> int:
        """How many calls were let through in the fullest second so far."""
        window: deque[float] = deque()
        most = 0
        for at in self._taken:
            window.append(at)
            while window[0] <= at - 1:
                window.popleft()
            most = max(most, len(window))
        return most
