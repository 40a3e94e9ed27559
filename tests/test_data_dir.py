"""The data directory is its owner's alone, and restore never meets a running service."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import data_dir
from app.errors import Misconfigured


@pytest.fixture(autouse=True)
def _let_go() -> Iterator[None]:
    yield
    data_dir.release()


def _other_process(directory: Path, *, exclusive: bool) -> str:
    script = (
        "import sys; from pathlib import Path\n"
        "from app import data_dir; from app.errors import Misconfigured\n"
        "try: data_dir.hold(Path(sys.argv[1]), exclusive=sys.argv[2] == '1')\n"
        "except Misconfigured as fault: print(fault)\n"
        "else: print('held')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(directory), "1" if exclusive else "0"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_it_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    data_dir.prepare(tmp_path / "a" / "data")
    assert stat.S_IMODE((tmp_path / "a" / "data").stat().st_mode) == 0o700


def test_a_file_in_its_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(Misconfigured, match="it is a file"):
        data_dir.prepare(tmp_path / "data")
    with pytest.raises(Misconfigured, match="it is a file"):
        data_dir.prepare(tmp_path / "data" / "deeper")


def test_who_holds_it_alone_keeps_everybody_out(tmp_path: Path) -> None:
    data_dir.hold(tmp_path, exclusive=True)
    assert "stop it first" in _other_process(tmp_path, exclusive=True)
    assert "stop it first" in _other_process(tmp_path, exclusive=False)


def test_those_who_share_it_keep_out_only_who_wants_it_alone(tmp_path: Path) -> None:
    data_dir.hold(tmp_path, exclusive=False)
    assert _other_process(tmp_path, exclusive=False) == "held"
    assert "stop it first" in _other_process(tmp_path, exclusive=True)


def test_the_end_of_a_process_lets_go(tmp_path: Path) -> None:
    assert _other_process(tmp_path, exclusive=True) == "held"
    data_dir.hold(tmp_path, exclusive=True)


def test_children_do_not_hold_it(tmp_path: Path) -> None:
    data_dir.hold(tmp_path, exclusive=True)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False) as child:
        data_dir.release()
        assert _other_process(tmp_path, exclusive=True) == "held"
        child.communicate(b"\n")
