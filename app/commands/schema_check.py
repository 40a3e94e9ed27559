"""Before serving: embedded databases are migrated, others must be current already; the keys must fit."""

from __future__ import annotations

import sys

from app import bootstrap
from app.commands import failures
from app.settings import load


def main() -> int:
    """0 when schema and keys fit; otherwise 1 and what to do on standard error."""
    try:
        settings = load()
        bootstrap.prepare_schema(settings)
        bootstrap.prepare_keys(settings)
    except Exception as fault:
        if not (sentences := failures.sentences(fault)):
            raise
        failures.tell(sentences)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
