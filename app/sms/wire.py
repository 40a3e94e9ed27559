"""HTTP to a gateway: forms there, JSON documents back."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app import outward
from app.outward import OutcomeUnknown, Patience, Unreachable

__all__ = ["Patience", "Reply", "Wire"]


class Reply:
    """What came back: status, headers, and the JSON document where there is one."""

    __slots__ = ("document", "retry_after", "status")

    def __init__(self, reply: outward.Reply) -> None:
        self.status = reply.status
        # The header's other form, a date, no gateway of ours sends.
        self.retry_after = outward.seconds(reply.headers.get("retry-after"))
        self.document: dict[str, Any] | None = None
        try:
            document = json.loads(reply.content)
        except (ValueError, RecursionError):  # also where the body is not UTF-8, or built to be deep
            document = None
        if isinstance(document, dict):
            self.document = document


class Wire:
    """The client of one login. Belongs to the event loop that first uses it."""

    def __init__(
        self,
        url: str,
        *,
        ca: Path | None,
        at_once: int,
        auth: tuple[str, str] | None = None,
        patience: Patience | None = None,
    ) -> None:
        """``at_once``: requests under way at a time, of this process."""
        self._line = outward.Line(url, ca=ca, at_once=at_once, auth=auth, patience=patience or Patience())

    async def hand_over(self, path: str, form: Mapping[str, str], *, leave_by: float = math.inf) -> Reply:
        """Post what may be done once only, and not at all after ``leave_by`` (of time.monotonic()).

        Raises :class:`Unreachable` where it did not leave, :class:`OutcomeUnknown` where it may have arrived.
        """
        return Reply(await self._line.exchange("POST", path, form=form, leave_by=leave_by))

    async def ask(self, path: str, form: Mapping[str, str] | None = None) -> Reply:
        """Ask what changes nothing: GET, or POST of a ``form``. Raises :class:`Unreachable`."""
        try:
            return Reply(await self._line.exchange("POST" if form else "GET", path, form=form))
        except OutcomeUnknown as fault:
            raise Unreachable(str(fault)) from None

    async def close(self) -> None:
        """Close every connection."""
        await self._line.close()
