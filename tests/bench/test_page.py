"""The page of figures says what was measured, and a missed bar that nobody explained is found."""

from __future__ import annotations

import importlib
import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from bench import __main__ as every
from bench import page, report
from bench.report import Figure, Report, Result, Table, deliver, quantity

FAST = Figure("demo.fast", "things a second", 4_000, "/s", at_least=3_000)
SLOW = Figure("demo.slow", "slow things", 120.4, "ms", at_most=100)
REPORT = Report(
    "A demonstration", "What was done.", (Table("Rates", ("what", "a second"), (("a|b", "4,000"),)),), (FAST,)
)
WHY = "\n### demo.slow\n\nmeasured: 120 ms\n\nThe disk is slow.\n"
RESULT = Result("demo", "python -m bench demo", "2026-11-22 10:00", "2 cores", REPORT)


def _with(*figures: Figure) -> Result:
    return replace(RESULT, report=replace(REPORT, figures=figures))


def test_a_bar_is_a_floor_or_a_ceiling_and_touching_it_is_meeting_it() -> None:
    assert FAST.met
    assert replace(FAST, value=3_000).met
    assert not replace(FAST, value=2_999).met
    assert not SLOW.met
    assert replace(SLOW, value=100).met
    assert (FAST.bar, SLOW.bar) == ("≥ 3,000/s", "≤ 100 ms")
    for bars in ({}, {"at_least": 1.0, "at_most": 2.0}):
        with pytest.raises(ValueError, match="one bar"):
            Figure("x", "x", 1, "", **bars)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (3012.4, "/s", "3,012/s"),
        (0.8449, "", "0.84"),
        (86.12, "%", "86.1 %"),
        (0, "", "0"),
        (20, "s", "20 s"),
    ],
)
def test_a_quantity_has_as_many_digits_as_mean_something(value: float, unit: str, text: str) -> None:
    assert quantity(value, unit) == text


def test_a_missed_bar_needs_an_explanation_under_its_own_key() -> None:
    result = _with(FAST, SLOW)
    empty = page.render([result], "")
    assert page.unexplained([result], empty) == [SLOW]
    assert page.unexplained([result], empty + WHY) == []
    for text in ("### demo.slow", "### demo.slow\n\nmeasured: 120 ms", "### demo.slow\n\nThe disk is slow."):
        assert page.unexplained([result], f"{empty}\n{text}\n") == [SLOW]
    assert page.unexplained([result], empty + WHY.replace("slow", "other")) == [SLOW]


@pytest.mark.parametrize(
    ("figure", "measured", "stands"),
    [
        (replace(SLOW, value=132), "120 ms", True),
        (replace(SLOW, value=133), "120 ms", False),
        (replace(FAST, value=2_200), "2,380/s", True),
        (replace(FAST, value=2_100), "2,380/s", False),
        (replace(FAST, value=2_900), "2,380.5/s", True),
        (replace(SLOW, value=2, at_most=0), "1", False),
    ],
)
def test_an_explanation_stands_for_the_value_it_was_written_for_and_not_for_one_a_tenth_worse(
    figure: Figure, measured: str, stands: bool
) -> None:
    text = f"{page.EXPLANATIONS}\n\n### {figure.key}\n\nmeasured: {measured}\n\nThe disk is slow.\n"
    assert page.unexplained([_with(figure)], text) == ([] if stands else [figure])


def test_what_is_explained_and_not_missed_is_found() -> None:
    text = page.render([], "") + WHY + WHY.replace("demo.slow", "demo.fast") + WHY.replace("slow", "other")
    assert page.needless([_with(FAST, SLOW)], text) == ["demo.fast", "demo.other"]


def test_writing_the_page_again_keeps_what_people_wrote() -> None:
    once = page.render([_with(FAST, SLOW)], "") + WHY
    again = page.render([_with(FAST, SLOW)], once)
    assert again == once
    assert page.explained(again) == {"demo.slow": page.Explanation(120, "The disk is slow.")}
    assert "| a\\|b | 4,000 |" in again
    assert "| slow things | 120 ms | ≤ 100 ms | **missed**: `demo.slow` |" in again


def test_a_delivered_report_is_kept_and_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    monkeypatch.setenv(report.KEEP, str(tmp_path / "demo.json"))
    deliver(replace(REPORT, figures=(FAST, SLOW)))
    (kept,) = report.kept()
    assert kept.name == "demo"
    assert asdict(kept.report) == asdict(replace(REPORT, figures=(FAST, SLOW)))
    assert "MISSED  slow things: 120 ms" in capsys.readouterr().out


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Results and a page of our own; one benchmark, which is no module."""
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "gone.json").write_text(json.dumps(asdict(replace(RESULT, name="gone"))))
    monkeypatch.setattr(report, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(page, "PAGE", tmp_path / "performance.md")
    monkeypatch.setattr(every, "BENCHMARKS", ("gone", "idle"))
    return tmp_path


def _started(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["bench", *arguments])
    return every.main()


def test_a_benchmark_that_fails_leaves_no_chapter_of_an_earlier_run(
    house: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert _started(monkeypatch, "gone") == 1
    assert "FAILED: python -m bench gone" in capfd.readouterr().out
    assert not list((house / "results").iterdir())
    assert REPORT.title not in (house / "performance.md").read_text(encoding="utf-8")


def test_a_trial_with_arguments_changes_neither_results_nor_page(
    house: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert _started(monkeypatch, "gone", "20") == 1
    assert "only printed" in capfd.readouterr().out
    assert [file.name for file in (house / "results").iterdir()] == ["gone.json"]
    assert not (house / "performance.md").exists()


@pytest.mark.parametrize("arguments", [("other",), ("gone", "idle", "20")])
def test_names_that_are_none_and_arguments_for_several_are_refused(
    house: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    assert _started(monkeypatch, *arguments) == 2
    assert (house / "results" / "gone.json").exists()


def test_the_page_in_the_repository_is_made_of_the_results_in_it() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    results = report.kept()
    assert text == page.render(results, text, every.BENCHMARKS)
    assert page.unexplained(results, text) == []
    assert {result.name for result in results} <= set(every.BENCHMARKS)


@pytest.mark.parametrize("name", every.BENCHMARKS)
def test_every_benchmark_can_be_started_and_is_named_in_make_bench(name: str) -> None:
    assert callable(importlib.import_module(f"bench.{name}").main)


def test_every_benchmark_there_is_belongs_to_the_whole() -> None:
    folder = Path(every.__file__).parent
    started = {file.stem for file in folder.glob("*.py") if "deliver(" in file.read_text(encoding="utf-8")}
    assert started - {"report"} == set(every.BENCHMARKS)


def test_kept_results_are_readable_by_anything() -> None:
    for file in report.RESULTS.glob("*.json"):
        assert json.loads(file.read_text(encoding="utf-8"))["name"] == file.stem
