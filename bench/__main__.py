"""``make bench``: every benchmark in full, one by one; ``python -m bench NAME...`` takes some anew.

Writes ``docs/performance.md``. Exits non-zero where a benchmark fails, or where a bar is missed and the last
chapter of the page does not say why. ``python -m bench NAME ARGUMENTS``, for a trial, only prints;
``python -m bench NAME --help`` tells what the arguments are.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from itertools import takewhile

from bench import arguments, page, report

BENCHMARKS = (
    "idle",
    "funnel",
    "lift",
    "audience",
    "guest_pages",
    "console_pages",
    "pass_build",
    "apns_client",
    "push_throughput",
    "sms_throughput",
    "google_objects",
    "update_race",
    "passkit_rates",
    "fetch_storm",
    "hundred_thousand",
    "campaign",
    "growth",
    "kills",
)
"""The quick ones first."""


def main() -> int:
    """0 when every benchmark ran to its end and every missed bar is explained."""
    names = list(takewhile(BENCHMARKS.__contains__, sys.argv[1:]))
    more = sys.argv[1 + len(names) :]
    if not names and more[:1] in (["--help"], ["-h"]):
        print(_help())
        return 0
    if more and not names:
        print(f"There is no benchmark {more[0]}. There are: {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    if more and len(names) > 1:
        print(f"Arguments are for one benchmark alone: {more[0]} follows {len(names)}.", file=sys.stderr)
        return 2
    if more:
        if not {"--help", "-h"} & set(more):
            print(
                "With arguments the report is only printed: docs/performance.md shows full runs.", flush=True
            )
        return _run(names[0], more, os.environ)
    return _take(names or BENCHMARKS)


def _help() -> str:
    """What there is to run."""
    return "\n".join(
        [
            "python -m bench                  every benchmark in full; writes docs/performance.md",
            "python -m bench NAME...          these anew, in full",
            "python -m bench NAME ARGUMENTS   a trial of one: its report is only printed",
            "python -m bench NAME --help      what its arguments are",
            "",
            "Benchmarks, the quick ones first:",
            *(f"  {name:<16} {arguments.about(name).partition(chr(10))[0]}" for name in BENCHMARKS),
        ]
    )


def _take(names: Sequence[str]) -> int:
    report.RESULTS.mkdir(exist_ok=True)
    failed = [name for name in names if not _run_in_full(name)]
    before = page.PAGE.read_text(encoding="utf-8") if page.PAGE.exists() else ""
    results = report.kept()
    page.PAGE.write_text(page.render(results, before, BENCHMARKS), encoding="utf-8")
    missed = page.unexplained(results, before)
    for figure in missed:
        value = report.quantity(figure.value, figure.unit)
        print(f"MISSED and not explained in docs/performance.md: {figure.key} ({value}): {figure.what}")
    for key in page.needless(results, before):
        print(f"Explained in docs/performance.md, but not missed: {key}")
    for name in failed:
        print(f"FAILED: python -m bench {name}")
    return 1 if failed or missed else 0


def _run_in_full(name: str) -> bool:
    kept = report.RESULTS / f"{name}.json"
    kept.unlink(missing_ok=True)  # what fails now must not stand there as it was once
    print(f"\n=== {name}", flush=True)
    return _run(name, (), {**os.environ, report.KEEP: str(kept)}) == 0


def _run(name: str, told: Sequence[str], environment: Mapping[str, str]) -> int:
    command = [sys.executable, "-m", f"bench.{name}", *told]
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
