"""The way to guests' phones: texts through the gateways of logins, each leaving at its own moment.

Nothing is ever sent again blindly: a text that may have left is asked for by our reference first.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final

import structlog

from app.db.identifiers import DeliveryId
from app.delivery.stopped import PROBE_AFTER
from app.delivery.text_promises import (
    LOGIN_STOPPED,
    TextOutcome,
    TextVerdict,
)
from app.delivery.texts import SURE_AFTER, ToAsk
from app.sms.gateway import (
    Answer,
    Gateway,
    Inbound,
    NotInTime,
    OutcomeUnknown,
    Outgoing,
    Receipt,
    ReceiptState,
    Unreachable,
    Verdict,
)
from app.worker import metrics
from app.worker.text_answers import CALLED_BACK, said, still_unknown, unknown, untried
from app.worker.text_parcels import (
    PutOff,
    TextAnswered,
    TextingBrand,
    TextLogin,
    TextReady,
    named,
    told,
)

log = structlog.get_logger()

AT_ONCE: Final = 16
"""Requests of a login that wait for their answers beside each other."""
LISTEN_AGAIN_AFTER: Final = 5.0


TextReport = Callable[[Sequence[TextAnswered]], None]
Heard = Callable[[str, Sequence[Receipt | Inbound]], None]
"""Told the login and what its gateway says; must not block."""


class TextChannel:
    """Logins and their gateways. Whatever is awaited here runs in one loop."""

    def __init__(
        self,
        logins: Mapping[str, TextLogin],
        *,
        brands: Mapping[str, TextingBrand] | None = None,
        sure_after: timedelta = SURE_AFTER,
    ) -> None:
        """``brands`` by slug; one that is not named keeps the usual quiet hours.

        ``sure_after`` a try a gateway that never heard of its text is believed.
        """
        self._sure_after = sure_after
        self.logins, self.brands = dict(logins), dict(brands or {})
        self._hands: dict[str, asyncio.Semaphore] = {}
        self._stopped: dict[str, float] = {}
        self._waiting: dict[DeliveryId, tuple[TextReady, TextReport]] = {}  # not handed over yet
        self._closing = self._holding = False

    @property
    def can_ask(self) -> frozenset[str]:
        """Logins whose gateway finds a text by our reference alone."""
        return frozenset(name for name, login in self.logins.items() if login.gateway.can_ask)

    async def send(self, ready: Sequence[TextReady], report: TextReport) -> None:
        """Hand each over at its moment and report it when it is answered."""

        async def carry(one: TextReady) -> None:
            if answered := await self._carry(one):
                report([answered])

        self._waiting |= {one.id: (one, report) for one in ready}
        if self._holding:
            await self.hold()
        await asyncio.gather(*(carry(one) for one in ready))

    async def hold(self) -> None:
        """Hand nothing over any more, and give back what was not: it has not left, and others may send it."""
        self._holding = True
        while self._waiting:
            _, (one, report) = self._waiting.popitem()
            report([untried(one, CALLED_BACK)])

    async def _carry(self, one: TextReady) -> TextAnswered | None:
        """What came of it; None where it was given back meanwhile."""
        await asyncio.sleep(max(0.0, one.leaves - time.monotonic()))
        hands = self._hands.setdefault(one.claimed.login, asyncio.Semaphore(AT_ONCE))
        async with hands:
            if self._waiting.pop(one.id, None) is None:
                return None
            if time.monotonic() > one.too_late:
                return untried(one, CALLED_BACK)
            if one.prepared <= self._stopped.get(one.claimed.login, -1.0):
                return untried(one, LOGIN_STOPPED)
            try:
                return await self._try(one)
            except Exception as fault:  # it may have left
                log.exception("text_failed", login=one.claimed.login, delivery=one.id)
                return unknown(one, type(fault).__name__)

    async def _try(self, one: TextReady) -> TextAnswered:
        gateway = self.logins[one.claimed.login].gateway
        if one.claimed.in_doubt:
            if found := await self._ask(gateway, one):
                return found
            # It never left: now it is sent, or it becomes what it would have become without the doubt.
            late = PutOff(one.prepared_at, CALLED_BACK) if time.monotonic() > one.too_late else None
            if unless := one.unless_taken or late:
                return TextAnswered(ready=one, outcome=None, unless_taken=unless)
        claimed = one.claimed
        outgoing = Outgoing(
            reference=claimed.reference,
            number=claimed.number,
            text=claimed.text,
            sender=claimed.sender,
            validity=one.validity,
            leave_by=one.too_late,
        )
        try:
            answer = await gateway.send(outgoing)
        except NotInTime:
            return untried(one, CALLED_BACK)
        except Unreachable as fault:
            outcome = TextOutcome(claimed=claimed, verdict="retry", reason=said("Unreachable", fault))
            return TextAnswered(ready=one, outcome=outcome)
        except OutcomeUnknown as fault:
            return unknown(one, said("OutcomeUnknown", fault))
        return self._answered(one, answer)

    async def _ask(self, gateway: Gateway, one: TextReady) -> TextAnswered | None:
        """What the gateway knows of a text in doubt; None where it never had it, and takes it no more.

        One that answers late takes a text late: that it has never heard of it proves nothing until a
        minute after the try.
        """
        claimed = one.claimed
        try:
            receipt = await gateway.status(
                reference=claimed.reference, number=claimed.number, provider_id=claimed.provider_id
            )
        except (Unreachable, OutcomeUnknown) as fault:
            return still_unknown(one, said("NotAsked", fault))
        if receipt is None:
            return still_unknown(one, "CannotBeAsked")
        if receipt.state is ReceiptState.UNKNOWN_TEXT:
            tried = claimed.in_doubt_since or one.prepared_at
            wait = tried + self._sure_after - one.prepared_at
            return still_unknown(one, "NotHeardOfYet", wait) if wait > timedelta(0) else None
        outcome = TextOutcome(
            claimed=claimed,
            verdict="accepted",
            reason=receipt.reason,
            provider_id=receipt.provider_id,
            price=receipt.price.amount if receipt.price else None,
            currency=receipt.price.currency if receipt.price else None,
        )
        return TextAnswered(
            ready=one, outcome=outcome, told=told(claimed.login, receipt, of=claimed.reference)
        )

    def _answered(self, one: TextReady, answer: Answer) -> TextAnswered:
        stopped = answer.verdict is Verdict.STOPPED
        if stopped:
            self._stopped[one.claimed.login] = time.monotonic()
        if answer.verdict is Verdict.REFUSED:
            log.warning("text_refused", login=one.claimed.login, reason=answer.reason, delivery=one.id)
        outcome = TextOutcome(
            claimed=one.claimed,
            verdict=_VERDICTS[answer.verdict],
            reason=answer.reason,
            status=answer.status,
            provider_id=answer.provider_id,
            parts=answer.parts,
            price=answer.price.amount if answer.price else None,
            currency=answer.price.currency if answer.price else None,
            retry_after=PROBE_AFTER if stopped else answer.retry_after,
            counts=not stopped,
        )
        return TextAnswered(ready=one, outcome=outcome, stopped=stopped, opted_out=answer.opted_out)

    async def listen(self, heard: Heard) -> None:
        """Stay connected where gateways speak by themselves; a connection that breaks is made anew."""
        await asyncio.gather(*(self._listen(name, heard) for name in self.logins))

    async def _listen(self, name: str, heard: Heard) -> None:
        while not self._closing:
            try:
                await self.logins[name].gateway.listen(lambda said: heard(name, said))
                return
            except Exception as fault:
                if not self._closing:
                    log.warning("gateway_not_heard", login=name, error=said(type(fault).__name__, fault))
                    await asyncio.sleep(LISTEN_AGAIN_AFTER)

    async def ask(
        self, name: str, asked: Sequence[ToAsk], heard: Heard, cannot: Callable[[str], None]
    ) -> None:
        """Ask what became of texts that the gateway took; ``cannot`` is told where it does not say."""
        gateway = self.logins[name].gateway
        for one in asked:
            try:
                receipt = await gateway.status(
                    reference=one.reference, number=one.number, provider_id=one.provider_id
                )
            except (Unreachable, OutcomeUnknown):
                return
            except Exception:
                log.exception("gateway_not_asked", login=name)
                return
            if receipt is None and one.provider_id is None and not gateway.can_ask:
                continue  # it never told us its name for this one
            if receipt is None:
                cannot(name)
                return
            heard(name, [named(receipt, one)])

    async def refresh(self) -> None:
        """Look at what is left on the accounts; the operator is told where it is little."""
        for name, login in self.logins.items():
            try:
                balance = await login.gateway.balance()
            except (Unreachable, OutcomeUnknown) as fault:
                log.warning("balance_unknown", login=name, error=said(type(fault).__name__, fault))
                continue
            if balance is None:
                continue
            metrics.BALANCE.labels(name, balance.currency).set(balance.amount)
            if login.low_balance is not None and balance.amount < login.low_balance:
                log.error(
                    "balance_low",
                    login=name,
                    left_minor_units=balance.amount,
                    currency=balance.currency,
                    action="top up the gateway's account: texts stop when it is empty",
                )

    async def close(self) -> None:
        """Close connections."""
        self._closing = True
        await asyncio.gather(*(login.gateway.close() for login in self.logins.values()))


_VERDICTS: Final[Mapping[Verdict, TextVerdict]] = {
    Verdict.ACCEPTED: "accepted",
    Verdict.RETRY: "retry",
    Verdict.REFUSED: "refused",
    Verdict.STOPPED: "retry",
}
