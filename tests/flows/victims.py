"""Who can be killed of an installation, and how they come back."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psycopg
import redis

from app.simulators.apns import running, settings_for
from app.simulators.authority import Authority
from app.simulators.phone import PhoneSettings
from tests import servers
from tests.flows.installation import Installation, until
from tests.flows.installation import running as installed

Kind = Literal["worker", "web", "service", "postgresql", "redis"]
EMBEDDED: tuple[Kind, ...] = ("worker", "web", "service")
DISTRIBUTED: tuple[Kind, ...] = ("worker", "web", "postgresql", "redis")

LEASE = 4.0
"""Seconds for which a worker holds a push here."""
_ANSWER_DELAY_MS = 40.0
_LONG = 100.0
# Phones that wait as iOS does at first, and do not give up for half a minute.
_BACK_OFF = (0.1, 0.2, 0.4, *(0.5,) * 60)


def kinds(*, embedded: bool) -> tuple[Kind, ...]:
    """What can be killed where everything is one command, or where PostgreSQL and Redis stand beside it."""
    return EMBEDDED if embedded else DISTRIBUTED


@dataclass(frozen=True, slots=True)
class Victims:
    """An installation that runs, with servers of its own."""

    installation: Installation
    postgresql: servers.PostgreSQL | None = None
    redis: servers.Redis | None = None

    @property
    def database_url(self) -> str:
        """Where everything is kept."""
        one = self.installation
        return one.database_url or f"sqlite:///{one.directory / 'data' / 'perkpass.db'}"

    @property
    def phone_settings(self) -> PhoneSettings:
        """Phones that this installation can push to, and that never throttle."""
        return PhoneSettings(
            root=self.installation.authority.root,
            push_service=self.installation.apns.control_url,
            allow_http=True,
            limit_rate=False,
            back_off=_BACK_OFF,
        )

    def kill(self, kind: Kind, luck: random.Random) -> Callable[[], None]:
        """SIGKILL; returns what brings it back, or waits where it comes back by itself.

        Where Redis is the victim, ``luck`` chooses whether it dies or merely forgets, and for how long.
        """
        one = self.installation
        match kind:
            case "worker":
                started = self._workers_started()
                one.kill_worker()

                def revive() -> None:
                    one.restart_worker()
                    self._wait_for_worker(started)

            case "web":
                serving = one.web_pid()
                os.kill(serving, signal.SIGKILL)

                def revive() -> None:
                    until(
                        lambda: one.web_pid() not in (0, serving), seconds=_LONG, what="another web process"
                    )
                    one.wait_ready()

            case "service":
                started = self._workers_started()
                process = one.processes.pop("run")
                servers.kill_family(process.pid)
                process.wait(10)

                def revive() -> None:
                    one.start()
                    self._wait_for_worker(started)

            case "postgresql":
                assert self.postgresql is not None
                self.postgresql.stop(kill=True)
                revive = self.postgresql.start
            case "redis":
                assert self.redis is not None
                revive = _kill_redis(self.redis, forgets=luck.random() < 0.5, away=luck.uniform(0, 1.5))
        return revive

    def _workers_started(self) -> int:
        return self.installation.log().count('"worker_started"')

    def _wait_for_worker(self, before: int) -> None:
        until(lambda: self._workers_started() > before, seconds=_LONG, what="another worker")


def _kill_redis(server: servers.Redis, *, forgets: bool, away: float) -> Callable[[], None]:
    if forgets:
        with redis.Redis.from_url(server.url) as client:
            client.flushall()
        return lambda: None
    server.stop(kill=True)

    def revive() -> None:
        time.sleep(away)
        server.start()

    return revive


@contextmanager
def victims(directory: Path, authority: Authority, *, embedded: bool) -> Iterator[Victims]:
    """An installation of the example chain that runs on servers of its own, which nobody else would miss."""
    with ExitStack() as stack:
        apns = stack.enter_context(running(settings_for(authority, directory / "apns")))
        # As far away as Apple is: so a worker is often killed while pushes are on their way.
        apns.turn(answer_delay_ms=_ANSWER_DELAY_MS)
        database = store = None
        if not embedded:
            database = stack.enter_context(servers.postgresql())
            store = stack.enter_context(servers.redis_server())
            with psycopg.connect(database.url("postgres"), autocommit=True) as connection:
                connection.execute("CREATE DATABASE kills")
        installation = Installation(
            directory / "installation",
            authority,
            apns,
            database.url("kills") if database else "",
            store.url if store else "",
            {"PERKPASS_PUSH_LEASE_SECONDS": str(LEASE)},
        )
        installation.directory.mkdir()
        stack.enter_context(installed(installation))
        yield Victims(installation, database, store)
