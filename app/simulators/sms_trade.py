"""What the simulated text gateways share: taking a text, and going wrong as the knobs say."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque

from app.simulators.http_server import Response
from app.simulators.sms_faults import Faults
from app.simulators.sms_ledger import GatewayName, Ledger, Text
from app.simulators.sms_receipts import Call, Postman


class Trade:
    """One ledger, one set of knobs, one way back. Belongs to the simulator's event loop."""

    def __init__(self, ledger: Ledger, faults: Faults, postman: Postman, *, seed: int) -> None:
        self.ledger, self.faults, self.postman = ledger, faults, postman
        self._luck = random.Random(seed)
        self._second: deque[float] = deque()

    def too_many(self) -> bool:
        """Whether a text now is beyond what a second allows; if not, it counts."""
        if self.faults.per_second is None:
            return False
        now = time.monotonic()
        while self._second and now - self._second[0] >= 1:
            self._second.popleft()
        if len(self._second) >= self.faults.per_second:
            return True
        self._second.append(now)
        return False

    def refused(self, to: str) -> int | None:
        """The error that this number gets."""
        return self.faults.refused.get(to)

    def take(
        self,
        gateway: GatewayName,
        *,
        identifier: str,
        to: str,
        sender: str,
        body: str,
        callback: str = "",
    ) -> Text:
        """Take and charge a text; raises ValueError where the money does not reach."""
        text = self.ledger.take(gateway, identifier=identifier, to=to, sender=sender, body=body)
        text.cause, text.callback = self.faults.undelivered.get(to, 0), callback
        text.ends_at = text.at + 2 * self.faults.receipt_delay_ms / 1000
        return text

    async def wait(self) -> None:
        """A request that is read now and carried out late: until then nobody has heard of its text."""
        if self.faults.late_next > 0:
            self.faults.late_next -= 1
            await asyncio.sleep(self.faults.late_by_ms / 1000)

    def lost(self) -> bool:
        """Whether this request breaks off before anything of it was taken."""
        return self._luck.random() < self.faults.lose_requests

    async def answer(self, text: Text, calls: list[Call], honest: Response) -> Response:
        """Send the receipts of a text that was taken, and what is answered.

        Raises ConnectionResetError where nothing is answered.
        """
        faults = self.faults
        if faults.early_receipts:
            await self.postman.send(calls)
        else:
            self.postman.send_later(calls)
        if faults.answer_delay_ms:
            await asyncio.sleep(faults.answer_delay_ms / 1000)
        if faults.lose_next_answers > 0 or self._luck.random() < faults.lose_answers:
            faults.lose_next_answers = max(0, faults.lose_next_answers - 1)
            text.answered = False
            raise ConnectionResetError
        if self._luck.random() < faults.break_answers:
            text.answered = False
            return Response(b'{"status": 500}', 500, "application/json")
        if faults.garble_answers:
            text.answered = False
            return Response(b"<html>an advertisement</html>", 200, "text/html")
        self.ledger.answers[f"{text.gateway} accepted"] += 1
        return honest
