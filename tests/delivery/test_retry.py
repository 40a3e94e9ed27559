"""The schedule of retries: growing, bounded, spread out, and never before the provider said."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.delivery import retry


def test_the_schedule_grows_to_about_a_day() -> None:
    assert list(retry.SCHEDULE) == sorted(retry.SCHEDULE)
    assert timedelta(hours=20) < sum(retry.SCHEDULE, timedelta()) < timedelta(hours=30)


def test_attempts_end() -> None:
    assert retry.delay(retry.MOST_ATTEMPTS, retry_after=None, chance=0) is None
    assert retry.delay(retry.MOST_ATTEMPTS - 1, retry_after=None, chance=0) == retry.SCHEDULE[-1]


@given(
    st.integers(0, retry.MOST_ATTEMPTS - 1),
    st.none() | st.timedeltas(timedelta(0), timedelta(days=2)),
    st.floats(0, 1, exclude_max=True),
)
def test_no_retry_comes_before_the_provider_said_nor_much_later(
    attempts: int, retry_after: timedelta | None, chance: float
) -> None:
    wait = retry.delay(attempts, retry_after=retry_after, chance=chance)
    assert wait is not None
    least = max(retry.SCHEDULE[max(0, attempts - 1)], min(retry_after or timedelta(0), timedelta(hours=6)))
    assert least <= wait <= least * 1.25
