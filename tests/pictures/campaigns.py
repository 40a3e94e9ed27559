"""Campaigns in the chain of the pictures: one that was sent, one that is paused, one to come, a draft."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update

from app.campaigns import lifecycle, work
from app.campaigns.audience import PRESETS, Audience
from app.campaigns.plan import Arm, Plan
from app.campaigns.store_campaigns import Campaign
from app.campaigns.store_recipients import Due
from app.campaigns.tables import recipient
from app.db import Tx
from app.db.identifiers import CampaignId
from app.passes.content import LocalizedText
from tests.pictures.chain import NOW, Chain

PIE = LocalizedText(
    "{name|Гость}, до воскресенья второй пирог за полцены",
    "{name|Guest}, the second pie is half price until Sunday",
)
LONG = LocalizedText(
    "{name|Дорогой гость}, на вашей карте {balance}: до конца недели за вишнёвый пирог начислим вдвое больше",
    "{name|Dear guest}, you have {balance}: until the end of the week every cherry pie earns double",
)


def campaigns(chain: Chain) -> None:
    """All of them, of the first brand."""
    brand, actor = chain.brand().id, chain.people["marketer"].actor
    began = NOW - timedelta(hours=2)

    def write(tx: Tx, name: str, plan: Plan, at: datetime) -> CampaignId:
        return lifecycle.create(tx, brand, name, plan, now=at, actor=actor)

    with chain.database.write() as tx:
        arms = (Arm(name="Пирог", line=PIE), Arm(name="Баллы", line=LONG))
        sent = write(tx, "Пирог на выходные", Plan(arms=arms, holdout=2_000, canary_minutes=None), began)
        lifecycle.begin(tx, brand, sent, now=began, actor=actor)
    _work(chain, began)
    with chain.database.write() as tx:
        told = select(recipient.c.member_id).where(
            recipient.c.campaign_id == sent, recipient.c.state == "said"
        )
        reached = sorted(tx.scalars(told))[::2]
        tx.execute(
            update(recipient)
            .where(recipient.c.campaign_id == sent, recipient.c.member_id.in_(reached))
            .values(state="reached", reached_at=began, settled_at=began, look_at=None)
        )
        quiet = write(
            tx, "Завтраки для тех, кто не был месяц", Plan(arms=(arms[0],), audience=PRESETS["asleep"]), NOW
        )
        lifecycle.schedule(tx, brand, quiet, NOW + timedelta(days=2, hours=3), now=NOW, actor=actor)
        one = Plan(arms=(arms[1],), audience=Audience(consent=True), holdout=1_000)
        draft = write(tx, "Двойные баллы за вишнёвый", one, NOW)
    chain.told.update({"campaign_id": draft, "sent_campaign": sent, "scheduled_campaign": quiet})


def _work(chain: Chain, now: datetime) -> None:
    while True:
        with chain.database.write() as tx:
            if not work.is_due(tx, now):
                return
            work.step(tx, _no_texts, now=now)


def _no_texts(_tx: Tx, campaign: Campaign, due: Sequence[Due], _now: datetime) -> None:
    raise AssertionError(f"{len(due)} texts of {campaign.name}")
