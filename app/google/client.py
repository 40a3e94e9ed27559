"""The client of Google Wallet's REST interface: calls in, answers out, alone or up to a hundred together.

Google recommends to wait ten seconds and promises nothing; its slowest hundredth takes five (FAQ). Every
failure is an :class:`Answer`. What may have been done is never sent again here; a 401 is the one exception,
because it is spoken before anything is done: the token is renewed, and the same request sent once more.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from app.google import batches, reasons
from app.google.answers import Answer, Verdict
from app.google.calls import Call
from app.google.tokens import NoToken, Tokens
from app.outward import Line, OutcomeUnknown, Patience, Reply, Unreachable

URL: Final = "https://walletobjects.googleapis.com"
PATIENCE: Final = Patience(turn=5.0, connect=5.0, exchange=10.0)
_BATCHED: Final = 0.1
"""Seconds more for every call of a batch after its first."""


class GoogleWallet:
    """Google Wallet as one service account sees it. Belongs to the event loop that first uses it."""

    def __init__(
        self,
        tokens: Tokens,
        *,
        url: str = URL,
        ca: Path | None = None,
        at_once: int = 8,
        patience: Patience = PATIENCE,
    ) -> None:
        """``at_once``: requests under way at a time, of this process. Raises OSError where ``ca`` is none."""
        self._tokens, self._patience = tokens, patience
        self._line = Line(url, ca=ca, at_once=at_once, patience=patience)

    async def send(self, call: Call, *, leave_by: float = math.inf) -> Answer:
        """Make one call; what has not left by ``leave_by`` (of time.monotonic()) does not leave."""
        content = batches.encoded(call)
        headers = {"content-type": "application/json"} if content else {}
        reply, _ = await self._exchange(
            call.method, call.path, headers, content, within=self._patience.exchange, leave_by=leave_by
        )
        if isinstance(reply, Answer):
            return reply
        return reasons.judge(
            reply.status, reply.headers, reply.content, now=datetime.now(UTC), once=call.once
        )

    async def batch(self, calls: Sequence[Call], *, leave_by: float = math.inf) -> list[Answer]:
        """Make up to a hundred calls in one request; the answers are in the order of the calls.

        Every call counts against Google's rate by itself. Raises ValueError where :func:`batches.write` does.
        """
        if len(calls) < 2:
            return [await self.send(call, leave_by=leave_by) for call in calls]
        written = batches.write(calls)
        reply, token = await self._exchange(
            "POST",
            batches.PATH,
            {"content-type": written.content_type},
            written.content,
            within=self._patience.exchange + _BATCHED * (len(calls) - 1),
            leave_by=leave_by,
        )
        if isinstance(reply, Answer):
            return [reply] * len(calls)
        now = datetime.now(UTC)
        if reply.status != 200:
            return [_of_the_batch(reply, now=now, once=call.once) for call in calls]
        parts = batches.read(written, reply.headers.get("content-type", ""), reply.content)
        answers = [
            reasons.judge(part.status, part.headers, part.content, now=now, once=call.once)
            if part
            else Answer(verdict=Verdict.LOST, reason="no-part", words="the batch's answer does not hold it")
            for part, call in zip(parts, calls, strict=True)
        ]
        if any(answer.status == 401 for answer in answers) and self._tokens.renounce(token):
            # Its token ended on the way: nothing was done, and nothing is wrong with the account.
            return [
                replace(answer, verdict=Verdict.RETRY) if answer.status == 401 else answer
                for answer in answers
            ]
        return answers

    def has_token(self) -> bool:
        """Whether a request made now waits for no token; where it would, one is fetched. Any thread."""
        return self._tokens.obtain().done()

    async def close(self) -> None:
        """Close every connection."""
        await self._line.close()

    async def _exchange(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        content: bytes,
        *,
        within: float,
        leave_by: float,
    ) -> tuple[Reply | Answer, str]:
        """The reply, or the answer that there is none; and the token that it came for."""
        for renewed in (False, True):
            try:
                token = await self._token()
            except NoToken as fault:
                verdict = Verdict.DENIED if fault.denied else Verdict.RETRY
                return Answer(verdict=verdict, reason="no-token", words=str(fault)), ""
            try:
                reply = await self._line.exchange(
                    method,
                    path,
                    headers={**headers, "authorization": f"Bearer {token}"},
                    content=content or None,
                    leave_by=leave_by,
                    within=within,
                )
            except Unreachable as fault:
                return Answer(verdict=Verdict.RETRY, reason="unreachable", words=str(fault)), token
            except OutcomeUnknown as fault:
                return Answer(verdict=Verdict.LOST, reason="no-answer", words=str(fault)), token
            if reply.status != 401 or renewed or not self._tokens.renounce(token):
                break
        return reply, token

    async def _token(self) -> str:
        coming = self._tokens.obtain()
        if coming.done():
            return coming.result()
        try:
            async with asyncio.timeout(self._patience.exchange):
                return await asyncio.shield(asyncio.wrap_future(coming))
        except TimeoutError:
            raise NoToken("no token in time", denied=False) from None


def _of_the_batch(reply: Reply, *, now: datetime, once: bool) -> Answer:
    """What a batch that got no parts means for each of its calls: nothing of its own card."""
    answer = reasons.judge(reply.status, reply.headers, reply.content, now=now, once=once)
    match answer.verdict:
        case Verdict.DENIED | Verdict.RETRY | Verdict.LOST:
            return answer
        case Verdict.ACCEPTED:
            return replace(answer, verdict=Verdict.LOST, reason="no-part")
        case _:  # an address that is not there, a batch that was not understood
            return replace(answer, verdict=Verdict.RETRY)
