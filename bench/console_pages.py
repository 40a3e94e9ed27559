"""How long the console's pages take on the server, for an owner of a brand with many members.

``python -m bench.console_pages [MEMBERS] [TIMES]``. Every page that the console declares is found by
following its links from the brand's first page, one address for each kind of page, and asked for in this
process: the clock includes the database's work and leaves out the network. Searches and further pages of
lists are added.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from flask import Flask
from werkzeug.exceptions import HTTPException

from app.accounts import brands, sessions, users
from app.db import Database, connect, schema
from app.examination.alarms import Alarms
from app.passes import stored_certificates
from app.passes.press import Press
from app.passes.sealing import Safe
from app.web.application import make_flask
from app.web.console.cookies import Cookies
from app.web.services import Services
from bench import arguments, world
from bench.report import Figure, Report, Table, deliver
from tests import servers
from tests.passes.certificate_maker import Maker
from tests.web.console.house import SAFARI, Browser

MEMBERS, TIMES = 120_000, 30
BAR = 100
"""Milliseconds."""
PUBLIC_URL = "https://cards.example.com"
SECRET = b"a secret of the benchmark's own, long enough"
MOST_PAGES = 400
_LINK = re.compile(r'(?:href|src)="(/console/[^"#]*)"')


@dataclass(frozen=True, slots=True)
class Page:
    """One kind of page, asked for many times."""

    kind: str  # the database
    name: str
    seconds: tuple[float, ...]  # sorted
    cpu: float  # seconds each, of this process
    size: int  # bytes
    is_page: bool  # and not a file: a print, a picture, an export

    def share(self, part: float) -> float:
        """Milliseconds within which so large a part was answered."""
        return self.seconds[int((len(self.seconds) - 1) * part)] * 1000


class _Silence:
    def ring(self) -> None:
        """Nobody listens."""


def main() -> None:
    """Fill each kind of database, walk, measure, report."""
    told = arguments.parser("console_pages")
    told.add_argument("members", nargs="?", type=arguments.number(), default=MEMBERS, help="of the brand")
    told.add_argument("times", nargs="?", type=arguments.number(), default=TIMES, help="of each page")
    given = told.parse_args()
    pages: list[Page] = []
    with tempfile.TemporaryDirectory() as name, _addresses(Path(name)) as addresses:
        for kind, url in addresses.items():
            database = connect(url)
            try:
                schema.migrate(database)
                pages += _measure(kind, database, Path(name) / kind, given.members, given.times)
            finally:
                database.close()
    deliver(_report(pages, given.members, given.times))


@contextmanager
def _addresses(directory: Path) -> Iterator[dict[str, str]]:
    """Of an empty database on each kind that is installed."""
    found = {"SQLite": f"sqlite:///{directory / 'bench.db'}"}
    with ExitStack() as stack:
        if servers.postgresql_binaries():
            server = stack.enter_context(servers.postgresql())
            with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
                connection.execute("CREATE DATABASE bench")
            found["PostgreSQL"] = server.url("bench")
        yield found


def _measure(kind: str, database: Database, directory: Path, members: int, times: int) -> list[Page]:
    now = datetime.now(UTC)
    filled = world.build(database, members, now=now)
    flask, browser, slug = _console(database, directory, now)
    addresses = _walk(flask, browser, slug)
    addresses |= _searches(slug, filled)
    return [_page(kind, name, address, browser, times) for name, address in sorted(addresses.items())]


def _console(database: Database, directory: Path, now: datetime) -> tuple[Flask, Browser, str]:
    """The console as bootstrap wires it, and its owner signed in: also the installation's operator."""
    import_module("app.accounts.tables")
    maker = Maker(directory, now)
    safe = Safe.of(SECRET, authorities=(maker.root,))

    def clock() -> datetime:
        return datetime.now(UTC)

    press = Press(f"{PUBLIC_URL}/passkit", clock=clock, safe=safe)
    services = Services(
        database=database,
        press=press,
        wakeup=_Silence(),
        clock=clock,
        build_pass=lambda _tx, _pass_id: b"",
        evidence_age=lambda _: timedelta(0),
        public_url=PUBLIC_URL,
        secret_key=SECRET,
        pass_key=SECRET,
        authorities=(maker.root,),
        alarms=Alarms(press, None, safe).raised,
    )
    with database.write() as tx:
        brand = brands.brand_by_slug(tx, world.BRAND)
        brought = maker.p12(
            b"secret", pass_type_identifier=brand.pass_type_identifier, team_identifier=brand.team_identifier
        )
        taken = stored_certificates.take_in(tx, safe, brought, "secret", now=now)
        stored_certificates.store_for(tx, safe, brand, taken, now=now, actor="bench")
        owner = users.create_user(
            tx,
            email="owner@example.com",
            name="Owner",
            password_hash="-",
            language="ru",
            operator=True,
            now=now,
        )
        users.grant(tx, owner.id, brand.id, "owner", [], now=now, actor="bench")
        _, token = sessions.begin(tx, owner, user_agent=SAFARI, now=now)
    flask = make_flask(services)
    browser = Browser(flask, PUBLIC_URL, {"HTTP_USER_AGENT": SAFARI, "REMOTE_ADDR": "127.0.0.1"})
    cookies = Cookies(services)
    browser.set_cookie(
        cookies.name, cookies.signed(token), domain=urlsplit(PUBLIC_URL).hostname or "", path="/", secure=True
    )
    return flask, browser, brand.slug


