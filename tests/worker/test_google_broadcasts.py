"""A message to a whole class: one request, counted for every card, never beyond anybody's three."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from app.db import Database
from app.db.identifiers import GoogleBroadcastId, WalletPassId
from app.delivery import queue, store_google_quota
from app.google import calls
from app.passes import google_broadcasts, issuing
from app.passes.content import LocalizedText
from app.passes.google_broadcasts import Audience, BroadcastState
from app.simulators import google as simulator
from app.simulators.google import RunningGoogle
from tests.worker.google_hand import LEASE, MINUTE, SECOND, Cafe, opened

DAY = timedelta(days=1)
NEWS = LocalizedText("Новое меню", "A new menu")


@pytest.fixture(scope="module")
def account() -> Iterator[tuple[RunningGoogle, dict[str, Any]]]:
    with simulator.running() as running:
        yield running, running.service_account()


@pytest.fixture
def cafe(database: Database, account: tuple[RunningGoogle, dict[str, Any]]) -> Iterator[Cafe]:
    running, key = account
    running.ask(lambda google: google.state.faults.__init__())  # type: ignore[misc]
    running.turn(requests_per_second=None, no_callbacks=True)
    running.ask(lambda google: google.state.resources.classes.clear())
    running.age(DAY.total_seconds() + 1)
    with opened(database, running, key) as found:
        yield found


def audience(cafe: Cafe) -> Audience:
    with cafe.database.read() as tx:
        (found,) = google_broadcasts.audiences(tx, cafe.programme_id)
    return found


def say(cafe: Cafe, number: int = 1) -> GoogleBroadcastId:
    to, told = audience(cafe), f"campaign:{number}"
    with cafe.database.write() as tx:
        made = google_broadcasts.tell_all(tx, to, NEWS, announcement=told, now=cafe.now)
        assert google_broadcasts.tell_all(tx, to, NEWS, announcement=told, now=cafe.now) is None, "once"
    assert made is not None
    return made


def state(cafe: Cafe, broadcast: GoogleBroadcastId) -> BroadcastState:
    with cafe.database.read() as tx:
        found = google_broadcasts.state(tx, broadcast)
    assert found is not None
    return found


def messages_of_class(cafe: Cafe) -> list[Any]:
    (found,) = cafe.running.classes().values()
    return list(found.get("messages", []))


def counted(cafe: Cafe, cards: list[WalletPassId]) -> list[str]:
    """What their ledgers say of them, the lines that count for nothing included."""
    ids = [cafe.card(one).object_id for one in cards]
    with cafe.database.read() as tx:
        lines = store_google_quota.ledgers(tx, sorted(ids), now=cafe.now)
    return sorted(entry.outcome for one in lines.values() for entry in one.values())


def outcomes(cafe: Cafe, cards: list[WalletPassId]) -> list[list[str]]:
    return [cafe.outcomes(pass_id) for pass_id in cards]


def test_one_request_tells_them_all_and_counts_for_each(cafe: Cafe) -> None:
    cards = [cafe.installed(balance=0) for _ in range(3)]
    assert audience(cafe).holders == 3
    for pass_id in cards:
        cafe.running.remove(cafe.name(pass_id))
        cafe.heard(pass_id, "del")
    cafe.work()
    alone = say(cafe, 0)
    cafe.work()
    assert (state(cafe, alone).shown, cafe.ledger()) == ("no_holder", [])
    for pass_id in cards:
        cafe.now += SECOND
        cafe.running.save(cafe.name(pass_id))
        cafe.heard(pass_id, "save")
    cafe.work()
    before = len(cafe.running.calls())
    broadcast = say(cafe)
    assert state(cafe, broadcast).shown is None
    cafe.work()
    assert len(cafe.running.calls()) == before + 1
    assert [each["messageType"] for each in messages_of_class(cafe)] == ["TEXT", "TEXT_AND_NOTIFY"]
    assert outcomes(cafe, cards) == [["shown"]] * 3
    assert state(cafe, broadcast) == BroadcastState(to_cards=False, shown="accepted", reason=None)
    assert counted(cafe, cards) == ["notified"] * 3
    for number in range(1, 4):
        cafe.receipt(cards[0], number)
        cafe.work()
    assert cafe.outcomes(cards[0]) == ["shown"] * 3, "the broadcast was one of its three"
    assert cafe.last(cards[0]).shown == "held_by_quota"


def test_whose_card_ended_is_told_nothing_more(cafe: Cafe) -> None:
    living, forgotten = cafe.installed(balance=0), cafe.installed(balance=0)
    of_the_living = cafe.at_google(living)["classId"]
    with cafe.database.write() as tx:
        issuing.tombstone(tx, forgotten, now=cafe.now)
    cafe.work()
    assert cafe.at_google(forgotten)["state"] == "EXPIRED"
    assert cafe.at_google(forgotten)["classId"] == f"{of_the_living}.over"
    assert audience(cafe).holders == 1
    say(cafe)
    cafe.work()
    assert outcomes(cafe, [living, forgotten]) == [["shown"], []]
    assert cafe.at_google(forgotten)["hasUsers"], "though it is still in the wallet"


def test_where_one_card_has_none_left_each_is_told_by_itself(cafe: Cafe) -> None:
    cards = [cafe.installed(balance=0) for _ in range(3)]
    for number in range(1, 4):
        cafe.receipt(cards[0], number)
        cafe.work()
    cafe.now += MINUTE
    broadcast = say(cafe)
    cafe.work()
    assert messages_of_class(cafe) == []
    assert outcomes(cafe, cards) == [["shown"] * 3, ["shown"], ["shown"]]
    for pass_id in cards:
        assert cafe.at_google(pass_id)["messages"][-1]["body"] == "Новое меню"
    assert [cafe.last(one).shown for one in cards] == ["held_by_quota", "accepted", "accepted"]
    assert state(cafe, broadcast) == BroadcastState(to_cards=True, shown=None, reason=None)
    newcomer = cafe.installed(balance=0)
    cafe.receipt(newcomer, 7)
    cafe.work()
    assert "Новое меню" not in str(cafe.at_google(newcomer)), "it came later"


def test_where_google_counts_more_than_we_each_is_told_by_itself(cafe: Cafe) -> None:
    cards = [cafe.installed(balance=0) for _ in range(2)]
    (name,) = cafe.running.classes()
    wallet = cafe.channel.accounts[cafe.brand_id].wallet
    alone = {"id": "other", "body": "x", "messageType": "TEXT_AND_NOTIFY"}
    for _ in range(3):  # somebody else's, before any card was of the class
        cafe.running.ask(
            lambda google: google.state.notices._spent[name, "message"].append(google.state.clock())
        )
    assert cafe.runner.run(wallet.send(calls.message_class(name, alone))).status == 403
    broadcast = say(cafe)
    cafe.work()
    assert state(cafe, broadcast).to_cards
    assert outcomes(cafe, cards) == [["shown"]] * 2
    assert counted(cafe, cards) == ["notified"] * 2 + ["unused"] * 2


@pytest.mark.parametrize("lost", ["lose_next_answers", "lose_next_requests"])
def test_a_lost_answer_is_looked_for_and_nobody_is_told_twice(cafe: Cafe, lost: str) -> None:
    cards = [cafe.installed(balance=0) for _ in range(2)]
    broadcast = say(cafe)
    cafe.running.turn(**{lost: 1})
    cafe.work()
    if lost == "lose_next_requests":
        assert state(cafe, broadcast).shown is None
        cafe.now += 2 * MINUTE
        cafe.work()
    assert state(cafe, broadcast).shown == "accepted"
    assert len(messages_of_class(cafe)) == 1
    assert outcomes(cafe, cards) == [["shown"]] * 2
    assert counted(cafe, cards) == ["notified"] * 2


def test_what_a_dead_worker_said_is_looked_for(cafe: Cafe) -> None:
    cards = [cafe.installed(balance=0)]
    broadcast = say(cafe)
    cafe.send(cafe.take(cafe.hands("dead")))
    cafe.now += LEASE + SECOND
    assert cafe.carrier.rescue() == 1
    cafe.work()
    assert state(cafe, broadcast).shown == "accepted"
    assert outcomes(cafe, cards) == [["shown"]]


def test_a_class_has_ten_messages_and_no_more(cafe: Cafe) -> None:
    cards = [cafe.installed(balance=0)]
    for number in range(1, 12):
        broadcast = say(cafe, number)
        cafe.work()
        assert state(cafe, broadcast).shown == "accepted"
        assert len(messages_of_class(cafe)) <= 10
        cafe.now += DAY
        cafe.running.age(DAY.total_seconds() + 1)
    assert messages_of_class(cafe)[-1]["id"].startswith("campaign-11-")
    assert outcomes(cafe, cards) == [["shown"] * 11]
    assert cafe.running.lints() == []


def test_a_refused_message_failed_in_googles_own_words(cafe: Cafe) -> None:
    cards = [cafe.installed(balance=0)]
    broadcast = say(cafe)
    cafe.running.turn(fail_next=[400])
    cafe.work()
    assert state(cafe, broadcast).shown == "failed"
    assert state(cafe, broadcast).reason
    assert counted(cafe, cards) == ["unused"]


def test_cards_are_counted_in_parts_and_whoever_comes_next_goes_on(
    cafe: Cafe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(google_broadcasts, "AT_ONCE", 2)
    cards = [cafe.installed(balance=0) for _ in range(3)]
    broadcast = say(cafe)
    assert cafe.take() == ()
    assert (len(cafe.ledger()), messages_of_class(cafe)) == (2, []), "said after all are counted"
    assert counted(cafe, cards) == ["asked"] * 2
    (ready,) = cafe.take(cafe.hands("another"))
    assert ready.claimed.broadcast_id == broadcast
    assert len(cafe.ledger()) == 3
    cafe.now += LEASE + SECOND
    cafe.carrier.rescue()
    cafe.now += 2 * MINUTE
    cafe.work()
    assert outcomes(cafe, cards) == [["shown"]] * 3
    assert counted(cafe, cards) == ["notified"] * 3
    left, more = [len(cafe.ledger())], True
    while more:
        with cafe.database.write() as tx:
            more = queue.purge(tx, settled_before=cafe.now + DAY, limit=2) > 0
        left.append(len(cafe.ledger()))
    assert sorted(set(left)) == [0, 1, 3], "nor are they forgotten at once"


def test_a_part_that_was_counted_is_given_back_where_a_later_card_has_none_left(
    cafe: Cafe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(google_broadcasts, "AT_ONCE", 2)
    cards = [cafe.installed(balance=0) for _ in range(3)]
    for number in range(1, 4):
        cafe.receipt(cards[2], number)
        cafe.work()
    cafe.now += MINUTE
    broadcast = say(cafe)
    cafe.work()
    assert state(cafe, broadcast).to_cards
    assert counted(cafe, cards[:2]) == ["notified"] * 2 + ["unused"] * 2
    assert [cafe.last(one).shown for one in cards] == ["accepted", "accepted", "held_by_quota"]
