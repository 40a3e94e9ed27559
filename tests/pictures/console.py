"""Every page of the console at phone and desktop width, in both languages, some in the dark."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, BrowserContext, Page, Playwright
from werkzeug.serving import make_server

from app.simulators.authority import Authority
from tests import servers
from tests.pictures.chain import SAFARI, Chain, open_chain
from tests.pictures.life import live
from tests.pictures.shots import SHOTS, Shot

HOST: Final = "cards.example.com"
FLAGS: Final = (
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync",
    "--hide-scrollbars", "--force-color-profile=srgb",
)  # fmt: skip
SIZES: Final = {"phone": (390, 844, 2), "desktop": (1280, 860, 1)}
"""Width, height, and pixels of the picture for one of the page's."""
LANGUAGES: Final = {"ru": "ru-RU", "en": "en-GB"}


@dataclass(frozen=True, slots=True)
class Way:
    """How a page is looked at."""

    size: str
    language: str
    dark: bool

    @property
    def word(self) -> str:
        """The end of a picture's name."""
        return f"{self.size}{'-dark' if self.dark else ''}-{self.language}"


def ways(shot: Shot) -> list[Way]:
    """Light at both widths in both languages; in the dark on a Russian phone and an English desktop."""
    found = [Way(size, language, False) for size, language in product(SIZES, LANGUAGES)]
    return found + ([Way("phone", "ru", True), Way("desktop", "en", True)] if shot.dark else [])


def names() -> list[str]:
    """Of all the pictures."""
    return [f"console-{shot.name}-{way.word}" for shot in SHOTS for way in ways(shot)]


@dataclass(slots=True)
class _Studio:
    chain: Chain
    browser: Browser
    contexts: dict[tuple[Way, str], BrowserContext] = field(default_factory=dict)

    def page(self, way: Way, who: str) -> Page:
        """A page of whoever it is; their context is kept."""
        if (way, who) not in self.contexts:
            width, height, scale = SIZES[way.size]
            context = self.browser.new_context(
                viewport={"width": width, "height": height}, device_scale_factor=scale,
                color_scheme="dark" if way.dark else "light", locale=LANGUAGES[way.language],
                base_url=self.chain.services.public_url, reduced_motion="reduce",
                user_agent=SAFARI if way.size == "phone" else None, ignore_https_errors=True,
            )  # fmt: skip
            self.contexts[way, who] = context
        context = self.contexts[way, who]
        context.clear_cookies()
        if who:
            context.add_cookies([self.chain.cookie(who, way.language)])  # type: ignore[list-item]
        return context.new_page()


def draw(
    playwright: Playwright, directory: Path, wanted: Sequence[str], keep: Callable[[bytes, str], int]
) -> int:
    """Hand ``keep`` each picture and its name, and return the bytes that it says they have."""
    total = 0
    with _opened(directory) as (chain, port):
        browser = playwright.chromium.launch(
            executable_path=servers.chromium_binary(),
            args=[*FLAGS, f"--host-resolver-rules=MAP {HOST} 127.0.0.1:{port}"],
        )
        studio = _Studio(chain, browser)
        for shot, way in ((one, way) for one in SHOTS for way in ways(one)):
            name = f"console-{shot.name}-{way.word}"
            if not wanted or name.startswith(tuple(wanted)):
                total += keep(_picture(studio, shot, way), name)
        browser.close()
    return total


def _picture(studio: _Studio, shot: Shot, way: Way) -> bytes:
    page = studio.page(way, shot.who)
    answer = page.goto(shot.address(studio.chain))
    assert answer is not None
    assert answer.ok, f"{page.url}: {answer.status}"
    page.wait_for_load_state("networkidle")
    if shot.then:
        shot.then(page)
    page.evaluate("document.activeElement.blur()")
    if shot.whole:  # the bar at the bottom stays at the bottom
        width, height, _scale = SIZES[way.size]
        whole = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": width, "height": max(height, whole)})
    taken = page.screenshot(animations="disabled")
    page.close()
    return taken


@contextmanager
def _opened(directory: Path) -> Iterator[tuple[Chain, int]]:
    """The chain, served at its public address: pictures show no port that differs each time."""
    port = servers.free_port()
    chain = open_chain(directory, f"https://{HOST}")
    live(chain)
    certificate, key = Authority.open(directory / "authority").server_certificate(directory / "tls", HOST)
    server = make_server(
        "127.0.0.1", port, chain.application, threaded=True, ssl_context=(str(certificate), str(key))
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield chain, port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        chain.database.close()