def _walk(flask: Flask, browser: Browser, slug: str) -> dict[str, str]:
    """An address for every page that a link leads to; of pages of one kind the first."""
    matcher = flask.url_map.bind(urlsplit(PUBLIC_URL).hostname or "", url_scheme="https")
    waiting, found = deque([f"/console/{slug}", "/console/?all=yes"]), dict[str, str]()
    seen: set[str] = set()
    while waiting and len(seen) < MOST_PAGES:
        address = waiting.popleft()
        try:
            endpoint, _values = matcher.match(urlsplit(address).path, "GET")
        except HTTPException:
            continue
        if address in seen or "/console/-/" in address:
            continue
        seen.add(address)
        if endpoint in found:
            continue
        answer = browser.get(address)
        if answer.status_code in (302, 303):
            waiting.append(answer.headers["Location"])
            continue
        if answer.status_code == 404:  # nobody drew that picture yet
            continue
        if answer.status_code != 200:
            raise RuntimeError(f"{address}: {answer.status_code}\n{answer.text[:2000]}")
        if answer.mimetype == "text/html":
            waiting.extend(unescape(link) for link in _LINK.findall(answer.text))
        found[str(endpoint)] = address
    return {endpoint.removeprefix("console."): address for endpoint, address in found.items()}


def _searches(slug: str, filled: world.World) -> dict[str, str]:
    members = f"/console/{slug}/members"
    number = filled.passes // 2
    return {
        "search: a name that many have": f"{members}?q=анна",
        "search: the end of a number": f"{members}?q=4567",
        "search: a card code": f"{members}?q={filled.card_code(number)}",
        "search: nobody": f"{members}?q=xyzzy",
    }


def _page(kind: str, name: str, address: str, browser: Browser, times: int) -> Page:
    took: list[float] = []
    size, is_page = 0, False
    for _ in range(3):  # statements are compiled and caches fill
        browser.get(address).close()
    before = time.process_time()
    for _ in range(times):
        began = time.perf_counter()
        answer = browser.get(address)
        size, is_page = len(answer.data), answer.mimetype == "text/html"
        took.append(time.perf_counter() - began)
        if answer.status_code not in (200, 303):
            raise RuntimeError(f"{address}: {answer.status_code}")
    cpu = (time.process_time() - before) / times
    return Page(kind, name, tuple(sorted(took)), cpu, size, is_page)


def _report(pages: list[Page], members: int, times: int) -> Report:
    columns = ("database, page", "p50 ms", "p95 ms", "CPU ms", "KB")
    rows = [
        (
            f"{page.kind}, {page.name}{'' if page.is_page else ' (file)'}",
            f"{page.share(0.5):.1f}",
            f"{page.share(0.95):.1f}",
            f"{page.cpu * 1000:.1f}",
            f"{page.size / 1000:.1f}",
        )
        for page in sorted(pages, key=lambda page: (page.kind, -page.share(0.5)))
    ]
    return Report(
        title="The console's pages",
        about=(
            f"A brand of {members:,} members, each with a card on a phone, a receipt and a push. Each page"
            f" {times:,} times, one after the other, asked for in this process by its owner; the clock"
            " includes the database, the processor's time is this process' (on PostgreSQL the server's is"
            " left out). The bar is for pages: prints, pictures and exports are files. The funnel's own"
            " two million events are another benchmark's."
        ),
        tables=(Table("From the request to the last byte, the slowest first", columns, tuple(rows)),),
        figures=tuple(
            Figure(
                key=f"console_pages.{kind.lower()}",
                what=f"median of the slowest page of the console ({slowest.name}), {kind}",
                value=slowest.share(0.5),
                unit="ms",
                at_most=BAR,
            )
            for kind in dict.fromkeys(page.kind for page in pages)
            for slowest in [
                max((p for p in pages if p.kind == kind and p.is_page), key=lambda p: p.share(0.5))
            ]
        ),
    )


if __name__ == "__main__":
    main()
