"""A brand's Google account from the command line: checked, sealed, shown without its key, asked about."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from app import keyring
from app.accounts import brands
from app.db import Database
from app.google_wiring import Accounts
from app.passes import google_accounts
from app.passes.google_tables import google_account
from app.settings import load
from app.simulators.google import ISSUER, RunningGoogle, running
from tests.commands.conftest import Run


@pytest.fixture(scope="module")
def google() -> Iterator[RunningGoogle]:
    with running() as simulator:
        yield simulator


@pytest.fixture
def brand(perkpass: Run, google: RunningGoogle, monkeypatch: pytest.MonkeyPatch) -> None:
    """A brand, and Google at its stand-in."""
    monkeypatch.setenv("PERKPASS_GOOGLE_WALLET_URL", google.url)
    monkeypatch.setenv("PERKPASS_GOOGLE_TOKEN_URL", google.token_url)
    said = {
        "name": "Печка", "pass-type": "pass.com.example.pechka", "team": "A1B2C3D4E5", "currency": "RUB",
        "credentials": "stored:", "time-zone": "Europe/Moscow", "programme-ru": "Карта",
        "programme-en": "Card", "promise-ru": "Баллы", "promise-en": "Points",
    }  # fmt: skip
    options = [word for name, value in said.items() for word in (f"--{name}", value)]
    made = perkpass("brand", "create", "pechka", *options)
    assert made.status == 0, made.err


def accounts(database: Database) -> Accounts:
    settings = load()
    return Accounts(database, keyring.safe(settings, keyring.read_keys(settings, database)), every=0)


@pytest.mark.usefixtures("brand")
def test_a_file_is_named_and_asked_about(
    perkpass: Run, google: RunningGoogle, tmp_path: Path, database: Database
) -> None:
    key = google.write_service_account(tmp_path / "sa.json")
    made = perkpass(
        "brand", "google", "set", "pechka", "--issuer", ISSUER, "--credentials", f"file:{key}", "--json"
    )
    assert made.status == 0, made.err
    assert made.json["credentials"] == f"file:{key}"
    asked = perkpass("brand", "google", "show", "pechka", "--ask", "--json")
    assert (asked.status, asked.json["google_says"]) == (0, "accepted"), asked.err
    known = accounts(database)
    with database.read() as tx:
        pechka = brands.brand_by_slug(tx, "pechka").id
    first = known.account(pechka)
    assert first is not None
    assert known.present() is known.present()
    # Another key in its place counts without a word; a file that nobody can read stops its brand alone.
    google.write_service_account(key)
    second = known.account(pechka)
    assert second is not None
    assert second.key_id != first.key_id
    # So does another right to read the same file.
    key.chmod(0o644)
    assert known.account(pechka) is None
    key.chmod(0o640)
    assert known.account(pechka) is not None
    key.write_text("{}")
    assert known.account(pechka) is None
    assert known.issuers() == {ISSUER}


@pytest.mark.usefixtures("brand")
def test_an_uploaded_key_is_sealed_and_never_shown_again(
    perkpass: Run, google: RunningGoogle, tmp_path: Path, database: Database
) -> None:
    file = google.write_service_account(tmp_path / "sa.json")
    uploaded = perkpass("brand", "google", "upload", "pechka", file, "--issuer", ISSUER)
    assert uploaded.status == 0, uploaded.err
    secret = json.loads(file.read_text())
    file.unlink()
    asked = perkpass("brand", "google", "show", "pechka", "--ask")
    assert asked.status == 0, asked.err
    with database.read() as tx:
        row = str(tuple(tx.execute(select(google_account)).one()))
    for said in (uploaded.out, asked.out, row):
        assert secret["client_email"] in said
        assert "PRIVATE KEY" not in said
        assert secret["private_key"][100:140] not in said
    with database.read() as tx:
        (account,) = google_accounts.every(tx)
    assert account.credentials == "stored:"
    gone = perkpass("brand", "google", "forget", "pechka")
    assert gone.status == 0
    assert perkpass("brand", "google", "show", "pechka").status == 1
    assert accounts(database).issuers() == frozenset()


@pytest.mark.usefixtures("brand")
def test_faults_are_told_with_their_fix(perkpass: Run) -> None:
    for credentials, told in (
        ("file:/nowhere/sa.json", "cannot be read"),
        ("env:NO_SUCH_VARIABLE", "is not set"),
        ("nonsense", "file:PATH"),
        ("stored:", "uploaded"),
    ):
        done = perkpass("brand", "google", "set", "pechka", "--issuer", ISSUER, "--credentials", credentials)
        assert done.status != 0
        assert told in done.err


@pytest.mark.usefixtures("brand")
def test_what_is_no_issuer_or_not_ours_is_told(perkpass: Run, google: RunningGoogle, tmp_path: Path) -> None:
    file = google.write_service_account(tmp_path / "sa.json")
    named = ("brand", "google", "upload", "pechka", file, "--issuer")
    wrong = perkpass(*named, "BCR2DN4T")
    assert wrong.status != 0
    assert "digits alone" in wrong.err
    stranger = tmp_path / "stranger.json"
    stranger.touch(mode=0o600)
    stranger.write_text(json.dumps(google.service_account("4499000000000000000", name="other")))
    assert perkpass("brand", "google", "upload", "pechka", stranger, "--issuer", ISSUER).status == 0
    asked = perkpass("brand", "google", "show", "pechka", "--ask", "--json")
    assert asked.status == 1
    assert "accepted" not in asked.json["google_says"]
