"""What `perkpass run` costs while nothing happens: memory of all its processes, and processor time.

Memory is the proportional set size (PSS): pages that processes share are counted once. Linux only.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from bench import arguments, report, usage
from tests.servers import free_port

SETTLE_SECONDS = 5
WATCH_SECONDS = 20


def main() -> None:
    """Start an empty installation, wait, and print."""
    arguments.parser("idle").parse_args()
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
            before = usage.cpu_seconds(process.pid)
            time.sleep(WATCH_SECONDS)
            busy = (usage.cpu_seconds(process.pid) - before) / WATCH_SECONDS
            sizes = [(_command(pid), usage.pss_of(pid)) for pid in usage.family(process.pid)]
            report.deliver(_report(sizes, busy))
        finally:
            process.terminate()
            process.wait(60)


def _report(processes: list[tuple[str, float]], busy: float) -> report.Report:
    return report.Report(
        title="Idle",
        about=(
            "`perkpass run` with an empty database, after everything was loaded and"
            f" {SETTLE_SECONDS} s passed; processor time is over the next {WATCH_SECONDS} s."
        ),
        tables=(
            report.Table(
                "Memory", ("process", "MB PSS"), tuple((name, f"{size:.1f}") for name, size in processes)
            ),
        ),
        figures=(
            report.Figure(
                key="idle.memory",
                what="memory of all idle processes (PSS)",
                value=sum(size for _, size in processes),
                unit="MB",
                at_most=220,
            ),
            report.Figure(
                key="idle.processor",
                what="processor while idle",
                value=busy * 100,
                unit="% of a core",
                at_most=1,
            ),
        ),
    )


def _wait(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(url)


def _command(pid: int) -> str:
    return (
        Path(f"/proc/{pid}/cmdline")
        .read_bytes()
        .replace(b"\0", b" ")
        .decode()[-60:]
        .strip()
        .removeprefix(f"{sys.executable} ")
    )


if __name__ == "__main__":
    main()
