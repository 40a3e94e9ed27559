"""Merge fields: "{name|dear guest}, {balance} are waiting" as each guest reads it. Pure.

What some guests have not got (a name, a tier) needs words for those, after a bar.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from app.errors import BadInput

ALWAYS: Final = ("balance", "stamps", "programme", "venue")
"""What every card has."""
SOMETIMES: Final = ("name", "tier")
OF_OFFERS: Final = ("offer", "code", "until")
"""What a campaign with an offer has."""

_FIELD = re.compile(r"\{([^{}|]*)(\|[^{}|]*)?\}")
_BRACE = re.compile(r"[{}]")


def fields(text: str) -> list[str]:
    """Which fields a text names, in order."""
    return [found[1].strip() for found in _FIELD.finditer(text)]


def check(text: str, *, offer: bool, at: str) -> None:
    """Raises BadInput, with ``at`` as its field, for what no guest's data can fill."""
    known = (*ALWAYS, *SOMETIMES, *(OF_OFFERS if offer else ()))
    for found in _FIELD.finditer(text):
        name = found[1].strip()
        if name in OF_OFFERS and not offer:
            raise BadInput("no-offer", f"{{{name}}} belongs to an offer, and this has none.", field=at)
        if name not in known:
            choice = ", ".join(f"{{{one}}}" for one in known)
            raise BadInput("unknown-merge-field", f"There is no {{{name}}}; there are {choice}.", field=at)
        if name in SOMETIMES and not (found[2] or "").lstrip("|").strip():
            raise BadInput(
                "no-words-without",
                f"Some guests have no {name}: write what they read instead, as in {{{name}|…}}.",
                field=at,
            )
    if _BRACE.search(_FIELD.sub("", text)):
        raise BadInput("lone-brace", "A brace stands alone: a merge field looks like {balance}.", field=at)


def fill(text: str, values: Mapping[str, str | None]) -> str:
    """As one guest reads it; a field without a value becomes the words after its bar, or nothing."""

    def value(found: re.Match[str]) -> str:
        own = values.get(found[1].strip())
        return own if own else (found[2] or "").removeprefix("|").strip()

    return " ".join(_FIELD.sub(value, text).split())
