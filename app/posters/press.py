"""The press: typst, which turns a layout and what it is given into pages.

Whoever draws one print now and then, as the web does, has it drawn by a process of its own: that one is gone
afterwards with its 60 MB, it yields to everything else on the machine, and it can be stopped.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from app.errors import Unavailable

if TYPE_CHECKING:
    import typst

Form = Literal["pdf", "svg"]
Press = Callable[[str, Form, date], bytes]
"""What is given (JSON), what is wanted, and the day that the document says it was made."""

PATIENCE = timedelta(seconds=20)
_LAYOUT = Path(__file__).parent / "layout"
_SOURCE = Path(__file__).parents[2]
_NICENESS = 10


def here(given: str, form: Form, day: date) -> bytes:
    """Drawn in this process, which keeps typst in memory from then on."""
    import typst

    return typst.compile(
        _LAYOUT / "main.typ",
        root=_LAYOUT,
        font_paths=_fonts(),
        ignore_system_fonts=True,
        format=form,
        sys_inputs={"given": given},
        timestamp=datetime.combine(day, time(), UTC),
    )


def apart(given: str, form: Form, day: date) -> bytes:
    """Drawn in a process of its own; raises :class:`Unavailable` where that fails or takes too long."""
    try:
        done = subprocess.run(  # noqa: S603  # our own module, with words of ours as arguments
            [sys.executable, "-m", __name__, form, day.isoformat()],
            input=given.encode(),
            capture_output=True,
            timeout=PATIENCE.total_seconds(),
            cwd=_SOURCE,
            env=os.environ | {"RAYON_NUM_THREADS": "1"},
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as fault:
        raise Unavailable(f"The print could not be drawn: {fault}") from fault
    if done.returncode != 0:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise Unavailable(f"The print could not be drawn: {last or f'status {done.returncode}'}")
    return done.stdout


@cache
def _fonts() -> typst.Fonts:
    import font_manrope
    import typst

    return typst.Fonts(include_system_fonts=False, font_paths=[font_manrope.font_directory])


def _main() -> None:
    os.nice(_NICENESS)
    form: Form = "svg" if sys.argv[1] == "svg" else "pdf"
    sys.stdout.buffer.write(here(sys.stdin.buffer.read().decode(), form, date.fromisoformat(sys.argv[2])))


if __name__ == "__main__":
    _main()
