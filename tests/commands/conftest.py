"""The command line as a person uses it: arguments in, words and an exit status out."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog

from app.__main__ import main
from app.simulators.authority import Authority
from tests import plain_logs

EXAMPLE = Path(__file__).parents[2] / "docs" / "chain.example.toml"


@dataclass(frozen=True)
class Outcome:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Outcome]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def perkpass(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    database_url: str,
    data_dir: Path,
) -> Run:
    """``perkpass("brand", "list")``, on this test's database and data directory."""
    monkeypatch.setenv("PERKPASS_DATABASE_URL", database_url)
    monkeypatch.setenv("PERKPASS_DATA_DIR", str(data_dir))
    monkeypatch.setenv("PERKPASS_PUBLIC_URL", "https://cards.example.com")
    monkeypatch.setenv("PERKPASS_APNS_URL", "https://127.0.0.1:1")  # the doctor asks it

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["perkpass", *map(str, arguments)])
        capsys.readouterr()
        structlog.reset_defaults()  # a command is a process of its own, where nothing has set up its log
        try:
            main()
            status: Any = 0
        except SystemExit as ended:
            status = ended.code
        finally:
            plain_logs.configure()
        said = capsys.readouterr()
        return Outcome(int(status or 0), said.out, said.err)

    return run


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates for both brands of the example; making keys takes its time, so once."""
    directory = tmp_path_factory.mktemp("certificates")
    authority = Authority.create(directory / "authority", now=datetime.now(UTC))
    for brand in ("pechka", "zerno"):
        authority.pass_credentials(
            directory / brand,
            pass_type_identifier=f"pass.com.example.{brand}",
            team_identifier="A1B2C3D4E5",
            organization=brand,
        )
    return directory


@pytest.fixture
def chain_file(tmp_path: Path, certificates: Path) -> Path:
    """The example that is shipped, with certificates where it says that they lie."""
    file = tmp_path / "docs" / "chain.toml"
    file.parent.mkdir()
    shutil.copy(EXAMPLE, file)
    for brand in ("pechka", "zerno"):
        shutil.copytree(certificates / brand, tmp_path / "certs" / brand)
    return file
