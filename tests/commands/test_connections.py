"""A web process has as much room for connections as the system gives, and never counts on more."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

ASK = (
    "import resource; from app.commands.processes import room_for_connections;"
    " print(room_for_connections(), resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
)


@pytest.mark.parametrize(
    ("soft", "hard", "room", "files"),
    [
        (256, 8192, 4096, 4352),  # the usual: a low limit that may be raised
        (6000, 8192, 4096, 6000),  # nothing to raise
        (512, 1024, 768, 1024),  # as far as it goes
        (128, 128, 64, 128),
    ],
)
def test_room_follows_the_limit_of_open_files(soft: int, hard: int, room: int, files: int) -> None:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert most == resource.RLIM_INFINITY or most >= hard
    done = subprocess.run(
        ["bash", "-c", f'ulimit -Sn {soft} && ulimit -Hn {hard} && exec "$0" -c "$1"', sys.executable, ASK],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == [str(room), str(files)]
