"""How often a campaign's report is right: simulated campaigns of which the truth is known.

``python -m bench.lift [CAMPAIGNS]``, of each kind; of the large ones a third as many.
"""

from __future__ import annotations

import random
import time

from bench import arguments, lift_truth
from bench.lift_truth import Score, Truth
from bench.report import Figure, Report, Table, deliver

CAMPAIGNS = 1_500
LARGE = 3_000
"""Guests from which a third as many campaigns are simulated."""
TRUTHS = (
    Truth("nothing, halves of 1,000", 500, 500, 14, visits=1.0, alike=1.0, checks_differ=0.5),
    Truth("nothing, 10 % held out", 4500, 500, 14, visits=1.0, alike=1.0, checks_differ=0.5),
    Truth("nothing, guests come seldom, checks differ much", 1000, 1000, 28, 0.4, 0.5, 0.8),
    Truth("the same, 10 % held out", 9000, 1000, 28, 0.4, 0.5, 0.8),
    Truth("the same, checks differ more", 4500, 500, 28, 0.4, 0.5, 1.0),
    Truth("a fifth more visits, halves of 1,000", 500, 500, 28, 4.0, 1.0, 0.5, effect=0.2),
    Truth("a fifth more visits, 10 % held out", 4500, 500, 28, 2.0, 1.0, 0.5, effect=0.2),
)


def main() -> None:
    """Simulate and report."""
    told = arguments.parser("lift")
    told.add_argument(
        "campaigns", nargs="?", type=arguments.number(10), default=CAMPAIGNS, help="to simulate, a kind"
    )
    campaigns: int = told.parse_args().campaigns
    chance, scores = random.Random(2026), {}
    began = time.process_time()
    for truth in TRUTHS:
        many = campaigns if truth.arm + truth.holdout < LARGE else max(1, campaigns // 3)
        scores[truth] = lift_truth.simulate(chance, truth, many)
    deliver(_report(scores, time.process_time() - began))


def _report(scores: dict[Truth, Score], seconds: float) -> Report:
    told = [score for score in scores.values() if score.final_told]
    covered = [score.final_covered / score.final_told for score in told]
    always = [score.always_covered / score.campaigns for score in scores.values()]
    false = [score.earned / score.campaigns for truth, score in scores.items() if not truth.effect]
    return Report(
        title="Lift",
        about=(
            "What a campaign's arm earned beside its holdout is told once a day, by intervals that hold"
            " together, and at the preset end by a final one of 95 %. Campaigns are simulated here of which"
            " the truth is known. Guests differ in how often they come and what they spend; their spending in"
            f" the {lift_truth.BEFORE} days before is taken out. “Earned” is said where an interval lies over"
            " 0, on any day or at the end. None is told while too few have bought."
        ),
        tables=(_table(scores),),
        figures=(
            Figure(
                "lift.final_lowest", "final intervals of 95 % that hold the truth, worst kind",
                min(covered) * 100, "%", at_least=93,
            ),
            Figure(
                "lift.final_highest", "the same, the kind that has it most often",
                max(covered) * 100, "%", at_most=97,
            ),
            Figure(
                "lift.always", "campaigns of which all daily intervals hold the truth, worst kind",
                min(always) * 100, "%", at_least=95,
            ),
            Figure(
                "lift.false", "campaigns that do nothing of which “earned” is said on any day, worst kind",
                max(false) * 100, "%", at_most=5,
            ),
        ),
        notes=(
            f"{sum(one.campaigns for one in scores.values()):,} campaigns in {seconds:,.0f} s of processor.",
        ),
    )  # fmt: skip


def _table(scores: dict[Truth, Score]) -> Table:
    def row(truth: Truth, score: Score) -> tuple[str, ...]:
        many, told = score.campaigns, score.final_told
        return (
            truth.name,
            f"{truth.arm:,} / {truth.holdout:,}",
            str(truth.days),
            f"{many:,}",
            f"{score.final_covered / told:.1%}" if told else "none told",
            f"{score.always_covered / many:.1%}",
            f"{score.earned / many:.1%}",
            f"{score.days_untold / many:.1f}",
            f"± {score.widths / told / 2 / 100:.0f}" if told else "",
        )

    return Table(
        "What is said, and how often it is so",
        (
            "what the campaign does", "arm / holdout", "days", "campaigns", "final holds", "all days hold",
            "said “earned”", "days untold", "final, units a guest",
        ),
        tuple(row(truth, score) for truth, score in scores.items()),
    )  # fmt: skip


if __name__ == "__main__":
    main()
