"""Secrets that lie in the database and can be read only with the installation's pass key.

AES-256-GCM (NIST SP 800-38D) with a random nonce of 96 bits, under a key that HKDF-SHA256 (RFC 5869) derives
from the pass key. What a secret is about is authenticated with it: a row's secret opens in no other row.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass, field
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.errors import Misconfigured

_PURPOSE: Final = b"perkpass sealed secrets 1"
_NONCE: Final = 12  # bytes
_FORM: Final = "1:"  # so that another form can be told from this one


@dataclass(frozen=True, slots=True)
class Safe:
    """What opens and closes sealed secrets, and whom a sandbox trusts beside Apple. Safe to share."""

    _cipher: AESGCM = field(repr=False)
    authorities: tuple[x509.Certificate, ...] = ()

    @classmethod
    def of(cls, pass_key: bytes, *, authorities: tuple[x509.Certificate, ...] = ()) -> Safe:
        """A safe whose key is derived from the pass key (and leads to no other use of it)."""
        key = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(pass_key)
        return cls(AESGCM(key), authorities)

    def seal(self, secret: bytes, *, about: str) -> str:
        """The secret as text that tells nothing; ``about`` must be said again to open it."""
        nonce = os.urandom(_NONCE)
        return _FORM + b64encode(nonce + self._cipher.encrypt(nonce, secret, about.encode())).decode()

    def open(self, sealed: str, *, about: str) -> bytes:
        """The secret; raises Misconfigured where it was sealed with another key, or for something else."""
        try:
            if not sealed.startswith(_FORM):
                raise ValueError(sealed[:2])
            raw = b64decode(sealed.removeprefix(_FORM), validate=True)
            return self._cipher.decrypt(raw[:_NONCE], raw[_NONCE:], about.encode())
        except (InvalidTag, NotBase64, ValueError):
            raise Misconfigured(
                f"{about}: the key in the database was sealed with another pass key, or is damaged: bring"
                " back the pass key that it was sealed with (perkpass doctor), or upload the certificate anew"
            ) from None
