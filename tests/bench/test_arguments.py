"""A benchmark that is started wrongly says so in a sentence, and measures nothing."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from bench import __main__ as every

ROOT = Path(every.__file__).parents[1]
WRONG = [
    ("idle", ["7"], "unrecognized arguments: 7"),
    ("guest_pages", ["0"], "'0' is not a whole number of at least 1"),
    ("console_pages", ["5", "0"], "'0' is not a whole number of at least 1"),
    ("funnel", ["7"], "'7' is not a whole number of at least 1000"),
    ("pass_build", ["--rounds", "none"], "'none' is not a whole number of at least 1"),
    ("audience", ["1000", "0"], "'0' is not a whole number of at least 1"),
    ("lift", ["9"], "'9' is not a whole number of at least 10"),
    ("funnel", ["1000", "1"], "'1' is not a whole number of at least 2"),
    ("pass_build", ["--seconds", "nan"], "'nan' is not a number of seconds, above 0 and at most 3600"),
    ("apns_client", ["-5"], "'-5' is not a whole number of at least 1"),
    ("apns_client", ["100", "0"], "'0' is not a whole number of at least 1"),
    ("push_throughput", ["many"], "'many' is not a whole number of at least 1"),
    ("sms_throughput", ["10", "0"], "'0' is not a whole number of at least 1"),
    ("google_objects", ["0"], "'0' is not a whole number of at least 1"),
    ("update_race", ["1.5"], "'1.5' is not a whole number of at least 1"),
    ("passkit_rates", ["--guest", "5"], "unrecognized arguments: --guest 5"),
    ("fetch_storm", ["--connections", "64", "0"], "'0' is not a whole number of at least 1"),
    ("hundred_thousand", ["100", "inf"], "'inf' is not a number of seconds, above 0 and at most 3600"),
    ("campaign", ["0"], "'0' is not a whole number of at least 1"),
    ("growth", ["100", "100"], "FEW is 100, which is not fewer than MANY, 100"),
    ("kills", ["1", "1", "mysql"], "'mysql' is none of sqlite, postgresql"),
    ("kills", ["1", "-1"], "'-1' is not a whole number of at least 0"),
]


def _start(
    name: str, told: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[object, str, str]:
    monkeypatch.setattr(sys, "argv", [name, *told])
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(f"bench.{name}").main()
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


@pytest.mark.parametrize(("name", "told", "sentence"), WRONG)
def test_what_a_benchmark_cannot_be_told_ends_it_with_a_sentence(
    name: str,
    told: list[str],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, out, err = _start(name, told, monkeypatch, capsys)
    assert (status, out) == (2, "")
    assert sentence in err
    assert err.startswith(f"usage: python -m bench {name}")


def test_every_benchmark_is_started_wrongly_above() -> None:
    assert {name for name, _, _ in WRONG} == set(every.BENCHMARKS)


@pytest.mark.parametrize("name", every.BENCHMARKS)
def test_every_benchmark_tells_what_it_is_about(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = _start(name, ["--help"], monkeypatch, capsys)
    assert (status, err) == (0, "")
    document = importlib.import_module(f"bench.{name}").__doc__
    assert document is not None
    assert document.splitlines()[0] in out


def _bench(*told: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench", *told]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def test_the_whole_tells_what_there_is_to_run() -> None:
    done = _bench("--help")
    assert (done.returncode, done.stderr) == (0, "")
    for name in every.BENCHMARKS:
        assert f"\n  {name} " in done.stdout


def test_the_status_of_a_benchmark_is_that_of_the_command() -> None:
    done = _bench("kills", "often")
    assert done.returncode == 2
    assert "'often' is not a whole number of at least 1" in done.stderr


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (["killed"], "There is no benchmark killed. There are: idle, "),
        (["--guests", "5"], "There is no benchmark --guests. "),
        (["idle", "kills", "3"], "Arguments are for one benchmark alone: 3 follows 2."),
    ],
)
def test_what_is_no_benchmark_is_refused_with_those_that_there_are(
    told: list[str],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["bench", *told])
    assert every.main() == 2
    assert sentence in capsys.readouterr().err
