"""Cards of two brands behind the whole web, and what a good refusal is."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.web.whole_web import Answer, Card, WholeWeb

fuzzed = settings(
    max_examples=80, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
garbage = st.binary(max_size=60) | st.text(max_size=40).map(
    lambda text: text.encode("utf-8", "surrogatepass")
)
HUGE = b'{"pushToken": "' + b"a" * 1_000_000 + b'"}'


@dataclass(frozen=True)
class Edges:
    """The web, two cards of one brand, one of the other, and a phone that holds the first."""

    web: WholeWeb
    card: Card
    neighbour: Card
    stranger: Card  # of the other brand
    receipt: str  # the first card's


def receipt(card: Card, /, **changes: Any) -> bytes:
    """A receipt as a till sends it, with ``changes``; those that are None are left out."""
    said = {
        "card": card.code,
        "number": uuid.uuid4().hex[:12],
        "amount": 900_00,
        "currency": "RUB",
        "at": datetime.now(UTC).isoformat(),
        **changes,
    }
    return json.dumps({name: value for name, value in said.items() if value is not None}).encode()


def refused(answer: Answer, *statuses: int) -> None:
    """One of these statuses, a sentence that says why, and nothing of our inside."""
    assert answer.status in statuses, (answer.status, answer.text[:500])
    assert harmless(answer)
    kind = answer.headers.get("content-type", "")
    if kind == "application/problem+json":
        assert answer.document["status"] == answer.status
        assert len(answer.document["detail"]) > 10
    elif kind.startswith("text/html"):
        assert "<h1" in answer.text or "<title>" in answer.text
    else:
        assert answer.status in (204, 304) or answer.body, answer


def harmless(answer: Answer) -> bool:
    """No fault of ours, and no word of the inside."""
    inside = (
        "Traceback", 'File "', ".py", "sqlalchemy", "psycopg", "sqlite3", "werkzeug", "Error:", "Exception",
        "SELECT ", "INSERT ", "UPDATE ", "DELETE FROM", "site-packages", "/app/",
    )  # fmt: skip
    assert answer.status < 500, (answer.status, answer.text[:2000])
    assert not [word for word in inside if word in answer.text], answer.text[:2000]
    return True
