"""Settings: all faults at once, secrets from files, keys that are made once."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.errors import Misconfigured
from app.settings import kept_secret, load


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PERKPASS_DATA_DIR", str(tmp_path / "data"))


def test_every_fault_is_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERKPASS_PORT", "99999")
    monkeypatch.setenv("PERKPASS_WEB_THREADS", "many")
    with pytest.raises(Misconfigured) as caught:
        load()
    assert any("PERKPASS_PORT" in fault for fault in caught.value.faults)
    assert any("PERKPASS_WEB_THREADS" in fault for fault in caught.value.faults)

    monkeypatch.delenv("PERKPASS_PORT")
    monkeypatch.delenv("PERKPASS_WEB_THREADS")
    monkeypatch.setenv("PERKPASS_PUBLIC_URL", "cards.example.com/path")
    monkeypatch.setenv("PERKPASS_APNS_URL", "http://push")
    monkeypatch.setenv("PERKPASS_DATABASE_URL", "mysql://x")
    monkeypatch.setenv("PERKPASS_SECRET_KEY", "short")
    with pytest.raises(Misconfigured) as caught:
        load()
    assert len(caught.value.faults) == 4
    assert "short" not in str(caught.value)


def test_a_secret_may_lie_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pass_key").write_text("k" * 40 + "\n")
    monkeypatch.setenv("PERKPASS_PASS_KEY_FILE", str(tmp_path / "pass_key"))
    settings = load()
    assert kept_secret(settings, "pass_key") == b"k" * 40
    assert "k" * 40 not in repr(settings)


def test_a_secret_file_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERKPASS_PASS_KEY_FILE", "/nowhere/pass_key")
    with pytest.raises(Misconfigured, match="PERKPASS_PASS_KEY_FILE"):
        load()


def test_a_kept_secret_is_made_once_however_many_start_together(tmp_path: Path) -> None:
    settings = load()
    with ThreadPoolExecutor(8) as threads:
        made = set(threads.map(lambda _: kept_secret(settings, "pass_key"), range(64)))
    assert len(made) == 1
    assert len(made.pop()) >= 32
    path = tmp_path / "data" / "pass_key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["pass_key"]
