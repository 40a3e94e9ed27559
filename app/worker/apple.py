"""The way to Apple Wallet: empty pushes through APNs, one client per pass type identifier."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from app.apns.client import ApnsClient
from app.apns.faults import CertificateRefused, WireBroken
from app.apns.requests import Push
from app.apns.responses import PushResponse, Verdict
from app.db import Tx
from app.db.identifiers import DeviceId, PassTypeIdentifier, WalletPassId
from app.delivery.breaker import Signal
from app.delivery.promises import Claimed, Outcome, Unsent
from app.errors import Misconfigured
from app.passes import registrations
from app.worker.channel import Answered, Ready, Report, unanswered

log = structlog.get_logger()

Credentials = Callable[[PassTypeIdentifier], tuple[bytes, bytes]]
"""Certificate and unencrypted key (PEM) of a pass type, or Misconfigured. Called without a transaction."""

Alone = Callable[[Tx, Sequence[WalletPassId], datetime], None]
"""Told which passes no reachable phone holds any more, within the settling transaction."""

_ONE_BY_ONE: Final = 16
"""So few promises are sent each on its own: a receipt does not wait for its neighbour's answer."""
_PORTION: Final = 100
_SIGNALS: Final[dict[str, Signal]] = {
    "BadDeviceToken": "bad_token",
    "DeviceTokenNotForTopic": "wrong_topic",
}


class _Line:
    """A client and the credentials it signed in with."""

    def __init__(self, client: ApnsClient, credentials: tuple[bytes, bytes]) -> None:
        self.client, self.credentials = client, credentials


