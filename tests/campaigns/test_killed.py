"""Workers that are killed while they send a campaign: another one goes on at once, and nobody is missed."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from sqlalchemy import func, insert, literal, select

from app.accounts import brands
from app.campaigns import lifecycle, limits
from app.campaigns import store_campaigns as store
from app.campaigns.fallback import Texting
from app.campaigns.limits import Limits
from app.campaigns.tables import recipient
from app.db import Database, connect
from app.delivery.tables import delivery
from app.loyalty.tables import consent, member
from app.passes.announcement_tables import announcement
from app.worker.campaign_sending import sending_tick
from app.worker.ticks import Ticker
from bench import world
from tests.campaigns.guests import plan
from tests.campaigns.test_sending import NEVER_QUIET
from tests.processes import FORKED

GUESTS = 2_000
KILLS = 3
RESUMED = timedelta(seconds=60)
"""After the next worker began: its first look comes within a second, but its machine may be busy."""


def send(database_url: str, name: str) -> None:
    """A worker that does nothing else."""
    for room in ("accounts", "places", "delivery", "passes", "loyalty", "campaigns"):
        import_module(f"app.{room}.tables")
    database = connect(database_url)
    ticker = Ticker(database, [sending_tick(Texting(), rate=100_000)], owner=name)
    while True:
        if not ticker.step(datetime.now(UTC)):
            time.sleep(ticker.pause() or 0.05)


@pytest.mark.timeout(180)
def test_whoever_is_killed_is_followed_at_once_and_every_guest_is_spoken_to_once(
    database: Database, database_url: str
) -> None:
    chance = random.Random(11)
    world.build(database, GUESTS, history=False)
    now = datetime.now(UTC)
    with database.write() as tx:
        words = {
            "purpose": "advertising",
            "granted": True,
            "text_version": "1",
            "text": "Да",
            "language": "ru",
        }
        values = {**words, "source": "install page"}
        everybody = select(
            member.c.id, literal(now, consent.c.at.type), *(literal(one) for one in values.values())
        )
        columns = [consent.c.member_id, consent.c.at, *(consent.c[one] for one in values)]
        tx.execute(insert(consent).from_select(columns, everybody))
        brand_id = brands.brand_by_slug(tx, world.BRAND).id
        limits.save(tx, brand_id, Limits(quiet=NEVER_QUIET), now=now, actor="test")
        made = lifecycle.create(tx, brand_id, "Half", plan(), now=now, actor="test")
        lifecycle.begin(tx, brand_id, made, now=now, actor="test")
    said = 0
    for number in range(KILLS + 1):
        process = FORKED.Process(target=send, args=(database_url, f"worker {number}"), daemon=True)
        process.start()
        last_one = number == KILLS
        wanted = GUESTS if last_one else said + 1
        began = time.monotonic()
        while _spoken(database) < wanted:
            assert process.is_alive()
            limit = 120.0 if last_one else RESUMED.total_seconds()
            assert time.monotonic() - began < limit, "nobody goes on"
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.4))  # at any moment of a step
        process.kill()
        process.join(10)
        said = _spoken(database)
        if said >= GUESTS:
            break
    with database.read() as tx:
        campaign = store.by_id(tx, made)
        assert campaign is not None
        states = tx.execute(select(recipient.c.state, func.count()).group_by(recipient.c.state)).all()
        assert [tuple(row) for row in states] == [("said", GUESTS)]
        lines, at_once = tx.execute(select(func.count(), func.count(announcement.c.version))).one()
        pushes = select(func.count(), func.count(func.distinct(delivery.c.device_id)))
        assert lines == GUESTS
        assert at_once > GUESTS * 0.99, "few cards say something that nobody has seen yet"
        assert tuple(tx.execute(pushes).one()) == (at_once, at_once)
    assert number == KILLS, "it was over before everybody had been killed"


def _spoken(database: Database) -> int:
    with database.read() as tx:
        return tx.scalar(select(func.count()).select_from(recipient)) or 0
