"""An installation in good order, and what it takes to put it out of order."""

from __future__ import annotations

import http.server
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

from sqlalchemy import insert

from app import keyring
from app.accounts import audit, brands
from app.accounts.brands import Brand
from app.db import Database, Tx
from app.delivery import jobs, texts
from app.delivery.tables import delivery
from app.examination.looks import Look
from app.examination.whole import examine_with
from app.loyalty import programmes
from app.loyalty.programmes import ProgrammeDraft
from app.loyalty.rules import BonusRules
from app.passes.tables import device
from app.settings import Settings
from app.simulators.authority import Authority

TYPE, TEAM = "pass.example.kofe", "TEAM123456"
TEXTS = {"programme": "Кофе", "promise": "Каждый десятый — наш."}


@dataclass(frozen=True)
class Installation:
    settings: Settings
    database: Database
    authority: Authority
    brand: Brand
    now: datetime

    @property
    def data(self) -> Path:
        return self.settings.data_dir

    @property
    def certificates(self) -> Path:
        return Path(self.brand.credentials.removeprefix("file:"))

    def look(self, *, reach_out: bool = False, later: timedelta = timedelta(0)) -> dict[str, list[Look]]:
        looks: dict[str, list[Look]] = {}
        for look in examine_with(self.settings, self.now + later, reach_out=reach_out):
            looks.setdefault(str(look.subject), []).append(look)
        return looks

    def with_settings(self, **values: object) -> Installation:
        return replace(self, settings=self.settings.model_copy(update=values))

    def credentials(self, **about: object) -> None:
        """The brand's certificate anew: expired, of another team, …"""
        values: dict[str, object] = {"pass_type_identifier": TYPE, "team_identifier": TEAM} | about
        self.authority.pass_credentials(self.certificates, organization="Kofe", **values)  # type: ignore[arg-type]


def install(directory: Path, database: Database, authority: Authority) -> Installation:
    """One brand with a certificate, both keys, a worker that is at work, a backup of an hour ago."""
    now = datetime.now(UTC)
    data = directory / "data"
    data.mkdir(mode=0o700)
    if database.is_sqlite:
        Path(str(database.engine.url.database)).chmod(0o600)
    settings = Settings(
        data_dir=data,
        database_url=database.engine.url.render_as_string(hide_password=False),
        public_url="https://localhost:1",
        apns_url="https://localhost:1",
        apns_ca=authority.root,
    )
    keyring.open_keys(settings, database, now=now)
    folder = authority.pass_credentials(
        directory / "kofe", pass_type_identifier=TYPE, team_identifier=TEAM, organization="Kofe"
    )
    draft = brands.BrandDraft(
        slug="kofe", name="Кофе", texts={"ru": TEXTS, "en": TEXTS}, time_zone="Europe/Moscow", currency="RUB",
        pass_type_identifier=TYPE, team_identifier=TEAM, credentials=f"file:{folder}",
    )  # fmt: skip
    with database.write() as tx:
        brand = brands.create_brand(tx, draft, now=now, actor="test")
        at_work(tx, now)
        audit.record(
            tx, at=now - timedelta(hours=1), actor="cli:root", brand_id=None, action="backup.made",
            subject="database", detail={},
        )  # fmt: skip
    return Installation(settings, database, authority, brand, now)


def at_work(tx: Tx, now: datetime) -> None:
    """A worker did the minute's work."""
    slot = jobs.slot_of(now, timedelta(minutes=1))
    jobs.take(tx, "retag_unfetched", slot, owner="w", now=now, lease=timedelta(minutes=2))
    jobs.finish(tx, "retag_unfetched", slot, owner="w", now=now)


def bare_programme(installation: Installation) -> None:
    """A programme that nobody drew a card for."""
    draft = ProgrammeDraft(
        brand_id=installation.brand.id, slug="points", name="Points", rules=BonusRules(cashback=300)
    )
    with installation.database.write() as tx:
        programmes.create_programme(tx, draft, now=installation.now, actor="test")


def promise(installation: Installation, *, late: timedelta, lease: timedelta | None = None) -> None:
    """A push that is due since ``late``; with ``lease``, claimed, and the lease over since then."""
    at = installation.now - late
    with installation.database.write() as tx:
        device_id = tx.execute(
            insert(device)
            .values(
                device_library_identifier=f"d{late}", pass_type_identifier=TYPE, push_token="0" * 64,
                registered_at=at, held_at=at,
            )
            .returning(device.c.id)
        ).scalar_one()  # fmt: skip
        claimed = (
            {"state": "sending", "owner": "gone", "lease_until": installation.now - lease} if lease else {}
        )
        values = {"state": "pending"} | claimed
        tx.execute(
            insert(delivery).values(
                channel="apple", device_id=device_id, pass_type_identifier=TYPE, kind="receipt", priority=0,
                due_at=at, created_at=at, **values,
            )
        )  # fmt: skip


def text_for(installation: Installation, login: str) -> None:
    """A text that waits for this login."""
    with installation.database.write() as tx:
        texts.enqueue_text(
            tx,
            texts.TextDraft(
                brand_id=installation.brand.id, member_id=None, login=login, kind="service",
                number="+79123456789", text="Столик готов", sender=None, encoding="ucs2", parts=1, price=450,
                currency="RUB", due_at=installation.now, not_after=None,
            ),
            now=installation.now,
        )  # fmt: skip


def sms_file(
    installation: Installation, url: str, *, low_balance: int = 0, secret: str = "sandbox-key"
) -> Installation:
    """With a login that texts leave by."""
    file = installation.data / "sms.toml"
    file.write_text(
        f"""
[logins.main]
gateway = "smsc"
url = "{url}"
rate = 10
secrets = {{ apikey = "{secret}" }}
prices = [{{ prefix = "+7", amount = 450, currency = "RUB" }}]
low_balance = {low_balance}

[brands.kofe]
login = "main"
countries = ["RU"]
codes_a_day = 10
budget_a_day = 10000
"""
    )
    file.chmod(0o600)
    return installation.with_settings(sms_file=file)


@contextmanager
def web(
    authority: Authority,
    directory: Path,
    *,
    hosts: tuple[str, ...] = ("localhost",),
    answer: bytes = b"ok\n",
    status: int = 200,
    at: Callable[[], datetime] = lambda: datetime.now(UTC),
    valid: timedelta | None = None,
) -> Iterator[str]:
    """What answers at the public address over TLS; gives that address."""
    issuer = authority if valid is None else Authority.open(authority.directory, now=_ending_in(valid))
    certificate, key = issuer.server_certificate(directory, *hosts)

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(status)
            self.send_header("Date", format_datetime(at(), usegmt=True))
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nobody reads it."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"https://localhost:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _ending_in(left: timedelta) -> datetime:
    """When an authority must have issued a certificate of a year for it to end in so long."""
    return datetime.now(UTC) - timedelta(days=365) + left
