"""A pass certificate as somebody brings it: taken with its key and its chain, or refused with what to do.

Apple's tools and iOS answer a mismatch, a wrong intermediate, a missing one and an expired certificate with
one and the same sentence; here each fault has its own, in the order in which one would put them right.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from app.db.identifiers import PassTypeIdentifier
from app.passes import apple_chain
from app.passes.apple_chain import WWDR_URL
from app.passes.certificate_files import CertificateRefused, Found, read
from app.passes.certificate_kinds import common_name, is_authority, wrong_kind
from app.sentences import Sentence, say

FEWEST_BITS: Final = 2048
"""Apple, "Create a certificate signing request": 2048 bits, RSA."""
MOST_BITS: Final = 4096
"""A signature with more takes over 20 ms of a core, for every card that a phone fetches."""

_PASS_TYPE = re.compile(r"pass\.[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_TEAM = re.compile(r"[A-Z0-9]{10}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenCertificate:
    """A certificate that can sign cards, with its key and the intermediate that issued it; all checked."""

    pass_type_identifier: PassTypeIdentifier
    team_identifier: str
    organization: str  # whose it is, as Apple knows it: guests may see this name since iOS 27
    expires_at: datetime  # aware, UTC: of whichever of both certificates ends first
    fingerprint: str  # SHA-256 of the certificate, hexadecimal
    certificate: x509.Certificate = field(repr=False)
    intermediate: x509.Certificate = field(repr=False)
    key: RSAPrivateKey = field(repr=False)


def take(
    data: bytes,
    password: str | None,
    *,
    key: bytes | None = None,
    intermediate: bytes | None = None,
    waiting: Sequence[RSAPrivateKey] = (),
    authorities: Sequence[x509.Certificate] = (),
    now: datetime,
) -> TakenCertificate:
    """Take what Keychain Access exported (.p12), or PEM, or Apple's .cer with its ``key``.

    ``key`` is a private key's file of its own, ``intermediate`` a WWDR certificate that this version does not
    know; ``waiting`` are keys that were made here for a request to Apple, ``authorities`` stand beside
    Apple's root (a sandbox's). Raises :class:`CertificateRefused`, whose ``sentences`` name faults and fixes.
    """
    found = read(data, password)
    if key:
        found.keys += read(key, password, what="key").keys or _no_key_in_key_file()
    chain = [each for each in found.certificates if is_authority(each)]
    if intermediate:
        chain += read(intermediate, None, what="intermediate").certificates
    leaf = _leaf(found)
    own = _key_of(leaf, found, waiting)
    _refuse(
        ("no-pass-type", _identity_faults(leaf)),
        ("wrong-time", _time_faults(leaf, now)),
    )
    issuer = _issuer(leaf, chain, authorities, now)
    return TakenCertificate(
        pass_type_identifier=PassTypeIdentifier(_subject(leaf, NameOID.USER_ID)),
        team_identifier=_subject(leaf, NameOID.ORGANIZATIONAL_UNIT_NAME),
        organization=_subject(leaf, NameOID.ORGANIZATION_NAME),
        expires_at=min(leaf.not_valid_after_utc, issuer.not_valid_after_utc),
        fingerprint=leaf.fingerprint(hashes.SHA256()).hex(),
        certificate=leaf,
        intermediate=issuer,
        key=own,
    )


def public_key_of(holder: x509.Certificate | RSAPrivateKey) -> bytes:
    """The public key in DER: equal for a certificate and the key that it was made for."""
    public = holder.public_key()
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _refuse(*faults: tuple[str, list[Sentence]]) -> None:
    told = [(code, sentence) for code, sentences in faults for sentence in sentences]
    if told:
        raise CertificateRefused(told[0][0], *(sentence for _, sentence in told))


def _no_key_in_key_file() -> list[object]:
    raise CertificateRefused(
        "no-key",
        say("This file holds no private key: it begins with -----BEGIN PRIVATE KEY."),
        field="key",
    )


def _leaf(found: Found) -> x509.Certificate:
    """The pass certificate among those that came; others are its chain, or a whole keychain's."""
    if not found.certificates:
        raise CertificateRefused(
            "key-alone",
            say(
                "The file holds a private key and no certificate: in Keychain Access unfold the certificate,"
                " select both lines, then export; or upload Apple's .cer file and this one as its key."
            ),
        )
    kinds = [(each, wrong_kind(each)) for each in found.certificates]
    fit = [each for each, wrong in kinds if wrong is None]
    if not fit:
        raise CertificateRefused("wrong-kind", *(kinds[0][1] or ()))
    keys = {public_key_of(each) for each in found.keys if isinstance(each, RSAPrivateKey)}
    mine = [each for each in fit if public_key_of(each) in keys]
    # A whole keychain may hold last year's as well: the newest is meant.
    return max(mine or fit, key=lambda each: each.not_valid_after_utc)


