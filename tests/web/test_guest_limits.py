"""Limits per address: machines wait, guests do not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from limits import RateLimitItemPerMinute

from app.db import Database
from app.errors import TooMany
from app.web.guest import crowded_page
from app.web.guest_limits import GuestLimits
from app.web.rate_limits import site_of
from tests.web.guests import open_world

ONE_A_MINUTE = (RateLimitItemPerMinute(1),)
TWO_A_MINUTE = (RateLimitItemPerMinute(2),)


def test_the_third_scan_is_told_when_to_come_back(database: Database) -> None:
    world = open_world(database, limits=GuestLimits("memory://", visits=TWO_A_MINUTE))
    guest = world.phone()
    assert [guest.get(world.cafe.path).status_code for _ in range(3)] == [303, 303, 429]
    refused = guest.get(world.cafe.path)
    assert "One moment, please" in refused.text
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert world.phone(address="127.0.0.2").get(world.cafe.path).status_code == 303


def test_a_refused_form_stores_nothing_and_can_be_sent_again(database: Database) -> None:
    limits = GuestLimits("memory://", forms=ONE_A_MINUTE)
    world = open_world(database, limits=limits)
    guest = world.phone()
    page = guest.scan(world.cafe)
    assert guest.send(page).status_code == 422
    assert guest.send(page, data="yes").status_code == 429
    assert world.phone(address="127.0.0.2").send(page, data="yes").status_code == 303


def test_a_page_that_is_only_shown_again_counts_no_visit(database: Database) -> None:
    world = open_world(database, limits=GuestLimits("memory://", visits=ONE_A_MINUTE))
    guest = world.phone()
    address = guest.get(world.cafe.path).location
    assert [guest.get(address).status_code for _ in range(5)] == [200] * 5


def test_the_limits_of_two_processes_are_one_in_redis(redis_url: str) -> None:
    storage = redis_url or "memory://"
    one = GuestLimits(storage, visits=TWO_A_MINUTE)
    other = GuestLimits(storage, visits=TWO_A_MINUTE) if redis_url else one
    one.count_visit("192.0.2.1")
    other.count_visit("192.0.2.1")
    with pytest.raises(TooMany) as refused:
        one.count_visit("192.0.2.1")
    assert timedelta(0) < refused.value.retry_after <= timedelta(minutes=1)


def test_guests_are_let_through_while_redis_is_away(free_port: int) -> None:
    limits = GuestLimits(f"redis://127.0.0.1:{free_port}/0", visits=ONE_A_MINUTE)
    for _ in range(3):
        limits.count_visit("192.0.2.1")


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("192.0.2.1", "192.0.2.1"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"), ("", "unknown"),
    ],
)  # fmt: skip
def test_one_customer_of_a_provider_is_one_site(address: str, site: str) -> None:
    assert site_of(address) == site


@pytest.mark.parametrize(("method", "told"), [("POST", True), ("GET", False)])
def test_a_form_that_was_refused_unread_is_to_be_sent_once_more(
    database: Database, method: str, told: bool
) -> None:
    world = open_world(database)
    with world.app.test_request_context("/i/any?lang=ru", method=method):
        answer = crowded_page(90)
    words = answer.get_data(as_text=True)
    assert answer.status_code == 429
    assert "через 2 минуты." in words
    assert ("отправьте форму ещё раз" in words) is told
