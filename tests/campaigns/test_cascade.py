"""The cascade: proof by fetch, the deadline, texts to the unreached, and the one state that each ends in."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.campaigns.fallback import Texting
from app.campaigns.plan import Arm
from app.db import Database, Tx
from app.db.identifiers import EnrolmentId, MemberId
from app.delivery.google_promises import GoogleVerdict
from app.delivery.tables import delivery, text_message
from app.delivery.texts import ASK_FOR
from app.loyalty import card_acts, consents, enrolment, members, merging, offers, store_consents
from app.loyalty.offers import OfferDraft
from app.loyalty.tables import member
from app.passes import evidence, issuing, watermarks
from app.passes.content import LocalizedText
from app.passes.evidence import Fetch
from app.passes.tables import device
from tests.campaigns.cascade_world import HOUR, MINUTE, PLAN, PRICE, World, book
from tests.loyalty.town import NOW
from tests.worker.text_gateway import GatewayServer, serving


@pytest.fixture(scope="module")
def server() -> Iterator[GatewayServer]:
    with serving() as running:
        yield running


@pytest.fixture
def world(database: Database, server: GatewayServer) -> World:
    server.ledger.texts.clear()
    return World(database)


def _card(tx: Tx, world: World, member_id: MemberId) -> EnrolmentId:
    return enrolment.enrolment_of_pass(tx, world.pass_of(tx, member_id)).id


def _overdue(world: World) -> None:
    """Pushes are taken, nobody fetches, the deadline is over."""
    world.push()
    world.wait(PLAN.deadline + MINUTE)
    world.look()


def test_who_fetched_before_the_deadline_is_reached_and_the_others_are_texted(
    world: World, server: GatewayServer
) -> None:
    reached, late = world.guest(), world.guest(name=None)
    world.begin()
    world.push()
    world.wait(10 * MINUTE)
    world.fetch(reached)
    world.wait(10 * MINUTE)
    world.look()
    assert world.state(reached) == ("reached", None)
    assert world.state(late) == ("said", None)
    assert world.row(late).look_at == NOW + PLAN.deadline
    world.wait(15 * MINUTE)
    world.look()
    assert world.row(reached).reached_at == NOW + 10 * MINUTE
    assert world.row(reached).accepted_at == NOW
    assert world.state(late) == ("texting", None)
    assert world.row(late).deadline_at == NOW + PLAN.deadline
    assert (world.campaign().texts, world.campaign().spent) == (1, PRICE)
    assert world.text(server) == 1
    assert [one.text for one in server.ledger.texts] == ["гость, скидка 20 %"]
    world.receipt(server.ledger.texts[0])
    world.look()
    row = world.row(late)
    assert (row.state, row.text_parts, row.text_price) == ("text_delivered", 1, server.ledger.texts[0].cost)
    assert (world.campaign().state, world.campaign().settled_at) == ("measuring", world.now)


def test_the_deadline_starts_when_the_push_is_accepted_and_never_ends_in_quiet_hours(world: World) -> None:
    guest = world.guest()
    world.now = NOW.replace(hour=17, minute=40)  # 20:40 where the guest is at home
    world.begin()
    world.wait(PLAN.deadline)
    world.look()
    assert world.row(guest).deadline_at is None  # held back by the phone's budget, or Apple is away
    world.push()
    accepted = world.now
    world.wait(MINUTE)
    world.look()
    world.wait(10 * MINUTE)
    world.look()
    assert accepted.hour == 18  # it is quiet since then
    assert world.row(guest).deadline_at == (NOW + timedelta(days=1)).replace(hour=7, minute=0)
    assert world.state(guest) == ("said", None)


def test_what_was_never_accepted_has_the_end_of_its_message_for_a_deadline(world: World) -> None:
    guest = world.guest()
    world.begin()
    looks = 0
    while world.now < NOW + PLAN.patience:
        world.wait(15 * MINUTE)
        looks += world.look()
    assert looks < 50
    assert world.row(guest).deadline_at == NOW + PLAN.patience
    assert world.state(guest) == ("texting", None)


def test_who_has_no_phone_any_more_or_is_refused_gets_the_next_step_at_once(
    world: World, database: Database
) -> None:
    gone, refused = world.guest(), world.guest()
    world.begin()
    with database.write() as tx:
        gone_pass = world.pass_of(tx, gone)
        name = f"phone of {world.slug} {gone_pass}"
        tx.execute(
            update(device).where(device.c.device_library_identifier == name).values(unreachable_since=NOW)
        )
    world.push("refused")
    world.wait(PLAN.deadline)
    world.look()
    assert [world.state(one) for one in (gone, refused)] == [("texting", None)] * 2


def test_why_somebody_was_not_texted_either(database: Database) -> None:
    world = World(database, plan=replace(PLAN, most_texts=None, budget=2 * PRICE))
    guests = [world.guest() for _ in range(3)]
    silenced, withdrew, numberless, left, same = (world.guest() for _ in range(5))
    with database.write() as tx:
        tx.execute(update(member).where(member.c.id == numberless).values(phone=None))
        first = tx.scalar(select(member.c.phone).where(member.c.id == guests[0]))
        tx.execute(update(member).where(member.c.id == same).values(phone=first))
        number = tx.scalar(select(member.c.phone).where(member.c.id == silenced))
    world.begin()
    world.push()
    world.wait(MINUTE)
    with database.write() as tx:
        consents.withdraw(
            tx, withdrew, source="card page", text="-", text_version="1", language="ru", now=world.now
        )
        brand = world.town.brand.id
        store_consents.silence(tx, brand, number or "", source="sms", text="стоп", at=world.now)
        members.remove(tx, left, now=world.now)
    _overdue(world)
    assert [world.state(one) for one in guests] == [("texting", None)] * 2 + [("unreached", "budget")]
    assert world.state(silenced) == ("unreached", "silenced")
    assert world.state(withdrew) == ("unreached", "no_consent")
    assert world.state(numberless) == ("unreached", "no_number")
    assert world.state(left) == ("unreached", "left")
    assert world.state(same) == ("unreached", "same_number")
    assert world.campaign().spent == 2 * PRICE


@pytest.mark.parametrize(
    ("plan", "texting", "why"),
    [
        (replace(PLAN, texts_to="nobody"), Texting(book()), "no_text"),
        (PLAN, Texting(), "no_login"),
        (PLAN, Texting(book("other")), "no_login"),
        (replace(PLAN, most_texts=None, budget=10**9), Texting(book(prices=())), "no_price"),
        (replace(PLAN, most_texts=0), Texting(book()), "budget"),
    ],
)
def test_no_text_leaves_where_the_plan_the_operator_or_the_money_says_so(
    database: Database, plan: object, texting: Texting, why: str
) -> None:
    assert isinstance(plan, type(PLAN))
    world = World(database, plan=plan, texting=texting)
    guest = world.guest()
    world.begin()
    _overdue(world)
    assert world.state(guest) == ("unreached", why)


def test_a_text_without_a_known_price_goes_where_their_number_is_bounded(database: Database) -> None:
    world = World(database, texting=Texting(book(prices=())))
    guest = world.guest()
    world.begin()
    _overdue(world)
    assert world.state(guest) == ("texting", None)
    assert (world.row(guest).text_price, world.campaign().spent) == (None, 0)


def test_service_messages_ask_for_no_consent(database: Database) -> None:
    world = World(database, kind="service")
    guest = world.guest(consents=False)
    world.begin()
    _overdue(world)
    assert world.state(guest) == ("texting", None)


def test_guests_without_a_card_are_texted_at_once(world: World, server: GatewayServer) -> None:
    guest, numberless = world.guest(iphone=False), world.guest(iphone=False, phone=None)
    world.begin()
    assert world.state(guest) == ("texting", None)
    assert world.state(numberless) == ("held_back", "no_way")
    world.text(server)
    assert [one.text for one in server.ledger.texts] == ["Анна, скидка 20 %"]
    world.wait(ASK_FOR + MINUTE)
    world.look()
    assert world.state(guest) == ("text_accepted", None)
    world.receipt(server.ledger.texts[0], good=False)  # days late
    assert world.state(guest) == ("text_failed", "absent")
    world.receipt(server.ledger.texts[0])
    assert world.state(guest) == ("text_delivered", None)


def test_no_text_is_claimed_after_the_card_was_fetched(world: World, server: GatewayServer) -> None:
    guest = world.guest()
    world.begin()
    _overdue(world)
    world.fetch(guest)
    assert world.text(server) == 0
    assert (world.texts()[0].state, world.texts()[0].reason) == ("superseded", "Reached")
    world.look()
    assert world.state(guest) == ("reached", None)
    assert (world.campaign().texts, world.campaign().spent) == (0, 0)
    assert world.row(guest).text_price is None


def test_who_fetches_at_the_moment_of_the_claim_is_waited_for(world: World, server: GatewayServer) -> None:
    guest = world.guest()
    world.begin()
    _overdue(world)
    with ThreadPoolExecutor(1) as pool:
        with world.database.write() as tx:
            card = issuing.wallet_pass(tx, world.pass_of(tx, guest))
            evidence.record(tx, [Fetch(card.id, card.version, card.last_modified, world.now)])
            claimed = pool.submit(world.claim, server)
            wait([claimed], timeout=0.5)  # PostgreSQL answers at once, SQLite when its turn has come
        assert claimed.result(60) == ()
    world.wait(timedelta(seconds=3))
    assert world.claim(server) == ()
    assert world.texts()[0].reason == "Reached"


def test_a_fetch_after_the_end_of_the_message_still_keeps_the_text_back(
    world: World, server: GatewayServer
) -> None:
    guest = world.guest()
    world.begin()
    world.wait(PLAN.patience + MINUTE)
    world.look()
    world.turns()
    assert world.state(guest) == ("texting", None)
    world.fetch(guest)
    assert world.text(server) == 0


def test_a_paused_campaign_texts_nobody_and_goes_on_when_it_is_resumed(
    world: World, server: GatewayServer
) -> None:
    promised, waits = world.guest(), world.guest()
    world.begin()
    world.push()
    world.wait(PLAN.deadline + MINUTE)
    world.look(limit=1)
    world.halt("pause")
    assert world.text(server) == 0
    assert {one.reason for one in world.texts()} == {"CampaignHalted"}
    world.wait(2 * MINUTE)
    world.look()
    world.halt("resume")
    world.wait(11 * MINUTE)
    world.look()
    world.text(server)
    assert len(server.ledger.texts) == 2
    assert {world.state(one) for one in (promised, waits)} == {("texting", None)}


def test_what_stays_paused_until_it_makes_no_sense_is_over(world: World) -> None:
    guest = world.guest()
    world.begin()
    world.push()
    world.halt("pause")
    while world.now < NOW + PLAN.patience + timedelta(days=1, hours=2):
        world.wait(2 * HOUR)
        world.look()
    assert world.state(guest) == ("unreached", "stopped")
    assert world.campaign().state == "measuring"


def test_a_cancelled_campaign_ends_everywhere(world: World, server: GatewayServer) -> None:
    said, texted, sent = world.guest(), world.guest(iphone=False), world.guest(iphone=False)
    world.begin()
    world.push()
    with world.database.write() as tx:  # one of the texts is on its way
        other = world.row(texted).delivery_id
        tx.execute(update(delivery).where(delivery.c.id == other).values(due_at=world.now + MINUTE))
    assert world.text(server) == 1
    world.halt("cancel")
    world.send()
    world.wait(2 * MINUTE)
    world.look()
    assert world.text(server) == 0
    world.look()
    assert world.state(said) == ("unreached", "cancelled")
    assert world.state(texted) == ("unreached", "cancelled")
    assert world.state(sent) == ("texting", None)
    world.receipt(server.ledger.texts[0])
    world.look()
    assert world.state(sent) == ("text_delivered", None)
    assert (world.campaign().state, world.campaign().settled_at) == ("cancelled", world.now)


def test_no_deadline_is_acted_on_beyond_what_is_written_down(world: World, server: GatewayServer) -> None:
    guest = world.guest()
    world.begin()
    world.push()
    world.wait(PLAN.deadline + MINUTE)
    with world.database.write() as tx:
        watermarks.tell(tx, "a web process", NOW + 10 * MINUTE, now=world.now)
    world.look()
    assert world.state(guest) == ("said", None)
    assert world.row(guest).look_at <= world.now + timedelta(seconds=5)
    with world.database.write() as tx:
        watermarks.tell(tx, "a web process", world.now, now=world.now)
    world.wait(timedelta(seconds=5))
    world.look()
    assert world.state(guest) == ("texting", None)
    with world.database.write() as tx:  # another one that could not write for long
        watermarks.tell(tx, "another", NOW, now=world.now)
    assert world.text(server) == 0
    assert world.texts()[0].reason == "EvidenceAwaited"
    world.wait(watermarks.LEASE)
    assert world.text(server) == 1


def test_two_rows_of_one_guest_bring_one_text(world: World, server: GatewayServer) -> None:
    one, other, loner = world.guest(), world.guest(), world.guest()
    world.begin()
    world.push()
    world.wait(MINUTE)
    with world.database.write() as tx:
        merging.merge(
            tx,
            living=_card(tx, world, one),
            ending=_card(tx, world, other),
            now=world.now,
        )
    with world.database.write() as tx:
        newcomer = enrolment.enrol(tx, world.form(), now=world.now)
    with world.database.write() as tx:
        merging.merge(tx, living=newcomer.id, ending=_card(tx, world, loner), now=world.now)
    world.wait(PLAN.patience)  # what is said of the merger took the place of the campaign's line
    world.look()
    assert world.state(other) == ("unreached", "merged")
    assert world.state(one) == ("texting", None)
    assert world.state(loner) == ("texting", None)  # who it became is in no audience
    assert world.text(server) == 2
    with world.database.read() as tx:
        sent = set(tx.scalars(select(text_message.c.member_id)))
    assert sent == {one, newcomer.member_id}


def test_a_fetch_counts_though_the_card_was_given_anew_meanwhile(world: World) -> None:
    guest, other = world.guest(), world.guest()
    world.begin()
    world.push()
    world.wait(MINUTE)
    world.fetch(guest)
    with world.database.write() as tx:
        for number, one in enumerate((guest, other)):
            card_acts.reissue(
                tx,
                _card(tx, world, one),
                reason="lost",
                form_key=f"{number}" * 32,
                now=world.now,
                actor="test",
            )
    world.wait(PLAN.deadline + HOUR)
    world.look()
    assert world.state(guest) == ("reached", None)
    assert world.state(other) == ("texting", None)


def test_a_text_names_the_offer_and_none_leaves_once_it_is_over(
    world: World, server: GatewayServer, database: Database
) -> None:
    card, cardless = world.guest(), world.guest(iphone=False)
    with database.write() as tx:
        offer = offers.create(
            tx,
            world.town.brand.id,
            OfferDraft(
                code="COFFEE-10",
                name=LocalizedText("Скидка 10 %", "10 % off"),
                terms=LocalizedText("На всё меню", "The whole menu"),
                gives="percent",
                worth=1_000,
                from_at=NOW,
                until_at=NOW + 20 * MINUTE,
            ),
            now=NOW,
            actor="test",
        )
    line = LocalizedText("{offer}: {code}", "{offer}: {code}")
    world.plan = replace(PLAN, arms=(Arm(name="one", line=line),))
    world.begin(offer.id)
    world.text(server)
    assert [one.text for one in server.ledger.texts] == ["Скидка 10 %: COFFEE-10"]
    assert world.state(cardless) == ("texting", None)
    _overdue(world)
    assert world.state(card) == ("unreached", "offer_over")


@pytest.mark.parametrize(
    ("verdict", "reason", "suffices", "ends"),
    [
        ("accepted", "Notified", True, ("google_accepted", None)),
        ("accepted", "Notified", False, ("texting", None)),
        ("accepted", "HeldByQuota", True, ("texting", None)),
        ("accepted", "NoHolder", True, ("texting", None)),
        ("refused", "invalid", True, ("texting", None)),
        ("lost", "Timeout", True, ("said", None)),
    ],
)
def test_a_card_at_google_is_reached_as_far_as_google_tells(
    database: Database, verdict: GoogleVerdict, reason: str, suffices: bool, ends: tuple[str, str | None]
) -> None:
    world = World(database, plan=replace(PLAN, google_accepted_suffices=suffices))
    guest = world.guest(iphone=False)
    world.hold_at_google(guest)
    world.begin()
    assert world.row(guest).google is True
    world.wait(MINUTE)
    world.look()
    assert world.state(guest) == ("said", None)  # no answer yet
    world.tell_google(verdict, reason)
    world.wait(10 * MINUTE)
    world.look()
    assert world.state(guest) == ends
