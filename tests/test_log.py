"""A log that cannot be written costs the log, and nothing else; and it holds no guest's number."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.log import shorten_numbers

ROOT = Path(__file__).parents[1]
_TELLS = """
import structlog
from app.log import configure_logging
from app.settings import load
configure_logging(load())
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


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("+79123456789", "+7…6789"),
        ("no answer about +998901234567, again", "no answer about +9…4567, again"),
        ({"to": ["+12015550123"]}, {"to": ["+1…0123"]}),
        ("7 invalid number 79123456789", "7 invalid number 7…6789"),
        ("phones=79123456789&mes=x", "phones=7…6789&mes=x"),
        ("To=%2B79123456789&From=%2b15550006666", "To=%2B7…6789&From=%2b1…6666"),
        ("call +7 912 345-67-89.", "call +7…6789."),
        ("+7(912)3456789", "+7…6789"),
        ("?phone=89123456789", "?phone=8…6789"),
        ("8 (912) 345-67-89 or 8 912 345 67 89", "8…6789 or 8…6789"),
        ("id 2147483647 took 0.123456789012 s", "id 2147483647 took 0.123456789012 s"),
        ("11111111-2222-3333-4444-555566667777", "11111111-2222-3333-4444-555566667777"),
        ("2026-11-22 12:13:14.123456", "2026-11-22 12:13:14.123456"),
        ("2026-07-01T09:30:00+03:00", "2026-07-01T09:30:00+03:00"),
        ("2026-07-01T09:30:00+0300", "2026-07-01T09:30:00+0300"),
        ("+1234567890123456", "+1234567890123456"),  # longer than any number
        (17, 17),
    ],
)
def test_no_line_holds_a_whole_number(said: object, told: object) -> None:
    assert shorten_numbers(None, "info", {"event": "x", "said": said}) == {"event": "x", "said": told}