def _key_of(leaf: x509.Certificate, found: Found, waiting: Sequence[RSAPrivateKey]) -> RSAPrivateKey:
    if not found.keys and not waiting:
        raise _without_key(leaf)
    wanted = public_key_of(leaf)
    candidates = [each for each in (*found.keys, *waiting) if isinstance(each, RSAPrivateKey)]
    own = next((each for each in candidates if public_key_of(each) == wanted), None)
    if own is None:
        if not found.keys:
            raise _without_key(leaf)
        if not candidates or len(candidates) == len(waiting):
            raise CertificateRefused(
                "not-rsa",
                say(
                    "The private key is not an RSA key: make the certificate signing request with RSA, 2048"
                    " bits, and have Apple issue the certificate anew."
                ),
            )
        raise CertificateRefused(
            "key-of-another",
            say(
                "The private key belongs to another certificate: take the one that made the request to Apple,"
                " or export both lines together from Keychain Access."
            ),
        )
    if not FEWEST_BITS <= own.key_size <= MOST_BITS:
        raise CertificateRefused(
            "key-size",
            say(
                "The key has %(bits)s bits, and Apple wants 2048: make a new certificate signing request with"
                " RSA, 2048 bits.",
                bits=own.key_size,
            ),
        )
    return own


def _without_key(leaf: x509.Certificate) -> CertificateRefused:
    return CertificateRefused(
        "no-key",
        say(
            "The certificate of %(name)s came without its private key. On the Mac that made the request:"
            " Keychain Access, My Certificates, unfold it, select both lines, export as .p12. Or upload the"
            " key's file beside it.",
            name=_subject(leaf, NameOID.USER_ID) or common_name(leaf) or "?",
        ),
        field="key",
    )


def _subject(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str:
    found = certificate.subject.get_attributes_for_oid(oid)
    return str(found[0].value) if found else ""


def _identity_faults(leaf: x509.Certificate) -> list[Sentence]:
    """Wallet takes a pass only where UID and OU of the subject are the pass's own two identifiers."""
    faults = []
    if not _PASS_TYPE.fullmatch(_subject(leaf, NameOID.USER_ID)):
        faults.append(
            say(
                "The certificate does not say its pass type identifier (subject UID): have Apple issue it"
                " anew for an identifier that begins with pass."
            )
        )
    if not _TEAM.fullmatch(_subject(leaf, NameOID.ORGANIZATIONAL_UNIT_NAME)):
        faults.append(
            say(
                "The certificate does not say its team (subject OU, ten letters and digits): have Apple issue"
                " it anew from your developer account."
            )
        )
    return faults


def _time_faults(leaf: x509.Certificate, now: datetime) -> list[Sentence]:
    if leaf.not_valid_after_utc <= now:
        return [
            say(
                "The certificate expired on %(date)s: renew it at developer.apple.com under Identifiers, Pass"
                " Type IDs, and upload the new one. Cards in phones stay valid.",
                date=f"{leaf.not_valid_after_utc:%Y-%m-%d}",
            )
        ]
    if leaf.not_valid_before_utc > now:
        return [
            say(
                "The certificate is valid from %(date)s UTC on only: the clock of this server is wrong, set"
                " it.",
                date=f"{leaf.not_valid_before_utc:%Y-%m-%d %H:%M}",
            )
        ]
    return []


def _issuer(
    leaf: x509.Certificate,
    brought: Sequence[x509.Certificate],
    authorities: Sequence[x509.Certificate],
    now: datetime,
) -> x509.Certificate:
    """The intermediate that issued it; not "is it G4": the next generation will come."""
    issuer = apple_chain.issuer_among(leaf, (*brought, *apple_chain.known_intermediates(), *authorities))
    if issuer is None:
        raise CertificateRefused(
            "unknown-intermediate",
            say(
                "It was issued by a WWDR intermediate that is not known here (%(generation)s): fetch that one"
                " from %(url)s and upload it beside the certificate.",
                generation=apple_chain.generation(leaf) or leaf.issuer.rfc4514_string() or "?",
                url=WWDR_URL,
            ),
            field="intermediate",
        )
    if issuer in authorities or not apple_chain.is_under_apple(issuer, authorities=authorities):
        raise CertificateRefused(
            "not-apple",
            say(
                "The certificate was not issued by Apple, and iPhones refuse cards that it signs: bring the"
                " one that developer.apple.com gave."
            ),
        )
    if issuer.not_valid_after_utc <= now:
        raise CertificateRefused(
            "intermediate-expired",
            say(
                "Apple's intermediate certificate (%(generation)s) expired on %(date)s: have Apple issue your"
                " certificate anew, and fetch the intermediate from %(url)s.",
                generation=apple_chain.generation(leaf) or "WWDR",
                date=f"{issuer.not_valid_after_utc:%Y-%m-%d}",
                url=WWDR_URL,
            ),
            field="intermediate",
        )
    return issuer
