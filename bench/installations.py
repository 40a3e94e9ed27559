"""Installations to measure: the example chain with a :class:`~bench.world.World`, on either database."""

from __future__ import annotations

import secrets
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.simulators import apns
from app.simulators.authority import Authority
from app.web.links import Links
from bench import usage, world
from bench.world import World
from tests import servers
from tests.flows.installation import ROOT, Installation, until, yesterday

PASS_KEY, SECRET_KEY = secrets.token_urlsafe(32), secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True)
class Inhabited:
    """An installation with guests, not running yet."""

    kind: str  # "SQLite" or "PostgreSQL"
    installation: Installation
    world: World
    server_pid: int  # PostgreSQL's first process; 0 where the database is in our own

    @property
    def database_url(self) -> str:
        """To look at the database from outside."""
        file = self.installation.directory / "data" / "perkpass.db"
        return self.installation.database_url or f"sqlite:///{file}"

    def authorization(self, number: int) -> str:
        """The header of guest ``number``'s phone."""
        return f"ApplePass {self.world.authentication_token(number, PASS_KEY.encode())}"

    def card_page(self, number: int) -> str:
        """The path of guest ``number``'s card."""
        token = Links(SECRET_KEY.encode(), "").card_token(self.world.enrolment_id(number), 1)
        return f"/i/{self.world.install_link_code}/card/{token}"


@contextmanager
def inhabited(
    directory: Path, passes: int, *, history: bool, server_cores: set[int] | None = None
) -> Iterator[list[Inhabited]]:
    """One on SQLite, and one on PostgreSQL and Redis where they are installed.

    PostgreSQL keeps to ``server_cores``. The settings are an operator's defaults, apart from addresses.
    """
    authority = Authority.create(directory / "authority", now=yesterday())
    with ExitStack() as stack:
        push_service = stack.enter_context(apns.running(apns.settings_for(authority, directory / "apns")))

        def installed(kind: str, database_url: str, redis_url: str, server_pid: int) -> Inhabited:
            place = directory / kind.lower()
            place.mkdir()
            installation = Installation(
                place, authority, push_service, database_url, redis_url,
                settings={"PERKPASS_PASS_KEY": PASS_KEY, "PERKPASS_SECRET_KEY": SECRET_KEY},
            )  # fmt: skip
            installation.load_chain()
            return Inhabited(
                kind, installation, world.move_into(installation, passes, history=history), server_pid
            )

        made = [installed("SQLite", "", "", 0)]
        if servers.postgresql_binaries() and servers.redis_binary():
            with usage.on(server_cores or usage.all_cores()):
                server = stack.enter_context(servers.postgresql())
                redis_url = stack.enter_context(servers.redis())
            assert server.process is not None
            made.append(installed("PostgreSQL", server.url("postgres"), redis_url, server.process.pid))
        yield made


@contextmanager
def web_process(
    arguments: Sequence[str], environment: dict[str, str], *, port: int, log: Path, cores: set[int]
) -> Iterator[int]:
    """A web server that was started with ``python -m ARGUMENTS`` and keeps to ``cores``: its process id."""
    with log.open("ab") as output, usage.on(cores):
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip

    def listening() -> bool:
        if process.poll() is not None:
            raise RuntimeError(f"{arguments} ended: {log.read_text(encoding='utf-8')[-2000:]}")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).close()
        except OSError:
            return False
        return True

    try:
        until(listening, seconds=60, what=f"{arguments} on port {port}")
        yield process.pid
    finally:
        process.terminate()
        process.wait(60)
