"""Twilio over HTTP: no identifier of ours but in the address that its receipts come back to.

Sources: ``twilio.com/docs/messaging/api/message-resource``, ``…/usage/webhooks/webhooks-security``,
``…/messaging/guides/webhook-request``, and the page of each error (:mod:`app.sms.reasons_twilio`). A message
is not idempotent: a repetition after a 5xx may reach the guest twice (page of error 20500).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlsplit

from app.sms import encoding, reasons_twilio
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

URL: Final = "https://api.twilio.com"
_AT_ONCE: Final = 50
_LONGEST_VALIDITY: Final = 36_000
"""Seconds: the longest a message may wait in its queue (page of error 30001)."""
_NOTHING_TO_ANSWER: Final = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'


class TwilioGateway:
    """One account at Twilio."""

    def __init__(
        self,
        *,
        url: str,
        ca: Path | None,
        secrets: Mapping[str, str],
        sender: str | None,
        receipts_url: str | None,
        patience: Patience | None = None,
    ) -> None:
        """``secrets``: ``account_sid`` and ``auth_token``; ``key_sid`` and ``key_secret`` to send with a key.

        ``sender`` is a number, a name, or the identifier of a messaging service (``MG…``). The authentication
        token is what receipts are signed with, whatever texts are sent with.
        """
        account = secrets["account_sid"]
        self._account, self._token = account, secrets["auth_token"].encode()
        self._path = f"/2010-04-01/Accounts/{quote(account, safe='')}"
        auth = (secrets.get("key_sid") or account, secrets.get("key_secret") or secrets["auth_token"])
        self._wire = Wire(url, ca=ca, at_once=_AT_ONCE, auth=auth, patience=patience)
        self._sender, self._receipts_url = sender, receipts_url

    @property
    def can_ask(self) -> bool:
        """A message can be asked for by Twilio's identifier only, which a lost answer did not bring."""
        return False

    def measure(self, text: str) -> encoding.Measured:
        """As :func:`app.sms.encoding.measure`."""
        return encoding.measure(text)

    async def send(self, outgoing: Outgoing) -> Answer:
        """Hand one text over; raises as the port says."""
        form = {"To": outgoing.number, "Body": outgoing.text}
        sender = outgoing.sender or self._sender or ""
        form["MessagingServiceSid" if sender.startswith("MG") and len(sender) == 34 else "From"] = sender
        if self._receipts_url:
            form["StatusCallback"] = f"{self._receipts_url}?reference={outgoing.reference}"
        if outgoing.validity is not None:
            seconds = int(outgoing.validity.total_seconds())
            form["ValidityPeriod"] = str(min(max(seconds, 1), _LONGEST_VALIDITY))
        return _answer(
            await self._wire.hand_over(f"{self._path}/Messages.json", form, leave_by=outgoing.leave_by)
        )

    async def status(self, *, reference: int, number: str, provider_id: str | None) -> Receipt | None:
        """How far a text came; None without Twilio's identifier."""
        del number
        if provider_id is None:
            return None
        reply = await self._wire.ask(f"{self._path}/Messages/{quote(provider_id, safe='')}.json")
        if reply.status == 404:
            return Receipt(state=ReceiptState.UNKNOWN_TEXT, reason="20404", reference=reference)
        document = _document(reply)
        state = str(document.get("status", ""))
        return Receipt(
            state=_meaning(state).state,
            reason=_reason(state, document.get("error_code")),
            provider_id=provider_id,
            reference=reference,
            at=_at(document.get("date_updated")),
            price=_price(document),
        )

    async def balance(self) -> Balance | None:
        """What is left; None for an account of an account, which has no balance of its own."""
        document = _document(await self._wire.ask(f"{self._path}/Balance.json"))
        amount, currency = minor_units(document.get("balance"), up=False), document.get("currency")
        if amount is None or not isinstance(currency, str):
            return None
        return Balance(amount=amount, currency=currency)

    def hear(self, callback: Callback) -> Sequence[Receipt | Inbound]:
        """A state or an incoming text; proved by ``X-Twilio-Signature``, which covers address and form.

        Only what is signed is believed: the address, and what the form says beside it.
        """
        query = dict(parse_qsl(urlsplit(callback.url).query, keep_blank_values=True))
        form = {name: value for name, value in callback.form.items() if name not in query}
        self._check_signature(callback, {} if callback.method == "GET" else form)
        told = query | form if callback.method == "GET" else form
        if told.get("AccountSid") != self._account:
            raise NotOurs("signed for another account")
        identifier = told.get("MessageSid") or told.get("SmsSid")
        if state := told.get("MessageStatus"):
            reference = _reference(query.get("reference", ""))
            return (
                Receipt(
                    state=_meaning(state).state,
                    reason=_reason(state, told.get("ErrorCode")),
                    provider_id=identifier,
                    reference=reference,
                ),
            )
        if "Body" in told and told.get("From"):
            return (Inbound(number=told["From"], text=told["Body"], provider_id=identifier),)
        return ()

    def confirmation(self) -> tuple[str, str]:
        """TwiML that does nothing: an incoming text is not answered."""
        return _NOTHING_TO_ANSWER, "text/xml"

    async def listen(self, tell: Listener) -> None:
        """Nothing comes by itself."""

    async def close(self) -> None:
        """Close connections."""
        await self._wire.close()

    def _check_signature(self, callback: Callback, form: Mapping[str, str]) -> None:
        given = callback.headers.get("x-twilio-signature", "").encode()
        fields = "".join(name + form[name] for name in sorted(form))
        known = [
            hmac.compare_digest(given, signature(self._token, url + fields))
            for url in _with_and_without_port(callback.url)
        ]
        if not any(known):
            raise NotOurs("its signature is not Twilio's")


