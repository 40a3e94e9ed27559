"""How soon an audience is counted among a million guests, frozen, and walked from the first to the last.

``python -m bench.audience [GUESTS] [ROUNDS]``. Guests are those of :mod:`bench.audience_world`; some changes
are not folded yet, as a busy minute leaves them. Counts stand beside a bare ``count(*)`` of the same table.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median

import psycopg
from sqlalchemy import func, select

from app.campaigns import audiences
from app.campaigns.audience import PRESETS, Audience
from app.db import Database, connect
from app.db.identifiers import BrandId, MemberId
from app.loyalty.habit_tables import habit
from bench import arguments, audience_world, plans, usage
from bench.report import Figure, Report, Table, deliver
from tests import servers

GUESTS, ROUNDS, STEP = 1_000_000, 5, 200
LEAST = 1_000
"""Fewer guests are no crowd."""
AUDIENCES = {
    **{name: PRESETS[name] for name in ("everybody", "never", "asleep", "best", "leaving", "silent")},
    "narrow": Audience(
        activity=("regular", "constant"),
        check=("high",),
        recency=(3, 4, 5),
        wallet=("added",),
        consent=True,
    ),
    "widest": Audience(
        activity=("new", "regular", "constant", "asleep", "never"),
        languages=("ru", "en"),
        phone=("verified", "given", "none"),
        wallet=("added", "removed", "none"),
    ),
}
"""Presets, one that few pass by five filters, and one that most pass by four."""
WALKED = ("everybody", "narrow")
"""From the first to the last."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Of one audience on one kind of database; seconds are medians."""

    kind: str
    audience: str
    found: int
    count: float
    bare: float  # a count(*) of all that is kept
    freeze: float
    plan: Sequence[str]


@dataclass(frozen=True, slots=True)
class Walked:
    """From the first to the last, by steps of :data:`STEP`."""

    kind: str
    audience: str
    found: int
    seconds: float
    step: float  # the median
    longest: float
    memory: float  # MB that it took beyond what was there


def main() -> None:
    """Fill, measure, report."""
    told = arguments.parser("audience")
    told.add_argument("guests", nargs="?", type=arguments.number(LEAST), default=GUESTS, help="of the brand")
    told.add_argument("rounds", nargs="?", type=arguments.number(), default=ROUNDS, help="of every question")
    given = told.parse_args()
    counted: list[Counted] = []
    walked: list[Walked] = []
    with tempfile.TemporaryDirectory() as name:
        for kind, url in _addresses(Path(name)):
            database = connect(url)
            brand_id, now = audience_world.fill(database, given.guests)
            counted += [_count(kind, database, brand_id, one, now, given.rounds) for one in AUDIENCES]
            walked += [_walk(kind, database, brand_id, one, now) for one in WALKED]
            database.close()
    deliver(_report(given.guests, counted, walked))


def _addresses(directory: Path) -> Iterator[tuple[str, str]]:
    """One kind after the other, that they do not disturb each other."""
    yield "SQLite", f"sqlite:///{directory / 'audience.db'}"
    if servers.postgresql_binaries():
        with servers.postgresql() as server:
            with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
                connection.execute("CREATE DATABASE audience")
            yield "PostgreSQL", server.url("audience")


def _count(
    kind: str, database: Database, brand_id: BrandId, name: str, now: datetime, rounds: int
) -> Counted:
    audience = AUDIENCES[name]
    with database.read() as tx:
        with plans.statements_of(database) as statements:
            found = audiences.count(tx, brand_id, audience, now).all
        bare = _median(lambda: tx.scalar(select(func.count()).select_from(habit)), rounds)
        count = _median(lambda: audiences.count(tx, brand_id, audience, now), rounds)
        freeze = _median(lambda: audiences.freeze(tx, brand_id, audience, now), rounds)
        asked = next(one for one in statements if "FILTER (WHERE" in one)
        plan = [line[:160] for line in plans.plan(tx, asked, statements[asked])]
    return Counted(kind, name, found, count, bare, freeze, plan)


def _walk(kind: str, database: Database, brand_id: BrandId, name: str, now: datetime) -> Walked:
    """Each step in a transaction of its own, as a campaign takes them."""
    with database.read() as tx:
        frozen = audiences.freeze(tx, brand_id, AUDIENCES[name], now)
    before, most = usage.pss_of(os.getpid()), 0.0
    steps: list[float] = []
    found, after, more = 0, MemberId(0), True
    while more:
        began = time.perf_counter()
        with database.read() as tx:
            part = audiences.walk(tx, frozen, after, STEP)
        steps.append(time.perf_counter() - began)
        if more := bool(part):
            found, after = found + len(part), part[-1].member_id
        if len(steps) % 100 == 1:
            most = max(most, usage.pss_of(os.getpid()))
    return Walked(kind, name, found, sum(steps), median(steps), max(steps), max(0.0, most - before))


def _median(ask: Callable[[], object], rounds: int) -> float:
    ask()
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        ask()
        taken.append(time.perf_counter() - began)
    return median(taken)


def _report(guests: int, counted: Sequence[Counted], walked: Sequence[Walked]) -> Report:
    counts = tuple(
        (
            one.kind, one.audience, f"{one.found:,}", f"{one.count * 1000:,.0f} ms",
            f"{one.bare * 1000:,.0f} ms", f"{one.count / one.bare:.1f}", f"{one.freeze * 1000:,.1f} ms",
        )
        for one in counted
    )  # fmt: skip
    walks = tuple(
        (
            one.kind, one.audience, f"{one.found:,}", f"{one.found / one.seconds:,.0f}/s",
            f"{one.step * 1000:,.1f} ms", f"{one.longest * 1000:,.1f} ms", f"{one.memory:,.1f} MB",
        )
        for one in walked
    )  # fmt: skip
    return Report(
        title="Audiences",
        about=(
            f"Audiences among {guests:,} guests of one brand, one in {audience_world.UNFOLDED:,} of whom"
            " has changes that are not folded yet: a live count with all of its numbers beside a bare count"
            " of the rows that are kept, a freeze, and a walk from the first guest to the last by steps of"
            f" {STEP} recipients with their cards, whose consents and phones are asked of the tables"
            " themselves. Medians, everything in memory."
        ),
        tables=(
            Table("Counts", ("database", "audience", "guests", "count", "bare", "ratio", "freeze"), counts),
            Table("Walks", ("database", "audience", "guests", "rate", "step", "longest", "memory"), walks),
        ),
        figures=tuple(_figures(guests, counted)),
        notes=tuple(
            f"{one.kind}, {one.audience}:\n\n```\n" + "\n".join(one.plan) + "\n```"
            for one in counted
            if one.audience in WALKED
        ),
    )


def _figures(guests: int, counted: Sequence[Counted]) -> Iterator[Figure]:
    """The slowest count of each kind, where there are as many guests as the bar is for."""
    for kind, most in (("SQLite", 1_500), ("PostgreSQL", 1_000)):
        of_kind = [one.count for one in counted if one.kind == kind]
        if of_kind and guests >= GUESTS:
            yield Figure(
                key=f"audience.{kind.lower()}.count",
                what=f"the slowest live count of an audience among {guests:,} guests, {kind}",
                value=max(of_kind) * 1000,
                unit="ms",
                at_most=most,
            )


if __name__ == "__main__":
    main()
