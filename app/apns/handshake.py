"""Whether APNs lets us in: TLS with our certificate and the begin of HTTP/2, and not one push."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path
from typing import Final

from app.apns import faults
from app.apns.credentials import tls_context
from app.apns.dial import host_and_port
from app.apns.faults import WireBroken
from app.errors import Misconfigured

SECONDS: Final = 5.0
_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
"""What a client says first, with SETTINGS that say nothing (RFC 9113, section 3.4)."""
_PING: Final = bytes((0, 0, 8, 6, 0, 0, 0, 0, 0)) + bytes(8)
_GOAWAY: Final = 7
_PING_TYPE: Final = 6


def refused(
    url: str, *, ca: Path | None, certificate_pem: bytes, key_pem: bytes, seconds: float = SECONDS
) -> str | None:
    """Why ``url`` does not let us in with this certificate, in a sentence; None where it does.

    Under TLS 1.3 a server refuses a client's certificate only after the handshake: so a PING is sent, and its
    answer waited for. Takes at most some ``seconds``; blocks meanwhile.
    """
    try:
        host, port = host_and_port(url)
        context = tls_context(ca=ca, certificate_pem=certificate_pem, key_pem=key_pem)
    except Misconfigured as fault:
        return str(fault)
    address = f"{host}:{port}"
    try:
        with (
            socket.create_connection((host, port), seconds) as plain,
            context.wrap_socket(plain, server_hostname=host) as line,
        ):
            if line.selected_alpn_protocol() != "h2":
                return f"{address} does not speak HTTP/2: a proxy in between?"
            line.sendall(_PREFACE + _PING)
            return _answer(line, address)
    except OSError as error:
        return str(faults.before_http2(error, address))
    except WireBroken as fault:
        return str(fault)


def _answer(line: socket.socket, address: str) -> str | None:
    """Read frames until the PING is answered, or the server ends it."""
    waiting = b""
    for _ in range(64):  # frames: settings, window, their acknowledgements
        while len(waiting) < 9 or len(waiting) < 9 + int.from_bytes(waiting[:3], "big"):
            came = b""
            with suppress(ConnectionResetError):
                came = line.recv(4096)
            if not came:
                raise faults.before_http2(None, address)
            waiting += came
        size, kind = int.from_bytes(waiting[:3], "big"), waiting[3]
        if kind == _GOAWAY:
            said = waiting[17 : 9 + size].decode("ascii", "replace")
            return f"{address} ended the connection: {said[:200]}"
        if kind == _PING_TYPE:
            return None
        waiting = waiting[9 + size :]
    return f"{address} answers something that is not HTTP/2"
