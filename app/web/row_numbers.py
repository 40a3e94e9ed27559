"""Numbers of rows in addresses."""

from __future__ import annotations

from typing import Any, Final

from werkzeug.routing import IntegerConverter, Map

_MOST: Final = 2**63 - 1
"""What a column of 64 bits holds: databases fail at more instead of finding nothing."""


class RowNumber(IntegerConverter):
    """``<int:…>`` of every address: what no row can be called leads nowhere."""

    regex = r"[0-9]{1,19}"

    def __init__(self, url_map: Map, *args: Any, **options: Any) -> None:
        super().__init__(url_map, *args, **{"max": _MOST, **options})
