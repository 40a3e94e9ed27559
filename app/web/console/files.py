"""Files that people take away: made on the disk, sent piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from flask import Response

AT_ONCE = 64 * 1024


def sent(target: IO[bytes], *, name: str, kind: str) -> Response:
    """The whole of ``target``, which is closed when it was sent, as a file called ``name``.

    However large it is, a piece of it is in memory; make sure that no transaction is open any more.
    """
    length = target.seek(0, 2)
    target.seek(0)

    def pieces() -> Iterator[bytes]:
        with target:
            while piece := target.read(AT_ONCE):
                yield piece

    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Length": str(length)}
    return Response(pieces(), content_type=kind, headers=headers)
