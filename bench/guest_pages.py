"""How long a guest's pages take on the server, one guest after the other, on phone and desktop.

``python -m bench.guest_pages [TIMES]``. Every page is asked for as a guest's browser does, each from another
address, over one connection that is kept; the service runs as an operator starts it.
"""

from __future__ import annotations

import http.client
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bench import arguments, usage
from bench.installations import Inhabited, inhabited
from bench.report import Figure, Report, Table, deliver
from tests.web.guests import DESKTOP, IPHONE

TIMES = 500
GUESTS = 1_000
DEVICES = {"iPhone": IPHONE, "desktop": DESKTOP}
COLUMNS = ("database, page", "p50 ms", "p95 ms", "p99 ms", "CPU ms", "HTML, KB")


@dataclass(frozen=True, slots=True)
class Page:
    """One page as one device got it, many times."""

    kind: str  # the database
    name: str
    seconds: tuple[float, ...]  # sorted
    cpu: float  # seconds each
    size: int  # bytes of the last answer, as they travelled

    def share(self, part: float) -> float:
        """Milliseconds within which so large a part was answered."""
        return self.seconds[int((len(self.seconds) - 1) * part)] * 1000


def main() -> None:
    """Measure on both databases, and report."""
    told = arguments.parser("guest_pages")
    told.add_argument("times", nargs="?", type=arguments.number(), default=TIMES, help="of each page")
    times = told.parse_args().times
    pages: list[Page] = []
    with (
        tempfile.TemporaryDirectory() as name,
        inhabited(Path(name), GUESTS, history=False) as places,
    ):
        for place in places:
            place.installation.settings["PERKPASS_TRUSTED_PROXIES"] = "1"
            place.installation.start()
            try:
                pages += _pages(place, times)
            finally:
                place.installation.stop()
    deliver(_report(pages, times))


def _pages(place: Inhabited, times: int) -> Iterator[Page]:
    installation, world = place.installation, place.world
    processes = [process.pid for process in installation.processes.values()]
    if place.server_pid:
        processes.append(place.server_pid)
    connection = http.client.HTTPConnection("127.0.0.1", installation.port, timeout=30)
    guests = iter(range(10**6))
    for device, user_agent in DEVICES.items():

        def get(path: str, agent: str = user_agent) -> http.client.HTTPResponse:
            number = next(guests)
            address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
            connection.request("GET", path, headers={"User-Agent": agent, "X-Forwarded-For": address})
            return connection.getresponse()

        scanned = f"/i/{world.install_link_code}"
        answer = get(scanned)
        answer.read()
        landed = urlsplit(answer.headers["Location"])
        for name, path in (
            ("scan", scanned),
            ("install page", f"{landed.path}?{landed.query}"),
            ("card page", place.card_page(7)),
            ("page after Wallet", place.card_page(7).replace("/card/", "/next/")),
        ):
            took, size = [], 0
            before = sum(map(usage.cpu_seconds, processes))
            for _ in range(times):
                began = time.perf_counter()
                answer = get(path)
                body = answer.read()
                took.append(time.perf_counter() - began)
                size = len(body)
                if answer.status not in (200, 302, 303):
                    raise RuntimeError(f"{path}: {answer.status}")
            cpu = (sum(map(usage.cpu_seconds, processes)) - before) / times
            yield Page(place.kind, f"{device}: {name}", tuple(sorted(took)), cpu, size)


def _report(pages: list[Page], times: int) -> Report:
    return Report(
        title="Guests' pages",
        about=(
            f"Each page {times:,} times, one after the other, over one connection; the clock includes the"
            " connection on loopback, the processor's time all processes of the service and the database's"
            " server. On a desktop a page draws a QR code that leads on to a phone."
        ),
        tables=(
            Table(
                "From the request to the last byte",
                COLUMNS,
                tuple(
                    (
                        f"{page.kind}, {page.name}",
                        *(f"{page.share(part):.1f}" for part in (0.5, 0.95, 0.99)),
                        f"{page.cpu * 1000:.1f}",
                        f"{page.size / 1000:.1f}",
                    )
                    for page in pages
                ),
            ),
        ),
        figures=tuple(
            Figure(
                key=f"guest_pages.{kind.lower()}",
                what=f"server p95 of the slowest of guests' pages ({slowest.name}), {kind}",
                value=slowest.share(0.95),
                unit="ms",
                at_most=30,
            )
            for kind in dict.fromkeys(page.kind for page in pages)
            for slowest in [
                max((page for page in pages if page.kind == kind), key=lambda one: one.share(0.95))
            ]
        ),
    )


if __name__ == "__main__":
    main()
