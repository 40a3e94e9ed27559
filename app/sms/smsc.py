"""SMSC.ru over HTTP: texts carry our identifier, and can be asked for by it after an unknown answer.

Sources: the vendor's pages ``smsc.ru/api/http/send/sms/``, ``…/status_messages/``, ``…/balance/`` and
``…/miscellaneous/callback/``; codes are in :mod:`app.sms.reasons_smsc`. Every answer is HTTP 200 with JSON.
The vendor does not say that an identifier sent twice is one text: nothing is sent again before it was asked.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from app.errors import BadInput
from app.sms import encoding, reasons_smsc
from app.sms.gateway import (
    Answer,
    Balance,
    Callback,
    Inbound,
    Listener,
    NotOurs,
    OutcomeUnknown,
    Outgoing,
    Price,
    Receipt,
    ReceiptState,
    Unreachable,
    Verdict,
)
from app.sms.meanings import StateMeaning
from app.sms.money import minor_units
from app.sms.wire import Patience, Reply, Wire

URL: Final = "https://smsc.ru"
LONGEST: Final = 1000
"""Characters of one text (the vendor's page of sending)."""
_AT_ONCE: Final = 4
"""Five requests at a time under one login are answered with error 9 (the vendor's page of states)."""
_LONGEST_VALIDITY: Final = timedelta(hours=24)


class SmscGateway:
    """One login at SMSC.ru."""

    def __init__(
        self,
        *,
        url: str,
        ca: Path | None,
        secrets: Mapping[str, str],
        sender: str | None,
        currency: str,
        receipts_secret: str | None,
        receipts_key: str | None,
        patience: Patience | None = None,
    ) -> None:
        """``secrets``: ``apikey``, or ``login`` and ``password``; ``currency`` is the account's."""
        self._wire = Wire(url, ca=ca, at_once=_AT_ONCE, patience=patience)
        self._credentials = (
            {"apikey": secrets["apikey"]}
            if "apikey" in secrets
            else {"login": secrets["login"], "psw": secrets["password"]}
        ) | {"fmt": "3", "charset": "utf-8"}
        self._sender, self._currency = sender, currency
        self._receipts_secret, self._receipts_key = receipts_secret, receipts_key

    @property
    def can_ask(self) -> bool:
        """Our reference is its identifier."""
        return True

    def measure(self, text: str) -> encoding.Measured:
        """As :func:`app.sms.encoding.measure`; BadInput also where the gateway takes no text so long."""
        measured = encoding.measure(text)
        if len(text) > LONGEST:
            raise BadInput(
                "text-too-long",
                f"The gateway takes {LONGEST} characters: make the text shorter.",
                field="text",
            )
        return measured

    async def send(self, outgoing: Outgoing) -> Answer:
        """Hand one text over; raises as the port says."""
        form = self._credentials | {
            "phones": outgoing.number,  # with its +: the gateway corrects no number then
            "mes": outgoing.text,
            "id": str(outgoing.reference),
            "cost": "3",
        }
        if sender := outgoing.sender or self._sender:
            form["sender"] = sender
        if outgoing.validity is not None:
            form["valid"] = _hours_and_minutes(outgoing.validity)
        return self._answer(await self._wire.hand_over("/sys/send.php", form, leave_by=outgoing.leave_by))

    async def status(self, *, reference: int, number: str, provider_id: str | None) -> Receipt | None:
        """How far a text came, by our reference (which is also its ``provider_id``)."""
        form = self._credentials | {"phone": number, "id": provider_id or str(reference), "all": "1"}
        document = _document(await self._wire.ask("/sys/status.php", form))
        state = _integer(document.get("status"))
        if state is None:
            raise Unreachable(f"no state in the answer: {sorted(document)}")
        at, price = _integer(document.get("last_timestamp")), self._price(document)
        meaning = _meaning(state)
        return Receipt(
            state=meaning.state,
            reason=_reason(state, document.get("err")),
            provider_id=None if meaning.state is ReceiptState.UNKNOWN_TEXT else provider_id or str(reference),
            reference=reference,
            at=datetime.fromtimestamp(at, UTC) if at and 0 < at < 2**33 else None,
            price=price,
        )

    async def balance(self) -> Balance | None:
        """What is left on the account."""
        document = _document(await self._wire.ask("/sys/balance.php", self._credentials | {"cur": "1"}))
        amount = minor_units(document.get("balance"), up=False)
        if amount is None:
            raise Unreachable(f"no balance in the answer: {sorted(document)}")
        currency = document.get("currency")
        return Balance(amount=amount, currency=currency if isinstance(currency, str) else self._currency)

    def hear(self, callback: Callback) -> Sequence[Receipt | Inbound]:
        """A state or an incoming text.

        Proved by the key in the address that was given to the gateway, or (states) by its checksum: SHA-1 or
        MD5 of ``id:phone:status:secret``. CRC32, which it offers as well, proves nothing.
        """
        form = callback.form
        if not (self._knows_key(callback.url) or self._knows_checksum(form)):
            raise NotOurs("neither the key of our address nor a checksum of the gateway")
        number = form.get("phone", "")
        if "mes" in form and "status" not in form:
            said = Inbound(
                number=_e164(number), text=form["mes"], provider_id=form.get("sms_id") or form.get("id")
            )
            return (said,)
        identifier, state = _integer(form.get("id")), _integer(form.get("status"))
        if identifier is None or not 0 < identifier < 2**31 or state is None:
            return ()  # a call of the subscriber's, or whatever else its address is told
        at = _integer(form.get("ts"))
        return (
            Receipt(
                state=_meaning(state).state,
                reason=_reason(state, form.get("err")),
                provider_id=str(identifier),
                reference=identifier,
                at=datetime.fromtimestamp(at, UTC) if at and 0 < at < 2**33 else None,
            ),
        )

    def confirmation(self) -> tuple[str, str]:
        """Any answer will do."""
        return "OK", "text/plain"

    async def listen(self, tell: Listener) -> None:
        """Nothing comes by itself."""

    async def close(self) -> None:
        """Close connections."""
        await self._wire.close()

    def _answer(self, reply: Reply) -> Answer:
        document = reply.document
        if reply.status >= 500 or (reply.status == 200 and document is None):
            raise OutcomeUnknown(f"HTTP {reply.status} without an answer of the gateway's")
        if document is None or reply.status != 200:
            verdict = (
                Verdict.RETRY if reply.status == 429 else Verdict.STOPPED
            )  # not where our file says it is
            return Answer(
                verdict=verdict,
                reason=f"HTTP {reply.status}",
                status=reply.status,
                retry_after=reply.retry_after,
            )
        code = _integer(document.get("error_code"))
        if code is not None:
            return _refusal(code, str(document.get("error", "")), reply.status)
        identifier = _integer(document.get("id"))
        if identifier is None:
            raise OutcomeUnknown(f"neither an identifier nor an error in the answer: {sorted(document)}")
        return Answer(
            verdict=Verdict.ACCEPTED,
            reason="accepted",
            status=reply.status,
            provider_id=str(identifier),
            parts=_integer(document.get("cnt")),
            price=self._price(document),
        )

    def _price(self, document: Mapping[str, Any]) -> Price | None:
        amount = minor_units(document.get("cost"), up=True)
        return None if amount is None else Price(amount=amount, currency=self._currency)

    def _knows_key(self, url: str) -> bool:
        if self._receipts_key is None:
            return False
        given = dict(parse_qsl(urlsplit(url).query)).get("key", "")
        return hmac.compare_digest(given.encode(), self._receipts_key.encode())

    def _knows_checksum(self, form: Mapping[str, str]) -> bool:
        if not self._receipts_secret or "status" not in form:
            return False
        signed = ":".join(
            (form.get("id", ""), form.get("phone", ""), form["status"], self._receipts_secret)
        ).encode()
        return any(
            hmac.compare_digest(form.get(name, "").lower().encode(), digest.encode())
            for name, digest in (
                ("sha1", hashlib.sha1(signed, usedforsecurity=False).hexdigest()),
                ("md5", hashlib.md5(signed, usedforsecurity=False).hexdigest()),
            )
        )


def _refusal(code: int, words: str, status: int) -> Answer:
    meaning = reasons_smsc.ANSWERS.get(code)
    verdict = (
        meaning.verdict if meaning else Verdict.STOPPED
    )  # unheard of: people must look before money flows
    pause = None
    if code == 9:
        if reasons_smsc.TOO_MANY_AT_ONCE not in words.lower():
            raise OutcomeUnknown(f"9 {words}: an equal text may have been taken within the minute")
        verdict, pause = Verdict.RETRY, timedelta(seconds=1)
    return Answer(
        verdict=verdict or Verdict.RETRY,
        reason=f"{code} {words}".strip()[:200],
        status=status,
        retry_after=pause,
    )


def _document(reply: Reply) -> dict[str, Any]:
    """An answer to asking; raises Unreachable where it is none, or an error that may be gone in a minute."""
    if reply.status != 200 or reply.document is None:
        raise Unreachable(f"HTTP {reply.status} without an answer of the gateway's")
    if "error_code" in reply.document or "error" in reply.document:
        raise Unreachable(f"{reply.document.get('error_code', '')} {reply.document.get('error', '')}".strip())
    return reply.document


def _meaning(state: int) -> StateMeaning:
    known = reasons_smsc.STATES.get(state)
    # Every state from 20 on is an end without delivery; of one that we do not know we only wait for news.
    return known or StateMeaning(
        ReceiptState.UNDELIVERED if state >= 20 else ReceiptState.WAITING, "not in the vendor's list"
    )


def _reason(state: int, err: object) -> str:
    cause = _integer(err)
    return f"{state}" if not cause else f"{state}/{cause}"


def _integer(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    try:
        return int(str(value))
    except ValueError:
        return None


def _e164(number: str) -> str:
    digits = number.strip().removeprefix("+")
    return f"+{digits}"


def _hours_and_minutes(validity: timedelta) -> str:
    minutes = int(min(max(validity, timedelta(minutes=1)), _LONGEST_VALIDITY).total_seconds() // 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
