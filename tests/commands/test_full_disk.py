"""Commands on a disk that takes nothing more: one sentence, a status that says so, nothing half-made."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from app.db import connect
from tests import processes
from tests.commands.conftest import Run
from tests.conftest import SERVERS


def _limited(*arguments: object, size: int) -> subprocess.CompletedProcess[str]:
    """One command that may not make any file larger than ``size`` bytes."""
    return processes.perkpass(*arguments, environment=os.environ, file_bytes=size)


def _is_a_sentence(told: subprocess.CompletedProcess[str]) -> None:
    assert told.returncode == 1, told
    assert told.stdout == ""
    assert told.stderr.startswith("perkpass: ")
    assert "Traceback" not in told.stderr
    assert told.stderr.count("\n") == 1


def test_a_backup_that_finds_no_room_leaves_no_archive(
    perkpass: Run, chain_file: Path, tmp_path: Path, data_dir: Path
) -> None:
    assert perkpass("chain", "load", chain_file).status == 0
    target = tmp_path / "backups" / "today.tar.gz"
    target.parent.mkdir()
    told = _limited("backup", target, size=49_152)
    _is_a_sentence(told)
    assert str(target) in told.stderr or "pg_dump" in told.stderr
    assert list(target.parent.iterdir()) == []


def test_a_backup_that_finds_no_room_keeps_the_one_before(
    perkpass: Run, chain_file: Path, tmp_path: Path
) -> None:
    assert perkpass("chain", "load", chain_file).status == 0
    link = perkpass("link", "list", "pechka", "--json").json[0]["code"]
    assert perkpass("issue", link, "-o", tmp_path / "card.pkpass", "--consent").status == 0
    target = tmp_path / "today.tar.gz"
    assert perkpass("backup", target).status == 0
    before = target.read_bytes()
    _is_a_sentence(_limited("backup", target, size=49_152))
    assert target.read_bytes() == before


if SERVERS == "sqlite":

    def test_a_command_that_cannot_write_changes_nothing(
        perkpass: Run, chain_file: Path, tmp_path: Path, database_url: str
    ) -> None:
        certificates = tmp_path / "certs" / "pechka"
        assert perkpass("brand", "list").status == 0
        told = _limited("chain", "load", chain_file, "--keys-file", tmp_path / "keys", size=36_864)
        _is_a_sentence(told)
        assert "perkpass: The disk that the database lies on" in told.stderr
        assert perkpass("brand", "list", "--json").json == []
        assert not (tmp_path / "keys").exists()  # secrets of keys that were never made
        assert certificates.is_dir()
        assert perkpass("chain", "load", chain_file).status == 0

else:

    def test_a_command_that_may_only_read_changes_nothing(
        perkpass: Run, chain_file: Path, database_url: str
    ) -> None:
        assert perkpass("brand", "list").status == 0
        name = database_url.rpartition("/")[2]
        operator = connect(database_url)
        with operator.write() as tx:
            tx.exec_driver_sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        operator.close()
        told = perkpass("chain", "load", chain_file)
        assert told.status == 1
        assert told.err.startswith("perkpass: The database can be read, and not written.")
        assert told.err.count("\n") == 1
        assert perkpass("brand", "list", "--json").json == []
