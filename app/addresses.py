"""What the addresses in settings must look like. Faults do not repeat it: it may hold a password."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
_ENCODE = "special characters in a password are written in percent: / is %2F, @ is %40, : is %3A, # is %23"


def web_address(url: str, *, schemes: tuple[str, ...], example: str) -> str:
    """``url`` itself, where it is scheme, host and at most a port; ValueError says what it must be like."""
    rule = f"must be like {example}, begin with {' or '.join(f'{scheme}://' for scheme in schemes)}, and"
    if re.search(r"\s|[^!-~]", url):
        raise ValueError(
            f"{rule} have no spaces or letters beyond ASCII (a host like кофе.рф is written xn--…)"
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(f"{rule} have a port from 1 to 65535, or none") from None
    if parts.scheme not in schemes or not parts.hostname or not _HOST.fullmatch(parts.hostname):
        raise ValueError(f"{rule} name a host")
    if port == 0 or parts.netloc.endswith(":"):
        raise ValueError(f"{rule} have a port from 1 to 65535, or none")
    if "@" in parts.netloc:
        raise ValueError(f"{rule} name no user and no password")
    if parts.path.strip("/") or "?" in url or "#" in url:
        raise ValueError(f"{rule} have no path, no ? and no #")
    return url


def party_address(url: str, *, example: str) -> str:
    """``url`` itself, where it is https, or http to this machine, with or without a path; ValueError else.

    What travels there (tokens, guests' cards) is for that party alone.
    """
    try:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
    except ValueError:
        origin = ""
    web_address(origin, schemes=("http", "https"), example=example)
    if not url.startswith(origin) or re.search(r"[?#]|[^!-~]", url):
        raise ValueError(f"must be like {example}, without ?, # and letters beyond ASCII")
    if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
        raise ValueError(f"must be like {example}: http is for this machine alone")
    return url


def database_address(url: str) -> str:
    """``url`` itself, where it can be an SQLite file or a PostgreSQL server; ValueError says what is not."""
    if url.startswith("sqlite://"):
        path = url.removeprefix("sqlite:///")
        if path == url or path.partition("?")[0] in ("", ":memory:"):
            raise ValueError("must name a file: sqlite:////absolute/path or sqlite:///relative/path")
        return url
    if not url.startswith(("postgresql://", "postgresql+psycopg://")):
        raise ValueError("must begin with sqlite:/// or postgresql://")
    _server(url)
    return url


def redis_address(url: str) -> str:
    """``url`` itself, where it can be a Redis server; ValueError says what is wrong."""
    if url.startswith("unix://"):
        return url
    if not url.startswith(("redis://", "rediss://")):
        raise ValueError("must begin with redis://, rediss:// or unix://")
    parts = _server(url)
    if not re.fullmatch(r"(/[0-9]*)?", parts.path):
        raise ValueError("must end in the number of a database, like redis://127.0.0.1:6379/0")
    return url


def _server(url: str) -> SplitResult:
    """User, password, host, port; what is ambiguous is refused before a library guesses (and prints it)."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(f"has no port from 1 to 65535 after its host ({_ENCODE})") from None
    if port == 0 or parts.netloc.endswith(":"):
        raise ValueError(f"has no port from 1 to 65535 after its host ({_ENCODE})")
    if re.search(r"\s", url) or "#" in url or "@" in parts.path or parts.netloc.count("@") > 1:
        raise ValueError(f"cannot be understood ({_ENCODE})")
    if parts.hostname and not re.fullmatch(r"[^\s/?#@]+", parts.hostname):
        raise ValueError("names no host")
    return parts
