"""Faults at the command line: what a person can act on becomes a sentence, the rest keeps its trace."""

from __future__ import annotations

import sys

from app.errors import Misconfigured, PerkpassError


def sentences(fault: Exception) -> tuple[str, ...]:
    """One for every thing that is wrong; empty where only a programmer can help."""
    if isinstance(fault, Misconfigured):
        return fault.faults
    if isinstance(fault, PerkpassError):
        return (str(fault),)
    # Whoever did not load the database's library has not got its faults.
    if "sqlalchemy" in sys.modules or "sqlite3" in sys.modules:
        from app.db.failures import FAILURES, in_words

        if isinstance(fault, FAILURES):
            return (str(in_words(fault)),)
    if isinstance(fault, OSError):
        words = fault.strerror or str(fault) or type(fault).__name__
        return (f"{fault.filename}: {words}" if fault.filename else words,)
    return ()


def tell(said: tuple[str, ...]) -> None:
    """On standard error, every line with the program's name before it."""
    for sentence in said:
        for line in sentence.splitlines():
            sys.stderr.write(f"perkpass: {line}\n")
