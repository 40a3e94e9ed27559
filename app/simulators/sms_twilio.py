"""Twilio on this machine: messages and balance of one account, as the vendor's pages describe them."""

from __future__ import annotations

import base64
import binascii
import re
import secrets as randomness
from email.utils import formatdate
from typing import Any
from urllib.parse import urlsplit

from app.simulators.http_server import Request, Response, json_response
from app.simulators.sms_ledger import Text
from app.simulators.sms_receipts import Call, Secrets, twilio_state
from app.simulators.sms_trade import Trade

_WORDS = {
    20003: "Authenticate",
    20404: "The requested resource was not found",
    20429: "Too Many Requests",
    21211: "Invalid 'To' Phone Number",
    21602: "Message body is required.",
    21603: "A 'From' phone number is required.",
    21609: "The 'StatusCallback' URL is not a valid URL.",
    21617: "The concatenated message body exceeds the 1600 character limit.",
}
_STATUS = {20003: 401, 20404: 404, 20429: 429, 20403: 403}


class Twilio:
    """Answers under ``/2010-04-01/``."""

    def __init__(self, trade: Trade, secrets: Secrets) -> None:
        self._trade, self._secrets = trade, secrets

    async def handle(self, request: Request) -> Response:
        """One request."""
        account = self._secrets.account_sid
        if not self._signed_in(request.headers.get("authorization", "")):
            return self._error(20003)
        steps = request.path.strip("/").split("/")
        if steps[:3] != ["2010-04-01", "Accounts", account]:
            return self._error(20404)
        match request.method, steps[3:]:
            case "POST", ["Messages.json"]:
                return await self._send(request.form())
            case "GET", ["Messages", name] if name.endswith(".json"):
                text = self._trade.ledger.find("twilio", name.removesuffix(".json"))
                return self._error(20404) if text is None else json_response(self._message(text))
            case "GET", ["Balance.json"]:
                money = self._trade.ledger.accounts["twilio"]
                return json_response(
                    {
                        "account_sid": account,
                        "balance": f"{money.balance / 100:.2f}",
                        "currency": money.currency,
                    }
                )
        return self._error(20404)

    async def _send(self, form: dict[str, str]) -> Response:
        trade = self._trade
        if fault := self._fault(form):
            return self._error(fault)
        await trade.wait()
        to = form["To"]
        if trade.too_many():
            return self._error(20429, headers=(("retry-after", "1"),))
        if refusal := trade.refused(to):
            return self._error(refusal)
        sender = form.get("From") or form["MessagingServiceSid"]
        try:
            text = trade.take(
                "twilio",
                identifier=f"SM{randomness.token_hex(16)}",
                to=to,
                sender=sender,
                body=form["Body"],
                callback=form.get("StatusCallback", ""),
            )
        except ValueError:
            return self._error(20003)  # an account without money is suspended
        document = self._message(text) | {"status": "queued", "price": None, "error_code": None}
        if "MessagingServiceSid" in form:
            document |= {
                "status": "accepted",
                "num_segments": "0",
                "from": None,
                "messaging_service_sid": sender,
            }
        return await trade.answer(text, self._calls(text), json_response(document, 201))

    def _calls(self, text: Text) -> list[Call]:
        if not text.callback:
            return []
        last = "undelivered" if text.cause else "delivered"
        return [twilio_state(self._secrets, text, state) for state in ("sent", last)]

    def _message(self, text: Text) -> dict[str, Any]:
        over = text.over(self._trade.ledger.clock())
        state = ("undelivered" if text.cause else "delivered") if over else "sent"
        return {
            "sid": text.identifier,
            "account_sid": self._secrets.account_sid,
            "to": text.to,
            "from": text.sender,
            "body": text.body,
            "status": state,
            "num_segments": str(text.parts),
            "direction": "outbound-api",
            "date_created": formatdate(text.at),
            "date_updated": formatdate(text.ends_at if over else text.at),
            "price": f"-{text.cost / 100:.5f}" if over else None,
            "price_unit": self._trade.ledger.accounts["twilio"].currency,
            "error_code": text.cause if over and text.cause else None,
            "error_message": None,
        }

    def _fault(self, form: dict[str, str]) -> int | None:
        if not re.fullmatch(r"\+[1-9]\d{6,14}", form.get("To", "")):
            return 21211
        if not (form.get("From") or form.get("MessagingServiceSid")):
            return 21603
        if not form.get("Body"):
            return 21602
        if len(form["Body"]) > 1600:
            return 21617
        callback = form.get("StatusCallback")
        if callback and urlsplit(callback).scheme not in {"http", "https"}:
            return 21609
        period = form.get("ValidityPeriod", "1")
        return None if period.isdigit() and 1 <= int(period) <= 36_000 else 21602

    def _signed_in(self, header: str) -> bool:
        kind, _, encoded = header.partition(" ")
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        return kind == "Basic" and (user, password) == (self._secrets.account_sid, self._secrets.auth_token)

    def _error(self, code: int, *, headers: tuple[tuple[str, str], ...] = ()) -> Response:
        self._trade.ledger.answers[f"twilio {code}"] += 1
        status = _STATUS.get(code, 400)
        document = {
            "code": code,
            "message": _WORDS.get(code, "refused"),
            "more_info": f"https://www.twilio.com/docs/errors/{code}",
            "status": status,
        }
        answer = json_response(document, status)
        return Response(answer.body, status, answer.content_type, headers)
