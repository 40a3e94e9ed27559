"""Logins and accounts that nothing leaves by: password, money, a blocked address; a key that is no user's.

The same breaker table as for pass types, under ``sms:LOGIN`` and ``google:ISSUER/BRAND``. Nothing is refused
meanwhile: what is promised waits, one is sent as a probe once a minute, and the first that is answered for
closes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.db import Tx
from app.db.identifiers import BrandId, GoogleIssuerId
from app.delivery import store_breakers
from app.delivery.breaker import LOOK_AGAIN_AFTER, PROBE_AFTER
from app.delivery.store_breakers import Breaker

PROBE_SIZE: Final = 1
"""Unlike a phone's token a guest's number or card says nothing about us: one answer is enough."""

__all__ = [
    "GOOGLE",
    "PREFIX",
    "PROBE_AFTER",
    "PROBE_SIZE",
    "SMS",
    "Stops",
    "all_stopped",
    "give_back_probe",
    "stop",
    "subject_of",
    "take_probe",
    "works",
    "writer",
]


@dataclass(frozen=True, slots=True)
class Stops:
    """The breakers of one channel; ``name`` is a login's, an issuer's, or of :func:`writer`."""

    prefix: str  # "sms:"

    def subject_of(self, name: str) -> str:
        """The key of its breaker, and of its pace."""
        return self.prefix + name

    def all_stopped(self, tx: Tx) -> Mapping[str, Breaker]:
        """Every stopped one, by its name."""
        return {
            row.subject.removeprefix(self.prefix): row
            for row in store_breakers.all_open(tx)
            if row.subject.startswith(self.prefix)
        }

    def stop(self, tx: Tx, name: str, *, reason: str, now: datetime) -> bool:
        """Stop it; True where it was not until now (then somebody must be told)."""
        return store_breakers.add(tx, Breaker(self.subject_of(name), now, now + PROBE_AFTER, reason))

    def take_probe(self, tx: Tx, name: str, *, now: datetime) -> bool:
        """True where a probe is due and is ours; no other worker gets it for a minute."""
        return store_breakers.postpone(tx, self.subject_of(name), now=now, probe_at=now + PROBE_AFTER)

    def give_back_probe(self, tx: Tx, name: str, *, now: datetime) -> None:
        """Nothing was there to probe with: a probe taken in this transaction is due again in a moment."""
        taken_until: datetime = now + PROBE_AFTER
        again: timedelta = LOOK_AGAIN_AFTER
        store_breakers.postpone(tx, self.subject_of(name), now=taken_until, probe_at=now + again)

    def works(self, tx: Tx, name: str) -> bool:
        """A probe was let in; True where it was stopped."""
        return store_breakers.remove(tx, self.subject_of(name))


def writer(issuer_id: GoogleIssuerId, brand_id: BrandId) -> str:
    """What a brand's account at an issuer is called: who is let in nowhere stops no other brand of it."""
    return f"{issuer_id}/{brand_id}"


SMS: Final = Stops("sms:")
GOOGLE: Final = Stops("google:")

PREFIX: Final = SMS.prefix
subject_of, all_stopped, stop = SMS.subject_of, SMS.all_stopped, SMS.stop
take_probe, give_back_probe, works = SMS.take_probe, SMS.give_back_probe, SMS.works
