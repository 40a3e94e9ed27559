"""What may be said of groups of one funnel: which is better or worse than the others, where it loses guests.

Each group is held against all others together by Fisher's exact test. Many groups are judged at once, so
chance alone would always find some: the procedure of Benjamini and Hochberg (1995) keeps the expected part of
what is said wrongly under :data:`WRONGLY`, and the chance that anything is said where nothing differs. Gaps
below :data:`WORTH` are not worth a word, however sure they are. ``bench/funnel.py`` counts false alarms.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Literal, TypeVar

from app.places.funnel_counts import Cohort, Flow, Step, before, cohort_of, share, way
from app.places.funnel_intervals import Share, difference
from app.places.visits import VisitEventKind

Verdict = Literal["alone", "too_few", "no_difference", "better", "worse"]
FEWEST = 30
"""Visits in a group, and in all others together, below which nothing is compared."""
WRONGLY = 0.05
"""Of what is said, the part that may be wrong."""
WORTH = 0.03
"""A difference of shares that is worth a word."""
ALIKE = 0.10
"""Who surely differs by less may be said to be as the others; where that is not sure, nothing can be told."""
_TINY = 1e-12
_EACH = WRONGLY / 2
"""Two things are said of each group: how it is as a whole, and where it loses."""
_NO_NEWS = 2 * WRONGLY
"""A chance above this gives up nothing, however large it is exactly."""

_Key = TypeVar("_Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Loss:
    """A step at which a group surely loses more guests than the others together."""

    step: Step
    here: Share
    elsewhere: Share


@dataclass(frozen=True, slots=True)
class Judgement:
    """What may be said of a group; ``losses``, the greatest first, are empty where the data carry none."""

    verdict: Verdict
    losses: tuple[Loss, ...] = ()

    @property
    def loses_at(self) -> Step | None:
        """Where it loses most."""
        return self.losses[0].step if self.losses else None


def judge(flows: Mapping[int, Flow], total: Flow, *, codes: bool) -> dict[int, Judgement]:
    """Every group against all others together; ``total`` is all of them."""
    if len(flows) == 1:
        return dict.fromkeys(flows, Judgement("alone"))
    verdicts, losses = _verdicts(flows, total), _losses(flows, total, codes=codes)
    return {key: Judgement(verdicts[key], losses.get(key, ())) for key in flows}


def _verdicts(flows: Mapping[int, Flow], total: Flow) -> dict[int, Verdict]:
    """By the whole way, from the scan to the card."""
    pairs = dict(_pairs(flows, total, "now", "added", "scan"))
    surely = discoveries({key: min(1.0, 2 * _tail(*pair)) for key, pair in pairs.items()})
    said: dict[int, Verdict] = dict.fromkeys(flows, "too_few")
    for key, pair in pairs.items():
        gap = _gap(*pair)
        if key in surely and abs(gap) >= WORTH:
            said[key] = "worse" if gap > 0 else "better"
        elif _surely_alike(*pair):
            said[key] = "no_difference"
    return said


def _losses(flows: Mapping[int, Flow], total: Flow, *, codes: bool) -> dict[int, tuple[Loss, ...]]:
    chances: dict[tuple[int, Step], float] = {}
    found: dict[tuple[int, Step], Loss] = {}
    for step in way(codes=codes):
        for key, (here, elsewhere) in _pairs(flows, total, cohort_of(step), step, before(step, codes=codes)):
            # Only losses are looked for: who does as well as the others has no chance to be one.
            chances[key, step] = 1.0
            if here.count * elsewhere.out_of < elsewhere.count * here.out_of:
                found[key, step] = Loss(step, here, elsewhere)
                chances[key, step] = fisher(here, elsewhere, enough=_NO_NEWS)
    by_group: dict[int, list[Loss]] = {}
    for sure in discoveries(chances):
        loss = found.get(sure)
        if loss is not None and _gap(loss.here, loss.elsewhere) >= WORTH:
            by_group.setdefault(sure[0], []).append(loss)
    return {key: tuple(sorted(losses, key=_lost, reverse=True)) for key, losses in by_group.items()}


def _pairs(
    flows: Mapping[int, Flow], total: Flow, cohort: Cohort, kind: VisitEventKind, of: VisitEventKind
) -> Iterator[tuple[int, tuple[Share, Share]]]:
    """Each group's share and that of all others, where there are enough of both."""
    counts, taken, came = attrgetter(cohort), attrgetter(kind), attrgetter(of)
    whole = counts(total)
    all_taken, all_came = taken(whole), came(whole)
    for key, flow in flows.items():
        own = counts(flow)
        n = came(own)
        if FEWEST <= n <= all_came - FEWEST:
            yield key, (share(taken(own), n), share(all_taken - taken(own), all_came - n))


def discoveries(chances: Mapping[_Key, float], *, wrongly: float = _EACH) -> set[_Key]:
    """Which hypotheses may be given up by their chances, at most ``wrongly`` of them in error."""
    ordered = sorted(chances.items(), key=lambda item: item[1])
    last = max(
        (rank for rank, (_, p) in enumerate(ordered, 1) if p <= wrongly * rank / len(ordered)), default=0
    )
    return {key for key, _ in ordered[:last]}


def fisher(here: Share, elsewhere: Share, *, enough: float = 1.0) -> float:
    """How likely ``here`` would be as few as it is, or fewer, if both were alike (Fisher's exact test).

    Where the chance is more than ``enough``, it may be told as anything between.
    """
    n, m = here.out_of, elsewhere.out_of
    successes, whole = here.count + elsewhere.count, n + m
    lowest = max(0, successes - m)
    k = here.count
    chance = math.exp(_choose(successes, k) + _choose(whole - successes, n - k) - _choose(whole, n))
    summed = chance
    while k > lowest and _TINY * summed < chance and summed <= enough:
        chance *= k * (m - successes + k) / ((successes - k + 1) * (n - k + 1))
        summed += chance
        k -= 1
    return min(1.0, summed)


def _tail(here: Share, elsewhere: Share) -> float:
    """The chance of a difference as large as this one, to the side that it is on."""
    if (here.value or 0) <= (elsewhere.value or 0):
        return fisher(here, elsewhere, enough=_NO_NEWS)
    return fisher(_others_of(here), _others_of(elsewhere), enough=_NO_NEWS)


def _others_of(one: Share) -> Share:
    return Share(one.out_of - one.count, one.out_of)


def _surely_alike(here: Share, elsewhere: Share) -> bool:
    lowest, highest = difference(here, elsewhere)
    return lowest >= -ALIKE and highest <= ALIKE


def _gap(here: Share, elsewhere: Share) -> float:
    return (elsewhere.value or 0) - (here.value or 0)


def _lost(loss: Loss) -> float:
    """Which part of the guests that others bring through this step is lost here: comparable between steps."""
    return _gap(loss.here, loss.elsewhere) / (loss.elsewhere.value or 1)


def _choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
