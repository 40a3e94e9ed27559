"""Prints that were asked for lately, in bounded memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock

MOST_KEPT = 64  # a code has thirty: five sizes, three languages, two forms
MOST_BYTES = 16 * 2**20


class KeptPrints:
    """What was asked for last stays; safe to share between threads."""

    def __init__(self, *, most: int = MOST_KEPT, most_bytes: int = MOST_BYTES) -> None:
        """At most ``most`` prints of ``most_bytes`` in all."""
        self._most, self._most_bytes, self._bytes = most, most_bytes, 0
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()
        self._lock = Lock()

    def get(self, wanted: Hashable) -> bytes | None:
        """The print, which is thereby the last that was asked for; None where it is not kept."""
        with self._lock:
            if (found := self._kept.get(wanted)) is not None:
                self._kept.move_to_end(wanted)
            return found

    def keep(self, wanted: Hashable, print_: bytes) -> None:
        """One more, in place of those that nobody asked for longest."""
        with self._lock:
            self._bytes += len(print_) - len(self._kept.pop(wanted, b""))
            self._kept[wanted] = print_
            while len(self._kept) > self._most or self._bytes > self._most_bytes:
                self._bytes -= len(self._kept.popitem(last=False)[1])
