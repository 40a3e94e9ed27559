"""The editor while one types: what is refused is said at once, a guest is looked for, a field is dragged."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.test_designs import PHONE, SCREEN, clean, desk, house
from tests.web.console import designs_stage
from tests.web.console.house import House
from tests.web.console.look import sign_in_cookie
from tests.web.console.members_guests import guest

__all__ = ["house"]
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("designs")]
AT = "/console/bakery/designs/2/draft"


def test_what_is_refused_is_said_while_one_types(house: House, chromium: Browser) -> None:
    designs_stage.begin(house, house.bakery)
    with house.database.write() as tx:
        anna = guest(tx, house.bakery, "Аглая Петрова", "+79031234567")
    with desk(house, chromium, SCREEN) as page:
        page.goto(AT)
        with page.expect_navigation():
            page.get_by_role("button", name="Add a link").click()
        field = page.locator(".inside:has([name$='.words.en'][inputmode=url])").last
        name = field.get_attribute("id")
        assert name
        link = page.locator(f"[id='{name}.words.en']")
        screen, state = page.locator("#preview [data-picture]"), page.locator("#preview-state")
        fault = page.locator(f"[id='{name}.words.en-fault']")
        expect(state).to_be_empty()
        link.fill("menu")
        expect(fault).to_contain_text("Write the whole address")
        expect(link).to_have_attribute("aria-invalid", "true")
        expect(link).to_have_attribute("aria-describedby", f"{name}.words.en-fault")
        expect(state).to_have_text("This is the last good state: what is marked is not in it.")
        assert "stale" in (screen.get_attribute("class") or "")
        expect(screen.locator("svg.proof")).to_be_visible()
        said = page.locator("#told[role=status]")
        expect(said).to_contain_text("Write the whole address")
        assert clean(page) == ""
        page.locator("#colour\\.foregroundColor").fill("#1b2a33")  # a warning beside it, of another kind
        expect(page.locator('[data-slot="colour.foregroundColor"]')).to_contain_text("Hard to read")
        expect(fault).to_be_visible()
        page.locator("#colour\\.foregroundColor").fill("#ffffff")
        link.fill("https://zerno.example/menu")
        expect(fault).to_have_count(0)
        expect(state).to_be_empty()
        expect(link).not_to_have_attribute("aria-invalid", "true")
        expect(said).to_have_text("That is put right.")
        assert "stale" not in (screen.get_attribute("class") or "")
        page.get_by_label("A real guest’s card").fill("903 123-45-67")
        page.get_by_label("Аглая Петрова").check()
        expect(screen).to_contain_text(anna.card_code)
        page.get_by_label("New guest", exact=True).check()
        expect(screen).not_to_contain_text(anna.card_code)
        assert "903" not in page.url

        with page.expect_navigation():
            page.get_by_role("button", name="Save", exact=True).last.click()
        rows = page.locator('[data-group="backFields"] > .card-field')
        first = [row.locator("summary b").inner_text() for row in rows.all()]
        grip, target = rows.nth(1).locator(".grip"), rows.nth(4).locator("summary")
        grip.scroll_into_view_if_needed()
        start, end = grip.bounding_box(), target.bounding_box()
        assert start
        assert end
        page.mouse.move(start["x"] + 20, start["y"] + 20)
        page.mouse.down()
        page.mouse.move(start["x"] + 20, end["y"] + 10, steps=6)
        page.mouse.move(start["x"] + 20, end["y"] + end["height"] - 4, steps=4)
        with page.expect_navigation():
            page.mouse.up()
        moved = [row.locator("summary b").inner_text() for row in rows.all()]
        assert moved == [first[0], *first[2:5], first[1], *first[5:]]

        rows.nth(2).locator("summary").click()
        with page.expect_navigation():
            rows.nth(2).get_by_role("button", name="Remove this field").click()
        notice = page.locator(".done")
        expect(notice).to_contain_text(f"The field “{moved[2]}” is removed.")
        expect(notice).to_be_in_viewport()
        with page.expect_navigation():
            notice.get_by_role("button", name="Undo").click()
        assert [row.locator("summary b").inner_text() for row in rows.all()] == moved
        page.context.clear_cookies()  # signed out meanwhile
        page.locator("#colour\\.labelColor").fill("#ffffff")
        expect(state).to_have_text("The preview could not be drawn anew. What you typed is still here.")
        assert "stale" in (screen.get_attribute("class") or "")


def test_without_scripts_the_same_is_said_after_sending(house: House, chromium: Browser) -> None:
    designs_stage.begin(house, house.cafe)
    context = chromium.new_context(
        viewport={"width": PHONE[0], "height": PHONE[1]}, base_url=house.services.public_url,
        java_script_enabled=False,
    )  # fmt: skip
    context.add_cookies([sign_in_cookie(house, "owner", "cafe")])  # type: ignore[list-item]
    page = context.new_page()
    page.goto("/console/cafe/designs/1/draft")
    with page.expect_navigation():
        page.get_by_role("button", name="Add a link").click()
    link = page.locator("[name$='.words.en'][inputmode=url]").last
    link.fill("menu")
    with page.expect_navigation():
        page.get_by_role("button", name="Save", exact=True).last.click()
    fault = page.locator(".fault")
    expect(fault).to_have_count(1)
    expect(fault).to_contain_text("Write the whole address")
    expect(link).to_have_value("menu")
    page.locator('.sides [value="phone"]').check()
    expect(page.locator("#preview-state")).to_contain_text("last good state")
    assert "stale" in (page.locator("#preview [data-picture]").get_attribute("class") or "")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    context.close()
