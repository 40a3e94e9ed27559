"""Before serving: embedded databases are migrated, others must be up to date already."""

from __future__ import annotations

import sys

from app import bootstrap
from app.errors import PerkpassError
from app.settings import load


def main() -> int:
    """0 when the schema fits; otherwise 1 and the command to run on standard error."""
    try:
        settings = load()
        bootstrap.prepare_schema(settings)
    except PerkpassError as fault:
        sys.stderr.write(f"perkpass: {fault}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
