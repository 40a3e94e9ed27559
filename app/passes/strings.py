"""``pass.strings``: how a pass speaks the language of the phone that holds it.

A file begins with ``"`` (no comment, no byte order mark), is UTF-8, and has one ``"key" = "value";`` to a
line with exactly those spaces: the shape that every known reader accepts. An unescaped quote or backslash
would silently break the rest of the file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from json.encoder import encode_basestring as _quoted

_INSIDE = r'([^"\\\n\r]*(?:\\.[^"\\\n\r]*)*)'  # runs, not letters: ten times as fast on a card's rules
_ENTRY = re.compile(f'"{_INSIDE}" = "{_INSIDE}";')
_ESCAPED = re.compile(r"\\(.)")
_MEANING = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


def render(entries: Mapping[str, str]) -> str:
    """Lines for these entries, in the mapping's order."""
    text = "".join([f"{_quoted(key)} = {_quoted(value)};\n" for key, value in entries.items()])
    if "\\u" not in text:
        return text
    # JSON's quoting is a property list's but for other control characters, which have no \\u0007 here.
    return "".join([f'"{_escape(key)}" = "{_escape(value)}";\n' for key, value in entries.items()])


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")


def parse(text: str) -> dict[str, str]:
    """The entries of a file in the shape above; raises ValueError naming the first line that is not."""
    entries: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        match = _ENTRY.fullmatch(line.rstrip("\r"))
        if match is None:
            raise ValueError(f'line {number}: write "key" = "value"; with \\" for a quote inside')
        key, value = (_ESCAPED.sub(_unescape, part) for part in match.groups())
        if key in entries:
            raise ValueError(f"line {number}: the key {key!r} is there already")
        entries[key] = value
    return entries


def _unescape(match: re.Match[str]) -> str:
    return _MEANING.get(match[1], match[1])
