"""What went wrong on the wire, told so that an operator knows where to look. Apple's answers are not here."""

from __future__ import annotations

import socket
import ssl

from app.errors import Unavailable

_CERTIFICATE_ALERTS = (
    "BAD_CERTIFICATE", "UNSUPPORTED_CERTIFICATE", "CERTIFICATE_REVOKED", "CERTIFICATE_EXPIRED",
    "CERTIFICATE_UNKNOWN", "CERTIFICATE_REQUIRED", "UNKNOWN_CA", "ACCESS_DENIED", "HANDSHAKE_FAILURE",
)  # fmt: skip
"""TLS alerts (RFC 8446, 6.2) by which a server says that it does not like the client's certificate."""


class WireBroken(Unavailable):
    """A push that got no answer. Sending it again is harmless: it is empty."""

    def __init__(self, message: str, *, maybe_accepted: bool = False) -> None:
        """``maybe_accepted``: the push was sent, and Apple may have taken it before the wire broke."""
        super().__init__(message)
        self.maybe_accepted = maybe_accepted


class CertificateRefused(WireBroken):
    """The TLS handshake failed over a certificate, ours or the server's: trying again does not help."""


def of_exception(error: BaseException, address: str) -> WireBroken:
    """The fault behind a connection to ``address`` (``host:port``) that failed or was lost."""
    if isinstance(error, WireBroken):
        return error
    if isinstance(error, ssl.SSLCertVerificationError):
        return CertificateRefused(
            f"the TLS certificate of {address} is not trusted: {error.verify_message}. "
            "Give the certificate authority that signed it, or check the address"
        )
    if isinstance(error, ssl.SSLError):
        reason = error.reason or str(error)
        if "ALERT" in reason and reason.endswith(_CERTIFICATE_ALERTS):
            return CertificateRefused(
                f"{address} refused our TLS client certificate ({reason}): it is expired, revoked, missing "
                "or of another kind. Renew the pass type certificate"
            )
        return WireBroken(f"TLS with {address} failed: {reason}")
    if isinstance(error, socket.gaierror):
        return WireBroken(f"the name of {address} cannot be resolved: {error.strerror}")
    if isinstance(error, ConnectionRefusedError):
        return WireBroken(f"{address} refuses connections")
    if isinstance(error, ConnectionError):
        return WireBroken(f"{address} broke the connection")
    if isinstance(error, TimeoutError):
        return WireBroken(f"{address} did not answer in time while connecting")
    return WireBroken(f"the connection to {address} failed: {str(error) or type(error).__name__}")


def before_http2(error: BaseException | None, address: str) -> WireBroken:
    """The fault where a connection came to nothing before the server's SETTINGS."""
    if error is not None and not isinstance(error, ConnectionResetError | BrokenPipeError):
        return of_exception(error, address)
    return WireBroken(
        f"{address} closed the connection before HTTP/2 began; "
        "if this lasts, it does not accept our certificate"
    )