class AppleChannel:
    """Pushes to phones. ``send``, ``refresh`` and ``close`` belong to one event loop."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        url: str,
        ca: Path | None = None,
        connections: int = 2,
        expiration: timedelta = timedelta(days=7),
        push_timeout: timedelta = timedelta(seconds=15),
        left_alone: Alone = lambda _tx, _pass_ids, _now: None,
    ) -> None:
        """``push_timeout`` must be shorter than the lease. ``left_alone`` hears of cards gone from phones."""
        self._credentials, self._left_alone = credentials, left_alone
        self._url, self._ca, self._connections = url, ca, connections
        self._expiration, self._push_timeout = expiration, push_timeout.total_seconds()
        self._lines: dict[PassTypeIdentifier, _Line] = {}
        self._opening: dict[PassTypeIdentifier, asyncio.Lock] = {}

    # With a transaction open

    def prepare(
        self, tx: Tx, claimed: Sequence[Claimed], *, now: datetime
    ) -> tuple[list[Ready], list[Unsent]]:
        """Look up push tokens; a device without a registration, or that Apple called dead, is ``gone``."""
        targets = registrations.push_targets(tx, [one.device_id for one in claimed])
        ready, unsent = [], []
        for one in claimed:
            if target := targets.get(one.device_id):
                ready.append(Ready(one, target.push_token, target.passes, target.first_pass, now))
            else:
                unsent.append(Unsent(claimed=one, state="gone", reason="NotRegistered"))
        return ready, unsent

    def forget(self, tx: Tx, gone: Sequence[Answered], *, now: datetime) -> set[int]:
        """The 410 rule: a device is forgotten unless it registered after its token was dead."""
        alone: list[WalletPassId] = []
        ids = sorted({answer.ready.claimed.device_id for answer in gone})
        since = {answer.ready.claimed.device_id: answer.gone_since for answer in gone}
        for device_id in ids:
            alone += registrations.forget_unreachable(tx, device_id, unregistered_at=since[device_id] or now)
        if alone:
            self._left_alone(tx, alone, now)
        return set(registrations.push_targets(tx, ids))

    def set_aside(self, tx: Tx, devices: Mapping[DeviceId, datetime]) -> None:
        """The card may well be on a phone still: it is not counted as gone."""
        for device_id in sorted(devices):
            registrations.set_aside(tx, device_id, asked_at=devices[device_id])

    def take_back(self, tx: Tx, devices: Mapping[DeviceId, datetime]) -> None:
        """Undo :meth:`set_aside`."""
        for device_id in sorted(devices):
            registrations.take_back(tx, device_id, asked_at=devices[device_id])

    # Without one

    async def send(self, ready: Sequence[Ready], report: Report) -> None:
        """Push to all of them; each pass type's failure is its own."""
        types: dict[PassTypeIdentifier, list[Ready]] = {}
        for one in ready:
            types.setdefault(one.claimed.pass_type_identifier, []).append(one)
        await asyncio.gather(*(self._send_type(name, group, report) for name, group in types.items()))

    async def _send_type(self, pass_type: PassTypeIdentifier, ready: Sequence[Ready], report: Report) -> None:
        try:
            client = (await self._line(pass_type)).client
        except Misconfigured as fault:
            faults = fault.faults
            log.error("push_credentials_unusable", pass_type_identifier=pass_type, faults=faults)  # noqa: TRY400
            reason = f"Misconfigured: {fault.faults[0]}"
            report([unanswered(one, reason, signal="fatal") for one in ready])
            return
        except Exception as fault:
            log.exception("push_credentials_unreadable", pass_type_identifier=pass_type)
            report([unanswered(one, f"CredentialsUnavailable: {type(fault).__name__}") for one in ready])
            return
        size = 1 if len(ready) <= _ONE_BY_ONE else _PORTION
        portions = [ready[start : start + size] for start in range(0, len(ready), size)]
        fatal = await asyncio.gather(*(self._push(client, portion, report) for portion in portions))
        if any(fatal):
            await self._drop(pass_type)  # the next probe signs in anew, perhaps with a renewed certificate

    async def _push(self, client: ApnsClient, ready: Sequence[Ready], report: Report) -> bool:
        """Push one portion; True where we ourselves were refused."""
        outcomes = await client.push_many([Push(one.address) for one in ready])
        answers = [
            self._broken(one, outcome) if isinstance(outcome, WireBroken) else self._answered(one, outcome)
            for one, outcome in zip(ready, outcomes, strict=True)
        ]
        report(answers)
        return any(answer.signal == "fatal" for answer in answers)

    def _answered(self, ready: Ready, response: PushResponse) -> Answered:
        signal: Signal = "other"
        if response.verdict in (Verdict.ACCEPTED, Verdict.GONE):
            signal = "proof"
        elif response.breaker:
            signal = _SIGNALS.get(response.reason, "fatal")
        if response.verdict is Verdict.REFUSED:
            log.warning(
                "push_refused",
                reason=response.reason,
                status=response.status,
                pass_type_identifier=ready.claimed.pass_type_identifier,
                push_token=shortened(ready.address),
            )
        outcome = Outcome(
            claimed=ready.claimed,
            verdict=response.verdict.value,
            status=response.status or None,
            reason=response.reason or None,
            provider_id=response.apns_id,
            retry_after=response.retry_after,
            passes=ready.passes,
        )
        # Without a timestamp of Apple's: the token was ours when we looked it up.
        since = response.timestamp or ready.prepared_at
        return Answered(ready, outcome, signal, since if response.verdict is Verdict.GONE else None)

    def _broken(self, ready: Ready, fault: WireBroken) -> Answered:
        if isinstance(fault, CertificateRefused):
            return unanswered(ready, f"CertificateRefused: {fault}", signal="fatal")
        return unanswered(ready, f"{type(fault).__name__}: {fault}")

    async def _line(self, pass_type: PassTypeIdentifier) -> _Line:
        async with self._opening.setdefault(pass_type, asyncio.Lock()):
            line = self._lines.get(pass_type)
            if line is None:
                given = await asyncio.to_thread(self._credentials, pass_type)
                line = self._lines[pass_type] = _Line(self._client(pass_type, given), given)
            return line

    def _client(self, pass_type: PassTypeIdentifier, credentials: tuple[bytes, bytes]) -> ApnsClient:
        certificate, key = credentials
        return ApnsClient(
            self._url,
            topic=pass_type,
            ca=self._ca,
            certificate_pem=certificate,
            key_pem=key,
            connections=self._connections,
            expiration=self._expiration,
            push_timeout=self._push_timeout,
        )

    async def _drop(self, pass_type: PassTypeIdentifier) -> None:
        if line := self._lines.pop(pass_type, None):
            await line.client.close()

    async def refresh(self) -> None:
        """Sign in anew where the credentials changed; the old connection first gets time for its answers."""
        for pass_type, line in list(self._lines.items()):
            with suppress(Misconfigured):  # told by whoever next signs in
                given = await asyncio.to_thread(self._credentials, pass_type)
                if given != line.credentials and self._lines.get(pass_type) is line:
                    del self._lines[pass_type]
                    await asyncio.sleep(self._push_timeout)
                    await line.client.close()

    async def close(self) -> None:
        """Close every connection."""
        for pass_type in list(self._lines):
            await self._drop(pass_type)


def shortened(push_token: str) -> str:
    """A push token for a log: enough to compare, too little to use."""
    return f"{push_token[:8]}…"
