"""Workers of texts that are killed in the middle of their work, and the gateways' logs of what they took."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.db import Database
from app.delivery import texts
from tests.delivery.texting import MINUTE, open_texting
from tests.worker.conftest import now
from tests.worker.text_house import House, Kind, house

_TEXTS = 24


@contextmanager
def _hand(database_url: str, found: House, bell: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [
            sys.executable, "-m", "tests.worker.text_hand", database_url, str(bell), found.kind,
            str(found.port), found.ear.url, "3",
        ],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout
    try:
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()


@pytest.mark.parametrize("kind", ["smsc", "smpp"])  # who can be asked, and who cannot
def test_a_worker_that_is_killed_at_its_work_sends_nothing_twice_and_the_books_agree(
    database: Database, database_url: str, kind: Kind, tmp_path: Path
) -> None:
    texting = open_texting(database)
    words = [f"{number} coffee" for number in range(_TEXTS)]
    due: dict[str, Any] = {"due_at": now(), "price": 300 if kind == "smpp" else 1, "encoding": "gsm7"}
    drafts = [texting.draft(n, text=said, **due) for n, said in enumerate(words)]
    with house(kind) as found:
        found.turn(answer_delay_ms=250)
        for number in range(2):
            texting.promise(drafts[number::2], now=now())
            before = found.taken().total()
            with _hand(database_url, found, tmp_path / f"bell-{number}") as process:
                _until(lambda least=before + 3: found.taken().total() >= least)
                os.kill(process.pid, signal.SIGKILL)
                process.wait(10)
        found.turn(answer_delay_ms=0)
        with _hand(database_url, found, tmp_path / "bell"):

            def over() -> bool:
                found.hear(texting, now())
                return not [row for row in texting.rows() if row.state in ("pending", "sending")]

            _until(over)
        found.hear(texting, now())
        taken, costs = found.bodies(), found.costs().total()
    assert set(taken.values()) == {1}
    rows = texting.rows()
    sent = [row for row in rows if row.state in ("accepted", "delivered")]
    unsure = [row for row in rows if row.state == "exhausted"]
    assert len(sent) + len(unsure) == _TEXTS
    assert {row.reason for row in unsure} <= {"Unknown"}
    assert {row.text for row in sent} <= set(taken) <= {row.text for row in [*sent, *unsure]}
    if kind == "smsc":
        assert not unsure
    told = [row for row in sent if row.price_told or kind == "smpp"]
    each = costs // len(taken)
    assert sum(row.price or 0 for row in told) == each * len(told)
    with database.read() as tx:  # whose receipt was faster than any price is asked for a minute later
        later = {one.id for one in texts.to_price(tx, "main", now=now() + 2 * MINUTE)}
    assert {row.id for row in sent} <= {row.id for row in told} | later


def _until(true: Any, seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)
