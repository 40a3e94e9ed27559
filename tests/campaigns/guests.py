"""A brand with guests who have cards on phones and agreed to advertising, for tests of campaigns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select

from app.campaigns import lifecycle, work
from app.campaigns.assignment import in_canary
from app.campaigns.plan import Arm, Plan
from app.campaigns.store_campaigns import Campaign, Kind
from app.campaigns.store_recipients import Due
from app.campaigns.tables import recipient
from app.db import Database, Tx
from app.db.identifiers import (
    BrandId,
    CampaignId,
    DeviceLibraryIdentifier,
    MemberId,
    PassTypeIdentifier,
    PushToken,
)
from app.loyalty import enrolment
from app.loyalty.enrolment import Enrolment
from app.passes import evidence, issuing, registrations
from app.passes.content import LocalizedText
from app.passes.evidence import Fetch
from tests.loyalty import town
from tests.loyalty.town import ADVERTISING, DATA, NOW, Town

HOUR = timedelta(hours=1)
LINE = LocalizedText("{name|Гость}, кофе за полцены", "{name|Guest}, coffee at half price")
ACTOR = "test"


def plan(**changed: object) -> Plan:
    """One line to everybody at once, nobody held out, unless it is ``changed``."""
    usual = {"arms": (Arm(name="one", line=LINE),), "holdout": 0, "canary_minutes": None}
    return Plan(**(usual | changed))  # type: ignore[arg-type]


def add(
    tx: Tx,
    place: Town,
    *,
    agrees: bool = True,
    phone: bool = True,
    number: str | None = None,
    name: str | None = "Анна",
    at: datetime = NOW,
) -> Enrolment:
    """A guest; ``phone``: with the card on an iPhone."""
    asked = replace(
        town.request(place, None, name=name),
        consents=(DATA, replace(ADVERTISING, granted=agrees)),
        phone=number,
    )
    made = enrolment.enrol(tx, asked, now=at)
    if phone:
        register(tx, place, made)
    return made


def register(tx: Tx, place: Town, made: Enrolment) -> None:
    """The card is on an iPhone of its own."""
    registrations.register(
        tx,
        device_library_identifier=DeviceLibraryIdentifier(f"phone of {made.member_id}"),
        pass_type_identifier=PassTypeIdentifier(place.brand.pass_type_identifier),
        pass_id=made.pass_id,
        push_token=PushToken(f"token{made.member_id}"),
        now=NOW,
    )
    fetch(tx, made, at=NOW)  # the welcome was seen


def fetch(tx: Tx, made: Enrolment, *, at: datetime) -> None:
    """The phone comes for what the card says now."""
    now = issuing.wallet_pass(tx, made.pass_id)
    evidence.record(tx, [Fetch(made.pass_id, now.version, now.last_modified, at)])


def no_texts(tx: Tx, campaign: Campaign, due: Sequence[Due], now: datetime) -> None:
    """Nobody is texted in these tests."""
    raise AssertionError(f"{len(due)} texts of {campaign.name}")


def begun(
    tx: Tx,
    brand_id: BrandId,
    written: Plan,
    *,
    name: str = "Half",
    kind: Kind = "advertising",
    now: datetime = NOW,
) -> CampaignId:
    """A campaign that was sent."""
    made = lifecycle.create(tx, brand_id, name, written, kind=kind, now=now, actor=ACTOR)
    lifecycle.begin(tx, brand_id, made, now=now, actor=ACTOR)
    return made


def salt_with_canaries(guests: Sequence[MemberId], wanted: int) -> bytes:
    """A salt by which so many of these guests, and not all, go first."""
    for number in range(100_000):
        salt = number.to_bytes(16, "big")
        if sum(in_canary(salt, one) for one in guests) == wanted:
            return salt
    raise AssertionError("no such salt")


def work_at(database: Database, now: datetime, *, limit: int = 200) -> int:
    """What a worker does at that moment, until nothing is left; returns how many steps it took."""
    steps = 0
    while True:
        with database.write() as tx:
            if not work.is_due(tx, now):
                return steps
            assert work.step(tx, no_texts, now=now, limit=limit)
        steps += 1


@dataclass(frozen=True, slots=True)
class Seen:
    """A recipient's row."""

    arm: int | None
    state: str
    because: str | None
    contact_at: datetime | None


def recipients(tx: Tx, campaign_id: CampaignId) -> dict[MemberId, Seen]:
    """All of them."""
    columns = recipient.c
    rows = tx.execute(
        select(columns.member_id, columns.arm, columns.state, columns.because, columns.contact_at).where(
            columns.campaign_id == campaign_id
        )
    )
    return {row.member_id: Seen(row.arm, row.state, row.because, row.contact_at) for row in rows}
