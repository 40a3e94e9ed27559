"""The SMPP centre of the sandbox, as an independent client sees it, and what it refuses."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from aiosmpplib import ESME, NPI, TON, AbstractHook, DeliverSm, PhoneNumber, SubmitSm, SubmitSmResp

from app.simulators import smpp_wire as wire
from app.simulators.smpp import SmppSettings, SmppSimulator, running
from app.simulators.smpp_faults import Faults

HEADER = struct.Struct("!IIII")


class Witness(AbstractHook):  # type: ignore[misc]  # the library is untyped
    """A client that is not ours: aiosmpplib with everything of its own."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    async def sending(self, smpp_message: Any, pdu: bytes, client_id: str) -> None:
        """Nothing to note."""

    async def received(self, smpp_message: Any, pdu: bytes, client_id: str) -> None:
        self.heard.append(smpp_message)

    async def send_error(self, smpp_message: Any, error: Exception, client_id: str) -> None:
        self.heard.append(error)

    def all(self, kind: type) -> list[Any]:
        return [each for each in self.heard if type(each) is kind]


# The library leaves its connections to the garbage collector.
@pytest.mark.filterwarnings("ignore:.*StreamWriter.__del__.*:pytest.PytestUnraisableExceptionWarning")
def test_an_independent_client_sends_and_is_told() -> None:
    async def scenario() -> None:
        centre = SmppSimulator(faults=Faults(receipts="text"))
        await centre.start()
        port = int(centre.url.rpartition(":")[2])
        witness = Witness()
        esme = ESME("127.0.0.1", port, "perkpass", "sandbox", hook=witness, log_level="CRITICAL")
        running = asyncio.create_task(esme.start())
        try:
            for number, text in enumerate(("Hello @ {you}", "Привет")):
                await esme.broker.enqueue(
                    SubmitSm(
                        short_message=text,
                        source=PhoneNumber("Kofe", TON.ALPHANUMERIC),
                        destination=PhoneNumber("79161234567", TON.INTERNATIONAL, NPI.ISDN),
                        log_id=str(number),
                    )
                )
            async with asyncio.timeout(10):
                while len(witness.all(DeliverSm)) < 2:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            answers, receipts = witness.all(SubmitSmResp), witness.all(DeliverSm)
            assert [answer.log_id for answer in answers] == ["0", "1"]
            assert [receipt.parse_receipt()["stat"] for receipt in receipts] == ["DELIVRD"] * 2
            assert [receipt.log_id for receipt in receipts] == ["0", "1"]
            assert [text.text for text in centre.log.texts()] == ["Hello @ {you}", "Привет"]
            assert centre.log.spent == 600
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await centre.stop()

    asyncio.run(scenario())


