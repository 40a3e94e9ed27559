"""Copies of an SQLite database that is in use, by SQLite's own online backup."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tqdm import tqdm

from app.errors import Misconfigured, Unavailable

_PAGES = 4096  # a step: some 16 MB
_PATIENCE = 30.0


def dump(source: Path, target: Path) -> None:
    """Copy the state of one moment; nobody waits for it."""
    with closing(sqlite3.connect(source, timeout=_PATIENCE)) as live:
        # A read transaction holds the snapshot: without it the copy starts over whenever somebody writes.
        live.execute("BEGIN")
        live.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        with closing(sqlite3.connect(target)) as copy:
            _copy(live, copy, "backup")
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it


def check(path: Path) -> None:
    """Raise Misconfigured where SQLite finds the file damaged."""
    with closing(sqlite3.connect(path)) as copy:
        found = [row[0] for row in copy.execute("PRAGMA integrity_check(3)")]
    if found != ["ok"]:
        raise Misconfigured(f"The backed up database is damaged: {'; '.join(found)}")


def load(source: Path, target: Path) -> None:
    """Make ``target`` equal to ``source`` in one transaction; processes that have it open see it whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with (
            closing(sqlite3.connect(source)) as copy,
            closing(sqlite3.connect(target, timeout=_PATIENCE)) as live,
        ):
            _copy(copy, live, "restore")
    except sqlite3.Error as fault:
        raise Unavailable(f"{target}: {fault}. Stop Perkpass and restore again") from fault


def _copy(source: sqlite3.Connection, target: sqlite3.Connection, word: str) -> None:
    with tqdm(desc=word, unit="page", disable=None, leave=False) as bar:

        def progress(_status: int, remaining: int, total: int) -> None:
            bar.total = total
            bar.update(total - remaining - bar.n)

        source.backup(target, pages=_PAGES, progress=progress)
