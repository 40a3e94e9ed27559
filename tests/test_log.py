"""A log that cannot be written costs the log, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
_TELLS = """
import structlog
from app import bootstrap
from app.settings import load
bootstrap.configure_logging(load())
for number in range(1000):
    structlog.get_logger().error("nobody_hears", number=number, words="x" * 100)
print("went on")
"""


def test_work_goes_on_where_its_log_finds_no_room(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [sys.executable, "-c", _TELLS], cwd=ROOT, stdout=subprocess.PIPE, stderr=full, check=False,
            env=os.environ | {"PERKPASS_DATA_DIR": str(tmp_path), "PERKPASS_PUBLIC_URL": "https://x.example"},
        )  # fmt: skip
    assert ended.stdout == b"went on\n"
