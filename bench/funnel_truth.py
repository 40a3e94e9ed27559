"""Chains of which the truth is known, and how often the funnel says of them what is not so."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from app.places import funnel_verdicts
from app.places.funnel_changes import changes, traffic
from app.places.funnel_counts import Counts, Flow, Step, total
from app.places.funnel_estimates import estimates

USUAL: Mapping[Step, float] = {
    "page": 0.92,
    "form": 0.45,
    "code": 0.71,
    "added": 0.85,
    "receipt": 0.6,
    "active": 0.4,
}
"""Of the step before, in the example that the console is judged by: 71 % get past the code."""
Truth = Mapping[Step, float]
FEW, SOME, MANY = 100, 400, 10**9
"""Scans below which a venue is called small, or middling."""


@dataclass(frozen=True, slots=True)
class Chain:
    """Venues with what is true of each, and what was seen of them in a month."""

    truths: Mapping[int, Truth]
    seen: Mapping[int, Flow]

    def loses(self, venue: int, step: Step) -> bool:
        """Whether that is so: fewer take the step here than in the other venues together."""
        others = [key for key in self.truths if key != venue]
        came = [_out_of(self.seen[key], step) for key in others]
        elsewhere = sum(n * self.truths[key][step] for n, key in zip(came, others, strict=True)) / max(
            1, sum(came)
        )
        return self.truths[venue][step] < elsewhere - 1e-9


@dataclass(slots=True)
class Score:
    """What was said of many chains."""

    chains: int = 0
    spoken: int = 0  # chains of which anything was said
    alarms: int = 0
    false: int = 0
    topped_by_few: int = 0  # lists whose first has fewer scans than may be compared
    planted: dict[str, int] = field(default_factory=dict)
    found: dict[str, int] = field(default_factory=dict)

    @property
    def false_share(self) -> float:
        """Of the alarms."""
        return self.false / self.alarms if self.alarms else 0.0


def alike(_chance: random.Random) -> Truth:
    """Nobody differs from anybody."""
    return USUAL


def one_in_ten(chance: random.Random) -> Truth:
    """One venue of ten loses nearly half of its guests at one step: 38 % of 71 %."""
    if chance.random() >= 0.1:
        return USUAL
    step = chance.choice(list(USUAL))
    return {**USUAL, step: USUAL[step] * 38 / 71}


def each_a_little(chance: random.Random) -> Truth:
    """Every venue is a little of its own, and one of ten loses as above."""
    return {step: _logistic(_logit(p) + chance.gauss(0, 0.15)) for step, p in one_in_ten(chance).items()}


def simulate(
    chance: random.Random, *, chains: int, venues: int, truth: Callable[[random.Random], Truth]
) -> Score:
    """Judge so many chains."""
    score = Score()
    for _ in range(chains):
        _judge(chain(chance, venues, truth), score)
    return score


def chain(chance: random.Random, venues: int, truth: Callable[[random.Random], Truth]) -> Chain:
    """One chain's month: a few venues with seven scans, most with some hundred, some with thousands."""
    truths = {venue: truth(chance) for venue in range(venues)}
    scans = {venue: max(7, round(math.exp(chance.gauss(math.log(250), 1.2)))) for venue in truths}
    return Chain(truths, {venue: visits(chance, scans[venue], truths[venue]) for venue in truths})


def visits(chance: random.Random, scans: int, truth: Truth) -> Flow:
    """What became of so many scans, each guest for themselves."""
    taken = {"scan": scans}
    before = scans
    for step, share in truth.items():
        taken[step] = before = binomial(chance, before, share)
    counts = Counts(**taken)
    return Flow(counts, counts, counts)


def weeks_that_turn(chance: random.Random, *, pairs: int) -> tuple[float, float]:
    """Of pairs of equal weeks, the part of which any step, or the scans, are called up or down."""
    steps, scans = 0, 0
    for _ in range(pairs):
        expected = math.exp(chance.gauss(math.log(250), 1.0))
        one, other = (visits(chance, max(1, poisson(chance, expected)), USUAL) for _ in range(2))
        turns = changes(one, other, codes=True).values()
        steps += any(change.turn in ("up", "down") for change in turns)
        scans += traffic(one.now.scan, other.now.scan).turn in ("up", "down")
    return steps / pairs, scans / pairs


def _judge(seen: Chain, score: Score) -> None:
    judged = funnel_verdicts.judge(seen.seen, total(seen.seen.values()), codes=True)
    said = {(venue, loss.step) for venue, judgement in judged.items() for loss in judgement.losses}
    score.chains += 1
    score.spoken += any(one.losses or one.verdict in ("better", "worse") for one in judged.values())
    score.alarms += len(said)
    score.false += sum(not seen.loses(venue, step) for venue, step in said)
    drawn = estimates({venue: flow.installed for venue, flow in seen.seen.items()})
    for first in (max(drawn, key=lambda venue: drawn[venue].low), min(drawn, key=lambda v: drawn[v].high)):
        score.topped_by_few += seen.seen[first].now.scan < funnel_verdicts.FEWEST
    for venue, truth in seen.truths.items():
        for step, share in truth.items():
            if share < 0.7 * USUAL[step]:
                size = _size(seen.seen[venue].now.scan)
                score.planted[size] = score.planted.get(size, 0) + 1
                score.found[size] = score.found.get(size, 0) + ((venue, step) in said)


def _size(scans: int) -> str:
    return f"under {FEW}" if scans < FEW else f"{FEW} to {SOME}" if scans < SOME else f"over {SOME}"


def _out_of(flow: Flow, step: Step) -> int:
    return flow.share(step, codes=True).out_of


def binomial(chance: random.Random, n: int, p: float) -> int:
    """Exact, in time of the logarithm of ``n``: halves by an order statistic (Devroye 1986, X.4.3)."""
    count = 0
    while n > 24:
        middle = n // 2 + 1
        x = chance.betavariate(middle, n - middle + 1)
        if x >= p:
            n, p = middle - 1, p / x
        else:
            count, n, p = count + middle, n - middle, (p - x) / (1 - x)
    return count + sum(chance.random() < p for _ in range(n))


def poisson(chance: random.Random, mean: float) -> int:
    """As many events of chance as come in so long a time; for many, through a fine binomial."""
    if mean > 30:
        return binomial(chance, 1_000_000, min(1.0, mean / 1_000_000))
    least, product, count = math.exp(-mean), chance.random(), 0
    while product > least:
        product *= chance.random()
        count += 1
    return count


def _logit(p: float) -> float:
    return math.log(p / (1 - p))


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))
