"""What phones complain about: lines of the log endpoint, which anybody can reach.

They are kept as untrusted text: bounded, on one line each, and with nothing in them that a terminal or a log
reader could take for something else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.db import Tx
from app.db.identifiers import PassTypeIdentifier
from app.passes import store_device_log

MOST_LINES = 50
"""iOS sends up to 50 in one request."""

MOST_CHARACTERS = 1000
KEPT_LINES = 20_000

_PASS_TYPE = re.compile(r"(?:pass type |Web service error for )(pass\.[A-Za-z0-9.-]{1,200})")


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line that a phone sent, made harmless by :func:`harmless`."""

    at: datetime
    text: str


def harmless(line: str) -> str:
    r"""At most 1000 characters; what does not print is escaped (``\x0a``), and so is the backslash."""
    shown = "".join(
        ch if ch.isprintable() and ch != "\\" else ch.encode("unicode_escape", "surrogatepass").decode()
        for ch in line[:MOST_CHARACTERS]
    )
    return shown[:MOST_CHARACTERS]


def lines_of(document: Any) -> list[str] | None:
    """The harmless lines in Apple's ``{"logs": ["…", …]}``, the first 50; None where it is not that."""
    logs = document.get("logs") if isinstance(document, dict) else None
    if not isinstance(logs, list) or not all(isinstance(line, str) for line in logs):
        return None
    return [harmless(line) for line in logs[:MOST_LINES]]


def record(tx: Tx, lines: Sequence[LogLine]) -> None:
    """Keep the lines, and of all lines the newest 20,000."""
    if not lines:
        return
    store_device_log.add(tx, [(line.at, _pass_type(line.text), line.text) for line in lines])
    store_device_log.keep_newest(tx, KEPT_LINES)


def newest(tx: Tx, most: int = 100) -> list[LogLine]:
    """The last lines, newest first."""
    return [LogLine(at, text) for at, _, text in store_device_log.newest(tx, most)]


def _pass_type(line: str) -> PassTypeIdentifier | None:
    found = _PASS_TYPE.search(line)
    return PassTypeIdentifier(found[1]) if found else None
