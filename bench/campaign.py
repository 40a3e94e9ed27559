"""A campaign to 120,000 cards while tills go on: embedded on two cores, and distributed.

``python -m bench.campaign [CARDS]``. The worker assigns everybody, has every card say its line and hands
every push to Apple; settings are an operator's defaults, but that no hour is quiet. The push service, the
tills and this observer are processes on the same cores, and not part of what is measured.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from datetime import time as clock_time
from importlib import import_module
from pathlib import Path

from sqlalchemy import func, insert, literal, select, text

from app.accounts import brands
from app.campaigns import lifecycle, limits
from app.campaigns.limits import Limits
from app.campaigns.plan import Arm, Plan
from app.campaigns.tables import recipient
from app.db import Database, connect
from app.delivery.quiet_hours import QuietHours
from app.loyalty.tables import consent, member
from app.passes.content import LocalizedText
from bench import arguments, push_record, push_service, usage
from bench.hundred_thousand import DEFAULTS, PATIENCE
from bench.installations import Inhabited, inhabited
from bench.push_record import PushRecord
from bench.report import Figure, Report, Table, deliver
from bench.storm_report import HANDED_OVER, RATE, share
from bench.storms import count, first_since, latencies, started, watched
from bench.tills import Tills
from bench.world import BRAND
from tests.flows.installation import until

CARDS = 120_000
LINE = LocalizedText("{name|Друг}, кофе за полцены до воскресенья", "{name|Friend}, coffee at half price")


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of it on one kind of database; moments are seconds since the campaign was begun."""

    kind: str
    first_push: float
    spoken: float  # the last card was made to speak
    handed_over: float  # the last push was accepted
    receipts: Sequence[float]  # seconds to the answer, meanwhile
    refused: int
    peak: float  # megabytes
    cpu: float  # seconds
    growth: float  # bytes of the database a guest
    ceiling: float  # pushes a second of its own processor that the push service took


def main() -> None:
    """Measure both ways of running, and report."""
    told = arguments.parser("campaign")
    told.add_argument("cards", nargs="?", type=arguments.number(), default=CARDS, help="in the world")
    cards = told.parse_args().cards
    measured = []
    with (
        tempfile.TemporaryDirectory() as name,
        inhabited(Path(name), cards, history=True) as places,
    ):
        for place in places:
            installation = place.installation
            with push_record.running(installation.authority, Path(name) / f"push {place.kind}") as record:
                installation.settings |= {**DEFAULTS, "PERKPASS_APNS_URL": record.url}
                everybody_agrees(place)
                with started(place):
                    measured.append(_send(place, record, cards))
    deliver(_report(cards, measured))


def everybody_agrees(place: Inhabited) -> None:
    """To advertising, so that as many are told as there are cards; and at any hour."""
    import_module("app.campaigns.tables")
    database, now = connect(place.database_url), datetime.now(UTC)
    words = {
        "purpose": "advertising", "granted": True, "text_version": "1", "text": "Согласен", "language": "ru",
        "source": "install page",
    }  # fmt: skip
    columns = [consent.c[name] for name in words]
    with database.write() as tx:
        everybody = select(
            member.c.id, literal(now, consent.c.at.type), *(literal(value) for value in words.values())
        )
        tx.execute(insert(consent).from_select([consent.c.member_id, consent.c.at, *columns], everybody))
        brand_id = brands.brand_by_slug(tx, BRAND).id
        any_hour = QuietHours(clock_time(0), clock_time(0))
        limits.save(tx, brand_id, Limits(most=100, quiet=any_hour), now=now, actor="bench")
    if database.is_sqlite:
        with database.autocommit() as tx:
            tx.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    database.close()


def _send(place: Inhabited, record: PushRecord, cards: int) -> Sent:
    guests = list(range(cards))
    random.Random(7).shuffle(guests)
    database = connect(place.database_url)
    before, spent, told = _size(database), usage.cpu_seconds(record.pid), count(record.pushes())
    tills = Tills(place.installation.port, place.world, guests, rate=RATE)
    time.sleep(1)
    with watched(place) as seen:
        began = _begin(database)
        until(lambda: _spoken(database) >= cards, seconds=PATIENCE, what="every card's line")
        spoken = time.time()
        until(lambda: record.reached(since=began) >= cards, seconds=PATIENCE, what="every card's push")
    rung, pushes = tills.stop(), record.pushes()
    taken = (count(pushes) - told) / (usage.cpu_seconds(record.pid) - spent)
    rung_up = {one.number for one in rung}  # pushed for the receipt, perhaps before its line
    first = [
        first_since(pushes[place.world.push_token(number)], began)
        for number in range(cards)
        if number not in rung_up
    ]
    grown = _size(database) - before
    database.close()
    return Sent(
        kind=place.kind,
        first_push=min(first) - began,
        spoken=spoken - began,
        handed_over=max(first) - began,
        receipts=latencies(rung, began, spoken),
        refused=sum(not one.taken for one in rung),
        peak=max(seen.memory),
        cpu=seen.cpu,
        growth=grown / cards,
        ceiling=taken,
    )


