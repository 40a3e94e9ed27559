"""SIGKILL at seeded moments of a busy day; ``python -m bench.kills`` is the long form of it."""

from __future__ import annotations

import pytest

from app.simulators.authority import Authority
from tests.conftest import SERVERS
from tests.flows.kills import Round, run
from tests.flows.victims import LEASE, kinds, victims

EMBEDDED = SERVERS == "sqlite"
TIMES = 1
SEED = 20_260
MARGIN = 2 * LEASE
"""Beyond the one lease that ``python -m bench.kills`` holds: other tests run beside this one."""


@pytest.fixture(scope="module")
def found(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Round:
    """One round, every kind of kill once."""
    with victims(tmp_path_factory.mktemp("kills"), authority, embedded=EMBEDDED) as ours:
        return run(ours, times=TIMES, seed=SEED, tell=print)


def test_after_every_kill_everything_goes_on_within_three_leases(found: Round) -> None:
    assert len(found.kills) == TIMES * len(kinds(embedded=EMBEDDED))
    assert [kill for kill in found.kills if kill.late > MARGIN] == []


def test_kills_lose_nothing_double_nothing_and_leave_nothing_half_written(found: Round) -> None:
    assert found.findings == []
    assert found.receipts > 50
    assert found.enrolments > 10
    assert found.repeated > 50
    assert found.silences + found.unavailable > 0  # or nobody was killed
