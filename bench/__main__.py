"""``make bench``: every benchmark, one by one; ``python -m bench NAME [ARGUMENTS]`` takes one anew.

Writes ``docs/performance.md``. Exits non-zero where a benchmark fails, or where a bar is missed and the last
chapter of the page does not say why.
"""

from __future__ import annotations

import os
import subprocess
import sys

from bench import page, report

BENCHMARKS = (
    "pass_build",
    "apns_client",
    "push_throughput",
    "passkit_rates",
    "fetch_storm",
    "hundred_thousand",
    "growth",
    "idle",
    "update_race",
    "kills",
)


def main() -> int:
    """0 when every benchmark ran to its end and every missed bar is explained."""
    wanted, arguments = sys.argv[1:2] or BENCHMARKS, sys.argv[2:]
    if unknown := set(wanted) - set(BENCHMARKS):
        print(f"There is no benchmark {', '.join(unknown)}. There are: {', '.join(BENCHMARKS)}.")
        return 2
    report.RESULTS.mkdir(exist_ok=True)
    failed = [name for name in wanted if not _run(name, arguments)]
    before = page.PAGE.read_text(encoding="utf-8") if page.PAGE.exists() else ""
    results = report.kept()
    page.PAGE.write_text(page.render(results, before), encoding="utf-8")
    missed = page.unexplained(results, before)
    for figure in missed:
        print(f"MISSED and not explained in docs/performance.md: {figure.key}: {figure.what}")
    for name in failed:
        print(f"FAILED: python -m bench {name}")
    return 1 if failed or missed else 0


def _run(name: str, arguments: list[str]) -> bool:
    print(f"\n=== {name}", flush=True)
    kept = report.RESULTS / f"{name}.json"
    status = subprocess.run(
        [sys.executable, "-m", f"bench.{name}", *arguments],
        env={**os.environ, report.KEEP: str(kept)},
        check=False,
    ).returncode
    return status == 0


if __name__ == "__main__":
    sys.exit(main())
