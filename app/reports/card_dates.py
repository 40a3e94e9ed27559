"""When the newest version of a card was made, which is written down nowhere as such.

A pass's own date is in whole seconds, and each version gets one of its own: changes within one second push it
ahead of the clock, a second each. So what changed the card is gone through as the dates were given.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

_SECOND = timedelta(seconds=1)
_AHEAD = timedelta(seconds=3)
"""So far ahead of the clock a date is taken to be where nothing tells; four changes within a second."""


def made_at(
    last_modified: datetime,
    *,
    causes: Iterable[datetime],
    promised: Iterable[datetime],
    settled: Iterable[datetime],
    seen: Iterable[datetime],
    now: datetime,
) -> datetime:
    """The moment at which the version with the date ``last_modified`` was made, as near as can be told.

    ``causes`` are what may have changed the card; ``promised`` and ``settled`` the pushes to phones that hold
    it, ``seen`` when phones were seen with this version. Where no cause explains the date, a design was
    moved: the promise of its push tells when, else the date itself. It is never after a phone was seen with
    the version, nor after ``now``.
    """
    known = sorted(set(causes))
    made = _explained(last_modified, known) or _explained(last_modified, sorted({*known, *promised}))
    if made is None:
        ahead = [at for at in settled if last_modified - _AHEAD <= at < last_modified]
        made = min([last_modified, *ahead])
    return min([made, *seen, now])


def _explained(last_modified: datetime, changes: Sequence[datetime]) -> datetime | None:
    """The change that was given this date, if each of ``changes`` made a version; of several, the last."""
    given: datetime | None = None
    found = None
    for at in changes:
        whole = at.replace(microsecond=0)
        given = whole if given is None else max(whole, given + _SECOND)
        if given == last_modified:
            found = at
    if found is None:  # one of them changed nothing on the card
        found = max((at for at in changes if last_modified <= at < last_modified + _SECOND), default=None)
    return found
