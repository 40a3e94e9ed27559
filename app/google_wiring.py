"""Wiring of Google Wallet: the brands' accounts in, clients and what worker and web need of Google out.

Accounts are read anew every few seconds, so that a key that was uploaded, or a file that was replaced, counts
without a restart. The clients are imported where they are needed: who has no cards at Google need not keep
them in memory.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from app.db import Database, Tx
from app.db.identifiers import BrandId, GoogleIssuerId, WalletPassId
from app.errors import Misconfigured
from app.passes import google_accounts
from app.passes.google_addresses import Addresses
from app.passes.google_cards import HolderChange
from app.passes.google_press import GooglePress
from app.passes.sealing import Safe
from app.passes.store_google_accounts import AccountRow
from app.settings import Settings

if TYPE_CHECKING:
    from app.google.callback_keys import CallbackKeys
    from app.google.client import GoogleWallet
    from app.google.credentials import ServiceAccount
    from app.keyring import Keys
    from app.web.services import GoogleSide
    from app.worker.google_lane import GoogleWork
    from app.worker.google_parcels import GoogleAccount

LOOK_EVERY: Final = 5.0
"""Seconds between two looks at the accounts."""
log = structlog.get_logger()
Changed = Callable[[Tx, Sequence[HolderChange], datetime], None]
_Mark = tuple[AccountRow, tuple[int, ...] | None]


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """The accounts at one moment."""

    issuer_of: Mapping[BrandId, GoogleIssuerId]  # of brands whose account can be read
    accounts: Mapping[BrandId, ServiceAccount]
    issuers: frozenset[str]  # all, also where no key can be read


class Accounts:
    """The accounts of this installation's brands, for any number of threads."""

    def __init__(self, database: Database, safe: Safe, *, every: float = LOOK_EVERY) -> None:
        """Read at most ``every`` so many seconds; nothing is read before somebody asks."""
        self._database, self._safe, self._every = database, safe, every
        self._lock = threading.Lock()
        self._read_at = -float("inf")
        self._snapshot = _Snapshot({}, {}, frozenset())
        self._opened: dict[_Mark, ServiceAccount | None] = {}

    def issuer_of(self, brand_id: BrandId) -> GoogleIssuerId | None:
        """Under whom the brand's cards are at Google; None where it has no account that works."""
        return self._now().issuer_of.get(brand_id)

    def account(self, brand_id: BrandId) -> ServiceAccount | None:
        """Who writes the brand's cards, and signs their links."""
        return self._now().accounts.get(brand_id)

    def present(self) -> _Snapshot:
        """All that can be read; the same object as long as none of them changes."""
        return self._now()

    def issuers(self) -> frozenset[str]:
        """All that callbacks may be for, whether or not their keys can be read just now."""
        return self._now().issuers

    def _now(self) -> _Snapshot:
        # Who comes while another looks goes on with what is known; before the first look is over they wait.
        if self._is_fresh() or not self._lock.acquire(blocking=self._read_at < 0):
            return self._snapshot
        try:
            if not self._is_fresh():
                self._look()
                self._read_at = time.monotonic()
        finally:
            self._lock.release()
        return self._snapshot

    def _is_fresh(self) -> bool:
        return time.monotonic() - self._read_at < self._every

    def _look(self) -> None:
        with self._database.read() as tx:
            rows = google_accounts.every(tx)
        marks = [(row, _stamp(row)) for row in rows]
        if marks == list(self._opened):
            return
        self._opened = {mark: self._open(mark) for mark in marks}
        accounts = {
            row.brand_id: account for (row, _), account in self._opened.items() if account is not None
        }
        self._snapshot = _Snapshot(
            {row.brand_id: row.issuer_id for row in rows if row.brand_id in accounts},
            accounts,
            frozenset(row.issuer_id for row in rows),
        )

    def _open(self, mark: _Mark) -> ServiceAccount | None:
        if known := self._opened.get(mark):
            return known
        row, _ = mark
        try:
            return google_accounts.open_account(self._safe, row)
        except Misconfigured as fault:
            log.error("google_account_unusable", issuer=row.issuer_id, faults=fault.faults)  # noqa: TRY400
            return None


