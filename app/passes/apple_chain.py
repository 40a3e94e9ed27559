"""Apple's part of the chain: the root that iPhones trust, and the intermediate that issues pass certificates.

Apple publishes both at https://www.apple.com/certificateauthority/. They are public and hold no secret. The
fingerprints (SHA-256) are those that Apple states there for the root, and that
``reference/apple.md`` names by serial number for the WWDR intermediate, generation 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import NameOID

WWDR_URL = "https://www.apple.com/certificateauthority/"
_DIRECTORY = Path(__file__).parent / "authorities"


@cache
def apple_roots() -> tuple[x509.Certificate, ...]:
    """The roots under which Apple has ever issued pass certificates."""
    return (x509.load_pem_x509_certificate((_DIRECTORY / "AppleRootCA.pem").read_bytes()),)


@cache
def known_intermediates() -> tuple[x509.Certificate, ...]:
    """The generations of the WWDR intermediate that come with this version."""
    return (x509.load_pem_x509_certificate((_DIRECTORY / "AppleWWDRCAG4.pem").read_bytes()),)


def issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether ``issuer`` issued it: the names fit and the signature is the issuer's."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def issuer_among(
    certificate: x509.Certificate, candidates: Sequence[x509.Certificate]
) -> x509.Certificate | None:
    """The first of the candidates that issued the certificate."""
    return next((candidate for candidate in candidates if issued(certificate, candidate)), None)


def is_under_apple(intermediate: x509.Certificate, *, authorities: Sequence[x509.Certificate] = ()) -> bool:
    """Whether iPhones trust what this intermediate issues; a sandbox names ``authorities`` of its own."""
    return issuer_among(intermediate, (*apple_roots(), *authorities)) is not None


def generation(certificate: x509.Certificate) -> str:
    """Which generation of the intermediate issued this certificate ("G4"), as far as it says so."""
    found = certificate.issuer.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    return str(found[0].value) if found else ""
