"""A backup holds everything, is refused where it is damaged, and phones go on updating after a restore."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.accounts import brands
from app.commands import backup_postgresql
from app.db import Database, connect
from app.errors import Misconfigured
from app.passes import restoring
from app.passes.tables import tag_counter, wallet_pass
from tests.commands.conftest import Run


@pytest.fixture
def filled(perkpass: Run, chain_file: Path, tmp_path: Path) -> Run:
    """A chain with one card."""
    assert perkpass("chain", "load", chain_file).status == 0
    link = perkpass("link", "list", "pechka", "--json").json[0]["code"]
    issued = perkpass("issue", link, "-o", tmp_path / "card.pkpass", "--consent")
    assert issued.status == 0, issued.err
    return perkpass


def _empty(monkeypatch: pytest.MonkeyPatch, url: str, data_dir: Path) -> None:
    """Another machine: nothing but an empty database and an empty data directory."""
    monkeypatch.setenv("PERKPASS_DATABASE_URL", url)
    monkeypatch.setenv("PERKPASS_DATA_DIR", str(data_dir))


def _tags(url: str) -> tuple[dict[str, int], list[tuple[int, datetime]]]:
    database = connect(url)
    try:
        with database.read() as tx:
            counters = {row.pass_type_identifier: row.value for row in tx.execute(select(tag_counter))}
            passes = [(row.tag, row.last_modified) for row in tx.execute(select(wallet_pass))]
    finally:
        database.close()
    return counters, passes


def test_everything_comes_back_on_another_machine(
    filled: Run,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    data_dir: Path,
    database_url: str,
    unmigrated_database_url: str,
) -> None:
    file = tmp_path / "backup.tar.gz"
    made = filled("backup", file, "--json")
    assert made.status == 0, made.err
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    audit_before = [
        entry
        for entry in filled("audit", "list", "--limit", "1000", "--json").json
        if entry["action"] != "backup.made"  # noted once it was made, and so not in it
    ]
    tags_before, passes_before = _tags(database_url)

    other = tmp_path / "other"
    _empty(monkeypatch, unmigrated_database_url, other)
    restored = filled("restore", file, "--json")
    assert restored.status == 0, restored.err
    assert restored.json["passes"] == 1
    for name in ("pass_key", "secret_key"):
        assert (other / name).read_bytes() == (data_dir / name).read_bytes()
        assert stat.S_IMODE((other / name).stat().st_mode) == 0o600
    audit_after = filled("audit", "list", "--limit", "1000", "--json").json
    assert audit_after[0]["action"] == "backup.restored"
    assert audit_after[1:] == audit_before
    assert len(filled("link", "list", "pechka", "--json").json) == 19

    tags, passes = _tags(unmigrated_database_url)
    assert tags["pass.com.example.pechka"] > tags_before["pass.com.example.pechka"] + 10**9
    assert "pass.com.example.zerno" in tags
    assert passes == [(tags["pass.com.example.pechka"], passes_before[0][1])]


def test_a_restore_replaces_only_when_it_is_told_to(filled: Run, tmp_path: Path, data_dir: Path) -> None:
    file = tmp_path / "backup.tar.gz"
    assert filled("backup", file).status == 0
    assert filled("staff", "create", "pechka", "После копии").status == 0
    refused = filled("restore", file)
    assert refused.status == 1
    assert "not empty" in refused.err
    assert "После копии" in filled("staff", "list", "pechka").out
    (data_dir / "pass_key").write_text("another key that somebody made in between, 32 long")
    forced = filled("restore", file, "--force")
    assert forced.status == 0, forced.err
    assert "После копии" not in filled("staff", "list", "pechka").out
    assert len(list(data_dir.glob("pass_key.replaced-*"))) == 1


def test_the_same_backup_restored_twice_lifts_tags_twice(
    filled: Run, tmp_path: Path, database_url: str
) -> None:
    file = tmp_path / "backup.tar.gz"
    assert filled("backup", file).status == 0
    assert filled("restore", file, "--force").status == 0
    link = filled("link", "list", "pechka", "--json").json[0]["code"]
    assert filled("issue", link, "-o", tmp_path / "later.pkpass", "--consent").status == 0
    first, _ = _tags(database_url)
    assert filled("restore", file, "--force").status == 0
    second, passes = _tags(database_url)
    assert second["pass.com.example.pechka"] > first["pass.com.example.pechka"]
    assert passes[0][0] == second["pass.com.example.pechka"]


def _rewrite(file: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    with tarfile.open(file) as tar:
        files = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
    change(files)
    with tarfile.open(file, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def _manifest(**changes: object) -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        files["manifest.json"] = json.dumps(json.loads(files["manifest.json"]) | changes).encode()

    return change


def _flip(files: dict[str, bytes]) -> None:
    content = bytearray(files["database"])
    content[len(content) // 2] ^= 1
    files["database"] = bytes(content)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_flip, "database is damaged"),
        (lambda files: files.pop("pass_key"), "pass_key is missing"),
        (lambda files: files.update(secret_key=b"short"), "another size"),
        (lambda files: files.pop("manifest.json"), "does not begin with manifest.json"),
        (_manifest(format=2), "format 2"),
        (_manifest(revision="9999"), "schema 9999"),
        (lambda files: files.update({"manifest.json": b"{half"}), "it is no JSON"),
        (lambda files: files.update({"manifest.json": b"[" * 60_000}), "it is no JSON"),
        (_manifest(engine="oracle"), "manifest.json is damaged"),
        (_manifest(files={"../../etc/passwd": {"size": 1, "sha256": "0"}}), "must name"),
    ],
)
def test_a_damaged_backup_touches_nothing(
    filled: Run, tmp_path: Path, change: Callable[[dict[str, bytes]], None], words: str
) -> None:
    file = tmp_path / "backup.tar.gz"
    assert filled("backup", file).status == 0
    before = filled("audit", "list", "--json").json
    _rewrite(file, change)
    refused = filled("restore", file, "--force")
    assert refused.status == 1
    assert words in refused.err
    assert filled("audit", "list", "--json").json == before


@pytest.mark.once
@pytest.mark.parametrize("content", [b"", b"no tar", gzip.compress(b"no tar", mtime=0), b"\x1f\x8b\x08"])
def test_what_is_no_backup_is_refused_in_a_sentence(perkpass: Run, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "backup.tar.gz"
    file.write_bytes(content)
    refused = perkpass("restore", file)
    assert refused.status == 1
    assert "backup of Perkpass" in refused.err


def test_a_truncated_backup_is_refused(filled: Run, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar.gz"
    assert filled("backup", file).status == 0
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    refused = filled("restore", file, "--force")
    assert refused.status == 1
    assert "not a whole backup" in refused.err


def test_another_pass_key_in_the_environment_is_refused(
    filled: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, unmigrated_database_url: str
) -> None:
    file = tmp_path / "backup.tar.gz"
    assert filled("backup", file).status == 0
    _empty(monkeypatch, unmigrated_database_url, tmp_path / "other")
    monkeypatch.setenv("PERKPASS_PASS_KEY", "another key that is at least 32 long")
    refused = filled("restore", file)
    assert refused.status == 1
    assert "PERKPASS_PASS_KEY is not the key" in refused.err


@pytest.mark.parametrize("content", [None, b"", b"k" * 43])
def test_a_backup_never_makes_a_key_and_takes_no_other(
    filled: Run, tmp_path: Path, data_dir: Path, content: bytes | None
) -> None:
    key = data_dir / "pass_key"
    key.unlink()
    if content is not None:
        key.write_bytes(content)
    refused = filled("backup", tmp_path / "backup.tar.gz")
    assert refused.status == 1
    assert "first used with" in refused.err
    assert not (tmp_path / "backup.tar.gz").exists()
    assert (key.read_bytes() if key.exists() else None) == content


def test_a_restore_refuses_while_the_service_runs(filled: Run, tmp_path: Path, data_dir: Path) -> None:
    file = tmp_path / "backup.tar.gz"
    assert filled("backup", file).status == 0
    lock = (
        "import sys; from pathlib import Path; from app import data_dir\n"
        "data_dir.hold(Path(sys.argv[1]), exclusive=False); print('held', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", lock, str(data_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as service:
        assert service.stdout is not None
        assert service.stdout.readline() == b"held\n"
        refused = filled("restore", file, "--force")
        service.communicate(b"\n")
    assert refused.status == 1
    assert "Perkpass is running" in refused.err
    assert filled("restore", file, "--force").status == 0


def test_after_an_interrupted_restore_nothing_starts_until_it_is_repeated(
    filled: Run, tmp_path: Path, data_dir: Path
) -> None:
    file = tmp_path / "backup.tar.gz"
    assert filled("backup", file).status == 0
    (data_dir / "restoring").touch()
    for arguments in (("brand", "list"), ("backup", tmp_path / "another.tar.gz")):
        refused = filled(*arguments)
        assert refused.status == 1
        assert "restore was interrupted" in refused.err
    assert filled("restore", file, "--force").status == 0
    assert filled("brand", "list").status == 0
    assert not (data_dir / "restoring").exists()


def test_keys_that_do_not_belong_to_the_backed_up_database_take_no_place(
    filled: Run, tmp_path: Path, data_dir: Path
) -> None:
    file = tmp_path / "backup.tar.gz"
    assert filled("backup", file).status == 0
    (data_dir / "pass_key").write_bytes(b"k" * 43)
    _rewrite(file, _other_keys)
    refused = filled("restore", file, "--force")
    assert refused.status == 1
    assert "is not the one that its database was used with" in refused.err
    assert (data_dir / "pass_key").read_bytes() == b"k" * 43
    assert [path.name for path in data_dir.iterdir() if path.name.startswith(".pass_key")] == []


def _other_keys(files: dict[str, bytes]) -> None:
    files["pass_key"] = b"o" * len(files["pass_key"])
    manifest = json.loads(files["manifest.json"])
    manifest["files"]["pass_key"]["sha256"] = hashlib.sha256(files["pass_key"]).hexdigest()
    files["manifest.json"] = json.dumps(manifest).encode()


def test_a_backup_waits_for_no_writer(filled: Run, tmp_path: Path, database_url: str) -> None:
    database = connect(database_url)
    try:
        with database.write() as tx:
            brands.lock(tx, brands.all_brands(tx)[0].id)
            done = filled("backup", tmp_path / "backup.tar.gz")
        assert done.status == 0, done.err
    finally:
        database.close()


def test_an_empty_database_is_not_backed_up(
    perkpass: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, unmigrated_database_url: str
) -> None:
    _empty(monkeypatch, unmigrated_database_url, tmp_path / "other")
    refused = perkpass("backup", tmp_path / "backup.tar.gz")
    assert refused.status == 1
    assert "nothing to back up" in refused.err
    assert not (tmp_path / "backup.tar.gz").exists()


def test_a_missing_program_of_postgresql_is_named_with_its_fix() -> None:
    with pytest.raises(Misconfigured, match="apt install postgresql-client"):
        backup_postgresql.program("pg_dump_that_nobody_has")


def test_a_clock_that_was_set_back_lowers_no_tag(database: Database, filled: Run) -> None:
    later = datetime.now(UTC) + timedelta(days=400)
    with database.write() as tx:
        restoring.lift_tags(tx, now=datetime.now(UTC), backed_up_at=later)
        first = {row.pass_type_identifier: row.value for row in tx.execute(select(tag_counter))}
        restoring.lift_tags(tx, now=datetime.now(UTC), backed_up_at=datetime.now(UTC))
        second = {row.pass_type_identifier: row.value for row in tx.execute(select(tag_counter))}
    assert all(value >= int(later.timestamp() * 1000) for value in first.values())
    assert second == {pass_type: value + 1 for pass_type, value in first.items()}
