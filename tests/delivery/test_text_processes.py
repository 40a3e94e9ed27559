"""Four processes share a login: together they keep its rate, and hold no text twice."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from datetime import UTC, datetime

from app.db import Database
from tests.delivery.test_processes import go, line
from tests.delivery.texting import open_texting

RATE, BURST, SECONDS = 100.0, 10, 2.0


def test_four_processes_keep_one_rate(database: Database, database_url: str) -> None:
    texting = open_texting(database)
    now = datetime.now(UTC)
    texting.promise([texting.draft(n, due_at=now) for n in range(600)], now=now)
    with ExitStack() as stack:
        processes = []
        for number in range(4):
            told = [database_url, f"worker-{number}", str(RATE), str(BURST), str(SECONDS)]
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.delivery.texter", *told],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.callback(process.communicate)
            stack.callback(process.kill)
            processes.append(process)
        assert [line(process) for process in processes] == ["ready"] * 4
        for process in processes:
            go(process)
        taken = [one.partition(":") for process in processes for one in line(process).split()]
    assert len({text for text, _, _ in taken}) == len(taken)
    moments = sorted(float(moment) for _, _, moment in taken)
    for start, first in enumerate(moments):
        for end in range(start, len(moments)):
            assert end - start + 1 <= BURST + RATE * (moments[end] - first) + 0.01
    assert len(moments) >= 0.9 * RATE * SECONDS
