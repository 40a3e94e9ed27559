"""The failure knobs of the SMPP centre: what it does wrong on purpose, and how it likes to write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal


@dataclass(slots=True)
class Faults:
    """Every knob. The default is a centre in good health that delivers at once."""

    # Of binds
    refuse_binds: int = 0  # command_status
    # Of what is submitted
    rate: int | None = None  # texts in a second; more are ESME_RTHROTTLED
    queue: int | None = None  # parts without a final receipt; more are ESME_RMSGQFUL
    next_answers: list[int] = field(default_factory=list)  # command_status each; 0: honest; nothing is taken
    refused_numbers: dict[str, int] = field(default_factory=dict)  # number: command_status
    answer_delay_ms: float = 0.0
    silent: bool = False  # takes what is submitted and never answers
    deaf: bool = False  # answers nothing at all, not even enquire_link
    drops_taken: int = 0  # so many next parts are taken, and the connection breaks before the answer
    drops_untaken: int = 0  # so many next parts are not taken, and the connection breaks
    unbind_after: int | None = None  # parts of a connection
    nack: int = 0  # so many next parts are answered with generic_nack, ESME_RSYSERR
    # Of identifiers and receipts
    ids: Literal["decimal", "hex", "words"] = "decimal"
    receipt_ids: Literal["same", "decimal", "hex"] = "same"
    receipts: Literal["both", "text", "options", "none"] = "both"
    receipt_dates: Literal["minutes", "seconds"] = "minutes"
    receipt_code: str = "000"
    receipt_state: str = "DELIVRD"
    states: dict[str, str] = field(default_factory=dict)  # number: state of its receipts
    receipt_delay_ms: float = 0.0
    receipt_copies: int = 1
    receipts_first: bool = False  # before the answer to submit_sm
    receipts_reversed: bool = False  # of several parts, the last first
    enroute: Literal["none", "before", "after"] = "none"  # an intermediate notification as well

    def turn(self, changes: Mapping[str, Any]) -> None:
        """Set the knobs named in ``changes``; raises ValueError for an unknown one."""
        names = {knob.name for knob in fields(self)}
        for name, value in changes.items():
            if name not in names:
                raise ValueError(f"no such knob: {name}; there are {', '.join(sorted(names))}")
            setattr(self, name, value)
