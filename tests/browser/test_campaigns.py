"""A marketer's day in Chromium, on a phone: written with the preview following, reviewed, tried on one's own
card, sent, paused, resumed, and seen to arrive; axe looks at every page on the way.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from app.passes import evidence, issuing
from app.passes.evidence import Fetch
from tests.browser import axe
from tests.browser.test_console_looks import Site, _layout, site
from tests.web.console.test_campaigns import phones, send_out

__all__ = ["site"]
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("console_looks")]


def _fit(page: Page) -> None:
    """Nothing for axe to find, nothing over the edge, at 360 px."""
    assert axe.faults(page) + _layout(page) == []


def _press(page: Page, name: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=name).first.click()


@pytest.mark.timeout(120)
def test_a_marketers_day(site: Site) -> None:
    house = site.house
    anna, *_others = phones(house, ["Анна", "Борис", "Вера"])
    page = site.page("marketer")
    page.goto("/console/cafe/campaigns")
    with page.expect_navigation():
        page.get_by_role("link", name="Write the first campaign").click()

    page.get_by_label("Name").first.fill("Half price")
    expect(page.locator("#counts")).to_contain_text("Guests")
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.locator("[name='preset'][value='never']").check()
    english = page.get_by_label("Line in English")
    english.fill(", coffee at half price")
    english.evaluate("area => area.setSelectionRange(0, 0)")
    page.locator("#arm\\.0\\.en ~ .campaign-chips button").first.click()
    expect(english).to_have_value("{name|dear guest}, coffee at half price")
    page.get_by_label("Line in Russian").fill("{nome}, кофе")
    expect(page.locator("[id='arm.0.ru-says']")).to_contain_text("There is no such field")
    _press(page, "Save and review")
    expect(page.locator("[id='arm.0.ru-fault']")).to_be_visible()
    expect(english).to_have_value("{name|dear guest}, coffee at half price")
    page.get_by_label("Line in Russian").fill("{name|Гость}, кофе за полцены")
    page.locator("[name='see.guest']").fill(anna.card_code)
    page.locator("[name='see.reader']").select_option("en")
    expect(page.locator("#preview")).to_contain_text(anna.card_code)
    expect(page.locator("[id='arm.0.en-says']")).to_contain_text("Анна, coffee at half price")
    page.locator("summary", has_text="Deadlines").click()
    page.locator("[name='holdout']").fill("0")
    page.locator("[name='canary']").uncheck()
    _fit(page)
    _press(page, "Save and review")

    expect(page.locator(".campaign-told")).to_contain_text("3 guests")
    _fit(page)
    page.locator("[name='who']").fill(anna.card_code)
    _press(page, "Test")
    expect(page.locator(".done")).to_contain_text("says it now")
    with house.database.write() as tx:
        card = issuing.wallet_pass(tx, anna.pass_id)
        assert card.content.messages[0].text.ru == "Анна, кофе за полцены"
        evidence.record(tx, [Fetch(card.id, card.version, card.last_modified, house.clock())])

    _press(page, "Send now to 3 guests")
    expect(page.locator(".done")).to_contain_text("on its way")
    _press(page, "Pause")
    send_out(house)
    page.reload()
    expect(page.get_by_text("It begins in a moment")).to_be_visible()
    _press(page, "Resume")
    send_out(house)
    page.reload()
    expect(page.locator(".campaign-steps")).to_contain_text("Card changed, phone not heard of yet")
    expect(page.locator(".campaign-steps .sum")).to_contain_text("3")
    _fit(page)
    page.context.close()
