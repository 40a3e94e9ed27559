"""A centre over SMPP 3.4: one bind that is kept, receipts over the same connection, nothing to ask by.

SMPP knows no identifier of the sender's that prevents a second text, and none that a text could be asked
for by: after a lost connection the outcome stays unknown until a receipt comes. Sources: SMPP 3.4 issue 1.2
throughout; what real centres do is cited where it is met (:mod:`app.sms.reasons_smpp`,
:mod:`app.sms.smpp_receipts`).
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from typing import Final

import structlog
from aiosmpplib import SubmitSm

from app.sms import encoding, reasons_smpp, smpp_receipts
from app.sms import smpp_pdus as pdus
from app.sms.book import Login
from app.sms.gateway import (
    Answer,
    Balance,
    Callback,
    Inbound,
    Listener,
    NotOurs,
    Outgoing,
    Receipt,
    Unreachable,
    Verdict,
)
from app.sms.smpp_address import centre_of
from app.sms.smpp_inbound import Inbox
from app.sms.smpp_receipts import Book, Early, Identifiers, Sent
from app.sms.smpp_session import BindRefused, Patience, Reply, Session, opened

log = structlog.get_logger()

_TRIES_AT_LATER_PARTS: Final = 5
_LONGEST_PAUSE: Final = 30.0
_SHORT_LIFE: Final = 5.0
"""Seconds: a connection that ends so soon after its bind counts as one that was not made."""


class SmppGateway:
    """One account at one centre."""

    def __init__(
        self,
        login: Login,
        *,
        patience: Patience | None = None,
        first_pause: float = 1.0,
        part_pause: float = 1.0,
    ) -> None:
        """``first_pause`` seconds follow the first bind that failed, and twice as many each further one.

        ``part_pause``: between tries at a part of a text whose first part has left. Raises Misconfigured, and
        OSError where the certificate authority cannot be read.
        """
        self._centre, ids = centre_of(login)
        self._name, self._sender = login.name, login.sender
        self._patience, self._first_pause, self._part_pause = patience or Patience(), first_pause, part_pause
        self._ids = Identifiers(ids)
        self._book, self._early, self._inbox = Book(self._ids), Early(), Inbox()
        self._door = asyncio.Lock()
        self._session: Session | None = None
        self._listening: Listener | None = None
        self._bound_listening = False
        self._closed = False
        self._failure: Unreachable | BindRefused | None = None
        self._pause, self._not_before, self._bound_at = 0.0, 0.0, 0.0
        self._turns, self._under_way = count(1), dict[int, None]()
        self._asked = 0

    @property
    def can_ask(self) -> bool:
        """query_sm wants the centre's own identifier, which a lost answer did not bring."""
        return False

    def measure(self, text: str) -> encoding.Measured:
        """As :func:`app.sms.encoding.measure`."""
        return encoding.measure(text)

    async def send(self, outgoing: Outgoing) -> Answer:
        """Hand over all parts, one after the other; raises Unreachable, OutcomeUnknown, and BadInput.

        Nothing has left where the first part is not taken. A later part that the centre cannot take just
        now is tried a few times more; then the text is refused for good, since a part of it is on its way.
        """
        try:
            parts = pdus.parts(outgoing, sender=outgoing.sender or self._sender)
        except pdus.UnfitSender as fault:
            return Answer(verdict=Verdict.REFUSED, reason=f"UnfitSender: {fault}")
        turn = self._asked = next(self._turns)
        self._under_way[turn] = None
        try:
            return await self._hand_over(parts, Sent(outgoing.reference), outgoing.leave_by)
        except BindRefused as refusal:
            return Answer(
                verdict=Verdict.STOPPED,
                reason=reasons_smpp.of_submitting(refusal.status)[0],
                status=refusal.status,
            )
        finally:
            del self._under_way[turn]
            self._let_go()

    async def status(self, *, reference: int, number: str, provider_id: str | None) -> Receipt | None:  # noqa: ARG002 - the port's
        """None: a centre is not asked."""
        return None

    async def balance(self) -> Balance | None:
        """None: SMPP has no word for money. Raises Unreachable, also where the centre does not let us in."""
        try:
            await self._bound()
        except BindRefused as refusal:
            name, _ = reasons_smpp.of_submitting(refusal.status)
            raise Unreachable(f"the centre refused the bind: {name}") from None
        return None

    def hear(self, callback: Callback) -> Sequence[Receipt | Inbound]:  # noqa: ARG002 - the port's
        """Raises NotOurs: a centre speaks over its connection only."""
        raise NotOurs("a centre over SMPP sends no callbacks")

    def confirmation(self) -> tuple[str, str]:
        """Nothing, as no callback comes."""
        return "", "text/plain"

    async def listen(self, tell: Listener) -> None:
        """Stay bound to be told, until cancelled or closed; the centre repeats what ``tell`` cannot take."""
        self._listening = tell
        try:
            while not self._closed:
                try:
                    session = await self._bound()
                except (Unreachable, BindRefused) as fault:
                    log.warning("sms.centre_away", login=self._name, fault=str(fault))
                    await asyncio.sleep(max(0.0, self._not_before - asyncio.get_running_loop().time()))
                    continue
                log.info("sms.centre_bound", login=self._name)
                await session.ended()
                self._let_go()
        finally:
            self._listening = None
            await self._part()

    async def close(self) -> None:
        """Unbind; nothing can be sent afterwards."""
        self._closed = True
        await self._part()

    async def _hand_over(self, parts: Sequence[SubmitSm], sent: Sent, leave_by: float) -> Answer:
        loop_time = asyncio.get_running_loop().time
        until = loop_time() + self._patience.whole
        for number, part in enumerate(parts, 1):
            # Its first part is the text's departure: the others follow it.
            begin_by = loop_time() + leave_by - time.monotonic() if number == 1 else math.inf
            answer = await self._submit(
                part, sent, until=until, begin_by=begin_by, last=number == len(parts), again=number > 1
            )
            if answer is None or answer.status:
                status = answer.status if answer else None
                name, verdict = (
                    reasons_smpp.of_submitting(status) if status else ("Unreachable", Verdict.REFUSED)
                )
                begun = number > 1
                return Answer(
                    verdict=Verdict.REFUSED if begun else verdict,
                    reason=f"{name} (part {number} of {len(parts)})" if begun else name,
                    status=status,
                    provider_id=sent.provider_id,
                    parts=number - 1 or None,
                    retry_after=reasons_smpp.RETRY_AFTER.get(status or 0),
                )
        return Answer(
            verdict=Verdict.ACCEPTED,
            reason="ESME_ROK",
            status=reasons_smpp.OK,
            provider_id=sent.provider_id,
            parts=len(parts),
        )

    async def _submit(
        self, part: SubmitSm, sent: Sent, *, until: float, begin_by: float, last: bool, again: bool
    ) -> pdus.Pdu | None:
        """The centre's answer. ``again``: repeat while it has no room or is away; None where it stayed
        away."""

        def note(answer: pdus.Pdu) -> None:
            if not answer.status:
                if name := pdus.message_id(answer):
                    self._book.note(sent, self._ids.of_answer(name))
                sent.complete = last

        answer = None
        for left in reversed(range(_TRIES_AT_LATER_PARTS if again else 1)):
            try:
                session = await self._bound()
                answer = await session.submit(part, until=until, begin_by=begin_by, late=note)
            except (Unreachable, BindRefused):
                if not again:
                    raise
            else:
                note(answer)
                if reasons_smpp.of_submitting(answer.status)[1] is not Verdict.RETRY:
                    return answer
            if left:
                await asyncio.sleep(self._part_pause)
        return answer

    async def _bound(self) -> Session:
        """The connection, made where there is none; raises Unreachable, BindRefused."""
        async with self._door:
            if self._closed:
                raise Unreachable("this login is closed")
            listening = self._listening is not None
            if self._session and self._session.open and (self._bound_listening or not listening):
                return self._session
            clock = asyncio.get_running_loop().time
            if self._session:
                hung_up = not self._session.open and clock() - self._bound_at < _SHORT_LIFE
                await self._part()
                if hung_up:
                    self._failed(Unreachable("the centre took the bind and hung up"), clock())
            if self._failure and clock() < self._not_before:  # not a knock for every text
                raise self._failure.with_traceback(None)
            try:
                self._session = await opened(
                    self._centre, listening=listening, hear=self._hear, patience=self._patience
                )
            except (Unreachable, BindRefused) as fault:
                self._failed(fault, clock())
                raise self._failure or fault from None
            if self._closed:  # meanwhile
                await self._part()
                raise Unreachable("this login is closed")
            if clock() - self._bound_at > _SHORT_LIFE:
                self._pause = 0.0
            self._bound_listening, self._failure, self._bound_at = listening, None, clock()
            return self._session

    def _failed(self, fault: Unreachable | BindRefused, now: float) -> None:
        self._failure = fault
        if isinstance(fault, BindRefused) and fault.status in reasons_smpp.BINDING_MAY_PASS:
            self._failure = Unreachable(str(fault))
        self._pause = min(_LONGEST_PAUSE, self._pause * 2 or self._first_pause)
        self._not_before = now + self._pause * random.uniform(0.8, 1.2)  # noqa: S311 - no secret: spreads binds

    def _hear(self, message: pdus.Delivered, reply: Reply) -> None:
        kind = smpp_receipts.kind_of(message)
        if self._listening is None:
            reply(False)
        elif kind == "text":
            text = self._inbox.take(message)
            reply(text is None or self._tell(text))
        elif kind == "receipt" and (told := smpp_receipts.read(message, self._ids)):
            if self._under_way and not self._book.knows(told.part):
                self._early.keep(told, self._asked)
                reply(True)
            else:
                reply(self._tell_of(told))
        else:
            log.warning("sms.receipt_not_understood", login=self._name, esm_class=message.esm_class)
            reply(True)  # it would be no clearer the next time

    def _tell_of(self, told: smpp_receipts.Told) -> bool:
        if self._book.miswritten(told.part):
            log.warning("sms.receipt_in_another_base", login=self._name, see="ids= in the login's url")
        receipt = self._book.tell(told)
        return receipt is None or self._tell(receipt)

    def _tell(self, heard: Receipt | Inbound) -> bool:
        """Whether it was taken: else the centre shall repeat it."""
        if self._listening is None:
            return False
        try:
            self._listening([heard])
        except Exception as fault:  # its words and its locals may hold the guest's number
            log.warning("sms.not_heard", login=self._name, fault=type(fault).__name__)
            return False
        return True

    def _let_go(self) -> None:
        oldest = next(iter(self._under_way), self._asked + 1)
        for told in self._early.leave(knows=self._book.knows, answered=lambda asked: asked < oldest):
            self._tell_of(told)

    async def _part(self) -> None:
        session, self._session = self._session, None
        if session:
            with suppress(OSError):
                await session.close()
