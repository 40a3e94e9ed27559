"""The log: one line per event, which costs no work that it cannot be written, and tells no phone number."""

from __future__ import annotations

import io
import logging
import re
import sys
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog

from app.settings import Settings

# E.164 has seven to fifteen digits (ITU-T E.164). People and gateways write them apart, a form writes + as
# %2B, and some gateways leave it out: then a number begins with a country or Russia's 8, and stands alone.
_NUMBER = re.compile(r"((?:\+|%2B) ?)([1-9])(?:[ ().-]{0,2}\d){2,10}((?:[ ().-]?\d){4})(?!\d)", re.IGNORECASE)
_BARE = re.compile(r"(?<![\w.:+-])()([1-9])\d{6,10}(\d{4})(?![\w:]|\.\d)")
_NATIONAL = re.compile(
    r"(?<![\w.:+-])()([78])[ (-]{1,2}\d{3}[ )-]{1,2}\d{3}[ -]?(\d{2}[ -]?\d{2})(?![\w:]|\.\d)"
)


class _Unfailing(io.TextIOBase):
    """A stream for the log that drops what a full disk does not take: no work may fail over its own log."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def configure_logging(settings: Settings) -> None:
    """One line per event on standard error: JSON, or for people."""
    level = getattr(logging, settings.log_level.upper())
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            shorten_numbers,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", _Unfailing(sys.stderr))),
        cache_logger_on_first_use=True,
    )


def shorten_numbers(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Whoever logs what they were told may log a guest's number with it: no line holds more than its ends."""
    return {key: _shortened(value) for key, value in event.items()}


def _ends(number: re.Match[str]) -> str:
    last = "".join(letter for letter in number[3] if letter.isdigit())
    return f"{number[1]}{number[2]}…{last}"


def _shortened(value: Any) -> Any:
    """Numbers like +79123456789 as +7…6789, in texts and whatever holds texts."""
    match value:
        case str():
            for pattern in (_NUMBER, _NATIONAL, _BARE):
                value = pattern.sub(_ends, value)
            return value
        case dict():
            return {key: _shortened(each) for key, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_shortened(each) for each in value]
        case _:
            return value
