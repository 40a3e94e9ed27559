"""One bound connection to an SMPP centre: what is asked is matched with what is answered, and silence is
noticed.

It ends once, for whatever reason, and then for good. Who was waiting for an answer learns that the outcome
is unknown; who had not yet got a turn learns that nothing was sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Final, Protocol

from aiosmpplib import (
    BindTransceiver,
    BindTransmitter,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    SmppCommandStatus,
    SmppMessage,
    SubmitSm,
    Unbind,
    UnbindResp,
)

from app.errors import PerkpassError
from app.sms import smpp_pdus as pdus
from app.sms.gateway import NotInTime, OutcomeUnknown, Unreachable
from app.sms.smpp_address import Centre

_TAKEN: Final = SmppCommandStatus.ESME_ROK
_NEVER: Final = SmppCommandStatus.ESME_RX_P_APPN  # we cannot read it: do not repeat it
_STRANGE: Final = SmppCommandStatus.ESME_RINVCMDID
_LARGEST_SEQUENCE: Final = 0x7FFFFFFF
_HOPED_FOR: Final = 1000

Reply = Callable[[bool], None]
"""Tells the centre whether a deliver_sm was taken; False: repeat it later."""


class Hearer(Protocol):
    """Who is given what the centre delivers."""

    def __call__(self, message: pdus.Delivered, reply: Reply) -> None:
        """Must not block; ``reply`` is called once, now or soon."""


class Answered(Protocol):
    """Who learns of an answer that came although nobody waited for it any more."""

    def __call__(self, answer: pdus.Pdu) -> None:
        """Must not block."""


class BindRefused(PerkpassError):
    """The centre knows this account not, or not now."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the bind was refused with 0x{status:08X}")
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long what may last, in seconds."""

    connecting: float = 5.0  # and as long again for the bind
    answer: float = 10.0
    whole: float = (
        11.0  # of handing one text over, turns included: a claimed text is leased for less than a minute
    )
    silence: float = 30.0  # then the centre is asked whether it is still there
    farewell: float = 2.0


class Session:
    """Made by :func:`opened`; everything belongs to one event loop."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        hear: Hearer,
        window: int,
        patience: Patience,
    ) -> None:
        self._reader, self._writer = reader, writer
        self._hear, self._patience = hear, patience
        self._window = asyncio.Semaphore(window)
        self._waiting: dict[int, asyncio.Future[pdus.Pdu]] = {}
        self._too_late: dict[int, Answered] = {}
        self._sequences = count(1)
        self._loop = asyncio.get_running_loop()
        self._heard_at = self._loop.time()
        self._doubted = asyncio.Event()
        self._ended = asyncio.Event()
        self._parting = False
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def open(self) -> bool:
        """Whether something may still be asked."""
        return not (self._ended.is_set() or self._parting)

    async def ended(self) -> None:
        """Return when the connection is gone."""
        await self._ended.wait()

    async def bind(self, request: BindTransceiver) -> None:
        """Introduce ourselves; ends the connection where that fails. Raises BindRefused, Unreachable."""
        self._tasks = [self._loop.create_task(self._read())]
        try:
            answer = await self._ask(request, self._patience.connecting)
            if answer.status:
                raise BindRefused(answer.status)
            if self._ended.is_set():
                raise Unreachable("the centre took the bind and hung up")
        except (ConnectionError, TimeoutError):
            await self._end()
            raise Unreachable("the centre did not answer the bind") from None
        except BaseException:
            await self._end()
            raise
        self._tasks.append(self._loop.create_task(self._keep()))

    async def submit(
        self, message: SubmitSm, *, until: float, late: Answered, begin_by: float = math.inf
    ) -> pdus.Pdu:
        """Ask the centre to take one part, within the window and before ``until`` (time of the loop).

        ``late`` is told an answer that comes after we gave up waiting; what has no turn at ``begin_by`` does
        not leave. Raises Unreachable, NotInTime, OutcomeUnknown.
        """
        try:
            async with asyncio.timeout_at(min(until, begin_by)):
                await self._window.acquire()
        except TimeoutError:
            words = "no turn came in time: too many answers are missing"
            raise NotInTime(words) if begin_by < until else Unreachable(words) from None
        try:
            left = until - self._loop.time()
            if begin_by <= self._loop.time():
                raise NotInTime("its turn came too late")
            if not self.open or left <= 0:
                raise Unreachable("the connection ended before the text was sent")
            return await self._ask(message, min(self._patience.answer, left))
        except TimeoutError:
            self._doubted.set()
            self._hope_for(message.sequence_num, late)
            raise OutcomeUnknown("the centre did not answer in time") from None
        except asyncio.CancelledError:  # it has left all the same
            self._hope_for(message.sequence_num, late)
            raise
        except ConnectionError:
            raise OutcomeUnknown("the connection ended before the answer") from None
        finally:
            self._window.release()

    def _hope_for(self, sequence: int, late: Answered) -> None:
        self._too_late[sequence] = late
        if len(self._too_late) > _HOPED_FOR:
            del self._too_late[next(iter(self._too_late))]

    async def close(self) -> None:
        """Say good-bye and end; never raises."""
        if self.open:
            self._parting = True
            with contextlib.suppress(ConnectionError, TimeoutError):
                await self._ask(Unbind(), self._patience.farewell)
        await self._end()

    async def _ask(self, message: SmppMessage, seconds: float) -> pdus.Pdu:
        """Raises TimeoutError, or ConnectionError where the connection ends meanwhile."""
        if self._ended.is_set():
            raise ConnectionError
        message.sequence_num = sequence = next(self._sequences) % _LARGEST_SEQUENCE or _LARGEST_SEQUENCE
        answer: asyncio.Future[pdus.Pdu] = self._loop.create_future()
        self._waiting[sequence] = answer
        try:
            self._writer.write(message.pdu())
            async with asyncio.timeout(seconds):
                return await answer
        finally:
            self._waiting.pop(sequence, None)

    async def _read(self) -> None:
        try:
            while True:
                pdu = await pdus.read(self._reader)
                self._heard_at = self._loop.time()
                if pdu.command & pdus.ANSWER:
                    self._answered(pdu)
                else:
                    self._asked(pdu)
                    await self._writer.drain()
                if self._parting and not self._waiting:
                    break
        except (OSError, EOFError, pdus.Garbage):
            pass
        self._over()

    def _answered(self, pdu: pdus.Pdu) -> None:
        answer = self._waiting.get(pdu.sequence)
        if answer is not None and not answer.done():
            answer.set_result(pdu)
        elif late := self._too_late.pop(pdu.sequence, None):
            late(pdu)

    def _asked(self, pdu: pdus.Pdu) -> None:
        if pdu.command == pdus.DELIVER_SM:
            self._delivered(pdu)
        elif pdu.command == pdus.ENQUIRE_LINK:
            self._write(EnquireLinkResp(sequence_num=pdu.sequence))
        elif pdu.command == pdus.UNBIND:  # answers that are on their way may still come
            self._write(UnbindResp(sequence_num=pdu.sequence))
            self._parting = True
            self._loop.call_later(self._patience.farewell, self._over)
        else:
            self._write(GenericNack(sequence_num=pdu.sequence, command_status=_STRANGE))

    def _delivered(self, pdu: pdus.Pdu) -> None:
        def reply(taken: bool) -> None:
            status = _TAKEN if taken else SmppCommandStatus.ESME_RX_T_APPN
            self._write(DeliverSmResp(sequence_num=pdu.sequence, command_status=status))

        try:
            message = pdus.delivered(pdu.body)
        except pdus.Garbage:
            self._write(DeliverSmResp(sequence_num=pdu.sequence, command_status=_NEVER))
        else:
            self._hear(message, reply)

    def _write(self, message: SmppMessage) -> None:
        if not self._ended.is_set():
            self._writer.write(message.pdu())

    async def _keep(self) -> None:
        """Ask whether the centre is still there, after some silence and after an answer that did not come."""
        while True:
            silent = self._loop.time() - self._heard_at
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, self._patience.silence - silent)):
                    await self._doubted.wait()
            if not self._doubted.is_set() and self._loop.time() - self._heard_at < self._patience.silence:
                continue
            self._doubted.clear()
            try:
                await self._ask(EnquireLink(), self._patience.answer)
            except (TimeoutError, ConnectionError):
                self._over()
                return

    def _over(self) -> None:
        """The connection is gone, now."""
        if self._ended.is_set():
            return
        self._ended.set()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(ConnectionError())
        self._writer.transport.abort()
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()

    async def _end(self) -> None:
        self._over()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


async def opened(centre: Centre, *, listening: bool, hear: Hearer, patience: Patience) -> Session:
    """Connect and bind: as a transceiver to be told of receipts and texts, else as a transmitter.

    A centre shares receipts out among those who are bound to hear them: who does not listen must not be one
    of them. Raises Unreachable, BindRefused.
    """
    try:
        async with asyncio.timeout(patience.connecting):
            reader, writer = await asyncio.open_connection(
                centre.host, centre.port, ssl=centre.tls, server_hostname=centre.host if centre.tls else None
            )
    except (OSError, TimeoutError) as fault:
        raise Unreachable(f"{centre.host}:{centre.port} cannot be reached: {fault}") from None
    session = Session(reader, writer, hear=hear, window=centre.window, patience=patience)
    kind = BindTransceiver if listening else BindTransmitter
    await session.bind(
        kind(system_id=centre.system_id, password=centre.password, system_type=centre.system_type)
    )
    return session
