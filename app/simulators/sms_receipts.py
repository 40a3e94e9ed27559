"""The gateways' simulator calls back: receipts and incoming texts, posted as each gateway posts them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ssl
from dataclasses import dataclass

import httpx2

from app.simulators.sms_faults import Faults
from app.simulators.sms_ledger import Ledger, Text

_TRIES = 6
_POSTS_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Call:
    """One callback."""

    url: str
    form: dict[str, str]
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Secrets:
    """What callbacks are proved with."""

    smsc: str
    account_sid: str
    auth_token: str


def smsc_state(secrets: Secrets, url: str, text: Text, state: int, at: float) -> Call:
    """SMSC.ru tells a state: with SHA-1 and MD5 of ``id:phone:status:secret``."""
    phone = text.to.removeprefix("+")
    signed = f"{text.identifier}:{phone}:{state}:{secrets.smsc}".encode()
    form = {
        "id": text.identifier,
        "phone": phone,
        "status": str(state),
        "ts": str(int(at)),
        "err": str(text.cause if state >= 20 else 0),
        "cnt": str(text.parts),
        "cost": f"{text.cost / 100:.2f}",
        "sender": text.sender,
        "sha1": hashlib.sha1(signed, usedforsecurity=False).hexdigest(),
        "md5": hashlib.md5(signed, usedforsecurity=False).hexdigest(),
    }
    return Call(url, form, {})


def smsc_incoming(url: str, phone: str, body: str, number: int) -> Call:
    """SMSC.ru tells a text that a subscriber sent."""
    return Call(url, {"phone": phone.removeprefix("+"), "mes": body, "sms_id": str(number)}, {})


def twilio_state(secrets: Secrets, text: Text, state: str) -> Call:
    """Twilio tells a state."""
    form = {
        "AccountSid": secrets.account_sid,
        "MessageSid": text.identifier,
        "SmsSid": text.identifier,
        "MessageStatus": state,
        "SmsStatus": state,
        "To": text.to,
        "From": text.sender,
        "ApiVersion": "2010-04-01",
    }
    if state == "undelivered":
        form["ErrorCode"] = str(text.cause)
    return _signed(secrets, text.callback, form)


def twilio_incoming(secrets: Secrets, url: str, phone: str, to: str, body: str, number: int) -> Call:
    """Twilio tells a text that a subscriber sent."""
    sid = f"SM{number:032x}"
    form = {
        "AccountSid": secrets.account_sid,
        "MessageSid": sid,
        "SmsSid": sid,
        "SmsStatus": "received",
        "From": phone,
        "To": to,
        "Body": body,
        "NumMedia": "0",
    }
    return _signed(secrets, url, form)


def _signed(secrets: Secrets, url: str, form: dict[str, str]) -> Call:
    content = url + "".join(f"{name}{value}" for name, value in sorted(form.items()))
    digest = hmac.new(secrets.auth_token.encode(), content.encode(), hashlib.sha1).digest()
    return Call(url, form, {"X-Twilio-Signature": base64.b64encode(digest).decode()})


class Postman:
    """Posts callbacks, again and again where nobody answers. Belongs to the simulator's event loop."""

    def __init__(self, ledger: Ledger, faults: Faults) -> None:
        self._ledger, self._faults = ledger, faults
        self._clients: dict[str, httpx2.AsyncClient] = {}
        self._turns = asyncio.Semaphore(_POSTS_AT_ONCE)
        self._rounds: set[asyncio.Task[None]] = set()

    def send_later(self, calls: list[Call]) -> None:
        """Each after the delay; as often and in the order that the knobs say."""
        if calls and not self._faults.no_receipts:
            task = asyncio.create_task(self._round(calls))
            self._rounds.add(task)
            task.add_done_callback(self._rounds.discard)

    async def send(self, calls: list[Call]) -> None:
        """Now, and wait until they were heard."""
        if self._faults.no_receipts:
            return
        for call in self._ordered(calls):
            await self._post(call)

    async def settled(self) -> None:
        """Wait until every callback was heard or given up."""
        while self._rounds:
            await asyncio.gather(*self._rounds, return_exceptions=True)

    async def close(self) -> None:
        """Drop what was not sent."""
        for task in tuple(self._rounds):
            task.cancel()
        await asyncio.gather(*self._rounds, return_exceptions=True)
        for client in self._clients.values():
            await client.aclose()

    def _client(self, url: str) -> httpx2.AsyncClient:
        scheme = url.partition(":")[0]
        if scheme not in self._clients:
            # Loading the system's authorities takes long: for https only.
            tls = (
                ssl.create_default_context() if scheme == "https" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            )
            self._clients[scheme] = httpx2.AsyncClient(timeout=5, trust_env=False, verify=tls)
        return self._clients[scheme]

    def _ordered(self, calls: list[Call]) -> list[Call]:
        ordered = list(reversed(calls)) if self._faults.shuffle_receipts else calls
        return [call for call in ordered for _ in range(1 + self._faults.duplicate_receipts)]

    async def _round(self, calls: list[Call]) -> None:
        for call in self._ordered(calls):
            await asyncio.sleep(self._faults.receipt_delay_ms / 1000)
            await self._post(call)

    async def _post(self, call: Call) -> None:
        async with self._turns:
            for number in range(_TRIES):
                try:
                    answer = await self._client(call.url).post(call.url, data=call.form, headers=call.headers)
                    if answer.is_success:
                        self._ledger.receipts["heard"] += 1
                        return
                    self._ledger.receipts[f"HTTP {answer.status_code}"] += 1
                except httpx2.HTTPError:
                    self._ledger.receipts["unheard"] += 1
                await asyncio.sleep(0.05 * 2**number)
        self._ledger.receipts["given up"] += 1
