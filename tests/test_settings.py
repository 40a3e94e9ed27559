"""Settings: all faults at once, secrets from files, and no part of a password is ever told."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import Misconfigured
from app.settings import load


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PERKPASS_DATA_DIR", str(tmp_path / "data"))


def test_every_fault_is_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {
        "PORT": "99999",
        "WEB_THREADS": "many",
        "PUBLIC_URL": "cards.example.com/path",
        "APNS_URL": "http://push",
        "APNS_CA": "/nowhere/ca.pem",
        "DATABASE_URL": "mysql://x",
        "REDIS_URL": "http://x",
        "SECRET_KEY": "short",
        "PASS_KEY_FILE": "/nowhere/pass_key",
        "PUBLICURL": "https://cards.example.com",
    }
    for name, value in wrong.items():
        monkeypatch.setenv(f"PERKPASS_{name}", value)
    with pytest.raises(Misconfigured) as caught:
        load()
    assert len(caught.value.faults) == len(wrong)
    for name in wrong:
        assert any(fault.startswith(f"PERKPASS_{name}") for fault in caught.value.faults), name
    assert "short" not in str(caught.value)


def test_a_mistyped_variable_is_refused_with_the_nearest_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERKPASS_DATABSE_URL", "postgresql://127.0.0.1/perkpass")
    with pytest.raises(Misconfigured, match="did you mean PERKPASS_DATABASE_URL"):
        load()


@pytest.mark.parametrize(
    "url",
    [
        "https://cards.example.com?x=1", "https://cards.example.com/?", "https://cards.example.com#top",
        "https://anna:word@cards.example.com", "https://cards.example.com:0", "https://cards.example.com:99999",
        "https://cards.example.com:http", "https://cards.example.com:", "https://cards example.com",
        " https://cards.example.com", "https://cards.example.com\n", "https://кофе.рф", "https://",
        "https://cards.example.com/shop", "ftp://cards.example.com", "",
    ],
)  # fmt: skip
def test_what_guests_could_not_reach_is_no_public_url(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("PERKPASS_PUBLIC_URL", url)
    with pytest.raises(Misconfigured, match="PERKPASS_PUBLIC_URL: must be like https:"):
        load()


@pytest.mark.parametrize(
    "url",
    ["https://cards.example.com", "https://cards.example.com:8443/", "http://[::1]:8000", "http://localhost"],
)
def test_a_public_url_is_scheme_host_and_port(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("PERKPASS_PUBLIC_URL", url)
    assert load().public_url == url


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://anna:top/secret@db/perkpass", "postgresql://anna:12/secret@db/perkpass",
        "postgresql://anna:sec#ret@db/perkpass", "postgresql://anna:sec@ret@db/perkpass",
        "postgresql://anna:secret@db:port/perkpass", "postgresql://anna:sec ret@db/perkpass",
        "postgresql://anna:[secret@db/perkpass", "postgresql:anna:secret@db", "sqlite://secret.db", "sqlite:///",
        "sqlite:///:memory:",
    ],
)  # fmt: skip
def test_a_database_url_that_cannot_be_understood_tells_no_password(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("PERKPASS_DATABASE_URL", url)
    with pytest.raises(Misconfigured, match="PERKPASS_DATABASE_URL") as caught:
        load()
    assert len(caught.value.faults) == 1
    assert not {"sec", "top", "ret@"} & set(str(caught.value).split())
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["redis://:pa/ss@127.0.0.1:6379/0", "redis://127.0.0.1:x/0", "redis://127.0.0.1/zero"]
)
def test_a_redis_url_that_cannot_be_understood_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("PERKPASS_REDIS_URL", url)
    with pytest.raises(Misconfigured, match="PERKPASS_REDIS_URL"):
        load()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://perkpass:a%2Fb@127.0.0.1:5432/perkpass", "postgresql+psycopg://perkpass@[::1]/perkpass",
        "postgresql:///perkpass?host=/run/postgresql", "sqlite:////var/lib/perkpass/perkpass.db", "sqlite:///here.db",
    ],
)  # fmt: skip
def test_every_way_to_name_a_database_is_understood(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("PERKPASS_DATABASE_URL", url)
    assert load().resolved_database_url == url


def test_a_secret_may_lie_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pass_key").write_text("k" * 40 + "\n")
    (tmp_path / "database").write_text("postgresql://perkpass:word@127.0.0.1/perkpass\n")
    monkeypatch.setenv("PERKPASS_PASS_KEY_FILE", str(tmp_path / "pass_key"))
    monkeypatch.setenv("PERKPASS_DATABASE_URL_FILE", str(tmp_path / "database"))
    settings = load()
    assert settings.pass_key.get_secret_value() == "k" * 40
    assert "k" * 40 not in repr(settings)
    assert settings.database_url == "postgresql://perkpass:word@127.0.0.1/perkpass"


def test_a_secret_file_that_holds_no_secret_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff" * 40)
    monkeypatch.setenv("PERKPASS_PASS_KEY_FILE", str(tmp_path / "empty"))
    monkeypatch.setenv("PERKPASS_SECRET_KEY_FILE", str(tmp_path / "binary"))
    monkeypatch.setenv("PERKPASS_METRICS_TOKEN_FILE", "/nowhere/token")
    monkeypatch.setenv("PERKPASS_REDIS_URL_FILE", str(tmp_path))
    with pytest.raises(Misconfigured) as caught:
        load()
    told = {fault.split(":")[0]: fault for fault in caught.value.faults}
    assert "is empty" in told["PERKPASS_PASS_KEY_FILE"]
    assert "UTF-8" in told["PERKPASS_SECRET_KEY_FILE"]
    assert "No such file" in told["PERKPASS_METRICS_TOKEN_FILE"]
    assert "directory" in told["PERKPASS_REDIS_URL_FILE"]


def test_a_secret_that_is_given_twice_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pass_key").write_text("k" * 40)
    monkeypatch.setenv("PERKPASS_PASS_KEY_FILE", str(tmp_path / "pass_key"))
    monkeypatch.setenv("PERKPASS_PASS_KEY", "p" * 40)
    with pytest.raises(Misconfigured, match="both set"):
        load()
