"""What has happened in the chain of the pictures: scans, guests, a roll-out, a draft, a new brand."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import Final

from app.accounts import brands, invitations, keys, staff, users
from app.accounts.brands import Brand, BrandDraft
from app.db import Tx
from app.db.identifiers import DeviceLibraryIdentifier, InstallLinkId, PushToken, VenueId, VisitId
from app.delivery import jobs
from app.delivery.tables import delivery
from app.loyalty import card_acts, enrolment, numbers, programmes, publishing, till
from app.loyalty.enrolment import ConsentGiven, Enrolment, EnrolmentRequest
from app.loyalty.programmes import Programme
from app.passes import designs, drafts, evidence, issuing, registrations, rollouts
from app.passes.evidence import Contact, Fetch, Install, Sighting
from app.places import links, tallies, venues, visits
from app.places.links import InstallLink
from tests.pictures import bargains
from tests.pictures.campaigns import campaigns
from tests.pictures.chain import NOW, Chain
from tests.web.console.samples_funnel import come

DAYS: Final = 70
A_DAY: Final = {
    "nevsky": 26, "petrogradka": 15, "vasilievsky": 8, "kazan": 2, "rubinshteina": 12, "moskovskaya": 5,
}  # fmt: skip
SHARES: Final[dict[str, dict[str, float]]] = {"petrogradka": {"code": 0.42}, "vasilievsky": {"form": 0.3}}
"""Where a venue loses more guests than the chain does."""
NAMES: Final = (
    "Мария Ёлкина", "Пётр Сафронов", "Иван Сергеев", None, "Ольга Ким", "Alexander Montgomery", "Дина",
    "Егор Зуев", "Жанна Белова", "Захар", "Инна Чижова", "Кирилл Добронравов", "Лада", "Марк", "Нина Рудь",
    "Kate Wilson", "Полина", "Роман Щукин", "Светлана Воскресенская", "Тимур", None, "Фёдор Лапин",
)  # fmt: skip
_DATA: Final = ConsentGiven(
    purpose="data", granted=True, text_version="1", text="Согласен", language="ru", source="install page"
)


def live(chain: Chain) -> None:
    """Everything, the newest last."""
    chance = random.Random(17)
    with chain.database.write() as tx:
        _visitors(tx, chance)
        _guests(tx, chain, chance)
        bargains.offer(chain, tx)
        _people_and_prints(tx)
        tallies.mend(tx)
        while tallies.fold(tx):
            pass
        slot = jobs.slot_of(NOW, timedelta(minutes=1))
        jobs.take(tx, "tidy", slot, owner="worker", now=NOW, lease=timedelta(minutes=1))
        jobs.finish(tx, "tidy", slot, owner="worker", now=NOW)
    _rollout_and_draft(chain)
    campaigns(chain)
    with chain.database.write() as tx:
        tx.execute(delivery.delete())  # Apple has had them all
        _new_brand(tx, chain)


def _visitors(tx: Tx, chance: random.Random) -> None:
    for brand in brands.all_brands(tx):
        by_venue: dict[VenueId, list[InstallLink]] = {}
        for link in links.links_of_brand(tx, brand.id):
            by_venue.setdefault(link.venue_id, []).append(link)
        for venue in venues.all_venues(tx, brand.id):
            own = by_venue[venue.id]
            for number, link in enumerate(own):
                _scans(tx, link.id, A_DAY[venue.slug] / (1.5 + number), SHARES.get(venue.slug, {}), chance)


def _scans(
    tx: Tx, link: InstallLinkId, a_day: float, shares: dict[str, float], chance: random.Random
) -> None:
    for back in range(DAYS):
        count = max(0, round(chance.gauss(a_day, a_day**0.5) * (1.2 if back < 7 else 1)))
        come(tx, link, (NOW - timedelta(days=back)).date(), count, chance, shares)


def _guests(tx: Tx, chain: Chain, chance: random.Random) -> None:
    for slug in ("pechka", "zerno"):
        brand = brands.brand_by_slug(tx, slug)
        entrances = {link.venue_id: link for link in reversed(links.links_of_brand(tx, brand.id))}
        for number, name in enumerate(NAMES):
            link = list(entrances.values())[number % len(entrances)]
            since = timedelta(days=len(NAMES) - number, hours=number % 7)
            card = _guest(tx, link, name, f"+7903555{number:04d}" if number % 3 else None, since)
            for receipt in range(chance.choice((0, 1, 1, 2, 3, 5))):
                _receipt(tx, brand, link.venue_id, card, f"{number:02d}{receipt:02d}", chance, since / 2)
            if number % 4:
                _phone(tx, card, f"phone-{slug}-{number}")
    pechka = brands.brand_by_slug(tx, "pechka")
    home = next(link for link in links.links_of_brand(tx, pechka.id))
    anna = _guest(tx, home, "Анна Петрова", "+79031234567", timedelta(days=40))
    for number in range(6):
        _receipt(
            tx, pechka, home.venue_id, anna, f"A-{1040 + number}", chance, timedelta(days=30 - 4 * number)
        )
    card_acts.correct(
        tx, anna.id, points=50_00, reason="Чек не прошёл, касса была без сети", form_key="the-first-form",
        now=NOW - timedelta(hours=20), actor=chain.people["owner"].actor,
    )  # fmt: skip
    _phone(tx, anna, "phone-anna")
    oleg = _guest(tx, home, "Олег Носов", None, timedelta(days=12))
    card_acts.block(
        tx, oleg.id, reason="Карту показывали двое", form_key="the-second-form", now=NOW - timedelta(hours=2),
        actor=chain.people["owner"].actor,
    )  # fmt: skip
    chain.told.update({"code": home.code, "user_id": chain.people["manager"].id})
    chain.told.update({"member_id": anna.member_id, "card_id": anna.id, "blocked": oleg.member_id})


def _guest(tx: Tx, link: InstallLink, name: str | None, phone: str | None, since: timedelta) -> Enrolment:
    visit_id: VisitId = visits.new_visit_id()
    at = NOW - since
    visits.record(
        tx, visit_id=visit_id, link_id=link.id, kind="scan", at=at, device_kind="iphone", language="ru"
    )
    request = EnrolmentRequest(
        programme_id=link.programme_id, venue_id=link.venue_id, visit_id=visit_id, name=name, language="ru",
        consents=[_DATA, replace(_DATA, purpose="advertising", text="Хочу знать", granted=name != "Дина")],
    )  # fmt: skip
    made = enrolment.enrol(tx, request, now=at)
    return numbers.prove(tx, made.id, phone, now=at) if phone else made


def _receipt(
    tx: Tx, brand: Brand, venue: VenueId, card: Enrolment, number: str, chance: random.Random, ago: timedelta
) -> None:
    draft = till.ReceiptDraft(
        card=card.card_code, number=f"{card.id}-{number}", amount=chance.randrange(180, 4200) * 100,
        currency="RUB", at=NOW - ago,
    )  # fmt: skip
    till.record_receipt(tx, draft, brand_id=brand.id, venue_id=venue, now=NOW - ago)


def _phone(tx: Tx, card: Enrolment, device: str) -> None:
    known = issuing.wallet_pass(tx, card.pass_id)
    at = NOW - timedelta(hours=1)
    held = registrations.register(
        tx, device_library_identifier=DeviceLibraryIdentifier(device),
        pass_type_identifier=known.pass_type_identifier, pass_id=known.id,
        push_token=PushToken(f"{device}-token"), now=at,
    )  # fmt: skip
    seen = (
        Contact(held.device_id, at), Sighting(known.id, known.version, at),
        Fetch(known.id, known.version, known.last_modified, at), Install(known.id, known.version, at),
    )  # fmt: skip
    evidence.record(tx, list(seen))


def _people_and_prints(tx: Tx) -> None:
    for brand in brands.all_brands(tx):
        own = links.links_of_brand(tx, brand.id)
        links.note_printed(tx, own[:-3], now=NOW - timedelta(days=100))
        for number, person in enumerate(staff.staff_of_brand(tx, brand.id)):
            staff.plan(tx, person.id, monthly_target=(40, 30, 25, None)[number % 4], now=NOW, actor="user:1")
        for key in keys.keys_of_brand(tx, brand.id)[:2]:
            keys.note_use(tx, key, now=NOW - timedelta(minutes=14))


def _rollout_and_draft(chain: Chain) -> None:
    actor = chain.people["marketer"].actor
    with chain.database.write() as tx:
        brand = brands.brand_by_slug(tx, "pechka")
        club = programmes.programmes_of_brand(tx, brand.id)[0]
        _redraw(tx, brand, club, actor, backgroundColor="rgb(58, 34, 44)")
        rollouts.start(tx, club.id, brand_id=brand.id, now=NOW - timedelta(hours=5), actor=actor)
    _move_cards(chain)
    with chain.database.write() as tx:
        rollouts.go_on(tx, club.id, brand_id=brand.id, now=NOW - timedelta(hours=3), actor=actor)
    _move_cards(chain)
    with chain.database.write() as tx:
        source = designs.source(tx, designs.versions(tx, club.id)[-1].id)
        faint = {**source.document, "labelColor": "rgb(96, 70, 80)"}
        drafts.start(
            tx, club.id, replace(source, document=faint), brand_id=brand.id, now=NOW - timedelta(hours=1),
            actor=actor,
        )  # fmt: skip
        chain.told.update({"programme_id": club.id, "version": 1})


def _move_cards(chain: Chain) -> None:
    for _ in range(20):
        with chain.database.write() as tx:
            if not rollouts.step(tx, now=NOW - timedelta(hours=2), most=200).more:
                return


def _redraw(tx: Tx, brand: Brand, programme: Programme, actor: str, **changed: str) -> None:
    newest = designs.versions(tx, programme.id)[-1]
    source = designs.source(tx, newest.id)
    at = NOW - timedelta(hours=6)
    begun = drafts.start(
        tx, programme.id, replace(source, document={**source.document, **changed}), base_design_id=newest.id,
        brand_id=brand.id, now=at, actor=actor,
    )  # fmt: skip
    values = publishing.with_rules(designs.brand_values(brand), programme.rules)
    ready = drafts.ready(begun, values, now=at)
    drafts.publish(tx, begun, ready, brand_id=brand.id, now=at, actor=actor)


def _texts(*names: str) -> dict[str, dict[str, str]]:
    promise = ("Баллы с каждой чашки", "Points from every cup")
    return {
        language: {
            "programme": names[n],
            "promise": promise[n],
            "privacy_url": "",
            "terms_url": "",
            "support": "",
        }
        for n, language in enumerate(("ru", "en"))
    }


def _new_brand(tx: Tx, chain: Chain) -> None:
    """Made a moment ago: what its pages say before there is anything."""
    draft = BrandDraft(
        slug="myata", name="Мята", texts=_texts("Карта «Мята»", "Мята card"), time_zone="Europe/Moscow",
        currency="RUB",
        pass_type_identifier="pass.com.example.myata", team_identifier="A1B2C3D4E5", credentials="stored:",
        language="ru",
    )  # fmt: skip
    made = brands.create_brand(tx, draft, now=NOW, actor=chain.people["operator"].actor)
    owner = chain.people["operator"]
    users.grant(tx, owner.id, made.id, "owner", now=NOW, actor=owner.actor)
    _, token = invitations.invite(
        tx, made.id, "marketer", name="Дарья", now=NOW - timedelta(minutes=9), actor=owner.actor
    )
    chain.told["token"] = token
