"""A newcomer's first ten minutes: an empty installation and a certificate, then the console alone.

`perkpass run`, the owner's link, the brand with its certificate, the programme, the card, the venue, a poster
that scans, a card in the simulated phone, the till's key and a receipt: the launch list ends complete. On
SQLite in every run: it is one machine's story.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from app.simulators.apns import running, settings_for
from app.simulators.guest_browser import Guest
from app.simulators.phone import Phone, PhoneSettings
from tests.browser import axe
from tests.flows.installation import Installation, yesterday
from tests.flows.load import code_of
from tests.passes.certificate_maker import Maker
from tests.posters.prints import codes, picture, text

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
SLOWLY = 60_000  # milliseconds: a machine that runs other tests beside
PASSWORD = "seven quiet lamps"


@pytest.fixture
def maker(tmp_path: Path) -> Maker:
    return Maker(tmp_path / "authority", yesterday())


@pytest.fixture
def installation(tmp_path: Path, maker: Maker) -> Iterator[Installation]:
    """Fresh: no brand, no user; pushes go to a simulator that stands for Apple's."""
    (tmp_path / "apns").mkdir()
    with running(settings_for(maker.authority, tmp_path / "apns")) as apns:
        one = Installation(tmp_path, maker.authority, apns, database_url="", redis_url="")
        try:
            one.start()
            yield one
        finally:
            one.stop()


def _next(page: Page, step: str) -> None:
    """The list points at this step: take the way it shows."""
    here = page.locator(".step.next")
    expect(here).to_have_attribute("data-step", step)
    here.locator("a.button, button").first.click()


def _is_sound(page: Page) -> None:
    """Nothing that axe finds against WCAG AA, nothing wider than the phone: for what only a newcomer sees."""
    assert axe.faults(page, "wcag2a", "wcag2aa", "wcag21aa", "wcag22aa") == []
    _fits(page)


def _fits(page: Page) -> None:
    """Nothing wider than the phone; tests/browser/test_console_looks.py asks axe about these pages."""
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{page.url} is {wide} pixels too wide"


def test_a_newcomer_gets_from_nothing_to_a_receipt_by_the_console_alone(
    installation: Installation, maker: Maker, chromium: Browser
) -> None:
    invited = json.loads(installation.perkpass("user", "invite", "--json").stdout)
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, locale="en-GB", accept_downloads=True
    )
    page = context.new_page()
    page.set_default_timeout(SLOWLY)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if _is_amiss(message) else None)
    page.on("pageerror", lambda fault: said.append(str(fault)))
    try:
        _an_account(page, invited["link"])
        _a_brand(page, maker)
        _a_programme_and_its_card(page)
        install_url = _a_venue_and_its_poster(page)
        card = _a_card(installation, maker, install_url)
        _a_receipt(page, installation, card)
        _a_plan(page)
    finally:
        context.close()
    assert said == []


def _is_amiss(message: ConsoleMessage) -> bool:
    """An error, but for a form that comes back with what is wrong: the browser notes its status."""
    return message.type == "error" and "422" not in message.text


