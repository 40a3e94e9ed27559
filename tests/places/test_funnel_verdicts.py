"""What may be said of groups: against published figures, and against chains of which the truth is known."""

from __future__ import annotations

import random
from datetime import date

import pytest

from app.places import funnel_verdicts
from app.places.funnel_changes import change, pace, traffic
from app.places.funnel_counts import Counts, Flow, Period, total
from app.places.funnel_estimates import Prior, estimate, estimates, prior
from app.places.funnel_intervals import Share
from app.places.funnel_verdicts import discoveries, fisher
from bench import funnel_truth


@pytest.mark.parametrize(
    ("here", "elsewhere", "chance"),
    [
        # Fisher 1935, the lady tasting tea: three of four cups told, the other way round.
        ((1, 4), (3, 4), 17 / 70),
        ((0, 4), (4, 4), 1 / 70),
        # Agresti 2002, "Categorical Data Analysis", table 3.10: cured by surgery or radiation, one-sided.
        ((21, 23), (15, 18), 0.8947),
        ((5, 5), (5, 5), 1.0),
        ((0, 30), (0, 40), 1.0),
    ],
)
def test_fishers_test_is_that_of_the_literature(
    here: tuple[int, int], elsewhere: tuple[int, int], chance: float
) -> None:
    assert fisher(Share(*here), Share(*elsewhere)) == pytest.approx(chance, abs=0.0001)


def test_discoveries_are_those_of_benjamini_and_hochberg() -> None:
    """Benjamini and Hochberg 1995, section 4: of fifteen hypotheses four are given up, Bonferroni's three."""
    chances = (0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
               0.5719, 0.6528, 0.7590, 1.000)  # fmt: skip
    assert discoveries(dict(enumerate(chances)), wrongly=0.05) == {0, 1, 2, 3}
    assert discoveries({}) == set()


@pytest.mark.parametrize(
    ("truth", "most_spoken"),
    [(funnel_truth.alike, 2), (funnel_truth.one_in_ten, 12), (funnel_truth.each_a_little, 12)],
)
def test_of_what_is_said_of_simulated_chains_one_in_twenty_is_wrong_at_most(
    truth: object, most_spoken: int
) -> None:
    """In short; ``bench/funnel.py`` does it for 500 venues and many chains."""
    score = funnel_truth.simulate(random.Random(11), chains=12, venues=120, truth=truth)  # type: ignore[arg-type]
    assert score.spoken <= most_spoken
    assert score.topped_by_few == 0
    if score.planted:
        assert score.false_share <= 0.05
        assert score.found["over 400"] >= 0.8 * score.planted["over 400"]


def test_equal_weeks_are_seldom_called_up_or_down() -> None:
    steps, scans = funnel_truth.weeks_that_turn(random.Random(4), pairs=400)
    assert max(steps, scans) <= 0.06


def test_a_loss_is_told_with_what_others_have() -> None:
    flows = {
        venue: _flow(scan=400, page=380, form=200, code=76 if venue == 3 else 142, added=70)
        for venue in range(6)
    }
    judged = funnel_verdicts.judge(flows, total(flows.values()), codes=True)
    (loss,) = judged[3].losses
    assert (loss.step, loss.here, loss.elsewhere) == ("code", Share(76, 200), Share(710, 1000))
    assert all(judged[venue].losses == () for venue in flows if venue != 3)


def test_seven_scans_top_no_list_and_are_no_verdict() -> None:
    flows = {
        0: _flow(scan=7, page=7, form=7, added=7),
        **{n: _flow(scan=900, added=270 + n) for n in range(1, 9)},
    }
    judged = funnel_verdicts.judge(flows, total(flows.values()), codes=False)
    assert judged[0].verdict == "too_few"
    drawn = estimates({key: flow.installed for key, flow in flows.items()})
    assert max(drawn, key=lambda key: drawn[key].low) != 0
    assert drawn[0].value < 0.4


def test_estimates_lie_between_what_was_seen_and_what_is_common() -> None:
    shares = {n: Share(30 + 4 * n, 100) for n in range(10)} | {10: Share(4, 4)}
    common = prior(shares)
    for share in shares.values():
        drawn = estimate(share, common)
        ends = sorted((share.value or 0, common.mean))
        assert ends[0] <= drawn.value <= ends[1]
        assert drawn.low < drawn.value < drawn.high
    assert prior({n: Share(40, 100) for n in range(10)}).strength > common.strength
    assert prior({}) == Prior(0.5, 20.0)


def test_turns_are_said_where_they_are_no_chance_and_worth_a_word() -> None:
    assert change(Share(20, 25), Share(2, 25)).turn == "too_few"
    assert change(Share(80, 100), Share(40, 100)).turn == "up"
    assert change(Share(40, 100), Share(80, 100)).turn == "down"
    assert change(Share(45, 100), Share(40, 100)).turn == "same"
    assert change(Share(41_000, 100_000), Share(40_000, 100_000)).turn == "same"
    pairs = ((300, 200), (200, 300), (105, 100), (12, 3), (0, 0), (50, 0))
    assert [traffic(*pair).turn for pair in pairs] == [
        "up", "down", "same", "too_few", "too_few", "up",
    ]  # fmt: skip
    assert [pace(*pair) for pair in ((60, 30.0), (10, 30.0), (27, 30.0), (0, 0.0), (0, 2.0))] == [
        "up", "down", "same", "same", "same",
    ]  # fmt: skip


def test_days_slide_back_until_they_are_old_enough_and_no_further() -> None:
    week = Period(first=date(2026, 7, 13), last=date(2026, 7, 19))
    today = date(2026, 7, 20)
    assert week.of("now", today=today) == week
    assert week.of("week", today=today) == Period(first=date(2026, 7, 6), last=date(2026, 7, 12))
    assert week.of("month", today=today).last == date(2026, 6, 19)
    assert week.of("month", today=date(2027, 1, 1)) == week
    assert week.before() == Period(first=date(2026, 7, 6), last=date(2026, 7, 12))


def _flow(**steps: int) -> Flow:
    counts = Counts(**steps)
    return Flow(counts, counts, counts)
