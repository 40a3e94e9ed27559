"""The failure knobs of the text gateways' simulator: what it does wrong on purpose."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass(slots=True)
class Faults:
    """Every knob. The default is a gateway in good health. Shares are of 1."""

    per_second: int | None = None  # texts; what is beyond is told to wait
    at_once: int | None = None  # requests; what is beyond is told to wait
    refused: dict[str, int] = field(default_factory=dict)  # number → the gateway's error code
    undelivered: dict[str, int] = field(default_factory=dict)  # number → the cause in its receipt
    lose_requests: float = 0.0  # the connection breaks, nothing was taken
    late_next: int = 0  # so many requests are read, and their texts taken late_by_ms later
    late_by_ms: float = 15_000.0
    lose_answers: float = 0.0  # the text was taken, then the connection breaks
    lose_next_answers: int = 0  # so many for certain
    break_answers: float = 0.0  # the text was taken, the answer is HTTP 500
    garble_answers: bool = False  # taken, and answered in HTML
    down: bool = False  # HTTP 503 to everything, nothing is taken
    answer_delay_ms: float = 0.0
    receipt_delay_ms: float = 20.0  # from taking to the first receipt, and from it to the last
    no_receipts: bool = False
    duplicate_receipts: int = 0  # every receipt comes so many times more
    shuffle_receipts: bool = False  # the last first
    early_receipts: bool = False  # before the answer to the sending

    def turn(self, changes: Mapping[str, Any]) -> None:
        """Set the knobs named in ``changes`` (as JSON has them); raises ValueError for an unknown one."""
        names = {knob.name for knob in fields(self)}
        for name, value in changes.items():
            if name not in names:
                raise ValueError(f"no such knob: {name}; there are {', '.join(sorted(names))}")
            known = getattr(Faults(), name)
            fits: tuple[type, ...] = (bool,) if isinstance(known, bool) else (dict,)
            if known is None:
                fits = (int, type(None))
            elif isinstance(known, int | float) and not isinstance(known, bool):
                fits = (int, float)
            if not isinstance(value, fits) or (isinstance(value, bool) and bool not in fits):
                raise ValueError(f"{name}: expected {' or '.join(each.__name__ for each in fits)}")
            setattr(self, name, value)

    def to_json(self) -> bytes:
        """Every knob as it stands."""
        return json.dumps(asdict(self)).encode()