class Raw:
    """A connection that says whatever a test wants."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer, self._sequence = reader, writer, 0

    async def ask(self, command: int, body: bytes = b"") -> wire.Pdu:
        self._sequence += 1
        self._writer.write(HEADER.pack(16 + len(body), command, 0, self._sequence) + body)
        async with asyncio.timeout(5):
            return await wire.read(self._reader)

    async def bind(self, system_id: bytes = b"perkpass", password: bytes = b"sandbox", kind: int = 9) -> int:
        body = system_id + b"\0" + password + b"\0\0" + b"\x34\0\0" + b"\0"
        return (await self.ask(kind, body)).status


@asynccontextmanager
async def raw(**knobs: Any) -> AsyncIterator[tuple[SmppSimulator, Raw]]:
    centre = SmppSimulator(faults=Faults(**knobs))
    await centre.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", int(centre.url.rpartition(":")[2]))
    try:
        yield centre, Raw(reader, writer)
    finally:
        writer.transport.abort()
        await centre.stop()


def submit(
    *,
    source: bytes = b"\x05\0Kofe\0",
    destination: bytes = b"\x01\x0179161234567\0",
    esm_class: int = 0,
    validity: bytes = b"",
    coding: int = 0,
    octets: bytes = b"Hello",
    options: bytes = b"",
    length: int | None = None,
) -> bytes:
    return b"".join(
        (
            b"\0",
            source,
            destination,
            bytes((esm_class, 0, 0)),
            b"\0",
            validity + b"\0",
            bytes((1, 0, coding, 0, len(octets) if length is None else length)),
            octets,
            options,
        )
    )


@pytest.mark.parametrize(
    ("faulty", "status"),
    [
        (submit(), wire.OK),
        (submit(octets=b"x" * 160), wire.OK),
        (submit(octets=b"x" * 161), wire.BAD_LENGTH),
        (submit(octets=b""), wire.BAD_LENGTH),
        (submit(length=9), wire.BAD_LENGTH),
        (submit(coding=8, octets="я".encode("utf-16-be") * 70), wire.OK),
        (submit(coding=8, octets="я".encode("utf-16-be") * 71), wire.BAD_LENGTH),
        (submit(coding=8, octets=b"\xd8\x3d"), wire.FAILED),  # half a character
        (submit(octets=b"\x80"), wire.FAILED),
        (submit(octets=b"cut\x1b"), wire.FAILED),
        (submit(esm_class=0x40, octets=b"\x05\0\x03\x01\x02\x01" + b"x" * 153), wire.OK),
        (submit(esm_class=0x40, octets=b"\x05\0\x03\x01\x02\x01" + b"x" * 154), wire.BAD_LENGTH),
        (submit(esm_class=0x40, octets=b"\x05\0\x03\x01\x02\x03x"), wire.BAD_ESM_CLASS),
        (submit(esm_class=0x04), wire.BAD_ESM_CLASS),
        (submit(destination=b"\x01\x01+79161234567\0"), wire.BAD_DESTINATION),
        (submit(destination=b"\x00\x0079161234567\0"), wire.BAD_DESTINATION),
        (submit(destination=b"\x01\x01" + b"7" * 21 + b"\0"), wire.BAD_DESTINATION),
        (submit(source=b"\x05\0TwelveLetter\0"), wire.BAD_SOURCE),
        (submit(source=b"\x09\0Kofe\0"), wire.BAD_TYPE_OF_NUMBER),
        (submit(source=b"\x05\0" + "Кофе".encode() + b"\0"), wire.BAD_SOURCE),
        (submit(validity=b"000000000500000R"), wire.OK),
        (submit(validity=b"5 minutes"), wire.BAD_EXPIRY),
        (submit(options=b"\x02\x04\0\x05\x01"), wire.BAD_OPTIONS),
    ],
)
def test_a_submit_is_checked_field_by_field(faulty: bytes, status: int) -> None:
    async def scenario() -> None:
        async with raw(receipts="none") as (centre, connection):
            assert await connection.bind() == wire.OK
            assert (await connection.ask(wire.SUBMIT_SM, faulty)).status == status
            assert len(centre.log.parts) == (status == wire.OK)
            assert centre.log.spent == 300 * (status == wire.OK)

    asyncio.run(scenario())


def test_binds_are_checked() -> None:
    async def scenario() -> None:
        async with raw() as (_, connection):
            assert (await connection.ask(wire.SUBMIT_SM, submit())).status == wire.WRONG_BIND
            assert await connection.bind(b"nobody") == wire.BAD_SYSTEM_ID
            assert await connection.bind(password=b"wrong") == wire.BAD_PASSWORD
            assert await connection.bind(password=b"longerthaneight") == wire.BAD_PASSWORD
            assert await connection.bind(kind=wire.BIND_RECEIVER) == wire.OK
            assert await connection.bind() == wire.ALREADY_BOUND
            assert (await connection.ask(wire.SUBMIT_SM, submit())).status == wire.WRONG_BIND
            unknown = await connection.ask(0x103)
            assert (unknown.command, unknown.status) == (wire.GENERIC_NACK, wire.BAD_COMMAND)

    asyncio.run(scenario())


def test_what_nobody_took_waits_for_the_next_who_listens() -> None:
    async def scenario() -> None:
        async with raw() as (centre, connection):
            await connection.bind(kind=wire.BIND_TRANSMITTER)
            await connection.ask(wire.SUBMIT_SM, submit())
            centre.incoming("+79161234567", "STOP")
            assert centre.undelivered >= 1
            reader, writer = await asyncio.open_connection("127.0.0.1", int(centre.url.rpartition(":")[2]))
            listener = Raw(reader, writer)
            await listener.bind(kind=wire.BIND_RECEIVER)
            first = await wire.read(reader)
            assert first.command == wire.DELIVER_SM
            writer.transport.abort()

    asyncio.run(scenario())


def test_too_many_in_a_second_and_too_many_under_way_are_told_apart() -> None:
    async def scenario() -> None:
        async with raw(rate=2, queue=3, receipt_delay_ms=5000) as (centre, connection):
            await connection.bind(kind=wire.BIND_TRANSMITTER)
            answers = [(await connection.ask(wire.SUBMIT_SM, submit())).status for _ in range(3)]
            assert answers == [wire.OK, wire.OK, wire.THROTTLED]
            centre.faults.rate = None
            answers = [(await connection.ask(wire.SUBMIT_SM, submit())).status for _ in range(2)]
            assert answers == [wire.OK, wire.QUEUE_FULL]

    asyncio.run(scenario())


def test_the_control_port_tells_and_turns() -> None:
    with (
        running(SmppSettings(accounts={"a": "b"})) as centre,
        httpx.Client(base_url=centre.control_url) as ask,
    ):
        assert ask.patch("/faults", json={"rate": 5}).json()["rate"] == 5
        assert ask.patch("/faults", json={"speed": 5}).status_code == 400
        assert ask.delete("/faults").json()["rate"] is None
        ask.post("/incoming", json={"from": "+79161234567", "text": "STOP"}).raise_for_status()
        assert centre.ask(lambda simulator: simulator.undelivered) == 1
        assert ask.get("/texts").json() == {"spent": 0, "answers": {}, "texts": [], "parts": []}
        assert ask.get("/nothing").status_code == 404
