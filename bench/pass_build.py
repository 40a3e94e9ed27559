"""How much of the machine's RSA rate building a pass keeps.

    python -m bench.pass_build [--rounds 60] [--seconds 0.05]

One thread on one core, warm, in short interleaved rounds.
Every contestant makes the default card in two languages from content to signed bytes: two messages and three
venues, and once more the fullest card, five messages and ten venues, by us alone. Every one is verified with
openssl. Nothing is linted and no database is asked.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import resource
import statistics
import subprocess
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder
from wallet.models import Barcode, BarcodeFormat, Location, NumberField, Pass, StoreCard

from app.db.identifiers import CardCode, DesignId, PassTypeIdentifier, ProgrammeId, SerialNumber
from app.passes import bundle, content, layout, signing, template
from app.simulators.authority import Authority

TEMPLATE = Path(__file__).parent.parent / "pass_templates" / "tiered_card"
NOW = datetime.now(UTC)
PASS_TYPE, TEAM = PassTypeIdentifier("pass.com.example.bench"), "A1B2C3D4E5"
SERVICE = "https://cards.example.com/passkit"
BAR = 0.85


def both(ru: str, en: str) -> content.LocalizedText:
    return content.LocalizedText(ru, en)


def guest(messages: int, venues: int) -> content.PassContent:
    return content.PassContent(
        language="ru",
        card_code=CardCode("K7Q2M9XA"),
        member_name="Алёна Журавлёва",
        balance=125_050,
        tier=both("Золотой", "Gold"),
        stamps=3,
        messages=tuple(
            content.Message(both(f"Начислено {n},5 балла", f"{n}.5 points added"), NOW, f"receipt:{n}")
            for n in range(messages)
        ),
        locations=tuple(
            content.Location(59.93 + n / 100, 30.33, both(f"Мы рядом: дом {n}", f"We are near: house {n}"))
            for n in range(venues)
        ),
    )


USUAL, FULLEST = guest(messages=2, venues=3), guest(messages=5, venues=10)
IDENTITY = content.PassIdentity(PASS_TYPE, SerialNumber("c7f1a9"), "0123456789abcdef0123456789abcdef")


def design() -> layout.Design:
    folder, findings = template.read_template(TEMPLATE)
    assert not findings
    values = layout.BrandValues(
        organization_name="Берёзка",
        description=both("Карта гостя", "Loyalty card"),
        pass_type_identifier=PASS_TYPE,
        team_identifier=TEAM,
        time_zone="Europe/Moscow",
        logo_text=both("Берёзка", "Berezka"),
        texts={"rules": both("5 % с чека", "5 % of a receipt"), "support": both("Пишите нам", "Write to us")},
    )
    return layout.Design(
        id=DesignId(1),
        programme_id=ProgrammeId(1),
        version=1,
        template="tiered_card",
        layout=layout.merge(folder.document, folder.strings, values),
        files=folder.files,
        created_at=NOW,
    )


def perkpass(prepared: bundle.PreparedDesign, guest: content.PassContent) -> Callable[[int], bytes]:
    guests = [replace(guest, balance=balance) for balance in range(64)]
    return lambda n: bundle.build(guests[n % 64], IDENTITY, prepared, signing_time=NOW)


def plain_python(files: dict[str, bytes], credentials: Path) -> Callable[[int], bytes]:
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


def wallet_py3k(files: dict[str, bytes], credentials: Path) -> Callable[[int], bytes]:
    """The ``passbook`` builder: a process of openssl for every pass."""
    others = {name: data for name, data in files.items() if name.endswith((".png", ".strings"))}

    def make(n: int) -> bytes:
        face = StoreCard()
        face.addHeaderField("tier", "Золотой", "Tier")
        face.primaryFields.append(NumberField("balance", n / 100, "Points"))
        face.addSecondaryField("member_name", USUAL.member_name, "Guest")
        face.addBackField("latest_message", USUAL.messages[0].text.ru, "News")
        card = Pass(face, passTypeIdentifier=PASS_TYPE, organizationName="Берёзка", teamIdentifier=TEAM)
        card.serialNumber = IDENTITY.serial_number
        card.authenticationToken, card.webServiceURL = IDENTITY.authentication_token, SERVICE
        card.barcode = Barcode(USUAL.card_code, BarcodeFormat.QR, USUAL.card_code)
        card.locations = [Location(place.latitude, place.longitude) for place in USUAL.locations]
        for name, data in others.items():
            card.addFile(name, io.BytesIO(data))
        made: io.BytesIO = card.create(
            str(credentials / "certificate.pem"),
            str(credentials / "key.pem"),
            str(credentials / "wwdr.pem"),
            "none",
        )
        return made.getvalue()

    return make


def raw_rsa(credentials: Path) -> Callable[[int], bytes]:
    key = load_pem_private_key((credentials / "key.pem").read_bytes(), None)
    assert isinstance(key, RSAPrivateKey)
    padding, digest = PKCS1v15(), SHA256()
    return lambda n: key.sign(n.to_bytes(8, "big"), padding, digest)


def cpu() -> float:
    """Seconds of processor, children included: what a neighbour takes away does not count."""
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in usage)


def run(make: Callable[[int], bytes], seconds: float) -> float:
    """Operations per second of processor."""
    count, begun = 0, cpu()
    while (spent := cpu() - begun) < seconds:
        for _ in range(8):
            make(count)
            count += 1
    return count / spent


def fastest(rates: list[float]) -> float:
    return statistics.quantiles(rates, n=10)[-1]


def verify(made: bytes, root: Path, directory: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        archive.extractall(directory)
        for name, digest in json.loads(archive.read("manifest.json")).items():
            assert hashlib.sha1(archive.read(name)).hexdigest() == digest, name
    subprocess.run(
        ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-purpose", "any", "-CAfile", str(root),
         "-in", str(directory / "signature"), "-content", str(directory / "manifest.json"),
         "-out", "/dev/null"],
        check=True, capture_output=True,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=0.05, help="per contestant and round")
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        authority = Authority.create(place / "authority", now=NOW)
        credentials = authority.pass_credentials(
            place / "credentials", pass_type_identifier=PASS_TYPE, team_identifier=TEAM, organization="Bench"
        )
        signer = signing.load_signer(
            f"file:{credentials}", pass_type_identifier=PASS_TYPE, team_identifier=TEAM, now=NOW
        )
        prepared = bundle.prepare(design(), signer, web_service_url=SERVICE)
        sample = perkpass(prepared, USUAL)(125_050)
        with zipfile.ZipFile(io.BytesIO(sample)) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        contestants = {
            "raw RSA-2048 signature": raw_rsa(credentials),
            "perkpass build()": perkpass(prepared, USUAL),
            "perkpass build(), fullest card": perkpass(prepared, FULLEST),
            "PKCS7SignatureBuilder + zipfile": plain_python(files, credentials),
            "wallet-py3k": wallet_py3k(files, credentials),
        }
        for number, make in enumerate(list(contestants.values())[1:]):
            verify(make(1), authority.root, place / f"bundle{number}")
        rates: dict[str, list[float]] = {name: [] for name in contestants}
        for _ in range(arguments.rounds):
            for name, make in contestants.items():
                rates[name].append(run(make, arguments.seconds))
    print(f"one card: {len(sample):,} bytes, pass.json {len(files['pass.json']):,} bytes")
    print(f"{'':34}{'per CPU second':>15}{'CPU µs each':>13}{'of raw RSA':>12}")
    # A busy neighbour can only slow a round down, so the fastest tenth tells what a contestant can do.
    raw = fastest(rates["raw RSA-2048 signature"])
    for name, measured in rates.items():
        rate = fastest(measured)
        print(f"{name:34}{rate:>15,.0f}{1e6 / rate:>13,.0f}{rate / raw:>12.1%}")
    print(f"bar for perkpass build(): {BAR:.0%} of raw RSA")


if __name__ == "__main__":
    main()
