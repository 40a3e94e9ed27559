"""What processes cost, as the kernel counts it: processor time and memory of whole families. Linux only."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_TICK = 1 / os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """The process and everything that it started, as of now."""
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [pid, *(one for child in found.stdout.split() for one in family(int(child)))]


def cpu_seconds(pid: int) -> float:
    """Of the family so far, members that ended included."""
    return sum(_cpu_ticks(one, waited=one == pid) for one in family(pid)) * _TICK


def _cpu_ticks(pid: int, *, waited: bool) -> int:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return 0  # ended meanwhile
    fields = text.rpartition(")")[2].split()
    return sum(int(field) for field in fields[11 : 15 if waited else 13])


def pss(pid: int) -> float:
    """Megabytes of the family; pages that its members share are counted once."""
    return sum(pss_of(one) for one in family(pid))


def pss_of(pid: int) -> float:
    """Megabytes of this process alone; 0 where it ended."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0.0
    return sum(int(kilobytes) for kilobytes in re.findall(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)) / 1024


def all_cores() -> set[int]:
    """Those that this process may use."""
    return set(os.sched_getaffinity(0))


def cores() -> tuple[set[int], set[int]]:
    """(one core for what is measured, the others for whatever it talks to); the same where there is one."""
    own = {max(all_cores())}
    return own, all_cores() - own or own


@contextmanager
def on(wanted: set[int]) -> Iterator[None]:
    """Processes that are started inside stay on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, wanted)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
