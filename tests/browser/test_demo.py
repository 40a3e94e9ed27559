"""`perkpass demo` as a newcomer meets it: open what it prints, ring a receipt up, see the card change."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests import servers

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
ROOT = Path(__file__).parents[2]
SLOWLY = 60_000  # milliseconds: a machine that runs other tests beside


def _listen_to_ctrl_c() -> None:
    """As on a terminal: whoever runs these tests in the background has their children ignore it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass(frozen=True)
class Demo:
    process: subprocess.Popen[bytes]
    out: Path

    def said(self) -> str:
        return self.out.read_text(encoding="utf-8")

    def printed(self, pattern: str) -> str:
        """What ``pattern`` finds in its output, as soon as it is there."""
        deadline = time.monotonic() + 120
        while not (found := re.search(pattern, self.said())):
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.1)
        return found[1]


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """One guest, and nobody who buys anything by themselves for a while."""
    out = tmp_path / "demo.log"
    with out.open("wb") as log:
        process = subprocess.Popen(
            [
                sys.executable, "-m", "app", "demo", "--directory", str(tmp_path / "demo"),
                "--port", str(servers.free_port()), "--page-port", str(servers.free_port()),
                "--phones", "1", "--pace", "120",
            ],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            preexec_fn=_listen_to_ctrl_c,  # noqa: PLW1509 - it touches a signal alone
        )  # fmt: skip
    family = {process.pid}
    try:
        yield Demo(process, out)
    finally:
        family |= descendants(process.pid)
        if process.poll() is None:
            process.kill()
            process.wait(30)
        for pid in family & alive():
            subprocess.run(["kill", "-KILL", str(pid)], check=False)


def test_the_demo_shows_a_receipt_on_the_phone_and_ends_without_a_trace(
    demo: Demo, chromium: Browser, tmp_path: Path
) -> None:
    address = demo.printed(r"Open +(http://127\.0\.0\.1:\d+/)")
    console = demo.printed(r"(http://127\.0\.0\.1:\d+/console/\S+)")
    assert httpx.get(console, follow_redirects=True).status_code == 200
    install = demo.printed(r"(http://127\.0\.0\.1:\d+/i/\w+)")
    assert httpx.get(install, follow_redirects=True).status_code == 200
    page = chromium.new_page(viewport={"width": 1280, "height": 900}, locale="ru-RU")
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    try:
        page.goto(address)
        points = (
            page.locator("figure.card div").filter(has=page.locator("dt", has_text="Баллы")).locator("dd")
        )
        expect(points.last).to_have_text("100", timeout=SLOWLY)
        expect(page.locator(".lock .banner")).to_have_count(0)
        expect(page.locator(".gcard")).to_be_visible(timeout=SLOWLY)  # her other phone has it too
        page.evaluate("window.sameDocument = true")

        page.get_by_role("button", name="Чек").first.click()

        expect(page.locator(".lock .banner")).to_have_count(1, timeout=SLOWLY)
        expect(points.last).not_to_have_text("100", timeout=SLOWLY)
        balance = re.sub(r"\s", "", points.last.inner_text())
        message = re.sub(r"\s", "", page.locator(".lock .banner p").inner_text())
        assert balance in message  # the lock screen says what the card says
        expect(page.locator(".rung")).to_contain_text("чек №")
        google = page.locator(".gcard dl div").filter(has=page.locator("dt", has_text="Баллы")).locator("dd")
        expect(google).to_have_text(points.last.inner_text(), timeout=SLOWLY)  # her other phone, at Google
        expect(page.locator(".droid .notice")).to_have_count(1, timeout=SLOWLY)
        assert page.evaluate("window.sameDocument === true"), "the page was loaded anew"
        assert faults == []
    finally:
        page.close()

    copied = demo.printed(r"with the demo's data:\n((?: +\S.*\n)+)")
    done = subprocess.run(["bash", "-e", "-c", copied], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert (tmp_path / "tables.pdf").read_bytes().startswith(b"%PDF")
    assert copied.count("# ") == copied.count("/perkpass ") == 4

    family = descendants(demo.process.pid) | {demo.process.pid}
    assert len(family) >= 4  # the demo, the service, its web and its worker
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(60) == 0, demo.said()
    assert "The demo is over." in demo.said()
    assert "Traceback" not in demo.said()
    assert not family & alive()
    assert "FAILED" not in demo.said()


def _processes() -> dict[int, int]:
    """Parent by process; those that have ended and were not yet waited for are not there."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,stat="], capture_output=True, text=True, check=True)
    rows = [line.split() for line in listed.stdout.splitlines()]
    return {int(pid): int(parent) for pid, parent, state, *_ in rows if not state.startswith("Z")}


def alive() -> set[int]:
    """Every process there is."""
    return set(_processes())


def descendants(pid: int) -> set[int]:
    """Children, and theirs."""
    parents = _processes()
    found: set[int] = set()
    grown = {pid}
    while grown:
        grown = {child for child, parent in parents.items() if parent in grown} - found
        found |= grown
    return found
