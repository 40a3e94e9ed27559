"""What a file holds that somebody uploaded as a certificate: .p12, PEM, .cer, or something else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key, pkcs7
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from app.errors import BadInput
from app.sentences import Sentence, say

LARGEST: Final = 64 * 1024
"""Bytes. A .p12 with its whole chain has some 6,000."""
LONGEST_PASSWORD: Final = 1024

_OLD_ENCRYPTION: Final = bytes.fromhex("060a2a864886f70d010c01")  # 1.2.840.113549.1.12.1: RC2, RC4, 3DES
_PKCS12: Final = (bytes.fromhex("020103"), bytes.fromhex("06092a864886f70d0107"))  # version 3, then PKCS#7
_REENCRYPT: Final = (
    "openssl pkcs12 -legacy -in old.p12 -nodes -out both.pem && openssl pkcs12 -export -in both.pem -out"
    " new.p12 && rm both.pem"
)


class CertificateRefused(BadInput):
    """What was uploaded cannot sign cards; ``sentences`` name every fault, each with its fix."""

    def __init__(self, code: str, *sentences: Sentence, field: str = "certificate") -> None:
        """``field`` is ``certificate``, ``password``, ``key`` or ``intermediate``."""
        super().__init__(code, " ".join(sentences), field=field)
        self.sentences = sentences


@dataclass(slots=True)
class Found:
    """Everything that was found in what was uploaded together."""

    certificates: list[x509.Certificate] = field(default_factory=list)
    keys: list[object] = field(default_factory=list)


def read(data: bytes, password: str | None, *, what: str = "certificate") -> Found:
    """Certificates and keys of one file; raises CertificateRefused. ``what`` is the field that it came by."""
    if not data.strip():
        raise CertificateRefused("empty-file", say("The file is empty: choose it again."), field=what)
    if len(data) > LARGEST:
        raise CertificateRefused(
            "too-large",
            say("The file is far too large for a certificate: choose the .p12 or .cer file."),
            field=what,
        )
    secret = _secret(password)
    if b"-----BEGIN" in data:
        return _pem(data, secret, what)
    if _looks_like_p12(data):
        return _p12(data, secret, what)
    return _der(data, secret, what)


def _secret(password: str | None) -> bytes | None:
    if not password:
        return None
    if "\0" in password or len(password) > LONGEST_PASSWORD:
        raise CertificateRefused(
            "wrong-password",
            say("No file has such a password: type the one that you gave when you exported it."),
            field="password",
        )
    return password.encode()


def _looks_like_p12(data: bytes) -> bool:
    head = data[:64]
    return data[:1] == b"\x30" and all(part in head for part in _PKCS12)


def _p12(data: bytes, secret: bytes | None, what: str) -> Found:
    try:
        held = load_pkcs12(data, secret)
    except UnsupportedAlgorithm:
        raise _old_encryption(what) from None
    except ValueError:
        if secret is None:
            raise CertificateRefused(
                "password-needed",
                say("The .p12 file is locked: type the password that you gave when you exported it."),
                field="password",
            ) from None
        sentences = [
            say(
                "The password does not open the .p12 file: type the one that you gave when you exported it"
                " from Keychain Access (not your Mac's own)."
            )
        ]
        if _OLD_ENCRYPTION in data:
            sentences.append(
                say(
                    "Where it is certainly right, encrypt the file anew in a terminal and upload new.p12:"
                    " %(command)s",
                    command=_REENCRYPT,
                )
            )
        raise CertificateRefused("wrong-password", *sentences, field="password") from None
    found = Found()
    if held.cert:
        found.certificates.append(held.cert.certificate)
    found.certificates += [each.certificate for each in held.additional_certs]
    if held.key is not None:
        found.keys.append(held.key)
    return found


def _old_encryption(what: str) -> CertificateRefused:
    return CertificateRefused(
        "old-encryption",
        say(
            "This server cannot read the old encryption of the file. Encrypt it anew in a terminal and upload"
            " new.p12: %(command)s",
            command=_REENCRYPT,
        ),
        field=what,
    )


def _pem(data: bytes, secret: bytes | None, what: str) -> Found:
    found = Found()
    for label, block in _blocks(data):
        if label in ("CERTIFICATE", "TRUSTED CERTIFICATE", "X509 CERTIFICATE"):
            try:
                found.certificates.append(x509.load_pem_x509_certificate(block))
            except ValueError:
                raise _damaged(what) from None
        elif label.endswith("PRIVATE KEY"):
            found.keys.append(_key(block, secret, what))
        elif label == "PKCS7":
            found.certificates += _pkcs7(block, what)
        elif label.endswith("CERTIFICATE REQUEST"):
            raise CertificateRefused(
                "a-request",
                say(
                    "This is the request that Apple is asked with, not Apple's answer: upload it at"
                    " developer.apple.com, and bring the .cer file from there."
                ),
                field=what,
            )
    if not found.certificates and not found.keys:
        raise _something_else(what)
    return found


def _blocks(data: bytes) -> list[tuple[str, bytes]]:
    """Label and text of each PEM block, in order; what stands between them is passed over."""
    blocks, at = [], 0
    while (begin := data.find(b"-----BEGIN ", at)) >= 0:
        closing = data.find(b"-----", begin + 11)
        label = data[begin + 11 : closing].decode("ascii", "replace") if closing > 0 else ""
        end_line = f"-----END {label}-----".encode("ascii", "replace")
        end = data.find(end_line, closing)
        if closing < 0 or end < 0 or len(label) > 40:
            break
        at = end + len(end_line)
        blocks.append((label, data[begin:at] + b"\n"))
    return blocks


def _der(data: bytes, secret: bytes | None, what: str) -> Found:
    try:
        return Found(certificates=[x509.load_der_x509_certificate(data)])
    except ValueError:
        pass
    for tried in dict.fromkeys((None, secret)):
        try:
            return Found(keys=[load_der_private_key(data, tried)])
        except TypeError:  # it is locked
            if secret is None:
                raise _locked_key() from None
        except (ValueError, UnsupportedAlgorithm):
            pass
    raise _something_else(what, data)


def _pkcs7(block: bytes, what: str) -> list[x509.Certificate]:
    try:
        return pkcs7.load_pem_pkcs7_certificates(block)
    except (ValueError, UnsupportedAlgorithm):
        raise _damaged(what) from None


def _key(block: bytes, secret: bytes | None, what: str) -> object:
    locked = b"ENCRYPTED" in block
    try:
        return load_pem_private_key(block, secret if locked else None)
    except TypeError:
        raise _locked_key() from None
    except UnsupportedAlgorithm:
        raise _old_encryption(what) from None
    except ValueError:
        if locked:
            raise CertificateRefused(
                "wrong-password",
                say("The password does not open the private key: type the one that it was locked with."),
                field="password",
            ) from None
        raise _damaged(what) from None


def _locked_key() -> CertificateRefused:
    return CertificateRefused(
        "password-needed",
        say("The private key is locked: type the password that it was locked with."),
        field="password",
    )


def _damaged(what: str) -> CertificateRefused:
    return CertificateRefused(
        "damaged-file",
        say("The file is damaged, a part of it cannot be read: export or download it again."),
        field=what,
    )


def _something_else(what: str, data: bytes = b"") -> CertificateRefused:
    if data[:4] == b"PK\x03\x04":
        said = say(
            "This is a ZIP archive or a finished card (.pkpass), not a certificate: unpack it, and choose the"
            " .p12 or .cer file."
        )
    else:
        said = say(
            "This is not a certificate: choose the .p12 file that Keychain Access exported, or the .cer file"
            " that Apple gave."
        )
    return CertificateRefused("not-a-certificate", said, field=what)
