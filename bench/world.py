"""A chain with any number of guests, in minutes: what benchmarks measure the service on.

Everything that is few (brand, venues, programme, design, install links, point-of-sale keys) is made by the
production verbs from ``docs/chain.example.toml``; guests, of whom there may be a million, are written in bulk
by :mod:`bench.guests`. Their identifiers follow from their numbers (:mod:`bench.identities`).

With real processes: load an :class:`~tests.flows.installation.Installation`'s chain, then :func:`move_into`
before it is started. Without: :func:`build` on any migrated database.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from sqlalchemy import Table

from app.accounts import brands
from app.commands.chain_file import read_chain
from app.commands.chain_load import Surroundings, load_chain
from app.db import Database, connect
from app.db.identifiers import (
    CardCode,
    DeviceId,
    DeviceLibraryIdentifier,
    EnrolmentId,
    PassTypeIdentifier,
    PushToken,
    SerialNumber,
    WalletPassId,
)
from app.loyalty import programmes
from app.loyalty.tables import enrolment
from app.passes import designs, store_tags, tokens
from app.passes.tables import device, tag_counter, wallet_pass
from app.places import links, venues
from bench import bulk, identities
from bench.guests import TABLES, Ground, Guests
from tests.flows.installation import Installation

ROOT = Path(__file__).parents[1]
CHAIN = ROOT / "docs" / "chain.example.toml"
BRAND, PROGRAMME, VENUE, TILL = "pechka", "club", "nevsky", "till 1"
CHUNK = 5_000
"""Guests at a time: what bounds memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Guests number 0 to ``passes`` − 1, each with one card of one programme on one phone.

    It can be sent to other processes: whatever it tells follows from its few values.
    """

    passes: int
    brand: str
    programme: str
    pass_type_identifier: PassTypeIdentifier
    till_key: str  # of one of the brand's venues: it may ring up any guest
    install_link_code: str
    first_pass: int
    first_device: int
    first_enrolment: int

    def serial_number(self, number: int) -> SerialNumber:
        """Of guest ``number``'s card."""
        return identities.serial_number(number)

    def device_library_identifier(self, number: int) -> DeviceLibraryIdentifier:
        """Of guest ``number``'s phone."""
        return identities.device_library_identifier(number)

    def push_token(self, number: int) -> PushToken:
        """Of guest ``number``'s phone."""
        return identities.push_token(number)

    def card_code(self, number: int) -> CardCode:
        """What a till reads off guest ``number``'s card."""
        return identities.card_code(number)

    def authentication_token(self, number: int, pass_key: bytes) -> str:
        """What guest ``number``'s phone sends; ``pass_key`` is the installation's, out of its directory."""
        return tokens.authentication_token(pass_key, self.pass_type_identifier, self.serial_number(number), 1)

    def pass_id(self, number: int) -> WalletPassId:
        """Our row of guest ``number``'s card."""
        return WalletPassId(self.first_pass + number)

    def device_id(self, number: int) -> DeviceId:
        """Our row of guest ``number``'s phone."""
        return DeviceId(self.first_device + number)

    def enrolment_id(self, number: int) -> EnrolmentId:
        """Our row of guest ``number`` in the programme."""
        return EnrolmentId(self.first_enrolment + number)


def build(database: Database, passes: int, *, history: bool = True, now: datetime | None = None) -> World:
    """Load the example chain into a migrated, empty database and fill it; see :func:`fill`.

    The brand's certificates are only named: processes that sign need an installation (:func:`move_into`).
    """
    for room in ("accounts", "places", "delivery", "passes", "loyalty"):
        import_module(f"app.{room}.tables")
    now = now or datetime.now(UTC)
    report = load_chain(
        database, read_chain(CHAIN), Surroundings(CHAIN.parent, ROOT / "pass_templates", now, "bench")
    )
    if report.faults:
        raise ValueError("\n".join(report.faults))
    secret = next(k.secret for k in report.keys if (k.brand, k.venue, k.name) == (BRAND, VENUE, TILL))
    return fill(database, passes, till_key=secret, history=history, now=now)


def move_into(installation: Installation, passes: int, *, history: bool = True) -> World:
    """Fill the database of an installation whose chain is loaded, and which is not running yet."""
    url = installation.database_url or f"sqlite:///{installation.directory / 'data' / 'perkpass.db'}"
    database = connect(url)
    try:
        return fill(database, passes, till_key=installation.keys[VENUE, TILL], history=history)
    finally:
        database.close()


def fill(
    database: Database, passes: int, *, till_key: str, history: bool = True, now: datetime | None = None
) -> World:
    """Add ``passes`` guests to the chain's first programme; once per database.

    Every guest has a member, consents, an enrolment with a balance, a card in its second version, a phone
    with a registration, and a receipt with its ledger entry and lot; with ``history`` also what the phone
    proved, and the accepted push of the receipt with its attempt and what it used of the phone's patience.
    """
    now = now or datetime.now(UTC)
    with database.read() as tx:
        brand = brands.brand_by_slug(tx, BRAND)
        programme = programmes.programme_by_slug(tx, brand.id, PROGRAMME)
        link = next(one for one in links.links_of_brand(tx, brand.id) if one.programme_id == programme.id)
        open_venues = venues.open_venues(tx, brand.id)
        design_id = designs.newest_id(tx, programme.id)
    with database.write() as tx:
        tag = store_tags.next_tag(tx, brand.pass_type_identifier)
        # Every card was issued with a tag and changed with the next.
        tx.execute(
            tag_counter.update()
            .where(tag_counter.c.pass_type_identifier == brand.pass_type_identifier)
            .values(value=tag + 2 * passes)
        )
    ground = Ground(brand, programme, open_venues, design_id, first_tag=tag + 1)
    with bulk.loading(database) as loader:
        first = _load(loader, ground, passes, now, history=history)
    return World(
        passes=passes,
        brand=BRAND,
        programme=PROGRAMME,
        pass_type_identifier=brand.pass_type_identifier,
        till_key=till_key,
        install_link_code=link.code,
        first_pass=first[wallet_pass],
        first_device=first[device],
        first_enrolment=first[enrolment],
    )


def _load(
    loader: bulk.Loader, ground: Ground, passes: int, now: datetime, *, history: bool
) -> dict[Table, int]:
    first = {table: loader.next_id(table) for table in TABLES if "id" in table.c}
    tables = Guests(ground, passes, first, now).tables(history=history)
    for begin in range(0, passes, CHUNK):
        numbers = range(begin, min(passes, begin + CHUNK))
        for table, (columns, rows) in tables.items():
            loader.load(table, columns, rows(numbers))
    loader.finish(tables)
    return first
