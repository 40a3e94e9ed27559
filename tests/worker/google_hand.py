"""A brand whose cards are at Google's stand-in, and one worker's hands, beat by beat, over real HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select

from app.accounts.tables import brand
from app.db import Database
from app.db.identifiers import BrandId, GoogleIssuerId, ProgrammeId, WalletPassId
from app.delivery import google
from app.delivery.google_tables import google_notification
from app.delivery.tables import attempt, delivery
from app.google.client import GoogleWallet
from app.google.credentials import parse
from app.google.tokens import Tokens
from app.loyalty.tables import programme
from app.outward import Patience
from app.passes import google_cards, issuing, store_designs
from app.passes.content import LocalizedText, Message, PassContent
from app.passes.google_addresses import Addresses
from app.passes.google_cards import GoogleCard, HolderChange
from app.passes.google_press import GooglePress
from app.passes.google_tables import google_account
from app.passes.issuing import PushKind, Revision
from app.passes.template import read_template
from app.simulators.google import GUEST, ISSUER, RunningGoogle
from app.worker.google_carrier import GoogleCarrier
from app.worker.google_channel import GoogleChannel
from app.worker.google_parcels import GoogleAccount, GoogleAnswered, GoogleReady
from tests.passes import card, templates

NOON = card.NOW
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
LEASE = timedelta(seconds=30)
HASTE = Patience(turn=2.0, connect=1.0, exchange=1.0)
OURS = GoogleIssuerId(ISSUER)


@dataclass
class Cafe:
    """A programme with a published design, at Google."""

    database: Database
    running: RunningGoogle
    account: Mapping[str, Any]
    runner: asyncio.Runner
    template: templates.Name = "bonus_card"
    slug: str = "cafe"
    rate: float | None = None
    now: Any = NOON
    public_url: str = "http://127.0.0.1:9"
    told: list[HolderChange] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.press = GooglePress(
            Addresses(self.public_url, lambda pass_id, _: f"{self.public_url}/s/{pass_id}")
        )
        account = parse(json.dumps(dict(self.account)), source="test")
        self.tokens = Tokens(account, url=self.running.token_url)
        with self.database.write() as tx:
            self.brand_id = BrandId(
                tx.execute(
                    insert(brand)
                    .values(
                        slug=self.slug, name="Берёзка", texts={"ru": {}, "en": {}}, time_zone="Europe/Moscow",
                        currency="RUB", language="ru", pass_type_identifier=card.PASS_TYPE,
                        team_identifier=card.TEAM, credentials="file:nowhere", created_at=NOON,
                    )
                    .returning(brand.c.id)
                ).scalar_one()
            )  # fmt: skip
            self.programme_id = ProgrammeId(
                tx.execute(
                    insert(programme)
                    .values(
                        brand_id=self.brand_id, slug="bonus", kind="bonus", name="Бонусы", rules={},
                        created_at=NOON,
                    )
                    .returning(programme.c.id)
                ).scalar_one()
            )  # fmt: skip
        self.at_google_with("file:somewhere")
        self.channel = GoogleChannel(self.accounts(self.wallet(), self.rate))
        self.carrier = self.hands("me")
        self.publish()

    def at_google_with(self, credentials: str) -> None:
        """Whose key writes the brand's cards."""
        with self.database.write() as tx:
            tx.execute(
                insert(google_account).values(
                    brand_id=self.brand_id, issuer_id=OURS, credentials=credentials, email="a@example.com",
                    changed_at=NOON, changed_by="test",
                )
            )  # fmt: skip

    def accounts(self, wallet: GoogleWallet, rate: float | None) -> dict[BrandId, GoogleAccount]:
        """The brand's, for a channel."""
        return {self.brand_id: GoogleAccount(OURS, wallet, rate)}

    def wallet(self, *, patience: Patience = HASTE) -> GoogleWallet:
        """Another client of the same account."""
        return GoogleWallet(self.tokens, url=self.running.url, at_once=32, patience=patience)

    def hands(self, owner: str) -> GoogleCarrier:
        """One worker's."""
        return GoogleCarrier(
            self.database,
            self.channel,
            self.press,
            owner=owner,
            clock=lambda: self.now,
            lease=LEASE,
            changed=lambda _tx, changes, _now: self.told.extend(changes),
        )

    def publish(self, **texts: LocalizedText) -> None:
        design = templates.design(self.template)
        template, _ = read_template(templates.FOLDER / self.template)
        layout = replace(design.layout, texts=dict(design.layout.texts) | texts)
        with self.database.write() as tx:
            store_designs.add(
                tx,
                programme_id=self.programme_id,
                source=template,
                layout=layout,
                files={path: data for path, data in design.files.items() if path.startswith("google/")},
                now=NOON,
            )

    def issue(self, **changed: Any) -> WalletPassId:
        content = replace(templates.guest(self.template, messages=(), locations=()), **changed)
        with self.database.write() as tx:
            return issuing.issue(
                tx,
                pass_type_identifier=card.PASS_TYPE,
                programme_id=self.programme_id,
                content=content,
                now=self.now,
            ).id

    def ensure(self, pass_id: WalletPassId) -> GoogleCard:
        with self.database.write() as tx:
            return google_cards.ensure(tx, pass_id, brand_id=self.brand_id, issuer_id=OURS, now=self.now)

    def installed(self, **changed: Any) -> WalletPassId:
        """A card that a guest holds."""
        pass_id = self.issue(**changed)
        self.ensure(pass_id)
        self.work()
        self.running.save(self.name(pass_id), user=GUEST)
        self.heard(pass_id, "save")
        self.work()
        return pass_id

    def heard(self, pass_id: WalletPassId, event: Any, nonce: str = "") -> HolderChange | None:
        with self.database.write() as tx:
            count = f"{event}{self.now.timestamp()}{nonce}{pass_id}"
            return google_cards.hear(tx, self.name(pass_id), event, nonce=count, now=self.now)

    def name(self, pass_id: WalletPassId) -> str:
        return self.card(pass_id).resource_id

    def card(self, pass_id: WalletPassId) -> GoogleCard:
        with self.database.read() as tx:
            found = google_cards.card(tx, pass_id)
        assert found is not None
        return found

    def change(self, pass_id: WalletPassId, *, kind: PushKind = "receipt", **changed: Any) -> None:
        def become(content: PassContent) -> PassContent:
            return replace(content, **changed)

        with self.database.write() as tx:
            issuing.revise(tx, [Revision(pass_id, become)], kind=kind, now=self.now)

    def receipt(self, pass_id: WalletPassId, number: int, *, kind: PushKind = "receipt") -> None:
        """A receipt that says something."""

        def become(content: PassContent) -> PassContent:
            text = LocalizedText(f"Начислено {number}", f"{number} added")
            said = Message(text, self.now, f"receipt:{number}")
            messages = (said, *content.messages)[:5]
            return replace(content, balance=content.balance + 100 * number, messages=messages)

        with self.database.write() as tx:
            issuing.revise(tx, [Revision(pass_id, become)], kind=kind, now=self.now)

    # The beats

    def take(self, hands: GoogleCarrier | None = None, limit: int = 200) -> tuple[GoogleReady, ...]:
        self.tokens.obtain().exception(timeout=30)  # nothing is claimed before it is there
        return (hands or self.carrier).take(limit).ready

    def send(self, ready: tuple[GoogleReady, ...]) -> list[GoogleAnswered]:
        answers: list[GoogleAnswered] = []
        self.runner.run(self.channel.send(ready, answers.extend))
        return answers

    def step(self, limit: int = 200) -> int:
        """All three; how many were sent."""
        ready = self.take(limit=limit)
        answers = self.send(ready)
        assert len(answers) == len(ready)
        if answers:
            self.carrier.settle(self.carrier.hear(answers))
        return len(ready)

    def work(self, steps: int = 12) -> None:
        """Until nothing is due at this moment; what waits less than three seconds is waited for."""
        for _ in range(steps):
            if not self.step():
                with self.database.read() as tx:
                    pending = tx.scalars(select(delivery.c.due_at).where(delivery.c.state == "pending")).all()
                soon = [one for one in pending if one <= self.now + 3 * SECOND]
                if not soon:
                    return
                self.now = max(self.now, *soon)

    # What came of it

    def objects(self) -> dict[str, Any]:
        return dict(self.running.objects())

    def at_google(self, pass_id: WalletPassId) -> dict[str, Any]:
        found: dict[str, Any] = self.running.objects()[self.name(pass_id)]
        return found

    def last(self, pass_id: WalletPassId) -> google.LastChange:
        found = self.card(pass_id).last
        assert found is not None
        return found

    def notices(self, pass_id: WalletPassId) -> list[Any]:
        return list(self.running.notices(self.name(pass_id)))

    def outcomes(self, pass_id: WalletPassId) -> list[str]:
        return [one.outcome for one in self.notices(pass_id)]

    def rows(self) -> list[Any]:
        with self.database.read() as tx:
            return list(tx.execute(select(delivery).order_by(delivery.c.id)))

    def attempts(self) -> list[Any]:
        with self.database.read() as tx:
            return list(tx.execute(select(attempt).order_by(attempt.c.id)))

    def ledger(self) -> list[Any]:
        with self.database.read() as tx:
            return list(tx.execute(select(google_notification).order_by(google_notification.c.delivery_id)))


@contextmanager
def opened(
    database: Database, running: RunningGoogle, account: Mapping[str, Any], **more: Any
) -> Iterator[Cafe]:
    """The cafe until the block ends."""
    with asyncio.Runner() as runner:
        cafe = Cafe(database, running, account, runner, **more)
        try:
            yield cafe
        finally:
            runner.run(cafe.channel.close())
