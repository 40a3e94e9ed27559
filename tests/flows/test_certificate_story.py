"""A certificate is replaced while guests come and pay: by the console, without a restart, without a pause."""

from __future__ import annotations

import asyncio
import re
from contextlib import closing
from html import unescape

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

from app.simulators.guest_browser import Guest
from app.simulators.phone import Card, Phone
from app.simulators.pkpass_signature import verify
from tests.flows.conftest import Phones
from tests.flows.installation import TEAM, Installation, yesterday
from tests.flows.test_stories import Tell, eventually, now_on, ring_up

BRAND, TYPE = "zerno", "pass.com.example.zerno"
PAGE = f"/console/{BRAND}/certificate"


def _p12(installation: Installation) -> tuple[bytes, bytes]:
    """A renewed certificate as Keychain Access exports it, and its certificate in DER."""
    folder = installation.authority.pass_credentials(
        installation.directory / "renewed",
        pass_type_identifier=TYPE,
        team_identifier=TEAM,
        organization="Zerno",
    )
    certificate = x509.load_pem_x509_certificate((folder / "certificate.pem").read_bytes())
    wwdr = x509.load_pem_x509_certificate((folder / "wwdr.pem").read_bytes())
    key = load_pem_private_key((folder / "key.pem").read_bytes(), None)
    locked = BestAvailableEncryption(b"geheim")
    data = serialize_key_and_certificates(b"zerno", key, certificate, [wwdr], locked)  # type: ignore[arg-type]
    return data, certificate.fingerprint(SHA256())


def _token(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, page
    return unescape(found[1])


def _owner(installation: Installation) -> httpx.Client:
    """Signed in as whoever took up an invitation from the command line."""
    invited = installation.perkpass("user", "invite", "--brand", BRAND, "--role", "owner", "--json")
    address = re.search(r'"(http[^"]+/invited/[^"]+)"', invited.stdout)
    assert address, invited.stdout
    client = httpx.Client(base_url=installation.url, timeout=30)
    shown = client.get(address[1])
    fields = {"name": "Olga", "email": "olga@example.com", "password": "eleven blue herons"}
    answer = client.post(address[1], data={"csrf_token": _token(shown.text), **fields})
    assert answer.status_code == 303, answer.text
    return client


def _signed_by(phone: Phone, card: Card, installation: Installation) -> bytes:
    """Fingerprint of the certificate that signed the card as the phone has it."""
    root = x509.load_pem_x509_certificate(installation.authority.root.read_bytes())
    files = now_on(phone, card).wallet_pass.files
    found = verify(files["signature"], files["manifest.json"], root=root, now=yesterday())
    return found.certificate.fingerprint(SHA256())


def test_a_certificate_is_renewed_by_the_console_while_the_service_runs(
    installation: Installation, tell: Tell
) -> None:
    p12, renewed = _p12(installation)

    async def story(phones: Phones) -> None:
        phone = await phones.new()
        link = next(str(one["url"]) for one in installation.links(BRAND) if one["venue"] == "rubinshteina")
        card = await phone.install_from_page(link, Guest(name="Мария"))
        await phone.settle()
        assert _signed_by(phone, card, installation) != renewed
        with closing(_owner(installation)) as client:
            page = client.get(PAGE)
            sent = client.post(
                PAGE,
                data={"csrf_token": _token(page.text), "password": "geheim"},
                files={"certificate": ("renewed.p12", p12)},
            )
            assert sent.status_code == 303, sent.text
            assert renewed.hex()[:16] in client.get(PAGE).text
        # Who comes now is served at once, and within some seconds with the new one, by every process.
        another = await phones.new("another")
        taken = await another.install_from_page(link, Guest(name="Пётр"))
        await another.settle()
        assert taken.registered

        async def next_version() -> None:
            before = now_on(phone, card).wallet_pass.manifest_hash
            await ring_up(installation, card, 100_00, venue="rubinshteina", till="bar")
            await eventually(lambda: now_on(phone, card).wallet_pass.manifest_hash != before, "a new version")

        for _ in range(40):
            await next_version()
            if _signed_by(phone, card, installation) == renewed:
                break
            await asyncio.sleep(0.5)
        assert _signed_by(phone, card, installation) == renewed
        assert phone.log_lines == []

    tell(story)
