"""What every bell can do."""

from __future__ import annotations

from typing import Protocol


class Wakeup(Protocol):
    """Rung after a commit; waited on by a worker that has nothing to do."""

    def ring(self) -> None:
        """Tell a worker that something is due. Never raises, and never blocks for long."""

    def wait(self, timeout: float) -> bool:
        """Sleep until somebody rings, at most ``timeout`` seconds; True where somebody did. Never raises."""

    def close(self) -> None:
        """Give back what the bell holds."""
