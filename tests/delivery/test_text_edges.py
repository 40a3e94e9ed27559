"""Each edge that docs/delivery-states.md draws for texts can be walked, and no verb walks another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import pytest

from app.db import Database
from app.delivery import texts
from app.delivery.text_promises import TEXT_EDGES, ClaimedText, ReceiptTold, TextState
from tests.delivery.texting import HOUR, NOON, Texting, came, open_texting

Walk = Callable[[Texting, ClaimedText], Any]


def _hear(state: Any) -> Walk:
    def walk(texting: Texting, claimed: ClaimedText) -> None:
        told = ReceiptTold(login="main", state=state, reason=state, reference=claimed.reference)
        with texting.database.write() as tx:
            texts.hear_receipts(tx, [told], now=NOON)

    return walk


def _come(verdict: Any, *, can_ask: bool = True) -> Walk:
    return lambda texting, claimed: texting.settle([came(claimed, verdict)], can_ask=can_ask)


def _end(state: Any) -> Walk:
    def walk(texting: Texting, claimed: ClaimedText) -> None:
        with texting.database.write() as tx:
            texts.end_unsent(tx, "me", [(claimed, state, "because")], now=NOON)

    return walk


TO: dict[str, Walk] = {
    "pending": _come("retry"),
    "accepted": _come("accepted"),
    "superseded": _end("superseded"),
    "gone": _end("gone"),
    "refused": _come("refused"),
    "exhausted": _come("unknown", can_ask=False),
    "delivered": _hear("delivered"),
    "undelivered": _hear("undelivered"),
}
EDGES = [(start, end) for start, ends in TEXT_EDGES.items() for end in sorted(ends) if end != "sending"]
STATES: tuple[TextState, ...] = get_args(TextState)


def _arrived(database: Database, state: str) -> tuple[Texting, ClaimedText]:
    texting = open_texting(database)
    texting.promise([texting.draft()])
    (claimed,) = texting.claim()
    if state != "sending":
        TO[state](texting, claimed)
    assert [row.state for row in texting.rows()] == [state]
    return texting, claimed


@pytest.mark.parametrize("edge", EDGES, ids="-".join)
def test_each_edge_can_be_walked(database: Database, edge: tuple[str, str]) -> None:
    start, end = edge
    texting, claimed = _arrived(database, start)
    TO[end](texting, claimed)
    assert [row.state for row in texting.rows()] == [end]


@pytest.mark.parametrize("start", [state for state in STATES if state not in ("pending", "sending")])
def test_no_other_edge_is_walked(database: Database, start: str) -> None:
    texting, claimed = _arrived(database, start)
    for end, walk in TO.items():
        if end not in TEXT_EDGES[start]:  # type: ignore[index]
            walk(texting, claimed)
            assert [row.state for row in texting.rows()] == [start], f"{start} to {end}"
    assert texting.claim(now=NOON + HOUR) == []
    with database.write() as tx:
        assert texts.rescue_texts(tx, now=NOON + HOUR, can_ask={"main"}) == 0
