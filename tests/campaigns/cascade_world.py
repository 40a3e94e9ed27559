"""A brand that sends campaigns: guests with phones, pushes that Apple takes or not, a login for texts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update

from app.campaigns import cascade, fallback, lifecycle, work
from app.campaigns.fallback import Texting
from app.campaigns.plan import Arm, Plan
from app.campaigns.store_campaigns import Campaign, Kind
from app.campaigns.tables import campaign, recipient
from app.db import Database, Tx
from app.db.identifiers import (
    CampaignId,
    DeviceId,
    DeviceLibraryIdentifier,
    GoogleIssuerId,
    MemberId,
    OfferId,
    PushToken,
    WalletPassId,
)
from app.delivery import google, queue, texts
from app.delivery.budget import Policy
from app.delivery.google_promises import GoogleOutcome, GoogleVerdict
from app.delivery.pace import Pace
from app.delivery.promises import Outcome, Verdict
from app.delivery.tables import delivery
from app.delivery.texts import ReceiptTold
from app.loyalty import enrolment
from app.loyalty.enrolment import EnrolmentRequest
from app.loyalty.tables import enrolment as cards
from app.loyalty.tables import member
from app.passes import announcing, evidence, issuing, registrations
from app.passes.content import LocalizedText
from app.passes.evidence import Fetch
from app.passes.google_tables import google_object
from app.sms.book import BrandTexts, Login, PriceRule, SmsBook
from app.worker.text_carrier import TextCarrier
from app.worker.text_channel import TextChannel
from app.worker.text_parcels import TextAnswered, TextLogin, TextReady
from tests.loyalty import town
from tests.loyalty.town import ADVERTISING, DATA, NOW
from tests.worker.text_gateway import Fate, GatewayServer, LineGateway, Taken

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LEASE = timedelta(seconds=30)
PRICE = 400
ISSUER = GoogleIssuerId("3388000000000000001")
LINE = LocalizedText("{name|гость}, скидка 20 %", "{name|guest}, 20 % off")
BOLD = Policy(receipt=1e9, campaign=1e9, coalesce=timedelta(0))
"""Nothing is held back by the phone's budget."""
PLAN = Plan(
    arms=(Arm(name="one", line=LINE),),
    holdout=0,
    canary_minutes=None,
    texts_to="unreached_and_cardless",
    most_texts=1000,
)


def book(slug: str = "cup", *, prices: Sequence[PriceRule] = (PriceRule("+", PRICE, "RUB"),)) -> SmsBook:
    login = Login(
        name="main", gateway="smsc", url="https://sms.example", ca=None, sender="CUP", rate=1000.0, burst=100,
        secrets={}, receipts_secret=None, prices=tuple(prices), low_balance=None,
    )  # fmt: skip
    texts = BrandTexts(brand=slug, login="main", countries=("RU",), codes_a_day=10, budget_a_day=10_000)
    return SmsBook({"main": login}, {slug: texts})


