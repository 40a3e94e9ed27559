"""What phones, tills and workers ask of the database, one call of the production code each."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from app.db import Database, Tx
from app.db.identifiers import DeviceLibraryIdentifier, PushToken
from app.delivery import queue
from app.delivery.budget import Policy
from app.delivery.promises import Kind, Outcome
from app.loyalty import periodic, till
from app.passes import evidence, issuing, listing, registrations, store_registrations
from app.passes.tables import tag_counter
from app.places import links
from bench.world import World

Operation = Callable[[], None]
BATCH = 100
DEEP = 10
"""One phone in so many has a push that is due, in a deep queue, and one in so many a push that waits."""
_CHUNK = 2_000
_LEASE = timedelta(seconds=30)
_OWNER = "bench"
_EAGER = Policy(receipt=1000, campaign=1000, silent=1000, coalesce=timedelta(0))


class Operations:
    """The verbs on one world; every call is about other guests, drawn from all of them."""

    def __init__(self, database: Database, world: World, seed: int) -> None:
        """Reads what a caller would know beforehand: the till's venue, the phone's newest tag."""
        self._database, self._world, self._luck = database, world, random.Random(seed)
        with database.read() as tx:
            self._link = links.link_by_code(tx, world.install_link_code)
            self._newest = str(tx.scalar(select(tag_counter.c.value)))

    def timed(self) -> Mapping[str, Operation]:
        """Those whose cost is measured."""
        return {
            "list, nothing new": lambda: self._list(self._newest),
            "list, one pass changed": lambda: self._list("0"),
            "fetch, 304": self._not_modified,
            "fetch, the pass's content": self._fetch,
            "register a phone": self._register,
            "receipt": self._receipt,
            f"promise, claim and settle {BATCH} pushes": self._push,
        }

    def deepen(self) -> None:
        """Promise pushes to many phones: what :meth:`deep` operations find."""
        due, now = self._world.passes // DEEP, self._now()
        self._promise(range(due), "campaign", now)
        self._promise(range(due, 2 * due), "silent", now + timedelta(days=1))
        if not self._database.is_sqlite:
            with self._database.write() as tx:
                tx.exec_driver_sql("ANALYZE delivery")  # as autovacuum does, sooner or later

    def deep(self) -> Mapping[str, Operation]:
        """Those whose cost is measured with a deep queue."""
        return {f"claim {BATCH} pushes from a deep queue, and give them back": self._claim}

    def periodic(self) -> Mapping[str, Callable[[Tx], object]]:
        """What the worker does from time to time; only its plans are of interest."""
        now = self._now()
        return {
            "expire points": lambda tx: periodic.expire_lots(tx, now=now),
            "recompute tiers": lambda tx: periodic.recompute_tiers(tx, now=now),
            "list again": lambda tx: evidence.retag_unfetched(tx, now=now, older_than=timedelta(minutes=15)),
            "rescue": lambda tx: queue.rescue(tx, now=now),
            "purge": lambda tx: queue.purge(tx, settled_before=now - timedelta(days=30)),
        }

    def _now(self) -> datetime:
        return datetime.now(UTC)

    def _guest(self) -> int:
        return self._luck.randrange(self._world.passes)

    def _list(self, tag: str) -> None:
        device = self._world.device_library_identifier(self._guest())
        with self._database.autocommit() as tx:
            listing.changed_since(tx, device, self._world.pass_type_identifier, tag)

    def _not_modified(self) -> None:
        with self._database.autocommit() as tx:
            serial_number = self._world.serial_number(self._guest())
            store_registrations.pass_key(tx, self._world.pass_type_identifier, serial_number)

    def _fetch(self) -> None:
        with self._database.autocommit() as tx:
            issuing.wallet_pass(tx, self._world.pass_id(self._guest()))

    def _register(self) -> None:
        with self._database.write() as tx:
            registrations.register(
                tx,
                device_library_identifier=DeviceLibraryIdentifier(uuid.uuid4().hex),
                pass_type_identifier=self._world.pass_type_identifier,
                pass_id=self._world.pass_id(self._guest()),
                push_token=PushToken(uuid.uuid4().hex * 2),
                now=self._now(),
            )

    def _receipt(self) -> None:
        now, link = self._now(), self._link
        draft = till.ReceiptDraft(
            card=self._world.card_code(self._guest()),
            number=uuid.uuid4().hex,
            amount=500_00,
            currency="RUB",
            at=now,
        )

        def act(tx: Tx) -> till.Answer:
            recorded = till.record_receipt(tx, draft, brand_id=link.brand_id, venue_id=link.venue_id, now=now)
            return till.Answer(201, {"points": recorded.points})

        with self._database.write() as tx:
            key = uuid.uuid4().hex
            till.once(tx, venue_id=link.venue_id, key=key, fingerprint="", now=now, act=lambda: act(tx))

    def _push(self) -> None:
        """Of other devices each time, so that none waits for its last push."""
        devices = [self._world.device_id(self._guest()) for _ in range(BATCH)]
        pass_type = self._world.pass_type_identifier
        with self._database.write() as tx:
            queue.enqueue_pushes(
                tx, sorted(set(devices)), pass_type_identifier=pass_type, kind="campaign", now=self._now()
            )
        with self._database.write() as tx:
            claim = queue.claim(tx, owner=_OWNER, now=self._now(), lease=_LEASE, policy=_EAGER, limit=BATCH)
            registrations.push_targets(tx, [one.device_id for one in claim.claimed])
            queue.begin_attempts(tx, claim.claimed, now=self._now())
        outcomes = [
            Outcome(claimed=one, verdict="accepted", status=200, provider_id=str(uuid.uuid4()))
            for one in claim.claimed
        ]
        with self._database.write() as tx:
            queue.settle(tx, _OWNER, outcomes, now=self._now())

    def _promise(self, numbers: range, kind: Kind, due_at: datetime) -> None:
        for begin in range(0, len(numbers), _CHUNK):
            devices = [self._world.device_id(number) for number in numbers[begin : begin + _CHUNK]]
            with self._database.write() as tx:
                queue.enqueue_pushes(
                    tx,
                    devices,
                    pass_type_identifier=self._world.pass_type_identifier,
                    kind=kind,
                    now=self._now(),
                    due_at=due_at,
                )

    def _claim(self) -> None:
        """Given back, they are due at once and come last: the queue stays as deep as it was."""
        with self._database.write() as tx:
            claim = queue.claim(tx, owner=_OWNER, now=self._now(), lease=_LEASE, policy=_EAGER, limit=BATCH)
        if len(claim.claimed) != BATCH:
            raise RuntimeError(f"{len(claim.claimed)} of {BATCH} pushes were to be had: is the queue deep?")
        now = self._now()
        with self._database.write() as tx:
            queue.release(tx, _OWNER, claim.claimed, reason="Shutdown", due_at=now, now=now)
