"""Uploaded certificates: sealed, used at once, replaced without a pause, refused where they do not fit."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from sqlalchemy import text

from app.accounts import audit, brands
from app.accounts.brands import Brand
from app.db import Database
from app.delivery import breaker
from app.errors import Conflict, Misconfigured
from app.passes import certificate_requests, stored_certificates
from app.passes.brand_signers import load_for
from app.passes.certificate_files import CertificateRefused
from app.passes.press import ASK_AGAIN, Press
from app.passes.sealing import Safe
from app.passes.stored_certificates import STORED
from tests.passes import card
from tests.passes.certificate_maker import PASS_KEY, TEAM, TYPE, Maker

NOW = card.NOW
TEXTS = {"programme": "Birch", "promise": "Every tenth coffee is ours."}


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    return Maker(tmp_path_factory.mktemp("maker"), NOW)


def _draft(slug: str = "birch", pass_type: str = TYPE) -> brands.BrandDraft:
    return brands.BrandDraft(
        slug=slug,
        name="Birch",
        texts={"ru": TEXTS, "en": TEXTS},
        time_zone="Europe/Moscow",
        currency="RUB",
        pass_type_identifier=pass_type,
        team_identifier=TEAM,
        credentials=STORED,
    )


@pytest.fixture
def brand(database: Database) -> Brand:
    with database.write() as tx:
        return brands.create_brand(tx, _draft(), now=NOW, actor="test")


def _upload(database: Database, maker: Maker, brand: Brand, **about: str) -> str:
    with database.write() as tx:
        taken = stored_certificates.take_in(tx, maker.safe, maker.p12(b"secret", **about), "secret", now=NOW)
        return stored_certificates.store_for(
            tx, maker.safe, brand, taken, now=NOW, actor="user:anna"
        ).fingerprint


def test_a_stored_certificate_signs_and_its_key_is_nowhere_to_be_read(
    database: Database, maker: Maker, brand: Brand
) -> None:
    fingerprint = _upload(database, maker, brand)
    with database.read() as tx:
        signer = load_for(tx, brand, safe=maker.safe, now=NOW)
        shown = stored_certificates.in_use(tx, brand.pass_type_identifier)
        kept = tx.execute(text("SELECT * FROM stored_certificate")).one()
        told = audit.entries(tx, brand_id=brand.id)[0]
    assert signer.sign(b"{}", signing_time=NOW)
    assert shown is not None
    assert (shown.fingerprint, shown.stored_by) == (fingerprint, "user:anna")
    assert not hasattr(shown, "key")
    secret = f"{maker.key().private_numbers().p:x}"[:40]
    assert secret not in repr(kept)
    assert "PRIVATE" not in repr(kept)
    assert (told.action, told.subject, told.detail["fingerprint"]) == (
        "certificate.stored",
        TYPE,
        fingerprint,
    )


def test_another_pass_key_opens_nothing(database: Database, maker: Maker, brand: Brand) -> None:
    _upload(database, maker, brand)
    with (
        database.read() as tx,
        pytest.raises(Misconfigured, match="another pass key"),
    ):
        load_for(tx, brand, safe=Safe.of(b"another"), now=NOW)


def test_a_sealed_key_opens_in_no_other_row() -> None:
    safe = Safe.of(PASS_KEY)
    sealed = safe.seal(b"secret", about="one")
    assert safe.open(sealed, about="one") == b"secret"
    assert sealed != safe.seal(b"secret", about="one")
    for wrong, about in (
        (sealed, "other"),
        (sealed[:-4] + "AAAA", "one"),
        ("2:" + sealed[2:], "one"),
        ("1:", "one"),
    ):
        with pytest.raises(Misconfigured):
            safe.open(wrong, about=about)


def test_a_process_takes_the_new_one_up_without_a_restart(
    database: Database, maker: Maker, brand: Brand
) -> None:
    first = _upload(database, maker, brand)
    moment = [NOW]
    press = Press("https://example.com/passkit", clock=lambda: moment[0], safe=maker.safe)
    with database.read() as tx:
        before = press.signer(tx, brand.pass_type_identifier)
    second = _upload(database, maker, brand)
    assert first != second
    with database.read() as tx:
        assert press.signer(tx, brand.pass_type_identifier) is before
    moment[0] += ASK_AGAIN
    with database.read() as tx:
        after = press.signer(tx, brand.pass_type_identifier)
        assert after.certificate_pem != before.certificate_pem
        moment[0] += ASK_AGAIN
        assert press.signer(tx, brand.pass_type_identifier) is after
    with database.write() as tx:
        stored_certificates.take_back(tx, brand, now=NOW, actor="user:anna")
    moment[0] += ASK_AGAIN
    with database.read() as tx:
        assert press.signer(tx, brand.pass_type_identifier).certificate_pem == before.certificate_pem


def test_one_before_is_kept_and_no_more(database: Database, maker: Maker, brand: Brand) -> None:
    for _ in range(3):
        last = _upload(database, maker, brand)
    with database.read() as tx:
        assert tx.execute(text("SELECT count(*) FROM stored_certificate")).scalar() == 2
        before = stored_certificates.replaced(tx, brand.pass_type_identifier, now=NOW)
        assert before is not None
        assert stored_certificates.replaced(tx, brand.pass_type_identifier, now=before.expires_at) is None
    with database.write() as tx:
        stored_certificates.take_back(tx, brand, now=NOW, actor="user:anna")
        now_used = stored_certificates.in_use(tx, brand.pass_type_identifier)
        again = stored_certificates.replaced(tx, brand.pass_type_identifier, now=NOW)
    assert now_used is not None
    assert again is not None
    assert (now_used.fingerprint, again.fingerprint) == (before.fingerprint, last)


def test_the_same_one_twice_changes_nothing(database: Database, maker: Maker, brand: Brand) -> None:
    data = maker.p12(b"secret")
    with database.write() as tx:
        for _ in range(2):
            taken = stored_certificates.take_in(tx, maker.safe, data, "secret", now=NOW)
            stored_certificates.store_for(tx, maker.safe, brand, taken, now=NOW, actor="a")
        assert tx.execute(text("SELECT count(*) FROM stored_certificate")).scalar() == 1


def test_the_certificate_of_another_card_is_refused_with_why(
    database: Database, maker: Maker, brand: Brand
) -> None:
    with pytest.raises(Conflict, match=r"a card keeps its identifier for life.*new brand"):
        _upload(database, maker, brand, pass_type_identifier="pass.com.example.oak")
    with pytest.raises(Conflict, match="iPhones refuse cards whose team"):
        _upload(database, maker, brand, team_identifier="Z9Z9Z9Z9Z9")
    with database.write() as tx, pytest.raises(Conflict, match="upload it"):
        stored_certificates.take_back(tx, brand, now=NOW, actor="a")


def test_a_brand_with_files_moves_to_the_uploaded_one(database: Database, maker: Maker) -> None:
    with database.write() as tx:
        made = brands.create_brand(tx, replace(_draft(), credentials="file:/nowhere"), now=NOW, actor="test")
    _upload(database, maker, made)
    with database.read() as tx:
        assert brands.brand(tx, made.id).credentials == STORED


def test_a_process_that_signs_from_files_notices_the_upload(
    database: Database, maker: Maker, tmp_path: Path
) -> None:
    folder = maker.authority.pass_credentials(
        tmp_path / "files", pass_type_identifier=TYPE, team_identifier=TEAM, organization="Birch"
    )
    with database.write() as tx:
        draft = replace(_draft(), credentials=f"file:{folder}")
        made = brands.create_brand(tx, draft, now=NOW, actor="test")
    moment = [NOW]
    press = Press("https://example.com/passkit", clock=lambda: moment[0], safe=maker.safe)
    with database.read() as tx:
        before = press.signer(tx, made.pass_type_identifier)
    fingerprint = _upload(database, maker, made)
    moment[0] += ASK_AGAIN
    with database.read() as tx:
        after = press.signer(tx, made.pass_type_identifier)
    assert after is not before
    assert x509.load_pem_x509_certificate(after.certificate_pem).fingerprint(SHA256()).hex() == fingerprint


def test_pushes_that_were_stopped_are_tried_at_once(database: Database, maker: Maker, brand: Brand) -> None:
    with database.write() as tx:
        breaker.trip(tx, brand.pass_type_identifier, reason="expired", now=NOW)
        assert not breaker.take_probe(tx, brand.pass_type_identifier, now=NOW)
    _upload(database, maker, brand)
    with database.write() as tx:
        assert breaker.take_probe(tx, brand.pass_type_identifier, now=NOW)


def test_without_an_upload_the_brand_says_what_to_do(database: Database, maker: Maker, brand: Brand) -> None:
    with database.read() as tx:
        assert stored_certificates.in_use(tx, brand.pass_type_identifier) is None
        with pytest.raises(Misconfigured, match="upload it in the console under Certificate"):
            load_for(tx, brand, safe=maker.safe, now=NOW)


def test_an_expired_one_says_what_to_do(database: Database, maker: Maker, brand: Brand) -> None:
    _upload(database, maker, brand)
    with database.read() as tx, pytest.raises(Misconfigured, match="renew it at"):
        load_for(tx, brand, safe=maker.safe, now=NOW + timedelta(days=800))


def test_a_request_made_here_needs_no_mac(database: Database, maker: Maker, brand: Brand) -> None:
    """Apple's part: its certificate is for the request's public key, under names of its own."""
    with database.write() as tx:
        pem, fingerprint = certificate_requests.make_request(
            tx, maker.safe, organization="Birch Coffee", email="a@example.com", now=NOW, actor="user:anna"
        )
        row = tx.execute(text("SELECT sealed_key FROM certificate_request")).scalar_one()
        assert certificate_requests.waiting_since(tx, actor="user:anna", now=NOW) == NOW
    assert row.startswith("1:")
    assert len(fingerprint) == 64
    request = x509.load_pem_x509_csr(pem)
    assert request.is_signature_valid
    issued = maker.issued_for(request)
    with database.write() as tx:
        taken = stored_certificates.take_in(
            tx, maker.safe, issued, None, intermediate=maker.authority.wwdr.read_bytes(), now=NOW
        )
        stored_certificates.store_for(tx, maker.safe, brand, taken, now=NOW, actor="user:anna")
        assert certificate_requests.waiting_since(tx, actor="user:anna", now=NOW) is None
        assert load_for(tx, brand, safe=maker.safe, now=NOW).sign(b"{}", signing_time=NOW)


def test_a_cer_that_nothing_waits_for_is_refused(database: Database, maker: Maker) -> None:
    with database.write() as tx:
        certificate_requests.make_request(tx, maker.safe, organization="B", email="", now=NOW, actor="a")
        with pytest.raises(CertificateRefused) as refused:
            stored_certificates.take_in(tx, maker.safe, maker.brought().cer, None, now=NOW)
    assert refused.value.code == "no-key"


def test_requests_that_nobody_comes_back_for_are_bounded_and_forgotten(
    database: Database, maker: Maker
) -> None:
    with database.write() as tx:
        for _ in range(10):
            certificate_requests.make_request(tx, maker.safe, organization="B", email="", now=NOW, actor="a")
        with pytest.raises(Conflict, match="bring one"):
            certificate_requests.make_request(tx, maker.safe, organization="B", email="", now=NOW, actor="a")
        later = NOW + certificate_requests.KEPT + timedelta(seconds=1)
        certificate_requests.make_request(tx, maker.safe, organization="B", email="", now=later, actor="b")
        assert tx.execute(text("SELECT count(*) FROM certificate_request")).scalar() == 1
