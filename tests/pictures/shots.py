"""Which pictures there are of the console: every page that it declares, and the states worth seeing."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from playwright.sync_api import Page

from tests.pictures.chain import Chain

Then = Callable[[Page], None]
"""What is done on the page before the picture is taken."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A page as somebody meets it."""

    name: str
    endpoint: str  # as the registry names it, without "console."
    who: str = "owner"  # of chain.people; "" is nobody
    brand: str = "pechka"
    venue: str = "nevsky"
    query: str = ""
    told: dict[str, str] | None = None  # names in chain.told for the parameters, where they differ
    then: Then | None = None
    dark: bool = False  # in the dark as well
    whole: bool = True  # the whole page, else what the screen shows

    def address(self, chain: Chain) -> str:
        """Its path."""
        rule = next(
            route.rule
            for route in chain.console.routes
            if route.endpoint == f"console.{self.endpoint}" and route.method == "GET"
        )
        known = {**chain.told, "brand": self.brand, "venue": self.venue}
        known |= {name: chain.told[key] for name, key in (self.told or {}).items()}
        found = re.sub(r"<(?:[^:<>]+:)?(\w+)>", lambda name: str(known[name[1]]), rule)
        return f"/console{found}{self.query}"


def _press(name: str) -> Then:
    def then(page: Page) -> None:
        page.get_by_role("button", name=re.compile(name)).first.click()
        page.wait_for_load_state("networkidle")

    return then


def _open(selector: str) -> Then:
    return lambda page: page.locator(selector).first.click()


def _wrong_password(page: Page) -> None:
    page.locator("#email").fill("anna@pechka.example")
    page.locator("#password").fill("not this one")
    page.locator("main button.main").click()
    page.locator("[role=alert]").wait_for()


def _venue_without_a_name(page: Page) -> None:
    page.locator("form.stack").first.evaluate("form => { form.noValidate = true; }")
    page.locator("#address").fill("Невский, 1")
    page.locator("form.stack button.main").first.click()
    page.locator("[role=alert]").wait_for()


def _campaign_in_faults(page: Page) -> None:
    page.locator("[name='arm.0.ru']").fill("{balanse} баллов ждут")
    page.locator(".campaign-end button").click()
    page.locator("[role=alert]").wait_for()


def _invite_oleg(page: Page) -> None:
    page.locator("#name").fill("Олег")
    page.locator("[value=marketer]").check()
    page.locator("form.stack button.main").click()
    page.locator(".copy").wait_for()


def _new_key(page: Page) -> None:
    wide = page.evaluate("innerWidth") > 800
    russian = page.locator("html").get_attribute("lang") == "ru"
    page.locator("#name").fill(("Терраса" if russian else "Terrace") + (" 2" if wide else ""))
    page.locator("form.stack button").first.click()
    page.locator(".copy").wait_for()


SHOTS: Final = (
    Shot("sign-in", "entrance_sign_in", who="", dark=True),
    Shot("sign-in-wrong", "entrance_sign_in", who="", then=_wrong_password),
    Shot("invited", "invited_opened", who=""),
    Shot("brands", "entrance_start", who="operator", query="?all=yes"),
    Shot("brands-none", "entrance_start", who="newcomer"),
    Shot("brand-new", "brand_new_new", who="operator"),
    Shot("account", "account_own"),
    Shot("menu", "places_every", then=_open(".rest summary, .self summary"), whole=False),
    Shot("launch", "launch_list", dark=True),
    Shot("launch-first", "launch_list", who="operator", brand="myata"),
    Shot("funnel", "funnel_chain", dark=True),
    Shot("funnel-empty", "funnel_chain", who="operator", brand="myata"),
    Shot("funnel-venue", "funnel_venue", venue="petrogradka", dark=True),
    Shot("funnel-few", "funnel_venue", venue="kazan"),
    Shot("places", "places_every"),
    Shot("places-empty", "places_every", who="operator", brand="myata"),
    Shot("places-new", "places_new", then=_venue_without_a_name),
    Shot("places-edit", "places_edit"),
    Shot("venue", "places_venue_venue", dark=True),
    Shot("venue-code", "places_venue_code"),
    Shot("venue-till", "places_till_till"),
    Shot("venue-till-key", "places_till_till", brand="zerno", venue="rubinshteina", then=_new_key),
    Shot("staff", "staff_everyone"),
    Shot("staff-empty", "staff_everyone", who="operator", brand="myata"),
    Shot("designs", "designs_everything", who="operator", brand="myata"),
    Shot("designs-programme", "designs_programme", dark=True),
    Shot("designs-editor", "designs_editor_edit", dark=True),
    Shot("designs-publish", "designs_publish_review"),
    Shot("guests", "members_every"),
    Shot("guests-empty", "members_every", who="operator", brand="myata"),
    Shot("guests-none-found", "members_every", query="?q=Констанция"),
    Shot("guests-audience", "members_audience_audience", query="?preset=everybody", dark=True),
    Shot("guest", "members_one", dark=True),
    Shot("guest-blocked", "members_one", told={"member_id": "blocked"}),
    Shot("guest-forget", "members_data_forget"),
    Shot("offers", "offers_every", dark=True),
    Shot("offers-empty", "offers_every", who="operator", brand="myata"),
    Shot("offer-new", "offers_new"),
    Shot("offer", "offers_edit", told={"offer_id": "given_offer"}),
    Shot("campaigns", "campaigns_every"),
    Shot("campaigns-empty", "campaigns_every", who="operator", brand="myata"),
    Shot("campaign-write", "campaigns_write_edit", dark=True),
    Shot("campaign-new", "campaigns_write_new", then=_campaign_in_faults),
    Shot("campaign-review", "campaigns_review_review", dark=True),
    Shot("campaign-scheduled", "campaigns_review_review", told={"campaign_id": "scheduled_campaign"}),
    Shot("campaign", "campaigns_one", told={"campaign_id": "sent_campaign"}, dark=True),
    Shot("settings-limits", "campaigns_limits_allowed"),
    Shot("team", "people_everybody"),
    Shot("team-invite", "people_invite"),
    Shot("team-link", "people_invite", then=_invite_oleg),
    Shot("team-person", "people_person"),
    Shot("certificate", "certificate_present"),
    Shot("certificate-none", "certificate_present", who="operator", brand="myata"),
    Shot("health", "health_brand", dark=True),
    Shot("health-installation", "health_whole", who="operator"),
    Shot("log", "audit_of_brand"),
    Shot("log-installation", "audit_of_installation", who="operator"),
    Shot("settings", "settings_overview"),
    Shot("settings-brand", "settings_brand"),
    Shot("settings-programme", "settings_programme_edit"),
    Shot("settings-programme-new", "settings_programme_new", query="?kind=stamp"),
)
FILES: Final = frozenset({".csv", ".xlsx", ".pdf", ".svg", ".zip"})
"""Addresses that end so are downloads, which have no looks of a page."""
WITHOUT: Final = {"entrance_brand": "leads on to the brand's first area"}
"""Addresses without a picture of their own, and why."""
