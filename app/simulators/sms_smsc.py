"""SMSC.ru on this machine: ``send.php``, ``status.php``, ``balance.php`` as the vendor's pages describe them.

It is as strict as the pages are: an equal request within a minute is refused, a text may be asked for five
times a minute. An identifier is the client's and need not be unique: sent twice, it is two texts, paid twice.
"""

from __future__ import annotations

import hmac
import re
import time
from collections import Counter
from typing import Any

from app.simulators.http_server import Request, Response, json_response
from app.simulators.sms_ledger import Text
from app.simulators.sms_receipts import Call, Secrets, smsc_state
from app.simulators.sms_trade import Trade

_WORDS = {
    1: "parameters error",
    2: "authorise error",
    3: "no money",
    4: "ip blocked",
    5: "date error",
    6: "message is denied",
    7: "invalid number",
    8: "message to this number can't be delivered",
    9: "duplicate request, wait a minute",
}
_MINUTE = 60.0
_VALID = re.compile(r"(0[0-9]|1[0-9]|2[0-3]):[0-5][0-9]|24:00")
_STATES = {1: "delivered", 0: "sent", 20: "not delivered"}


class Smsc:
    """Answers under ``/sys/``."""

    def __init__(
        self, trade: Trade, secrets: Secrets, *, login: str, password: str, apikey: str, receipts: str
    ) -> None:
        """``receipts``: the address in the cabinet of the account, empty for none."""
        self._trade, self._secrets = trade, secrets
        self._login, self._password, self._apikey, self._receipts = login, password, apikey, receipts
        self._lately: dict[tuple[str, ...], float] = {}
        self._asked: Counter[tuple[str, str, int]] = Counter()

    async def handle(self, request: Request) -> Response:
        """One request."""
        form = request.query | request.form()
        if form.get("fmt") != "3" or form.get("charset") != "utf-8":
            return json_response({"error": "the simulator speaks fmt=3 and charset=utf-8 only"}, 400)
        known = (
            hmac.compare_digest(form["apikey"], self._apikey)
            if "apikey" in form
            else (form.get("login"), form.get("psw")) == (self._login, self._password)
        )
        if not known:
            return self._error(2)
        match request.path:
            case "/sys/send.php":
                return await self._send(form)
            case "/sys/status.php":
                return self._status(form)
            case "/sys/balance.php":
                return self._balance(form)
        return Response(b"<html>404</html>", 404, "text/html")

    async def _send(self, form: dict[str, str]) -> Response:
        trade, ledger = self._trade, self._trade.ledger
        to, body, identifier = form.get("phones", ""), form.get("mes", ""), form.get("id", "")
        fault = self._fault(form)
        if fault:
            return self._error(fault, identifier if fault in {3, 6, 7, 8} else None)
        await trade.wait()
        now = ledger.clock()
        equal = (to, body, form.get("sender", ""), identifier)
        if now - self._lately.get(equal, -_MINUTE) < _MINUTE:
            return self._error(9)
        if trade.too_many():
            return self._error(9, words="too many concurrent requests")
        if refusal := trade.refused(to):
            return self._error(refusal, identifier if refusal in {3, 6, 7, 8} else None)
        try:
            text = trade.take("smsc", identifier=identifier, to=to, sender=form.get("sender", ""), body=body)
        except ValueError:
            return self._error(3, identifier)
        self._lately[equal] = now
        if len(self._lately) > 200_000:
            self._lately = {key: at for key, at in self._lately.items() if now - at < _MINUTE}
        document: dict[str, Any] = {"id": int(identifier), "cnt": text.parts}
        if form.get("cost") in {"2", "3"}:
            document["cost"] = _roubles(text.cost)
        if form.get("cost") == "3":
            document["balance"] = _roubles(ledger.accounts["smsc"].balance)
        return await trade.answer(text, self._calls(text), json_response(document))

    def _calls(self, text: Text) -> list[Call]:
        if not self._receipts:
            return []
        at = self._trade.ledger.clock()
        return [
            smsc_state(self._secrets, self._receipts, text, 0, at),
            smsc_state(self._secrets, self._receipts, text, 20 if text.cause else 1, at),
        ]

    def _fault(self, form: dict[str, str]) -> int | None:
        identifier, valid = form.get("id", ""), form.get("valid")
        if not form.get("phones") or not form.get("mes") or len(form["mes"]) > 1000:
            return 1
        if not identifier.isdigit() or not 1 <= int(identifier) <= 2**31 - 1:
            return 1
        if valid is not None and (not _VALID.fullmatch(valid) or valid == "00:00"):
            return 5
        return None if re.fullmatch(r"\+[1-9]\d{9,14}", form["phones"]) else 7

    def _status(self, form: dict[str, str]) -> Response:
        identifier, to = form.get("id", ""), form.get("phone", "")
        minute = int(self._trade.ledger.clock() // _MINUTE)
        self._asked[identifier, to, minute] += 1
        if self._asked[identifier, to, minute] > 5:
            return self._error(9, words="too many status requests for this message")
        if len(self._asked) > 50_000:
            self._asked.clear()
        ledger = self._trade.ledger
        text = ledger.find("smsc", identifier, to)
        if text is None:
            return json_response({"status": -3, "last_date": "", "last_timestamp": 0, "err": 0})
        over = text.over(ledger.clock())
        state = (20 if text.cause else 1) if over else 0
        document: dict[str, Any] = {
            "status": state,
            "last_date": time.strftime("%d.%m.%Y %H:%M:%S", time.gmtime(text.at)),
            "last_timestamp": int(text.ends_at if over else text.at),
            "flag": 0,
            "err": text.cause if over else 0,
        }
        if form.get("all") == "1":
            document |= {
                "send_timestamp": int(text.at),
                "phone": to.removeprefix("+"),
                "cost": _roubles(text.cost),
                "sender_id": text.sender,
                "status_name": _STATES[state],
                "message": text.body,
                "type": 0,
            }
        return json_response(document)

    def _balance(self, form: dict[str, str]) -> Response:
        account = self._trade.ledger.accounts["smsc"]
        document = {"balance": _roubles(account.balance)}
        if form.get("cur") == "1":
            document["currency"] = account.currency
        return json_response(document)

    def _error(self, code: int, identifier: str | None = None, *, words: str = "") -> Response:
        self._trade.ledger.answers[f"smsc {code}"] += 1
        document: dict[str, Any] = {"error": words or _WORDS.get(code, "error"), "error_code": code}
        if identifier:
            document["id"] = int(identifier)
        return json_response(document)


def _roubles(minor: int) -> str:
    whole, part = divmod(minor, 100)
    return f"{whole}.{part:02d}".rstrip("0").rstrip(".")
