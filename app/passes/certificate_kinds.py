"""What a certificate is for, where it is not a pass certificate: Apple issues many that look alike in a
folder.

Apple names the kind at the beginning of the common name (Apple, "Certificate types"); a pass certificate
carries the pass type identifier as subject UID and in the extension 1.2.840.113635.100.6.1.16.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.x509.oid import NameOID

from app.sentences import Sentence, say

_OF_A_PASS_TYPE = x509.ObjectIdentifier("1.2.840.113635.100.6.1.16")
_MAKE_ONE = say(
    "Make a Pass Type ID Certificate: developer.apple.com, Certificates, Identifiers & Profiles, Identifiers,"
    " Pass Type IDs, your identifier, Create Certificate."
)
_KINDS: tuple[tuple[tuple[str, ...], Sentence], ...] = (
    (
        (
            "Apple Push Services:",
            "Apple Sandbox Push Services:",
            "Apple Development IOS Push Services:",
            "Apple Production IOS Push Services:",
            "VoIP Services:",
        ),
        say("This is a push certificate of an app (APNs), not of a pass."),
    ),
    (
        ("Apple Development:", "iPhone Developer:", "Mac Developer:"),
        say("This is a developer's certificate, which signs apps while they are made, and no passes."),
    ),
    (
        (
            "Apple Distribution:",
            "iPhone Distribution:",
            "Mac App Distribution:",
            "3rd Party Mac Developer",
            "Developer ID",
        ),
        say("This is a distribution certificate, which signs apps, and no passes."),
    ),
    (("Website Push ID:",), say("This is a certificate for Safari's website notifications, not of a pass.")),
    (("Merchant ID:", "Apple Pay"), say("This is an Apple Pay certificate, not of a pass.")),
    (("Order Type ID:",), say("This is a certificate for orders in Wallet, not of a pass.")),
)


def common_name(certificate: x509.Certificate) -> str:
    """The subject's common name, or nothing."""
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether it issues other certificates, as Apple's intermediate and root do."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False


def wrong_kind(certificate: x509.Certificate) -> tuple[Sentence, Sentence] | None:
    """What it is instead of a pass certificate, and what to do; None where it may be one."""
    name = common_name(certificate)
    if is_authority(certificate):
        return (
            say("This is %(name)s: Apple's own certificate, which issues yours.", name=name or "?"),
            say("Choose the certificate that Apple made for your pass type identifier."),
        )
    for beginnings, what in _KINDS:
        if name.startswith(beginnings):
            return what, _MAKE_ONE
    uids = [str(each.value) for each in certificate.subject.get_attributes_for_oid(NameOID.USER_ID)]
    if any(uid.startswith("pass.") for uid in uids) or _says_pass_type(certificate):
        return None
    if uids:
        return (
            say(
                "This certificate is for %(identifier)s, and not for a pass type identifier.",
                identifier=uids[0],
            ),
            _MAKE_ONE,
        )
    if name.startswith("Pass Type ID"):
        return None
    return say("This certificate (%(name)s) is not Apple's for passes.", name=name or "?"), _MAKE_ONE


def _says_pass_type(certificate: x509.Certificate) -> bool:
    try:
        return bool(certificate.extensions.get_extension_for_oid(_OF_A_PASS_TYPE))
    except (x509.ExtensionNotFound, ValueError):
        return False
