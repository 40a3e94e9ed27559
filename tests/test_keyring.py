"""Keys are made once for a fresh installation, and never replaced behind anyone's back."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from app import keyring
from app.accounts import fingerprints
from app.db import Database
from app.errors import Misconfigured
from app.settings import Settings

NOW = datetime(2027, 3, 1, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


def test_they_are_made_once_however_many_start_together(settings: Settings, database: Database) -> None:
    with ThreadPoolExecutor(6) as threads:
        made = list(threads.map(lambda _: keyring.open_keys(settings, database, now=NOW), range(24)))
    assert len(set(made)) == 1
    assert len(made[0].pass_key) >= 32
    assert made[0].pass_key != made[0].secret_key
    assert sorted(path.name for path in settings.data_dir.iterdir()) == ["pass_key", "secret_key"]
    assert stat.S_IMODE((settings.data_dir / "pass_key").stat().st_mode) == 0o600
    assert keyring.read_keys(settings, database) == made[0]


def test_their_fingerprint_does_not_hold_them(settings: Settings, database: Database) -> None:
    keys = keyring.open_keys(settings, database, now=NOW)
    with database.read() as tx:
        known = fingerprints.known(tx)
    assert set(known) == set(keyring.NAMES)
    assert keys.pass_key.decode() not in known["pass_key"]


@pytest.mark.parametrize("name", keyring.NAMES)
@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "is missing"), (b"\n", "is empty"), (b"short", "damaged"), (b"x" * 43, "is not the")],
)
def test_a_key_that_is_lost_or_another_is_never_replaced(
    settings: Settings, database: Database, name: str, content: bytes | None, words: str
) -> None:
    keyring.open_keys(settings, database, now=NOW)
    path = settings.data_dir / name
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    for read_only in (False, True):
        ask = keyring.read_keys if read_only else partial(keyring.open_keys, now=NOW)
        with pytest.raises(Misconfigured, match=words) as caught:
            ask(settings, database)
        assert len(caught.value.faults) == 1
        assert "perkpass restore" in str(caught.value)
        assert f"PERKPASS_{name.upper()}" in str(caught.value)
    assert (path.read_bytes() if path.exists() else None) == content


def test_a_second_machine_needs_the_keys_of_the_first(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    keys = keyring.open_keys(settings, database, now=NOW)
    second = tmp_path / "second"
    with pytest.raises(Misconfigured, match="give every machine the same PERKPASS_PASS_KEY") as caught:
        keyring.open_keys(Settings(data_dir=second), database, now=NOW)
    assert len(caught.value.faults) == 2
    assert not second.exists()
    given = Settings(
        data_dir=second, pass_key=keys.pass_key.decode(), secret_key=keys.secret_key.decode()
    )  # fmt: skip
    assert keyring.open_keys(given, database, now=NOW) == keys
    other = Settings(data_dir=second, pass_key="o" * 40, secret_key=keys.secret_key.decode())
    with pytest.raises(Misconfigured, match="PERKPASS_PASS_KEY is not the pass key"):
        keyring.open_keys(other, database, now=NOW)


def test_of_two_machines_that_start_together_one_is_told(database: Database, tmp_path: Path) -> None:
    def start(number: int) -> str:
        try:
            keyring.open_keys(Settings(data_dir=tmp_path / str(number)), database, now=NOW)
        except Misconfigured as fault:
            return str(fault)
        return "runs"

    with ThreadPoolExecutor(4) as threads:
        ends = sorted(threads.map(start, range(4)), key=len)
    assert ends[0] == "runs"
    assert all("give every machine the same PERKPASS_PASS_KEY" in end for end in ends[1:])


def test_reading_makes_nothing(settings: Settings, database: Database) -> None:
    with pytest.raises(Misconfigured, match="is made at the first start"):
        keyring.read_keys(settings, database)
    assert not settings.data_dir.exists()


def test_after_an_interrupted_restore_nothing_starts(settings: Settings, database: Database) -> None:
    keyring.open_keys(settings, database, now=NOW)
    (settings.data_dir / keyring.RESTORING).touch()
    with pytest.raises(Misconfigured, match="restore was interrupted"):
        keyring.open_keys(settings, database, now=NOW)
