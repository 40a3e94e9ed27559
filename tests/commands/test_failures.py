"""What a person can act on is one clear sentence, never a trace."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.db import connect, schema
from tests import processes
from tests.commands.conftest import Run
from tests.servers import free_port


@pytest.mark.once
@pytest.mark.parametrize("content", [b"garbage " * 4096, b"SQLite format 3\x00" + b"garbage " * 4096])
@pytest.mark.parametrize("command", [("brand", "list"), ("backup", "FILE"), ("doctor",), ("migrate",)])
def test_a_file_that_is_no_database_is_told_with_what_to_do(
    perkpass: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: tuple[str, ...], content: bytes
) -> None:
    (tmp_path / "garbage.db").write_bytes(content)
    monkeypatch.setenv("PERKPASS_DATABASE_URL", f"sqlite:///{tmp_path / 'garbage.db'}")
    told = perkpass(*(str(tmp_path / "b.tar.gz") if word == "FILE" else word for word in command))
    assert told.status == 1
    assert "no SQLite database" in told.out + told.err
    assert "restore a backup" in told.out + told.err


@pytest.mark.parametrize("command", ["migrate", "web", "worker"])
def test_a_server_that_is_down_is_told_without_the_password(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    monkeypatch.setenv("PERKPASS_DATABASE_URL", f"postgresql://anna:geheim@127.0.0.1:{free_port()}/perkpass")
    monkeypatch.setenv("PERKPASS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PERKPASS_PORT", str(free_port()))
    ended = processes.perkpass(command, environment=os.environ)
    assert ended.returncode == 1
    assert "The database does not answer" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "geheim" not in ended.stderr


@pytest.mark.once
def test_a_data_directory_that_is_a_file_is_told(
    perkpass: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("PERKPASS_DATA_DIR", str(tmp_path / "file"))
    monkeypatch.setenv("PERKPASS_DATABASE_URL", "")
    told = perkpass("brand", "list")
    assert told.status == 1
    assert told.err.startswith("perkpass: PERKPASS_DATA_DIR: ")
    assert told.err.count("\n") == 1


@pytest.mark.once
def test_every_fault_has_a_line_of_its_own(perkpass: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERKPASS_PORT", "many")
    monkeypatch.setenv("PERKPASS_DATABASE_URL", "postgresql://anna:ge/heim@db/perkpass")
    told = perkpass("brand", "list")
    assert told.status == 1
    lines = told.err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("perkpass: PERKPASS_") for line in lines)
    assert "heim" not in told.err


@pytest.mark.once
def test_a_file_that_cannot_be_written_is_named(
    perkpass: Run, chain_file: Path, tmp_path: Path, database_url: str
) -> None:
    assert perkpass("chain", "load", chain_file).status == 0
    link = perkpass("link", "list", "pechka", "--json").json[0]["code"]
    told = perkpass("issue", link, "-o", tmp_path / "nowhere" / "card.pkpass", "--consent")
    assert told.status == 1
    assert "nowhere" in told.err
    database = connect(database_url)
    schema.require_newest(database)
    database.close()