def _stamp(row: AccountRow) -> tuple[int, ...] | None:
    """What changes when a file does, or who may read it; None for keys that lie elsewhere, or nowhere."""
    scheme, _, place = row.credentials.partition(":")
    if scheme != "file":
        return None
    try:
        found = Path(place).stat()
    except OSError:
        return None
    return found.st_ctime_ns, found.st_mtime_ns, found.st_size, found.st_ino


def make_press(settings: Settings, keys: Keys) -> GooglePress:
    """What makes the bodies of classes and objects, with this installation's addresses."""
    from app.web.links import Links

    links = Links(keys.secret_key, settings.public_url)

    def withdrawal(pass_id: WalletPassId, key_version: int) -> str:
        return links.stop_url(pass_id, key_version)

    return GooglePress(Addresses(settings.public_url.rstrip("/"), withdrawal))


def open_wallet(settings: Settings, account: ServiceAccount, *, at_once: int = 8) -> GoogleWallet:
    """The client of one account, asked nothing yet."""
    from app.google.client import GoogleWallet
    from app.google.tokens import Tokens
    from app.outward import Patience

    tokens = Tokens(account, url=settings.google_token_url, within=settings.google_timeout_seconds)
    patience = Patience(turn=5.0, connect=5.0, exchange=settings.google_timeout_seconds)
    return GoogleWallet(tokens, url=settings.google_wallet_url, at_once=at_once, patience=patience)


def make_side(settings: Settings, accounts: Accounts, *, changed: Changed) -> GoogleSide:
    """What the web needs of Google; asks nobody yet."""
    from app.web.services import GoogleSide

    @cache
    def keys() -> CallbackKeys:
        from app.google.callback_keys import CallbackKeys

        return CallbackKeys(
            url=settings.google_callback_keys_url,
            tell=lambda fault: log.warning("google_callback_keys_unavailable", fault=fault),
        )

    return GoogleSide(
        accounts=accounts,
        callback_roots=lambda now: keys().roots(now),
        save_url=settings.google_save_url,
        changed=changed,
    )


def make_work(settings: Settings, accounts: Accounts, press: GooglePress, *, changed: Changed) -> GoogleWork:
    """What a worker carries changes to Google with; idle while no brand has an account."""
    from app.worker.google_channel import GoogleChannel
    from app.worker.google_lane import GoogleWork

    return GoogleWork(GoogleChannel({}), press, changed, WorkerAccounts(settings, accounts))


class WorkerAccounts:
    """A worker's clients, one for a brand; the same as long as its account is."""

    def __init__(self, settings: Settings, accounts: Accounts) -> None:
        self._settings, self._accounts = settings, accounts
        self._of: _Snapshot | None = None
        self._made: dict[BrandId, tuple[ServiceAccount, GoogleAccount]] = {}
        self._current: Mapping[BrandId, GoogleAccount] = {}

    def __call__(self) -> Mapping[BrandId, GoogleAccount]:
        """All of them now; another object where anything changed."""
        from app.worker.google_parcels import GoogleAccount

        present = self._accounts.present()
        if present is self._of:
            return self._current
        made = {}
        for brand, account in present.accounts.items():
            known, issuer = self._made.get(brand), present.issuer_of[brand]
            if known is None or known[0] is not account or known[1].issuer_id != issuer:
                wallet = open_wallet(self._settings, account, at_once=32)
                rate = self._settings.google_requests_per_second
                known = account, GoogleAccount(issuer, wallet, rate)
            made[brand] = known
        self._of, self._made = present, made
        self._current = {brand: one for brand, (_, one) in made.items()}
        return self._current
