"""A card in Google Wallet from the install page to the till and back, over HTTP, with Google's stand-in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from app.delivery import jobs, store_breakers
from app.delivery.stopped import GOOGLE
from app.passes import google_cards
from app.passes.google_tables import google_object
from app.simulators.google import RunningGoogle, running
from app.web.guest_google import PATIENCE
from app.worker.google_lane import holders_tick
from tests.conftest import empty_database
from tests.flows.google_house import House, opened
from tests.web.guests import DESKTOP, IPHONE

pytestmark = pytest.mark.xdist_group("google_story")
OTHER = "other@gmail.example"


@pytest.fixture(scope="module")
def google() -> Iterator[RunningGoogle]:
    with running() as simulator:
        yield simulator


@pytest.fixture(scope="module")
def one_house(
    request: pytest.FixtureRequest,
    google: RunningGoogle,
    tmp_path_factory: pytest.TempPathFactory,
    _template: str,
    servers_of_this_run: str,
) -> Iterator[House]:
    directory = tmp_path_factory.mktemp("google_story")
    redis_url = ""
    if servers_of_this_run != "sqlite":
        redis_url = str(request.getfixturevalue("redis_server")).removesuffix("/0") + "/14"
    with (
        empty_database(request, directory, _template) as url,
        opened(directory, url, redis_url, google) as house,
    ):
        # Picked up by both while they run.
        house.until(lambda: 'class="apple google"' in house.get(house.join()[0].card_page).text)
        yield house


@pytest.fixture
def house(one_house: House) -> House:
    """With Google in good health."""
    one_house.google.ask(lambda google: google.state.faults.__init__())  # type: ignore[misc]
    one_house.google.turn(requests_per_second=None)
    return one_house


def test_install_callback_receipt_balance(house: House) -> None:
    guest, page = house.join()
    if "/google/" not in page.text:  # a busy machine: the page says so, and has it a moment later
        assert "appears here in a moment" in page.text
        house.until(lambda: house.card(guest).link_works)
        page = house.get(guest.card_page)
    assert "Add to Google Wallet" in page.text
    assert "googleapis" not in page.text
    link = house.save_link(page)
    assert link.startswith(f"{house.google.save_url}/")
    assert len(link) < 1800
    assert house.steps(guest).isdisjoint({"added", "removed"})
    before = house.get(f"{guest.next_page}/state").text
    assert house.tap(link) == [house.card(guest).resource_id]
    assert house.google.callbacks()[-1].statuses == [200]
    assert "added" in house.steps(guest)
    assert int(house.get(f"{guest.next_page}/state").text) > int(before) == 0
    onward = house.get(guest.next_page).text
    assert "in your Wallet" in onward
    assert "Open Google Wallet at the till" in onward
    house.until(lambda: house.card(guest).has_users and not house.pending(guest))
    house.ring_up(guest, 1000_00)
    house.until(lambda: house.balance(guest) == "130", seconds=60)
    house.until(lambda: not house.pending(guest))
    assert [one.outcome for one in house.google.notices(house.card(guest).resource_id)][-1] == "shown"
    last = house.card(guest).last
    assert last is not None
    assert last.shown == "accepted"


def test_what_each_device_is_offered(house: House) -> None:
    guest, _ = house.join()
    house.until(lambda: house.card(guest).link_works)
    assert "/google/" in house.get(guest.card_page, DESKTOP).text
    assert "Добавить в Google Кошелек" in house.get(guest.card_page, language="ru").text
    assert "/google/" not in house.get(guest.card_page, IPHONE).text
    # Who joins with an iPhone has no card at Google, until an Android phone opens the same page.
    apple, page = house.join(IPHONE)
    assert "/google/" not in page.text
    house.get(apple.card_page)
    house.until(lambda: house.card(apple).link_works)
    assert "/google/" in house.get(apple.card_page).text
    expired = house.get(f"{guest.card_page.partition('/card/')[0]}/google/1.1.1~nonsense")
    assert expired.status_code == 410


def test_images_are_public_and_for_ever(house: House) -> None:
    guest = house.installed()
    body = house.google.classes()[house.at_google(guest)["classId"]]
    picture = house.get(body["programLogo"]["sourceUri"]["uri"])
    assert picture.headers["content-type"] == "image/png"
    assert "immutable" in picture.headers["cache-control"]
    assert picture.content.startswith(b"\x89PNG")
    assert house.get("/google/images/" + "0" * 64 + ".png").status_code == 404
    assert house.get("/google/images/..%2f..%2fetc.png").status_code == 404


def test_a_tier_moves_the_card_to_another_class(house: House) -> None:
    guest = house.installed()
    before = house.at_google(guest)["classId"]
    house.ring_up(guest, 20_000_00)
    house.until(lambda: house.at_google(guest)["classId"] != before)
    moved = house.google.classes()[house.at_google(guest)["classId"]]
    assert moved["rewardsTier"] == "Друг"
    assert house.at_google(guest)["hasUsers"] is True


def test_the_fourth_notification_of_a_day_is_silent_and_told_so(house: House) -> None:
    guest = house.installed()
    shown = []
    for number in range(1, 5):
        house.ring_up(guest, 100_00 * number)
        house.until(lambda: not house.pending(guest))
        last = house.card(guest).last
        assert last is not None
        shown.append(last.shown)
    assert shown == ["accepted", "accepted", "accepted", "held_by_quota"]
    outcomes = [one.outcome for one in house.google.notices(house.card(guest).resource_id)]
    assert outcomes.count("shown") == 3
    assert "refused" not in outcomes
    assert house.balance(guest) == "130"  # the newest content is there all the same


def test_callbacks_twice_late_forged_expired_and_for_others(house: House) -> None:
    guest = house.installed()
    name = house.card(guest).resource_id
    for spoil in ("signature", "tampered", "expired_message", "expired_intermediate", "unknown_root",
                  "protocol", "recipient", "other_issuer"):  # fmt: skip
        assert house.google.call_back("del", name, spoil=spoil).statuses == [403], spoil
    assert "removed" not in house.steps(guest)
    assert house.card(guest).is_held
    # The same one twice is heard once; a late "del" of one holder changes nothing while another remains.
    told = house.google.call_back("del", name, spoil="non_ascii")
    assert told.statuses == [200]
    house.until(lambda: not house.pending(guest))
    assert house.card(guest).is_held
    assert "removed" not in house.steps(guest)
    reads = len(house.google.calls())
    again = house.web.ask("POST", "/google/callbacks", told.body, {"Content-Type": "application/json"})
    assert again.status == 200
    assert not house.pending(guest)
    assert len(house.google.calls()) == reads
    house.google.save(name, user=OTHER)
    house.google.remove(name)
    house.google.settled()
    house.until(lambda: not house.pending(guest))
    assert house.card(guest).is_held
    house.google.remove(name, user=OTHER)
    house.google.settled()
    house.until(lambda: not house.card(guest).is_held)
    assert "removed" in house.steps(guest)
    # Whoever saves it once more is back in the funnel.
    house.google.save(name)
    house.google.settled()
    house.until(lambda: house.card(guest).is_held)
    assert "removed" not in house.steps(guest)


def test_a_dropped_answer_neither_doubles_nor_loses(house: House) -> None:
    guest = house.installed()
    house.google.turn(lose_next_answers=1)
    house.ring_up(guest, 1000_00)
    house.until(lambda: house.balance(guest) == "130")
    house.until(lambda: not house.pending(guest), seconds=100)
    notices = [one for one in house.google.notices(house.card(guest).resource_id) if one.outcome == "shown"]
    assert len(notices) == 1


def test_google_is_away_and_comes_back(house: House) -> None:
    held = house.installed()
    house.google.turn(down=True)
    house.ring_up(held, 1000_00)
    guest, page = house.join()
    assert page.status_code == 200
    assert "Show this page at the till" in page.text
    assert "/google/" not in page.text
    edition = page.headers["etag"]
    house.ring_up(guest, 1000_00)
    house.until(lambda: house.pending(held) and house.pending(guest))
    for _ in range(3):  # an hour of vain tries
        house.hours_pass()
    house.ring_up(held, 2000_00)
    assert house.balance(held) in ("100", "")
    house.google.turn(down=False)
    house.hours_pass()

    def back() -> bool:
        house.hours_pass()
        return house.card(guest).link_works and house.balance(held) == "190"

    house.until(back)
    later = house.get(guest.card_page, **{"If-None-Match": edition})
    assert later.status_code == 200
    house.tap(house.save_link(later))
    assert "added" in house.steps(guest)
    assert house.balance(guest) == "130"


def test_a_slow_google_keeps_nobody_waiting(house: House) -> None:
    house.google.turn(answer_delay_ms=9000)  # it does at once what it is asked, and says so too late
    began = time.monotonic()
    guest, page = house.join()
    assert time.monotonic() - began < PATIENCE + 6  # with what a busy machine takes for the form
    assert "Show this page at the till" in page.text
    assert "appears here in a moment" in page.text
    assert "/google/" not in page.text
    house.google.turn(answer_delay_ms=0)
    house.until(lambda: house.card(guest).link_works)
    later = house.get(guest.card_page, **{"If-None-Match": page.headers["etag"]})
    assert "/google/" in later.text


def test_a_callback_that_never_came_is_made_up_for(house: House) -> None:
    guest, _ = house.join()
    house.until(lambda: house.card(guest).link_works)
    house.google.turn(no_callbacks=True)
    house.google.save(house.card(guest).resource_id)
    assert not house.card(guest).is_held
    tick, now = holders_tick(), datetime.now(UTC)
    made = jobs.slot_of(now, tick.every) - google_cards.REREAD_AFTER[0] - timedelta(minutes=1)
    with house.database.write() as tx:
        tx.execute(
            update(google_object).where(google_object.c.pass_id == guest.pass_id).values(inserted_at=made)
        )
        assert not tick.step(tx, now)  # all in one piece
    house.until(lambda: house.card(guest).is_held)
    assert "added" in house.steps(guest)


def test_a_key_that_is_no_use_stops_nothing_but_google(house: House) -> None:
    guest = house.installed()
    house.google.turn(denied=True)
    house.ring_up(guest, 1000_00)
    joined, page = house.join()
    assert page.status_code == 200
    house.until(lambda: house.pending(guest) and house.pending(joined))
    house.google.turn(denied=False)
    with house.database.write() as tx:
        (stopped,) = GOOGLE.all_stopped(tx)
        store_breakers.hasten(tx, GOOGLE.subject_of(stopped), probe_at=datetime.now(UTC))

    def back() -> bool:
        house.hours_pass()
        return house.balance(guest) == "130" and house.card(joined).link_works

    house.until(back)
