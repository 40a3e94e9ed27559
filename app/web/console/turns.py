"""Work that takes a processor for seconds: one at a time, the other threads serve guests and tills."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import BoundedSemaphore, Lock

from app.errors import TooMany

_PATIENCE = 10.0  # seconds
_COME_BACK = timedelta(seconds=15)


class Turns:
    """One at work, one other waits for it; whoever else comes is asked to come back."""

    def __init__(self, code: str, busy: str) -> None:
        """``busy`` is what they are told."""
        self._code, self._busy = code, busy
        self._at_work, self._here = Lock(), BoundedSemaphore(2)

    @contextmanager
    def mine(self) -> Iterator[None]:
        """Hold the turn; raises :class:`TooMany` where two are here already, or one takes too long."""
        busy = TooMany(self._code, self._busy, retry_after=_COME_BACK)
        if not self._here.acquire(blocking=False):
            raise busy
        try:
            if not self._at_work.acquire(timeout=_PATIENCE):
                raise busy
            try:
                yield
            finally:
                self._at_work.release()
        finally:
            self._here.release()
