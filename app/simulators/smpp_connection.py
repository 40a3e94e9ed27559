"""One connection to the SMPP centre: binding, submitting, keeping alive, being delivered to."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final, Literal, Protocol

from app.simulators import smpp_wire as wire
from app.simulators.smpp_faults import Faults
from app.simulators.smpp_log import Log, Part
from app.simulators.smpp_receipts import identifier

Kind = Literal["receiver", "transmitter", "transceiver"]
_KINDS: Final[dict[int, Kind]] = {
    wire.BIND_RECEIVER: "receiver",
    wire.BIND_TRANSMITTER: "transmitter",
    wire.BIND_TRANSCEIVER: "transceiver",
}
_UNANSWERED_SECONDS: Final = 5.0


class Centre(Protocol):
    """What a connection needs of the house it belongs to."""

    faults: Faults
    log: Log

    def password_of(self, system_id: str) -> str | None:
        """None: no such account."""

    def may_take(self) -> int:
        """OK, or why not now: too fast, too many under way."""

    def listens(self, connection: Connection) -> None:
        """It is bound to be delivered to."""

    def taken(self, part: Part) -> None:
        """Deliver it, and write its receipts."""


class Connection:
    """Runs until either side ends it."""

    def __init__(self, centre: Centre, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._centre, self._reader, self._writer = centre, reader, writer
        self._sequence = 0
        self._asked: dict[int, asyncio.Future[int]] = {}
        self._submitted = 0
        self._answers: set[asyncio.Task[None]] = set()
        self.account = ""
        self.kind: Kind | None = None
        self.open = True

    @property
    def hears(self) -> bool:
        """Whether receipts and texts may be delivered to it."""
        return self.open and self.kind in ("receiver", "transceiver")

    async def run(self) -> None:
        """Serve."""
        try:
            while self.open:
                pdu = await wire.read(self._reader)
                if self._centre.faults.deaf:
                    continue
                if pdu.command & wire.ANSWER:
                    self._answered(pdu)
                else:
                    self._serve(pdu)
                    await self._writer.drain()
        except (OSError, EOFError, ValueError):
            pass
        finally:
            self.drop()

    async def ask(self, command: int, body: bytes = b"") -> int:
        """The status that the other side answers; raises TimeoutError, ConnectionError."""
        self._sequence += 1
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._asked[self._sequence] = answer
        self._write(wire.Pdu(command, 0, self._sequence, body))
        async with asyncio.timeout(_UNANSWERED_SECONDS):
            return await answer

    def drop(self) -> None:
        """Break the connection."""
        self.open = False
        for task in self._answers:
            task.cancel()
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(ConnectionError())
                answer.exception()  # nobody may be waiting any more
        self._asked.clear()
        self._writer.transport.abort()

    def _write(self, pdu: wire.Pdu) -> None:
        if not self.open:
            raise ConnectionError
        self._writer.write(pdu.packed())

    def _answer(self, pdu: wire.Pdu, status: int = wire.OK, body: bytes = b"") -> None:
        with contextlib.suppress(ConnectionError):
            self._write(wire.Pdu(pdu.command | wire.ANSWER, status, pdu.sequence, body))

    def _answered(self, pdu: wire.Pdu) -> None:
        answer = self._asked.pop(pdu.sequence, None)
        if answer is None:
            self._centre.log.garbled += 1
        elif not answer.done():
            answer.set_result(pdu.status)

    def _serve(self, pdu: wire.Pdu) -> None:
        log = self._centre.log
        if pdu.command in _KINDS:
            self._bind(pdu)
        elif pdu.command == wire.SUBMIT_SM:
            self._submit(pdu)
        elif pdu.command == wire.ENQUIRE_LINK:
            log.enquiries += 1
            self._answer(pdu)
        elif pdu.command == wire.UNBIND:
            self._answer(pdu)
            self.open = False
        else:
            self._write(wire.Pdu(wire.GENERIC_NACK, wire.BAD_COMMAND, pdu.sequence))

    def _bind(self, pdu: wire.Pdu) -> None:
        centre = self._centre
        try:
            if self.kind:
                raise wire.Faulty(wire.ALREADY_BOUND)
            if centre.faults.refuse_binds:
                raise wire.Faulty(centre.faults.refuse_binds)
            who = wire.bind(pdu.body)
            password = centre.password_of(who.system_id)
            if password is None:
                raise wire.Faulty(wire.BAD_SYSTEM_ID)
            if password != who.password:
                raise wire.Faulty(wire.BAD_PASSWORD)
        except wire.Faulty as fault:
            self._answer(pdu, fault.status)
            return
        self.account, self.kind = who.system_id, _KINDS[pdu.command]
        centre.log.binds[self.kind] += 1
        self._answer(pdu, wire.OK, b"centre\0")
        if self.hears:
            centre.listens(self)

    def _submit(self, pdu: wire.Pdu) -> None:
        centre, faults = self._centre, self._centre.faults
        self._submitted += 1
        if faults.drops_untaken > 0:
            faults.drops_untaken -= 1
            self.drop()
            return
        try:
            part = self._take(pdu)
        except wire.Faulty as fault:
            self._answer_soon(pdu, fault.status)
            return
        if not part.answered:
            centre.taken(part)
            if not faults.silent:
                self.drop()
            return
        if faults.receipts_first:
            centre.taken(part)
        self._answer_soon(pdu, wire.OK, part)
        if faults.unbind_after is not None and self._submitted >= faults.unbind_after:
            self._unbind_soon()

    def _take(self, pdu: wire.Pdu) -> Part:
        centre, faults = self._centre, self._centre.faults
        if self.kind not in ("transmitter", "transceiver"):
            raise wire.Faulty(wire.WRONG_BIND)
        if faults.nack > 0:
            faults.nack -= 1
            self._write(wire.Pdu(wire.GENERIC_NACK, 0x08, pdu.sequence))
            raise wire.Faulty(-1)
        if faults.next_answers and (status := faults.next_answers.pop(0)):
            raise wire.Faulty(status)
        submitted = wire.submitted(pdu.body)
        if status := faults.refused_numbers.get(submitted.number, 0) or centre.may_take():
            raise wire.Faulty(status)
        lost = faults.silent or faults.drops_taken > 0
        if faults.drops_taken > 0:
            faults.drops_taken -= 1
        return centre.log.take(
            self.account, submitted, lambda value: identifier(value, faults.ids), answered=not lost
        )

    def _answer_soon(self, pdu: wire.Pdu, status: int, part: Part | None = None) -> None:
        if status < 0:
            return  # it has its generic_nack
        centre, delay = self._centre, self._centre.faults.answer_delay_ms / 1000
        first = centre.faults.receipts_first

        async def answer() -> None:
            if delay or first:
                await asyncio.sleep(delay or 0.02)
            now()

        def now() -> None:
            centre.log.answers[status] += 1
            self._answer(pdu, status, part.message_id.encode("ascii") + b"\0" if part else b"")
            if part and not first:
                centre.taken(part)

        if delay or first:
            self._keep(asyncio.get_running_loop().create_task(answer()))
        else:
            now()

    def _unbind_soon(self) -> None:
        async def unbind() -> None:
            with contextlib.suppress(TimeoutError, ConnectionError):
                await self.ask(wire.UNBIND)
            self.drop()

        self._keep(asyncio.get_running_loop().create_task(unbind()))

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)
