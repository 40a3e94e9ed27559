"""Ways to keep a running installation from writing its database, and to let it again; all of them real."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path

import psycopg

from tests import servers
from tests.flows.installation import Installation, until

Way = Callable[[Installation], AbstractContextManager[None]]
_ROOM = 48 * 1024 * 1024


def may_mount(directory: Path) -> bool:
    """Whether this machine lets us mount a small disk, as containers often do not."""
    with suppress(OSError), mounted(directory):
        return True
    return False


@contextmanager
def mounted(directory: Path) -> Iterator[None]:
    """A disk of 48 MB at ``directory``; raises OSError where that is not allowed."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    tried = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_ROOM},mode=0700", "tmpfs", str(directory)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if tried.returncode:
        raise PermissionError(tried.stderr)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], check=True)


def fill(directory: Path) -> None:
    """Leave not one byte of its disk."""
    descriptor = os.open(directory / "filler", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        for size in (1 << 20, 4096, 1):
            with suppress(OSError):
                while True:
                    os.write(descriptor, bytes(size))
    finally:
        os.close(descriptor)


@contextmanager
def disk_full(installation: Installation) -> Iterator[None]:
    """The disk of the data directory has no byte left."""
    data = installation.directory / "data"
    try:
        fill(data)
        yield
    finally:
        (data / "filler").unlink()


@contextmanager
def files_limited(installation: Installation) -> Iterator[None]:
    """No file may grow: what a quota does, and a kernel that lost its disk. Needs no privilege."""
    log = installation.directory / "data" / "perkpass.db-wal"
    processes = (installation.web_pid(), installation.worker_pid())
    own_logs = max(file.stat().st_size for file in installation.directory.glob("*.log"))
    limit = own_logs + 16_384
    assert log.stat().st_size > limit, (log.stat().st_size, limit)
    with closing(sqlite3.connect(installation.directory / "data" / "perkpass.db")) as reader:
        # While somebody reads, the log of the database cannot begin anew: it has to grow.
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM brand").fetchone()
        before = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in processes}
        try:
            for pid, (_, hard) in before.items():
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit, hard))
            yield
        finally:
            for pid, limits in before.items():
                resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)


def may_lock_files(directory: Path) -> bool:
    """Whether this machine lets us make a file immutable."""
    file = directory / "immutable"
    file.touch()
    for flag in ("+i", "-i"):
        if shutil.which("chattr") is None:
            return False
        if subprocess.run(["chattr", flag, file], capture_output=True, check=False).returncode:
            return False
    return True


@contextmanager
def immutable(installation: Installation) -> Iterator[None]:
    """The file of the database can only be read by whoever opens it anew: both processes are killed first."""
    file = installation.directory / "data" / "perkpass.db"
    web = installation.web_pid()
    subprocess.run(["chattr", "+i", file], check=True)
    try:
        for pid in (web, installation.worker_pid()):
            os.kill(pid, signal.SIGKILL)
        until(lambda: installation.web_pid() not in (0, web), what="another web process")
        installation.wait_ready()
        yield
    finally:
        subprocess.run(["chattr", "-i", file], check=True)


def read_only(server: servers.PostgreSQL) -> Way:
    """Every session is as on a standby: what a failover leaves behind for a while."""

    @contextmanager
    def way(installation: Installation) -> Iterator[None]:
        name = installation.database_url.rpartition("/")[2]
        with psycopg.connect(server.url("postgres"), autocommit=True) as operator:

            def end_sessions() -> None:
                operator.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
                )

            operator.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())
            end_sessions()
            try:
                yield
            finally:
                # Nobody ends the sessions now: the service must leave them by itself.
                operator.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only".encode())

    return way
