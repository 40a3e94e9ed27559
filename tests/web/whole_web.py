"""The whole web side as bootstrap wires it, two brands with cards in it, and every table before and after."""

from __future__ import annotations

import io
import json
import re
import shutil
import time
import uuid
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlencode
from zipfile import ZipFile

from sqlalchemy import select

from app.bootstrap import make_web
from app.commands.chain_file import read_chain
from app.commands.chain_load import Surroundings, load_chain
from app.db import Database, connect, metadata
from app.settings import Settings
from app.simulators.authority import Authority
from app.simulators.guest_browser import IPHONE
from tests import plain_logs
from tests.tables import LOGS, nothing_changes

EXAMPLE = Path(__file__).parents[2] / "docs" / "chain.example.toml"
TEAM = "A1B2C3D4E5"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

_kept: list[Any] = []
"""An application ends with its process: nobody closes its connections before."""

VISITS = frozenset({"visit", "visit_event", "visit_change"})
"""Who scans a code is a visit, whatever nonsense the address says beside it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def document(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Card:
    """A card of one brand, and the phone's way to it."""

    code: str
    pass_type: str
    serial: str
    token: str
    page: str  # the card's page, a path

    @property
    def path(self) -> str:
        return f"/passkit/v1/passes/{self.pass_type}/{self.serial}"

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"ApplePass {self.token}"}

    def registration(self, device: str) -> str:
        return f"/passkit/v1/devices/{device}/registrations/{self.pass_type}/{self.serial}"


@dataclass(frozen=True, slots=True)
class WholeWeb:
    """The callable of :func:`app.bootstrap.make_web`; addresses go in as bytes on the wire would."""

    application: Any
    database: Database
    keys: dict[str, str]  # a till's secret by brand
    links: dict[str, str]  # an install link's path by brand

    def ask(
        self,
        method: str,
        address: str | bytes,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        remote: str = "127.0.0.1",
    ) -> Answer:
        """``address`` is the request target as sent: a path with or without a query; ``remote`` asks."""
        raw = address.encode() if isinstance(address, str) else address
        path, _, query = raw.partition(b"?")
        errors = io.StringIO()
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query.decode("latin-1"),
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": remote,
            "HTTP_HOST": "127.0.0.1:8000",
            "CONTENT_LENGTH": str(len(body)) if body else "",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": errors,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in {"User-Agent": IPHONE, "Accept-Language": "en", **(headers or {})}.items():
            key = name.upper().replace("-", "_")
            environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
        started: list[Any] = []
        chunks = self.application(environ, lambda *words: started.append(words))
        answer = b"".join(chunks)
        if close := getattr(chunks, "close", None):
            close()
        assert errors.getvalue() == ""
        return Answer(int(started[-1][0][:3]), {k.lower(): v for k, v in started[-1][1]}, answer)

    def till(self, brand: str, **more: str) -> dict[str, str]:
        """The headers of a call of this brand's till."""
        return {
            "Authorization": f"Bearer {self.keys[brand]}",
            "Idempotency-Key": uuid.uuid4().hex,
            "Content-Type": JSON,
        } | {name.replace("_", "-"): value for name, value in more.items()}

    def form(self, brand: str) -> tuple[str, dict[str, str]]:
        """The install page's form as a guest gets it: its path and its hidden fields."""
        scanned = self.ask("GET", self.links[brand])
        assert scanned.status == 303, scanned.text
        page = self.ask("GET", scanned.headers["location"].removeprefix("http://127.0.0.1:8000"))
        hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text)
        return self.links[brand], {name: unescape(value) for name, value in hidden}

    def send(self, path: str, fields: Mapping[str, str]) -> Answer:
        """A form as a browser sends it."""
        return self.ask("POST", path, urlencode(fields).encode(), {"Content-Type": FORM})

    def card(self, brand: str) -> Card:
        """A new guest's card."""
        path, hidden = self.form(brand)
        sent = self.send(path, hidden | {"data": "yes", "name": "Анна"})
        assert sent.status == 303, sent.text
        address = sent.headers["location"].removeprefix("http://127.0.0.1:8000")
        page = self.ask("GET", address)
        found = re.search(r'href="[^"]*(/i/[^"]+\.pkpass[^"]*)"', page.text)
        assert found, page.text
        download = self.ask("GET", found[1])
        assert download.status == 200, download.text
        with ZipFile(io.BytesIO(download.body)) as bundle:
            said = json.loads(bundle.read("pass.json"))
        return Card(
            said["barcodes"][0]["message"], said["passTypeIdentifier"], said["serialNumber"],
            said["authenticationToken"], address.partition("?")[0],
        )  # fmt: skip

    def wait_for_evidence(self) -> None:
        """Who asked for a list is written down a moment later, once for all the asking."""
        time.sleep(1.2)
        with self.database.read() as tx:
            assert tx.execute(select(metadata.tables["device"].c.contacted_at)).scalars().all() != [None]

    def nothing_changes(self, without: frozenset[str] = LOGS) -> AbstractContextManager[None]:
        """Every table says afterwards what it said before."""
        return nothing_changes(self.database, without)


def open_whole_web(
    directory: Path,
    database_url: str,
    redis_url: str,
    *,
    port: int = 8000,
    sms_file: Path | None = None,
    **more: Any,
) -> WholeWeb:
    """Two brands of the example chain with certificates of an authority of our own, and the web over them."""
    authority = Authority.create(directory / "authority", now=datetime.now(UTC) - timedelta(days=1))
    for brand in ("pechka", "zerno"):
        authority.pass_credentials(
            directory / "certs" / brand, pass_type_identifier=f"pass.com.example.{brand}",
            team_identifier=TEAM, organization=brand,
        )  # fmt: skip
    file = directory / "docs" / "chain.toml"
    file.parent.mkdir()
    shutil.copy(EXAMPLE, file)
    settings = Settings(
        data_dir=directory / "data", database_url=database_url, redis_url=redis_url, log_level="error",
        public_url=f"http://127.0.0.1:{port}", sms_file=sms_file, **more,
    )  # fmt: skip
    database = connect(database_url)
    around = Surroundings(file.parent, settings.templates_dir, datetime.now(UTC), "test")
    report = load_chain(database, read_chain(file), around)
    assert report.faults == []
    application = make_web(settings)
    _kept.append(application)
    # Logs of a service in the test's own process stay as other tests know them.
    plain_logs.configure()
    with database.read() as tx:
        link, brand_row = metadata.tables["install_link"], metadata.tables["brand"]
        rows = tx.execute(
            select(brand_row.c.slug, link.c.code).join(link, link.c.brand_id == brand_row.c.id)
        ).all()
    links = {row.slug: f"/i/{row.code}" for row in rows}
    return WholeWeb(application, database, {key.brand: key.secret for key in report.keys}, links)
