"""The page of the certificate: upload, refusals in the language of the reader, the one before, a request."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest
from cryptography import x509

from app.accounts import brands
from app.passes import google_accounts, stored_certificates
from app.passes.stored_certificates import STORED
from app.simulators.google_accounts import new_service_account
from tests.passes.certificate_maker import Maker
from tests.web.console.house import Desk, House
from tests.web.guests import NOW

PAGE = "/console/cafe/certificate"


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    return Maker(tmp_path_factory.mktemp("maker"), NOW)


@pytest.fixture
def sandbox(house: House, maker: Maker) -> House:
    """The service trusts the tests' authority beside Apple's, as a sandbox does."""
    object.__setattr__(house.services, "authorities", (maker.root,))
    return house


def _p12(house: House, maker: Maker, password: bytes = b"secret", **about: str) -> bytes:
    brand = house.cafe.brand
    names = {"pass_type_identifier": brand.pass_type_identifier, "team_identifier": brand.team_identifier}
    return maker.p12(password, **{**names, **about})


def _upload(desk: Desk, data: bytes, password: str = "secret", name: str = "x.p12"):  # type: ignore[no-untyped-def]
    files = {"certificate": (io.BytesIO(data), name)}
    return desk.send(PAGE, PAGE, files=files, password=password)


def test_a_p12_is_uploaded_and_signs(sandbox: House, maker: Maker) -> None:
    desk = sandbox.desk()
    answer = _upload(desk, _p12(sandbox, maker))
    assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
    with sandbox.database.read() as tx:
        brand = brands.brand(tx, sandbox.cafe.brand.id)
        kept = stored_certificates.in_use(tx, brand.pass_type_identifier)
    assert brand.credentials == STORED
    assert kept is not None
    shown = desk.get(PAGE).text
    assert "Cards are signed with the new certificate" in shown
    assert "is valid until" in shown
    assert kept.fingerprint[:16] in shown
    assert "PRIVATE" not in shown
    assert "BEGIN" not in shown


def test_what_is_wrong_stands_beside_its_field_and_nothing_is_shown_again(
    sandbox: House, maker: Maker
) -> None:
    desk = sandbox.desk()
    answer = _upload(desk, _p12(sandbox, maker), password="not the one")
    assert answer.status_code == 422
    assert "The password does not open the .p12 file" in answer.text
    assert "not the one" not in answer.text
    alone = _upload(desk, maker.brought().cer, password="", name="pass.cer")
    assert "export as .p12" in alone.text
    foreign = _upload(desk, _p12(sandbox, maker, pass_type_identifier="pass.another.one"))
    assert foreign.status_code == 422
    assert "keeps its identifier for life" in foreign.text
    large = _upload(desk, b"0" * 70_000)
    assert large.status_code in (413, 422)  # by the server's bound, or by the certificate's own


def test_faults_are_told_in_russian_too(sandbox: House, maker: Maker) -> None:
    desk = sandbox.desk()
    desk.client.post("/console/account/language", data={"csrf_token": desk.token(PAGE), "language": "ru"})
    answer = _upload(desk, _p12(sandbox, maker), password="nope")
    assert "Пароль не открывает файл .p12" in answer.text
    assert "The password" not in answer.text


def test_the_one_before_comes_back_with_one_step(sandbox: House, maker: Maker) -> None:
    desk = sandbox.desk()
    for _ in range(2):
        _upload(desk, _p12(sandbox, maker))
    with sandbox.database.read() as tx:
        first = stored_certificates.replaced(tx, sandbox.cafe.brand.pass_type_identifier, now=NOW)
    assert first is not None
    shown = desk.get(PAGE).text
    assert f'action="{PAGE}/before"' in shown
    assert desk.send(PAGE, f"{PAGE}/before").status_code == 303
    with sandbox.database.read() as tx:
        kept = stored_certificates.in_use(tx, sandbox.cafe.brand.pass_type_identifier)
    assert kept is not None
    assert kept.fingerprint == first.fingerprint


def test_a_request_made_here_is_answered_by_a_cer(sandbox: House, maker: Maker) -> None:
    desk = sandbox.desk()
    answer = desk.send(PAGE, f"{PAGE}/request")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="perkpass.certSigningRequest"'
    assert answer.headers["Cache-Control"] == "no-store"
    request = x509.load_pem_x509_csr(answer.data)
    assert "waits for Apple" in desk.get(PAGE).text
    brand = sandbox.cafe.brand
    issued = maker.issued_for(request, brand.pass_type_identifier, brand.team_identifier)
    files = {
        "certificate": (io.BytesIO(issued), "pass.cer"),
        "intermediate": (io.BytesIO(maker.authority.wwdr.read_bytes()), "wwdr.cer"),
    }
    assert desk.send(PAGE, PAGE, files=files, password="").status_code == 303
    assert "waits for Apple" not in desk.get(PAGE).text


def test_an_end_that_nears_is_told(sandbox: House, maker: Maker) -> None:
    desk = sandbox.desk()
    brand = sandbox.cafe.brand
    soon = maker.brought(
        pass_type_identifier=brand.pass_type_identifier,
        team_identifier=brand.team_identifier,
        ends=NOW + timedelta(days=20, hours=1),
    )
    _upload(desk, soon.p12(b"secret", chain=[maker.wwdr]))
    assert "ends in 20 days" in desk.get(PAGE).text
    assert desk.get("/console/cafe/certificate").status_code == 200


def test_only_an_owner_may(sandbox: House) -> None:
    assert sandbox.desk("marketer").get(PAGE).status_code == 403
    assert sandbox.desk("owner", "bakery").get(PAGE).status_code == 404


def test_a_key_for_google_is_uploaded_sealed_and_never_shown(house: House) -> None:
    desk = house.desk()
    account = new_service_account("https://oauth2.googleapis.com/token", name="wallet", project="kofe")

    def upload(issuer: str, data: bytes):  # type: ignore[no-untyped-def]
        files = {"google_key": (io.BytesIO(data), "sa.json")}
        return desk.send(PAGE, f"{PAGE}/google", files=files, issuer=issuer)

    wrong = upload("BCR2DN", json.dumps(account).encode())
    assert wrong.status_code == 422
    assert "digits alone" in wrong.text
    client = upload("3388000000012345678", b'{"installed": {}}')
    assert client.status_code == 422
    assert "OAuth client" in client.text
    answer = upload("3388000000012345678", json.dumps(account).encode())
    assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
    shown = desk.get(PAGE).text
    for said in (wrong.text, client.text, shown):
        assert "PRIVATE" not in said
        assert account["private_key"][100:130] not in said
    assert account["client_email"] in shown
    with house.database.read() as tx:
        (row,) = google_accounts.every(tx)
        assert google_accounts.open_account(house.services.safe, row).email == account["client_email"]
    # One key writes for all brands of an issuer: whoever knows but its number gets nothing of it.
    files = {"google_key": (io.BytesIO(json.dumps(account).encode()), "sa.json")}
    neighbour = "/console/bakery/certificate"
    refused = house.desk("owner", "bakery").send(
        neighbour, f"{neighbour}/google", files=files, issuer="3388000000012345678"
    )
    assert refused.status_code == 422
    assert "Another brand of this service uses this issuer" in refused.text
    assert desk.send(PAGE, f"{PAGE}/google/forget").status_code == 303
    assert account["client_email"] not in desk.get(PAGE).text
