"""Google's root keys, fetched at most once a while and kept while Google is away.

A signature that fails never makes us fetch: otherwise everybody could make us ask Google by posting rubbish.
The keys live as long as ``Cache-Control`` says, within bounds; Google has kept the same root for a year and
more.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from app.google import callback_roots
from app.google.callback_roots import RootKey
from app.outward import OutcomeUnknown, Reply, Unreachable, exchange_now, seconds

URL: Final = "https://pay.google.com/gp/m/issuer/keys"
SHORTEST: Final = timedelta(minutes=10)
LONGEST: Final = timedelta(days=1)
_AGAIN: Final = timedelta(minutes=1)
"""After a fetch that failed."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_AGE: Final = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?([0-9]{1,9})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys at hand; ``fault`` is why the last fetch failed."""

    roots: tuple[RootKey, ...]
    fetched_at: datetime | None
    fault: str | None


class CallbackKeys:
    """The cache of a process, for any number of threads."""

    def __init__(
        self,
        *,
        url: str = URL,
        ca: Path | None = None,
        within: float = 5.0,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        """``within``: seconds for a fetch. ``tell`` hears why one failed."""
        self._url, self._ca, self._within, self._tell = url, ca, within, tell
        self._keys = Keys((), None, None)
        self._fetch_at: datetime | None = None
        self._fetching = threading.Lock()

    @property
    def at_hand(self) -> Keys:
        """What is known without asking anybody."""
        return self._keys

    def roots(self, now: datetime) -> tuple[RootKey, ...]:
        """The keys to verify with at ``now`` (aware), fetched where too old; empty where none are known.

        One thread fetches; the others go on with the keys at hand, or wait where there are none.
        """
        if self._due(now) and self._fetching.acquire(timeout=0 if self._keys.roots else self._within):
            try:
                if self._due(now):  # not where the thread that we waited for has just asked
                    self._fetch(now)
            finally:
                self._fetching.release()
        return self._keys.roots

    def _due(self, now: datetime) -> bool:
        return self._fetch_at is None or now >= self._fetch_at

    def _fetch(self, now: datetime) -> None:
        try:
            reply = exchange_now("GET", self._url, ca=self._ca, within=self._within)
        except (Unreachable, OutcomeUnknown, OSError) as failure:
            self._keep(now, str(failure))
            return
        roots = callback_roots.parse(reply.content) if reply.status == 200 else ()
        if roots:
            self._keys = Keys(roots, now, None)
            self._fetch_at = now + _life(reply, roots, now)
        else:
            self._keep(now, f"the answer {reply.status} holds no key of {callback_roots.PROTOCOL}")

    def _keep(self, now: datetime, fault: str) -> None:
        self._keys = replace(self._keys, fault=fault)
        self._fetch_at = now + _AGAIN
        self._tell(fault)


def _life(reply: Reply, roots: tuple[RootKey, ...], now: datetime) -> timedelta:
    """How long the document may be used from ``now`` on (RFC 9111 4.2), within our bounds.

    Where a key ends before that, its successor is looked for by then.
    """
    lives = [LONGEST]
    lives += [
        timedelta(milliseconds=root.expires_at) - (now - _EPOCH)
        for root in roots
        if root.expires_at is not None
    ]
    if said := _MAX_AGE.search(reply.headers.get("cache-control", "")):
        lives.append(timedelta(seconds=int(said[1])) - (seconds(reply.headers.get("age")) or timedelta()))
    else:
        lives.append(SHORTEST)
    return max(min(lives), SHORTEST)
