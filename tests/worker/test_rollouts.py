"""The worker rolls a design out: phones are told, others get their turn, a killed one loses nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, update

from app.accounts.tables import brand
from app.db import Tx
from app.db.identifiers import BrandId, DesignId
from app.passes import rollouts
from app.passes.tables import rollout, wallet_pass
from app.worker.ticks import Tick, Ticker, rollout_tick
from tests.passes.shop import NOW, TYPE, content, publish
from tests.worker.conftest import Rig, now

CARDS = 1000


def begin(rig: Rig, *, percent: int) -> DesignId:
    """Version 2, on its way to so many percent of the cards."""
    with rig.database.write() as tx:
        second = publish(tx, rig.shop.programme_id, 2)
        owner = BrandId(tx.execute(select(brand.c.id)).scalar_one())
        rollouts.start(tx, rig.shop.programme_id, brand_id=owner, now=now(), actor="user:1")
        tx.execute(update(rollout).values(stage=rollouts.STAGES.index(percent)))
    return second


def moved(rig: Rig, design_id: DesignId) -> int:
    with rig.database.read() as tx:
        return tx.scalar(select(func.count()).where(wallet_pass.c.design_id == design_id)) or 0


def test_phones_are_told_by_the_worker_that_moved_their_cards(rig: Rig) -> None:
    rig.phones(12)
    second = begin(rig, percent=100)
    with rig.working(ticks=[rollout_tick(every=timedelta(seconds=1))]):
        rig.until(lambda: rig.states() == ["accepted"] * 12)
    assert moved(rig, second) == 12
    assert {row.kind for row in rig.rows()} == {"silent"}


@pytest.mark.timeout(120)
def test_a_worker_that_is_killed_is_followed_by_one_that_goes_on(
    rig: Rig, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    with rig.database.write() as tx:
        tx.execute(
            insert(wallet_pass),
            [
                {
                    "pass_type_identifier": TYPE,
                    "serial_number": f"card-{number}",
                    "design_id": rig.shop.design_id,
                    "content": content(number).to_json(),
                    "version": 1,
                    "tag": 1,
                    "last_modified": NOW.replace(microsecond=0),
                    "created_at": NOW,
                }
                for number in range(CARDS)
            ],
        )
    second = begin(rig, percent=100)
    command = [
        sys.executable, "-m", "tests.worker.workhand", database_url, redis_url or str(tmp_path / "hand"),
        rig.apns.url, str(rig.authority.root), str(rig.credentials), "10",
    ]  # fmt: skip
    reached: list[int] = []
    while moved(rig, second) < CARDS:
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            before = moved(rig, second)
            while moved(rig, second) == before and process.poll() is None:
                time.sleep(0.01)
            if not reached:
                process.kill()  # SIGKILL, in the middle of it
            else:
                rig.until(lambda: moved(rig, second) == CARDS, 60)
                process.kill()
        reached.append(moved(rig, second))
    assert 0 < reached[0] < CARDS
    with rig.database.read() as tx:
        assert set(tx.scalars(select(wallet_pass.c.version))) == {2}  # none twice


def test_after_a_step_that_held_others_up_the_work_rests(rig: Rig) -> None:
    done: list[datetime] = []

    def step(_tx: Tx, at: datetime) -> bool:
        done.append(at)
        return len(done) < 3

    slow = Tick("slow", timedelta(hours=1), step, lambda _held: 0.2)
    other = Tick("other", timedelta(seconds=1), lambda _tx, _at: False)
    ticker = Ticker(rig.database, [slow, other], owner="me")
    assert ticker.pause() is None
    began = time.monotonic()
    while len(done) < 3:
        if not ticker.step(NOW):
            pause = ticker.pause()
            assert pause is not None
            assert pause <= 0.2
            time.sleep(pause)
    assert time.monotonic() - began >= 0.4
