"""Staged roll-outs: which cards, how far, stopped, taken back; told as stories and in any order."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from app.accounts.tables import audit_entry
from app.db import Database, Tx
from app.db.identifiers import BrandId, DesignId, ProgrammeId, RolloutId, WalletPassId
from app.delivery.tables import delivery
from app.errors import Conflict, NotFound
from app.loyalty.tables import programme
from app.passes import issuing, rollouts, store_designs, store_moves
from app.passes.rollouts import Rollout
from app.passes.tables import design, wallet_pass
from tests.passes.shop import (
    NOW,
    TYPE,
    Shop,
    add_programme,
    content,
    open_shop,
    pending,
    plan_of,
    publish,
    register,
)
from tests.passes.test_designs import a_programme

MINUTE = timedelta(minutes=1)


def brand_id(tx: Tx, shop: Shop) -> BrandId:
    return BrandId(
        tx.execute(select(programme.c.brand_id).where(programme.c.id == shop.programme_id)).scalar_one()
    )


def start(tx: Tx, shop: Shop, target: DesignId | None = None) -> Rollout:
    return rollouts.start(tx, shop.programme_id, target, brand_id=brand_id(tx, shop), now=NOW, actor="user:1")


def go_on(tx: Tx, shop: Shop) -> Rollout:
    return rollouts.go_on(tx, shop.programme_id, brand_id=brand_id(tx, shop), now=NOW, actor="user:1")


def stop(tx: Tx, shop: Shop) -> Rollout:
    return rollouts.stop(tx, shop.programme_id, brand_id=brand_id(tx, shop), now=NOW, actor="user:1")


def back(tx: Tx, shop: Shop) -> Rollout:
    return rollouts.back(tx, shop.programme_id, brand_id=brand_id(tx, shop), now=NOW, actor="user:1")


def work(database: Database, *, most: int = 200, later: timedelta = timedelta(0)) -> int:
    """What the worker does until there is nothing to do; returns how many cards changed."""
    moved = 0
    while True:
        with database.write() as tx:
            done = rollouts.step(tx, now=NOW + later, most=most)
        moved += done.moved
        assert done.moved <= most
        if not done.more:
            return moved


def of(tx: Tx, design_id: DesignId) -> set[WalletPassId]:
    return set(tx.scalars(select(wallet_pass.c.id).where(wallet_pass.c.design_id == design_id)))


def state(tx: Tx, shop: Shop) -> str:
    found = rollouts.state(tx, shop.programme_id)
    assert found
    return found.rollout.state


def a_shop(database: Database, cards: int) -> tuple[Shop, DesignId]:
    """So many cards of version 1, and version 2 beside it."""
    shop = open_shop(database)
    with database.write() as tx:
        for number in range(cards):
            shop.issue(tx, number)
        return shop, publish(tx, shop.programme_id, 2)


def test_stages_hold_one_another_and_their_share_of_the_cards() -> None:
    rollout, cards = RolloutId(7), [WalletPassId(number) for number in range(1, 20_001)]
    one, ten, all_ = (
        {each for each in cards if rollouts.is_chosen(rollout, each, percent)} for percent in rollouts.STAGES
    )
    assert one < ten < all_ == set(cards)
    assert 140 < len(one) < 260  # of 200; six standard deviations are 84
    assert 1750 < len(ten) < 2250
    other = {each for each in cards if rollouts.is_chosen(RolloutId(8), each, 1)}
    assert len(one & other) < 20  # other guests are the first next time


def test_a_roll_out_waits_after_each_stage_and_tells_phones_silently(database: Database) -> None:
    shop, second = a_shop(database, 130)
    with database.write() as tx:
        cards = sorted(of(tx, shop.design_id))
        for pass_id in cards:
            register(tx, issuing.wallet_pass(tx, pass_id), f"phone-{pass_id}")
        begun = start(tx, shop)
    for stage, percent in enumerate(rollouts.STAGES):
        chosen = {each for each in cards if rollouts.is_chosen(begun.id, each, percent)}
        work(database, most=7)
        with database.write() as tx:
            assert of(tx, second) == chosen
            assert pending(tx) == sorted((f"phone-{each}", "silent") for each in chosen)
            assert state(tx, shop) == ("done" if stage == 2 else "waiting")
            if stage < 2:
                go_on(tx, shop)
    with database.read() as tx:
        versions = {
            tx.scalar(select(wallet_pass.c.version).where(wallet_pass.c.id == each)) for each in cards
        }
        assert versions == {2}  # each card changed once
        actions = list(tx.scalars(select(audit_entry.c.action).order_by(audit_entry.c.id)))
        assert actions == ["rollout.started", "rollout.continued", "rollout.continued"]


def test_the_first_stage_of_few_cards_takes_one_that_the_next_takes_too(database: Database) -> None:
    shop, second = a_shop(database, 3)
    with database.write() as tx:
        cards = of(tx, shop.design_id)
        begun = start(tx, shop)
    assert not any(rollouts.is_chosen(begun.id, each, 10) for each in cards), "a test of nothing"
    assert work(database) == 1
    with database.write() as tx:
        (first,) = of(tx, second)
        assert all(
            rollouts.is_chosen(begun.id, first, percent)
            for percent in range(101)
            if any(rollouts.is_chosen(begun.id, each, percent) for each in cards)
        )
        go_on(tx, shop)
    assert work(database) == 0  # it is a tenth of three already
    with database.write() as tx:
        assert state(tx, shop) == "waiting"
        go_on(tx, shop)
    assert work(database) == 2


def test_a_stopped_one_moves_nothing_and_goes_on_where_it_was(database: Database) -> None:
    shop, second = a_shop(database, 120)
    with database.write() as tx:
        start(tx, shop)
    work(database)
    with database.write() as tx:
        go_on(tx, shop)
    work(database)
    with database.write() as tx:
        go_on(tx, shop)
    with database.write() as tx:
        some = rollouts.step(tx, now=NOW, most=20)
        assert some.moved == 20
        reached = of(tx, second)
        stop(tx, shop)
    assert work(database) == 0
    with database.write() as tx:
        assert of(tx, second) == reached
        go_on(tx, shop)
    assert work(database) == 120 - len(reached)


def test_taken_back_every_card_returns_and_new_ones_are_made_with_the_version_before(
    database: Database,
) -> None:
    shop, second = a_shop(database, 60)
    with database.write() as tx:
        third = publish(tx, shop.programme_id, 3)
        few = sorted(of(tx, shop.design_id))[:15]
        for each in few:
            issuing.move_cards(tx, [each], from_design_id=shop.design_id, to_design_id=second, now=NOW)
        start(tx, shop)
        new = shop.issue(tx)
        assert new.design_id == third
    for _ in range(3):
        work(database)
        with database.write() as tx:
            if state(tx, shop) == "waiting":
                go_on(tx, shop)
    with database.write() as tx:
        assert len(of(tx, third)) == 61
        back(tx, shop)
        assert shop.issue(tx).design_id == second
    work(database, most=9)
    with database.read() as tx:
        assert of(tx, third) == set()
        assert set(few) < of(tx, second)
        assert new.id in of(tx, second)
        assert len(of(tx, shop.design_id)) == 45
        assert state(tx, shop) == "going_back"  # a card that is being made at this moment may still appear
    with database.write() as tx:
        tx.execute(update(wallet_pass).where(wallet_pass.c.id == new.id).values(design_id=third))
    assert work(database, later=2 * MINUTE) == 1
    with database.read() as tx:
        assert state(tx, shop) == "taken_back"
        assert of(tx, third) == set()


def test_a_version_that_was_taken_back_can_be_rolled_out_again(database: Database) -> None:
    shop, second = a_shop(database, 5)
    with database.write() as tx:
        start(tx, shop)
        back(tx, shop)
    work(database, later=MINUTE)
    with database.write() as tx:
        assert shop.issue(tx).design_id == shop.design_id
        with pytest.raises(Conflict, match="no version before"):
            start(tx, shop)  # the newest is the first
        start(tx, shop, second)
        assert shop.issue(tx).design_id == second


def test_what_makes_no_sense_is_refused(database: Database) -> None:
    shop = open_shop(database)
    with database.write() as tx:
        with pytest.raises(Conflict, match="no version before"):
            start(tx, shop)
        for verb in (go_on, stop, back):
            with pytest.raises(NotFound):
                verb(tx, shop)
        second = publish(tx, shop.programme_id, 2)
        with pytest.raises(Conflict, match="newest"):
            start(tx, shop, shop.design_id)
        with pytest.raises(NotFound):
            start(tx, shop, DesignId(404))
        start(tx, shop)
        with pytest.raises(Conflict, match="already"):
            start(tx, shop)
        with pytest.raises(Conflict, match="running"):
            go_on(tx, shop)
        stop(tx, shop)
        with pytest.raises(Conflict, match="go on with it"):
            start(tx, shop, second)
        with pytest.raises(Conflict, match="stopped"):
            stop(tx, shop)


def test_what_is_offered_is_what_is_not_refused(database: Database) -> None:
    shop, second = a_shop(database, 60)
    verbs = {"start": start, "go_on": go_on, "stop": stop, "back": back}

    def offered() -> tuple[str, ...]:
        """After asking each verb, all of which is undone."""
        taken = []
        for name, verb in verbs.items():
            with suppress(Conflict, NotFound), database.write() as tx:
                verb(tx, shop)
                taken.append(name)
                raise NotFound("undone", "Undone.")
        with database.read() as tx:
            assert rollouts.offered(tx, shop.programme_id) == tuple(taken)
        return tuple(taken)

    def press(verb: str) -> None:
        with database.write() as tx:
            verbs[verb](tx, shop)

    assert offered() == ("start",)
    press("start")
    assert offered() == ("stop", "back")
    press("stop")
    assert offered() == ("go_on", "back")
    press("go_on")
    work(database)
    assert offered() == ("go_on", "back")
    with database.write() as tx:
        publish(tx, shop.programme_id, 3)
    assert offered() == ("start", "go_on", "back")
    press("start")
    press("back")
    assert offered() == ()
    work(database, later=MINUTE)
    assert offered() == ("start", "back")
    press("back")
    work(database, later=2 * MINUTE)
    assert offered() == ()
    with database.read() as tx:
        assert of(tx, second) == set()


def test_a_newer_version_takes_over_from_one_that_waits(database: Database) -> None:
    shop, second = a_shop(database, 200)
    with database.write() as tx:
        start(tx, shop)
    work(database)
    with database.write() as tx:
        first_stage = len(of(tx, second))
        third = publish(tx, shop.programme_id, 3)
        start(tx, shop)
    for _ in range(3):
        work(database)
        with database.write() as tx:
            if state(tx, shop) == "waiting":
                go_on(tx, shop)
    with database.write() as tx:
        assert len(of(tx, third)) == 200
        back(tx, shop)
    work(database, later=MINUTE)
    with database.read() as tx:
        assert len(of(tx, second)) == first_stage
        assert len(of(tx, shop.design_id)) == 200 - first_stage


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_in_any_order_no_card_is_lost_and_the_way_back_leads_back(
    database: Database, data: st.DataObject
) -> None:
    """Whoever presses what while cards are moved and made: taken back, all are of the version before."""
    with database.write() as tx:
        first = a_further_shop(tx)
        for _ in range(data.draw(st.integers(0, 30))):
            first.issue(tx)
        second = publish(tx, first.programme_id, 2)
        start(tx, first)
    for _ in range(data.draw(st.integers(0, 12))):
        deed = data.draw(st.sampled_from(["step", "go on", "stop", "new", "work"]))
        with database.write() as tx:
            now_is = state(tx, first)
            if deed == "step":
                rollouts.step(tx, now=NOW, most=data.draw(st.integers(1, 5)))
            elif deed == "go on" and now_is in ("waiting", "stopped"):
                go_on(tx, first)
            elif deed == "stop" and now_is == "running":
                stop(tx, first)
            elif deed == "new":
                assert first.issue(tx).design_id == second
        if deed == "work":
            work(database)
    with database.write() as tx:
        everyone = of(tx, first.design_id) | of(tx, second)
        back(tx, first)
    work(database, most=data.draw(st.integers(1, 50)), later=MINUTE)
    with database.read() as tx:
        assert of(tx, first.design_id) == everyone
        assert state(tx, first) == "taken_back"


def a_further_shop(tx: Tx) -> Shop:
    """Another programme of the brand that the first example made."""
    known = tx.scalar(select(programme.c.id).limit(1))
    shop = Shop(ProgrammeId(known), DesignId(0)) if known else None
    programme_id = add_programme(tx, shop, secrets.token_hex(4)) if shop else a_programme(tx)
    return Shop(programme_id, publish(tx, programme_id, 1))


def test_cards_are_found_by_an_index(database: Database) -> None:
    shop, _ = a_shop(database, 3)
    with database.write() as tx:
        plan, found = plan_of(
            tx,
            lambda: store_moves.cards_of_design(tx, shop.design_id, after=WalletPassId(0), limit=2000),
        )
        assert len(found) == 3  # type: ignore[arg-type]
    if database.is_sqlite:
        assert "ix_wallet_pass_design" in plan
        assert "COVERING" in plan


def test_a_design_without_a_number_is_nobodys(database: Database) -> None:
    """What a test card is of is neither published nor rolled out."""
    shop, second = a_shop(database, 1)
    with database.write() as tx:
        tx.execute(update(design).where(design.c.id == second).values(version=None))
        assert shop.issue(tx).design_id == shop.design_id
        assert issuing.issue(
            tx, pass_type_identifier=TYPE, programme_id=shop.programme_id, content=content(), now=NOW,
            design_id=second,
        ).design_id == second  # fmt: skip
        with pytest.raises(Conflict, match="no version before"):
            start(tx, shop)


def test_tombstones_are_neither_counted_nor_moved_nor_pushed_but_blocked_cards_are(
    database: Database,
) -> None:
    shop, second = a_shop(database, 20)
    with database.write() as tx:
        cards = sorted(of(tx, shop.design_id))
        for each in cards:
            register(tx, issuing.wallet_pass(tx, each), f"phone-{each}")
        gone, blocked, late = cards[:8], cards[8], cards[9]
        issuing.tombstone(tx, *gone, now=NOW)
        blocking = issuing.Revision(blocked, lambda said: replace(said, voided=True))
        issuing.revise(tx, [blocking], kind="silent", now=NOW)
        tx.execute(delete(delivery))
        assert [each.cards for each in store_designs.versions(tx, shop.programme_id)] == [12, 0]
        start(tx, shop)
    for _ in rollouts.STAGES:
        work(database)
        with database.write() as tx:
            if state(tx, shop) == "waiting":
                go_on(tx, shop)
    with database.write() as tx:
        assert of(tx, shop.design_id) == set(gone)
        assert blocked in of(tx, second)
        assert pending(tx) == sorted((f"phone-{each}", "silent") for each in cards[8:])
        living = {each.id: each.cards for each in store_designs.versions(tx, shop.programme_id) if each.cards}
        assert living == {second: 12}
        issuing.tombstone(tx, late, now=NOW)
        back(tx, shop)
    assert work(database, later=MINUTE) == 11
    with database.write() as tx:
        assert of(tx, second) == {late}
        first = shop.design_id
        moved = issuing.move_design(tx, from_design_id=first, to_design_id=second, now=NOW)
        assert moved == sorted({*cards[8:]} - {late})
        assert issuing.move_cards(tx, gone, from_design_id=first, to_design_id=second, now=NOW) == []


@pytest.mark.parametrize("stages", [1, 3])
def test_an_older_one_can_be_taken_back_once_the_newer_one_was(database: Database, stages: int) -> None:
    shop, second = a_shop(database, 120)
    with database.write() as tx:
        start(tx, shop)
    for stage in range(stages):
        work(database)
        with database.write() as tx:
            if stage + 1 < stages:
                go_on(tx, shop)
    with database.write() as tx:
        third = publish(tx, shop.programme_id, 3)
        before = len(of(tx, second))
        start(tx, shop)
        shop.issue(tx)
    work(database)
    with database.write() as tx:
        back(tx, shop)
        with pytest.raises(Conflict, match="going back"):
            back(tx, shop)  # one after the other
    work(database, later=MINUTE)
    with database.write() as tx:
        assert of(tx, third) == set()
        assert len(of(tx, second)) == before + 1
        found = rollouts.state(tx, shop.programme_id)
        assert found
        assert (found.rollout.target_design_id, found.on_target) == (second, before + 1)
        assert rollouts.offered(tx, shop.programme_id) == (
            ("back",) if stages == 3 else ("start", "back")  # some were never moved
        )
        assert back(tx, shop).target_design_id == second
        assert state(tx, shop) == "going_back"
    work(database, later=2 * MINUTE)
    with database.write() as tx:
        assert len(of(tx, shop.design_id)) == 121
        assert state(tx, shop) == "taken_back"
        with pytest.raises(Conflict, match="taken back"):
            back(tx, shop)
        assert shop.issue(tx).design_id == shop.design_id
