"""Styles, scripts, icons and letters of the console, under addresses that change with their contents."""

from __future__ import annotations

import hashlib
import mimetypes
from functools import cache
from pathlib import Path

import font_manrope
from flask import Response
from werkzeug.exceptions import NotFound

from app.web.guest_pages import FOR_EVER

_STATIC = Path(__file__).parents[1] / "static"
_LETTERS = Path(font_manrope.__file__).parent / "files" / "Manrope-VariableFont_wght.ttf"
_NAMES = ("console*.css", "console*.js", "console*.svg")


@cache
def files() -> dict[str, bytes]:
    """Every file by its name; read once."""
    found = {path.name: path.read_bytes() for name in _NAMES for path in sorted(_STATIC.glob(name))}
    return {**found, "manrope.ttf": _LETTERS.read_bytes()}


@cache
def edition() -> str:
    """Another content has another edition; a style names its neighbours by their bare names."""
    told = hashlib.sha256()
    for name, content in sorted(files().items()):
        told.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    return told.hexdigest()[:12]


def address(name: str) -> str:
    """Where the file is."""
    if name not in files():
        raise KeyError(f"there is no {name} among {', '.join(files())} in {_STATIC}")
    return f"/console/-/{edition()}/{name}"


def answer(name: str) -> Response:
    """The file itself; an older edition's address gives today's, for a page that was open over an upgrade."""
    if name not in files():
        raise NotFound
    kind = "font/ttf" if name.endswith(".ttf") else mimetypes.guess_type(name)[0]
    return Response(files()[name], headers=FOR_EVER, mimetype=kind or "application/octet-stream")
