"""Checks of the words that people give to brands, venues and their likes; each refusal names its field."""

from __future__ import annotations

import re
from functools import cache
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from babel.core import get_global

from app.errors import BadInput

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LONGEST_SLUG = 63
LONGEST_NAME = 120
LONGEST_EMAIL = 254
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


def slug(value: str, *, field: str = "slug") -> str:
    """A short name for addresses and files: ``north-pier``; raises BadInput."""
    if not _SLUG.fullmatch(value) or len(value) > LONGEST_SLUG:
        raise BadInput(
            "bad-slug",
            f"{value!r} cannot be a short name: use lower-case Latin letters, digits and single hyphens,"
            f" at most {LONGEST_SLUG} characters, like north-pier",
            field=field,
        )
    return value


def name(value: str, *, field: str = "name", longest: int = LONGEST_NAME) -> str:
    """One line of text, trimmed; raises BadInput where it is empty, too long or holds a control character."""
    trimmed = value.strip()
    if not trimmed:
        raise BadInput("empty", f"{field} is empty: write at least one character", field=field)
    if len(trimmed) > longest:
        raise BadInput("too-long", f"{field} has {len(trimmed)} characters: at most {longest}", field=field)
    if not trimmed.isprintable():
        raise BadInput(
            "unprintable", f"{field} holds a line break or a control character: take it out", field=field
        )
    return trimmed


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def time_zone(value: str, *, field: str = "time_zone") -> str:
    """A name of the IANA time zone database, spelled as there; raises BadInput."""
    if value not in _time_zones():
        raise BadInput(
            "unknown-time-zone",
            f"{value!r} is not an IANA time zone: use a name like Europe/Moscow or Asia/Yekaterinburg",
            field=field,
        )
    return value


@cache
def _currencies() -> frozenset[str]:
    """Codes that are legal tender somewhere today, from CLDR's table of territories."""
    return frozenset(
        code
        for rows in get_global("territory_currencies").values()
        for code, _begin, end, tender in rows
        if tender and end is None
    )


def currency(value: str, *, field: str = "currency") -> str:
    """An ISO 4217 code of money in use; raises BadInput."""
    if value not in _currencies():
        raise BadInput(
            "unknown-currency",
            f"{value!r} is not an ISO 4217 currency in use: three capital letters like RUB, KZT or EUR",
            field=field,
        )
    return value


def web_address(value: str, *, field: str) -> str:
    """An http or https address, or nothing; raises BadInput."""
    parts = urlsplit(value)
    if value and (parts.scheme not in ("http", "https") or not parts.hostname or not value.isprintable()):
        raise BadInput(
            "bad-web-address", f"{field}: {value!r} must be like https://example.com/privacy", field=field
        )
    return value


def email(value: str, *, field: str = "email") -> str:
    """An address as it is kept, in lower case; raises BadInput. Whether mail arrives there nobody asks."""
    address = value.strip().lower()
    if len(address) > LONGEST_EMAIL or not _EMAIL.fullmatch(address) or not address.isprintable():
        raise BadInput("bad-email", f"{value!r} is not an e-mail address", field=field)
    return address
