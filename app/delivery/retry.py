"""When a promise is tried again: a schedule that is data, spread out by chance. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

SCHEDULE: Final = tuple(
    timedelta(seconds=seconds)
    for seconds in (2, 10, 30, 120, 600, 1800, 3600, 7200, 14400, 28800, 28800)
)  # fmt: skip
"""The wait after the first, second, … attempt: about a day altogether."""

MOST_ATTEMPTS: Final = len(SCHEDULE) + 1
LONGEST_RETRY_AFTER: Final = timedelta(hours=6)
"""A provider that asks for more is asked again all the same."""


def delay(attempts: int, *, retry_after: timedelta | None, chance: float) -> timedelta | None:
    """The wait after ``attempts`` attempts; None where there were enough of them.

    ``chance`` in [0, 1) stretches the wait by up to a quarter, so that a batch that failed together does not
    come back together. The provider's ``retry_after`` is a floor.
    """
    if attempts >= MOST_ATTEMPTS:
        return None
    wait = SCHEDULE[max(0, attempts - 1)]
    if retry_after is not None:
        wait = max(wait, min(retry_after, LONGEST_RETRY_AFTER))
    return wait * (1 + chance / 4)
