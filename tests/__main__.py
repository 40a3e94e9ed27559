"""Every test that finds its server: on SQLite alone, then on PostgreSQL with Redis (``make test``).

Tests that no database has a part in run once.
With PERKPASS_TEST_REQUIRE=1 (as in .ci/run) a missing server or a skipped test is a failure.
Further arguments go to pytest.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import servers

PARALLEL = ("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder")
"""One process more than a small machine has cores: many tests wait for a server, a lease or a phone."""
REQUIRE = os.environ.get("PERKPASS_TEST_REQUIRE") == "1"


ROOM_IN_MEMORY = 6 * 2**30
"""Bytes; what the tests of a run keep in files at a time is less than a quarter."""


@contextmanager
def quick_directory() -> Iterator[str]:
    """For the files of a run: in memory where that has room: databases by the thousand."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > ROOM_IN_MEMORY
    directory = tempfile.mkdtemp(prefix="pk", dir=memory if roomy else None)  # short: sockets lie below
    Path(directory).chmod(0o755)  # PostgreSQL runs as another user where the tests are root's
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def main() -> int:
    """0 when every run passed."""
    found = {
        "SQLite": True,
        "PostgreSQL": servers.postgresql_binaries() is not None,
        "Redis": servers.redis_binary() is not None,
        "Chromium": servers.chromium_binary() is not None,
        "KDE's reader of passes": servers.kpkpass_flags() is not None,
    }
    missing = [name for name, there in found.items() if not there]
    if missing and REQUIRE:
        print(f"These are required and not installed: {', '.join(missing)}")
        return 1
    runs: dict[str, list[str]] = {"sqlite": []}
    if found["PostgreSQL"] and found["Redis"]:
        runs["postgresql"] = ["--only-with-servers"]
    statuses = {}
    for run, options in runs.items():
        began = time.monotonic()
        with quick_directory() as directory:
            status = subprocess.run(
                [sys.executable, "-m", "pytest", "-q", *PARALLEL, *options, *sys.argv[1:]],
                env={**os.environ, "PERKPASS_TEST_SERVERS": run, "TMPDIR": directory},
                check=False,
            ).returncode
        statuses[run] = status
        print(f"--- {run}: {'passed' if status == 0 else 'FAILED'} in {time.monotonic() - began:.0f} s")
    print("Found: " + ", ".join(name for name, there in found.items() if there))
    for name in missing:
        print(f"NOT TESTED, because it is not installed: {name}")
    return max(statuses.values())


if __name__ == "__main__":
    sys.exit(main())
