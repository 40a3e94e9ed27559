"""The demo's earlier guests: two weeks to compare, told to the rooms, with nobody left to be pushed to."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from app.accounts import brands
from app.commands import demo_past
from app.db import connect
from app.delivery.tables import delivery
from app.passes.tables import device
from app.places import funnel, tallies
from app.settings import load
from tests.commands.conftest import Run


def test_the_demo_has_a_week_to_compare_with_another(perkpass: Run, chain_file: Path) -> None:
    perkpass("chain", "load", chain_file)
    now = datetime.now(UTC)
    named = ("--name-ru", "Скидка", "--name-en", "A discount", "--percent", "10")
    since = ("--from", f"{now - timedelta(days=30):%Y-%m-%d}")
    assert perkpass("offer", "create", "pechka", demo_past.WELCOME, *named, *since).status == 0
    with closing(connect(load().resolved_database_url, pool_size=1)) as database:
        made = demo_past.fill(database, now=now, days=(1, 9))
        with database.read() as tx:
            brand = brands.all_brands(tx)[0]
            week = funnel.last_days(7, time_zone=brand.time_zone, now=now)
            before = funnel.period(week.first - timedelta(days=7), week.first - timedelta(days=1))
            counts = [
                funnel.funnel(tx, brand.id, by="venue", period=each, now=now).total.now
                for each in (week, before)
            ]
            tokens = set(tx.scalars(select(device.c.push_token)))
            promised = tx.scalar(select(func.count()).select_from(delivery))
        with database.write() as tx:
            assert tallies.mend(tx) == 0  # as counted anew from every step
    assert made > 10
    [offer] = perkpass("offer", "list", "pechka", "--json").json
    assert offer["granted"] > offer["redeemed"] > 0
    for each in counts:
        assert each.scan > each.page > each.form > each.added > 0
    assert counts[0].receipt > 0
    assert tokens <= {demo_past.token(number) for number in range(demo_past.MOST_PHONES)}
    assert tokens
    assert promised == 0
