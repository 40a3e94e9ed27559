"""Processes that belong together start, refuse and end together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.flows.installation import ROOT, Installation, until


@pytest.fixture(scope="module")
def empty(make_installation: Callable[..., Installation]) -> Iterator[Installation]:
    """An installation without a chain, started; all but the last test leave it running."""
    one = make_installation("processes")
    if not one.embedded:
        one.perkpass("migrate")
    try:
        one.start()
        yield one
    finally:
        one.stop()


def _descendants(pid: int) -> set[int]:
    listed = subprocess.run(
        ["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split()
    children = {int(child) for child in listed}
    return children.union(*(_descendants(child) for child in children))


def _workers(one: Installation) -> set[int]:
    listed = subprocess.run(
        ["pgrep", "-P", str(one.processes["run"].pid), "-f", "app worker"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return {int(pid) for pid in listed.stdout.split()}


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_nothing_is_left_of_a_service_whose_first_process_is_killed(empty: Installation) -> None:
    name = "run" if empty.embedded else "web"
    first = empty.processes.pop(name)
    others = _descendants(first.pid)
    assert len(others) >= (2 if empty.embedded else 1)
    os.kill(first.pid, signal.SIGKILL)
    first.wait(10)
    until(lambda: not any(map(_alive, others)), seconds=30, what="the others' end")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", empty.port), timeout=5)
    empty._spawn(name, name)
    empty.wait_ready()


def test_a_worker_that_was_killed_comes_back_where_nothing_can_be_said_of_it(
    empty: Installation, tmp_path: Path
) -> None:
    if not empty.embedded:
        return  # there each process is watched by the machine's service manager
    empty.stop()
    with Path("/dev/full").open("wb") as full:
        empty.processes["run"] = subprocess.Popen(
            [sys.executable, "-m", "app", "run"],
            cwd=ROOT, env=empty.environment, stdin=subprocess.DEVNULL, stdout=full, stderr=full,
        )  # fmt: skip
    empty.wait_ready()
    killed: set[int] = set()
    for _ in range(2):
        (running,) = until(lambda: _workers(empty) - killed, what="a worker")
        os.kill(running, signal.SIGKILL)
        killed.add(running)
    until(lambda: _workers(empty) - killed, what="another worker")
    empty.stop()
    empty.start()


def test_a_web_process_that_dies_at_once_again_ends_the_service_with_a_status(empty: Installation) -> None:
    name = "run" if empty.embedded else "web"
    first = empty.processes.pop(name)
    others = _descendants(first.pid)
    empty.processes[name] = first
    killed: set[int] = set()
    for _ in range(2):
        until(lambda: empty.web_pid() not in killed | {0}, what="a web process")
        killed.add(empty.web_pid())
        os.kill(empty.web_pid(), signal.SIGKILL)
    assert first.wait(60) not in (0, None)
    del empty.processes[name]
    until(lambda: not any(map(_alive, others)), seconds=30, what="the others' end")
    empty._spawn(name, name)
    empty.wait_ready()


def test_a_port_that_is_taken_is_told_in_a_sentence(empty: Installation, tmp_path: Path) -> None:
    another = replace(empty, settings={**empty.settings, "PERKPASS_DATA_DIR": str(tmp_path)})
    refused = another.perkpass("web", check=False)
    assert refused.returncode == 1
    assert f"port {empty.port}" in refused.stderr
    assert "PERKPASS_PORT" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_data_directory_serves_one_installation_at_a_time(empty: Installation, tmp_path: Path) -> None:
    empty.perkpass("backup", str(tmp_path / "backup.tar.gz"))
    for command in (["run"], ["restore", str(tmp_path / "backup.tar.gz"), "--force"]):
        refused = empty.perkpass(*command, check=False)
        assert refused.returncode == 1
        assert "stop it first" in refused.stderr


def test_a_stop_leaves_no_complaint_behind(empty: Installation) -> None:
    before = {name: empty.log(name) for name in empty.processes}
    empty.stop()
    said = "".join(empty.log(name).removeprefix(log) for name, log in before.items())
    assert "Fatal" not in said
    assert "Traceback" not in said
