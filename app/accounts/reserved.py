"""Short names that no brand can have: the console's own pages begin so."""

from __future__ import annotations

from typing import Final

from app.errors import Conflict

SLUGS: Final = frozenset({"account", "audit", "certificate", "health", "invited", "sign-in", "sign-out"})


def refuse(slug: str) -> None:
    """Raises Conflict for a slug beneath which nobody would ever find their brand."""
    if slug in SLUGS:
        raise Conflict("slug-taken", f"{slug!r} is a page of the console: choose another slug")
