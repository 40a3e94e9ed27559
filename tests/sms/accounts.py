"""Logins at the simulated gateways."""

from __future__ import annotations

from pathlib import Path

from app.simulators.sms_gateways import ACCOUNT_SID, RunningSms, SmsSettings
from app.sms.gateway import Outgoing
from app.sms.smsc import SmscGateway
from app.sms.twilio import TwilioGateway

KEY_OF_RECEIPTS = "key-of-the-address"
ANNA = "+79001234567"
_DEFAULTS = SmsSettings()


def text(reference: int = 1001, number: str = ANNA, words: str = "Ваш код: 123456") -> Outgoing:
    return Outgoing(reference=reference, number=number, text=words)


def smsc(
    sms: RunningSms | str, *, password: str = _DEFAULTS.smsc_password, ca: Path | None = None
) -> SmscGateway:
    return SmscGateway(
        url=sms if isinstance(sms, str) else sms.url,
        ca=ca,
        secrets={"login": _DEFAULTS.smsc_login, "password": password},
        sender="KOFE",
        currency="RUB",
        receipts_secret=_DEFAULTS.smsc_secret,
        receipts_key=KEY_OF_RECEIPTS,
    )


def twilio(
    sms: RunningSms | str, *, token: str = _DEFAULTS.auth_token, receipts: str | None = None
) -> TwilioGateway:
    return TwilioGateway(
        url=sms if isinstance(sms, str) else sms.url,
        ca=None,
        secrets={"account_sid": ACCOUNT_SID, "auth_token": token},
        sender="+15550006666",
        receipts_url=receipts,
    )
