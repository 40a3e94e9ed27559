"""The key of a Google service account: read once, checked whole, every fault with its fix.

The file is what the Google Cloud console gives out under IAM, Service accounts, Keys, as JSON. Google answers
a wrong one with ``invalid_grant`` whatever is wrong with it, so that everything is looked at here.
"""

from __future__ import annotations

import json
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from app.errors import Misconfigured

_MAIL: Final = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,190}")
_LARGEST: Final = 64 * 1024
_LEAST_BITS: Final = 2048
_WHERE: Final = "Google Cloud console, IAM & Admin, Service accounts, Keys, Add key, JSON"
_UNIVERSE: Final = "googleapis.com"


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """Who speaks to Google for an issuer; the key is in no ``repr``."""

    email: str
    key_id: str
    project_id: str | None
    private_key: RSAPrivateKey = field(repr=False)


def load(reference: str) -> ServiceAccount:
    """Read ``file:PATH`` or ``env:NAME`` (a variable that holds the JSON).

    Raises :class:`Misconfigured` with one line for every fault.
    """
    scheme, _, place = reference.partition(":")
    if scheme == "file" and place:
        return parse(_read(Path(place)), source=place)
    if scheme == "env" and place:
        text = os.environ.get(place)
        if not text:
            raise Misconfigured(f"{place}: is not set; it must hold the JSON of a service account ({_WHERE})")
        return parse(text, source=place)
    raise Misconfigured(
        f"Google credentials {reference!r}: write file:PATH of a service account's JSON, or env:NAME of a"
        " variable that holds it"
    )


def parse(text: str | bytes, *, source: str) -> ServiceAccount:
    """The account in the JSON ``text``; ``source`` names it in messages.

    Raises :class:`Misconfigured` with one line for every fault, and none with anything of the key.
    """
    if len(text) > _LARGEST:
        raise Misconfigured(f"{source}: is larger than any service account's JSON: take the file of {_WHERE}")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise Misconfigured(f"{source}: is not JSON; take the file as it was downloaded ({_WHERE})") from None
    if not isinstance(document, dict):
        raise Misconfigured(f"{source}: is not a service account's JSON; take the file of {_WHERE}")
    if document.get("type") != "service_account":
        raise Misconfigured(f"{source}: {_other_kind(document)}; make a key of a service account ({_WHERE})")
    faults: list[str] = []
    email = _text(document, "client_email")
    if not email or not _MAIL.fullmatch(email):
        faults.append(f"client_email is missing or no address; download the key again ({_WHERE})")
    key_id = _text(document, "private_key_id")
    if not key_id or not re.fullmatch(r"[!-~]{1,200}", key_id):
        faults.append(f"private_key_id is missing; download the key again ({_WHERE})")
    if (universe := document.get("universe_domain", _UNIVERSE)) != _UNIVERSE:
        faults.append(f"universe_domain is {universe!r}; Google Wallet knows {_UNIVERSE} only")
    key = _key(_text(document, "private_key"), faults)
    if faults or not (email and key_id and key):
        raise Misconfigured(*(f"{source}: {fault}" for fault in faults))
    return ServiceAccount(
        email=email, key_id=key_id, project_id=_text(document, "project_id"), private_key=key
    )


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
            raise Misconfigured(
                f"{path}: it holds a private key, and everybody here may read or write it: chmod 640 {path}"
            )
        with path.open("rb") as file:
            return file.read(_LARGEST + 1)
    except OSError as fault:
        raise Misconfigured(f"{path}: cannot be read: {fault.strerror}") from None


def _text(document: dict[str, Any], name: str) -> str | None:
    value = document.get(name)
    return value if isinstance(value, str) and value else None


def _other_kind(document: dict[str, Any]) -> str:
    """What it is instead: people take the wrong download of four."""
    if "installed" in document or "web" in document:
        return "is the JSON of an OAuth client"
    if document.get("type") == "authorized_user":
        return "holds a person's own sign-in (gcloud auth application-default login)"
    if document.get("type") == "external_account":
        return "describes a workload identity federation, which cannot sign save links"
    return 'is no service account\'s JSON: its "type" is not "service_account"'


def _key(pem: str | None, faults: list[str]) -> RSAPrivateKey | None:
    if not pem:
        faults.append(f"private_key is missing; download the key again ({_WHERE})")
        return None
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # TypeError: it wants a password
        hint = r"; its line ends must be \n within the JSON" if "\\n" in pem else ""
        faults.append(f"private_key is no readable PEM key; download the key again ({_WHERE}){hint}")
        return None
    if not isinstance(key, RSAPrivateKey):
        faults.append("private_key is not an RSA key; Google signs save links with RS256 only")
        return None
    if key.key_size < _LEAST_BITS:
        faults.append(f"private_key has {key.key_size} bits; Google's own have {_LEAST_BITS}")
        return None
    return key
