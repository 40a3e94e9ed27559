"""What follows when a guest was spoken to: a fetch proves it, or a deadline passes and a text goes out.

Every recipient ends in exactly one state. Nothing here waits in memory: a look reads what is known, writes
what follows, and says when to look again; done twice, or by another worker, it comes to the same. Locks:
campaign, recipients; then texts are promised.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from app.campaigns import fallback, home_zones, limits, looks, store_proofs
from app.campaigns import store_cascade as store
from app.campaigns.fallback import Texting
from app.campaigns.looks import Card, Rules
from app.campaigns.store_campaigns import Campaign
from app.campaigns.store_cascade import Recipient
from app.db import Tx
from app.db.identifiers import DeliveryId, WalletPassId
from app.passes import announcing, watermarks
from app.passes.announcing import Known

AT_ONCE = 200


def is_due(tx: Tx, now: datetime) -> bool:
    """Whether anybody is to be looked at, or a campaign has come to its end; writes and locks nothing."""
    return store.anything_due(tx, now) or store.anything_over(tx)


def step(tx: Tx, texting: Texting, *, now: datetime, limit: int = AT_ONCE) -> int:
    """Look at the next recipients of one campaign; returns how many, 0 where nobody is to be looked at.

    Campaigns whose last recipient is settled are measured from then on.
    """
    campaign = store.next_campaign(tx, now)
    if campaign is None:
        store.settle(tx, store.over(tx), now)
        return 0
    found = store.due(tx, campaign.id, now=now, limit=limit)
    messages = announcing.known(
        tx, campaign.announcement, sorted({one.pass_id for one in found if one.pass_id is not None})
    )
    rules = _rules(tx, campaign, found, watermarks.oldest(tx, now))
    after, next_step = _cards(tx, [one for one in found if one.state == "said"], messages, rules, now)
    after += _texts(tx, [one for one in found if one.state == "texting"], messages, now)
    _give_back(tx, campaign, found, after)
    after += fallback.promise(tx, campaign, next_step, texting, now=now)
    store.write(tx, campaign.id, after)
    return len(found)


def heard(tx: Tx, delivery_ids: Collection[DeliveryId], now: datetime) -> None:
    """A gateway told something of these texts: settled recipients are put right, the others looked at.

    Texts of no campaign are left alone. A receipt may come days late, and after another one.
    """
    texted = store.texted(tx, delivery_ids)
    if not texted:
        return
    store.look_at_once(tx, texted, now)
    rows = []
    for delivery_id, text in store_proofs.texts(tx, texted).items():
        if (end := looks.of_settled_text(text.state, text.reason)) is not None:
            money = {"text_parts": text.parts, "text_price": text.price, "text_currency": text.currency}
            rows.append({"of_delivery_id": delivery_id, "state": end[0], "because": end[1], **money})
    store.correct(tx, rows)


def _rules(tx: Tx, campaign: Campaign, found: Sequence[Recipient], watermark: datetime) -> Rules:
    zones = home_zones.of_members(tx, [one.member_id for one in found])
    allowed = limits.of_brand(tx, campaign.brand_id)

    def never_quiet(one: Recipient, moment: datetime) -> datetime:
        if campaign.kind == "service" or one.member_id not in zones:
            return moment
        return allowed.spoken_at(moment, zones[one.member_id])

    plan = campaign.plan
    return Rules(
        state=campaign.state,
        deadline=plan.deadline,
        patience=plan.patience,
        google_suffices=plan.google_accepted_suffices,
        watermark=watermark,
        never_quiet=never_quiet,
    )


def _cards(
    tx: Tx,
    found: Sequence[Recipient],
    messages: Mapping[WalletPassId, Known],
    rules: Rules,
    now: datetime,
) -> tuple[list[Recipient], list[Recipient]]:
    """Those to be written as they are now, and those whose next step has come."""
    said = {
        one.pass_id: (messages[one.pass_id].said_at or one.contact_at)
        for one in found
        if one.pass_id is not None and one.pass_id in messages
    }
    phones, google = store_proofs.pushes(tx, said), store_proofs.google_changes(tx, said)
    after: list[Recipient] = []
    next_step: list[Recipient] = []
    for one in found:
        key = one.pass_id
        if key is None:  # the table does not allow it
            continue
        card = Card(message=messages.get(key), phones=phones.get(key), google=google.get(key))
        looked_at, is_over = looks.of_card(one, card, rules, now)
        (next_step if is_over else after).append(looked_at)
    return after, next_step


def _texts(
    tx: Tx,
    found: Sequence[Recipient],
    messages: Mapping[WalletPassId, Known],
    now: datetime,
) -> list[Recipient]:
    texts = store_proofs.texts(tx, [one.delivery_id for one in found if one.delivery_id is not None])
    return [
        looks.of_text(
            one,
            texts.get(one.delivery_id) if one.delivery_id is not None else None,
            messages.get(one.pass_id) if one.pass_id is not None else None,
            now,
        )
        for one in found
    ]


def _give_back(tx: Tx, campaign: Campaign, before: Sequence[Recipient], after: Sequence[Recipient]) -> None:
    """Texts that were never sent cost nothing: others may have them."""
    priced = {one.member_id: one for one in before if one.text_parts is not None}
    unsent = [priced[one.member_id] for one in after if one.text_parts is None and one.member_id in priced]
    store.count_texts(tx, campaign.id, texts=-len(unsent), spent=-sum(one.text_price or 0 for one in unsent))
