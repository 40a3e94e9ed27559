"""How we sign in to APNs: with the pass type certificate (documented), or a .p8 key of the same team."""

from __future__ import annotations

import os
import ssl
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from app.errors import Misconfigured

RENEW_AFTER: Final = 40 * 60.0
"""Seconds. Apple, "Establishing a token-based connection to APNs": not before 20 minutes, not after 60."""
RENEW_NOT_BEFORE: Final = 20 * 60.0


def tls_context(
    *, ca: Path | None = None, certificate_pem: bytes | None = None, key_pem: bytes | None = None
) -> ssl.SSLContext:
    """A TLS 1.2+ client context that speaks HTTP/2 alone.

    ``ca``: PEM file of the only authorities to trust; None for the system's. ``certificate_pem`` and
    ``key_pem`` (unencrypted) are the client certificate. Raises :class:`Misconfigured`.
    """
    try:
        context = ssl.create_default_context(cafile=None if ca is None else str(ca))
    except (OSError, ssl.SSLError) as fault:
        raise Misconfigured(f"{ca}: cannot be read as certificate authorities: {fault}") from fault
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2"])
    if certificate_pem is not None and key_pem is not None:
        _load_client_certificate(context, certificate_pem, key_pem)
    return context


def _load_client_certificate(context: ssl.SSLContext, certificate_pem: bytes, key_pem: bytes) -> None:
    """OpenSSL takes files only: a private one (0600), gone as soon as it is read."""
    descriptor, name = tempfile.mkstemp(prefix="perkpass-", suffix=".pem")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(certificate_pem.rstrip() + b"\n" + key_pem)
        # Without a password callback OpenSSL would ask on the terminal for an encrypted key's password.
        context.load_cert_chain(name, password=lambda: b"")
    except (ssl.SSLError, ValueError) as fault:
        raise Misconfigured(
            "the pass type certificate and its key cannot be used for APNs: they must be PEM, unencrypted, "
            f"and belong together ({getattr(fault, 'reason', None) or fault})"
        ) from fault
    finally:
        Path(name).unlink()


class ProviderToken:
    """A sign-in token from a .p8 key, minted when needed. May be shared by clients of one team."""

    def __init__(
        self, key_pem: bytes, *, key_id: str, team_identifier: str, clock: Callable[[], float] = time.time
    ) -> None:
        """``key_pem`` is the content of the .p8 file, ``clock`` gives seconds since 1970."""
        try:
            key = load_pem_private_key(key_pem, password=None)
        except (ValueError, TypeError) as fault:
            raise Misconfigured(f"the APNs sign-in key (.p8) cannot be read: {fault}") from fault
        if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
            raise Misconfigured("the APNs sign-in key (.p8) must be an elliptic curve key on P-256")
        self._key, self._key_id, self._team, self._clock = key, key_id, team_identifier, clock
        self._value = ""
        self._minted_at = 0.0
        self._by_refusal = False  # the current token replaced one that APNs called expired

    def value(self) -> str:
        """The ``authorization`` header, renewed where it is older than 40 minutes."""
        if not self._value or not 0 <= self._clock() - self._minted_at < RENEW_AFTER:
            self._mint()
            self._by_refusal = False
        return self._value

    def expired(self, value: str) -> bool:
        """APNs called ``value`` expired. True where another is at hand and the push is worth sending again.

        Renews at most once in 20 minutes for that reason: Apple refuses those who renew more often.
        """
        if value != self._value:
            return True
        if self._by_refusal and self._clock() - self._minted_at < RENEW_NOT_BEFORE:
            return False
        self._mint()
        self._by_refusal = True
        return self._value != value

    def _mint(self) -> None:
        self._minted_at = self._clock()
        claims = {"iss": self._team, "iat": int(self._minted_at)}
        self._value = "bearer " + jwt.encode(
            claims, self._key, algorithm="ES256", headers={"kid": self._key_id}
        )
