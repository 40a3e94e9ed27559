"""The commands that keep running: ``run``, ``web``, ``worker``; and ``migrate``, which they depend on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import click

from app.settings import Settings, load

if TYPE_CHECKING:
    from granian.server.mp import MPServer

_PATIENCE = 40  # seconds a worker gets to finish its batch
_CALM = 30.0  # seconds after which a restarted worker counts as well


@click.command()
def migrate() -> None:
    """Bring the database schema up to date."""
    from app import bootstrap
    from app.db import schema

    database = bootstrap.open_database(load())
    try:
        schema.migrate(database)
        click.echo(f"The schema is at revision {schema.newest()}.")
    finally:
        database.close()


@click.command()
def web() -> None:
    """Serve guests, phones and tills (any number of these, behind a proxy)."""
    settings = load()
    _check_schema()
    _server(settings).serve()


@click.command()
@click.option("--with-parent", is_flag=True, hidden=True, help="stop when standard input is closed")
def worker(with_parent: bool) -> None:
    """Send pushes and do periodic work (any number of these)."""
    from app import bootstrap

    settings = load()
    _check_schema()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if with_parent:
        threading.Thread(target=_stop_with_parent, args=(stop,), daemon=True).start()
    bootstrap.make_worker(settings).run(stop)


@click.command()
def run() -> None:
    """Web and worker together: one command for one machine."""
    settings = load()
    _check_schema()
    server = _server(settings)
    companion = _Companion()
    server.on_startup(companion.start)
    server.on_shutdown(companion.stop)
    server.serve()


def _check_schema() -> None:
    # In a process of its own: the supervisor that calls this must not keep SQLAlchemy in memory.
    check = subprocess.run([sys.executable, "-m", "app.commands.schema_check"], check=False)
    if check.returncode:
        sys.exit(check.returncode)


def _server(settings: Settings) -> MPServer:
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server.mp import MPServer

    return MPServer(
        "app.bootstrap:web_from_environment",
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=settings.web_processes,
        blocking_threads=settings.web_threads,
        backpressure=128,
        respawn_failed_workers=True,
        respawn_interval=0.5,
        workers_kill_timeout=15,
        log_level=LogLevels.warning,
        websockets=False,
    )


class _Companion:
    """The worker process beside the web: started with it, stopped with it, restarted when it dies."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()

    def start(self) -> None:
        self._spawn()
        threading.Thread(target=self._watch, name="worker-watch", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()
        if self._process and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()

    def _spawn(self) -> None:
        # Its standard input is a pipe of ours: closed by the kernel however we end, and so it ends too.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "app", "worker", "--with-parent"], stdin=subprocess.PIPE
        )

    def _watch(self) -> None:
        wait = 0.2
        while self._process:
            began = time.monotonic()
            status = self._process.wait()
            if self._stopping.is_set():
                return
            wait = 0.2 if time.monotonic() - began > _CALM else min(wait * 2, 10)
            click.echo(f"perkpass: the worker ended with status {status}; a new one starts", err=True)
            if self._stopping.wait(wait):
                return
            self._spawn()


def _stop_with_parent(stop: threading.Event) -> None:
    # Not sys.stdin: its buffer is locked by this thread when the interpreter ends, which then aborts.
    while os.read(0, 4096):
        pass
    stop.set()
