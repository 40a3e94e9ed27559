"""Real servers for tests, started on loopback by whoever needs one and stopped with the session."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

KPKPASS_HEADERS = ("/usr/include/KPim", "/usr/include/KPim5")
"""Where Debian's libkpimpkpass-dev lies."""


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen[bytes], seconds: float = 30) -> None:
    """Return when 127.0.0.1:port accepts; raise where the process ended or the time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with status {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise TimeoutError(f"{process.args!r} does not listen on port {port}")


def descendants(pid: int) -> set[int]:
    """Every living process below this one."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(child): int(parent) for child, parent in map(str.split, listed.splitlines())}
    found: set[int] = set()
    newest = {pid}
    while newest := {child for child, parent in parents.items() if parent in newest} - found:
        found |= newest
    return found


def kill_family(pid: int) -> None:
    """SIGKILL a process and everything below it before any of them can act, and wait for their end."""
    os.kill(pid, signal.SIGSTOP)  # it must not start another child meanwhile
    below = descendants(pid)
    for one in (pid, *below):
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while any(map(alive, below)):
        if time.monotonic() > deadline:
            raise TimeoutError(f"processes below {pid} survive SIGKILL")
        time.sleep(0.005)


def alive(pid: int) -> bool:
    """Whether a process runs; one that merely waits to be counted by its parent does not."""
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip()[:1] not in ("", "Z")


def postgresql_binaries() -> Path | None:
    """Where initdb and postgres lie: PATH's pg_config, or Debian's place."""
    candidates = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for candidate in candidates:
        if (candidate / "initdb").exists() and (candidate / "postgres").exists():
            return candidate
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def redis_binary() -> str | None:
    """Where redis-server lies."""
    return shutil.which("redis-server")


def chromium_binary() -> str | None:
    """Where Chromium lies; the one without windows where it is there, since it takes half the processor."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    return next((found for found in map(shutil.which, names) if found), None)


def kpkpass_flags() -> list[str] | None:
    """What a C++ compiler needs to build against KDE's reader of passes; None where that is not installed."""
    headers = next(
        (path for path in map(Path, KPKPASS_HEADERS) if (path / "KPkPass" / "Pass").exists()), None
    )
    if headers is None or not (shutil.which("g++") and shutil.which("pkg-config")):
        return None
    asked = ["pkg-config", "--cflags", "--libs", "Qt5Gui"]
    qt = subprocess.run(asked, capture_output=True, text=True, check=False)
    return None if qt.returncode else [f"-I{headers}", *qt.stdout.split(), "-lKPimPkPass"]


def _as_unprivileged() -> dict[str, object]:
    """PostgreSQL refuses to run as root; where we are root, it runs as its own Debian user."""
    if os.getuid() != 0:
        return {}
    user = pwd.getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": "/"}


class PostgreSQL:
    """A cluster of its own in a temporary directory."""

    def __init__(self, binaries: Path, directory: Path, port: int) -> None:
        """Use :func:`postgresql`."""
        self.binaries, self.directory, self.port = binaries, directory, port
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def runs(self) -> bool:
        """Whether it was started and has not ended."""
        return self.process is not None and self.process.poll() is None

    def url(self, database: str) -> str:
        """The address of one of its databases."""
        return f"postgresql://perkpass@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start the server on its data directory and port."""
        self.process = subprocess.Popen(
            [
                str(self.binaries / "postgres"), "-D", str(self.directory / "data"), "-p", str(self.port),
                "-h", "127.0.0.1", "-k", str(self.directory), "-c", "max_connections=200",
                # The machine does not fail in a test, only processes do: what the kernel has is safe enough.
                "-c", "fsync=off", "-c", "full_page_writes=off",
                "-c", "wal_level=minimal", "-c", "max_wal_senders=0",
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **_as_unprivileged(),  # type: ignore[call-overload]
        )  # fmt: skip
        wait_for_port(self.port, self.process)
        self._wait_ready()

    def _wait_ready(self) -> None:
        for _ in range(200):
            ready = subprocess.run(
                [str(self.binaries / "pg_isready"), "-h", "127.0.0.1", "-p", str(self.port), "-q"],
                check=False,
            )
            if ready.returncode == 0:
                return
            time.sleep(0.05)
        raise TimeoutError("PostgreSQL does not become ready")

    def stop(self, *, kill: bool = False) -> None:
        """Stop at once (SIGINT: fast shutdown), or SIGKILL it with every backend."""
        if self.process and self.process.poll() is None:
            kill_family(self.process.pid) if kill else self.process.send_signal(signal.SIGINT)
            self.process.wait(30)


@contextmanager
def postgresql() -> Iterator[PostgreSQL]:
    """A running cluster; raises RuntimeError where the machine has no PostgreSQL."""
    binaries = postgresql_binaries()
    if binaries is None:
        raise RuntimeError("PostgreSQL is not installed")
    directory = Path(tempfile.mkdtemp(prefix="perkpass-pg-"))
    who = _as_unprivileged()
    if who:
        os.chown(directory, int(str(who["user"])), int(str(who["group"])))
    try:
        subprocess.run(
            [str(binaries / "initdb"), "-D", str(directory / "data"), "-U", "perkpass",
             "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **who,  # type: ignore[call-overload]
        )  # fmt: skip
        server = PostgreSQL(binaries, directory, free_port())
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


class Redis:
    """A server that keeps everything in memory, and nothing when it ends."""

    def __init__(self, binary: str, port: int) -> None:
        """Use :func:`redis_server`."""
        self._binary, self.port = binary, port
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address of its first database."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start the server, empty."""
        self.process = subprocess.Popen(
            [
                self._binary,
                "--port",
                str(self.port),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
            ],
            stdout=subprocess.DEVNULL,
        )
        wait_for_port(self.port, self.process)

    def stop(self, *, kill: bool = False) -> None:
        """Stop, or SIGKILL."""
        if self.process and self.process.poll() is None:
            self.process.kill() if kill else self.process.terminate()
            self.process.wait(10)


@contextmanager
def redis_server() -> Iterator[Redis]:
    """A running Redis of its own; raises RuntimeError where the machine has none."""
    binary = redis_binary()
    if binary is None:
        raise RuntimeError("Redis is not installed")
    server = Redis(binary, free_port())
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def redis() -> Iterator[str]:
    """The URL of a Redis of its own; raises RuntimeError where the machine has none."""
    with redis_server() as server:
        yield server.url
