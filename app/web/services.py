"""What the parts of the web are given to work with; made once by bootstrap."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from app.db import Database, Tx
from app.db.identifiers import BrandId, GoogleIssuerId, WalletPassId
from app.passes.google_cards import HolderChange
from app.passes.press import Press
from app.passes.sealing import Safe

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from app.google.callback_roots import RootKey
    from app.google.credentials import ServiceAccount
    from app.sms.book import SmsBook
    from app.sms.gateway import Gateway


class Bell(Protocol):
    """Wakes the worker; never raises, since the row is written and a poll finds it anyway."""

    def ring(self) -> None:
        """Tell the worker that something is due."""


class GoogleAccounts(Protocol):
    """The brands' accounts with Google, as they are now."""

    def issuer_of(self, brand_id: BrandId, /) -> GoogleIssuerId | None:
        """Under whom the brand's cards are; None where it has no account that works."""

    def account(self, brand_id: BrandId, /) -> ServiceAccount | None:
        """Who signs the brand's links."""

    def issuers(self) -> frozenset[str]:
        """All that callbacks may be for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleSide:
    """What the web needs of Google Wallet; who changes cards there is the worker."""

    accounts: GoogleAccounts
    callback_roots: Callable[[datetime], Sequence[RootKey]]  # fetched where too old; empty while unknown
    save_url: str  # what a save link begins with
    changed: Callable[[Tx, Sequence[HolderChange], datetime], None]  # somebody holds a card, or nobody does


class Finding(Protocol):
    """What was found of one thing that was looked at; ``verdict`` is ok, warning or fault."""

    @property
    def subject(self) -> str:
        """What was looked at."""

    @property
    def verdict(self) -> str:
        """How it is."""

    @property
    def words(self) -> str:
        """What is, and for a fault what to do."""

    @property
    def brand(self) -> str | None:
        """The slug of the brand that it concerns."""


def _nothing(*_asked: object) -> Sequence[Finding]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Collaborators and settings of the web edge."""

    database: Database
    press: Press
    wakeup: Bell
    clock: Callable[[], datetime]  # aware, UTC
    build_pass: Callable[[Tx, WalletPassId], bytes]  # the signed .pkpass as it is now
    evidence_age: Callable[[datetime], timedelta]  # how old the oldest fetch not yet recorded is
    public_url: str  # without a trailing slash
    secret_key: bytes  # signs links and visits
    pass_key: bytes  # derives authentication tokens
    rate_limit_storage: str = "memory://"  # "redis://…" where several processes share the limits
    metrics_token: str = ""
    trusted_proxies: int = 0
    badges_dir: Path | None = None  # the wallets' own artwork, where the operator put it
    threads: int = 4  # requests that are worked on at a time
    sms_book: SmsBook | None = None  # who sends texts, and by which login; None: nobody
    gateways: Mapping[str, Gateway] = field(default_factory=dict)  # by login
    templates_dir: Path = Path(__file__).parents[2] / "pass_templates"  # folders of card templates
    authorities: tuple[Certificate, ...] = ()  # whose certificates count as Apple's: a sandbox's alone
    examine: Callable[[datetime, bool], Sequence[Finding]] = _nothing  # the installation; also from outside?
    google: GoogleSide | None = None  # None: no cards at Google
    google_rate: float = 20.0  # requests a second of an issuer
    alarms: Callable[[Tx, str | None, datetime], Sequence[Finding]] = _nothing  # now, of a brand or of all

    @property
    def safe(self) -> Safe:
        """What opens and closes the keys of certificates that were uploaded."""
        return Safe.of(self.pass_key, authorities=self.authorities)
