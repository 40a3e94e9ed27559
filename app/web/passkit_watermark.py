"""Tells other processes until when this one has written down what phones fetched from it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.db import Database, Tx
from app.db.outages import outage_of
from app.passes import watermarks

log = structlog.get_logger()


def utc_now() -> datetime:
    """By this machine's clock."""
    return datetime.now(UTC)


class WatermarkTeller:
    """One for each recorder, and like it made before a fork: silent until :meth:`begin`."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        recorded_until: Callable[[datetime], datetime],
    ) -> None:
        """``recorded_until``: every fetch before that moment is in the database, ``now`` where all are."""
        self._database, self._clock, self._recorded_until = database, clock, recorded_until
        self._process = ""
        self._tell_at = 0.0

    def begin(self) -> None:
        """Phones speak to this process from now on."""
        self._process = secrets.token_hex(8)
        self._tell_at = 0.0

    def tell(self) -> None:
        """Write it down where it is time; what fails is told the next time. Call it often."""
        if self._process and time.monotonic() >= self._tell_at:
            now = self._clock()
            until = self._recorded_until(now)
            if self._write(lambda tx: watermarks.tell(tx, self._process, until, now=now)):
                self._tell_at = time.monotonic() + watermarks.EVERY.total_seconds()

    def leave(self) -> None:
        """Nobody need wait for this process any more; unless it could not write: they wait for its lease."""
        now = self._clock()
        if self._process and self._recorded_until(now) >= now:
            self._write(lambda tx: watermarks.leave(tx, self._process))

    def _write(self, write: Callable[[Tx], None]) -> bool:
        try:
            with self._database.write() as tx:
                write(tx)
        except SQLAlchemyError as fault:
            if outage_of(fault) is None:  # an outage tells itself
                log.warning("evidence_watermark_not_written", fault=type(fault).__name__)
            return False
        return True
