"""A guest at the counter, on a phone in Chromium: found, corrected and undone, blocked, issued anew, taken
away as a file, forgotten; axe looks at every page on the way.
"""

from __future__ import annotations

import json
from datetime import timedelta
from zipfile import ZipFile

import pytest
from playwright.sync_api import Page, expect

from tests.browser import axe
from tests.browser.test_console_looks import Site, _layout, site
from tests.web.console.members_guests import guest, ring_up, with_phone

__all__ = ["site"]
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("console_looks")]


def _fit(page: Page) -> None:
    """Nothing for axe to find, nothing over the edge, at 360 px."""
    assert axe.faults(page) + _layout(page) == []


def _fold(page: Page, said: str, **fields: str) -> None:
    """Open a form of the card, fill it in and send it."""
    fold = page.locator("details.fold", has_text=said)
    fold.locator("summary").click()
    for name, value in fields.items():
        fold.locator(f'[name="{name}"]').fill(value)
    _fit(page)
    with page.expect_navigation():
        fold.locator("form button").click()


@pytest.mark.timeout(90)
def test_a_guest_at_the_counter(site: Site) -> None:
    house = site.house
    with house.database.write() as tx:
        card = guest(tx, house.cafe, "Анна Петрова", "+79031234567")
        guest(tx, house.cafe, "Борис", "+79039990000")
        with_phone(tx, card)
        ring_up(tx, house.cafe, card, "R-1")
    house.clock.forward(timedelta(hours=1))
    page = site.page()
    page.goto("/console/cafe/members")
    page.get_by_role("searchbox").fill("4567")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    _fit(page)
    page.get_by_role("link", name="Анна Петрова").click()
    balance, notice = page.locator(".member-large"), page.locator(".done")
    expect(balance).to_contain_text("345 points")
    expect(page.get_by_alt_text("The card as the phone shows it now")).to_be_visible()

    _fold(page, "Correct the balance", amount="12,5", reason="Чек не прошёл")
    expect(balance).to_contain_text("357.5 points")
    expect(page.locator(".member-events")).to_contain_text("Чек не прошёл")
    _fit(page)
    with page.expect_navigation():
        notice.get_by_role("button", name="Undo").click()
    expect(balance).to_contain_text("345 points")

    _fold(page, "Block the card", reason="Потеряла телефон")
    expect(page.locator(".member-facts h2")).to_contain_text("blocked")
    _fit(page)
    with page.expect_navigation():
        notice.get_by_role("button", name="Undo").click()
    expect(page.locator(".member-facts h2")).not_to_contain_text("blocked")

    code = page.locator(".member-facts code").inner_text()
    _fold(page, "Issue the card anew", reason="Карту увидели чужие")
    expect(page.locator(".member-facts code")).not_to_have_text(code)
    expect(balance).to_contain_text("345 points")
    hand_over = page.locator("details.fold", has_text="Put the card into the guest’s phone")
    if hand_over.get_attribute("open") is None:
        hand_over.locator("summary").click()
    expect(hand_over.locator("svg").last).to_be_visible()
    _fit(page)

    # What is seldom needed is folded away; the card and what happened come first.
    assert not page.get_by_role("button", name="Download everything").is_visible()
    page.locator(".member-data summary").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download everything").click()
    with ZipFile(download.value.path()) as bundle:
        kept = json.loads(bundle.read("data.json"))
        assert kept["member"][0]["name"] == "Анна Петрова"
        assert [act["kind"] for act in kept["card_act"]] == [
            "correction", "correction", "block", "unblock", "reissue",
        ]  # fmt: skip
        assert "Чек не прошёл" in bundle.read("data.html").decode()

    with page.expect_navigation():
        page.get_by_role("link", name="Forget the guest…").click()
    _fit(page)
    with page.expect_navigation():
        page.get_by_role("button", name="Forget for good").click()
    expect(page.locator(".fault").first).to_be_visible()  # not without the tick
    page.locator('[name="sure"]').check()
    with page.expect_navigation():
        page.get_by_role("button", name="Forget for good").click()
    for query, there in (("4567", False), ("Анна", False), ("Борис", True)):
        page.goto(f"/console/cafe/members?q={query}")
        expect(page.get_by_text("Nobody found")).to_be_visible(visible=not there)
    page.context.close()
