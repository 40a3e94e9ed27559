"""Google's lane against the stand-in over HTTP: inserted, kept live, told three times a day, never twice."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from app.db import Database
from app.db.identifiers import WalletPassId
from app.delivery.stopped import GOOGLE, writer
from app.errors import Conflict
from app.google import calls
from app.google.client import GoogleWallet
from app.google.credentials import parse
from app.google.tokens import Tokens
from app.passes import google_cards, issuing, restoring
from app.passes.content import LocalizedText
from app.simulators import google as simulator
from app.simulators.google import RunningGoogle
from app.worker.google_parcels import GoogleAnswered
from tests.passes import templates
from tests.worker.google_hand import HOUR, LEASE, MINUTE, OURS, SECOND, Cafe, opened

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def account() -> Iterator[tuple[RunningGoogle, dict[str, Any]]]:
    with simulator.running() as running:
        yield running, running.service_account()


@pytest.fixture
def running(account: tuple[RunningGoogle, dict[str, Any]]) -> RunningGoogle:
    """In good health, without a limit, and without callbacks: these tests call back themselves."""
    found, _ = account
    found.ask(lambda google: google.state.faults.__init__())  # type: ignore[misc]
    found.turn(requests_per_second=None, no_callbacks=True)
    return found


@pytest.fixture
def cafe(
    database: Database, running: RunningGoogle, account: tuple[RunningGoogle, dict[str, Any]]
) -> Iterator[Cafe]:
    with opened(database, running, account[1]) as found:
        yield found


def test_a_card_is_at_google_before_its_link_works(cafe: Cafe) -> None:
    pass_id = cafe.issue(balance=500)
    assert not cafe.ensure(pass_id).link_works
    cafe.work()
    card = cafe.card(pass_id)
    assert card.link_works
    assert card.has_users is False
    assert card.last is not None
    assert card.last.shown == "no_holder"
    at_google = cafe.at_google(pass_id)
    assert at_google["loyaltyPoints"]["balance"] == {"string": "5"}
    found = cafe.running.classes()[at_google["classId"]]
    assert found["programName"] == "Берёзка бонус"
    assert found["callbackOptions"]["url"].endswith("/google/callbacks")
    with cafe.database.read() as tx:
        digest = found["programLogo"]["sourceUri"]["uri"].rpartition("/")[2].removesuffix(".png")
        logo = google_cards.image(tx, digest)
    assert logo == templates.design("bonus_card").files["google/logo.png"]
    before = len(cafe.running.calls())
    cafe.ensure(pass_id)
    cafe.work()
    assert len(cafe.running.calls()) == before, "it is there"


def test_nothing_is_claimed_before_its_first_token_is_there(cafe: Cafe) -> None:
    pass_id = cafe.issue(balance=500)
    cafe.ensure(pass_id)
    account = parse(json.dumps(dict(cafe.account)), source="test")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/token"
        slow = GoogleWallet(Tokens(account, url=url, within=2), url=cafe.running.url)
        (brand,) = cafe.channel.accounts
        cafe.channel.accounts = cafe.accounts(slow, 20)
        taken = cafe.carrier.take(10)
        assert (taken.ready, taken.again) == ((), 0.25), "it is looked for again soon"
        assert {row.state for row in cafe.rows()} == {"pending"}
        cafe.runner.run(slow.close())
    cafe.channel.accounts = cafe.accounts(cafe.wallet(), None)
    assert [one.claimed.brand_id for one in cafe.take()] == [brand] * 2, "the card and its class"


def test_a_receipt_patches_the_balance_and_tells_the_holder(cafe: Cafe) -> None:
    pass_id = cafe.installed(balance=0)
    cafe.receipt(pass_id, 5)
    cafe.work()
    at_google = cafe.at_google(pass_id)
    assert at_google["loyaltyPoints"]["balance"] == {"string": "5"}
    (message,) = at_google["messages"]
    assert message["body"] == "Начислено 5"
    assert message["messageType"] == "TEXT_AND_NOTIFY"
    assert cafe.outcomes(pass_id) == ["shown"]
    assert cafe.last(pass_id).shown == "accepted"


def test_a_silent_change_tells_nobody_and_a_balance_without_words_does(cafe: Cafe) -> None:
    pass_id = cafe.installed(balance=0)
    cafe.change(pass_id, kind="silent", balance=700)
    cafe.work()
    assert cafe.outcomes(pass_id) == []
    assert cafe.last(pass_id).shown == "accepted_silently"
    cafe.change(pass_id, kind="receipt", balance=900)
    cafe.work()
    assert cafe.outcomes(pass_id) == ["shown"]
    assert cafe.notices(pass_id)[0].cause == "field"
    assert cafe.last(pass_id).shown == "accepted"
    assert cafe.at_google(pass_id)["loyaltyPoints"]["balance"] == {"string": "9"}


def test_the_fourth_of_a_day_is_silent_and_said_to_be_so(cafe: Cafe) -> None:
    pass_id = cafe.installed(balance=0)
    for number in range(1, 5):
        cafe.receipt(pass_id, number)
        cafe.work()
        cafe.now += MINUTE
    assert cafe.outcomes(pass_id) == ["shown"] * 3
    assert cafe.last(pass_id).shown == "held_by_quota"
    assert [each["body"] for each in cafe.at_google(pass_id)["messages"]] == [
        f"Начислено {number}" for number in range(1, 5)
    ]
    assert [line.outcome for line in cafe.ledger()] == ["notified"] * 3 + ["held"]
    cafe.now += DAY
    cafe.running.age(DAY.total_seconds() + 1)
    cafe.receipt(pass_id, 5)
    cafe.work()
    assert cafe.last(pass_id).shown == "accepted"


def test_where_google_counts_more_than_we_the_message_goes_silently(cafe: Cafe) -> None:
    pass_id = cafe.installed(balance=0)
    name = cafe.name(pass_id)
    wallet = cafe.channel.accounts[next(iter(cafe.channel.accounts))].wallet
    for number in range(3):  # somebody else's
        message = {"id": f"other{number}", "body": "x", "messageType": "TEXT_AND_NOTIFY"}
        assert cafe.runner.run(wallet.send(calls.message_object(name, message))).status == 200
    cafe.receipt(pass_id, 5)
    cafe.work()
    assert cafe.outcomes(pass_id) == ["shown"] * 3 + ["refused"]
    assert cafe.last(pass_id).shown == "held_by_quota"
    assert cafe.at_google(pass_id)["messages"][-1]["body"] == "Начислено 5"
    cafe.receipt(pass_id, 6)
    cafe.work()
    assert cafe.outcomes(pass_id) == ["shown"] * 3 + ["refused"], "Google is believed for an hour"


def test_nobody_is_notified_of_a_card_that_nobody_holds(cafe: Cafe) -> None:
    pass_id = cafe.issue()
    cafe.ensure(pass_id)
    cafe.work()
    cafe.receipt(pass_id, 5)
    cafe.work()
    assert cafe.last(pass_id).shown == "no_holder"
    assert cafe.outcomes(pass_id) == []
    assert "messages" not in cafe.at_google(pass_id)
    cafe.running.save(cafe.name(pass_id))
    change = cafe.heard(pass_id, "save")
    assert change is not None
    assert (change.change, change.first) == ("added", True)
    cafe.work()
    assert [each["body"] for each in cafe.at_google(pass_id)["messages"]] == ["Начислено 5"]
    assert cafe.outcomes(pass_id) == [], "it is old by now"


def told_and_lost(cafe: Cafe, pass_id: WalletPassId, **knob: int) -> None:
    """A receipt whose patch is answered, and whose message is not."""
    cafe.receipt(pass_id, 5)
    (one,) = cafe.take()
    assert one.plan.first is not None
    assert one.plan.message is not None
    wallet = cafe.channel.accounts[one.claimed.brand_id].wallet
    patched = cafe.runner.run(wallet.send(one.plan.first))
    cafe.running.turn(**knob)
    lost = cafe.runner.run(wallet.send(one.plan.message))
    assert (patched.status, lost.verdict) == (200, "lost")
    cafe.carrier.settle(cafe.carrier.hear([GoogleAnswered(ready=one, first=patched, message=lost)]))


def test_an_answer_lost_after_the_message_was_taken_is_looked_for(cafe: Cafe) -> None:
    pass_id = cafe.installed(balance=0)
    told_and_lost(cafe, pass_id, lose_next_answers=1)
    cafe.work()
    assert [each["body"] for each in cafe.at_google(pass_id)["messages"]] == ["Начислено 5"]
    assert cafe.outcomes(pass_id) == ["shown"], "once"
    assert cafe.last(pass_id).shown == "accepted"
    assert [line.outcome for line in cafe.ledger()] == ["notified"]


def test_a_message_that_never_came_is_sent_again_once_that_is_sure(cafe: Cafe) -> None:
    pass_id = cafe.installed(balance=0)
    told_and_lost(cafe, pass_id, lose_next_requests=1)
    cafe.work()
    assert "messages" not in cafe.at_google(pass_id)
    assert cafe.last(pass_id).state == "pending"
    cafe.now += 2 * MINUTE
    cafe.work()
    assert [each["body"] for each in cafe.at_google(pass_id)["messages"]] == ["Начислено 5"]
    assert cafe.outcomes(pass_id) == ["shown"]


def test_a_patch_whose_answer_is_lost_is_repeated_until_it_is_right(cafe: Cafe) -> None:
    pass_id = cafe.installed(balance=0)
    cafe.running.turn(lose_next_answers=1)
    cafe.change(pass_id, kind="silent", balance=700)
    cafe.step()
    cafe.change(pass_id, kind="silent", balance=0)  # back to what Google had before
    cafe.work()
    assert cafe.at_google(pass_id)["loyaltyPoints"]["balance"] == {"string": "0"}


@pytest.mark.parametrize("lost", ["lose_next_answers", "lose_next_requests"])
def test_an_insert_whose_answer_is_lost_makes_one_card(cafe: Cafe, lost: str) -> None:
    first = cafe.installed()  # the class is there
    pass_id = cafe.issue(balance=500)
    cafe.ensure(pass_id)
    cafe.running.turn(**{lost: 1})
    cafe.step()
    assert not cafe.card(pass_id).link_works
    cafe.work()
    assert cafe.card(pass_id).link_works
    assert cafe.at_google(pass_id)["loyaltyPoints"]["balance"] == {"string": "5"}
    assert first != pass_id


def test_what_google_forgot_is_made_again(cafe: Cafe) -> None:
    pass_id = cafe.installed(balance=0)
    name = cafe.name(pass_id)
    cafe.running.ask(lambda google: google.state.resources.objects.pop(name))
    cafe.change(pass_id, kind="silent", balance=300)
    cafe.work()
    assert cafe.at_google(pass_id)["loyaltyPoints"]["balance"] == {"string": "3"}


def test_a_class_that_google_forgot_is_made_again(cafe: Cafe) -> None:
    first = cafe.installed()

    def forget(google: Any) -> None:
        google.state.resources.classes.clear()
        google.state.resources.objects.clear()

    cafe.running.ask(forget)
    pass_id = cafe.issue()
    cafe.ensure(pass_id)
    cafe.work(30)
    cafe.now += 10 * SECOND
    cafe.work(30)
    assert cafe.card(pass_id).link_works
    assert len(cafe.running.classes()) == 1
    assert first != pass_id


def test_the_newest_content_wins_when_several_wait(cafe: Cafe) -> None:
    pass_id = cafe.installed(balance=0)
    before = len(cafe.running.calls())
    for number in (1, 2, 3):
        cafe.receipt(pass_id, number)
    cafe.receipt(pass_id, 4)
    ready = cafe.take()
    cafe.receipt(pass_id, 5)  # while the first is on its way
    assert cafe.take() == ()
    cafe.carrier.settle(cafe.carrier.hear(cafe.send(ready)))
    cafe.work()
    at_google = cafe.at_google(pass_id)
    assert at_google["loyaltyPoints"]["balance"] == {"string": "15"}
    assert {each["body"] for each in at_google["messages"]} == {f"Начислено {n}" for n in range(1, 6)}
    assert cafe.outcomes(pass_id) == ["shown", "shown"]
    assert len(cafe.running.calls()) - before == 4
    states = [row.state for row in cafe.rows() if row.kind == "receipt"]
    assert states.count("accepted") == len(states)


def test_ten_messages_are_never_more(cafe: Cafe) -> None:
    pass_id = cafe.installed(balance=0)
    for number in range(1, 25):
        cafe.receipt(pass_id, number)
        cafe.work()
        cafe.now += 9 * HOUR
        cafe.running.age(9 * 3600)
        messages = cafe.at_google(pass_id)["messages"]
        assert len(messages) <= 10
        assert messages[-1]["body"] == f"Начислено {number}"
    assert set(cafe.outcomes(pass_id)) == {"shown"}
    assert len(cafe.outcomes(pass_id)) == 24


def test_a_tombstone_takes_everything_of_its_guest_away(cafe: Cafe) -> None:
    pass_id = cafe.installed(balance=500)
    cafe.receipt(pass_id, 1)
    cafe.work()
    with cafe.database.write() as tx:
        issuing.tombstone(tx, pass_id, now=cafe.now)
    cafe.work()
    at_google = cafe.at_google(pass_id)
    assert at_google["state"] == "EXPIRED"
    assert not {"accountName", "accountId", "barcode", "messages", "loyaltyPoints"} & at_google.keys()
    assert cafe.outcomes(pass_id) == ["shown"]
    with pytest.raises(Conflict):
        cafe.ensure(pass_id)


def test_a_class_is_patched_on_real_changes_alone(cafe: Cafe) -> None:
    its_class = cafe.at_google(cafe.installed())["classId"]

    def patches() -> int:
        return sum(call.verb == "PATCH" and "/loyaltyClass/" in call.path for call in cafe.running.calls())

    with cafe.database.write() as tx:
        assert cafe.press.promise_changed_classes(tx, now=cafe.now) == 0
    before = patches()
    cafe.publish(rules=LocalizedText("10 % с каждого чека", "10 % of every receipt"))
    with cafe.database.write() as tx:
        assert cafe.press.promise_changed_classes(tx, now=cafe.now) == 1
    cafe.work()
    assert patches() == before + 1
    found = cafe.running.classes()[its_class]
    assert found["textModulesData"][0]["body"] == "10 % с каждого чека"
    assert found["reviewStatus"] == "APPROVED"
    with cafe.database.write() as tx:
        assert cafe.press.promise_changed_classes(tx, now=cafe.now) == 0


def test_a_class_that_google_refuses_is_not_sent_again_until_it_is_another(cafe: Cafe) -> None:
    pass_id = cafe.issue()
    cafe.ensure(pass_id)
    cafe.running.turn(fail_next=[400])
    cafe.work(30)
    asked = len(cafe.running.calls())
    for _ in range(3):
        with cafe.database.write() as tx:
            assert cafe.press.promise_changed_classes(tx, now=cafe.now) == 0
        cafe.now += 10 * MINUTE
        cafe.work()
    assert len(cafe.running.calls()) == asked, "Google said what it thinks of it"
    assert cafe.last(pass_id).state == "pending"
    cafe.publish(rules=LocalizedText("10 % с каждого чека", "10 % of every receipt"))
    with cafe.database.write() as tx:
        assert cafe.press.promise_changed_classes(tx, now=cafe.now) == 1
    cafe.work()
    cafe.now += 10 * MINUTE
    cafe.work()
    assert cafe.card(pass_id).link_works


def test_a_dead_worker_leaves_a_class_in_doubt(cafe: Cafe) -> None:
    its_class = cafe.at_google(cafe.installed())["classId"]
    cafe.publish(rules=LocalizedText("10 % с каждого чека", "10 % of every receipt"))
    with cafe.database.write() as tx:
        cafe.press.promise_changed_classes(tx, now=cafe.now)
    cafe.send(cafe.take(cafe.hands("dead")))  # it died before it could write down that Google took it
    cafe.publish()
    cafe.now += LEASE + SECOND
    cafe.carrier.rescue()
    cafe.work()
    found = cafe.running.classes()[its_class]
    assert "10 %" not in str(found["textModulesData"]), "what Google had before may not be what it has"


def test_callbacks_come_twice_and_late_and_reading_decides(cafe: Cafe) -> None:
    pass_id = cafe.issue()
    cafe.ensure(pass_id)
    cafe.work()
    cafe.running.save(cafe.name(pass_id))
    assert cafe.heard(pass_id, "save", "1") is not None
    cafe.work()
    assert cafe.heard(pass_id, "save", "1") is None, "the nonce was there"
    assert cafe.step() == 0, "nor is it read again"
    cafe.running.remove(cafe.name(pass_id))
    assert cafe.heard(pass_id, "del", "2") is None, "somebody else may hold it"
    cafe.work()
    assert cafe.card(pass_id).has_users is False
    assert [(one.pass_id, one.change) for one in cafe.told] == [(pass_id, "removed")]
    assert cafe.card(pass_id).removed_at is not None
    assert cafe.heard(pass_id, "save", "3") is None, "an older one that comes last"
    cafe.work()
    assert cafe.card(pass_id).has_users is False, "it was read"
    assert [one.change for one in cafe.told] == ["removed"], "nobody was told that it came back"
    cafe.running.save(cafe.name(pass_id))
    assert cafe.heard(pass_id, "save", "4") is None, "reading tells"
    cafe.work()
    assert [(one.change, one.first) for one in cafe.told] == [("removed", False), ("added", False)]
    with cafe.database.write() as tx:
        assert google_cards.hear(tx, "3388000000000000000.nobody", "save", nonce="9", now=cafe.now) is None


def test_what_was_read_before_a_callback_came_does_not_answer_it(cafe: Cafe) -> None:
    pass_id = cafe.installed()
    cafe.now += SECOND
    cafe.heard(pass_id, "save", "1")
    answers = cafe.send(cafe.take())  # somebody holds it
    cafe.now += SECOND
    cafe.running.remove(cafe.name(pass_id))
    cafe.heard(pass_id, "del", "2")
    cafe.carrier.settle(cafe.carrier.hear(answers))
    cafe.work()
    assert not cafe.card(pass_id).is_held


def test_an_account_that_is_let_nowhere_stops_the_issuer_and_a_probe_starts_it(cafe: Cafe) -> None:
    cards = [cafe.installed(balance=0) for _ in range(3)]
    cafe.running.turn(denied=True)
    for pass_id in cards:
        cafe.change(pass_id, kind="silent", balance=700)
    cafe.work()
    assert {row.state for row in cafe.rows()} == {"accepted", "pending"}
    before = len(cafe.running.calls())
    cafe.now += 30 * SECOND
    assert cafe.step() == 0, "stopped"
    assert len(cafe.running.calls()) == before
    cafe.now += MINUTE
    assert cafe.step() == 1, "a probe"
    cafe.running.turn(denied=False)
    cafe.now += 2 * MINUTE
    assert cafe.step() == 1
    cafe.work()
    cafe.now += 2 * MINUTE
    cafe.work()
    assert {row.state for row in cafe.rows()} == {"accepted"}
    for pass_id in cards:
        assert cafe.at_google(pass_id)["loyaltyPoints"]["balance"] == {"string": "7"}


def test_brands_of_one_issuer_write_with_their_own_accounts(cafe: Cafe) -> None:
    stranger = cafe.running.service_account("4499000000000000000", name="other")
    bar = Cafe(cafe.database, cafe.running, stranger, cafe.runner, slug="bar")
    cafe.channel.accounts |= bar.channel.accounts
    mine, theirs = cafe.installed(balance=0), bar.issue()
    bar.ensure(theirs)
    cafe.work()
    cafe.receipt(mine, 5)
    cafe.work()
    assert cafe.last(mine).shown == "accepted", "whoever is let in nowhere stops nobody else"
    assert not bar.card(theirs).link_works
    with cafe.database.read() as tx:
        assert set(GOOGLE.all_stopped(tx)) == {writer(OURS, bar.brand_id)}
    cafe.runner.run(bar.channel.close())
    cafe.channel.accounts[bar.brand_id] = cafe.channel.accounts[cafe.brand_id]
    cafe.now += 2 * MINUTE
    cafe.work()
    cafe.now += 2 * MINUTE
    cafe.work()
    assert bar.card(theirs).link_works


def test_google_down_for_an_hour_loses_nothing_and_shows_the_newest(cafe: Cafe) -> None:
    cards = [cafe.installed(balance=0) for _ in range(5)]
    cafe.running.turn(down=True)
    new = cafe.issue(balance=0)
    cafe.ensure(new)
    for minute in range(60):
        if minute % 5 == 0:
            for pass_id in cards:
                cafe.receipt(pass_id, 1, kind="silent")
        cafe.work(3)
        cafe.now += MINUTE
    cafe.running.turn(down=False)
    cafe.now += 3 * MINUTE  # and not another hour
    cafe.work(40)
    assert cafe.card(new).link_works
    assert {row.state for row in cafe.rows()} <= {"accepted", "superseded"}
    for pass_id in cards:
        assert cafe.at_google(pass_id)["loyaltyPoints"]["balance"] == {"string": "12"}


def test_a_worker_that_dies_is_followed_by_one_that_looks_first(cafe: Cafe) -> None:
    pass_id = cafe.installed(balance=0)
    cafe.receipt(pass_id, 5)
    ready = cafe.take(cafe.hands("dead"))
    cafe.send(ready)  # all was done, and never settled
    cafe.now += LEASE + SECOND
    assert cafe.carrier.rescue() == 1
    cafe.work()
    assert [each["body"] for each in cafe.at_google(pass_id)["messages"]] == ["Начислено 5"]
    assert cafe.outcomes(pass_id) == ["shown"]


def test_hundreds_go_in_batches_and_a_part_that_fails_alone_is_repeated_alone(cafe: Cafe) -> None:
    cards = [cafe.issue(balance=0) for _ in range(103)]
    for pass_id in cards:
        cafe.ensure(pass_id)
    cafe.work()
    cafe.running.turn(fail_next_inner=3, shuffle_batch=True)
    for pass_id in cards:
        cafe.change(pass_id, kind="silent", balance=100 * pass_id)
    cafe.work()
    cafe.now += 10 * SECOND
    cafe.work()
    for pass_id in cards:
        assert cafe.at_google(pass_id)["loyaltyPoints"]["balance"] == {"string": str(pass_id)}
    assert sum(row.attempts for row in cafe.rows() if row.kind == "silent") == 106


def test_a_body_that_google_refuses_is_never_sent_again_and_said_to_have_failed(cafe: Cafe) -> None:
    pass_id = cafe.installed(balance=0)
    cafe.running.turn(fail_next=[400])
    cafe.change(pass_id, kind="silent", balance=700)
    cafe.work()
    assert cafe.last(pass_id).shown == "failed"
    assert cafe.last(pass_id).state == "refused"
    cafe.change(pass_id, kind="silent", balance=800)
    cafe.work()
    assert cafe.at_google(pass_id)["loyaltyPoints"]["balance"] == {"string": "8"}


def test_after_a_restore_what_google_has_is_read_and_put_right(cafe: Cafe) -> None:
    pass_id = cafe.installed(balance=0)
    cafe.receipt(pass_id, 5)
    cafe.work()
    wallet = cafe.channel.accounts[cafe.brand_id].wallet
    newer = {"loyaltyPoints": {"balance": {"string": "99"}}, "accountName": "Somebody"}
    cafe.runner.run(wallet.send(calls.patch_object(cafe.name(pass_id), newer)))  # since the backup
    with cafe.database.write() as tx:
        restoring.lift_tags(tx, now=cafe.now, backed_up_at=cafe.now)
    cafe.work()
    at_google = cafe.at_google(pass_id)
    assert at_google["loyaltyPoints"]["balance"] == {"string": "5"}
    assert at_google["accountName"] == "Алёна Ж."
    assert [each["body"] for each in at_google["messages"]] == ["Начислено 5"]
    assert cafe.outcomes(pass_id) == ["shown"], "nobody is told again"
