"""What gateways tell of texts they took: heard over their connections, asked for where they say nothing."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from app.accounts import brands
from app.campaigns import cascade
from app.db import Database, Tx, may_pass
from app.db.identifiers import BrandId
from app.delivery import jobs, texts
from app.delivery.text_promises import ReceiptTold
from app.errors import NotFound
from app.loyalty import consents
from app.loyalty.stop_words import asks_to_stop
from app.sms.gateway import Inbound, Receipt
from app.worker import metrics
from app.worker.text_channel import TextChannel
from app.worker.text_parcels import told

log = structlog.get_logger()

PATIENCE: Final = 120.0
"""Seconds that a receipt waits for the answer to its text: without our reference nothing else names it."""
_TRY_STRANGERS_EVERY: Final = 1.0
_LEASE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How gateways are asked what became of texts; a login's turn comes once, whichever worker takes it."""

    every: timedelta = timedelta(seconds=30)
    silent_for: timedelta = timedelta(minutes=1)  # told nothing for so long
    most: int = 50  # in one turn


@dataclass(slots=True)
class _Stranger:
    """A receipt of a text that we do not know yet by the gateway's name for it."""

    receipt: ReceiptTold
    until: float


class TextReceipts:
    """One worker's ears. Gateways speak in the sending loop; all else is the worker's thread."""

    def __init__(
        self,
        database: Database,
        channel: TextChannel,
        *,
        owner: str,
        clock: Callable[[], datetime],
        submit: Callable[[Coroutine[Any, Any, None]], None],
        tell: Callable[[], None],
        asking: Asking,
    ) -> None:
        """``submit`` has work done in the sending loop, ``tell`` wakes the worker."""
        self._database, self._channel, self._owner, self._clock = database, channel, owner, clock
        self._submit, self._tell, self._asking = submit, tell, asking
        self._said: deque[tuple[str, Receipt | Inbound]] = deque()
        self._strangers: deque[_Stranger] = deque()
        self._try_strangers_at = 0.0
        self._ask_at = 0.0
        self._asked_until: dict[str, int] = {}
        self._silent: set[str] = set()  # logins that cannot be asked

    def listen(self) -> None:
        """Begin to listen, and look at the accounts."""
        self._submit(self._channel.listen(self._hear))
        self._submit(self._channel.refresh())

    def step(self) -> bool:
        """Write what was heard, and ask where it is time; True where there is more to write."""
        at = time.monotonic()
        if self._said or (self._strangers and at >= self._try_strangers_at):
            self._write(at)
        if at >= self._ask_at:
            self._ask_at = at + self._asking.every.total_seconds() / 2
            for login in sorted(self._channel.logins.keys() - self._silent):
                self._ask(login)
        return bool(self._said)

    def _hear(self, login: str, said: Sequence[Receipt | Inbound]) -> None:
        """Called from the sending loop."""
        self._said.extend((login, one) for one in said)
        self._tell()

    def _write(self, at: float) -> None:
        said = [self._said[number] for number in range(min(500, len(self._said)))]
        waiting = [stranger.receipt for stranger in self._strangers]
        now = self._clock()
        try:
            strangers = self._put_down(said, waiting, now)
        except Exception as fault:
            if may_pass(fault):
                raise  # nothing is lost: all of it is written when the database is back
            strangers = self._one_by_one(said, waiting, now)
        for _ in said:  # only now: what the database did not take just now is written later
            self._said.popleft()
        until = {id(stranger.receipt): stranger.until for stranger in self._strangers}
        kept = [_Stranger(one, until.get(id(one), at + PATIENCE)) for one in strangers]
        self._strangers = deque(stranger for stranger in kept if stranger.until > at)
        self._try_strangers_at = at + _TRY_STRANGERS_EVERY
        for login, heard in said:
            if isinstance(heard, Receipt) and (one := told(login, heard)):
                metrics.RECEIPTS.labels(one.login, one.state).inc()
        if len(kept) > len(self._strangers):
            log.warning("receipts_of_strangers", count=len(kept) - len(self._strangers))

    def _put_down(
        self, said: Sequence[tuple[str, Receipt | Inbound]], waiting: Sequence[ReceiptTold], now: datetime
    ) -> Sequence[ReceiptTold]:
        """Write all of it in one transaction; those receipts that name no text of ours."""
        receipts = [
            receipt for login, one in said if isinstance(one, Receipt) if (receipt := told(login, one))
        ]
        with self._database.write() as tx:
            for login, one in said:  # members are locked before their texts, everywhere
                if isinstance(one, Inbound):
                    self._answer(tx, login, one, now)
            heard = texts.hear(tx, [*waiting, *receipts], now=now)
            cascade.heard(tx, {*heard.changed, *heard.priced}, now)
            return heard.strangers

    def _one_by_one(
        self, said: Sequence[tuple[str, Receipt | Inbound]], waiting: Sequence[ReceiptTold], now: datetime
    ) -> list[ReceiptTold]:
        """Write what can be written, each by itself: what is refused would stop all that comes after it."""
        strangers: list[ReceiptTold] = []
        for alone in [*(((one,), ()) for one in said), *(((), (one,)) for one in waiting)]:
            try:
                strangers += self._put_down(*alone, now)
            except Exception as fault:
                if may_pass(fault):
                    raise
                metrics.FAULTS.labels("receipt").inc()
                login = alone[0][0][0] if alone[0] else alone[1][0].login
                # Its words and its number stay out of the log.
                log.error("receipt_dropped", login=login, fault=type(fault).__name__)  # noqa: TRY400
        return strangers

    def _answer(self, tx: Tx, login: str, inbound: Inbound, now: datetime) -> None:
        """A guest wrote to us: a stop word withdraws consent for every brand that texts by this login."""
        if not asks_to_stop(inbound.text):
            return
        ended = consents.hear_stop(
            tx, login, _brands_of(tx, self._channel, login), inbound.number, text=inbound.text, now=now
        )
        log.info("consent_withdrawn", login=login, members=ended)

    def _ask(self, login: str) -> None:
        """Have the next texts of a login asked for, where this turn is ours."""
        now = self._clock()
        slot = jobs.slot_of(now, self._asking.every)
        with self._database.read() as tx:
            after = self._asked_until.get(login, 0)
            before = now - self._asking.silent_for
            silent = texts.to_ask(tx, login, accepted_before=before, limit=self._asking.most, after=after)
            unpriced = texts.to_price(tx, login, now=now, limit=self._asking.most)
        self._asked_until[login] = silent[-1].id if len(silent) == self._asking.most else 0
        if not (silent or unpriced):
            return
        kind = f"ask:{login}"
        with self._database.write() as tx:
            if not jobs.take(tx, kind, slot, owner=self._owner, now=now, lease=_LEASE):
                return
            jobs.finish(tx, kind, slot, owner=self._owner, now=now)
            texts.prices_asked(tx, unpriced, now=now)
        self._submit(self._channel.ask(login, [*silent, *unpriced], self._hear, self._silent.add))


def _brands_of(tx: Tx, channel: TextChannel, login: str) -> list[BrandId]:
    """Brands that send by this login today; one that is named in the file and not made yet is nobody's."""
    found = []
    for slug, brand in channel.brands.items():
        if brand.login == login:
            with suppress(NotFound):
                found.append(brands.brand_by_slug(tx, slug).id)
    return found
