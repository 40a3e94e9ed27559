"""Dumps of a PostgreSQL database, by PostgreSQL's own programs."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from sqlalchemy.engine import make_url

from app.errors import Misconfigured, Unavailable

_DEBIAN = Path("/usr/lib/postgresql")


def dump(url: str, target: Path) -> None:
    """Write the state of one moment in the custom format; nobody waits for it."""
    _run(url, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={target}", reading=True)


def check(path: Path) -> None:
    """Raise Misconfigured where pg_restore cannot list what the file holds."""
    listed = subprocess.run(  # noqa: S603  # no shell, our own words
        [program("pg_restore"), "--list", str(path)], capture_output=True, check=False
    )
    if listed.returncode:
        raise Misconfigured(f"The backed up database is damaged: {_words(listed.stderr)}")


def load(url: str, source: Path) -> None:
    """Make the database what the dump says, in one transaction."""
    _run(
        url, "pg_restore", "--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction",
        "--exit-on-error", str(source), reading=False,
    )  # fmt: skip


def program(name: str) -> str:
    """Where pg_dump or pg_restore lies, the newest first; raises Misconfigured that says how to get it."""
    beside = sorted(_DEBIAN.glob(f"*/bin/{name}"), key=_version, reverse=True)
    found = str(beside[0]) if beside else shutil.which(name)
    if found is None:
        raise Misconfigured(
            f"{name} was not found, and a PostgreSQL database is backed up with it. Install PostgreSQL's"
            " client programs of the server's major version (Debian: apt install postgresql-client)"
        )
    return found


def _version(path: Path) -> float:
    try:
        return float(path.parent.parent.name)
    except ValueError:
        return 0.0


def _run(url: str, name: str, *arguments: str, reading: bool) -> None:
    parsed = make_url(url)
    # The password travels in the environment: everybody on the machine may read a command line.
    environment = dict(os.environ)
    if parsed.password:
        environment["PGPASSWORD"] = str(parsed.password)
    address = parsed.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    done = subprocess.run(  # noqa: S603  # no shell; the address is the operator's own setting
        [program(name), f"--dbname={address}", *arguments], env=environment, capture_output=True, check=False
    )
    if done.returncode:
        what = "read" if reading else "write"
        raise Unavailable(f"{name} could not {what} the database: {_words(done.stderr)}")


def _words(stderr: bytes) -> str:
    lines = [line.strip() for line in stderr.decode(errors="replace").splitlines() if line.strip()]
    return "; ".join(lines[:3]) or "it said nothing"