@dataclass
class World:
    """One campaign; its clock is told."""

    database: Database
    plan: Plan = PLAN
    kind: Kind = "advertising"
    texting: Texting = field(default_factory=lambda: Texting(book()))
    now: datetime = NOW
    slug: str = "cup"

    def __post_init__(self) -> None:
        with self.database.write() as tx:
            self.town = town.build(tx, town.BONUS, slug=self.slug)
        self.guests: list[MemberId] = []
        self.id = CampaignId(0)

    # Before

    def guest(
        self, *, phone: str | None = "", iphone: bool = True, consents: bool = True, name: str | None = "Анна"
    ) -> MemberId:
        """``phone`` "": a number of its own."""
        with self.database.write() as tx:
            made = enrolment.enrol(tx, self.form(consents=consents, name=name), now=NOW)
            number = f"+7900{made.member_id:07d}" if phone == "" else phone
            tx.execute(update(member).where(member.c.id == made.member_id).values(phone=number))
            if iphone:
                self.register(tx, made.pass_id)
        if iphone:
            self.fetch(made.member_id)
        self.guests.append(made.member_id)
        return made.member_id

    def form(self, *, consents: bool = True, name: str | None = "Анна") -> EnrolmentRequest:
        return EnrolmentRequest(
            programme_id=self.town.programme.id,
            venue_id=self.town.venue.id,
            visit_id=None,
            name=name,
            language="ru",
            consents=(DATA, replace(ADVERTISING, granted=consents)),
        )

    def register(self, tx: Tx, pass_id: WalletPassId) -> DeviceId:
        card = issuing.wallet_pass(tx, pass_id)
        made = registrations.register(
            tx,
            device_library_identifier=DeviceLibraryIdentifier(f"phone of {self.slug} {pass_id}"),
            pass_id=pass_id,
            pass_type_identifier=card.pass_type_identifier,
            push_token=PushToken(f"{pass_id:08x}"),
            now=self.now,
        )
        return made.device_id

    def begin(self, offer_id: OfferId | None = None) -> None:
        """Send it, and speak to everybody."""
        with self.database.write() as tx:
            brand = self.town.brand.id
            self.id = lifecycle.create(
                tx, brand, "Offer", self.plan, kind=self.kind, offer_id=offer_id, now=self.now, actor="test"
            )
            lifecycle.begin(tx, brand, self.id, now=self.now, actor="test")
        self.send()

    # Steps of the worker

    def send(self) -> None:
        def text_now(tx: Tx, of: Campaign, rows: Any, now: datetime) -> None:
            fallback.text_now(tx, of, rows, now, texting=self.texting)

        while True:
            with self.database.write() as tx:
                if not work.step(tx, text_now, now=self.now):
                    return

    def look(self, *, limit: int = 200, crash: bool = False) -> int:
        """Steps of the cascade until there is nothing to do; ``crash``: of each, nothing is left."""
        looked = 0
        while True:
            try:
                with self.database.write() as tx:
                    count = cascade.step(tx, self.texting, now=self.now, limit=limit)
                    if crash:
                        raise ZeroDivisionError
            except ZeroDivisionError:
                return looked
            looked += count
            if not count:
                return looked

    def push(self, verdict: Verdict = "accepted") -> int:
        """Pushes that are due leave, and are answered so."""
        with self.database.write() as tx:
            claim = queue.claim(tx, owner="pusher", now=self.now, lease=LEASE, policy=BOLD)
            queue.begin_attempts(tx, claim.claimed, now=self.now)
        with self.database.write() as tx:
            answers = [
                Outcome(claimed=one, verdict=verdict, status=200, reason=None) for one in claim.claimed
            ]
            queue.settle(tx, "pusher", answers, now=self.now)
        return len(claim.claimed)

    def turns(self) -> None:
        """What periodic work does to messages."""
        with self.database.write() as tx:
            announcing.expire(tx, now=self.now)
            announcing.advance(tx, now=self.now)

    def hold_at_google(self, member_id: MemberId) -> None:
        """The guest has the card in Google Wallet."""
        with self.database.write() as tx:
            tx.execute(
                insert(google_object).values(
                    pass_id=self.pass_of(tx, member_id),
                    brand_id=self.town.brand.id,
                    issuer_id=ISSUER,
                    resource_id=f"{ISSUER}.{member_id}",
                    has_users=True,
                    inserted_at=NOW,
                    first_saved_at=NOW,
                    created_at=NOW,
                )
            )

    def tell_google(self, verdict: GoogleVerdict, reason: str) -> None:
        """Changes that are due leave, and are answered so."""
        with self.database.write() as tx:
            claimed = google.claim(
                tx, owner="teller", issuer_id=ISSUER, brands=[self.town.brand.id],
                pace=Pace(1000.0, 100), now=self.now, lease=LEASE, limit=100,
            )  # fmt: skip
            google.begin_attempts(tx, claimed, now=self.now)
        with self.database.write() as tx:
            answers = [GoogleOutcome(claimed=one, verdict=verdict, reason=reason) for one in claimed]
            google.settle(tx, "teller", answers, now=self.now)

    def fetch(self, member_id: MemberId) -> None:
        """The guest's phone comes for the card as it is."""
        with self.database.write() as tx:
            card = issuing.wallet_pass(tx, self.pass_of(tx, member_id))
            evidence.record(tx, [Fetch(card.id, card.version, card.last_modified, self.now)])

    def wait(self, span: timedelta) -> None:
        self.now += span

    # Texts

    def carrier(self, server: GatewayServer, owner: str = "texter") -> TextCarrier:
        channel = self.channel(server)
        return TextCarrier(self.database, channel, owner=owner, clock=lambda: self.now, lease=LEASE)

    def channel(self, server: GatewayServer) -> TextChannel:
        gateway = LineGateway(server.port, asks=True)
        return TextChannel({"main": TextLogin(gateway=gateway, rate=1000, burst=100)})

    def claim(self, server: GatewayServer, owner: str = "texter") -> tuple[TextReady, ...]:
        return self.carrier(server, owner).take(500).ready

    def text(self, server: GatewayServer, fates: Sequence[Fate] = (), *, settles: bool = True) -> int:
        """Texts that are due leave, and what the gateway answers is written."""
        carrier = self.carrier(server)
        ready = carrier.take(500).ready
        answers: list[TextAnswered] = []
        server.ledger.fates.extend(fates)
        self.exchange(server, ready, answers)
        server.ledger.fates.clear()
        if settles:
            carrier.settle(carrier.hear(answers))
        return len(ready)

    def exchange(
        self, server: GatewayServer, ready: Sequence[TextReady], answers: list[TextAnswered]
    ) -> None:
        asyncio.run(self.channel(server).send(ready, answers.extend))

    def receipt(self, text: Taken, *, good: bool = True) -> None:
        """The gateway tells, twice, as its connection does in the worker."""
        told = ReceiptTold(
            login="main",
            state="delivered" if good else "undelivered",
            reason="" if good else "absent",
            provider_id=text.provider_id,
            reference=text.reference,
            price=text.cost,
            currency="RUB",
        )
        with self.database.write() as tx:
            hearing = texts.hear(tx, [told, told], now=self.now)
            cascade.heard(tx, {*hearing.changed, *hearing.priced}, self.now)

    # What there is

    def pass_of(self, tx: Tx, member_id: MemberId) -> WalletPassId:
        found = tx.scalar(
            select(cards.c.pass_id).where(cards.c.member_id == member_id, cards.c.ended_at.is_(None))
        )
        assert found is not None
        return WalletPassId(found)

    def row(self, member_id: MemberId) -> Any:
        with self.database.read() as tx:
            asked = select(recipient).where(recipient.c.campaign_id == self.id)
            return tx.execute(asked.where(recipient.c.member_id == member_id)).one()

    def rows(self) -> list[Any]:
        with self.database.read() as tx:
            return list(tx.execute(select(recipient).where(recipient.c.campaign_id == self.id)))

    def state(self, member_id: MemberId) -> tuple[str, str | None]:
        row = self.row(member_id)
        return row.state, row.because

    def campaign(self) -> Any:
        with self.database.read() as tx:
            return tx.execute(select(campaign).where(campaign.c.id == self.id)).one()

    def texts(self) -> list[Any]:
        with self.database.read() as tx:
            return list(
                tx.execute(select(delivery).where(delivery.c.channel == "sms").order_by(delivery.c.id))
            )

    def halt(self, verb: str) -> None:
        with self.database.write() as tx:
            known = {"pause": lifecycle.pause, "resume": lifecycle.resume, "cancel": lifecycle.cancel}
            known[verb](tx, self.town.brand.id, self.id, now=self.now, actor="test")
