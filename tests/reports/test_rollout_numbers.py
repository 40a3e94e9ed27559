"""The numbers of a roll-out, told from what guests and their phones did."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from app.db import Database
from app.db.identifiers import DeviceLibraryIdentifier, PushToken, VisitId
from app.loyalty.tables import enrolment
from app.passes import designs, issuing, registrations, store_designs
from app.passes.tables import pass_evidence, wallet_pass
from app.places import visits
from app.reports.rollout_numbers import RolloutNumbers, rollout_numbers
from tests.web.guests import NOW, open_world


def test_moved_fetched_and_removed_cards_are_each_counted_once(database: Database) -> None:
    world = open_world(database)
    for _ in range(4):
        world.phone().join(world.cafe)
    began, shop = NOW + timedelta(hours=1), world.cafe
    with database.write() as tx:
        target = store_designs.add(
            tx, programme_id=shop.programme.id, source=designs.source(tx, shop.design.id),
            layout=shop.design.layout, files=shop.design.files, now=began,
        ).id  # fmt: skip
        cards = list(
            tx.execute(select(enrolment.c.pass_id, enrolment.c.visit_id).order_by(enrolment.c.pass_id))
        )
        first, second, third, rest = cards
        visits.card_removed(tx, VisitId(rest.visit_id), at=began)  # of a card that is not moved
        moved = [first.pass_id, second.pass_id, third.pass_id]
        issuing.move_cards(tx, moved, from_design_id=shop.design.id, to_design_id=target, now=began)
        for number, card in enumerate((first, second)):
            registrations.register(
                tx, device_library_identifier=DeviceLibraryIdentifier(f"phone-{number}"),
                pass_id=card.pass_id,
                pass_type_identifier=issuing.wallet_pass(tx, card.pass_id).pass_type_identifier,
                push_token=PushToken("beef" * 16), now=began,
            )  # fmt: skip
        version = {row.id: row.version for row in tx.execute(select(wallet_pass.c.id, wallet_pass.c.version))}
        tx.execute(pass_evidence.delete())
        for card, held in ((first, version[first.pass_id]), (second, version[second.pass_id] - 1)):
            tx.execute(
                pass_evidence.insert().values(pass_id=card.pass_id, fetched_version=held, fetched_at=began)
            )
        visits.card_removed(tx, VisitId(third.visit_id), at=began + timedelta(minutes=1))
    with database.read() as tx:
        assert rollout_numbers(tx, target, since=began) == RolloutNumbers(
            moved=3, on_phones=2, fetched=1, removed=1
        )
        later = began + timedelta(days=1)
        assert rollout_numbers(tx, target, since=later).removed == 0
        none = rollout_numbers(tx, world.bakery.design.id, since=began)
        assert none == RolloutNumbers(moved=0, on_phones=0, fetched=0, removed=0)
