"""What `perkpass run` costs while nothing happens: memory of all its processes, and processor time.

Memory is the proportional set size (PSS): pages that processes share are counted once. Linux only.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from tests.servers import free_port

SETTLE_SECONDS = 5
WATCH_SECONDS = 20


def main() -> None:
    """Start an empty installation, wait, and print."""
    port = free_port()
    with tempfile.TemporaryDirectory() as directory:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "run"],
            env={**os.environ, "PERKPASS_DATA_DIR": directory, "PERKPASS_PORT": str(port)},
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait(f"http://127.0.0.1:{port}/readyz")
            time.sleep(SETTLE_SECONDS)
            family = [process.pid, *_children(process.pid)]
            before = sum(map(_cpu_seconds, family))
            time.sleep(WATCH_SECONDS)
            busy = (sum(map(_cpu_seconds, family)) - before) / WATCH_SECONDS
            print(f"processes  {len(family)}")
            for pid in family:
                print(f"  {_pss(pid):7.1f} MB  {_command(pid)}")
            print(f"memory     {sum(map(_pss, family)):.0f} MB PSS (bar 220 MB)")
            print(f"processor  {busy:.2%} of a core (bar 1 %)")
        finally:
            process.terminate()
            process.wait(60)


def _wait(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(url)


def _children(pid: int) -> list[int]:
    found = subprocess.run(
        ["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split()
    return [one for child in map(int, found) for one in (child, *_children(child))]


def _pss(pid: int) -> float:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    return sum(int(kilobytes) for kilobytes in re.findall(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)) / 1024


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()[-60:].strip()


if __name__ == "__main__":
    main()
