"""The knobs of the Google Wallet simulator: what Google leaves open, and what goes wrong on purpose."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

SPOILS = (
    "",
    "signature",  # of the message
    "tampered",  # the message was changed after it was signed
    "expired_message",
    "expired_intermediate",
    "expired_root",  # signed under the root key that the list shows as expired
    "other_protocol_root",  # signed under the root key of another protocol
    "unknown_root",
    "protocol",  # the envelope names another protocolVersion
    "recipient",  # signed for another issuer, the message names ours
    "other_issuer",  # true in itself, and about another issuer's card
    "non_ascii",  # true, with letters that take more than one byte
)
_CHOICES = {
    "quota_style": ("429", "403"),
    "budget": ("shared", "separate"),
    "wire_casing": ("upper", "legacy"),
    "spoil_callbacks": SPOILS,
}


@dataclass(slots=True)
class Faults:
    """Every knob. The default is a Google in good health and as strict as its pages. Shares are of 1."""

    # what Google leaves open
    requests_per_second: float | None = 20.0  # of each project; None: without limit
    quota_style: str = "429"
    budget: str = "shared"  # whether messages and field updates share the three notifications a day
    wire_casing: str = "upper"
    largest_batch: int = 100
    # the interface
    down: bool = False  # HTML and 503 to everything but /_sim
    token_down: bool = False  # the same for /token only
    denied: bool = False  # 403: the service account is no user any more
    fail_next: list[int] = field(default_factory=list)  # statuses of the next answers, nothing is done
    retry_after: int | None = None  # seconds, with those and with 429
    html_errors: bool = False  # a proxy's HTML in place of JSON with them
    lose_requests: float = 0.0  # the connection breaks, nothing was done
    lose_next_requests: int = 0
    lose_answers: float = 0.0  # it was done, then the connection breaks
    lose_next_answers: int = 0
    answer_delay_ms: float = 0.0  # done at once, answered late
    unauthenticated_next: int = 0  # so many 401 though the token is good
    fail_inner: float = 0.0  # so many calls within batches answer 503, nothing is done
    fail_next_inner: int = 0
    shuffle_batch: bool = False  # answers in another order
    repeat_page_token: bool = False  # the second page points at itself
    # callbacks
    no_callbacks: bool = False
    duplicate_callbacks: int = 0  # every callback comes so many times more
    swap_callbacks: bool = False  # each waits for the next, which overtakes it
    callback_delay_ms: float = 20.0
    callback_tries: int = 3
    spoil_callbacks: str = ""

    def turn(self, changes: Mapping[str, Any]) -> None:
        """Set the knobs named in ``changes`` (as JSON has them); raises ValueError for an unknown one."""
        names = {knob.name for knob in fields(self)}
        for name, value in changes.items():
            if name not in names:
                raise ValueError(f"no such knob: {name}; there are {', '.join(sorted(names))}")
            if not _fits(name, value):
                raise ValueError(f"{name}: {value!r} does not fit")
            setattr(self, name, value)

    def to_json(self) -> bytes:
        """Every knob as it stands."""
        return json.dumps(asdict(self)).encode()


def _fits(name: str, value: object) -> bool:
    if name in _CHOICES:
        return value in _CHOICES[name]
    known = getattr(Faults(), name)
    if isinstance(known, bool):
        return isinstance(value, bool)
    if isinstance(known, list):
        return isinstance(value, list) and all(type(each) is int and 400 <= each < 600 for each in value)
    if value is None:
        return name in {"requests_per_second", "retry_after"}
    return isinstance(value, int if type(known) is int else (int, float)) and not isinstance(value, bool)
