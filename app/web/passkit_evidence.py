"""Writes down what phones prove, beside the requests.

The list and 304 answers only note their evidence in memory; a thread writes it in short batches. A fetch
waits for its own record, and concurrent fetches share one commit. Where the database refuses, the pass is
served all the same and the evidence is tried again: until then the watermark stands still.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from multiprocessing.util import Finalize
from threading import Condition, Event, Lock, Thread
from typing import TypeVar

import structlog
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from app.db import Database
from app.db.failures import NO_DATABASE
from app.db.identifiers import DeviceId, WalletPassId
from app.db.outages import outage_of
from app.passes import device_log, evidence
from app.passes.device_log import LogLine
from app.passes.evidence import Contact, Evidence, Fetch, Install, Sighting
from app.passes.listing import Listing
from app.web.passkit_watermark import WatermarkTeller, utc_now

_BATCH = 200  # rows in one transaction, which then takes a few milliseconds
_FLUSH_SECONDS = 1.0
_PAUSE_SECONDS = 0.005  # between transactions: tills get their turn on SQLite
_PATIENCE_SECONDS = 2.0  # a phone waits no longer for the record of its fetch
_MOST_NOTED = 50_000
_MOST_LOG_LINES = 2_000
log = structlog.get_logger()
Proof = TypeVar("Proof", bound=Evidence)


class _Group:
    """Fetches that are committed together; those who wait for them are told by ``settled``."""

    def __init__(self) -> None:
        self.fetches: list[Fetch] = []
        self.settled = Event()
        self.recorded = False


class EvidenceRecorder:
    """One per process. The thread starts with the first evidence, so it may be made before a fork."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = utc_now) -> None:
        """Evidence goes into ``database``; call :meth:`close` at the end."""
        self._database = database
        self._teller = WatermarkTeller(database, clock, self.watermark)
        self._writer = Lock()  # one transaction at a time; taken before _changed
        self._changed = Condition()  # guards everything below
        self._thread: Thread | None = None
        self._at_exit: Finalize | None = None
        self._closing = False
        self._group = _Group()
        self._late: list[Fetch] = []  # their write failed; tried again with the next flush
        self._writing: Sequence[Evidence] = ()
        self._contacts: dict[DeviceId, Contact] = {}
        self._sightings: dict[WalletPassId, Sighting] = {}
        self._installs: dict[WalletPassId, Install] = {}
        self._lines: list[LogLine] = []
        self._lost_since: datetime | None = None

    # What requests call

    def listed(self, listing: Listing, at: datetime) -> None:
        """A device was given its list, or told that nothing changed."""
        with self._changed:
            if len(self._contacts) < _MOST_NOTED:
                self._contacts[listing.device_id] = Contact(listing.device_id, at)
            if len(self._sightings) < _MOST_NOTED:
                for pass_id, version in listing.versions:
                    known = self._sightings.get(pass_id)
                    if known is None or version >= known.version:
                        self._sightings[pass_id] = Sighting(pass_id, version, at)
            self._start()

    def installed(self, install: Install) -> None:
        """A 304 proved that a phone holds the version."""
        with self._changed:
            known = self._installs.get(install.pass_id)
            if known is None and len(self._installs) >= _MOST_NOTED:
                self._lose(install.at)
            elif known is None or install.version > known.version:
                self._installs[install.pass_id] = install
            self._start()

    def fetched(self, fetch: Fetch) -> bool:
        """Record a fetch; True when it is durable. False: serve the pass, the record is tried again."""
        with self._changed:
            if len(self._group.fetches) + len(self._late) >= _MOST_NOTED:
                self._lose(fetch.at)
                return False
            group = self._group
            group.fetches.append(fetch)
            self._start()
            self._changed.notify()
            closed = self._thread is None
        if closed:
            self._write_fetches()
        return group.settled.wait(_PATIENCE_SECONDS) and group.recorded

    def logged(self, lines: Iterable[LogLine]) -> None:
        """Keep lines of the log endpoint; those beyond what the thread can write are dropped."""
        with self._changed:
            self._lines.extend(lines)
            del self._lines[_MOST_LOG_LINES:]
            self._start()

    # What operators and the worker ask

    def watermark(self, now: datetime) -> datetime:
        """Every fetch and install before this moment is in the database; ``now`` when all are.

        Who acts on a guest's silence must not act on a deadline beyond it.
        """
        with self._changed:
            unrecorded = (*self._group.fetches, *self._late, *self._installs.values(), *self._writing)
            moments = [it.at for it in unrecorded if isinstance(it, Fetch | Install)]
            if self._lost_since:
                moments.append(self._lost_since)
        return min(moments, default=now)

    def age(self, now: datetime) -> timedelta:
        """How old the oldest unrecorded fetch or install is; zero when there is none."""
        return max(now - self.watermark(now), timedelta())

    def flush(self) -> None:
        """Return when everything noted so far was written, or tried once."""
        self._write_fetches()
        while self._write_noted():
            pass

    def close(self) -> None:
        """Write what there is and end the thread."""
        with self._changed:
            self._closing = True
            thread, self._thread = self._thread, None
            self._changed.notify()
        if thread:
            thread.join(10)
            if self._at_exit:
                self._at_exit.cancel()
        self.flush()
        self._teller.leave()

    # The thread

    def _start(self) -> None:
        if self._thread is None and not self._closing:
            self._teller.begin()
            self._thread = Thread(target=self._run, name="passkit-evidence", daemon=True)
            self._thread.start()
            # Not atexit: the processes of a WSGI server are forked, and those end without it.
            self._at_exit = Finalize(None, self.close, exitpriority=10)

    def _run(self) -> None:
        flush_at = time.monotonic() + _FLUSH_SECONDS
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._closing or self._group.fetches, max(0.0, flush_at - time.monotonic())
                )
                if self._closing:
                    return
            more = False
            try:
                self._write_fetches()
                self._teller.tell()
                if time.monotonic() < flush_at:
                    continue
                more = self._write_noted()
            except Exception:  # whatever it was: without this thread nothing would be recorded any more
                log.exception("evidence_thread_stumbled")
            flush_at = time.monotonic() + (_PAUSE_SECONDS if more else _FLUSH_SECONDS)

    def _write_fetches(self) -> None:
        """Commit together what came together; latecomers gather in the next group meanwhile."""
        with self._writer:
            with self._changed:
                if not self._group.fetches:
                    return
                group, self._group = self._group, _Group()
                self._writing = group.fetches
            rest: list[Fetch] = []
            for start in range(0, len(group.fetches), _BATCH):
                part = group.fetches[start : start + _BATCH]
                rest += part if rest else self._write(part)
            with self._changed:
                self._writing = ()
                self._late += rest
            group.recorded = not rest
            group.settled.set()

    def _write_noted(self) -> bool:
        """Write one batch of what does not hurry; True where there is more to write now."""
        with self._writer:
            with self._changed:
                proofs: list[Evidence] = [*self._late[:_BATCH]]
                del self._late[:_BATCH]
                for noted in (self._installs, self._sightings, self._contacts):
                    while noted and len(proofs) < _BATCH:
                        proofs.append(noted.popitem()[1])
                lines, self._lines = self._lines[:_BATCH], self._lines[_BATCH:]
                self._writing = proofs
            if not proofs and not lines:
                return False
            rest = self._write(proofs)
            kept = self._write_lines(lines)
            with self._changed:
                self._writing = ()
                self._put_back(rest)
                if not kept:
                    self._lines = (lines + self._lines)[:_MOST_LOG_LINES]
                more = self._late or self._installs or self._sightings or self._contacts or self._lines
            return kept and not rest and bool(more)

    def _put_back(self, proofs: Iterable[Evidence]) -> None:
        for proof in proofs:
            if isinstance(proof, Fetch):
                self._late.append(proof)
            elif isinstance(proof, Install):
                newer = self._installs.get(proof.pass_id)
                if newer is None or newer.version <= proof.version:
                    self._installs[proof.pass_id] = proof
            elif isinstance(proof, Sighting):
                self._sightings.setdefault(proof.pass_id, proof)
            else:
                self._contacts.setdefault(proof.device_id, proof)

    def _write(self, proofs: Sequence[Proof]) -> list[Proof]:
        """One transaction, or one for each where they cannot be written together; those to be tried again."""
        if not proofs:
            return []
        try:
            with self._database.write() as tx:
                evidence.record(tx, proofs)
        except IntegrityError:
            # A pass that is no longer there (the database was restored under us) must not hold up the rest.
            if len(proofs) > 1:
                return [it for proof in proofs for it in self._write([proof])]
            log.warning("evidence_dropped", proofs=[type(proof).__name__ for proof in proofs])
        except SQLAlchemyError as fault:
            if outage_of(fault) is None:  # an outage tells itself
                log.warning("evidence_not_written", rows=len(proofs), fault=type(fault).__name__)
            return list(proofs)
        except Exception:  # unforeseen: nobody may conclude from a silence that may be ours, so it is kept
            if len(proofs) > 1:
                return [it for proof in proofs for it in self._write([proof])]
            log.exception("evidence_not_written", rows=1)
            return list(proofs)
        return []

    def _write_lines(self, lines: Sequence[LogLine]) -> bool:
        """False where the database is away, and they are to be tried again; what it refuses is dropped."""
        if not lines:
            return True
        try:
            with self._database.write() as tx:
                device_log.record(tx, lines)
        except NO_DATABASE:
            return False
        except Exception:
            log.exception("device_log_dropped", lines=len(lines))
        return True

    def _lose(self, since: datetime) -> None:
        """Too much to remember: from here on nobody may conclude that a guest was not reached."""
        self._lost_since = min(self._lost_since or since, since)
        log.error("evidence_lost", since=since.isoformat())