def _begin(database: Database) -> float:
    now = datetime.now(UTC)
    plan = Plan(arms=(Arm(name="one", line=LINE),), holdout=0, canary_minutes=None)
    with database.write() as tx:
        brand_id = brands.brand_by_slug(tx, BRAND).id
        made = lifecycle.create(tx, brand_id, "Half price", plan, now=now, actor="bench")
        lifecycle.begin(tx, brand_id, made, now=now, actor="bench")
    return time.time()


def _spoken(database: Database) -> int:
    time.sleep(0.5)
    with database.autocommit() as tx:
        return tx.scalar(select(func.count()).where(recipient.c.state != "waiting")) or 0


def _size(database: Database) -> float:
    """Bytes."""
    with database.autocommit() as tx:
        if database.is_sqlite:
            pages = tx.scalar(text("PRAGMA page_count")) or 0
            return float(pages * (tx.scalar(text("PRAGMA page_size")) or 0))
        return float(tx.scalar(text("SELECT pg_database_size(current_database())")) or 0)


def _report(cards: int, measured: Sequence[Sent]) -> Report:
    rows = (
        ("first push, s", *(f"{one.first_push:.2f}" for one in measured)),
        ("every card speaks, s", *(f"{one.spoken:.1f}" for one in measured)),
        ("all pushes accepted, s", *(f"{one.handed_over:.1f}" for one in measured)),
        ("receipts meanwhile, p50, ms", *(f"{share(one.receipts, 0.5):.0f}" for one in measured)),
        ("receipts meanwhile, p95, ms", *(f"{share(one.receipts, 0.95):.0f}" for one in measured)),
        ("processor time of the service, s", *(f"{one.cpu:.1f}" for one in measured)),
        ("highest memory, MB", *(f"{one.peak:.0f}" for one in measured)),
        ("growth of the database, bytes a guest", *(f"{one.growth:,.0f}" for one in measured)),
        ("push service's ceiling, pushes/s", *(f"{one.ceiling:,.0f}" for one in measured)),
    )
    return Report(
        title=f"A campaign to {cards:,} cards, while tills go on",
        about=(
            "One line with the guest's name to everybody, nobody held out, no canary. The worker walks the"
            " audience, asks for consent and for what other campaigns said, assigns, changes each card and"
            " hands each push to Apple; 50 to 200 guests a transaction, with rests for tills. SQLite"
            " is `perkpass run`; PostgreSQL (with Redis) is one `perkpass web` and two `perkpass worker`. All"
            f" the time tills record {RATE:.0f} receipts a second. Times count from the commit that begins"
            " the campaign. Memory is the highest sum of PSS over the service's processes; push service,"
            " tills and observer run on the same cores."
        ),
        tables=(Table("From the beginning to the last push", ("", *(one.kind for one in measured)), rows),),
        figures=(
            *(figure for one in measured for figure in _figures(one)),
            push_service.ceiling_figure(
                "campaign", min(one.ceiling for one in measured), cards / HANDED_OVER
            ),
        ),
    )


def _figures(one: Sent) -> tuple[Figure, ...]:
    key = f"campaign.{one.kind.lower()}"
    receipts = share(one.receipts, 0.95)
    figures = (
        Figure(
            f"{key}.handed_over", f"campaign handed to Apple, {one.kind}", one.handed_over, "s",
            at_most=HANDED_OVER,
        ),
        Figure(f"{key}.first_push", f"begun to first push, {one.kind}", one.first_push, "s", at_most=1),
        Figure(
            f"{key}.receipts", f"receipt p95 while it expands, {one.kind}", receipts, "ms", at_most=100
        ),
        Figure(f"{key}.refused", f"receipts refused meanwhile, {one.kind}", one.refused, "", at_most=0),
    )  # fmt: skip
    if one.kind != "SQLite":  # the bar is for one machine
        return figures
    return (*figures, Figure(f"{key}.memory", f"memory meanwhile, {one.kind}", one.peak, "MB", at_most=300))


if __name__ == "__main__":
    main()
