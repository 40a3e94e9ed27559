"""What a change of all cards comes to: tables, and figures held against their bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench import push_service
from bench.report import Figure, Report, Table

RATE = 50.0
"""Receipts a second, all guests different."""
HANDED_OVER = 90.0
"""Seconds that a bar gives to all cards."""


@dataclass(frozen=True, slots=True)
class Calm:
    """Receipts while nothing else happens."""

    receipts: Sequence[float]  # seconds to the answer
    pushes: Sequence[float]  # seconds from the receipt to the push that Apple accepted


@dataclass(frozen=True, slots=True)
class Storm:
    """All cards change; moments are seconds since the command was started."""

    first_commit: float
    first_push: float
    changed: float  # the command ended
    handed_over: float  # the last card's push was accepted
    while_changing: Sequence[float]  # receipts, seconds to the answer
    while_pushing: Sequence[float]  # those after the last card was changed
    pushed_while_changing: Sequence[float]  # seconds from a receipt to the next push that Apple accepted
    ceiling: float  # pushes per second of its own processor that the push service took
    refused: int  # receipts
    peak: float  # megabytes of all processes, the command included
    cpu: float  # seconds of the same


def share(values: Sequence[float], share: float) -> float:
    """Milliseconds that this share of the values kept within; 0 where there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1e3 if ordered else 0.0


def report(cards: int, measured: Sequence[tuple[str, Calm, Storm]]) -> Report:
    """Of each kind of database, what was measured on it."""
    return Report(
        title=f"{cards:,} changed cards handed to Apple, while tills go on",
        about=(
            f"`perkpass design move` gives {cards:,} cards a new design, 50 to 200 a transaction, and every"
            " phone is promised a silent push; the worker claims, sends and settles meanwhile. SQLite is"
            " `perkpass run`; PostgreSQL (with Redis) is one `perkpass web` and two `perkpass worker`."
            " Workers leave the web first choice of the processor. All the time"
            f" tills record {RATE:.0f} receipts a second, each for another guest, and the latency counts from"
            " the moment a receipt is due. Times count from the start of the command. Memory is the highest"
            " sum of PSS over all processes of the service, the command included and PostgreSQL left out;"
            " push service, tills and observer run on the same cores. *Calm* is the same rate of receipts"
            " with nothing else going on, before; the bar of a receipt's push is for that. While all cards"
            " change, a receipt shares the push that its phone gets anyway or follows it after the time in"
            " which changes share one push (10 s); the table has the time to the phone's next accepted push."
            " The push service's ceiling is by its own processor time."
        ),
        tables=(_storms(measured), _receipts(measured)),
        figures=(
            *(figure for kind, calm, storm in measured for figure in _figures(kind, calm, storm)),
            push_service.ceiling_figure(
                "hundred_thousand", min(storm.ceiling for *_, storm in measured), cards / HANDED_OVER
            ),
        ),
    )


def _storms(measured: Sequence[tuple[str, Calm, Storm]]) -> Table:
    return Table(
        "From the command to the last push",
        ("", *(kind for kind, _, _ in measured)),
        (
            ("first commit, s", *(f"{storm.first_commit:.2f}" for *_, storm in measured)),
            ("first push, s", *(f"{storm.first_push:.2f}" for *_, storm in measured)),
            ("all cards changed, s", *(f"{storm.changed:.1f}" for *_, storm in measured)),
            ("all pushes accepted, s", *(f"{storm.handed_over:.1f}" for *_, storm in measured)),
            ("processor time of the service, s", *(f"{storm.cpu:.1f}" for *_, storm in measured)),
            ("highest memory, MB", *(f"{storm.peak:.0f}" for *_, storm in measured)),
            ("push service's ceiling, pushes/s", *(f"{storm.ceiling:,.0f}" for *_, storm in measured)),
        ),
    )


def _receipts(measured: Sequence[tuple[str, Calm, Storm]]) -> Table:
    rows = []
    for kind, calm, storm in measured:
        for what, latencies in (
            ("calm, to the answer", calm.receipts),
            ("calm, to the accepted push", calm.pushes),
            ("while cards are changed, to the answer", storm.while_changing),
            ("while cards are changed, to the accepted push", storm.pushed_while_changing),
            ("while the rest is pushed, to the answer", storm.while_pushing),
        ):
            shares = (f"{share(latencies, part):.0f}" for part in (0.5, 0.95, 0.99, 1.0))
            rows.append((f"{kind}: {what}", f"{len(latencies):,}", *shares))
    return Table(
        f"Receipts at {RATE:.0f} a second, ms", ("", "receipts", "p50", "p95", "p99", "longest"), tuple(rows)
    )


def _figures(kind: str, calm: Calm, storm: Storm) -> tuple[Figure, ...]:
    if not storm.while_changing:
        raise RuntimeError("no receipt was due while cards were changed: take more cards")
    key = f"hundred_thousand.{kind.lower()}"
    first_push = max(0.0, storm.first_push - storm.first_commit)
    receipts, pushes = share(storm.while_changing, 0.95), share(calm.pushes, 0.95)
    figures = (
        Figure(
            f"{key}.handed_over",
            f"all cards changed and pushed, {kind}",
            storm.handed_over,
            "s",
            at_most=HANDED_OVER,
        ),
        Figure(f"{key}.first_push", f"first commit to first push, {kind}", first_push, "s", at_most=1),
        Figure(
            f"{key}.receipts", f"receipt p95 while cards are changed, {kind}", receipts, "ms", at_most=100
        ),
        Figure(f"{key}.refused", f"receipts refused meanwhile, {kind}", storm.refused, "", at_most=0),
        Figure(
            f"{key}.receipt_push",
            f"receipt to accepted push in calm, p95, {kind}",
            pushes,
            "ms",
            at_most=1000,
        ),
    )
    if kind != "SQLite":  # the bar is for one machine
        return figures
    return (*figures, Figure(f"{key}.memory", f"memory meanwhile, {kind}", storm.peak, "MB", at_most=300))
