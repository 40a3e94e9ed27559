"""Looks at a brand's certificate: can it sign, until when, does Apple let us in with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from app import keyring
from app.accounts.brands import Brand
from app.apns import handshake
from app.db import Tx
from app.errors import PerkpassError
from app.examination.looks import Look
from app.examination.surroundings import open_to_others
from app.passes.brand_signers import load_for
from app.passes.sealing import Safe
from app.passes.signing import Signer, expiry_warning
from app.sentences import say
from app.settings import Settings

_SECRETS = ("key.pem", "certificate.p12", "password.txt")


def certificate(tx: Tx, brand: Brand, safe: Safe | None, now: datetime) -> tuple[list[Look], Signer | None]:
    """What is to be said of it, and its signer where it can sign."""
    subject = say("certificate of %(brand)s", brand=brand.slug)
    looks = [
        Look(say("files of %(brand)s", brand=brand.slug), "fault", wide, brand.slug)
        for wide in _open_files(brand)
    ]
    try:
        signer = load_for(tx, brand, safe=safe, now=now)
    except PerkpassError as wrong:
        return [Look(subject, "fault", "; ".join(str(wrong).splitlines()), brand.slug), *looks], None
    if warning := expiry_warning(signer, now):
        return [Look(subject, "warning", warning, brand.slug), *looks], signer
    words = say(
        "%(identifier)s, until %(date)s",
        identifier=brand.pass_type_identifier,
        date=f"{signer.expires_at:%Y-%m-%d}",
    )
    return [Look(subject, "ok", words, brand.slug), *looks], signer


def _open_files(brand: Brand) -> list[str]:
    kind, _, place = brand.credentials.partition(":")
    if kind != "file":
        return []
    return [wide for name in _SECRETS if (wide := open_to_others(Path(place) / name))]


def apple_lets_in(settings: Settings, signers: dict[str, Signer]) -> Iterator[Look]:
    """A handshake with APNs by each certificate, and not one push; ``signers`` by the slug of the brand."""
    for slug, signer in signers.items():
        subject = say("APNs for %(brand)s", brand=slug)
        fault = handshake.refused(
            settings.apns_url,
            ca=settings.apns_ca,
            certificate_pem=signer.certificate_pem,
            key_pem=signer.key_pem,
        )
        if fault is None:
            yield Look(subject, "ok", say("lets us in with the certificate"), slug)
        else:
            words = say(
                "%(fault)s. Pushes need %(url)s, port 443, past firewall and proxy",
                fault=fault,
                url=settings.apns_url,
            )
            yield Look(subject, "fault", words, slug)


def safe_of(settings: Settings, known: dict[str, str]) -> Safe | None:
    """What opens sealed keys, where the keys of the installation are in order."""
    if any(keyring.fault(settings, name, known) for name in keyring.NAMES):
        return None
    return keyring.safe(settings, keyring.present(settings))
