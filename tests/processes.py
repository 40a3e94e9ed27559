"""Processes whose imports are shared: one that has them all forks for each.

Such a process has an environment, a working directory, outputs and an end of its own, as any other; only its
second and a half of imports was spent once. That the command line is a program too is asked in
``tests/commands/test_brand_to_key.py``, and services are started as such everywhere.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from app import __main__ as command_line

ROOT = Path(__file__).parents[1]
FORKED = multiprocessing.get_context("forkserver")
"""As the "spawn" of multiprocessing: nothing is inherited but what the code has of itself."""
FORKED.set_forkserver_preload(
    ["app.bootstrap", "app.web.application", "app.worker.loop"]
    + [f"app.commands.{module}" for module in sorted(set(command_line._COMMANDS.values()))]
)


def perkpass(
    *arguments: object,
    environment: Mapping[str, str],
    file_bytes: int = resource.RLIM_INFINITY,
    timeout: float = 120,
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end, at the repository's root, with nothing but this environment.

    No file that it writes may become longer than ``file_bytes``; TimeoutExpired after ``timeout`` seconds.
    """
    command = ["perkpass", *map(str, arguments)]
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        outputs = [f"/proc/{os.getpid()}/fd/{one.fileno()}" for one in (out, err)]
        process = FORKED.Process(target=_become, args=(command, dict(environment), outputs, file_bytes))
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(command, timeout)
        status = process.exitcode
        process.close()
        return subprocess.CompletedProcess(command, status, _read(out), _read(err))


def _read(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


def _become(command: list[str], environment: dict[str, str], outputs: list[str], file_bytes: int) -> None:
    """In the forked process: what differs from command to command, and then the command."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    for number, path in enumerate(outputs, start=1):
        file = os.open(path, os.O_WRONLY | os.O_APPEND)
        os.dup2(file, number)
        os.close(file)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    sys.argv = command
    command_line.main()
