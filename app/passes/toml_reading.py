"""TOML that strangers wrote, read in a time that grows with its length alone.

``tomllib`` takes the square of a dotted key's parts, and neither SQL nor JSON knows whole numbers without
end: such are refused here, the keys before anything is parsed.
"""

from __future__ import annotations

import re
import tomllib
from datetime import date, time
from typing import Any, Final

LONGEST: Final = 64 * 1024
"""Bytes of a document; the layouts of pass_templates have five thousand."""
DEEPEST: Final = 32
"""Tables and lists within one another; Apple's and Google's keys take eight."""
_MOST_WHOLE: Final = 2**63
# Strings and comments, whose dots part no key. Each ends at the latest where the line or the text does, so
# that a scan never goes back. Three quotes end a long string, and up to two before them are its own.
_OPAQUE: Final = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*+(?:"{3,5}|\Z|\\\Z)'
    r"|'''(?:[^']|'(?!''))*+(?:'{3,5}|\Z)"
    r'|"(?:[^"\\\n]|\\[^\n])*+"?'
    r"|'[^'\n]*+'?"
    r"|\#[^\n]*+",
    re.DOTALL,
)
_APART: Final = re.compile(r"[=,\[\]{}\n]")


def read(content: bytes) -> dict[str, Any]:
    """The document, its moments as text, which is what JSON and Apple know.

    Raises RecursionError for more than :data:`DEEPEST` tables in one another, ValueError with what is wrong
    otherwise, of which TOMLDecodeError and UnicodeDecodeError are kinds.
    """
    if len(content) > LONGEST:
        raise ValueError(f"has more than {LONGEST // 1024} KB")
    text = content.decode("utf-8-sig")
    if any(key.count(".") >= DEEPEST for key in _APART.split(_OPAQUE.sub("_", text))):
        raise RecursionError
    document: dict[str, Any] = _plain(_parsed(text))
    return document


def _parsed(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except ValueError as fault:  # of int(), for more digits than it reads
        raise ValueError("has a number that is too large") from fault


def _plain(value: Any, deeper: int = DEEPEST) -> Any:
    if deeper < 0:
        raise RecursionError
    if isinstance(value, dict):
        return {key: _plain(each, deeper - 1) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each, deeper - 1) for each in value]
    if isinstance(value, int) and not -_MOST_WHOLE <= value < _MOST_WHOLE:
        raise ValueError("has a number that is too large")
    return value.isoformat() if isinstance(value, date | time) else value
