"""The failure knobs of the push simulator: what it does wrong on purpose."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from app.simulators.apns_rules import Answer


@dataclass(slots=True)
class Override:
    """An answer given instead of the honest one, for the next ``count`` pushes (None: until taken away)."""

    status: int
    reason: str
    count: int | None = None
    retry_after: int | None = None
    timestamp: int | None = None

    def answer(self) -> Answer:
        """As it goes over the wire."""
        return Answer(self.status, self.reason, self.timestamp, self.retry_after)


@dataclass(slots=True)
class Faults:
    """Every knob. The default is a push service in good health. Counts are per connection."""

    goaway_after: int | None = None  # GOAWAY at the request after so many; 0: before the first answer
    goaway_unprocessed: int = 0  # of the requests before it, so many newest are disowned as well
    goaway_reason: str = "Shutdown"
    drop_after: int | None = None  # the TCP connection breaks at the request after so many
    reset_rate: float = 0.0  # share of requests that get RST_STREAM(REFUSED_STREAM)
    silent: bool = False  # requests are read and never answered
    answer_delay_ms: float = 0.0
    error_bodies: Literal["apple", "empty", "not-json"] = "apple"
    max_concurrent_streams: int = 1000  # announced anew on every connection when it is changed
    refuse_certificate: bool = False  # 403 BadCertificate to everybody
    next_answers: list[Override] = field(default_factory=list)  # consumed in order
    token_answers: dict[str, Override] = field(default_factory=dict)

    def override(self, token: str) -> Answer | None:
        """The answer that this push gets instead of the honest one; uses up counted overrides."""
        if self.refuse_certificate:
            return Answer(403, "BadCertificate")
        if override := self.token_answers.get(token):
            if override.count is not None:
                override.count -= 1
                if override.count <= 0:
                    del self.token_answers[token]
            return override.answer()
        if self.next_answers:
            override = self.next_answers[0]
            if override.count is not None:
                override.count -= 1
                if override.count <= 0:
                    self.next_answers.pop(0)
            return override.answer()
        return None

    def turn(self, changes: Mapping[str, Any]) -> None:
        """Set the knobs named in ``changes`` (as JSON has them); raises ValueError for an unknown one."""
        names = {knob.name for knob in fields(self)}
        for name, value in changes.items():
            if name not in names:
                raise ValueError(f"no such knob: {name}; there are {', '.join(sorted(names))}")
            try:
                match name:
                    case "next_answers":
                        self.next_answers = [Override(**entry) for entry in value]
                    case "token_answers":
                        self.token_answers = {
                            token.lower(): Override(**entry) for token, entry in value.items()
                        }
                    case _:
                        setattr(self, name, value)
            except (TypeError, AttributeError) as fault:
                raise ValueError(f"{name}: {fault}") from None

    def to_json(self) -> bytes:
        """Every knob as it stands."""
        return json.dumps(asdict(self)).encode()


def error_body(answer: Answer, style: Literal["apple", "empty", "not-json"]) -> bytes:
    """The body of ``answer``, honest or spoilt."""
    if answer.status == 200 or style == "apple":
        return answer.body()
    return b"" if style == "empty" else b"<html>upstream connect error</html>"
