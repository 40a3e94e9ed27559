"""New keys' secrets in a file: there before the keys are made, and out again where they were not made."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

from app.commands.chain_load import NewKey
from app.db.outages import outage_of
from app.errors import Misconfigured


@contextmanager
def kept_keys(path: Path, new: Sequence[NewKey]) -> Iterator[None]:
    """Add a line for every key to a file that only its owner may read; the block is to commit them.

    Where it fails, these lines are taken out again, and no others. Raises Misconfigured where the file takes
    nothing in.
    """
    lines = "".join(json.dumps(asdict(key), ensure_ascii=False) + "\n" for key in new).encode()
    before = path.stat().st_size if path.exists() else None
    try:
        if lines:
            _append(path, lines)
        yield
    except Exception as fault:
        # A server that went away may have made them all the same: then a secret too many is the smaller harm.
        away = (outage := outage_of(fault)) is not None and outage.reason == "away"
        if lines and not away:
            with suppress(OSError):
                _take_back(path, before, lines)
        raise


def _append(path: Path, lines: bytes) -> None:
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())
    except OSError as fault:
        raise Misconfigured(
            f"{path}: cannot keep the new keys: {fault.strerror}. Nothing was loaded"
        ) from fault


def _take_back(path: Path, before: int | None, lines: bytes) -> None:
    """``lines`` or as much of them as found room, if nobody has written there since."""
    if not path.is_file() or not lines.startswith(path.read_bytes()[before or 0 :]):
        return
    path.unlink() if before is None else os.truncate(path, before)
