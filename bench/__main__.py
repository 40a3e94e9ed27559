"""``make bench``: every benchmark, one after the other; alone: ``python -m bench.NAME``."""

from __future__ import annotations

import subprocess
import sys

BENCHMARKS = ("pass_build", "apns_client", "push_throughput", "idle")


def main() -> int:
    """0 when every benchmark ran to its end; they print figures and judge nothing."""
    statuses = []
    for name in BENCHMARKS:
        print(f"\n=== {name}", flush=True)
        statuses.append(subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode)
    return max(statuses)


if __name__ == "__main__":
    sys.exit(main())
