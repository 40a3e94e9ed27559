"""Two workers, each a process of its own, and Apple's own book of what they pushed."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from app.delivery.tables import delivery
from tests.worker.conftest import Rig, token

PHONES = 300


@contextmanager
def worker_process(rig: Rig, database_url: str, bell: str, *, lease: float) -> Iterator[str]:
    """The name of a worker that works in a process until the block ends."""
    process = subprocess.Popen(
        [
            sys.executable, "-m", "tests.worker.workhand", database_url, bell, rig.apns.url,
            str(rig.authority.root), str(rig.credentials), str(lease),
        ],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdin
    assert process.stdout
    try:
        yield process.stdout.readline().strip()
        process.stdin.close()
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()


@pytest.mark.timeout(240)
def test_two_processes_push_each_promise_once_and_no_row_twice_within_its_lease(
    rig: Rig, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    rig.apns.turn(answer_delay_ms=150)
    phones = rig.phones(PHONES)
    owners: set[str] = set()

    def note_owners() -> bool:
        """Whether everything is settled; who held what meanwhile is noted on the way."""
        with rig.database.read() as tx:
            rows = tx.execute(select(delivery.c.state, delivery.c.owner)).all()
        owners.update(row.owner for row in rows if row.owner)
        return {row.state for row in rows} == {"accepted"}

    with ExitStack() as stack:
        bells = [redis_url or str(tmp_path / f"bell-{number}") for number in range(2)]
        named = {stack.enter_context(worker_process(rig, database_url, bell, lease=10)) for bell in bells}
        # Small waves, the later ones while the earlier are on their way: both get their share.
        for start in range(0, PHONES, 20):
            rig.promise(phones[start : start + 20])
            note_owners()
            rig.promise(phones[start : start + 10])  # joins a pending row, or waits for the answer
            time.sleep(0.1)  # both look for work in that time, or the quicker one would take all of it
        rig.until(note_owners, 60)
    assert len(named) == 2
    assert owners == named
    rows = rig.rows()
    pushed = rig.apns.ask(
        lambda simulator: [(entry.token, entry.identifier, entry.status) for entry in simulator.post.entries]
    )
    promised = Counter(row.device_id for row in rows)
    assert Counter(one for one, _, _ in pushed) == {
        token(number): promised[phone] for number, phone in enumerate(phones)
    }
    assert {status for _, _, status in pushed} == {200}
    assert len({identifier for _, identifier, _ in pushed}) == len(pushed) == len(rows)
    assert {row.attempts for row in rows} == {1}
    assert {tried.provider_id for tried in rig.attempts()} == {identifier for _, identifier, _ in pushed}
