"""The address and the secrets of a login over SMPP.

``smpp://host:2775`` or, over TLS, ``smpps://host:3550``. Its query says how this centre is spoken to:
``ids=hex-decimal`` (:data:`app.sms.smpp_receipts.Ids`), ``window=10`` (answers that may be missing at a
time).
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Final, get_args
from urllib.parse import parse_qsl, urlsplit

from app.errors import Misconfigured
from app.sms.book import Login
from app.sms.smpp_receipts import Ids

_PORT, _PORT_OF_TLS = 2775, 3550
_WINDOW: Final = "10"
_LARGEST_WINDOW: Final = 1000
_LONGEST: Final = {"system_id": 15, "password": 8, "system_type": 12}  # octets, SMPP 3.4 4.1.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Centre:
    """Where a centre is and how it is spoken to."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    system_id: str
    password: str
    system_type: str = ""
    window: int = 10  # answers that may be missing at a time

    def __repr__(self) -> str:
        """Without the password."""
        return f"Centre({self.host}:{self.port}, {self.system_id})"


def faults_of(login: Login) -> list[str]:
    """What is wrong with a login's address and secrets, for the operator; nothing of a secret is in it."""
    faults, address = [], urlsplit(login.url)
    for name, value in parse_qsl(address.query, keep_blank_values=True):
        if name == "ids" and value in get_args(Ids):
            continue
        if name == "window" and value.isascii() and value.isdecimal() and 1 <= int(value) <= _LARGEST_WINDOW:
            continue
        faults.append(
            f"url: {name}={value}: there are ids={'|'.join(get_args(Ids))} and window=1..{_LARGEST_WINDOW}"
        )
    for name, longest in _LONGEST.items():
        secret = login.secrets.get(name, "")
        least = 0 if name == "system_type" else 1
        if not (least <= len(secret) <= longest and secret.isascii() and "\0" not in secret):
            faults.append(f"secrets: {name} has {least} to {longest} letters of ASCII (SMPP 3.4)")
    return faults


def centre_of(login: Login) -> tuple[Centre, Ids]:
    """Where the centre is, and how it writes identifiers.

    Raises Misconfigured, and OSError where the certificate authority cannot be read.
    """
    if faults := faults_of(login):
        raise Misconfigured(*(f"login {login.name}: {fault}" for fault in faults))
    address = urlsplit(login.url)
    options = dict(parse_qsl(address.query))
    secure = address.scheme == "smpps"
    centre = Centre(
        host=address.hostname or "",
        port=address.port or (_PORT_OF_TLS if secure else _PORT),
        tls=ssl.create_default_context(cafile=str(login.ca) if login.ca else None) if secure else None,
        system_id=login.secrets["system_id"],
        password=login.secrets["password"],
        system_type=login.secrets.get("system_type", ""),
        window=int(options.get("window", _WINDOW)),
    )
    ids: Ids = next((each for each in get_args(Ids) if each == options.get("ids")), "same")
    return centre, ids
