"""Builders of passes that others wrote, making the same card; those that are not installed are left out.

Two are dependencies of development. Of the rest of the Python Package Index some run where they are installed
by hand (``pip install --no-deps``), and :data:`ABSENT` says why they are no dependency.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder

from bench import card

Build = Callable[[int], bytes]
"""The pass of the guest with so many points, signed."""

ABSENT = (
    "Other builders of the Python Package Index. Measured where they are installed by hand, and no dependency"
    " of development: py-pkpass 1.0.2 (demands swig, which it does not use) and edutap-wallet-apple 1.0.0a5"
    " (an alpha that brings an HTTP client, YAML and mail validation). Not measured:"
    " applepassgenerator-reloaded 0.0.3 (demands a cryptography older than 38), wallet-pass 0.1.2 and"
    " passes-rs-py 4.0.2 (need Python 3.12), django-walletpass 5.0.1 (lives inside a Django project)."
)


def installed(files: dict[str, bytes], credentials: Path) -> Iterator[tuple[str, Build]]:
    """Every builder that can run here, by name; ``files`` are those of one finished pass."""
    yield "PKCS7SignatureBuilder + zipfile", plain_python(files, credentials)
    for name, builder in (
        ("wallet-py3k", wallet_py3k),
        ("py-pkpass", py_pkpass),
        ("edutap-wallet-apple", edutap_wallet_apple),
    ):
        try:
            make = builder(files, credentials)
        except ImportError:
            continue
        yield name, make


def plain_python(files: dict[str, bytes], credentials: Path) -> Build:
    """What the standard tools give: json, hashlib, cryptography's builder, zipfile; key loaded once."""
    document = json.loads(files["pass.json"])
    others = {
        name: data for name, data in files.items() if name not in ("pass.json", "manifest.json", "signature")
    }
    certificate, wwdr = (
        x509.load_pem_x509_certificate((credentials / f"{name}.pem").read_bytes())
        for name in ("certificate", "wwdr")
    )
    key = load_pem_private_key((credentials / "key.pem").read_bytes(), None)
    assert isinstance(key, RSAPrivateKey)

    def make(n: int) -> bytes:
        document["storeCard"]["primaryFields"][0]["value"] = n / 100
        made = others | {"pass.json": json.dumps(document, ensure_ascii=False).encode()}
        manifest = json.dumps({name: hashlib.sha1(data).hexdigest() for name, data in made.items()}).encode()
        signature = (
            PKCS7SignatureBuilder()
            .set_data(manifest)
            .add_signer(certificate, key, SHA256())
            .add_certificate(wwdr)
            .sign(Encoding.DER, [PKCS7Options.DetachedSignature, PKCS7Options.Binary])
        )
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for name, data in (made | {"manifest.json": manifest, "signature": signature}).items():
                archive.writestr(name, data)
        return out.getvalue()

    return make


def wallet_py3k(files: dict[str, bytes], credentials: Path) -> Build:
    """The ``passbook`` builder: a process of openssl for every pass."""
    return _passbook(import_module("wallet.models"), files, credentials, "none")


def py_pkpass(files: dict[str, bytes], credentials: Path) -> Build:
    """Its younger relative, which signs with cryptography and loads the key for every pass."""
    return _passbook(import_module("py_pkpass.models"), files, credentials, "")


def _passbook(models: Any, files: dict[str, bytes], credentials: Path, password: str) -> Build:
    others = _others(files)

    def make(n: int) -> bytes:
        face = models.StoreCard()
        face.addHeaderField("tier", "Золотой", "Tier")
        face.primaryFields.append(models.NumberField("balance", n / 100, "Points"))
        face.addSecondaryField("member_name", card.USUAL.member_name, "Guest")
        face.addBackField("latest_message", card.USUAL.messages[0].text.ru, "News")
        whole = models.Pass(
            face,
            passTypeIdentifier=card.PASS_TYPE,
            organizationName="Берёзка",
            teamIdentifier=card.TEAM,
        )
        whole.serialNumber = card.IDENTITY.serial_number
        whole.authenticationToken, whole.webServiceURL = card.IDENTITY.authentication_token, card.SERVICE
        code = card.USUAL.card_code
        whole.barcode = models.Barcode(code, models.BarcodeFormat.QR, code)
        whole.locations = [models.Location(at.latitude, at.longitude) for at in card.USUAL.locations]
        for name, data in others.items():
            whole.addFile(name, io.BytesIO(data))
        made: io.BytesIO = whole.create(
            *(str(credentials / f"{name}.pem") for name in ("certificate", "key", "wwdr")), password
        )
        return made.getvalue()

    return make


def edutap_wallet_apple(files: dict[str, bytes], credentials: Path) -> Build:
    """A pydantic model, checked for every pass; the key is loaded for every pass."""
    api = import_module("edutap.wallet_apple.api")
    document = json.loads(files["pass.json"])
    others = _others(files)
    key, certificate, wwdr = (
        (credentials / f"{name}.pem").read_bytes() for name in ("key", "certificate", "wwdr")
    )

    def make(n: int) -> bytes:
        document["storeCard"]["primaryFields"][0]["value"] = n / 100
        whole = api.new(data=document)
        for name, data in others.items():
            whole._add_file(name, io.BytesIO(data))
        whole.sign_direct(key, certificate, wwdr)
        made: io.BytesIO = whole.as_zip_bytesio()
        return made.getvalue()

    return make


def _others(files: dict[str, bytes]) -> dict[str, bytes]:
    """Images and strings."""
    return {name: data for name, data in files.items() if name.endswith((".png", ".strings"))}
