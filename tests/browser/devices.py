"""The devices that guests hold, as Chromium can play them, and a page of each."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page

from tests.web.guests import ANDROID, DESKTOP, IPHONE
from tests.web.user_agents import APPS, BROWSERS

PHONE, TABLET, SCREEN = (390, 844), (820, 1180), (1280, 800)
LANGUAGES = {"ru": "ru-RU,ru;q=0.9", "en": "en-GB,en;q=0.9"}
_IPAD = """
Object.defineProperty(navigator, "platform", {get: () => "MacIntel"});
Object.defineProperty(navigator, "maxTouchPoints", {get: () => 5});
"""
_MAC = """
Object.defineProperty(navigator, "platform", {get: () => "MacIntel"});
Object.defineProperty(navigator, "maxTouchPoints", {get: () => 0});
"""
_BY_NAME = {known.name: known.user_agent for known in BROWSERS + APPS}
_SAFARI = _BY_NAME["Safari on a Mac, and on an iPad of today"]


@dataclass(frozen=True)
class Device:
    """What a guest holds."""

    name: str
    user_agent: str
    size: tuple[int, int] = PHONE
    navigator: str = ""  # what its browser says of itself beside the User-Agent


DEVICES = (
    Device("iphone", IPHONE),
    Device("iphone-in-instagram", _BY_NAME["Instagram on iOS"]),
    Device("android", ANDROID),
    Device("android-in-an-app", _BY_NAME["an app on Android that does not say which"]),
    Device("ipad", _BY_NAME["Safari on an old iPad"], TABLET),
    Device("ipad-that-says-mac", _SAFARI, TABLET, _IPAD),
    Device("mac", _SAFARI, SCREEN, _MAC),
    Device("desktop", DESKTOP, SCREEN),
)


@contextmanager
def open_device(
    browser: Browser, device: Device, origin: str, *, scripts: bool = True, dark: bool = False
) -> Iterator[BrowserContext]:
    """The device's browser; whatever a page says on its console as an error fails the test."""
    faults: list[str] = []
    context = browser.new_context(
        user_agent=device.user_agent, base_url=origin, java_script_enabled=scripts,
        viewport={"width": device.size[0], "height": device.size[1]},
        color_scheme="dark" if dark else "light", service_workers="block",
    )  # fmt: skip
    if device.navigator:
        context.add_init_script(device.navigator)
    context.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    context.on("weberror", lambda fault: faults.append(str(fault.error)))
    try:
        yield context
    finally:
        context.close()
    # A form that came back, an address that leads nowhere and a network that is away are meant so.
    assert [it for it in faults if not re.search(r"status of (404|410|422|429)|ERR_INTERNET", it)] == []


def speak(page: Page, language: str) -> None:
    """Whose language the browser asks for from now on."""
    page.set_extra_http_headers({"Accept-Language": LANGUAGES[language]})


_KNOWN = zxingcpp.BarcodeFormat
OF_CARDS = zxingcpp.BarcodeFormats([_KNOWN.QRCode, _KNOWN.Aztec, _KNOWN.PDF417, _KNOWN.Code128])
"""Barcodes that a card may have; others, with fewer checks, are read into a line of text now and then."""


def read_codes(page: Page) -> list[str]:
    """What a camera held at the page would read."""
    picture = Image.open(io.BytesIO(page.screenshot(full_page=True)))
    return [code.text for code in zxingcpp.read_barcodes(picture, formats=OF_CARDS)]
