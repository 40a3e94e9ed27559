"""The doctor names every fault with its fix, and changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.db import Database
from app.simulators.authority import Authority
from tests.commands.conftest import Run
from tests.servers import free_port


@pytest.fixture
def healthy(perkpass: Run, chain_file: Path, tmp_path: Path) -> Run:
    assert perkpass("chain", "load", chain_file).status == 0
    link = perkpass("link", "list", "pechka", "--json").json[0]["code"]
    assert perkpass("issue", link, "-o", tmp_path / "card.pkpass", "--consent").status == 0
    return perkpass


def _looks(perkpass: Run) -> tuple[int, dict[str, tuple[str, str]]]:
    seen = perkpass("doctor", "--offline", "--json")
    return seen.status, {look["subject"]: (look["verdict"], look["words"]) for look in seen.json["looks"]}


def test_a_healthy_installation_has_nothing_to_put_right(
    healthy: Run, monkeypatch: pytest.MonkeyPatch, redis_url: str, tmp_path: Path
) -> None:
    monkeypatch.setenv("PERKPASS_REDIS_URL", redis_url)
    status, looks = _looks(healthy)
    assert status == 0, looks
    amiss = {subject for subject, (verdict, _) in looks.items() if verdict != "ok"}
    assert amiss == {"worker", "backup"}  # neither was ever asked for
    assert perkpass_backs_up(healthy, tmp_path)["backup"][0] == "ok"
    assert {"database", "pass key", "certificate of pechka", "template tiered_card"} <= set(looks)
    assert "Nothing to put right." in healthy("doctor", "--offline").out


def perkpass_backs_up(perkpass: Run, directory: Path) -> dict[str, tuple[str, str]]:
    assert perkpass("backup", directory / "b.tar.gz").status == 0
    return _looks(perkpass)[1]


def test_an_empty_machine_is_no_fault_and_stays_empty(
    perkpass: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, unmigrated_database_url: str
) -> None:
    monkeypatch.setenv("PERKPASS_DATABASE_URL", "")
    status, looks = _looks(perkpass)
    assert status == 0
    assert looks["database"][0] == "warning"
    assert not (tmp_path / "data").exists()
    monkeypatch.setenv("PERKPASS_DATABASE_URL", unmigrated_database_url)
    if unmigrated_database_url.startswith("sqlite"):
        Path(unmigrated_database_url.removeprefix("sqlite:///")).touch()
    status, looks = _looks(perkpass)
    assert status == 1
    assert "perkpass migrate" in looks["database"][1]


def test_each_fault_is_named_with_its_fix(
    healthy: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, data_dir: Path
) -> None:
    monkeypatch.setenv("PERKPASS_PUBLIC_URL", "http://cards.example.com")
    monkeypatch.setenv("PERKPASS_REDIS_URL", f"redis://127.0.0.1:{free_port()}/0")
    (data_dir / "secret_key").write_text("x" * 40)
    (data_dir / "secret_key").chmod(0o644)
    (data_dir / "pass_key").unlink()
    (tmp_path / "certs" / "zerno" / "key.pem").write_text("-----BEGIN PRIVATE KEY-----\nbroken")
    status, looks = _looks(healthy)
    assert status == 1
    for subject, words in (
        ("public URL", "https"),
        ("redis", "PERKPASS_REDIS_URL"),
        ("secret key", "chmod 600"),
        ("pass key", "perkpass restore"),
        ("certificate of zerno", "key.pem"),
    ):
        assert looks[subject][0] == "fault", subject
        assert words in looks[subject][1], looks[subject]
    assert looks["certificate of pechka"][0] == "ok"
    assert "broken" not in looks["certificate of zerno"][1]
    assert "FAULT" in healthy("doctor").out
    assert not (data_dir / "pass_key").exists()


def test_another_key_than_the_database_knows_is_a_fault(healthy: Run, data_dir: Path) -> None:
    (data_dir / "pass_key").write_bytes(b"x" * 43)
    status, looks = _looks(healthy)
    assert status == 1
    assert looks["pass key"][0] == "fault"
    assert "is not the pass key that this database was first used with" in looks["pass key"][1]
    assert looks["secret key"][0] == "ok"


@pytest.mark.once
def test_what_others_may_read_is_a_fault_with_its_command(
    healthy: Run, data_dir: Path, database: Database
) -> None:
    data_dir.chmod(0o755)
    _, looks = _looks(healthy)
    assert looks["data directory"] == (
        "fault",
        f"{data_dir} has mode 0755, others may look in: chmod 700 {data_dir}",
    )
    if database.is_sqlite:
        Path(str(database.engine.url.database)).chmod(0o644)
        _, looks = _looks(healthy)
        assert looks["database"][0] == "fault"
        assert "chmod 600" in looks["database"][1]


@pytest.mark.once
def test_a_data_directory_that_is_a_file_is_a_fault(
    perkpass: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("PERKPASS_DATA_DIR", str(tmp_path / "file"))
    _, looks = _looks(perkpass)
    assert looks["data directory"][0] == "fault"
    monkeypatch.setenv("PERKPASS_DATA_DIR", str(tmp_path / "file" / "deeper"))
    _, looks = _looks(perkpass)
    assert looks["data directory"][0] == "fault"


def test_an_interrupted_restore_is_a_fault(healthy: Run, data_dir: Path) -> None:
    (data_dir / "restoring").touch()
    _, looks = _looks(healthy)
    assert looks["data directory"][0] == "fault"
    assert "perkpass restore" in looks["data directory"][1]


@pytest.mark.once
def test_a_certificate_of_another_brand_is_a_fault(healthy: Run, tmp_path: Path) -> None:
    certs = tmp_path / "certs"
    (certs / "zerno").rename(certs / "aside")
    (certs / "pechka").rename(certs / "zerno")
    _, looks = _looks(healthy)
    assert looks["certificate of zerno"][0] == "fault"
    assert "pass.com.example.zerno" in looks["certificate of zerno"][1]
    assert looks["certificate of pechka"][0] == "fault"


@pytest.mark.once
def test_a_certificate_that_ends_soon_is_a_warning(healthy: Run, tmp_path: Path) -> None:
    authority = Authority.create(tmp_path / "another", now=datetime.now(UTC))
    authority.pass_credentials(
        tmp_path / "certs" / "zerno",
        pass_type_identifier="pass.com.example.zerno",
        team_identifier="A1B2C3D4E5",
        organization="zerno",
        valid=timedelta(days=20),
    )
    status, looks = _looks(healthy)
    assert status == 0
    assert looks["certificate of zerno"][0] == "warning"
    assert "days" in looks["certificate of zerno"][1]


@pytest.mark.once
def test_wrong_settings_are_all_told(perkpass: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERKPASS_PORT", "no")
    monkeypatch.setenv("PERKPASS_WEB_THREADS", "0")
    seen = perkpass("doctor", "--json")
    assert seen.status == 1
    assert len(seen.json["looks"]) == 2


def test_a_database_that_does_not_answer_is_a_fault(perkpass: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "PERKPASS_DATABASE_URL", f"postgresql://perkpass:secret@127.0.0.1:{free_port()}/perkpass"
    )
    status, looks = _looks(perkpass)
    assert status == 1
    assert "PERKPASS_DATABASE_URL" in looks["database"][1]
    assert "secret" not in looks["database"][1]
