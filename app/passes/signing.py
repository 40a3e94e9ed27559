"""A brand's signer: its certificate and key, loaded and checked once, and when they run out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.db.identifiers import PassTypeIdentifier
from app.passes.cms import DetachedSigner
from app.passes.credentials import Credentials, load_credentials
from app.sentences import Sentence, say

WARNING_DAYS = (60, 30, 7, 1)
"""How long before the end the operator is told, again and more urgently."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Signs manifests for one pass type identifier; safe to share between threads."""

    pass_type_identifier: PassTypeIdentifier
    team_identifier: str
    certificate_pem: bytes
    key_pem: bytes = field(repr=False)  # not encrypted: for the TLS client, in memory only
    expires_at: datetime  # aware, UTC
    wwdr_expires_at: datetime  # aware, UTC
    _detached: DetachedSigner = field(repr=False)

    def sign(self, manifest: bytes, *, signing_time: datetime) -> bytes:
        """The ``signature`` file for this ``manifest.json``: detached PKCS#7 in DER, SHA-256."""
        return self._detached.sign(manifest, signing_time=signing_time)


def load_signer(reference: str, *, pass_type_identifier: str, team_identifier: str, now: datetime) -> Signer:
    """Load the certificate that a brand's ``credentials`` refer to, once per process.

    ``reference`` is ``file:DIRECTORY`` (certificate.pem and key.pem, or certificate.p12; wwdr.pem; the key's
    password, if any, in password.txt) or ``env:PREFIX`` (PREFIX_CERTIFICATE, PREFIX_KEY,
    PREFIX_KEY_PASSWORD, PREFIX_WWDR, in PEM). Takes some 30 ms and holds the interpreter meanwhile.
    Raises :class:`app.errors.Misconfigured` with one line for every fault.
    """
    credentials = load_credentials(
        reference, pass_type_identifier=pass_type_identifier, team_identifier=team_identifier, now=now
    )
    return signer_from(
        credentials, pass_type_identifier=pass_type_identifier, team_identifier=team_identifier
    )


def signer_from(credentials: Credentials, *, pass_type_identifier: str, team_identifier: str) -> Signer:
    """A signer of credentials that are checked already."""
    return Signer(
        pass_type_identifier=PassTypeIdentifier(pass_type_identifier),
        team_identifier=team_identifier,
        certificate_pem=credentials.certificate.public_bytes(Encoding.PEM),
        key_pem=credentials.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        expires_at=credentials.certificate.not_valid_after_utc,
        wwdr_expires_at=credentials.intermediate.not_valid_after_utc,
        _detached=DetachedSigner(credentials.key, credentials.certificate, credentials.intermediate),
    )


def expiry_warning(signer: Signer, now: datetime) -> Sentence | None:
    """What to tell the operator from 60 days before the first of both certificates runs out; else None."""
    what, ends = min(
        (
            (say("The pass certificate of"), signer.expires_at),
            (say("Apple's WWDR intermediate of"), signer.wwdr_expires_at),
        ),
        key=lambda pair: pair[1],
    )
    values = {"what": what, "identifier": signer.pass_type_identifier, "date": f"{ends:%Y-%m-%d}"}
    left = ends - now
    if left <= timedelta(0):
        return say(
            "%(what)s %(identifier)s expired on %(date)s: no card can be issued or updated, and no push can"
            " be sent. Replace it; nothing needs to be restarted.",
            **values,
        )
    if left > timedelta(days=WARNING_DAYS[0]):
        return None
    return say(
        "%(what)s %(identifier)s expires on %(date)s, in %(days)s days. Replace it before: after that no card"
        " can be issued or updated, and no push can be sent.",
        days=left.days,
        **values,
    )


def expiry_stage(signer: Signer, now: datetime) -> int | None:
    """Which of :data:`WARNING_DAYS` has been reached (0 when expired, None before the first).

    A log warns when this changes, and so once per stage.
    """
    left = min(signer.expires_at, signer.wwdr_expires_at) - now
    if left <= timedelta(0):
        return 0
    return min((days for days in WARNING_DAYS if left <= timedelta(days=days)), default=None)