def signature(token: bytes, signed: str) -> bytes:
    """``X-Twilio-Signature``: Base64 of HMAC-SHA1 over the address and the sorted fields."""
    return base64.b64encode(hmac.new(token, signed.encode(), hashlib.sha1).digest())


def _reference(digits: str) -> int | None:
    """Ours has 31 bits."""
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 10):
        return None
    number = int(digits)
    return number if 0 < number < 2**31 else None


def _with_and_without_port(url: str) -> tuple[str, ...]:
    """Twilio signs some addresses with their port and some without: its own libraries try both."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition(":")[0] if parts.port else parts.netloc
    port = 443 if parts.scheme == "https" else 80
    return tuple(
        {url, parts._replace(netloc=host).geturl(), parts._replace(netloc=f"{host}:{port}").geturl()}
    )


def _answer(reply: Reply) -> Answer:
    document = reply.document
    if reply.status >= 500 or (reply.status in {200, 201} and not (document and document.get("sid"))):
        raise OutcomeUnknown(f"HTTP {reply.status} {_code(document)}".strip())
    if document is not None and reply.status in {200, 201}:
        state = str(document.get("status", "accepted"))
        # A messaging service counts parts once it has chosen a sender: it says 0 until then.
        segments = str(document.get("num_segments") or "")
        parts = int(segments) or None if segments.isascii() and segments.isdigit() else None
        return Answer(
            verdict=Verdict.ACCEPTED,
            reason=state,
            status=reply.status,
            provider_id=str(document["sid"]),
            parts=parts,
            price=_price(document),
        )
    code = _code(document)
    meaning = reasons_twilio.ANSWERS.get(int(code)) if code else None
    return Answer(
        verdict=(meaning and meaning.verdict) or _by_status(reply.status),
        reason=code or f"HTTP {reply.status}",
        status=reply.status,
        retry_after=reply.retry_after,
        opted_out=meaning is not None and meaning.opted_out,
    )


def _by_status(status: int) -> Verdict:
    """Of a code that is not in the table: 400 is about this text, the rest about account or address."""
    return {429: Verdict.RETRY, 400: Verdict.REFUSED}.get(status, Verdict.STOPPED)


def _document(reply: Reply) -> dict[str, Any]:
    if reply.status != 200 or reply.document is None:
        raise Unreachable(f"HTTP {reply.status} {_code(reply.document)}".strip())
    return reply.document


def _code(document: Mapping[str, Any] | None) -> str:
    code = document.get("code") if document else None
    return str(code) if isinstance(code, int) and not isinstance(code, bool) else ""


def _meaning(state: str) -> StateMeaning:
    return reasons_twilio.STATES.get(state) or StateMeaning(ReceiptState.WAITING, "not in the vendor's list")


def _reason(state: str, code: object) -> str:
    return f"{state}/{code}" if code and str(code) != "0" else state


def _price(document: Mapping[str, Any]) -> Price | None:
    """What was charged, as a positive amount: Twilio tells it negative, and only some time after sending."""
    amount, unit = (
        minor_units(str(document.get("price") or "").lstrip("-"), up=True),
        document.get("price_unit"),
    )
    return (
        Price(amount=amount, currency=unit.upper()) if amount is not None and isinstance(unit, str) else None
    )


def _at(date: object) -> datetime | None:
    """An RFC 2822 date."""
    if not isinstance(date, str):
        return None
    try:
        return parsedate_to_datetime(date).astimezone(UTC)
    except ValueError:
        return None