def _an_account(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_label("Your name").fill("Nina Newcomer")
    page.get_by_label("E-mail").fill("nina@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Begin").click()
    _is_sound(page)
    page.get_by_role("link", name="Make the first brand").click()


def _a_brand(page: Page, maker: Maker) -> None:
    _is_sound(page)
    page.get_by_label("What it is called").fill("Birch Coffee")
    certificate = {"name": "pass.p12", "mimeType": "application/x-pkcs12", "buffer": maker.p12(b"secret")}
    page.get_by_label("Certificate", exact=True).set_input_files(certificate)  # type: ignore[arg-type]
    page.get_by_label("Password of the file").fill("not this one")
    page.get_by_role("button", name="Make the brand").click()
    # A wrong password is told beside its field; what was typed is there still, secrets are not.
    expect(page.locator("#password-fault")).to_be_visible()
    expect(page.get_by_label("What it is called")).to_have_value("Birch Coffee")
    expect(page.get_by_label("Password of the file")).to_have_value("")
    page.get_by_label("Certificate", exact=True).set_input_files(certificate)  # type: ignore[arg-type]
    page.get_by_label("Password of the file").fill("secret")
    page.get_by_role("button", name="Make the brand").click()
    expect(page.locator(".step.finished[data-step=certificate]")).to_be_visible()
    _is_sound(page)


def _a_programme_and_its_card(page: Page) -> None:
    _next(page, "programme")
    _fits(page)
    page.get_by_role("link", name=re.compile("^Tiers")).click()
    _fits(page)
    page.get_by_role("button", name="Make the programme").click()
    _next(page, "design")
    expect(page.locator(".step.finished[data-step=design]")).to_be_visible()


def _a_venue_and_its_poster(page: Page) -> str:
    """Returns the address that its code leads to."""
    _next(page, "venue")
    _fits(page)
    page.get_by_label("What it is called").fill("Birch on Main Street")
    page.get_by_label("Address").fill("Main Street 1")
    page.get_by_role("button", name="Add the venue").click()
    page.get_by_role("button", name="One code for the venue").click()
    page.get_by_role("button", name="Tables 1–20").click()
    expect(page.get_by_role("link", name=re.compile("^Table 20"))).to_be_visible()
    _is_sound(page)
    page.get_by_role("link", name=re.compile("^The venue’s own code")).click()
    _fits(page)
    address = page.get_by_label("Address of the code").input_value()
    with page.expect_download() as download:
        page.get_by_role("link", name="PDF A4 sheet").click()
    poster = download.value.path().read_bytes()
    assert codes(picture(poster)) == [address]
    assert "Birch on Main Street" in text(poster)
    page.get_by_role("link", name="Birch on Main Street").first.click()
    with page.expect_download() as download:
        page.get_by_role("link", name="In English").click()
    assert "Do you have our card?" in text(download.value.path().read_bytes())
    page.locator("#for").select_option(
        index=1
    )  # one page: all twenty-one take seconds, and tests/posters has them
    with page.expect_download() as download:
        page.get_by_role("button", name="Download PDF").click()
    assert download.value.suggested_filename.endswith("-a4.pdf")
    return address


def _a_card(installation: Installation, maker: Maker, install_url: str) -> str:
    """The card of a guest whose phone is simulated: in the phone, and known to be there. Returns its code."""
    settings = PhoneSettings(
        root=maker.authority.root, push_service=installation.apns.control_url, allow_http=True
    )

    async def guest() -> str:
        phone = Phone("Anna", settings)
        await phone.start()
        try:
            card = await phone.install_from_page(install_url, Guest(name="Anna"))
            await phone.settle()
            assert card.registered
            assert card.wallet_pass.document["organizationName"] == "Birch Coffee"
            return code_of(card)
        finally:
            await phone.stop()

    # Playwright's own loop runs in this thread.
    with ThreadPoolExecutor(1) as apart:
        return apart.submit(asyncio.run, guest()).result(SLOWLY / 1000)


def _a_receipt(page: Page, installation: Installation, card: str) -> None:
    page.goto(f"{installation.url}/console/birch-coffee/launch")
    for step in ("poster", "card"):
        expect(page.locator(f".step.finished[data-step={step}]")).to_be_visible()
    _next(page, "till")
    page.get_by_role("button", name="Make a key").click()
    secret = page.get_by_label("Key", exact=True).input_value()
    assert secret.startswith("ppk_")
    _is_sound(page)
    page.get_by_role("link", name="Till", exact=True).click()
    assert secret not in page.content()
    expect(page.get_by_text("No receipt of this venue has arrived yet.")).to_be_visible()
    receipt = {
        "card": card, "number": "test-1", "amount": 500_00, "currency": "RUB",
        "at": datetime.now(UTC).isoformat(),
    }  # fmt: skip
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "newcomer-1"}
    answer = httpx.post(f"{installation.url}/api/v1/receipts", json=receipt, headers=headers, timeout=30)
    assert answer.status_code in (200, 201), answer.text
    # The page that waits for it shows it by itself.
    expect(page.locator(".receipts").get_by_text("test-1")).to_be_visible(timeout=SLOWLY)
    expect(page.locator(".checks .good").first).to_be_visible()
    page.goto(f"{installation.url}/console/birch-coffee/launch")
    expect(page.get_by_role("heading", name="Everything works")).to_be_visible()
    assert page.locator(".step.finished").count() == page.locator(".step").count() == 8
    _is_sound(page)


def _a_plan(page: Page) -> None:
    """Somebody who invites, and the address back from a step too far."""
    page.goto(page.url.replace("/launch", "/places/-/staff"))
    name = (
        f"Vera {'Wolfeschlegelsteinhausen' * 4}"  # as long as names may be: no notice is wider than a phone
    )
    page.get_by_label("Name").fill(name)
    page.get_by_label("Plan, cards a month").fill("40")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("progressbar", name=f"Plan of {name}")).to_be_visible()
    _fits(page)
    page.get_by_role("button", name=f"Has left {name}").click()
    _fits(page)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("link", name="Code and badge")).to_be_visible()
