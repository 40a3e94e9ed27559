"""The data directory: made for its owner alone, and held by the processes that work on it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from app.errors import Misconfigured

LOCK = "perkpass.lock"
_held: list[int] = []  # open for the life of the process: the kernel lets go of the lock when it ends


def prepare(directory: Path) -> None:
    """Make the directory (0700) where it is missing; raises Misconfigured where that cannot be."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise Misconfigured(
            f"PERKPASS_DATA_DIR: {directory} is in the way of a directory, it is a file: move it away,"
            " or name another directory"
        ) from None
    except OSError as fault:
        raise Misconfigured(f"PERKPASS_DATA_DIR: cannot make {directory}: {fault.strerror}") from None
    if not os.access(directory, os.R_OK | os.W_OK | os.X_OK):
        raise Misconfigured(
            f"PERKPASS_DATA_DIR: {directory} cannot be written: give it to the user that runs Perkpass"
        )


def hold(directory: Path, *, exclusive: bool) -> None:
    """Hold the directory until this process ends; raises Misconfigured at once where another holds it.

    ``perkpass run`` and ``perkpass restore`` hold it alone (``exclusive``); any number of ``perkpass web``
    and ``perkpass worker`` hold it together. Child processes inherit nothing.
    """
    prepare(directory)
    path = directory / LOCK
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as fault:
        raise Misconfigured(f"{path} cannot be opened: {fault.strerror}") from None
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise Misconfigured(
            f"Perkpass is running on the data directory {directory}: stop it first (--force does not help)"
        ) from None
    except OSError as fault:
        os.close(descriptor)
        raise Misconfigured(f"{path} cannot be locked: {fault.strerror}") from None
    _held.append(descriptor)


def release() -> None:
    """Let go of every directory this process holds."""
    while _held:
        os.close(_held.pop())
