"""A draft becomes a version, a test card, a roll-out, as requests."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from app.accounts.tables import audit_entry
from app.db.identifiers import DeviceLibraryIdentifier, PassTypeIdentifier, PushToken
from app.delivery import google
from app.passes import designs, drafts, registrations, rollouts, store_google_accounts
from app.passes.google_tables import google_account
from app.passes.tables import pass_evidence, wallet_pass
from app.reports.google_outlook import GoogleOutlook, google_outlook
from app.web.console.google_words import outlook_words
from tests.reports.google_settling import ISSUER, at_google, held, promise
from tests.web.console import designs_stage
from tests.web.console.designs_form import AT, DRAFT, edit
from tests.web.console.house import House


def test_publish_roll_out_numbers_and_back(house: House) -> None:
    cards = designs_stage.issue_cards(house, house.cafe, 12)
    designs_stage.begin(house)
    desk = house.desk("marketer")
    edit(desk, colour__backgroundColor="#102030")
    review = desk.get(f"{DRAFT}/publish")
    assert "12 cards in phones stay as they are" in review.text
    assert "Google Wallet" not in re.sub("<svg.*?</svg>", "", review.text, flags=re.S)
    with house.database.write() as tx:
        store_google_accounts.write(
            tx, house.cafe.brand.id,
            {
                "issuer_id": "3388000000012345678", "credentials": "file:/none", "sealed_key": None,
                "email": "x@example.com", "changed_at": house.clock(), "changed_by": "user:1",
            },
        )  # fmt: skip
    for card in cards[:3]:
        made = at_google(house.database, card, house.cafe.brand.id, now=house.clock())
        held(house.database, made, by_somebody=True, now=house.clock())
    review = desk.get(f"{DRAFT}/publish")
    assert "Google knows no stages" in review.text
    at_googles = "3 cards in Google Wallet: Google takes at most 20 changes a second"
    assert f"{at_googles}, so all of them need less than a minute." in review.text
    assert desk.send(f"{DRAFT}/publish").status_code == 303
    page = desk.get(AT)
    assert "Version 2 waits to be rolled out" in page.text
    assert at_googles in page.text
    assert "Cafe Marketer" in page.text  # who published it
    assert desk.send(AT, f"{AT}/rollout/start").status_code == 303
    _all_steps(house)
    waits = desk.get(AT).text
    assert "waits for you" in waits
    assert "<dt>Moved</dt><dd>1<" in waits  # of twelve, for 1 %
    assert "This stage is over" in waits
    desk.send(AT, f"{AT}/rollout/go-on")
    _all_steps(house)
    desk.send(AT, f"{AT}/rollout/go-on")
    _all_steps(house)
    with house.database.write() as tx:
        registrations.register(
            tx, device_library_identifier=DeviceLibraryIdentifier("phone"), pass_id=cards[0],
            pass_type_identifier=PassTypeIdentifier(house.cafe.brand.pass_type_identifier),
            push_token=PushToken("beef" * 16), now=house.clock(),
        )  # fmt: skip
        version = tx.execute(select(wallet_pass.c.version).where(wallet_pass.c.id == cards[0])).scalar_one()
        tx.execute(pass_evidence.delete().where(pass_evidence.c.pass_id == cards[0]))
        tx.execute(
            pass_evidence.insert().values(pass_id=cards[0], fetched_version=version, fetched_at=house.clock())
        )
    page = desk.get(AT)
    figures = re.findall(r"<dt>([^<]+)</dt><dd>(\d+)<small>([^<]+)", page.text)
    assert figures == [
        ("Moved", "12", "of 12"), ("Fetched by phones", "1", "of 1 on phones"),
        ("Removed by guests", "0", "since it began"),
    ]  # fmt: skip
    assert "everywhere" in page.text
    desk.send(AT, f"{AT}/rollout/back")
    _all_steps(house)
    with house.database.read() as tx:
        assert [each.cards for each in designs.versions(tx, house.cafe.programme.id)] == [12, 0]
        told = set(tx.execute(select(audit_entry.c.action)).scalars())
    assert {"design.published", "rollout.started", "rollout.continued", "rollout.taken_back"} <= told
    assert "withdrawn" in desk.get(AT).text
    assert desk.send(AT, f"{AT}/rollout/stop").status_code == 409


def test_how_long_google_takes_counts_what_waits_before_and_nothing_twice(house: House) -> None:
    def outlook() -> GoogleOutlook | None:
        with house.database.read() as tx:
            return google_outlook(tx, house.cafe.programme.id, rate=0.01, now=house.clock())

    assert outlook() is None
    with house.database.write() as tx:
        for shop in (house.cafe, house.bakery):
            tx.execute(
                google_account.insert().values(
                    brand_id=shop.brand.id, issuer_id=ISSUER, credentials="file:nowhere",
                    email="robot@example.com", changed_at=house.clock(), changed_by="test",
                )
            )  # fmt: skip
    for shop, count in ((house.cafe, 3), (house.bakery, 2)):
        for card in designs_stage.issue_cards(house, shop, count):
            made = at_google(house.database, card, shop.brand.id, now=house.clock())
            held(house.database, made, by_somebody=True, now=house.clock())
            promise(house.database, made.id, "silent", now=house.clock())
    # Three of its own, which a change joins, behind two of a brand with the same issuer.
    assert outlook() == GoogleOutlook(cards=3, takes=timedelta(seconds=500), rate=0.01)
    with house.application.test_request_context():
        assert outlook_words(outlook()).endswith("so all of them need about 9 minutes.")
        long = GoogleOutlook(cards=120_000, takes=google.estimate(120_000, notifying=False), rate=20.0)
        assert outlook_words(long).endswith("so all of them need about 100 minutes.")
        assert outlook_words(replace(long, takes=2 * long.takes)).endswith("need about 4 hours.")


def _all_steps(house: House) -> None:
    """What the worker does."""
    for _ in range(40):
        house.clock.forward(timedelta(minutes=2))
        with house.database.write() as tx:
            if not rollouts.step(tx, now=house.clock(), most=200).more:
                return


def test_a_design_that_iphones_refuse_is_not_published(house: House) -> None:
    begun = designs_stage.begin(house)
    with house.database.write() as tx:
        broken = drafts.draft(tx, begun.id).template
        files = {path: data for path, data in broken.files.items() if not path.startswith("icon")}
        drafts.save(
            tx, begun.id, replace(broken, files=files), expected_updated_at=begun.updated_at,
            now=house.clock(), actor="test",
        )  # fmt: skip
    desk = house.desk()
    review = desk.get(f"{DRAFT}/publish")
    assert "iPhones would not take this card" in review.text
    assert "The icon is missing" in review.text
    assert "Publish version" not in review.text
    assert desk.send(f"{DRAFT}/publish").status_code == 303
    with house.database.read() as tx:
        assert len(designs.versions(tx, house.cafe.programme.id)) == 1


def test_a_test_card_follows_the_draft(house: House) -> None:
    designs_stage.begin(house)
    desk = house.desk()
    made = desk.send(f"{DRAFT}/publish", f"{DRAFT}/test-card")
    assert made.status_code == 303
    page = desk.get(f"{DRAFT}/publish")
    address = re.search(r'href="(https?://[^"]*/i/-/test-card/[^"]+)"', page.text)
    assert address
    assert "Open the test card" in page.text
    with house.database.read() as tx:
        before = tx.execute(select(wallet_pass.c.version)).scalar_one()
    house.clock.forward(timedelta(minutes=1))
    edit(desk, colour__backgroundColor="#102030")
    with house.database.read() as tx:
        assert tx.execute(select(wallet_pass.c.version)).scalar_one() > before
