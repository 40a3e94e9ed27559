"""The commands that keep running: ``run``, ``web``, ``worker``; and ``migrate``, which they depend on."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from app import data_dir
from app.commands.processes import end_with_parent, require_free_port, room_for_connections
from app.settings import Settings, load

if TYPE_CHECKING:
    from granian.server.mp import MPServer

HEADER_BYTES = 32 * 1024
"""Of a request's line and headers; up to twice as much passes where it comes in one piece."""

BACKGROUND = 5
"""Added to the niceness of a worker."""

_LAST_REQUESTS = 5
"""Seconds for requests under way when it stops; granian sometimes waits for all of them, and for nothing."""
_PATIENCE = 40  # seconds a worker gets to finish its batch
_CALM = 30.0  # seconds after which a restarted worker counts as well


@click.command()
def migrate() -> None:
    """Bring the database schema up to date."""
    from app import opening
    from app.db import schema

    database = opening.open_database(load())
    try:
        schema.migrate(database)
        click.echo(f"The schema is at revision {schema.newest()}.")
    finally:
        database.close()


@click.command()
def web() -> None:
    """Serve guests, phones and tills (any number of these, behind a proxy)."""
    settings = load()
    _make_ready(settings, alone=False)
    make_server(settings).serve()


@click.command()
@click.option("--parent", type=int, hidden=True, help="process to end with")
def worker(parent: int | None) -> None:
    """Send pushes and do periodic work (any number of these)."""
    from app import bootstrap
    from app.commands import schema_check

    settings = load()
    if parent is None:  # otherwise the parent holds the directory for both, and has looked at the schema
        data_dir.hold(settings.data_dir, exclusive=False)
        # Here, not in a process of its own: a worker that was killed is back in half the time.
        if status := schema_check.main():
            sys.exit(status)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if parent is not None:
        end_with_parent(parent, stop.set)
    os.nice(BACKGROUND)  # a web process on this machine has guests and tills waiting
    bootstrap.make_worker(settings).run(stop)


@click.command()
def run() -> None:
    """Web and worker together: one command for one machine."""
    settings = load()
    _make_ready(settings, alone=True)
    server = make_server(settings)
    companion = _Companion()
    server.on_startup(companion.start)
    server.on_shutdown(companion.stop)
    server.serve()


def _check_schema() -> None:
    # In a process of its own: the supervisor that calls this must not keep SQLAlchemy in memory.
    check = subprocess.run([sys.executable, "-m", "app.commands.schema_check"], check=False)
    if check.returncode:
        sys.exit(check.returncode)


def _make_ready(settings: Settings, *, alone: bool) -> None:
    data_dir.hold(settings.data_dir, exclusive=alone)
    advice = "Stop what listens there, or set PERKPASS_HOST and PERKPASS_PORT."
    require_free_port(settings.host, settings.port, advice=advice)
    _check_schema()
    address = f"http://{settings.host}:{settings.port}"
    _tell(f"perkpass: listening on {address}, for guests {settings.public_url}", err=False)


def _tell(words: str, *, err: bool = True) -> None:
    # Where the words go may be a file on a full disk: nothing may end over them.
    with suppress(OSError):
        click.echo(words, err=err)


def make_server(settings: Settings, application: str = "app.commands.processes:web_application") -> MPServer:
    """The WSGI server, not yet serving; ``application`` is ``module:factory``, loaded in its processes."""
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels
    from granian.server.mp import MPServer

    from app.web.body_limits import WAITING_THREADS

    # It warns of more threads than cores: ours mostly wait for bodies.
    logging.getLogger("_granian").addFilter(lambda record: "Python threads" not in record.getMessage())
    return MPServer(
        application,
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=settings.web_processes,
        blocking_threads=WAITING_THREADS,  # the application lets few of them work at a time
        backpressure=room_for_connections(),  # it counts connections, idle ones too, and not requests
        # Proxies speak HTTP/1.1 to us; granian's HTTP/2 would take 16 MB of headers from anybody.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(max_buffer_size=HEADER_BYTES),
        respawn_failed_workers=True,
        respawn_interval=0.5,
        workers_kill_timeout=_LAST_REQUESTS,
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
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "app", "worker", "--parent", str(os.getpid())],
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us; we tell the worker when it is time
        )

    def _watch(self) -> None:
        wait = 0.2
        while self._process:
            began = time.monotonic()
            status = self._process.wait()
            if self._stopping.is_set():
                return
            wait = 0.2 if time.monotonic() - began > _CALM else min(wait * 2, 10)
            if not self._spawn_again(wait):
                return
            _tell(f"perkpass: the worker ended with status {status}; a new one has started")

    def _spawn_again(self, wait: float) -> bool:
        """After ``wait`` seconds, or once the machine has room for a process; False where we are to stop."""
        while not self._stopping.wait(wait):
            try:
                self._spawn()
            except OSError as fault:
                _tell(f"perkpass: no worker could be started ({fault.strerror}); it is tried again")
                wait = min(wait * 2, 10)
            else:
                return True
        return False
